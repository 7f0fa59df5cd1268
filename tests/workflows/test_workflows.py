"""The workflows on a real repository, against a served sandbox and a fake GitHub: every step of theirs is run."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.forge.fake_forge import Refusal
from tests.forge.fake_github import INSTALLATION, REPOSITORY
from tests.workflows.files import ROOT, documented, read, steps
from tests.workflows.hub import ALONE, Hub, git
from tests.workflows.runner import Event, Run, Runner
from tests.workflows.service import READ, TARGETS, WRITE, Service

OURS = {"default_branch": "main", "full_name": REPOSITORY}


class Desk:
    """Somebody's clone, and what they do on the forge."""

    def __init__(self, folder: Path, hub: Hub, runner: Runner) -> None:
        self.folder = folder
        self.hub = hub
        self.runner = runner
        shutil.copytree(ROOT / "manifests", folder / "manifests")
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

    def push(self, branch: str) -> None:
        """Push a branch."""
        git(self.folder, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")

    def open(self, branch: str) -> None:
        """Begin a branch on main's tip."""
        git(self.folder, "checkout", "--quiet", "-B", branch, "main")

    def proposed(self, number: int, *, fork: bool = False, author: str = "a-user") -> Event:
        """The checked out commit as a pull request: pushed, and merged for a try as GitHub does, and Gitea doesn't."""
        head, base = (git(self.folder, "rev-parse", name) for name in ("HEAD", "main"))
        if self.hub.gitea:
            run_of, ref = head, f"refs/pull/{number}/head"
        else:
            tree = git(self.folder, "merge-tree", "--write-tree", base, head)
            run_of = git(self.folder, "commit-tree", tree, "-p", base, "-p", head, "-m", "A try")
            ref = f"refs/pull/{number}/merge"
        git(self.folder, "push", "--quiet", "--force", "origin", f"{run_of}:{ref}")
        pull = {
            "number": number,
            "user": {"login": author},
            "head": {"sha": head, "repo": {"full_name": "somebody/fleet" if fork else REPOSITORY}},
            "base": {"sha": base, "ref": "main"},
        }
        payload = {"pull_request": pull, "repository": OURS}
        return Event("pull_request", ref, run_of, payload, fork or author == "dependabot[bot]")

    def plan(self, number: int, **how: Any) -> Run:
        """Run the plan of a pull request."""
        return self.runner.run("plan", self.proposed(number, **how))

    def merged(self, number: int, branch: str) -> Event:
        """Squash a branch onto main, and what GitHub then says."""
        head = git(self.folder, "rev-parse", branch)
        git(self.folder, "checkout", "--quiet", "main")
        before = git(self.folder, "rev-parse", "main")
        git(self.folder, "merge", "--quiet", "--squash", branch)
        commit = self.commit(f"A change (#{number})")
        self.push("main")
        self.hub.merged(number, head, commit)
        return self.pushed(before)

    def merge(self, number: int, branch: str) -> Run:
        """Squash a branch onto main; run the apply of that."""
        return self.runner.run("apply", self.merged(number, branch))

    def pushed(self, before: str) -> Event:
        """Main was pushed."""
        payload = {"ref": "refs/heads/main", "before": before, "repository": OURS}
        return Event("push", "refs/heads/main", git(self.folder, "rev-parse", "main"), payload)

    def by_hand(self, workflow: str, **inputs: str) -> Run:
        """Run a workflow on main from GitHub's page."""
        of_apply = {"prune": "owned", "allow": "", "adopt": "", "replace": "", "expect": "", "dry_run": "false"}
        given = {**(of_apply if workflow == "apply" else {}), **inputs}
        tip = git(self.folder, "rev-parse", "main")
        payload = {"inputs": given, "repository": OURS}
        return self.runner.run(workflow, Event("workflow_dispatch", "refs/heads/main", tip, payload))

    def start(self) -> Run:
        """The fleet is pushed to main for the first time, and applied."""
        self.commit("The fleet")
        self.push("main")
        return self.runner.run("apply", self.pushed("0" * 40))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A forge that is reached over HTTP."""
    (tmp_path / "origin").mkdir()
    with Hub(tmp_path / "origin").open() as opened:
        yield opened


@pytest.fixture
def bare(tmp_path: Path, hub: Hub) -> Desk:
    """A fork of this repository in which nothing is configured."""
    return Desk(tmp_path / "desk", hub, Runner(tmp_path / "runs", hub, {}, {}))


@pytest.fixture
def desk(bare: Desk, service: Service) -> Desk:
    """A repository with its keys, whose targets are at the service; applied, once."""
    for target in TARGETS:
        bare.edit("fleet.yaml", f"region: {target}", f"endpoint: {service.url}/accounts/{target}")
    bare.runner.secrets.update(READ)
    bare.runner.production.update(WRITE)
    started = bare.start()
    assert started.green, started.log
    assert len(service.writes()) == 11
    return bare


def comments(hub: Hub, number: int) -> list[str]:
    """What stands on a pull request."""
    return [comment["body"] for comment in hub.comments.get(number, [])]


@pytest.mark.slow
def test_from_a_pull_request_to_a_fleet_in_sync(  # noqa: PLR0915  # one story
    desk: Desk, hub: Hub, service: Service
) -> None:
    """Pull request, second push, merge, failed apply, next merge, drift, in sync: a plan each, what was applied beside it; one issue."""
    first = git(desk.folder, "rev-parse", "main")
    assert set(hub.recorded()) == set(TARGETS)
    assert {commit for lines in hub.recorded().values() for commit in lines.values()} == {first}

    desk.open("flags")
    desk.edit("us-east-1/feature-flags.yaml", "t4g.medium", "m7g.large")
    catalog = desk.folder / "manifests/us-east-1/catalog.yaml"
    catalog.write_text(catalog.read_text().partition("---\n")[0])
    desk.commit("Larger nodes for the flags; search is cached elsewhere")
    desk.push("flags")
    plan = desk.plan(7)
    assert (plan.green, plan.name) == (True, "plan"), plan.log
    assert plan.inputs["sandbox"] == plan.inputs["offline"] == "false"
    [said] = comments(hub, 7)
    assert "feature-flags" in said
    assert "catalog-search" in said
    assert "m7g.xlarge" not in said
    assert service.writes() == []

    desk.edit("us-east-1/feature-flags.yaml", "m7g.large", "m7g.xlarge")
    desk.commit("Larger still")
    desk.push("flags")
    assert desk.plan(7).green
    [said] = comments(hub, 7)
    assert "m7g.xlarge" in said

    desk.runner.production["MOMENTO_API_KEY_US"] = "sandbox-readonly"
    failed = desk.merge(7, "flags")
    assert failed.codes["Apply"] == 1, failed.log
    assert failed.codes["Comment"] == 0, failed.log
    [reviewed, said] = comments(hub, 7)
    assert "m7g.xlarge" in reviewed
    assert "### apply of 2 targets: 1 failed, 1 skipped\n" in said
    assert not any(answer.endswith((" 200", " 204")) for answer in service.writes())
    assert hub.recorded()["us-east-1"]["feature-flags"] == first

    desk.runner.production["MOMENTO_API_KEY_US"] = "sandbox-admin"
    desk.open("limits")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("More shards for the limits")
    desk.push("limits")
    assert desk.plan(8).green
    [said] = comments(hub, 8)
    assert "catalog-search" in said
    applied = desk.merge(8, "limits")
    assert applied.green, applied.log
    assert service.writes() == [
        "DELETE /accounts/us-east-1/cluster/catalog-search 204",
        "PUT /accounts/eu-west-1/cluster/rate-limits 200",
        "PUT /accounts/us-east-1/cluster/feature-flags 200",
    ]
    [_, said] = comments(hub, 8)
    assert "### apply of 2 targets: 3 applied\n" in said
    assert hub.recorded()["eu-west-1"]["rate-limits"] == git(desk.folder, "rev-parse", "main")
    assert "catalog-search" not in hub.recorded()["us-east-1"]

    assert desk.by_hand("drift").green
    assert hub.issues == []
    service.change("us-east-1", "sessions", node_instance_type="m7g.2xlarge")
    for _ in range(2):
        drift = desk.by_hand("drift")
        assert (drift.green, drift.outputs["exit-code"]) == (True, "2"), drift.log
    [issue] = hub.issues
    assert issue["state"] == "open"
    assert "m7g.2xlarge" in issue["body"]

    again = desk.by_hand("apply")
    assert again.green, again.log
    assert service.writes() == ["PUT /accounts/us-east-1/cluster/sessions 200"]
    assert desk.by_hand("drift").green
    assert [issue["state"] for issue in hub.issues] == ["closed"]
    assert {number: len(comments(hub, number)) for number in (7, 8)} == {7: 2, 8: 2}
    assert hub.refused == []


@pytest.mark.slow
def test_what_nobody_reviewed_is_done_only_where_it_is_harmless(desk: Desk, hub: Hub, service: Service) -> None:
    """More came in between: what risks nothing goes on, and is said; drift is left; a delete refuses all, until asked for."""
    desk.open("small")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("More shards")
    assert desk.plan(9).green
    git(desk.folder, "checkout", "--quiet", "main")
    desk.edit("us-east-1/feature-flags.yaml", "Evaluated flags", "All flags")
    desk.commit("Nobody looked at this")
    service.change("us-east-1", "sessions", node_instance_type="m7g.2xlarge")
    harmless = desk.merge(9, "small")
    assert harmless.green, harmless.log
    assert "target us-east-1: not reviewed, and harmless: update feature-flags\n" in harmless.logs["Apply"]
    assert "target eu-west-1: not reviewed" not in harmless.logs["Apply"]
    assert [write.split("/")[-1] for write in service.writes()] == ["rate-limits 200", "feature-flags 200"]
    assert service.live("us-east-1")["sessions"]["node_instance_type"] == "m7g.2xlarge"
    [_, said] = comments(hub, 9)
    assert "sessions" in said

    desk.open("other")
    desk.edit("eu-west-1/web.yaml", "shard_count: 4", "shard_count: 5")
    desk.commit("More shards still")
    assert desk.plan(10).green
    git(desk.folder, "checkout", "--quiet", "main")
    catalog = desk.folder / "manifests/us-east-1/catalog.yaml"
    catalog.write_text(catalog.read_text().partition("---\n")[0])
    desk.commit("Nobody looked at this either")
    refused = desk.merge(10, "other")
    assert (refused.codes["Apply"], refused.outputs["superseded"]) == (4, "false"), refused.log
    assert service.writes() == []
    [reviewed, said] = comments(hub, 10)
    assert "### Nothing was applied\n" in said
    assert "not reviewed: delete catalog-search" in said
    assert "merge, and the workflow applies it" not in said

    looked = desk.by_hand("apply", dry_run="true")
    assert (looked.green, service.writes(), comments(hub, 10)) == (True, [], [reviewed, said]), looked.log
    digests = [target["digest"] for target in looked.document["targets"]]
    other = desk.by_hand("apply", expect=digests[0])
    assert (other.codes["Apply"], service.writes()) == (4, []), other.log
    by_hand = desk.by_hand("apply", expect=" ".join(digests))
    assert by_hand.green, by_hand.log
    assert "DELETE /accounts/us-east-1/cluster/catalog-search 204" in service.writes()
    assert comments(hub, 10)[:2] == [reviewed, said]
    [_, applied] = comments(hub, 10)[2:]
    assert "applied" in applied


@pytest.mark.slow
def test_what_is_applied_late_was_reviewed_in_its_own_pull_request(desk: Desk, hub: Hub, service: Service) -> None:
    """A delete whose apply failed, one whose run newer merges took over, and a queue of two: each in its own plan.

    The queue's check plans what it is about to merge, comments nowhere, and needs no review of its own. The old runs,
    one that failed and one that never was, send nothing when they are started afterwards.
    """
    desk.open("no-flags")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("No flags")
    assert desk.plan(20).green
    for number, branch, file, shards in (
        (21, "sessions", "us-east-1/sessions.yaml", 4),
        (22, "web", "eu-west-1/web.yaml", 3),
    ):
        desk.open(branch)
        desk.edit(file, f"shard_count: {shards}", f"shard_count: {shards + 1}")
        desk.commit(f"More shards for {branch}")
        assert desk.plan(number).green
    service.writes()
    desk.runner.production["MOMENTO_API_KEY_US"] = "sandbox-readonly"
    first = desk.merged(20, "no-flags")
    failed = desk.runner.run("apply", first)
    assert (failed.green, [w for w in service.writes() if not w.endswith("403")]) == (False, []), failed.log
    desk.runner.production["MOMENTO_API_KEY_US"] = "sandbox-admin"
    base = git(desk.folder, "rev-parse", "main")
    second = desk.merged(21, "sessions")
    for number in range(12):
        desk.edit("us-east-1/sessions.yaml", "name: sessions", f"# {number}\nname: sessions")
        desk.commit("Nothing to apply")
    newest = desk.merged(22, "web")
    group = {"merge_group": {"base_sha": base, "head_sha": newest.sha}, "repository": OURS}
    queue = "refs/heads/gh-readonly-queue/main/pr-22"
    git(desk.folder, "push", "--quiet", "origin", f"main:{queue}")
    document = read(ROOT / ".github/workflows/plan.yml")
    document["jobs"]["plan"]["steps"][0]["with"]["fetch-depth"] = "0"
    queued = desk.runner.run("plan", Event("merge_group", queue, newest.sha, group), document)
    assert (queued.green, queued.name, queued.inputs["offline"]) == (True, "plan", "false"), queued.log
    assert "no comment: this run is about no pull request" in queued.logs["Comment"]
    applied = desk.runner.run("apply", newest)
    assert applied.green, applied.log
    assert service.writes() == [
        "DELETE /accounts/us-east-1/cluster/feature-flags 204",
        "PUT /accounts/eu-west-1/cluster/rate-limits 200",
        "PUT /accounts/us-east-1/cluster/sessions 200",
    ]
    told = [comments(hub, number) for number in (20, 21, 22)]
    assert "3 applied" in told[2][1]
    for old in (first, second, first):
        again = desk.runner.run("apply", old)
        assert (again.green, again.outputs["superseded"], service.writes()) == (True, "true", []), again.log
    assert [comments(hub, number) for number in (20, 21, 22)] == told


@pytest.mark.slow
def test_an_old_run_sends_nothing_and_is_green(desk: Desk, hub: Hub, service: Service) -> None:
    """Before the newer run and after it, by the push and by hand: it is superseded, and leaves what was said as it is."""
    desk.open("first")
    desk.edit("us-east-1/feature-flags.yaml", "t4g.medium", "m7g.large")
    desk.commit("Larger nodes for the flags")
    assert desk.plan(15).green
    first = desk.merged(15, "first")
    desk.open("second")
    flags = desk.folder / "manifests/us-east-1/flags-by-team.yaml"
    flags.write_text((desk.folder / "manifests/us-east-1/feature-flags.yaml").read_text().replace("feature-", "team-"))
    desk.commit("Flags of teams")
    assert desk.plan(16).green
    second = desk.merged(16, "second")
    said = comments(hub, 15)

    late = desk.runner.run("apply", first)
    assert (late.green, late.outputs["superseded"], late.outputs["exit-code"]) == (True, "true", "4"), late.log
    assert "::notice title=superseded::" in late.logs["Apply"]
    assert "is behind main, which is at" in late.logs["Apply"]
    assert desk.by_hand("apply").green
    assert len(service.writes()) == 2
    again = replace(first, name="workflow_dispatch", payload={"inputs": {"prune": "owned"}, "repository": OURS})
    for old in (first, again):
        run = desk.runner.run("apply", old)
        assert (run.green, run.outputs["superseded"], run.codes["Comment"]) == (True, "true", None), run.log
    newest = desk.runner.run("apply", second)
    assert (newest.green, newest.outputs["superseded"]) == (True, "false"), newest.log
    assert service.writes() == []
    assert comments(hub, 15) == said


@pytest.mark.slow
def test_the_record_goes_where_apply_may_write_and_nowhere_else(desk: Desk, hub: Hub, service: Service) -> None:
    """Plan and drift only fetch it: their token may not push. An apply that may not either sends nothing, and says why."""
    desk.open("more")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("More shards")
    before = hub.recorded()
    assert desk.plan(17).green
    assert desk.by_hand("drift").green
    assert (hub.recorded(), hub.refused) == (before, [])
    document = read(ROOT / ".github/workflows/apply.yml")
    document["jobs"]["apply"]["permissions"]["contents"] = "read"
    denied = desk.runner.run("apply", desk.merged(17, "more"), document)
    assert (denied.codes["Apply"], service.writes(), hub.recorded()) == (1, [], before), denied.log
    assert "in a workflow, `permissions: contents: write`" in denied.logs["Apply"]
    assert {line.split()[0] for line in hub.refused} == {"403"}


@pytest.mark.slow
def test_a_folder_that_was_emptied_is_not_missed_where_history_is_cut(desk: Desk) -> None:
    """Git keeps no empty folder: a plan of two commits takes one that base names for empty, and no other."""
    (desk.folder / "manifests/eu-west-1/web.yaml").unlink()
    desk.commit("Nothing in Europe")
    desk.edit("us-east-1/feature-flags.yaml", "Evaluated flags", "All flags")
    desk.commit("Something else")
    desk.push("main")
    desk.open("again")
    desk.edit("us-east-1/feature-flags.yaml", "All flags", "Flags")
    desk.commit("Something else again")
    plan = desk.plan(19)
    assert plan.document["errors"] == [], plan.log
    assert {target["target"] for target in plan.document["targets"]} == set(TARGETS)
    desk.edit("fleet.yaml", "  eu-west-1:\n", "  eu-west-1:\n    manifests: eu-wset-1\n")
    desk.commit("A slip")
    assert "there is no folder manifests/eu-wset-1" in desk.plan(19).logs["Plan"]


@pytest.mark.slow
def test_a_push_of_many_commits_is_one_change(desk: Desk, service: Service) -> None:
    """A merge by rebase: base is what was there before the push, however far back."""
    before = git(desk.folder, "rev-parse", "main")
    for shards in (4, 5, 6):
        desk.edit("eu-west-1/web.yaml", f"shard_count: {shards - 1}", f"shard_count: {shards}")
        desk.commit(f"{shards} shards")
    desk.push("main")
    applied = desk.runner.run("apply", desk.pushed(before))
    assert applied.codes["Apply"] == 4, applied.log
    assert f"base {before[:10]} (before this push to main)" in applied.logs["Apply"]
    assert "shard_count: 3 → 6" in applied.logs["Apply"]
    assert service.writes() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"command": "destroy"}, "command is plan, apply, drift, targets or comment"),
        ({"unreviewed": "all"}, "unreviewed is harmless, refuse or apply"),
        ({"dry-run": "True"}, "dry-run, offline, sandbox and comment are true or false"),
        ({"key": ""}, "key is a name, and not empty"),
    ],
)
def test_an_input_that_is_not_known_is_an_error(desk: Desk, service: Service, wrong: dict[str, str], said: str) -> None:
    """Nothing is taken for something else, nothing is reached, and there is an exit code to go by."""
    service.answers.clear()
    document = read(ROOT / ".github/workflows/apply.yml")
    document["jobs"]["apply"]["steps"][1]["with"] |= wrong
    run = desk.runner.run("apply", desk.pushed("0" * 40), document)
    assert (run.green, run.outputs["exit-code"], service.answers) == (False, "1", []), run.log
    assert f"::error title=reconciler::{said}\n" in run.log


@pytest.mark.slow
def test_a_key_is_any_text(desk: Desk, hub: Hub, service: Service) -> None:
    """A target's name with a slash, as a matrix may have it: the plan is kept and found under it."""
    workflows = {name: read(ROOT / f".github/workflows/{name}.yml") for name in ("plan", "apply")}
    for name, document in workflows.items():
        document["jobs"][name]["steps"][1]["with"]["key"] = "us/east: 1"
    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("No flags")
    assert desk.runner.run("plan", desk.proposed(18), workflows["plan"]).green
    assert hub.artifacts[-1]["name"].startswith("plan-us%2Feast%3A%201-")
    applied = desk.runner.run("apply", desk.merged(18, "less"), workflows["apply"])
    assert applied.green, applied.log
    assert service.writes() == ["DELETE /accounts/us-east-1/cluster/feature-flags 204"]


@pytest.mark.slow
def test_a_checkout_may_have_a_path(desk: Desk, hub: Hub, service: Service) -> None:
    """With the same path before the manifests': record, base, reviewed plan and annotations are that repository's."""
    workflows = {name: read(ROOT / f".github/workflows/{name}.yml") for name in ("plan", "apply")}
    for name, document in workflows.items():
        document["jobs"][name]["steps"][0]["with"]["path"] = "fleet"
        document["jobs"][name]["steps"][1]["with"]["manifests"] = "fleet/manifests"
    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("No flags")
    planned = desk.runner.run("plan", desk.proposed(23), workflows["plan"])
    assert planned.green, planned.log
    assert "::warning file=manifests/us-east-1/feature-flags.yaml,line=" in planned.logs["Plan"]
    [said] = comments(hub, 23)
    assert f"/blob/{planned.document['targets'][0]['revision']}/manifests/" in said
    assert "/fleet/manifests" not in said.replace(f"{REPOSITORY}/", "")
    applied = desk.runner.run("apply", desk.merged(23, "less"), workflows["apply"])
    assert applied.green, applied.log
    assert service.writes() == [
        "DELETE /accounts/us-east-1/cluster/feature-flags 204",
        "PUT /accounts/eu-west-1/cluster/rate-limits 200",
    ]


@pytest.mark.slow
def test_consent_is_given_by_hand(desk: Desk, hub: Hub, service: Service) -> None:
    """A guard refuses the plan and the apply; with it named, and only then, the change goes through."""
    desk.edit("fleet.yaml", "targets:", "guards:\n  max_deletes: 0\ntargets:")
    desk.commit("Deletes need consent")
    desk.push("main")
    assert desk.by_hand("apply").green
    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("No flags")
    plan = desk.plan(11)
    assert (plan.codes["Plan"], plan.codes["Keep the plan"], plan.codes["Comment"]) == (3, 0, 0), plan.log
    service.writes()
    refused = desk.merge(11, "less")
    assert (refused.codes["Apply"], service.writes()) == (3, []), refused.log
    reviewed, said = comments(hub, 11)
    assert "max-deletes" in said
    none = desk.by_hand("apply", prune="none", allow="max-deletes")
    assert (none.green, service.writes()) == (True, []), none.log
    allowed = desk.by_hand("apply", allow="max-deletes max-delete-fraction")
    assert allowed.green, allowed.log
    assert service.writes() == ["DELETE /accounts/us-east-1/cluster/feature-flags 204"]
    assert comments(hub, 11)[:2] == [reviewed, said]
    [applied] = comments(hub, 11)[2:]
    assert "applied" in applied


@pytest.mark.slow
def test_a_pull_request_without_a_key_gets_a_plan_of_git_alone(desk: Desk, hub: Hub, service: Service) -> None:
    """A fork's, and a robot's: under another name than the check that is required, with no comment and nothing kept."""
    desk.open("fork")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("More shards")
    service.answers.clear()
    kept = len(hub.artifacts)
    for how in ({"fork": True}, {"author": "dependabot[bot]"}):
        plan = desk.plan(12, **how)
        assert (plan.green, plan.name) == (True, "plan without a key"), plan.log
        assert "were not read: this compares base with head" in plan.logs["Plan"]
        assert plan.codes["Comment"] is plan.codes["Keep the plan"] is None
    assert (service.answers, comments(hub, 12), len(hub.artifacts)) == ([], [], kept)


@pytest.mark.slow
def test_a_key_that_is_missing_is_an_error(desk: Desk, service: Service) -> None:
    """Where one target's is there, the other's must be: nothing falls back to the sandbox."""
    desk.runner.secrets["MOMENTO_API_KEY_EU"] = desk.runner.production["MOMENTO_API_KEY_EU"] = ""
    desk.open("x")
    desk.edit("us-east-1/feature-flags.yaml", "t4g.medium", "m7g.large")
    desk.commit("x")
    for run, step in ((desk.plan(13), "Plan"), (desk.by_hand("drift"), "Drift"), (desk.by_hand("apply"), "Apply")):
        assert run.codes[step] == 1, run.log
        assert "MOMENTO_API_KEY_EU is not set" in run.logs[step]
        assert run.outputs["exit-code"] == "1"
    assert service.writes() == []


@pytest.mark.slow
def test_the_sandbox_stands_in_for_no_key_that_was_there(desk: Desk, hub: Hub) -> None:
    """All keys are gone from a repository that has applied clusters: red, and nothing is told of a sandbox's."""
    desk.runner.secrets.clear()
    desk.runner.production.clear()
    desk.open("x")
    desk.edit("us-east-1/feature-flags.yaml", "t4g.medium", "m7g.large")
    desk.commit("x")
    for run in (desk.plan(13), desk.by_hand("drift"), desk.by_hand("apply")):
        assert (run.codes["Say that this is the sandbox"], run.outputs["exit-code"]) == (1, "1"), run.log
        assert "a key is missing" in run.log
    assert (comments(hub, 13), hub.issues) == ([], [])


@pytest.mark.slow
def test_a_plan_of_a_fork_is_not_a_reviewed_one(desk: Desk, hub: Hub, service: Service) -> None:
    """Named for the same commit or not: what its run says of itself doesn't count, and an expired one neither."""
    desk.open("y")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("y")
    assert desk.plan(14).green
    own = hub.artifacts[-1]
    hub.artifacts.append({**own, "id": 900, "workflow_run": {**own["workflow_run"], "head_repository_id": 2}})
    hub.artifacts.append({**own, "id": 600, "workflow_run": None})
    hub.artifacts.append({**own, "id": 800, "workflow_run": {**own["workflow_run"], "head_sha": "0" * 40}})
    own["expired"] = True
    refused = desk.merge(14, "y")
    assert (refused.codes["Apply"], service.writes()) == (4, []), refused.log


def test_a_forge_that_cannot_tell_has_reviewed_nothing(hub: Hub, tmp_path: Path) -> None:
    """A warning, no output, and the step goes on; a redirect is not followed, with the token least of all."""
    environment = {
        **ALONE,
        "GITHUB_API_URL": f"{hub.url}/elsewhere",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SHA": "HEAD",
        "GITHUB_TOKEN": INSTALLATION,
        "KEY": "default",
        "ENCODED_KEY": "default",
        "FOLDER": str(tmp_path / "reviewed"),
    }
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=x")
    for refusal in (Refusal(302, headers={"Location": f"{hub.url}/repos/{REPOSITORY}/issues"}), Refusal(503)):
        hub.troubles.append(("GET", refusal))
        ended = subprocess.run(
            [sys.executable, str(ROOT / ".github/reviewed.py")],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (ended.stdout, ended.stderr.startswith("::warning title=reviewed plan::")) == ("", True)
    assert len(hub.asked) == 2


@pytest.mark.slow
def test_a_fresh_fork_of_this_repository_is_green(bare: Desk, hub: Hub) -> None:
    """No key at all: plan, apply and drift run on the sandbox, and say so; no issue, and nothing that was applied."""
    applied = bare.start()
    bare.open("z")
    bare.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    bare.commit("z")
    plan, drift = bare.plan(1), bare.by_hand("drift")
    for run in (applied, plan, drift):
        assert run.green, run.log
        assert "::notice title=sandbox::" in run.logs["Say that this is the sandbox"]
        assert run.inputs["sandbox"] == "true"
    assert (hub.issues, hub.recorded(), len(comments(hub, 1))) == ([], {}, 1)
    assert drift.codes["Issue"] is None


@pytest.mark.slow
def test_the_ten_lines_of_the_docs_do(bare: Desk, hub: Hub, service: Service) -> None:
    """Another repository, with one key: plan, apply and drift as the documentation gives them.

    Not even a checkout that leaves its credentials behind gets in their way.
    """
    bare.runner.persists = True
    shutil.rmtree(bare.folder / "manifests")
    (bare.folder / "manifests").mkdir()
    where = "targets: {fleet: {region: us-east-1, manifests: .}}\n"
    assert where in (ROOT / "docs/github.md").read_text()
    endpoint = f"endpoint: '{service.url}/accounts/us-east-1'"
    (bare.folder / "manifests/fleet.yaml").write_text(where.replace("region: us-east-1", endpoint))
    shutil.copy(ROOT / "manifests/us-east-1/sessions.yaml", bare.folder / "manifests")
    bare.runner.secrets["MOMENTO_API_KEY"] = "sandbox-readonly"
    bare.commit("The fleet")
    bare.push("main")
    pushed = bare.pushed("0" * 40)
    unset = bare.runner.run("apply", pushed, documented()["apply"])
    assert unset.codes["Apply"] == 1, unset.log
    bare.runner.production["MOMENTO_API_KEY"] = "sandbox-admin"
    assert bare.runner.run("apply", pushed, documented()["apply"]).green
    assert "PUT /accounts/us-east-1/cluster/sessions 200" in service.writes()
    bare.open("more")
    bare.edit("sessions.yaml", "shard_count: 4", "shard_count: 5")
    bare.commit("More shards")
    planned = bare.runner.run("plan", bare.proposed(1), documented()["plan"])
    assert planned.green, planned.log
    applied = bare.runner.run("apply", bare.merged(1, "more"), documented()["apply"])
    assert applied.green, applied.log
    reviewed, said = comments(hub, 1)
    assert "1 applied" in said
    given = {"prune": "none", "allow": "", "adopt": "", "replace": "", "expect": "", "dry_run": "true"}
    tip = git(bare.folder, "rev-parse", "main")
    by_hand = Event("workflow_dispatch", "refs/heads/main", tip, {"inputs": given, "repository": OURS})
    looked = bare.runner.run("apply", by_hand, documented()["apply"])
    assert (looked.green, looked.document["kind"], comments(hub, 1)) == (True, "plan", [reviewed, said]), looked.log
    drift = bare.runner.run("drift", bare.pushed("0" * 40), documented()["drift"])
    assert (drift.green, drift.outputs["exit-code"], hub.issues) == (True, "0", []), drift.log
    assert hub.refused == []


@pytest.mark.slow
def test_a_job_for_each_target_and_one_comment(desk: Desk, hub: Hub) -> None:
    """As the documentation gives it: the plans of all, whatever becomes of one; each is kept under its target's name."""
    for suffix in ("_US", "_EU"):
        desk.edit("fleet.yaml", f"MOMENTO_API_KEY{suffix}", "MOMENTO_API_KEY")
    desk.runner.secrets["MOMENTO_API_KEY"] = "sandbox-readonly"
    workflow = documented()["targets"]
    desk.open("more")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.edit("us-east-1/sessions.yaml", "shard_count: 4", "shard_count: 5")
    desk.commit("More shards")
    ended = desk.runner.run_jobs(desk.proposed(30), workflow)
    ran = [run for runs in ended.values() for run in runs]
    assert all(run.green for run in ran), [run.log for run in ran]
    assert [run.document["targets"][0]["target"] for run in ended["plan"]] == list(TARGETS)
    assert {one["name"].rpartition("-")[0] for one in hub.artifacts[-2:]} == {f"plan-{target}" for target in TARGETS}
    [said] = comments(hub, 30)
    assert "2 to update" in said
    assert all(name in said for name in (*TARGETS, "sessions", "rate-limits"))

    desk.edit("us-east-1/sessions.yaml", "shard_count: 5", "shard_count: 0")
    desk.commit("No shards")
    ended = desk.runner.run_jobs(desk.proposed(30), workflow)
    assert [run.green for run in ended["plan"]] == [False, False]
    [said] = comments(hub, 30)
    assert "shard_count" in said
    assert "2 to update" not in said


@pytest.mark.slow
def test_an_apply_for_each_target(desk: Desk, hub: Hub, service: Service) -> None:
    """The documented apply, cut as its plan: each finds its own target's reviewed plan, and what it did is told apart."""
    for suffix in ("_US", "_EU"):
        desk.edit("fleet.yaml", f"MOMENTO_API_KEY{suffix}", "MOMENTO_API_KEY")
    desk.runner.secrets["MOMENTO_API_KEY"] = "sandbox-readonly"
    desk.runner.production["MOMENTO_API_KEY"] = "sandbox-admin"
    plans, cut = documented()["targets"], documented()["apply"]
    own = cut["jobs"]["apply"]["steps"][1]
    own["with"]["key"] = own["env"]["RECONCILER_TARGET"] = "${{ matrix.target }}"
    cut["jobs"]["apply"] |= {"needs": "targets", "strategy": plans["jobs"]["plan"]["strategy"]}
    cut["jobs"] = {"targets": plans["jobs"]["targets"], **cut["jobs"]}
    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("No flags")
    assert all(run.green for runs in desk.runner.run_jobs(desk.proposed(31), plans).values() for run in runs)
    ended = desk.runner.run_jobs(desk.merged(31, "less"), cut)
    assert [run.green for run in ended["apply"]] == [True, True], [run.log for run in ended["apply"]]
    assert service.writes() == [
        "DELETE /accounts/us-east-1/cluster/feature-flags 204",
        "PUT /accounts/eu-west-1/cluster/rate-limits 200",
    ]
    _, *said = comments(hub, 31)
    assert ["1 applied" in one for one in said] == [True, True]


@pytest.mark.slow
def test_only_main_is_applied(desk: Desk) -> None:
    """By hand on a branch: the job is passed over; the environment wouldn't give it the key either."""
    event = Event("workflow_dispatch", "refs/heads/x", git(desk.folder, "rev-parse", "main"), {"inputs": {}})
    assert desk.runner.run("apply", event).codes == {}


@pytest.mark.slow
def test_a_release_is_built_from_its_tag(tmp_path: Path) -> None:
    """The tag is the version, or nothing is built; there are the wheel, the source, and a list of all that is locked."""
    for name in ("reconciler", "tests", "manifests", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "requirements.txt",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    found = steps()
    path = f"{Path(sys.executable).parent}:{ALONE['PATH']}"

    def run(step: str, tag: str) -> int:
        script = found[f"release.build: {step}"]["run"]
        environment = {**ALONE, "PATH": path, "GITHUB_REF_NAME": tag, "HOME": str(tmp_path)}
        return subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=False).returncode

    assert run("Refuse a tag that is not the version", "v9.9.9") == 1
    assert run("Refuse a tag that is not the version", "v0.1.0") == 0
    assert run("Build", "v0.1.0") == 0
    assert sorted(file.suffix for file in (tmp_path / "dist").iterdir()) == [".gz", ".whl"]
    assert run("List what it needs", "v0.1.0") == 0
    listed = json.loads((tmp_path / "sbom/momento-reconciler.cdx.json").read_text())
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert {(one["name"], one["version"]) for one in listed["components"]} == set(locked)
    assert listed["metadata"]["component"]["name"] == "momento-reconciler"
    assert listed["bomFormat"] == "CycloneDX"
    assert {"serialNumber", "specVersion"} <= set(listed)  # what actions/attest looks for
    assert found["release.attest: Attest what it needs"]["with"]["sbom-path"] == "sbom/momento-reconciler.cdx.json"
    hashed = "--require-hashes -r requirements-release.txt"
    assert hashed in found["release.build: Install what builds it"]["run"]
