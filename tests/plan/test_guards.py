"""Each guard just under, at and over its limit, with the words that say how to allow it."""

from dataclasses import replace

import pytest

from reconciler.model.declaration import Manifest
from reconciler.model.evidence import Evidence
from reconciler.model.guards import GuardName, Guards
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Plan
from reconciler.plan.settings import Intent
from tests.fakes import live, manifest
from tests.plan.histories import commit, git, headed, plan_of

UNLIMITED = Guards(max_deletes=None, max_delete_fraction=None, max_unreviewed_fraction=None)
PRUNE_ALL = Intent(prune="all")
EVERY_GUARD: tuple[GuardName, ...] = (
    "empty-head",
    "max-deletes",
    "max-delete-fraction",
    "max-unreviewed-fraction",
    "max-added-nodes",
    "protected",
    "adopt",
)


def only(**limit: object) -> Guards:
    """No other limit than this one."""
    return UNLIMITED.model_copy(update=limit)


def names(count: int, first: int = 0) -> list[str]:
    """`c00`, `c01` and so on."""
    return [f"c{number:02}" for number in range(first, first + count)]


def deleting(deletes: int, of: int, limits: Guards, *, declared: int | None = None, intent: Intent = PRUNE_ALL) -> Plan:
    """The plan that deletes the first of so many live clusters; head declares the others, or so many."""
    kept = names(of - deletes if declared is None else declared, deletes)
    return plan_of(headed(*map(manifest, kept), guards=limits), [*map(live, names(of))], git(), intent)


def told(plan: Plan) -> list[tuple[str, float | None, float | None]]:
    """Each violation's guard, limit and actual value."""
    return [(v.guard, v.limit, v.actual) for v in plan.violations]


def message(plan: Plan) -> str:
    """What the one violation says."""
    (violation,) = plan.violations
    return violation.message


@pytest.mark.parametrize(
    ("deletes", "of", "limits", "expected"),
    [
        (4, 20, only(max_deletes=5), []),
        (5, 20, only(max_deletes=5), []),
        (6, 20, only(max_deletes=5), [("max-deletes", 5, 6)]),
        (1, 20, only(max_deletes=0), [("max-deletes", 0, 1)]),
        (0, 20, only(max_deletes=0, max_delete_fraction=0.0), []),
        (1, 8, only(max_delete_fraction=0.25), []),
        (2, 8, only(max_delete_fraction=0.25), []),
        (3, 8, only(max_delete_fraction=0.25), [("max-delete-fraction", 0.25, 0.375)]),
        (29, 100, only(max_delete_fraction=0.29), []),
        (1, 4, only(max_delete_fraction=0.25), []),
        (2, 4, only(max_delete_fraction=0.25), [("max-delete-fraction", 0.25, 0.5)]),
        (1, 3, only(max_delete_fraction=0.25), []),
        (1, 2, only(max_delete_fraction=0.0), []),
        (2, 3, only(max_delete_fraction=0.9), [("max-delete-fraction", 1, 2)]),
        (2, 3, UNLIMITED, []),
        (19, 20, UNLIMITED, []),
        (8, 20, Guards(), [("max-deletes", 5, 8), ("max-delete-fraction", 0.25, 0.4)]),
    ],
)
def test_deletes_are_limited_by_number_and_by_fraction(
    deletes: int, of: int, limits: Guards, expected: list[tuple[str, float, float]]
) -> None:
    """At the limit is allowed; a fraction counts from four clusters on, below only one delete is let through."""
    assert told(deleting(deletes, of, limits)) == expected


def test_a_fraction_is_of_all_that_is_live_or_declared_whatever_is_selected() -> None:
    """The larger of the two; neither what is on its way out nor what another target declares is of this fleet."""
    quarter = only(max_delete_fraction=0.25)
    assert told(deleting(1, 3, quarter, declared=10)) == []
    assert told(deleting(2, 3, only(max_delete_fraction=0.9), declared=10)) == [("max-delete-fraction", 1, 2)]
    assert told(deleting(1, 3, only(max_delete_fraction=0.05), declared=10)) == [("max-delete-fraction", 0.05, 0.1)]
    one, clusters = headed(*map(manifest, names(6, 2)), guards=quarter), [*map(live, names(8))]
    assert told(plan_of(one, clusters, git(), Intent(prune="all", only=("c0[0-2]",)))) == []
    twice = replace(one, elsewhere=frozenset(names(4, 2)))
    assert told(plan_of(twice, clusters, git(), PRUNE_ALL)) == []
    many = [live(name, status="Deleting") for name in names(9, 20)] + [*map(live, names(9, 40))]
    shared = headed(manifest("c02"), guards=quarter, elsewhere=frozenset(names(9, 40)))
    assert told(plan_of(shared, clusters[:3] + many, git(), PRUNE_ALL)) == [("max-delete-fraction", 1, 2)]


