"""Each guard just under, at and over its limit, with the words that say how to allow it."""

from typing import Any

import pytest

from reconciler.model.evidence import Evidence, Gone, Removal
from reconciler.model.guards import ALLOWABLE, GUARDS, Limits, Prices
from reconciler.plan.guards import CHECKS
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from reconciler.problem import Place
from tests.fakes import declaration, head, live, manifest
from tests.plan.histories import UNLIMITED, git, limited, plan_of, record

PRUNE_ALL = Intent(prune="all")


def names(count: int, first: int = 0) -> list[str]:
    """`c00`, `c01` and so on."""
    return [f"c{number:02}" for number in range(first, first + count)]


def deleting(deletes: int, of: int, limits: Limits, *, declared: int | None = None, intent: Intent = PRUNE_ALL) -> Plan:
    """The plan that deletes the first of so many live clusters; head declares the others, or so many."""
    kept = names(of - deletes if declared is None else declared, deletes)
    return plan_of(
        head(*map(manifest, kept), limits=limits), [*map(live, names(of))], git(recorded=map(manifest, kept)), intent
    )


def told(plan: Plan) -> list[tuple[str, float | None, float | None]]:
    """Each violation's guard, limit and actual value."""
    return [(v.guard, v.limit, v.actual) for v in plan.violations]


def test_every_guard_is_checked_where_there_is_a_plan_to_check() -> None:
    """But for the one that refuses before there is one, and the one that leaves instead of refusing."""
    assert {guard.name for guard in GUARDS} - set(CHECKS) == {"max-drift-fraction", "stale-head"}
    assert set(CHECKS) <= {guard.name for guard in GUARDS}


@pytest.mark.parametrize(
    ("deletes", "of", "limits", "expected"),
    [
        (4, 20, limited(max_deletes=5), []),
        (5, 20, limited(max_deletes=5), []),
        (6, 20, limited(max_deletes=5), [("max-deletes", 5, 6)]),
        (1, 20, limited(max_deletes=0), [("max-deletes", 0, 1)]),
        (0, 20, limited(max_deletes=0, max_delete_fraction=0.0), []),
        (2, 8, limited(max_delete_fraction=0.25), []),
        (3, 8, limited(max_delete_fraction=0.25), [("max-delete-fraction", 0.25, 0.375)]),
        (29, 100, limited(max_delete_fraction=0.29), []),
        (1, 4, limited(max_delete_fraction=0.25), []),
        (2, 4, limited(max_delete_fraction=0.25), [("max-delete-fraction", 0.25, 0.5)]),
        (1, 3, limited(max_delete_fraction=0.25), []),
        (1, 2, limited(max_delete_fraction=0.0), []),
        (2, 3, limited(max_delete_fraction=0.9), [("max-delete-fraction", 1, 2)]),
        (2, 3, UNLIMITED, []),
        (19, 20, UNLIMITED, []),
        (8, 20, Limits(), [("max-deletes", 5, 8), ("max-delete-fraction", 0.25, 0.4)]),
    ],
)
def test_deletes_are_limited_by_number_and_by_fraction(
    deletes: int, of: int, limits: Limits, expected: list[tuple[str, float, float]]
) -> None:
    """At the limit is allowed; a fraction counts from four clusters on, below only one delete is let through."""
    plan = deleting(deletes, of, limits)
    assert [one for one in told(plan) if one[0] != "empty-head"] == expected


def test_a_fraction_is_of_all_that_is_live_or_declared_whatever_is_selected() -> None:
    """The larger of the two; what is on its way out is not of this fleet."""
    quarter = limited(max_delete_fraction=0.25)
    assert told(deleting(1, 3, quarter, declared=10)) == []
    assert told(deleting(2, 3, limited(max_delete_fraction=0.9), declared=10)) == [("max-delete-fraction", 1, 2)]
    assert told(deleting(1, 3, limited(max_delete_fraction=0.05), declared=10)) == [("max-delete-fraction", 0.05, 0.1)]
    one, found = head(*map(manifest, names(6, 2)), limits=quarter), [*map(live, names(8))]
    assert told(plan_of(one, found, git(), Intent(prune="all", only=("c0[0-2]",)))) == []
    going = [live(name, status="Deleting") for name in names(9, 20)]
    few = head(manifest("c02"), limits=quarter)
    assert told(plan_of(few, found[:3] + going, git(), PRUNE_ALL)) == [("max-delete-fraction", 1, 2)]


def test_added_nodes_are_limited_in_all() -> None:
    """What is added less what is taken away; the brake is off unless it is set."""
    grown = [manifest("a", shard_count=4), manifest("new"), manifest("b", shard_count=1)]
    known = git(recorded=[manifest("a"), manifest("b")])
    for most, expected in [(7, []), (6, []), (5, [("max-added-nodes", 5, 6)]), (None, [])]:
        one = head(*grown, limits=limited(max_added_nodes=most))
        assert told(plan_of(one, [live("a"), live("b")], known)) == expected


