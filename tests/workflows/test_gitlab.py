"""The template for GitLab on a real repository, against a served sandbox and a fake GitLab: each job's script is run."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.forge.fake_gitlab import PROJECT
from tests.workflows.files import ROOT
from tests.workflows.gitlab import FORK, READ_TOKEN, TEMPLATE, GitLabHub, GitLabRunner, Pipeline, Ran, template
from tests.workflows.hub import git, recorded
from tests.workflows.service import READ, TARGETS, WRITE, Service
from tests.workflows.test_files import passes


class Desk:
    """Somebody's clone, and what they do on GitLab."""

    def __init__(self, folder: Path, hub: GitLabHub, runner: GitLabRunner, service: Service) -> None:
        self.folder = folder
        self.hub = hub
        self.runner = runner
        self._pipelines = 0
        shutil.copytree(ROOT / "manifests", folder / "manifests")
        for target in TARGETS:
            self.edit("fleet.yaml", f"region: {target}", f"endpoint: {service.url}/accounts/{target}")
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "remote", "add", "origin", str(hub.origin))

    def edit(self, file: str, before: str, after: str) -> None:
        """Change a manifest."""
        path = self.folder / "manifests" / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))

    def commit(self, message: str) -> str:
        """Commit all; the commit."""
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", f"--message={message}")
        return git(self.folder, "rev-parse", "HEAD")

    def open(self, branch: str) -> None:
        """Begin a branch on main's tip."""
        git(self.folder, "checkout", "--quiet", "-B", branch, "main")

    def pipeline(self, source: str, sha: str, variables: dict[str, str], project: int = PROJECT) -> Pipeline:
        """A new one."""
        self._pipelines += 1
        return Pipeline(self._pipelines, source, sha, variables, project)

    def proposed(self, number: int, *, project: int = PROJECT, merged: bool = False) -> Pipeline:
        """The checked out branch as a merge request: by itself, or as a result that is merged for a try."""
        head, main = (git(self.folder, "rev-parse", name) for name in ("HEAD", "main"))
        git(self.folder, "push", "--quiet", "--force", "origin", f"{head}:refs/merge-requests/{number}/head")
        variables = {
            "CI_MERGE_REQUEST_IID": str(number),
            "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(project),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(self.folder, "merge-base", "main", "HEAD"),
        }
        if not merged:
            return self.pipeline("merge_request_event", head, variables, project)
        tree = git(self.folder, "merge-tree", "--write-tree", main, head)
        sha = git(self.folder, "commit-tree", tree, "-p", main, "-p", head, "-m", "A try")
        git(self.folder, "push", "--quiet", "--force", "origin", f"{sha}:refs/merge-requests/{number}/merge")
        commits = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": main}
        return self.pipeline("merge_request_event", sha, {**variables, **commits}, project)

    def pushed(self, before: str) -> Pipeline:
        """Main was pushed."""
        git(self.folder, "push", "--quiet", "origin", "main")
        variables = {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_BEFORE_SHA": before}
        return self.pipeline("push", git(self.folder, "rev-parse", "main"), variables)

    def merge(self, number: int, branch: str) -> Pipeline:
        """Squash a branch onto main; the pipeline of that."""
        git(self.folder, "checkout", "--quiet", "main")
        before = git(self.folder, "rev-parse", "main")
        git(self.folder, "merge", "--quiet", "--squash", branch)
        self.hub.merge_request(self.commit(f"A change (!{number})"), number)
        return self.pushed(before)

    def on_main(self, source: str, **variables: str) -> Pipeline:
        """A pipeline of main's tip: by hand, or by a schedule."""
        return self.pipeline(source, git(self.folder, "rev-parse", "main"), {"CI_COMMIT_BRANCH": "main", **variables})

    def run(self, job: str, pipeline: Pipeline) -> Ran:
        """Run a job of the template."""
        return self.runner.run(f"reconciler-{job}", pipeline)

    def note(self, number: int, kind: str = "plan") -> str:
        """The one note of a kind that stands on a merge request."""
        said = [str(note["body"]) for note in self.hub.notes[f"merge_requests/{number}"]]
        [note] = [text for text in said if text.startswith(f"<!-- reconciler:{kind} ")]
        return note


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitLabHub]:
    """A GitLab that is reached over HTTP."""
    (tmp_path / "origin").mkdir()
    with GitLabHub(tmp_path / "origin").open() as opened:
        yield opened


