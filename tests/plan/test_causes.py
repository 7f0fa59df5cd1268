"""Each row of the causes table, for fields, creates, deletes and retries; and whose commit a reader wants to know."""

from typing import Any

import pytest

from reconciler.model.evidence import NO_GIT
from reconciler.model.record import Line
from reconciler.plan.causes import who_set_what
from reconciler.plan.change import Cause
from reconciler.plan.decide import make_plan
from reconciler.plan.intent import Intent
from tests.fakes import head, live, manifest
from tests.plan.histories import git, line, only_change, plan_of, read, values


def sized(shards: int, **more: Any) -> Any:
    """A manifest of so many shards."""
    return manifest(shard_count=shards, **more)


def recorded(shards: int | None, **more: Any) -> Line:
    """A line that has seen so many shards settled, or none at all."""
    return line(sized(shards or 1), **({} if shards else {"declared": None}), **more)


@pytest.mark.parametrize(
    ("line_of", "base", "now", "found", "cause"),
    [
        # recorded, base, head, live
        (None, 2, 3, 2, "adoption"),
        (None, 3, 3, 2, "adoption"),
        (recorded(2), 2, 3, 2, "revision"),
        (recorded(2), None, 3, 2, "revision"),
        (recorded(4), 2, 3, 2, "revision"),  # live is what base declares
        (recorded(2), 3, 3, 2, "pending"),
        (recorded(3), 3, 3, 2, "drift"),
        (recorded(3), 2, 3, 9, "drift"),
        (recorded(4), 3, 3, 9, "conflict"),
        (recorded(4), 2, 3, 9, "conflict"),
        # what was sent, and not seen settled
        (recorded(2, unsettled=values(sized(3))), 3, 3, 2, "pending"),
        (recorded(2, unsettled=values(sized(3))), 3, 4, 3, "revision"),
        (recorded(2, unsettled=values(sized(3))), 3, 2, 3, "revision"),
        (recorded(2, unsettled=values(sized(3))), 2, 2, 3, "pending"),
        (recorded(2, unsettled=values(sized(3))), 3, 3, 9, "drift"),
        (recorded(2, unsettled=values(sized(3))), 2, 2, 9, "drift"),
        (recorded(2, unsettled=values(sized(3))), 4, 4, 9, "conflict"),
        # never seen settled, or deleted: ours only as it says
        (recorded(None, unsettled=values(sized(2))), 2, 3, 2, "revision"),
        (recorded(None, unsettled=values(sized(2))), 3, 3, 2, "pending"),
        (recorded(None, unsettled=values(sized(2))), 2, 2, 9, "adoption"),
        (recorded(2, unsettled="deleted"), 2, 3, 2, "revision"),
        (recorded(2, unsettled="deleted"), 2, 2, 9, "adoption"),
        (recorded(2, released=True), 2, 3, 2, "adoption"),
        # the service keeps another value than the one that was sent
        (recorded(3, kept={"shard_count": 2}), 3, 4, 2, "revision"),
        (recorded(3, kept={"shard_count": 2}), 4, 4, 2, "pending"),
        (recorded(3, kept={"shard_count": 2}), 3, 3, 9, "drift"),
    ],
)
def test_a_field_has_the_cause_of_its_row(
    line_of: Line | None, base: int | None, now: int, found: int, cause: Cause
) -> None:
    """Recorded, base, head and live decide, and nothing else; the change's own is the same."""
    evidence = git(*([] if base is None else [sized(base)]), recorded=[line_of] if line_of else [])
    change = only_change(head(sized(now)), [live(shard_count=found)], evidence)
    assert ([f.cause for f in change.fields], change.cause) == ([cause], cause)
    assert change.fields[0].recorded == (line_of.sent["shard_count"] if line_of and cause != "adoption" else None)