def test_added_cost_is_limited_in_all() -> None:
    """Exact at the limit, less what goes away; what has no price is more than any limit."""
    grown = [manifest("a", node_instance_type="x"), manifest("b", shard_count=3)]
    for prices, most, expected in [
        ({"m6g.large": 0.1, "x": 0.1}, 0.2, []),
        ({"m6g.large": 0.1, "x": 0.1}, 0.19, [("max-added-cost", 0.19, 0.2)]),
        ({"m6g.large": 0.1, "x": 0.35}, 1, [("max-added-cost", 1, 1.2)]),
        ({"m6g.large": 0.1, "x": 0.01}, 0, []),
        ({"m6g.large": 0.1, "x": 9}, None, []),
        ({"m6g.large": 0.1}, 99, [("max-added-cost", 99, None)]),
        ({"x": 0.1}, 0.4, []),
        ({}, 99, [("max-added-cost", 99, None)]),
    ]:
        one = head(*grown, limits=limited(max_added_cost=most).at_prices(prices))
        known = git(recorded=[manifest("a"), manifest("b")])
        assert told(plan_of(one, [live("a"), live("b")], known)) == expected


@pytest.mark.parametrize(
    ("at_head", "recorded", "at_base", "expected"),
    [
        (0, 9, None, 36),
        (9, 0, None, 36),
        (0, 9, 2, 8),
        (3, 9, 2, 12),
        (0, 9, {}, 36),
        (0, {}, None, None),
        (0, {"another": 9}, None, "unknown"),
        (0, {"another": 9}, 2, 8),
        ({}, 0, 0, "unknown"),
    ],
)
def test_no_change_makes_itself_cheaper(at_head: Any, recorded: Any, at_base: Any, expected: Any) -> None:
    """By head's prices, and by the record's or base's, if that is more; who has none at all says nothing."""

    def prices(of: Any) -> Limits:
        return limited(max_added_cost=1).at_prices(of if isinstance(of, dict) else {"m6g.large": of})

    evidence = git(record=record(limits=prices(recorded)), limits=None if at_base is None else prices(at_base))
    plan = plan_of(head(manifest(), limits=prices(at_head)), [], evidence)
    actual = None if expected == "unknown" else expected
    assert told(plan) == ([] if expected is None else [("max-added-cost", 1, actual)])


def test_a_refused_cost_says_by_which_prices_it_is_reckoned() -> None:
    """And every way to allow it, the price that is missing included."""
    once = "allow it for one run with --allow max-added-cost, or `allow: max-added-cost` in the workflow"
    raised = f"{once}; permanently: raise guards.max_added_cost in a change of its own, and apply that"
    priced = f"{once}; permanently: add the price in a change of its own, and apply that"
    none: Prices = {}
    cheap, dear, other = {"m6g.large": 0.01}, {"m6g.large": 0.3}, {"x": 1.0}
    for at_head, at_base, expected in [
        (dear, none, f"1.20 an hour would be added; the limit is 0.50 (max_added_cost at fleet.yaml:3): {raised}"),
        (cheap, dear, f"1.20 an hour would be added, by the prices before this change; the limit is 0.50 (max_added_cost at fleet.yaml:3): {raised}"),
        (dear, dear, f"1.20 an hour would be added; the limit is 0.50 (max_added_cost at fleet.yaml:3): {raised}"),
        (other, none, f"nodes without a price would be added: m6g.large (max_added_cost at fleet.yaml:3): {priced}"),
        (cheap, other, f"nodes without a price would be added, by the prices before this change: m6g.large (max_added_cost at fleet.yaml:3): {priced}"),
    ]:  # fmt: skip
        here = UNLIMITED.overlaid({"max_added_cost": 0.5}, {"max_added_cost": Place("fleet.yaml", 3)})
        evidence = git(recorded=None, limits=UNLIMITED.at_prices(at_base))
        plan = plan_of(head(manifest(), limits=here.at_prices(at_head)), [], evidence)
        assert [violation.message for violation in plan.violations] == [expected]


# ---- whose limits


@pytest.mark.parametrize(
    ("at_head", "recorded", "at_base", "expected"),
    [
        (1, 9, None, 1),
        (9, 1, None, 1),
        (9, 1, 2, 2),
        (9, 3, 2, 3),
        (2, 3, 4, 2),
        (None, 3, None, 3),
        (9, None, 2, 9),
        (9, "no record", 2, 2),
        (9, "no record", None, 9),
    ],
)
def test_no_change_lifts_its_own_limit(at_head: Any, recorded: Any, at_base: Any, expected: int) -> None:
    """The stricter of head's and the looser of the record's and base's, where that isn't HEAD; None is no limit."""
    known = None if recorded == "no record" else record(limits=limited(max_deletes=recorded))
    # base's being None in these examples means that base is HEAD
    evidence = git(record=known, limits=None if at_base is None else limited(max_deletes=at_base))
    one = head(*map(manifest, names(20, 10)), limits=limited(max_deletes=at_head))
    plan = plan_of(one, [*map(live, names(10))], evidence, PRUNE_ALL)
    assert told(plan) == [("max-deletes", expected, 10)]


