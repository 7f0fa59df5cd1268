"""The workflows on Gitea and Forgejo: no artifacts of this version, one kind of secret, no merge for a try.

What differs there is as Gitea's source has it (routers/private, services/convert, services/actions): a job's token may
push, a fork's may not; from 1.26 on, `permissions` says so; a merged pull request's head is what its branch is by now.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.files import ROOT, documented, read
from tests.workflows.hub import Hub, git
from tests.workflows.runner import Event, Run, Runner
from tests.workflows.service import TARGETS, WRITE, Service
from tests.workflows.test_workflows import Desk, comments

KEEP = "Keep the plan in a ref"
FLAGS_GONE = "DELETE /accounts/us-east-1/cluster/feature-flags 204"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A Gitea that is reached over HTTP."""
    (tmp_path / "origin").mkdir()
    with Hub(tmp_path / "origin", gitea=True).open() as opened:
        yield opened


@pytest.fixture
def desk(tmp_path: Path, hub: Hub, service: Service) -> Desk:
    """A repository with its keys, whose targets are at the service; applied, once."""
    desk = Desk(tmp_path / "desk", hub, Runner(tmp_path / "runs", hub, WRITE, {}))
    for target in TARGETS:
        desk.edit("fleet.yaml", f"region: {target}", f"endpoint: {service.url}/accounts/{target}")
    started = desk.start()
    assert started.green, started.log
    service.writes()
    return desk


def plan(desk: Desk, event: Event, document: dict[str, Any] | None = None) -> Run:
    """Run the plan, with all history: base isn't the first parent of anything here."""
    document = document or read(ROOT / ".github/workflows/plan.yml")
    [job] = document["jobs"].values()
    job["steps"][0]["with"]["fetch-depth"] = "0"
    return desk.runner.run("plan", event, document)


def kept(hub: Hub) -> list[str]:
    """The commit of each plan that is kept."""
    return [
        ref.split("/")[3]
        for ref in git(hub.origin, "for-each-ref", "--format=%(refname)", "refs/reconciler/plan").split()
    ]


def without_flags(desk: Desk) -> str:
    """A branch whose merge deletes a cluster; its commit."""
    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    return desk.commit("No flags")


@pytest.mark.slow
def test_what_was_reviewed_is_applied(desk: Desk, hub: Hub, service: Service) -> None:
    """A pull request that moved, planned twice, squashed, its branch pushed on: its last plan is found, drift is left.

    What is older than a month is gone by then, and what isn't ours is as it was.
    """
    first = without_flags(desk)
    old = f"refs/reconciler/plan/{first}/0123456789abcdef"
    for ref in (f"{old}/1700000000", f"{old}/mine"):
        git(desk.folder, "push", "--quiet", "origin", f"{first}:{ref}")
    planned = plan(desk, desk.proposed(40))
    assert planned.green, planned.log
    assert (planned.codes["Keep the plan"], planned.codes[KEEP]) == (None, 0)
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    second = desk.commit("And more shards")
    for _ in range(2):
        assert plan(desk, desk.proposed(40)).green
    assert sorted(kept(hub)) == sorted([first, first, second])
    assert f"{old}/mine" in git(hub.origin, "for-each-ref", "--format=%(refname)")
    service.change("us-east-1", "sessions", node_instance_type="m7g.2xlarge")
    merged = desk.merged(40, "less")
    hub.pulls[merged.sha][0]["head"]["sha"] = "f" * 40
    applied = desk.runner.run("apply", merged)
    assert applied.green, applied.log
    assert service.writes() == [FLAGS_GONE, "PUT /accounts/eu-west-1/cluster/rate-limits 200"]
    assert service.live("us-east-1")["sessions"]["node_instance_type"] == "m7g.2xlarge"
    [_, said] = comments(hub, 40)
    assert "2 applied" in said
    assert "sessions" in said


@pytest.mark.slow
def test_what_no_plan_showed_is_refused(desk: Desk, service: Service) -> None:
    """A delete that came in beside the reviewed change: nothing is sent."""
    desk.open("more")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.commit("More shards")
    assert plan(desk, desk.proposed(41)).green
    git(desk.folder, "checkout", "--quiet", "main")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("Nobody looked at this")
    refused = desk.merge(41, "more")
    assert (refused.codes["Apply"], service.writes()) == (4, []), refused.log
    assert "not reviewed: delete feature-flags" in refused.log


@pytest.mark.slow
@pytest.mark.parametrize("who", ["a fork", "a job without permission"])
def test_a_plan_that_may_not_be_kept_does_not_count(desk: Desk, hub: Hub, service: Service, who: str) -> None:
    """The push is refused, which says what that means, and fails nothing; what risks nothing would be applied."""
    hub.heeds_permissions = who != "a fork"
    without_flags(desk)
    document = documented()["plan"] if who == "a fork" else None
    planned = plan(desk, desk.proposed(42, fork=who == "a fork"), document)
    assert (planned.codes["Plan"], planned.codes[KEEP]) == (1 if who == "a fork" else 0, 0), planned.log
    said = "::warning title=reviewed plan::this plan can't be kept: nothing of it will count as reviewed"
    assert said in planned.logs[KEEP]
    assert "`permissions: contents: write`" in planned.logs[KEEP]
    assert kept(hub) == []
    refused = desk.merge(42, "less")
    assert (refused.codes["Apply"], service.writes()) == (4, []), refused.log


@pytest.mark.slow
def test_a_job_for_each_target_and_one_comment(desk: Desk, hub: Hub) -> None:
    """Each keeps its own, side by side; the job that comments has no clone, and finds all of them."""
    for suffix in ("_US", "_EU"):
        desk.edit("fleet.yaml", f"MOMENTO_API_KEY{suffix}", "MOMENTO_API_KEY")
    desk.runner.secrets["MOMENTO_API_KEY"] = "sandbox-readonly"
    workflow = documented()["targets"]
    workflow["jobs"]["plan"]["steps"][0]["with"]["fetch-depth"] = "0"
    desk.open("more")
    desk.edit("eu-west-1/web.yaml", "shard_count: 3", "shard_count: 4")
    desk.edit("us-east-1/sessions.yaml", "shard_count: 4", "shard_count: 5")
    desk.commit("More shards")
    ended = desk.runner.run_jobs(desk.proposed(43), workflow)
    assert all(run.green for runs in ended.values() for run in runs), [r.log for runs in ended.values() for r in runs]
    [said] = comments(hub, 43)
    assert "2 to update" in said
    assert all(name in said for name in (*TARGETS, "sessions", "rate-limits"))