@pytest.mark.parametrize("prune", ["owned", "all"])
def test_a_head_that_declares_nothing_deletes_nothing(prune: str) -> None:
    """However few they are; unless this run is allowed to. What is only not selected is still declared."""
    intent = Intent.model_validate({"prune": prune})
    plan = plan_of(headed(guards=UNLIMITED), [live()], git(applied=[manifest()]), intent)
    assert told(plan) == [("empty-head", 1, 0)]
    assert plan_of(headed(guards=UNLIMITED), [live()], git(), Intent()).violations == ()
    assert told(deleting(1, 2, UNLIMITED, intent=Intent(prune="all", only=("c00",)))) == []


def drifted(count: int, of: int, limits: Guards, *, adopted: int = 0) -> Plan:
    """The plan of so many clusters in a fleet whose size drifted, and so many that are adopted and changed."""
    fleet = [manifest(name, shard_count=3) for name in names(of)]
    clusters = [live(m.name, shard_count=2 if i < count + adopted else 3) for i, m in enumerate(fleet)]
    return plan_of(headed(*fleet, guards=limits), clusters, git(applied=fleet[adopted:]), Intent(adopt=("*",)))


def test_changes_that_nobody_reviewed_are_limited() -> None:
    """Drift, conflict and adoption together; a live list that lost most of what was applied looks just so."""
    half = only(max_unreviewed_fraction=0.5)
    expected = [("max-unreviewed-fraction", 0.5, 0.6)]
    assert told(drifted(5, 10, half)) == []
    assert told(drifted(6, 10, half)) == expected
    assert told(drifted(5, 10, half, adopted=1)) == expected
    assert told(drifted(3, 3, half)) == []
    assert told(drifted(9, 10, UNLIMITED)) == []
    fleet = [manifest(name, shard_count=3) for name in names(10)]
    one, listed = headed(*fleet, guards=half), [live(name, shard_count=3) for name in names(10)]
    assert told(plan_of(one, listed[:4], git(applied=fleet))) == expected
    assert told(plan_of(one, listed[:5], git(applied=fleet))) == []
    assert told(plan_of(one, listed[:4], git(*fleet))) == []
    unreviewed = git(applied=[m.model_copy(update={"shard_count": 1}) for m in fleet])
    assert told(plan_of(one, [*map(live, names(6)), *listed[6:]], unreviewed)) == expected
    assert told(plan_of(one, [*map(live, names(10))], git(applied=[*map(manifest, names(10))]))) == []


def test_added_nodes_are_limited_in_all() -> None:
    """What is added less what is taken away; the brake is off unless it is set."""
    grown, clusters = (
        [manifest("a", shard_count=4), manifest("new"), manifest("b", shard_count=1)],
        [live("a"), live("b")],
    )
    for most, expected in [(7, []), (6, []), (5, [("max-added-nodes", 5, 6)]), (None, [])]:
        assert told(plan_of(headed(*grown, guards=only(max_added_nodes=most)), clusters, git(*grown))) == expected
    assert told(plan_of(headed(guards=only(max_added_nodes=0)), [live()], git())) == []


def stray_deleted(evidence: Evidence, guards: Guards = UNLIMITED, *, allow: tuple[GuardName, ...] = ()) -> Plan:
    """The plan that deletes `prod-db` beside a declared cluster."""
    one = headed(manifest(), guards=guards)
    return plan_of(one, [live(), live("prod-db")], evidence, Intent(prune="all", allow=allow))


def test_what_is_protected_only_git_lets_go() -> None:
    """By its last declaration, by the one that was applied, by a pattern; under `--prune=all` and any `--allow` too."""
    free = manifest("prod-db")
    held = manifest("prod-db", lifecycle={"prevent_destroy": True})

    def gone(*declared: Manifest) -> Evidence:
        older = [commit("set", 5, declared[1], declared[0])] if declared[1:] else []
        return git(history={"prod-db": [commit("removing", 1, declared[0], None), *older]})

    by_git = (
        "prod-db would be deleted, but prevent_destroy stands at manifests/prod-db.yaml:9: take it out in a change of "
        "its own, and apply that, before the manifest is removed"
    )
    for evidence in [git(held), git(applied=[held]), git(free, applied=[held]), gone(held), gone(held, free)]:
        assert message(stray_deleted(evidence, allow=EVERY_GUARD)) == by_git
    for evidence in [git(free), gone(free, held), git(), Evidence()]:
        assert told(stray_deleted(evidence)) == []
    by_pattern = (
        "prod-db would be deleted, but protect has prod-*: take the pattern out in a change of its own, and apply that"
    )
    protecting = Guards(protect=("prod-*",))
    assert message(stray_deleted(Evidence(), protecting, allow=EVERY_GUARD)) == by_pattern
    assert message(stray_deleted(git(guards=protecting), allow=EVERY_GUARD)) == by_pattern
    assert told(stray_deleted(git(), Guards(protect=("orders", "prod")))) == []


