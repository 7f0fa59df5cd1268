"""A plan is data: saved, shown, reviewed, and applied as it was, or not at all."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.conftest import Checkout, Service, manifest


@pytest.fixture
def planned(checkout: Checkout) -> tuple[Checkout, Service]:
    """A saved plan that creates `new`, updates `grown` and `moved`, and deletes `old`; five stay as they are."""
    service = checkout.service()
    stay = tuple(f"stays-{number}" for number in range(5))
    checkout.declare("grown", "moved", "old", *stay)
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    checkout.remove("old")
    checkout.declare("new")
    checkout.declare("grown", "moved", shard_count=2)
    checkout.commit()
    assert checkout.run("plan --prune --out plan.json").code == 0
    service.answers.clear()
    return checkout, service


@pytest.mark.slow
def test_a_saved_plan_is_shown_in_any_format_and_applied_as_it_was(checkout: Checkout) -> None:
    """`show` prints what `plan` printed; `apply PLAN` does it, reports to --out, and can be run again; it has no key."""
    service = checkout.service()
    checkout.declare("orders", "sessions")
    commit = checkout.commit()
    plan = checkout.run("plan --out plan.json")
    file = (checkout.folder / "plan.json").read_text()
    assert "sandbox-admin" not in file
    assert checkout.run("show plan.json").out == plan.out
    assert checkout.run("show plan.json --format json").out == file
    assert "### `default`: 2 to create\n" in checkout.run("show plan.json --format markdown").out
    assert checkout.run("apply plan.json").code == 64
    service.answers.clear()
    applied = checkout.run("apply plan.json -y --format json --out report.json")
    assert (applied.code, applied.outcomes) == (0, {"orders": "applied", "sessions": "applied"})
    assert (checkout.folder / "report.json").read_text() == applied.out
    assert service.writes() == ["PUT /cluster/orders 200", "PUT /cluster/sessions 200"]
    assert {line["commit"] for line in checkout.recorded().values()} == {commit}
    service.answers.clear()
    again = checkout.run("apply plan.json -y --format json")
    assert (again.code, again.outcomes, service.answers) == (0, applied.outcomes, ["GET /cluster 200"])


@pytest.mark.slow
def test_only_the_clusters_that_moved_are_stale(planned: tuple[Checkout, Service]) -> None:
    """Each is held against what the plan was made on: the others are applied, but a delete waits for what is declared."""
    checkout, service = planned
    service.put("moved", shard_count=5)
    service.answers.clear()
    ended = checkout.run("apply plan.json --yes --format json")
    assert ended.code == 1
    assert ended.outcomes == {"grown": "applied", "moved": "stale", "new": "applied", "old": "skipped"}
    assert service.writes() == ["PUT /cluster/grown 200", "PUT /cluster/new 200"]
    assert set(checkout.recorded()) >= {"grown", "moved", "new"}


@pytest.mark.slow
def test_a_cluster_that_somebody_is_changing_is_waited_for_before_it_is_judged(checkout: Checkout) -> None:
    """What moved while the service was at work on it isn't overwritten."""
    service = checkout.service(settle_seconds=1)
    checkout.declare("orders")
    checkout.commit()
    assert checkout.run("plan --out plan.json").code == 0
    service.put("orders", shard_count=9)
    service.answers.clear()
    ended = checkout.run("apply plan.json --yes --format json")
    assert (ended.code, ended.outcomes, service.writes()) == (4, {"orders": "stale"}, [])


@pytest.mark.slow
def test_a_saved_plan_that_was_cut_short_by_a_kill_is_run_again(checkout: Checkout) -> None:
    """To the same end: what is done counts as applied, the rest is sent."""
    service = checkout.service()
    names = [f"c{number:02}" for number in range(30)]
    checkout.declare(*names)
    checkout.commit()
    assert checkout.run("plan --out plan.json").code == 0
    process = checkout.start("apply plan.json --yes --concurrency 1 --log-format json")
    assert process.stderr is not None
    next(line for line in process.stderr if '"change.accepted"' in line)
    process.kill()
    process.communicate()
    assert 0 < len(service.writes()) < len(names)
    service.answers.clear()
    again = checkout.run("apply plan.json --yes --format json")
    assert (again.code, again.outcomes) == (0, dict.fromkeys(names, "applied"))
    assert 0 < len(service.writes()) < len(names)


ALTERED: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda d: d["targets"][0]["changes"][0]["requests"][0]["body"].update(shard_count=99), "was altered"),
    (lambda d: d.update(format_version=2), "this is not a plan of format 1, but of 2"),
    (lambda d: d.update(targets=[]), "the plan is not whole"),
]