@pytest.fixture
def desk(tmp_path: Path, hub: GitLabHub, service: Service) -> Desk:
    """A project with its keys, applied once."""
    runner = GitLabRunner(tmp_path / "jobs", hub)
    runner.everywhere |= {**READ, "RECONCILER_ALLOW_ENDPOINTS": "127.0.0.1"}
    runner.production |= WRITE
    made = Desk(tmp_path / "desk", hub, runner, service)
    made.commit("The fleet")
    started = made.run("apply", made.pushed("0" * 40))
    assert started.green, started.log
    assert len(service.writes()) == 11
    return made


@pytest.mark.slow
def test_from_a_merge_request_to_a_fleet_in_sync(desk: Desk, hub: GitLabHub, service: Service) -> None:
    """A note that is brought up to date, a merge that is applied, a delete that waits for a button, drift, in sync."""
    assert set(recorded(hub.origin)) == set(TARGETS)
    desk.open("flags")
    desk.edit("us-east-1/feature-flags.yaml", "Evaluated flags", "All flags")
    desk.commit("Words")
    planned = desk.run("plan", desk.proposed(7))
    assert planned.green, planned.log
    assert "(where this merge request's branch left main)" in planned.log
    assert "feature-flags" in desk.note(7)
    (desk.folder / "manifests/eu-west-1/web.yaml").write_text("name: [\n")
    desk.commit("A slip")
    broken = desk.proposed(7)
    for job in ("validate", "plan"):
        ran = desk.run(job, broken)
        assert ran.code == 1, ran.log
        [found] = ran.document("gl-code-quality-report.json")
        assert (found["location"]["path"], found["severity"]) == ("manifests/eu-west-1/web.yaml", "critical")
    assert "feature-flags" not in desk.note(7)
    git(desk.folder, "reset", "--quiet", "--hard", "HEAD~1")
    assert desk.run("plan", desk.proposed(7)).green

    applied = desk.run("apply", desk.merge(7, "flags"))
    assert applied.green, applied.log
    assert service.writes() == ["PUT /accounts/us-east-1/cluster/feature-flags 200"]
    assert "1 applied" in desk.note(7, "apply")
    assert recorded(hub.origin)["us-east-1"]["feature-flags"] == git(desk.folder, "rev-parse", "main")

    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("No flags")
    tried = desk.run("plan", desk.proposed(8, merged=True))
    assert "the first parent of this merge request's merge into main" in tried.log
    pipeline = desk.merge(8, "less")
    refused = desk.run("apply", pipeline)
    assert (refused.code, service.writes()) == (4, []), refused.log
    assert "not reviewed: delete feature-flags" in desk.note(8, "apply-failed")
    assert desk.run("plan", pipeline).green
    assert desk.runner.jobs(pipeline)["reconciler-apply-plan"]["when"] == "manual"
    carried_out = desk.run("apply-plan", pipeline)
    assert carried_out.green, carried_out.log
    assert service.writes() == ["DELETE /accounts/us-east-1/cluster/feature-flags 204"]
    assert "1 applied" in desk.note(8, "apply")

    service.change("us-east-1", "sessions", node_instance_type="m7g.2xlarge")
    drift = desk.run("drift", desk.on_main("schedule"))
    assert drift.green, drift.log
    assert [issue["state"] for issue in hub.issues] == ["opened"]
    assert desk.run("apply", desk.on_main("web")).green
    assert service.writes() == ["PUT /accounts/us-east-1/cluster/sessions 200"]
    assert desk.run("drift", desk.on_main("schedule")).green
    assert [issue["state"] for issue in hub.issues] == ["closed"]


@pytest.mark.slow
def test_an_old_job_sends_nothing_and_is_green(desk: Desk, service: Service) -> None:
    """Two merges in a minute, the older one's job last; started again later, and its plan's button pressed late."""
    old = []
    for number, before, after in ((15, "Evaluated", "Newer"), (16, "Newer", "Newest")):
        desk.open(after)
        desk.edit("us-east-1/feature-flags.yaml", f"{before} flags", f"{after} flags")
        desk.commit(after)
        assert desk.run("plan", desk.proposed(number)).green
        old.append(desk.merge(number, after))
        assert desk.run("plan", old[-1]).green
    said = desk.note(15)
    service.writes()
    newest = old.pop()
    for pipeline in (old[0], newest, old[0], replace(old[0], source="web")):
        ran = desk.run("apply", pipeline)
        assert (ran.green, "superseded: newer work" in ran.log) == (True, pipeline is not newest), ran.log
    late = desk.run("apply-plan", old[0])
    assert (late.green, "superseded: newer work" in late.log) == (True, True), late.log
    assert service.writes() == ["PUT /accounts/us-east-1/cluster/feature-flags 200"]
    assert "Newest" in service.live("us-east-1")["feature-flags"]["description"]
    assert desk.note(15) == said