def test_an_adoption_that_changes_something_needs_the_clusters_name() -> None:
    """Or a pattern that matches it; `--allow` doesn't do, and an adoption that changes nothing needs none."""
    one, clusters = headed(manifest("a", shard_count=3), manifest("ab"), guards=UNLIMITED), [live("a"), live("ab")]

    def adopting(*patterns: str, allow: tuple[GuardName, ...] = ()) -> tuple[Violation, ...]:
        return plan_of(one, clusters, git(), Intent(adopt=patterns, allow=allow)).violations

    (violation,) = adopting()
    assert (violation.guard, violation.limit, violation.actual) == ("adopt", None, None)
    assert violation.message == "a is live already, and declaring it would change it: allow it with --adopt=a"
    assert adopting("b*", "A", allow=EVERY_GUARD) == (violation,)
    assert adopting("b", "a") == adopting("a*") == adopting("*") == ()
    assert plan_of(headed(manifest("ab")), clusters[1:], git()).violations == ()


@pytest.mark.parametrize("name", EVERY_GUARD[:5])
def test_allow_lifts_exactly_one_guard_for_one_run(name: GuardName) -> None:
    """Whichever is named, the others still hold."""
    strict = Guards(max_deletes=1, max_delete_fraction=0.0, max_unreviewed_fraction=0.0, max_added_nodes=0)
    fleet = [manifest(n, shard_count=3) for n in names(8)]
    one, drifting, gone = headed(guards=strict), headed(*fleet, guards=strict), [*map(live, names(8))]
    at_applied = git(applied=fleet)
    refused = [v.guard for v in plan_of(one, gone, git(), PRUNE_ALL).violations]
    refused += [v.guard for v in plan_of(drifting, gone, at_applied).violations]
    assert refused == [*EVERY_GUARD[:5]]
    lifted = [v.guard for v in plan_of(one, gone, git(), Intent(prune="all", allow=(name,))).violations]
    lifted += [v.guard for v in plan_of(drifting, gone, at_applied, Intent(allow=(name,))).violations]
    assert lifted == [guard for guard in EVERY_GUARD[:5] if guard != name]


def test_no_change_lifts_its_own_limit() -> None:
    """The stricter of head's and what was applied holds, limit by limit."""
    one = headed(*map(manifest, names(6, 4)), guards=Guards(max_deletes=9, max_delete_fraction=0.3))
    clusters = [*map(live, names(10))]
    plan = plan_of(one, clusters, git(guards=Guards(max_deletes=3, max_delete_fraction=None)), PRUNE_ALL)
    assert told(plan) == [("max-deletes", 3, 4), ("max-delete-fraction", 0.3, 0.4)]
    assert told(plan_of(one, clusters, git(guards=UNLIMITED), PRUNE_ALL)) == [("max-delete-fraction", 0.3, 0.4)]


def test_each_refusal_says_limit_value_and_how_to_allow_it() -> None:
    """In words that fit one and many."""
    allowed = ": allow it for one run with --allow "
    assert message(plan_of(headed(guards=UNLIMITED), [live()], git(), PRUNE_ALL)) == (
        f"head declares no cluster at all, and 1 cluster would be deleted{allowed}empty-head"
    )
    assert message(deleting(6, 20, only(max_deletes=5))) == (
        f"6 clusters would be deleted, and 5 are the most{allowed}max-deletes"
    )
    assert message(deleting(1, 2, only(max_deletes=0))) == (
        f"1 cluster would be deleted, and 0 are the most{allowed}max-deletes"
    )
    assert message(deleting(3, 8, only(max_delete_fraction=0.125))) == (
        f"3 of 8 clusters would be deleted, and 12.5% are the most{allowed}max-delete-fraction"
    )
    assert message(deleting(2, 3, only(max_delete_fraction=0.29))) == (
        f"2 clusters of 3 would be deleted, and of so few one is the most{allowed}max-delete-fraction"
    )
    assert message(drifted(6, 10, only(max_unreviewed_fraction=0.29))) == (
        "6 of 10 clusters would be changed for what nobody reviewed (drift, conflicts, adoptions), "
        f"and 29% are the most{allowed}max-unreviewed-fraction"
    )
    assert message(plan_of(headed(manifest(), guards=only(max_added_nodes=3)), [], git())) == (
        f"4 nodes would be added, and 3 are the most{allowed}max-added-nodes"
    )
