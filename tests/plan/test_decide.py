"""What is done about each thing that differs: reverted or left, retried, replaced, deleted or left alone."""

from typing import Any

import pytest

from reconciler.model.cluster import LiveCluster
from reconciler.model.evidence import Evidence, Removal
from reconciler.plan.change import Create, Origin, Update
from reconciler.plan.decide import make_plan
from reconciler.plan.intent import NO_INTENT, Intent
from reconciler.plan.moves import Moves
from reconciler.plan.plan import Plan, RecordAt
from reconciler.problem import Place
from tests.fakes import declaration, head, live, manifest
from tests.plan.histories import digests, git, limited, line, only_change, plan_of, read, values

STRICT = limited(max_added_nodes=0, max_drift_fraction=1.0)
PRUNE_OWNED = Intent(prune="owned")


def shape(plan: Plan) -> list[tuple[object, ...]]:
    """Each change in short."""
    return [(c.action, c.name, c.cause, c.left, len(c.requests)) for c in plan.changes]


@pytest.mark.parametrize(
    ("status", "errors", "shards", "expected"),
    [
        ("Active", [], 3, ("update", None)),
        ("Active", ["Odd"], 3, ("update", None)),
        ("Active", ["Odd"], 2, ("update", None)),
        ("Creating", [], 3, ("update", "active")),
        ("Creating", [], 2, None),
        ("Rebalancing", [], 3, ("update", "active")),
        ("Rebalancing", ["Odd"], 2, None),
        ("UpdateFailed", [], 2, ("update", None)),
        ("Deleting", [], 2, ("create", "gone")),
        ("CreationFailed", [], 2, None),
        ("Creating", ["InstanceTypeNotAvailable"], 3, None),
    ],
)
def test_transitions_are_waited_for_failed_updates_sent_again_and_what_was_never_active_blocked(
    status: str, errors: list[str], shards: int, expected: tuple[str, str | None] | None
) -> None:
    """And all of it is said, with the service's words."""
    one = manifest(shard_count=shards)
    plan = plan_of(head(one), [live(status=status, errors=errors)], git(one, recorded=[one]))
    assert [(c.action, c.waits_for) for c in plan.changes] == ([expected] if expected else [])
    bad = bool(errors) or status.endswith("Failed")
    blocked = status == "CreationFailed" or (status == "Creating" and bool(errors))
    assert [(u.status, u.errors, u.blocked) for u in plan.unhealthy] == [(status, tuple(errors), blocked)] * bad
    assert [s.status for s in plan.settling] == [status] * (not expected and not blocked)


def test_a_field_stands_where_its_value_is_written() -> None:
    """In its manifest, at its line; a default in the fleet file, which is named."""
    one = declaration(manifest(shard_count=3, replication_factor=2))
    one = one._replace(places={**one.places, "replication_factor": Place("manifests/fleet.yaml", 9)})
    target = head()._replace(declarations={"orders": one})
    change = only_change(target, [live()], git(manifest(), recorded=[manifest()]))
    at = {field.path: (field.file, field.line) for field in change.fields}
    assert at == {"shard_count": (None, 4), "replication_factor": ("manifests/fleet.yaml", 9)}


def test_a_retry_sends_what_head_asks_for() -> None:
    """All that is managed, and the rest as it is live; it changes no field and risks nothing."""
    one = manifest(shard_count=2)
    change = only_change(head(one), [live(description="theirs", errors=["Odd"])], git(one, recorded=[one]))
    assert (change.fields, change.risks, len(change.requests)) == ((), (), 1)
    assert change.requests[0].body is not None
    assert change.requests[0].body["description"] == "theirs"


# ---- drift


def test_what_only_drifted_is_shown_and_left() -> None:
    """Nothing is sent, waited for or risked; no guard looks at it, and the nodes stay as they are."""
    fleet = [manifest(name, shard_count=9) for name in "abcd"]
    found, known = [*map(live, "ab"), live("c", status="Busy")], git(*fleet, recorded=fleet)
    plan = plan_of(head(*fleet, limits=STRICT, on_drift="report"), found, known)
    assert shape(plan) == [
        *(("update", name, "drift", "on-drift-report", 0) for name in "abc"),
        ("create", "d", "drift", "on-drift-report", 0),
    ]
    assert {(c.risks, c.waits_for) for c in plan.changes} == {((), None)}
    assert {f.left for c in plan.changes for f in c.fields} == {"on-drift-report"}
    assert (plan.violations, plan.sends, plan.nodes.before, plan.nodes.after) == ((), (), 12, 12)
    assert (plan.summary.left, plan.summary.update, plan.summary.create) == (4, 0, 0)
    reverted = plan_of(head(*fleet, limits=STRICT), found, known)
    assert len(reverted.sends) == 4
    assert [violation.guard for violation in reverted.violations] == ["max-added-nodes"]