@pytest.mark.slow
def test_a_failed_apply_and_then_a_merge(desk: Desk, service: Service) -> None:
    """What the first could not do, the second one does: it applies all of main."""
    desk.open("first")
    desk.edit("us-east-1/feature-flags.yaml", "Evaluated flags", "All flags")
    desk.commit("Words")
    desk.runner.production["MOMENTO_API_KEY_US"] = "sandbox-readonly"
    failed = desk.run("apply", desk.merge(20, "first"))
    assert failed.code == 1, failed.log
    desk.runner.production["MOMENTO_API_KEY_US"] = "sandbox-admin"
    service.writes()
    desk.open("second")
    desk.edit("us-east-1/scratch.yaml", "description: ", "description: More of ")
    desk.commit("Other words")
    applied = desk.run("apply", desk.merge(21, "second"))
    assert applied.green, applied.log
    assert len(service.writes()) == 2
    assert "2 applied" in desk.note(21, "apply")


@pytest.mark.slow
def test_a_fork_gets_no_key_and_no_note(desk: Desk, hub: GitLabHub, service: Service) -> None:
    """In its own project, and where a member runs its pipeline in ours: base against head, and nothing is reached."""
    desk.open("fork")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("More shards")
    service.answers.clear()
    theirs = desk.proposed(12, project=FORK)
    for pipeline in (theirs, replace(theirs, project=PROJECT)):
        assert desk.run("validate", pipeline).green
        ran = desk.run("plan", pipeline)
        assert ran.green, ran.log
        assert "were not read: this compares base with head" in ran.log
        assert set(desk.runner.jobs(pipeline)) == {"reconciler-validate", "reconciler-plan"}
    assert (service.answers, hub.notes) == ([], {})


@pytest.mark.slow
def test_consent_is_given_by_hand(desk: Desk, service: Service) -> None:
    """A guard refuses the plan; with it named in a pipeline that somebody started, and in no other, it goes on."""
    desk.edit("fleet.yaml", "targets:", "guards:\n  max_deletes: 0\ntargets:")
    desk.commit("Deletes need consent")
    assert desk.run("apply", desk.pushed("0" * 40)).green
    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("No flags")
    assert desk.run("plan", desk.proposed(11)).code == 3
    service.writes()
    consent = {"ALLOW": "max-deletes max-delete-fraction"}
    pipeline = desk.merge(11, "less")
    smuggled = desk.run("apply", replace(pipeline, variables={**pipeline.variables, **consent}))
    assert (smuggled.code, service.writes()) == (4, []), smuggled.log
    assert "max-deletes" in desk.note(11)
    assert "not reviewed: delete feature-flags" in desk.note(11, "apply-failed")
    for variables in ({"RECONCILER_PRUNE": "none"}, {"RECONCILER_DRY_RUN": "true", **consent}):
        none = desk.run("apply", desk.on_main("web", **variables))
        assert (none.green, service.writes()) == (True, []), none.log
    allowed = desk.run("apply", desk.on_main("web", **consent))
    assert allowed.green, allowed.log
    assert service.writes() == ["DELETE /accounts/us-east-1/cluster/feature-flags 204"]


@pytest.mark.slow
def test_a_token_that_may_not_push_sends_nothing(desk: Desk, hub: GitLabHub, service: Service) -> None:
    """Whether the record can be pushed is known before; plan and drift read it by the job's own token, without any."""
    desk.open("more")
    desk.edit("us-east-1/feature-flags.yaml", "Evaluated flags", "All flags")
    desk.commit("Words")
    before = recorded(hub.origin)
    desk.runner.everywhere["GITLAB_TOKEN"] = READ_TOKEN
    denied = desk.run("apply", desk.merge(17, "more"))
    assert (denied.code, service.writes(), recorded(hub.origin)) == (1, [], before), denied.log
    assert "on GitLab, a token with the scope `write_repository` and the role Developer" in denied.log
    del desk.runner.everywhere["GITLAB_TOKEN"]
    planned = desk.run("plan", desk.proposed(18))
    assert planned.green, planned.log
    assert "no comment was posted: no token: GITLAB_TOKEN is not set" in planned.log


