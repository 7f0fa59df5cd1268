"""Runs the template's jobs as GitLab and its runner would: rules, variables by scope, the clone, artifacts, shells."""

import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.forge.fake_gitlab import JOB_TOKEN, PROJECT, PROJECT_PATH, TOKEN, FakeGitLab
from tests.workflows.files import ROOT
from tests.workflows.hub import ALONE, git, serve_git

TEMPLATE = ROOT / "templates/reconciler.yml"
READ_TOKEN = "glpat-another-that-only-reads"
DEPTH = "20"
"""How much of history a runner fetches unless it is told otherwise."""
FORK = 99
"""Another project's number."""


def basic(user: str, password: str) -> str:
    """A header of HTTP."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


class GitLabHub(FakeGitLab):
    """The fake with its repository, which a job's own token may read and a project's write."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.origin = folder / f"{PROJECT_PATH}.git"
        self.origin.mkdir(parents=True)
        git(self.origin, "init", "--quiet", "--bare", "--initial-branch=main")
        self.git_url = ""
        self.refused: list[str] = []
        self.artifacts: dict[tuple[int, str], dict[str, bytes]] = {}

    def git_status(self, sent: Sequence[str], *, pushes: bool) -> int:
        """What git is answered."""
        writers = {basic("oauth2", TOKEN)}
        readers = writers | {basic("gitlab-ci-token", JOB_TOKEN), basic("oauth2", READ_TOKEN)}
        if len(sent) != 1 or sent[0] not in readers:
            return 400 if len(sent) > 1 else 401
        return 403 if pushes and sent[0] not in writers else 200

    @contextmanager
    def open(self) -> Iterator["GitLabHub"]:
        """Serve both."""
        with ExitStack() as stack:
            stack.enter_context(self.serve())
            self.git_url = stack.enter_context(serve_git(self))
            yield self


@dataclass(frozen=True)
class Pipeline:
    """What GitLab runs: its number, what started it, the commit, and the variables that follow from these."""

    number: int
    source: str
    sha: str
    variables: Mapping[str, str] = field(default_factory=dict)
    project: int = PROJECT

    def predefined(self, hub: GitLabHub) -> dict[str, str]:
        """As a job sees them."""
        return {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": hub.url,
            "CI_COMMIT_SHA": self.sha,
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_TOKEN": JOB_TOKEN,
            "CI_PIPELINE_ID": str(self.number),
            "CI_PIPELINE_SOURCE": self.source,
            "CI_PROJECT_ID": str(self.project),
            "CI_PROJECT_PATH": PROJECT_PATH,
            "CI_PROJECT_URL": f"{hub.git_url}/{PROJECT_PATH}",
            "CI_SERVER_URL": hub.git_url,
            "CI_COMMIT_BEFORE_SHA": "0" * 40,
            **self.variables,
        }


@dataclass(frozen=True)
class Ran:
    """How a job went."""

    code: int
    log: str
    artifacts: Mapping[str, bytes]

    @property
    def green(self) -> bool:
        return self.code == 0

    def document(self, name: str) -> Any:
        """What it kept, read."""
        return json.loads(self.artifacts[name])