@pytest.mark.parametrize(
    ("target", "manifests", "left"),
    [("revert", None, False), ("report", None, True), ("revert", "report", True), ("report", "revert", False)],
)
def test_a_manifest_says_before_its_target_what_is_done_about_drift(
    target: str, manifests: str | None, left: bool
) -> None:
    """Either way round."""
    one = manifest(shard_count=3, lifecycle={"on_drift": manifests})
    change = only_change(head(one, on_drift=target), [live()], git(one, recorded=[one]))
    assert change.left == ("on-drift-report" if left else None)


@pytest.mark.parametrize(
    ("drifted", "of", "intent", "left"),
    [
        (2, 4, NO_INTENT, False),
        (3, 4, NO_INTENT, True),
        (3, 4, Intent(allow=("max-drift-fraction",)), False),
        (3, 4, Intent(only=("c0",)), False),
        (3, 3, NO_INTENT, False),
    ],
)
def test_where_too_much_has_drifted_drift_is_left(drifted: int, of: int, intent: Intent, left: bool) -> None:
    """A list that lost most of the fleet looks just so; the fraction counts from four clusters on."""
    fleet = [manifest(f"c{i}", shard_count=3) for i in range(of)]
    found = [live(f"c{i}", shard_count=9) for i in range(1, drifted)] + [
        live(f"c{i}", shard_count=3) for i in range(drifted, of)
    ]
    plan = plan_of(head(*fleet, limits=limited(max_drift_fraction=0.5)), found, git(*fleet, recorded=fleet), intent)
    assert plan.changes
    assert {change.left for change in plan.changes} == {"max-drift-fraction" if left else None}


def test_what_is_on_its_way_out_makes_no_fleet_bigger() -> None:
    """Drift is held against what stays."""
    fleet = [manifest(name, shard_count=3) for name in "abcd"]
    found = [live(name) for name in "abc"] + [live(f"z{i}", status="Deleting") for i in range(9)]
    plan = plan_of(head(*fleet, limits=limited(max_drift_fraction=0.5)), found, git(*fleet, recorded=fleet))
    assert {change.left for change in plan.changes} == {"max-drift-fraction"}


def test_drift_that_nobody_has_seen_is_left() -> None:
    """What a reviewed plan shows is reverted, as long as it is the very same."""
    one = manifest(shard_count=3)
    reviewed = plan_of(head(one), [live()], git(one, recorded=[one]))
    for found, left in [(live(), None), (live(shard_count=9), "unreviewed"), (live(description="x"), "unreviewed")]:
        (change,) = plan_of(head(one), [found], git(one, recorded=[one]), reviewed=digests(reviewed)).changes
        assert change.left == left


def mixed(before: Any, now: Any, found: LiveCluster) -> Update:
    """The update of what was applied as `before`, is declared as `now`, and drifted, in a target that reports drift."""
    change = only_change(head(now, on_drift="report"), [found], git(before, recorded=[before]))
    assert isinstance(change, Update)
    return change


def test_what_this_change_means_to_do_goes_on_beside_drift_that_is_left() -> None:
    """What is left keeps its live value, and is no risk."""
    before = manifest(node_instance_type="old", shard_count=9, lifecycle={"ignore_changes": ["replication_factor"]})
    now = manifest(node_instance_type="new", shard_count=9, lifecycle={"ignore_changes": ["replication_factor"]})
    change = mixed(before, now, live(description="x", node_instance_type="old", shard_count=5, replication_factor=3))
    assert [(f.path, f.cause, f.left) for f in change.fields] == [
        ("node_instance_type", "revision", None),
        ("shard_count", "drift", "on-drift-report"),
    ]
    assert change.requests[0].body == {
        "description": "x",
        "node_instance_type": "new",
        "shard_count": 5,
        "replication_factor": 3,
        "enforce_shard_multi_az": True,
    }
    assert (change.cause, change.left, change.risks) == ("drift", None, ("node-replacement",))


def placed(*zones: str, replicas: str = "r") -> list[dict[str, object]]:
    """A placement for each shard."""
    return [
        {"shard_index": i, "availability_zone": z, "replica_availability_zones": [replicas]}
        for i, z in enumerate(zones)
    ]