def test_where_a_limit_stands_is_told() -> None:
    """Of the one that counts: base's, if that is the stricter."""
    there = UNLIMITED.overlaid({"max_deletes": 1, "protect": ("c00",)}, {"max_deletes": Place("base.yaml", 9)})
    here = UNLIMITED.overlaid(
        {"max_deletes": 9, "protect": ("x",)},
        {"max_deletes": Place("fleet.yaml", 3), "protect": Place("fleet.yaml", 4)},
    )
    evidence = git(recorded=None, limits=there)
    plan = plan_of(head(*map(manifest, names(20, 2)), limits=here), [*map(live, names(2))], evidence, PRUNE_ALL)
    assert [(v.guard, v.file, v.line) for v in plan.violations] == [
        ("max-deletes", "base.yaml", 9),
        ("protected", "fleet.yaml", 4),
    ]


# ---- what they say


def stray(evidence: Evidence, *, limits: Limits = UNLIMITED, declared: bool = True) -> Plan:
    """The plan that deletes `prod-db`, whatever is allowed."""
    one = head(*[manifest()] * declared, limits=limits)
    return plan_of(one, [live(), live("prod-db")], evidence, Intent(prune="all", allow=ALLOWABLE))


def test_what_is_protected_only_git_lets_go() -> None:
    """By its last declaration, by the record, by a pattern; whatever is allowed, and behind one that isn't protected."""
    mend = "only git lifts this: take it out in a change of its own, apply that, then remove the manifest"
    free, held = manifest("prod-db"), manifest("prod-db", lifecycle={"prevent_destroy": True})
    by_git = f"prod-db would be deleted, but prevent_destroy is set at manifests/prod-db.yaml:8: {mend}"
    by_record = f"prod-db would be deleted, but the record has prevent_destroy, as last applied from manifests/prod-db.yaml:1: {mend}"
    by_pattern = f"prod-db would be deleted, but protect has the pattern prod-* (protect at fleet.yaml:12): {mend}"
    protecting = UNLIMITED.overlaid({"protect": ("x", "prod-*")}, {"protect": Place("fleet.yaml", 12)})
    removed = {"prod-db": Removal("removing", declaration(held))}
    for evidence, limits, expected in [
        (git(held), UNLIMITED, by_git),
        (git(held, recorded=[free]), protecting, by_git),
        (git(removals=removed), UNLIMITED, by_git),
        (git(recorded=[held]), UNLIMITED, by_record),
        (git(free, recorded=[held]), UNLIMITED, by_record),
        (git(), protecting, by_pattern),
        (git(limits=protecting, recorded=None), UNLIMITED, by_pattern),
    ]:
        assert [v.message for v in stray(evidence, limits=limits).violations] == [expected]
    assert stray(git(free, recorded=[free])).violations == ()
    both = plan_of(
        head(), [live("a-free"), live("prod-db")], git(recorded=[held]), Intent(prune="all", allow=ALLOWABLE)
    )
    assert [v.message for v in both.violations] == [by_record]


def test_each_refusal_names_the_value_the_limit_and_every_way_to_allow_it() -> None:
    """In git, in a workflow, on the command line."""
    limits = Limits(
        {"max_deletes": 1, "max_delete_fraction": 0.25, "max_added_nodes": 3, "protect": ()},
        {"max_deletes": Place("fleet.yaml", 12)},
    )
    fleet = [manifest(name) for name in names(9, 10)]
    plan = plan_of(head(*fleet, limits=limits), [*map(live, names(4))], git(), PRUNE_ALL)
    assert [v.message for v in plan.violations] == [
        (
            "4 clusters would be deleted; the limit is 1 (max_deletes at fleet.yaml:12): allow it for one run with "
            "--allow max-deletes, or `allow: max-deletes` in the workflow; permanently: raise guards.max_deletes in a change "
            "of its own, and apply that"
        ),
        (
            "4 of 9 clusters would be deleted; the limit is 25%: allow it for one run with --allow max-delete-fraction, "
            "or `allow: max-delete-fraction` in the workflow; permanently: raise guards.max_delete_fraction in a change of its "
            "own, and apply that"
        ),
        (
            "20 nodes would be added; the limit is 3: allow it for one run with --allow max-added-nodes, or `allow: "
            "max-added-nodes` in the workflow; permanently: raise guards.max_added_nodes in a change of its own, and apply that"
        ),
    ]
    few = deleting(2, 2, limited(max_delete_fraction=0.9), declared=1)
    assert few.violations[0].message.startswith(
        "2 of 2 clusters would be deleted; of fewer than 4 clusters the limit is 1: allow"
    )


