"""Why each thing differs: every row of the table, with applied known and inferred."""

from typing import Any

import pytest

from reconciler.model.declaration import Manifest
from reconciler.model.evidence import Evidence
from reconciler.plan.causes import first_cause
from reconciler.plan.change import Cause, Change, Update
from reconciler.plan.settings import Intent
from tests.fakes import live, manifest
from tests.plan.histories import commit, git, headed, plan_of

PRUNE_OWNED, PRUNE_ALL = Intent(prune="owned"), Intent(prune="all")
IGNORED = {"ignore_changes": ["description"]}


def saying(description: str | None, **fields: Any) -> Manifest:
    """A manifest with this description; None leaves it out."""
    return manifest(**fields, **({} if description is None else {"description": description}))


def only_change(declared: Manifest, evidence: Evidence, **cluster: Any) -> Change:
    """The one change of a fleet of one cluster."""
    (change,) = plan_of(headed(declared), [live(**cluster)], evidence).changes
    return change


@pytest.mark.parametrize(
    ("applied", "base", "head", "found", "cause"),
    [
        ("old", "old", "new", "old", "revision"),
        ("old", "mid", "new", "old", "revision"),
        ("old", None, "new", "old", "revision"),
        ("old", "new", "new", "old", "pending"),
        ("new", "new", "new", "odd", "drift"),
        ("new", "old", "new", "odd", "drift"),
        ("new", None, "new", "odd", "drift"),
        ("old", "new", "new", "odd", "conflict"),
        ("old", "old", "new", "odd", "conflict"),
        ("old", "mid", "new", "mid", "conflict"),
        (None, None, "new", "odd", "revision"),
        (None, "old", "new", "odd", "revision"),
        (None, "new", "new", "odd", "pending"),
    ],
)
def test_every_row_of_the_table_with_applied_known(
    applied: str | None, base: str | None, head: str, found: str, cause: Cause
) -> None:
    """Applied, base, head and live of one field decide; what applied left out counts as live's."""
    change = only_change(saying(head), git(saying(base), applied=[saying(applied)]), description=found)
    assert [(f.path, f.cause) for f in change.fields] == [("description", cause)]
    assert (change.cause, change.adopts) == (cause, False)


@pytest.mark.parametrize(
    ("base", "head", "found", "last_change", "cause"),
    [
        ("old", "new", "old", None, "revision"),
        ("new", "new", "odd", None, "drift"),
        ("old", "new", "odd", None, "conflict"),
        (None, "new", "odd", None, "revision"),
        ("new", "new", "old", (29.99, "old", "new"), "pending"),
        ("new", "new", "old", (30, "old", "new"), "drift"),
        ("new", "new", "odd", (1, "old", "new"), "drift"),
        ("mid", "new", "old", (1, "old", "mid"), "revision"),
        ("mid", "new", "old", (30, "old", "mid"), "conflict"),
        ("new", "new", "odd", (1, None, "new"), "pending"),
        ("new", "new", "odd", (31, None, "new"), "drift"),
    ],
)
def test_where_applied_is_unknown_it_is_inferred(
    base: str | None, head: str, found: str, last_change: tuple[float, str | None, str] | None, cause: Cause
) -> None:
    """Base's value, save where live still has what the field's last change replaced less than 30 days ago."""
    history = [commit("other", 0.5, saying(base, shard_count=1), saying(base))]
    if last_change:
        days_ago, before, after = last_change
        history.append(commit("setting", days_ago, saying(before), saying(after)))
        history.append(commit("earlier", days_ago, saying("odd"), saying(before)))
    history.append(commit("added", 29, None, saying("odd")))
    change = only_change(saying(head), git(saying(base), history={"orders": history}), description=found)
    assert [(f.cause, f.commit) for f in change.fields] == [(cause, "setting" if cause == "pending" else None)]


def test_a_value_that_stands_since_the_cluster_was_added_replaced_nothing() -> None:
    """Then live's other value is drift, however fresh the declaration."""
    history = {"orders": [commit("again", 1, None, saying("new")), commit("gone", 2, saying("new"), None)]}
    history["orders"].append(commit("set", 3, saying("odd"), saying("new")))
    assert only_change(saying("new"), git(saying("new"), history=history), description="odd").cause == "drift"


def test_what_was_ignored_was_not_managed() -> None:
    """To manage a field that was ignored is a change of git's: nobody drifted from what nobody held."""
    before, after = saying("new", lifecycle=IGNORED), saying("new")
    history = {"orders": [commit("managed", 1, before, after)]}
    assert only_change(after, git(before, applied=[before]), description="odd").cause == "revision"
    pending = only_change(after, git(after, applied=[before], history=history), description="odd")
    assert (pending.cause, pending.fields[0].commit) == ("pending", "managed")
    assert only_change(after, git(after, history=history), description="odd").cause == "pending"