@pytest.mark.parametrize("base", [[], [manifest()]])
def test_what_base_leaves_out_is_not_what_is_live_without_it(base: list[Any]) -> None:
    """Somebody took the description away, whether or not base still declares the cluster: nobody merged that."""
    told = manifest(description="x")
    assert only_change(head(told), [live(description=None)], git(*base, recorded=[line(told)])).cause == "drift"


def test_a_field_that_was_not_seen_settled_counts_as_ours() -> None:
    """It was left out, so what it was is nobody's; or its first value was sent, and what became of that isn't known."""
    left_out = {path: value for path, value in values(sized(2)).items() if path != "shard_count"}
    now = sized(3)
    for declared, unsettled in [(left_out, None), (left_out, values(now))]:
        for base, cause in [(sized(2), "revision"), (now, "pending")]:
            evidence = git(base, recorded=[line(now, declared=declared, unsettled=unsettled)])
            assert only_change(head(now), [live(shard_count=9)], evidence).cause == cause


def test_what_is_applied_from_a_commit_that_head_lacks_is_a_conflict_where_this_change_does_nothing() -> None:
    """An unmerged branch was applied, or main was forced: going back is what nobody reviewed; this change was."""
    astray = git(sized(3), recorded=[recorded(2)], astray=frozenset({"orders"}))
    assert only_change(head(sized(3)), [live()], astray).cause == "conflict"
    assert only_change(head(sized(4)), [live()], astray).cause == "revision"
    assert only_change(head(sized(3)), [live(shard_count=9)], git(sized(3), recorded=[recorded(3)])).cause == "drift"


def test_what_the_service_keeps_is_told_and_is_no_change() -> None:
    """As long as head asks for what was sent; a value that it dropped, too; of a stranger's it is none of ours."""
    known = recorded(3, kept={"shard_count": 2, "description": None}, declared=values(sized(3, description="x")))
    kept = git(sized(3), recorded=[known])
    plan = plan_of(head(sized(3, description="x")), [live(description=None)], kept)
    assert plan.changes == ()
    assert [(k.name, k.path, k.sent, k.kept) for k in plan.kept] == [
        ("orders", "description", "x", None),
        ("orders", "shard_count", 3, 2),
    ]
    assert plan.summary.unchanged == 1
    stranger = git(sized(3), recorded=[known._replace(released=True)])
    assert only_change(head(sized(3)), [live()], stranger).cause == "adoption"


def test_a_changes_cause_is_the_gravest_of_its_fields() -> None:
    """Conflict before drift before pending before revision."""
    known = line(manifest(shard_count=3, node_instance_type="a", description="was"))
    base = manifest(shard_count=3, node_instance_type="b", description="was")
    found = live(shard_count=9, node_instance_type="a", description="was")
    change = only_change(
        head(manifest(shard_count=3, node_instance_type="b", description="is")), [found], git(base, recorded=[known])
    )
    assert [(f.path, f.cause) for f in change.fields] == [
        ("description", "revision"),
        ("node_instance_type", "pending"),
        ("shard_count", "drift"),
    ]
    assert change.cause == "drift"


@pytest.mark.parametrize(
    ("at_base", "lines", "cause"),
    [
        (False, [], "revision"),
        (False, [recorded(2)], "revision"),
        (True, [recorded(2)], "drift"),
        (True, [], "pending"),
        (True, None, "pending"),
        (True, [recorded(None, unsettled=values(sized(2)))], "pending"),
        (True, [recorded(2, unsettled=values(sized(3)))], "drift"),
        (True, [recorded(2, unsettled="deleted")], "pending"),
        (True, [recorded(2, released=True)], "pending"),
    ],
)
def test_a_create_is_new_or_was_deleted_by_somebody_or_was_never_made(
    at_base: bool, lines: list[Line] | None, cause: Cause
) -> None:
    """All of its fields have its cause."""
    declared = manifest()
    change = only_change(head(declared), [], git(*[declared] * at_base, recorded=lines))
    assert (change.action, change.cause, {f.cause for f in change.fields}) == ("create", cause, {cause})