@pytest.mark.slow
def test_a_plan_that_is_not_as_it_was_written_is_refused_whole(planned: tuple[Checkout, Service]) -> None:
    """Altered, of another version, emptied, cut off: exit 1, and no request at all."""
    checkout, service = planned
    text = (checkout.folder / "plan.json").read_text()
    (checkout.folder / "half.json").write_text(text[:500])
    half = checkout.run("apply half.json --yes")
    assert (half.code, half.out, "the plan is damaged: it can't be read" in half.err) == (1, "", True)
    for change, said in ALTERED:
        document = json.loads(text)
        change(document)
        (checkout.folder / "altered.json").write_text(json.dumps(document))
        ended = checkout.run("apply altered.json --yes")
        assert (ended.code, ended.out, service.answers) == (1, "", [])
        assert said in ended.err
        assert "reconciler plan --out FILE" in ended.err


@pytest.mark.slow
def test_a_plan_for_something_else_is_refused_whole(planned: tuple[Checkout, Service]) -> None:
    """For another endpoint, of other manifests: exit 4, and no write; what it was made with can't be given again."""
    checkout, service = planned
    for option in ("--prune", "--only=new"):
        usage = checkout.run(f"apply plan.json --yes {option}")
        assert (usage.code, "doesn't go with a saved plan" in usage.err) == (64, True)
    assert service.answers == []
    elsewhere = checkout.run(f"apply plan.json --yes --endpoint {service.url}/accounts/other")
    assert (elsewhere.code, "the plan is for" in elsewhere.err) == (4, True)
    checkout.declare("new", shard_count=3)
    other = checkout.run("apply plan.json --yes")
    assert (other.code, "the manifests are not the plan's" in other.err) == (4, True)
    assert service.writes() == []


@pytest.mark.slow
def test_the_guards_are_checked_anew(checkout: Checkout) -> None:
    """A saved plan that a guard refuses is refused again; its base is the one that it was made with."""
    service = checkout.service()
    checkout.write("manifests/fleet.yaml", "targets: {t: {}}\nguards: {max_added_nodes: 1}\n")
    checkout.declare("orders", folder="manifests/t", shard_count=3)
    checkout.commit()
    (checkout.folder / "manifests/fleet.yaml").write_text("targets: {t: {}}\n")
    checkout.commit()
    plan = checkout.run("plan --out plan.json --base HEAD~1")
    assert (plan.code, (checkout.folder / "plan.json").exists()) == (3, True)
    refused = checkout.run("apply plan.json --yes --format json")
    assert (refused.code, refused.targets[0]["violations"][0]["guard"]) == (3, "max-added-nodes")
    allowed = checkout.run("plan --out plan.json --base HEAD~1 --allow max-added-nodes")
    assert (allowed.code, service.writes()) == (0, [])
    assert checkout.run("apply plan.json --yes --no-wait").code == 0
    assert service.writes() == ["PUT /cluster/orders 200"]


@pytest.mark.slow
def test_the_guards_look_at_what_still_stands_of_a_saved_plan(planned: tuple[Checkout, Service]) -> None:
    """What moved is stale, though a plan of now would be refused for it; a limit that was set since is kept."""
    checkout, service = planned
    (checkout.folder / "plan.json").rename(checkout.folder / "kept.json")
    service.put("new", shard_count=9)
    service.put("moved", *(f"stays-{number}" for number in range(5)), node_instance_type="m6g.large")
    checkout.write("manifests/fleet.yaml", "targets: {default: {manifests: .}}\nguards: {max_deletes: 0}\n")
    refused = checkout.run("apply kept.json --yes")
    assert (refused.code, service.writes()) == (3, [])
    assert [line.split(":")[0].strip() for line in refused.out.splitlines() if "refused by" in line] == [
        "refused by max-deletes"
    ]
    (checkout.folder / "manifests/fleet.yaml").unlink()
    ended = checkout.run("apply kept.json --yes --no-wait --format json")
    assert ended.outcomes == {"grown": "applied", "moved": "stale", "new": "stale", "old": "skipped"}
    assert ended.code == 1


@pytest.mark.slow
def test_what_is_expected_is_what_is_applied(planned: tuple[Checkout, Service]) -> None:
    """By the plan's digest, or by changes that all stand in a plan; else exit 4, and nothing is sent."""
    checkout, service = planned
    digest = json.loads((checkout.folder / "plan.json").read_text())["targets"][0]["digest"]
    checkout.declare("one-more")
    checkout.commit()
    for expected in (digest, "plan.json"):
        refused = checkout.run(f"apply --yes --prune --expect {expected}")
        assert (refused.code, "not reviewed: " in refused.err) == (4, True)
    assert checkout.run("apply --yes --prune --expect nowhere.json").code == 64
    assert service.writes() == []
    checkout.remove("one-more")
    checkout.commit()
    assert checkout.run(f"apply --dry-run --prune --expect {digest}").code == 0
    service.put("new")
    fewer = checkout.run("apply --yes --prune --expect plan.json")
    assert (fewer.code, len(service.writes())) == (0, 3)


@pytest.mark.slow
def test_an_out_that_cannot_be_written_is_found_before_anything_is_sent(checkout: Checkout) -> None:
    """The report is never lost for it."""
    service = checkout.service()
    checkout.write("manifests/orders.yaml", manifest("orders"))
    ended = checkout.run("apply --yes --out nowhere/report.json")
    assert (ended.code, service.answers) == (64, [])
