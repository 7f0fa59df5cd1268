"""Runs a workflow's jobs as GitHub would: its contexts, its files, its shells, and the few actions that ours use.

Expressions are names with dots, or stand in a table: there is no engine for them here, so an expression that is new has
to be understood first.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

from tests.forge.fake_github import INSTALLATION, REPOSITORY
from tests.workflows.files import ACTION, ROOT, read, tidy
from tests.workflows.hub import A_FORK, ALONE, GIT_CREDENTIALS, HERE, Hub, git

Get: TypeAlias = Callable[[str], str]

OURS = ("./", "OWNER/reconciler@COMMIT")
"""The action of this repository, as it is called here and as others call it."""

OLD_ARTIFACTS = "ff15f0306b3f739f7b6fd43fb5d26cd321bd4de5"
"""The version of them that GitHub Enterprise Server has."""

NOT_RUN = {"Install", "Make the command"}
"""What is installed is this checkout, beforehand; these steps are tested by themselves."""


def _offline(get: Get) -> bool:
    if get("github.event_name") != "pull_request":
        return False
    ours = get("github.event.pull_request.head.repo.full_name") == get("github.repository")
    return not ours or get("github.event.pull_request.user.login") == "dependabot[bot]"


def _on_gitea(get: Get) -> bool:
    return get("github.api_url").endswith("/api/v1")


_OFFLINE = (
    "github.event_name == 'pull_request' && (github.event.pull_request.head.repo.full_name != github.repository "
    "|| github.event.pull_request.user.login == 'dependabot[bot]')"
)
_PUSHED = "github.event_name == 'push'"
_GITEA = "endsWith(github.api_url, '/api/v1')"
_EXITS = [f"steps.{name}.outputs.exit_code" for name in ("plan", "apply", "drift", "targets", "comment")]

TABLE: dict[str, Callable[[Get], object]] = {
    _OFFLINE: _offline,
    f"{_OFFLINE} && 'plan without a key' || 'plan'": lambda get: "plan without a key" if _offline(get) else "plan",
    "secrets.MOMENTO_API_KEY_US == '' && secrets.MOMENTO_API_KEY_EU == ''": lambda get: (
        not get("secrets.MOMENTO_API_KEY_US") and not get("secrets.MOMENTO_API_KEY_EU")
    ),
    "env.OFFLINE == 'false' && env.NO_KEY == 'true'": lambda get: (
        get("env.OFFLINE") == "false" and get("env.NO_KEY") == "true"
    ),
    f"{_PUSHED} && 'owned' || inputs.prune != 'none' && inputs.prune || ''": lambda get: (
        "owned" if get("github.event_name") == "push" else get("inputs.prune").replace("none", "")
    ),
    f"{_PUSHED} && 'harmless' || 'apply'": lambda get: "harmless" if get("github.event_name") == "push" else "apply",
    "github.event.pull_request.head.sha || github.sha": lambda get: (
        get("github.event.pull_request.head.sha") or get("github.sha")
    ),
    "github.event.pull_request.number || github.sha": lambda get: (
        get("github.event.pull_request.number") or get("github.sha")
    ),
    "github.ref == 'refs/heads/main'": lambda get: get("github.ref") == "refs/heads/main",
    "github.ref_name == github.event.repository.default_branch": lambda get: (
        get("github.ref_name") == get("github.event.repository.default_branch")
    ),
    " || ".join([*_EXITS, "'1'"]): lambda get: next((get(name) for name in _EXITS if get(name)), "1"),
    "steps.apply.outputs.superseded == 'true'": lambda get: get("steps.apply.outputs.superseded") == "true",
    "inputs.command != 'drift'": lambda get: get("inputs.command") != "drift",
    "inputs.sandbox == 'true'": lambda get: get("inputs.sandbox") == "true",
    **{
        f"inputs.command == '{name}'": lambda get, name=name: get("inputs.command") == name  # type: ignore[misc]
        for name in ("plan", "apply", "drift", "targets")
    },
    **{
        f"always() && inputs.command == 'plan' && inputs.offline != 'true' && {test}{_GITEA}": lambda get, want=want: (  # type: ignore[misc]
            get("inputs.command") == "plan" and get("inputs.offline") != "true" and _on_gitea(get) == want
        )
        for test, want in (("", True), ("!", False))
    },
    **{
        f"inputs.command == 'comment' && {test}{_GITEA}": lambda get, want=want: (  # type: ignore[misc]
            get("inputs.command") == "comment" and _on_gitea(get) == want
        )
        for test, want in (("", True), ("!", False))
    },
    "always() && inputs.command != 'drift' && inputs.comment != 'false' && inputs.offline != 'true' "
    "&& inputs.dry-run != 'true' && steps.apply.outputs.superseded != 'true'": lambda get: (
        get("inputs.command") != "drift"
        and get("inputs.comment") != "false"
        and get("inputs.offline") != "true"
        and get("inputs.dry-run") != "true"
        and get("steps.apply.outputs.superseded") != "true"
    ),
    "always() && inputs.command == 'drift' && inputs.sandbox != 'true'": lambda get: (
        get("inputs.command") == "drift" and get("inputs.sandbox") != "true"
    ),
}
NAME = re.compile(r"(github|inputs|env|secrets|steps|runner|matrix|needs)(\.[\w-]+)+")


@dataclass(frozen=True)
class Event:
    """What starts a workflow: its name, the ref and commit that are checked out, and what GitHub says of it."""

    name: str
    ref: str
    sha: str
    payload: dict[str, Any]
    fork: bool = False

    @property
    def head(self) -> str:
        """The commit that a run is said to be of."""
        head: str = self.payload.get("pull_request", {}).get("head", {}).get("sha", self.sha)
        return head


@dataclass
class Run:
    """How a job went: each step's exit code, None where it was passed over; what was printed, saved, summed up.

    `outputs` are the action's, `given` the job's own.
    """

    name: str
    codes: dict[str, int | None] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def green(self) -> bool:
        """Whether no step failed."""
        return not any(self.codes.values())

    @property
    def log(self) -> str:
        """Everything that was printed."""
        return "\n".join(f"## {name}: {self.codes[name]}\n{text}" for name, text in self.logs.items())


class Runner:
    """One repository's runner. `secrets` are the repository's; `production` are those of that environment.

    `persists`: a checkout leaves its credentials in git's configuration, as it does unless it is told not to.
    """

    def __init__(self, folder: Path, hub: Hub, secrets: Mapping[str, str], production: Mapping[str, str]) -> None:
        self.folder = folder
        self.hub = hub
        self.secrets = dict(secrets)
        self.production = dict(production)
        self.persists = False
        self._count = 0

    def run(self, workflow: str, event: Event, document: dict[str, Any] | None = None) -> Run:
        """Run the one job of a workflow, of this repository unless it is given."""
        whole = document or read(ROOT / f".github/workflows/{workflow}.yml")
        [job] = whole["jobs"].values()
        return self._run(workflow, event, whole, job, {})

    def run_jobs(self, event: Event, whole: dict[str, Any]) -> dict[str, list[Run]]:
        """Run all jobs of a workflow, each after those that it needs: one run for each entry of its matrix."""
        contexts: dict[str, Any] = {"needs": {}}
        ended: dict[str, list[Run]] = {}
        for name, job in whole["jobs"].items():
            assert job.get("needs", name) in (name, *ended)
            failed = not all(run.green for run in ended.get(job.get("needs"), ()))
            if failed and job.get("if") != "always()":
                continue
            ended[name] = [
                self._run(name, event, whole, job, {**contexts, "matrix": entry}) for entry in _entries(job, contexts)
            ]
            contexts["needs"][name] = {"outputs": ended[name][0].given}
        return ended

    def _run(
        self, name: str, event: Event, whole: dict[str, Any], job: dict[str, Any], contexts: dict[str, Any]
    ) -> Run:
        asks = (job.get("permissions") or whole["permissions"]).get("contents") == "write"
        self.hub.may_push = not event.fork and (asks or not self.hub.heeds_permissions)
        self._count += 1
        started = _Job(self, event, self.folder / f"{self._count:02}-{name}", job, contexts)
        if not started.wanted(job):
            return started.run
        try:
            for step in job["steps"]:
                started.step(step)
        finally:
            started.end()
        return started.run


class _Job:
    def __init__(
        self, runner: Runner, event: Event, folder: Path, job: dict[str, Any], contexts: dict[str, Any]
    ) -> None:
        self.hub = runner.hub
        self.persists = runner.persists
        self.event = event
        self.workspace = folder / "work"
        self.temp = folder / "temp"
        self.home = folder / "home"
        for made in (self.workspace, self.temp, self.home):
            made.mkdir(parents=True)
        (self.temp / "reconciler").symlink_to(sys.prefix)
        secrets = {} if event.fork else {**runner.secrets, **(runner.production if "environment" in job else {})}
        (folder / "event.json").write_text(json.dumps(event.payload))
        self.contexts: dict[str, Any] = {
            **contexts,
            "secrets": secrets,
            "inputs": event.payload.get("inputs", {}),
            "steps": {},
            "runner": {"temp": str(self.temp)},
            "github": {
                "api_url": self.hub.url,
                "token": INSTALLATION,
                "repository": REPOSITORY,
                "event_name": event.name,
                "event": event.payload,
                "ref": event.ref,
                "ref_name": event.ref.removeprefix("refs/heads/"),
                "sha": event.sha,
            },
        }
        self.contexts["env"] = self.filled(job.get("env", {}))
        self.run = Run(self.filled(job.get("name", "")))
        self.outputs_of_job = job.get("outputs", {})
        self.failed = False
        self.masks: set[str] = set()
        self.environment = {
            **ALONE,
            "HOME": str(self.home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.hub.url,
            "GITHUB_BASE_REF": "main" if event.name == "pull_request" else "",
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REF": event.ref,
            "GITHUB_REF_NAME": event.ref.removeprefix("refs/heads/"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": folder.name.partition("-")[0],
            "GITHUB_RUN_NUMBER": folder.name.partition("-")[0],
            "GITHUB_SERVER_URL": self.hub.git_url,
            "GITHUB_SHA": event.sha,
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }
        self.outputs = folder / "outputs"
        self.summary = folder / "summary.md"

    def get(self, name: str) -> str:
        """A context's value as text; empty where there is none."""
        return _value(self.contexts, name)

    def value(self, expression: str) -> str:
        """What an expression gives."""
        text = tidy(expression)
        return self.get(text) if NAME.fullmatch(text) else _text(TABLE[text](self.get))

    def filled(self, value: Any) -> Any:
        """A value with its expressions' values in their place."""
        if isinstance(value, dict):
            return {key: self.filled(part) for key, part in value.items()}
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: self.value(found[1]), value, flags=re.DOTALL)

    def wanted(self, part: dict[str, Any]) -> bool:
        """Whether `if` lets this job or step run."""
        condition = part.get("if", "")
        if self.failed and "always()" not in condition:
            return False
        return condition in {"", "always()"} or self.value(condition) == "true"

    def step(self, step: dict[str, Any]) -> None:
        """Run a step, or pass over it."""
        name = step.get("name") or step["uses"]
        if not self.wanted(step):
            self.run.codes[name] = None
            return
        own = self.filled(step.get("env", {}))
        if step.get("uses") in OURS:
            self.composite(step, own)
            return
        code, log = self.action(step) if "uses" in step else self.shell(step, own)
        self.run.codes[name] = code
        self.run.logs[name] = log
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": self.read_outputs()}
        self.failed = self.failed or (code != 0 and step.get("continue-on-error") != "true")

    def composite(self, step: dict[str, Any], own: Mapping[str, str]) -> None:
        """The action of this repository: it sees its own inputs, and the environment of the step."""
        action = read(ACTION)
        given = self.filled(step["with"])
        assert set(given) <= set(action["inputs"])
        defaults = {name: self.filled(value.get("default", "")) for name, value in action["inputs"].items()}
        outer, kept = self.contexts["inputs"], dict(self.environment)
        self.contexts["inputs"] = {**defaults, **given}
        self.environment |= {**self.contexts["env"], **own}
        self.run.inputs = dict(self.contexts["inputs"])
        for inner in action["runs"]["steps"]:
            assert "uses" in inner or inner["shell"] == "bash"
            self.step(inner)
        self.run.outputs = {name: self.filled(output["value"]) for name, output in action["outputs"].items()}
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": self.run.outputs}
        self.contexts["inputs"], self.environment = outer, kept

    def shell(self, step: dict[str, Any], own: Mapping[str, str]) -> tuple[int, str]:
        """A script, by bash as GitHub calls it."""
        if step["name"] in NOT_RUN:
            return 0, ""
        script = self.temp / "script.sh"
        assert "${{" not in step["run"]
        script.write_text(step["run"])
        self.outputs.write_text("")
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace / self.filled(step.get("working-directory", ".")),
            env={**self.environment, "GITHUB_OUTPUT": str(self.outputs), **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return ended.returncode, self.masked(ended.stdout)

    def masked(self, log: str) -> str:
        """A log without the lines that ask for a mask; anything else in it stays, so that what needs one is found."""
        self.masks |= set(re.findall(r"^::add-mask::(.+)$", log, re.MULTILINE))
        return re.sub(r"^::add-mask::.+\n", "", log, flags=re.MULTILINE)

    def read_outputs(self) -> dict[str, str]:
        """What the last step wrote to its file of outputs."""
        found: dict[str, str] = {}
        lines = iter(self.outputs.read_text().splitlines() if self.outputs.exists() else [])
        for line in lines:
            name, many, delimiter = line.partition("<<")
            if many:
                found[name] = "\n".join(iter(lambda: next(lines), delimiter))
            else:
                name, _, value = line.partition("=")
                found[name] = value
        return found

    def action(self, step: dict[str, Any]) -> tuple[int, str]:
        """What an action of others' does for us."""
        given = self.filled(step.get("with", {}))
        self.outputs.write_text("")
        match step["uses"].partition("@")[0]:
            case "actions/checkout":
                self.check_out(given)
            case "actions/setup-python":
                self.outputs.write_text(f"python-path={sys.executable}\n")
            case "actions/upload-artifact":
                if self.hub.gitea or (self.hub.keeps_old_artifacts_alone and OLD_ARTIFACTS not in step["uses"]):
                    return 1, "GHESNotSupportedError"
                assert given.get("overwrite", "true") == "true"
                if Path(given["path"]).exists():
                    self.hub.keep(
                        given["name"], Path(given["path"]), self.event.head, A_FORK if self.event.fork else HERE
                    )
                else:
                    assert given["if-no-files-found"] == "ignore"
            case "actions/download-artifact":
                self.download(given)
            case other:
                raise AssertionError(f"{other} is not known here")
        return 0, ""

    def download(self, given: Mapping[str, str]) -> None:
        """The newest of each name that fits; one alone is not put into a folder of its own."""
        found = {one["name"]: one for one in self.hub.artifacts if fnmatchcase(one["name"], given["pattern"])}
        for name, artifact in found.items():
            file = Path(given["path"]) / (name if len(found) > 1 else "") / artifact["file"]
            file.parent.mkdir(parents=True)
            file.write_bytes(artifact["bytes"])

    def check_out(self, given: Mapping[str, str]) -> None:
        """The event's commit as the real action fetches it; no credentials stay behind.

        With all history it fetches the branches, and once more, by force, a branch that has moved since the event: what
        the clone knows of that is then the event's commit. Else it fetches that commit, so deep, under the ref's name.
        """
        assert given["persist-credentials"] == "false"
        folder = self.workspace / given.get("path", ".")
        folder.mkdir(exist_ok=True)
        depth, commit, ref = given.get("fetch-depth", "1"), self.event.sha, self.event.ref
        remote = ref.replace("refs/heads/", "refs/remotes/origin/").replace("refs/pull/", "refs/remotes/pull/")
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "remote", "add", "origin", f"{self.hub.git_url}/{REPOSITORY}")
        if self.persists:
            git(folder, "config", f"http.{self.hub.git_url}/.extraheader", f"AUTHORIZATION: {GIT_CREDENTIALS}")
        fetch = ("fetch", "--quiet", "--no-tags", "--prune", "--no-recurse-submodules")
        if depth == "0":
            pull = [] if ref.startswith("refs/heads/") else [f"+{commit}:{remote}"]
            git(folder, *fetch, str(self.hub.origin), "+refs/heads/*:refs/remotes/origin/*", *pull)
            if git(folder, "rev-parse", remote) != commit:
                git(folder, *fetch, str(self.hub.origin), f"+{commit}:{remote}")
        else:
            git(folder, *fetch, f"--depth={depth}", str(self.hub.origin), f"+{commit}:{remote}")
        branch = ["-B", ref.removeprefix("refs/heads/")] if ref.startswith("refs/heads/") else ["--detach"]
        git(folder, "checkout", "--quiet", "--force", *branch, remote)

    def end(self) -> None:
        """What must be so after every job: no secret anywhere, and nothing of the token in git's configuration."""
        self.run.given = self.filled(self.outputs_of_job)
        self.run.summary = self.summary.read_text() if self.summary.exists() else ""
        for file in self.temp.glob("reconciler-*.json"):
            self.run.document = json.loads(file.read_text())
        config = self.workspace / ".git/config"
        kept = config.read_text() if config.exists() and not self.persists else ""
        said = self.run.log + self.run.summary + kept
        credentials = GIT_CREDENTIALS.removeprefix("basic ")
        for secret in (INSTALLATION, credentials, *filter(None, self.contexts["secrets"].values())):
            assert secret not in said
        assert self.masks == {credentials} or not {"Plan", "Apply", "Drift"} & set(self.run.logs)
        assert not self.hub.complaints
        shutil.rmtree(self.temp)


def _entries(job: Mapping[str, Any], contexts: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a job's matrix comes to, which an earlier job has made; one entry of nothing where it has none."""
    matrix = job.get("strategy", {}).get("matrix")
    if matrix is None:
        return [{}]
    name = matrix.removeprefix("${{ fromJSON(").removesuffix(") }}")
    made: dict[str, list[dict[str, str]]] = json.loads(_value(contexts, name))
    assert [*made] == ["include"]
    return made["include"]


def _value(contexts: Any, name: str) -> str:
    for key in name.split("."):
        contexts = contexts.get(key) if isinstance(contexts, dict) else None
    return _text(contexts)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
