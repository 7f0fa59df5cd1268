"""What differs, before anyone asks why."""

from typing import Any

import pytest
from hypothesis import given

from reconciler.model.cluster import LiveCluster
from reconciler.model.record import Line, Record
from reconciler.plan.compare import as_if_applied, as_if_live, compare
from reconciler.plan.intent import Intent
from tests.fakes import declaration, head, live, manifest
from tests.plan.histories import UNLIMITED, git, line, plan_of
from tests.plan.worlds import World, worlds

PLACED = {"shard_index": 0, "availability_zone": "a", "replica_availability_zones": ["b"]}
ELSEWHERE = {"shard_index": 1, "availability_zone": "b", "replica_availability_zones": ["c"]}


def test_differences_come_in_the_documents_order_with_both_values() -> None:
    """Placements by their shard's index, wherever they stand in the list."""
    declared = manifest(
        description="", shard_count=3, shard_placements=[{**PLACED, "availability_zone": "z"}, ELSEWHERE]
    )
    found = live(description="old", shard_placements=[{**ELSEWHERE, "replica_availability_zones": []}, PLACED])
    (pair,) = compare(head(declared), [found]).differing
    assert [(d.path, d.live, d.head) for d in pair.differences] == [
        ("description", "old", ""),
        ("shard_count", 2, 3),
        ("shard_placements[0].availability_zone", "a", "z"),
        ("shard_placements[1].replica_availability_zones", (), ("c",)),
    ]


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({}, {"description": "theirs", "shard_placements": [PLACED]}),
        ({"shard_placements": [PLACED]}, {"shard_placements": [ELSEWHERE, PLACED]}),
        (
            {"replication_factor": 3, "shard_placements": [{**PLACED, "replica_availability_zones": ["b", "c", "b"]}]},
            {"replication_factor": 3, "shard_placements": [{**PLACED, "replica_availability_zones": ["c", "b", "b"]}]},
        ),
        ({"shard_count": 5, "lifecycle": {"ignore_changes": ["shard_count"]}}, {}),
        ({"shard_placements": [PLACED], "lifecycle": {"ignore_changes": ["shard_placements"]}}, {}),
        ({}, {"status": "Creating"}),
        ({}, {"unheard_of": 1, "errors": None}),
    ],
)
def test_what_is_not_managed_or_has_no_meaning_is_no_difference(
    declared: dict[str, Any], found: dict[str, Any]
) -> None:
    """Left out, ignored, unknown, or in another order."""
    assert [pair.declaration.name for pair in compare(head(manifest(**declared)), [live(**found)]).equal] == ["orders"]


@pytest.mark.parametrize(
    ("declared", "found", "path"),
    [
        ({"description": ""}, {"description": None}, "description"),
        (
            {"replication_factor": 3, "shard_placements": [{**PLACED, "replica_availability_zones": ["b", "b", "c"]}]},
            {"replication_factor": 3, "shard_placements": [{**PLACED, "replica_availability_zones": ["b", "c", "c"]}]},
            "shard_placements[0].replica_availability_zones",
        ),
    ],
)
def test_what_has_a_meaning_is_a_difference(declared: dict[str, Any], found: dict[str, Any], path: str) -> None:
    """An empty description is not a missing one; zones are a multiset."""
    (pair,) = compare(head(manifest(**declared)), [live(**found)]).differing
    assert [difference.path for difference in pair.differences] == [path]


def test_everything_is_somewhere_once() -> None:
    """What is on its way out is absent where it is wanted, and nothing at all where it isn't."""
    declared = [manifest(name) for name in ("absent", "equal", "going", "other", "unread")]
    found = [live("equal"), live("going", status="Deleting"), live("other", shard_count=9)]
    strays = [live("stray"), live("stray-going", status="Deleting")]
    comparison = compare(head(*declared), [*found, *strays], unreadable=["unread", "stray-unread"])
    assert [pair.declaration.name for pair in comparison.absent] == ["absent", "going"]
    assert [pair.live is not None for pair in comparison.absent] == [False, True]
    assert [pair.declaration.name for pair in comparison.equal] == ["equal"]
    assert [pair.declaration.name for pair in comparison.differing] == ["other"]
    assert [cluster.name for cluster in comparison.undeclared] == ["stray"]
    assert comparison.unreadable == ("unread",)
    assert [pair.declaration.name for pair in comparison.declared] == ["absent", "equal", "going", "other"]
    only = compare(head(*declared), [*found, *strays], lambda name: name.startswith("s"), ["unread"])
    assert (only.declared, only.unreadable, [c.name for c in only.undeclared]) == ((), (), ["stray"])


@given(worlds())
def test_what_is_declared_and_live_just_so_never_differs(world: World) -> None:
    """`diff(x, x)` is empty; and differences are exactly where the values differ."""
    declared = world.head.declarations
    same = compare(world.head, as_if_live(declared.values()))
    assert (same.absent, same.differing, same.undeclared) == ((), (), ())
    for pair in compare(world.head, world.live).differing:
        assert pair.live is not None
        told = {difference.path: (difference.live, difference.head) for difference in pair.differences}
        expected = {p: (pair.live.values.get(p), v) for p, v in pair.declaration.managed.items()}
        assert told == {path: both for path, both in expected.items() if both[0] != both[1]}


def test_a_declaration_stands_in_for_live_with_all_that_it_says() -> None:
    """What it ignores, too: a create sends that."""
    ignoring = declaration(manifest(shard_count=5, lifecycle={"ignore_changes": ["shard_count"]}))
    (found,) = as_if_live([ignoring])
    assert found == LiveCluster("orders", "Active", (), ignoring.values)
    assert found.values["shard_count"] == 5


def test_offline_the_record_says_what_base_declares_and_who_made_it_as_far_as_it_knew() -> None:
    """Another cluster was made by us, from nowhere in particular; what is released or unsettled is so no more."""
    (known, new), target = as_if_live([declaration(manifest("a")), declaration(manifest("b"))]), head().target
    was = line(manifest("a"), origin="adopted", unsettled="deleted", kept={"shard_count": 9}, released=True)
    settled = Line("b", None, 0.0, "manifests", 1, "created", declared=new.values)
    astray = git(recorded=[was], astray=frozenset({"a"}))
    found = as_if_applied(astray, target, "https://h", [known, new])
    assert found == git(recorded=[line(manifest("a"), origin="adopted", declared=known.values), settled])
    unrecorded = as_if_applied(git(recorded=None), target, "https://h", [new])
    assert unrecorded.record == Record("default", "https://h", "MOMENTO_API_KEY", lines={"b": settled})


def test_offline_all_that_base_declares_counts_as_applied() -> None:
    """With a record or without one: what differs is this change's, and what is protected stays so."""
    base = [manifest("a"), manifest("gone", lifecycle={"prevent_destroy": True}), manifest("same")]
    one = head(manifest("a", shard_count=9), manifest("new"), manifest("same"), limits=UNLIMITED)
    found = as_if_live(map(declaration, base))
    for recorded in (None, [], [line(manifest("a"), released=True), line(base[1], unsettled="deleted")]):
        evidence = as_if_applied(git(*base, recorded=recorded), one.target, "https://h", found)
        plan = plan_of(one, found, evidence, Intent(prune="owned"))
        assert [(change.action, change.name, change.cause) for change in plan.changes] == [
            ("update", "a", "revision"),
            ("delete", "gone", "revision"),
            ("create", "new", "revision"),
        ]
        assert (plan.taken_over, [violation.guard for violation in plan.violations]) == ((), ["protected"])