@pytest.mark.parametrize(("at_base", "cause"), [(True, "revision"), (False, "pending")])
def test_a_delete_is_this_changes_where_base_still_declares_it(at_base: bool, cause: Cause) -> None:
    """Else an earlier one's."""
    stray = manifest("stray")
    evidence = git(*[stray] * at_base, recorded=[manifest(), stray])
    change = only_change(head(manifest()), [live(), live("stray")], evidence, Intent(prune="owned"))
    assert (change.action, change.cause, change.fields) == ("delete", cause, ())


@pytest.mark.parametrize(
    ("base", "lines", "cause"),
    [
        (2, [recorded(2)], "pending"),
        (9, [recorded(2)], "revision"),
        (None, [recorded(2)], "revision"),
        (2, [], "adoption"),
    ],
)
def test_a_retry_has_a_cause_too(base: int | None, lines: list[Line], cause: Cause) -> None:
    """An update that changes no field: of this change, if it takes back what failed; of a stranger's, an adoption."""
    evidence = git(*([] if base is None else [sized(base)]), recorded=lines)
    change = only_change(head(sized(2)), [live(errors=["Odd"])], evidence)
    assert (change.action, change.fields, change.cause) == ("update", (), cause)


def test_without_git_and_without_a_record_all_that_is_live_is_an_adoption() -> None:
    """Without git nothing else has a cause; without a record, what isn't live still has."""
    one, found = head(manifest(shard_count=9), manifest("new")), [live(), live("stray")]
    for evidence, causes in [(NO_GIT, [None, "adoption"]), (git(recorded=None), ["revision", "adoption"])]:
        plan = plan_of(one, found, evidence, Intent(prune="owned"))
        assert [change.cause for change in plan.changes] == causes
        assert [(u.name, u.ownership) for u in plan.unmanaged] == [("stray", "unknown")]


def test_no_base_leaves_out_causes_alone() -> None:
    """`--base none`: what is owned and what is adopted stay what they are, and so does all that is done."""
    one = head(manifest("a", shard_count=9), manifest("b", shard_count=9), manifest("new"))
    found, recorded_ones = [live("a"), live("b"), live("stray")], [manifest("a"), manifest("stray")]
    intent = Intent(prune="owned", adopt=("*",))
    known = git(recorded=recorded_ones)
    told, silent = plan_of(one, found, known, intent), plan_of(one, found, known._replace(base=None), intent)
    assert [c.cause for c in silent.changes] == [None, "adoption", None, None]
    assert [c.name for c in silent.changes] == ["a", "b", "new", "stray"]
    assert silent.digest == told.digest


def test_a_reader_wants_to_know_who_set_what_is_pending() -> None:
    """Field by field; of what this change does, and of drift, nobody asks."""
    declared = [manifest("a", shard_count=3, description="x"), manifest("b", shard_count=3), manifest("new")]
    evidence = git(*declared, recorded=[manifest("a", description="y"), manifest("b", shard_count=3)])
    reading = read(head(*declared), [live("a", description="y"), live("b")], evidence)
    asked = who_set_what(reading.comparison, evidence)
    assert {name: [*paths] for name, paths in asked.items()} == {
        "a": ["description", "shard_count"],
        "new": ["node_instance_type", "shard_count", "replication_factor", "enforce_shard_multi_az"],
    }


def test_pending_names_the_commit_that_set_the_value() -> None:
    """And nothing else does."""
    declared = manifest(shard_count=3, description="new")
    evidence = git(manifest(shard_count=3, description="old"), recorded=[manifest(description="old")])
    setters = {("orders", "shard_count"): "setting", ("orders", "description"): "never asked"}
    reading = read(head(declared), [live(description="old")], evidence, setters=setters)
    (change,) = make_plan(reading, Intent()).changes
    assert [(f.path, f.cause, f.commit) for f in change.fields] == [
        ("description", "revision", None),
        ("shard_count", "pending", "setting"),
    ]