def test_a_head_that_declares_nothing_deletes_nothing() -> None:
    """However few they are; what is only not selected is still declared."""
    plan = plan_of(head(limits=UNLIMITED), [live()], git(recorded=[manifest()]), Intent(prune="owned"))
    assert told(plan) == [("empty-head", None, 0)]
    assert [v.message for v in plan.violations] == [
        (
            "head declares no cluster at all, and 1 cluster would be deleted: allow it for one run with --allow empty-head, "
            "or `allow: empty-head` in the workflow"
        )
    ]
    assert plan_of(head(limits=UNLIMITED), [live()], git(), Intent()).violations == ()
    assert told(deleting(1, 2, UNLIMITED, intent=Intent(prune="all", only=("c00",)))) == []


def test_an_adoption_that_changes_something_needs_consent() -> None:
    """In its manifest or on the command line; `--allow` isn't one. What is equal, or ours, needs none."""
    one = manifest(shard_count=3)
    plan = plan_of(head(one, limits=UNLIMITED), [live()], git(), Intent(allow=ALLOWABLE))
    assert [v.message for v in plan.violations] == [
        (
            "orders is live already, made by somebody else, and would be changed: allow it for one run with --adopt=orders, "
            "or `adopt: orders` in the workflow; permanently: write `lifecycle: {adopt: true}` in its manifest"
        )
    ]
    many = [manifest(name, shard_count=3) for name in names(12)]
    refused = plan_of(head(*many, limits=UNLIMITED), [live(name) for name in names(12)], git(), Intent()).violations
    assert [v.message for v in refused] == [
        (
            "12 clusters are live already, made by somebody else, and would be changed "
            "(c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more): "
            "allow it for one run with --adopt, or --adopt=GLOB for some of them, or `adopt: GLOB` in the workflow; "
            "permanently: write `lifecycle: {adopt: true}` in their manifests"
        )
    ]
    consented = manifest(shard_count=3, lifecycle={"adopt": True})
    assert plan_of(head(one), [live()], git(), Intent(adopt=("ord*",))).violations == ()
    assert plan_of(head(consented), [live()], git(), Intent()).violations == ()
    assert plan_of(head(manifest()), [live()], git(), Intent()).violations == ()
    assert plan_of(head(one), [live()], git(recorded=[manifest()]), Intent()).violations == ()
    assert told(plan_of(head(manifest()), [live(errors=["Odd"])], git(), Intent())) == [("adopt", None, None)]


def test_what_would_be_left_behind_is_refused() -> None:
    """A target that is taken away, or sent elsewhere, while its record isn't empty."""
    gone = (Gone("old", "https://old", tuple(names(12))), Gone("moved", "https://a", ("x",), "https://b"))
    plan = plan_of(head(manifest()), [live()], git(recorded=[manifest()])._replace(gone=gone))
    assert told(plan) == [("orphans", None, 12), ("orphans", None, 1)]
    ways = "allow it for one run with --allow orphans, or `allow: orphans` in the workflow"
    assert [v.message for v in plan.violations] == [
        (
            "this change takes target old away, and leaves 12 clusters behind at https://old: c00, c01, c02, c03, c04, c05, "
            f"c06, c07, c08, c09 and 2 more: {ways}"
        ),
        f"this change sends target moved to https://b, and leaves 1 cluster behind at https://a: x: {ways}",
    ]
    ten = git()._replace(gone=(Gone("old", "https://old", tuple(names(10))),))
    (told_all,) = plan_of(head(manifest()), [live()], ten).violations
    assert told_all.message == (
        "this change takes target old away, and leaves 10 clusters behind at https://old: "
        f"c00, c01, c02, c03, c04, c05, c06, c07, c08, c09: {ways}"
    )


@pytest.mark.parametrize("guard", ALLOWABLE)
def test_what_is_allowed_for_one_run_is_not_checked(guard: str) -> None:
    """That guard, and no other."""
    limits = Limits(
        {"max_deletes": 0, "max_delete_fraction": 0.0, "max_added_nodes": -99, "max_added_cost": 0, "protect": ("c00",)}
    )
    limits = limits.at_prices({"m6g.large": -1})
    evidence = git()._replace(gone=(Gone("old", "https://old", ("x",)),))

    def refused(*allow: str) -> set[str]:
        plan = plan_of(head(limits=limits), [*map(live, names(5))], evidence, Intent(prune="all", allow=allow))
        return {violation.guard for violation in plan.violations}

    assert refused(guard) == refused() - {guard}