@pytest.mark.parametrize(
    ("before", "now", "found", "sent"),
    [
        (placed("a", "b"), placed("a", "b"), placed("x", "b"), placed("x", "b")),
        (placed("a", "b"), placed("a", "c"), placed("x", "b"), placed("x", "c")),
        (placed("a"), placed("a", replicas="s"), placed("x"), placed("a", replicas="s")),
        (placed("a"), placed("a"), [], None),
    ],
)
def test_a_placement_is_left_whole_or_not_at_all(before: Any, now: Any, found: Any, sent: Any) -> None:
    """With its equal half, as it is live; one that this change touches is sent whole."""
    change = mixed(
        manifest(description="old", shard_placements=before),
        manifest(description="new", shard_placements=now),
        live(description="old", shard_placements=found),
    )
    assert change.requests[0].body is not None
    assert change.requests[0].body.get("shard_placements") == sent


def test_counts_that_a_changed_placement_needs_are_not_left() -> None:
    """A placement of the third shard says nothing of a cluster that lost it."""
    before, now = manifest(shard_count=3), manifest(shard_count=3, shard_placements=placed("a", "b", "c"))
    change = mixed(before, now, live(shard_count=2))
    assert change.requests[0].body is not None
    assert change.requests[0].body["shard_count"] == 3
    assert {f.left for f in change.fields} == {None}


def test_what_this_change_touches_it_overwrites() -> None:
    """A conflict is not drift, and neither is an adoption, nor what has no cause."""
    old, new = manifest(shard_count=3), manifest(shard_count=9)
    for evidence, cause in [
        (git(old, recorded=[old]), "conflict"),
        (git(old), "adoption"),
        (git(recorded=[old], base=None), None),
    ]:
        change = only_change(head(new, on_drift="report"), [live()], evidence)
        assert (change.cause, change.left) == (cause, None)


# ---- what was never Active


def replaced(evidence: Evidence, *, lifecycle: dict[str, Any] | None = None, **intent: Any) -> Plan:
    """The plan of a cluster that is `CreationFailed`."""
    one = manifest(shard_count=2, lifecycle=lifecycle or {})
    found = live(status="CreationFailed", errors=["Odd"])
    return plan_of(head(one), [found], evidence, Intent.model_validate({"replace": ("ord*",), **intent}))


def test_what_was_never_active_is_made_anew_where_that_is_asked_for() -> None:
    """Its delete is the first of two requests, and stands in no guard's way."""
    declared = manifest()
    ours = git(declared, recorded=[line(declared, declared=None, unsettled=values(declared))])
    plan = replaced(ours)
    (change,) = plan.changes
    assert isinstance(change, Create)
    assert [(r.method, r.path) for r in change.requests] == [("DELETE", "/cluster/orders"), ("PUT", "/cluster/orders")]
    assert (change.cause, change.waits_for, change.live_digest is not None) == ("pending", None, True)
    assert (plan.blocked, plan.summary.create, plan.summary.delete) == ((), 1, 0)
    assert (plan.nodes.before, plan.nodes.after) == (4, 4)
    told = {field.path: (field.before, field.after) for field in change.fields}
    assert told == {path: (None, value) for path, value in values(declared).items()}  # all of it is made anew


@pytest.mark.parametrize(
    ("evidence", "more", "allowed"),
    [
        (git(), {}, False),
        (git(), {"adopt": ("*",)}, True),
        (git(), {"lifecycle": {"adopt": True}}, True),
        (git(recorded=None), {}, False),
        (git(recorded=[manifest()]), {}, False),
        (git(recorded=[manifest()]), {"adopt": ("*",)}, False),
        (git(recorded=[line(manifest(), declared=None, unsettled=values(manifest(shard_count=9)))]), {}, False),
        (git(recorded=[line(manifest(), declared=None, unsettled=values(manifest()))]), {"replace": ("x",)}, False),
    ],
)
def test_nothing_else_is_made_anew(evidence: Evidence, more: dict[str, Any], allowed: bool) -> None:
    """Never what was recorded as settled, nor what is somebody else's, nor unasked: that is blocked."""
    plan = replaced(evidence, **more)
    assert [change.action for change in plan.changes] == ["create"] * allowed
    assert [u.name for u in plan.blocked] == ["orders"] * (not allowed)
    assert plan.taken_over == ()


# ---- prune