def test_placements_are_explained_by_shard_and_key() -> None:
    """A shard that applied didn't place counts as live's; replica zones are compared without their order."""

    def placed(*zones: str, replicas: str = "bc") -> Manifest:
        each = [
            {"shard_index": i, "availability_zone": z, "replica_availability_zones": [*replicas]}
            for i, z in enumerate(zones)
        ]
        return manifest(shard_placements=each, replication_factor=2)

    found = live(shard_placements=placed("x", "y").model_dump()["shard_placements"], replication_factor=2)
    evidence = git(placed("a"), applied=[placed("a", replicas="cb")])
    (change,) = plan_of(headed(placed("a", "a")), [found], evidence).changes
    assert [(f.path, f.cause) for f in change.fields] == [
        ("shard_placements[0].availability_zone", "drift"),
        ("shard_placements[1].availability_zone", "revision"),
    ]


def test_a_changes_own_cause_is_the_gravest_of_its_fields() -> None:
    """Conflict, then drift, then pending, then revision."""
    declared = manifest(description="new", node_instance_type="new", shard_count=9, replication_factor=9)
    base = declared.model_copy(update={"description": "old"})
    applied = base.model_copy(update={"node_instance_type": "old", "replication_factor": 8})
    evidence = git(base, applied=[applied])
    found = {"description": "old", "node_instance_type": "old", "shard_count": 3, "replication_factor": 3}
    change = only_change(declared, evidence, **found)
    assert [f.cause for f in change.fields] == ["revision", "pending", "drift", "conflict"]
    owns = [first_cause(change.fields[:count]) for count in range(5)]
    assert owns == [None, "revision", "pending", "drift", "conflict"]
    assert change.cause == "conflict"


@pytest.mark.parametrize(
    ("at_applied", "at_base", "cause"),
    [(True, True, "drift"), (True, False, "drift"), (False, True, "pending"), (False, False, "revision")],
)
def test_a_create_is_drift_where_applied_has_it(*, at_applied: bool, at_base: bool, cause: Cause) -> None:
    """Else pending where base has it, else this change's; its fields with it, and a commit only where it is pending."""
    declared = manifest()
    history = {"orders": [commit("added", 3, None, declared)]}
    evidence = git(*[declared] * at_base, applied=[declared] * at_applied, history=history)
    (change,) = plan_of(headed(declared), [], evidence).changes
    assert {f.commit for f in change.fields} == {"added" if cause == "pending" else None}
    assert (change.action, change.cause, {f.cause for f in change.fields}) == ("create", cause, {cause})


def test_a_create_without_a_known_applied_is_pending_and_names_the_commits() -> None:
    """It can't be told from a delete behind git's back; each value has the commit that set it."""
    first, now = manifest(shard_count=1), manifest(description="x", lifecycle=IGNORED)
    history = {"orders": [commit("grown", 1, first, now), commit("added", 40, None, first), commit("x", 50, now, None)]}
    (change,) = plan_of(headed(now), [], git(now, history=history)).changes
    assert change.cause == "pending"
    assert {f.path: f.commit for f in change.fields} == {
        "description": "added",
        "node_instance_type": "added",
        "shard_count": "grown",
        "replication_factor": "added",
        "enforce_shard_multi_az": "added",
    }


def test_a_delete_is_this_changes_where_base_still_declares_it() -> None:
    """Else it is pending, and names the commit that removed it and the line where it last stood."""
    stray = manifest("stray")
    removed = {"stray": [commit("removing", 3, stray, None), commit("added", 9, None, stray)]}
    for evidence, cause, by in [
        (git(stray, applied=[stray]), "revision", None),
        (git(applied=[stray], history=removed), "pending", "removing"),
        (git(applied=[stray]), "pending", None),
        (git(history=removed), "pending", "removing"),
    ]:
        (change,) = plan_of(headed(manifest()), [live(), live("stray")], evidence, PRUNE_OWNED).changes
        assert change.source is not None
        assert (change.action, change.cause, change.fields) == ("delete", cause, ())
        assert (change.source.file, change.source.line, change.source.commit) == ("manifests/stray.yaml", 1, by)


def test_what_is_live_and_newly_declared_is_adopted() -> None:
    """Where applied doesn't have it; where that is unknown, where base doesn't. It is this change's, or pending."""
    declared = manifest(shard_count=9)
    for evidence, adopts, cause in [
        (git(declared, applied=[]), True, "pending"),
        (git(applied=[]), True, "revision"),
        (git(), True, "revision"),
        (git(declared), False, "drift"),
        (git(applied=[declared]), False, "drift"),
    ]:
        change = only_change(declared, evidence)
        assert isinstance(change, Update)
        assert (change.adopts, change.cause) == (adopts, cause)
    assert plan_of(headed(manifest()), [live()], git(applied=[])).changes == ()


def test_without_a_base_there_are_no_causes() -> None:
    """Nor adoptions, nor commits; what is to be done is the same."""
    one, clusters = headed(manifest(shard_count=9), manifest("new")), [live(), live("stray")]
    plan = plan_of(one, clusters, Evidence(), PRUNE_ALL)
    assert [(c.action, c.cause, c.adopts) for c in plan.changes] == [
        ("create", None, False),
        ("update", None, False),
        ("delete", None, False),
    ]
    assert {(f.cause, f.commit) for c in plan.changes for f in c.fields} == {(None, None)}