@pytest.mark.slow
def test_a_push_of_more_commits_than_a_runner_fetches(desk: Desk) -> None:
    """All of history is fetched where base is looked for: it lies before the push, however far."""
    before = git(desk.folder, "rev-parse", "main")
    for count in range(22):
        desk.edit("us-east-1/feature-flags.yaml", "description: ", f"description: {count % 2}")
        desk.commit(f"Words {count}")
    applied = desk.run("apply", desk.pushed(before))
    assert applied.green, applied.log
    assert f"base {before[:10]} (before this push to main)" in applied.log


@pytest.mark.slow
def test_the_docs_say_what_the_template_needs(tmp_path: Path) -> None:
    """Ten lines that GitLab takes; each job, input, variable of consent and token."""
    page = (ROOT / "docs/gitlab.md").read_text()
    [text] = re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / ".gitlab-ci.yml").write_text(text)
    passes("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(tmp_path / ".gitlab-ci.yml"))
    [include] = yaml.safe_load(text)["include"]
    header = yaml.safe_load(TEMPLATE.read_text().partition("\n---\n")[0])
    assert set(include["inputs"]) == set(header["spec"]["inputs"])
    assert include["remote"].endswith(f"/COMMIT/{TEMPLATE.relative_to(ROOT)}")
    used = re.findall(r"\$\{?([A-Z_]+):?-?\}?", "".join("".join(job["script"]) for job in template().values()))
    consent = {name for name in used if not name.startswith(("CI_", "RECONCILER_"))}
    assert consent == {"ALLOW", "ADOPT", "REPLACE", "EXPECT"}
    for name in (*template(), *consent, "GITLAB_TOKEN", "MOMENTO_API_KEY", "production"):
        assert f"`{name}`" in page, name


def test_a_job_runs_where_it_should_and_nowhere_else(tmp_path: Path) -> None:
    """By what started the pipeline; apply on the default branch alone, one at a time, never cut short."""
    (tmp_path / "origin").mkdir()
    runner = GitLabRunner(tmp_path, GitLabHub(tmp_path / "origin"))
    request = {"CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT), "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(PROJECT)}

    def jobs(source: str, **variables: str) -> set[str]:
        return {name.removeprefix("reconciler-") for name in runner.jobs(Pipeline(1, source, "a" * 40, variables))}

    assert jobs("merge_request_event", **request) == {"validate", "plan"}
    assert jobs("push", CI_COMMIT_BRANCH="main") == {"plan", "apply", "apply-plan"}
    assert jobs("web", CI_COMMIT_BRANCH="main") == {"apply"}
    assert jobs("schedule", CI_COMMIT_BRANCH="main") == {"drift"}
    for source in ("push", "web", "schedule", "api", "trigger"):
        assert jobs(source, CI_COMMIT_BRANCH="side") == jobs(source, CI_COMMIT_TAG="v1") == set()
    for name, job in template().items():
        applies = name.startswith("reconciler-apply")
        assert (job.get("environment"), job.get("resource_group"), job["image"]["entrypoint"]) == (
            {"name": "production"} if applies else None,
            "reconciler-apply" if applies else "reconciler-drift" if name == "reconciler-drift" else None,
            [""],
        )
        assert job.get("interruptible", False) == (name in {"reconciler-plan", "reconciler-validate"})


@pytest.mark.slow
def test_the_template_is_gitlabs(tmp_path: Path) -> None:
    """By its published schema; with other inputs, too; no input stands in a script."""
    for inputs in ({}, {"manifests": "fleet", "prune": "none", "image": "registry.example/reconciler@sha256:0"}):
        jobs: dict[str, Any] = template(**inputs)
        for job in jobs.values():
            job.pop("extends")
        (tmp_path / ".gitlab-ci.yml").write_text(json.dumps(jobs))
        passes("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(tmp_path / ".gitlab-ci.yml"))
    body = TEMPLATE.read_text().partition("\n---\n")[2]
    lines = [line.strip() for line in body.splitlines() if "$[[" in line]
    assert [line.partition(":")[0] for line in lines] == ["name", "RECONCILER_MANIFESTS", "RECONCILER_PRUNE"]