def test_nothing_goes_without_prune_and_only_what_the_record_owns_with_it() -> None:
    """All else is listed, with whose it is; what is going already is nobody's business."""
    found = [live(name) for name in ("orders", "ours", "kept", "theirs")] + [live("going", status="Deleting")]
    kept = manifest("kept", lifecycle={"on_remove": "keep"})
    known = git(recorded=[manifest(), manifest("ours"), kept, manifest("going")])
    without = plan_of(head(manifest()), found, known)
    assert shape(without) == []
    assert [(u.name, u.ownership) for u in without.unmanaged] == [
        ("kept", "released"), ("ours", "owned"), ("theirs", "not-ours"),
    ]  # fmt: skip
    owned = plan_of(head(manifest()), found, known, PRUNE_OWNED)
    assert shape(owned) == [("delete", "ours", "pending", None, 1)]
    assert (owned.changes[0].risks, owned.changes[0].requests[0].path) == (("data-loss",), "/cluster/ours")
    every = plan_of(head(manifest()), found, known, Intent(prune="all"))
    assert [change.name for change in every.changes] == ["ours", "theirs"]
    assert [u.name for u in every.unmanaged] == ["kept"]
    assert (every.nodes.before, every.nodes.after) == (16, 8)


def test_a_delete_cites_the_commit_that_removed_it_and_where_it_last_stood() -> None:
    """As far as history goes; else the record says where."""
    stray = manifest("stray")
    moved = declaration(stray)._replace(file="last.yaml", line=7)
    known = git(recorded=[stray])
    for evidence, expected in [
        (git(stray, recorded=[stray]), ("manifests/stray.yaml", 1, None)),
        (known._replace(removals={"stray": Removal("removing", moved)}), ("last.yaml", 7, "removing")),
        (known._replace(removals={"stray": Removal(None, moved)}), ("last.yaml", 7, None)),
        (known, ("manifests/stray.yaml", 1, None)),
    ]:
        source = only_change(head(), [live("stray")], evidence, PRUNE_OWNED).source
        assert source is not None
        assert (source.file, source.line, source.commit) == expected
    theirs = only_change(head(), [live("stray")], git(), Intent(prune="all"))
    assert theirs.source is None


# ---- the whole


def test_a_new_half_says_where_it_comes_from() -> None:
    """A new, empty cluster: the data doesn't come along. So does one that is made anew."""
    here, there = Origin(target="default", name="orders"), Origin(target="other", name="orders")
    moves = Moves({here: there}, {there: here})
    declared = manifest()
    failed = git(declared, recorded=[line(declared, declared=None, unsettled=values(declared))])
    for found, evidence in [([], git()), ([live(status="CreationFailed")], failed)]:
        (change,) = plan_of(head(declared), found, evidence, Intent(replace=("*",)), moves).changes
        assert (change.action, change.moved_from, change.risks) == ("create", there, ("data-loss",))


def test_a_plan_made_of_a_saved_one_makes_no_other_change() -> None:
    """What the saved one doesn't show isn't made, nor counted as if all were well; what moved isn't either."""
    one = head(manifest("a", shard_count=3), manifest("b", shard_count=3))
    found, known = [live("a"), live("b")], git(recorded=[manifest("a"), manifest("b")])
    whole = plan_of(one, found, known)
    fresh = plan_of(one, found, known, saved=digests(whole)[:1])
    assert [change.name for change in fresh.changes] == ["a"]
    assert (fresh.summary.update, fresh.summary.unchanged, fresh.nodes.after) == (1, 0, 10)
    moved = plan_of(one, [live("a", description="x"), live("b")], known, saved=digests(whole))
    assert [change.name for change in moved.changes] == ["b"]


def test_a_plan_says_what_it_was_made_of() -> None:
    """Target, endpoint, git's provenance, the record, the intent; all manifests by their digest, if it may be saved."""
    intent = Intent(prune="owned", only=("o*",))
    evidence = git(recorded=[manifest()])._replace(warnings=("main has moved on",))
    plan = plan_of(head(manifest("other"), manifest()), [live()], evidence, intent)
    assert (plan.target, plan.endpoint, plan.folder, plan.intent) == ("default", "https://h", "manifests", intent)
    assert (plan.revision, plan.dirty, plan.base) == ("head", False, evidence.provenance.base)
    assert plan.record == RecordAt(commit="recorded", revision="applied")
    assert (plan.warnings, plan.live_read) == (("main has moved on",), True)
    reading = read(head(manifest()), [], evidence, intent)._replace(fingerprint=False)
    assert make_plan(reading, intent).manifests is None
    assert plan.manifests == plan_of(head(manifest(), manifest("other")), [], evidence, intent).manifests
    assert plan.manifests != plan_of(head(manifest()), [], evidence, intent).manifests
    assert plan.manifests != plan_of(head(manifest("other"), manifest(shard_count=9)), [], evidence).manifests
    assert (
        plan.manifests != plan_of(head(manifest("other"), manifest(lifecycle={"adopt": True})), [], evidence).manifests
    )