class GitLabRunner:
    """Runs jobs of the template. `everywhere` are a project's variables, `production` those of that environment.

    The latter are protected, too: they are given to pipelines of the default branch alone.
    """

    def __init__(self, folder: Path, hub: GitLabHub) -> None:
        self.folder = folder
        self.hub = hub
        self.everywhere = {"GITLAB_TOKEN": TOKEN}
        self.production: dict[str, str] = {}
        self._count = 0

    def jobs(self, pipeline: Pipeline) -> dict[str, dict[str, Any]]:
        """The pipeline's jobs; each with the variables of the rule that let it in."""
        seen = {**pipeline.predefined(self.hub), **self.everywhere}
        found = {name: admitted(job, seen) for name, job in template().items()}
        return {name: job for name, job in found.items() if job is not None}

    def run(self, name: str, pipeline: Pipeline) -> Ran:
        """Run one job, once more or for the first time, with the artifacts of those that it needs."""
        job = self.jobs(pipeline)[name]
        self._count += 1
        folder = self.folder / f"{self._count:02}-{name}" / "fleet"
        folder.mkdir(parents=True)
        own = {key: str(value) for key, value in job.get("variables", {}).items()}
        secrets = self._secrets(job, pipeline)
        self._clone(folder, pipeline, own.get("GIT_DEPTH", DEPTH))
        for needed in job.get("needs", []):
            for path, content in self.hub.artifacts[pipeline.number, needed].items():
                (folder / path).write_bytes(content)
        environment = {
            **ALONE,
            "PATH": f"{Path(sys.executable).parent}:{ALONE['PATH']}",
            "HOME": "/nonexistent",
            "CI_JOB_ID": str(self._count),
            "CI_PROJECT_DIR": str(folder),
            **own,
            **pipeline.predefined(self.hub),
            **secrets,
        }
        script = folder.parent / "script.sh"
        script.write_text("\n".join([*job["before_script"], *job["script"]]))
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        self._said_nothing_secret(folder, ended.stdout, secrets)
        kept = self._kept(folder, job)
        self.hub.artifacts[pipeline.number, name] = kept
        shutil.rmtree(folder.parent)
        return Ran(ended.returncode, ended.stdout, kept)

    def _secrets(self, job: Mapping[str, Any], pipeline: Pipeline) -> dict[str, str]:
        """A fork's pipeline has the fork's, which are none; an environment's take the place of others of their name."""
        if pipeline.project != PROJECT:
            return {}
        protected = pipeline.variables.get("CI_COMMIT_BRANCH") == "main"
        named = job.get("environment", {}).get("name") == "production"
        return {**self.everywhere, **(self.production if named and protected else {})}

    def _clone(self, folder: Path, pipeline: Pipeline, depth: str) -> None:
        """As a runner fetches: the pipeline's own ref, with all branches where it takes all of history; detached."""
        ref = f"refs/pipelines/{pipeline.number}"
        git(self.hub.origin, "update-ref", ref, pipeline.sha)
        url = self.hub.git_url.replace("://", f"://gitlab-ci-token:{JOB_TOKEN}@")
        git(folder, "init", "--quiet")
        git(folder, "remote", "add", "origin", f"{url}/{PROJECT_PATH}.git")
        every = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"] if depth == "0" else []
        if branch := pipeline.variables.get("CI_COMMIT_BRANCH"):
            every = every or [f"+refs/heads/{branch}:refs/remotes/origin/{branch}"]
        deep = [] if depth == "0" else [f"--depth={depth}"]
        git(folder, "fetch", "--quiet", "--prune", *deep, "origin", f"+{ref}:{ref}", *every)
        git(folder, "checkout", "--quiet", "--force", "--detach", pipeline.sha)
        self.hub.refused.clear()  # git asks first without the credentials of its address

    def _kept(self, folder: Path, job: Mapping[str, Any]) -> dict[str, bytes]:
        kept = job.get("artifacts", {})
        assert kept.get("when", "always") == "always"
        paths = [*kept.get("paths", []), *kept.get("reports", {}).values()]
        return {path: (folder / path).read_bytes() for path in paths if (folder / path).exists()}

    def _said_nothing_secret(self, folder: Path, log: str, secrets: Mapping[str, str]) -> None:
        said = log + "".join(file.read_text() for file in folder.glob("*.json")) + (folder / ".git/config").read_text()
        for token in filter(None, {TOKEN, secrets.get("GITLAB_TOKEN", ""), basic("oauth2", TOKEN)[6:]}):
            assert token not in said
        for key in (value for name, value in secrets.items() if name.startswith("MOMENTO_API_KEY")):
            assert key not in said
        assert self.hub.complaints == []


def template(**inputs: str) -> dict[str, dict[str, Any]]:
    """The template's jobs with what they extend, its inputs in their place."""
    header, _, body = TEMPLATE.read_text().partition("\n---\n")
    spec = yaml.safe_load(header)["spec"]["inputs"]
    values = {name: inputs.get(name, one.get("default", f"a-{name}")) for name, one in spec.items()}
    assert all(values[name] in one["options"] for name, one in spec.items() if "options" in one)
    filled = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: str(values[found[1]]), body)
    document = yaml.safe_load(filled)
    return {name: _extended(document, job) for name, job in document.items() if not name.startswith(".")}


def admitted(job: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any] | None:
    """The job by the first of its rules that holds; None where none does."""
    for rule in job["rules"]:
        if all(_holds(part, variables) for part in " ".join(rule["if"].split()).split(" && ")):
            return {**job, "variables": {**job["variables"], **rule.get("variables", {})}, "when": rule.get("when")}
    return None


def _holds(condition: str, variables: Mapping[str, str]) -> bool:
    found = re.fullmatch(r'\$(\w+) == (?:\$(\w+)|"([^"]*)")', condition)
    assert found is not None, condition
    expected = variables.get(found[2]) if found[2] else found[3]
    return variables.get(found[1]) == expected


def _extended(document: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    """Maps are joined, all else is replaced."""
    base = _extended(document, document[job["extends"]]) if "extends" in job else {}
    joined = {
        key: {**base[key], **value} if isinstance(value, dict) and key in base else value for key, value in job.items()
    }
    return {**base, **joined}
