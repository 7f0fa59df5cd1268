"""One plan held against another."""

from typing import Any

import pytest

from reconciler.model.cluster import LiveCluster
from reconciler.plan.change import Cause, Change
from reconciler.plan.compare import compare
from reconciler.plan.decide import make_plan
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from reconciler.plan.reviewed import Reviewed, Verdict, hold_against, is_harmless, what_stands
from reconciler.problem import Problem
from tests.fakes import head, live, manifest
from tests.plan.histories import digests, git, only_change, plan_of, read

CARRIED: dict[str, Any] = {"shard_placements": [{"shard_index": 0, "availability_zone": "a"}]}
REMEDY = "look at it with `reconciler plan`, and have that plan reviewed; or apply it by hand without --expect"


def planned(shards: int = 3, found: LiveCluster | None = None) -> Plan:
    """A plan of one update, of a description; and, where the shards differ, of those."""
    one = manifest(description="new", shard_count=shards)
    before = manifest(description="old")
    return plan_of(head(one), [found or live(description="old")], git(before, recorded=[before]))


def test_what_somebody_has_seen_goes_on() -> None:
    """By the digest of the plan, or by the change's in any plan of this target and endpoint."""
    plan = planned()
    other = plan.model_copy(update={"endpoint": "https://other"})
    for reviewed in [Reviewed.of([plan.digest], []), Reviewed.of([], [plan]), Reviewed.of([], [planned(4), plan])]:
        assert hold_against(plan, reviewed, "refuse") == Verdict()
        assert [reviewed.shows(plan, change) for change in plan.changes] == [True]
    assert Reviewed.of([], [plan]).of_target("default", "https://h") == {*digests(plan)}
    assert Reviewed.of([], [plan]).of_target("other", "https://h") == frozenset()
    for reviewed in [
        Reviewed(),
        Reviewed.of([], [other]),
        Reviewed.of([], [plan.model_copy(update={"live_read": False})]),
    ]:
        (refusal,) = hold_against(plan, reviewed, "refuse").refusals
        assert (refusal.kind, refusal.target) == ("stale", "default")
        assert (refusal.message, refusal.remedy) == ("not reviewed: update orders", REMEDY)


def test_what_is_otherwise_than_reviewed_says_how() -> None:
    """One line a cluster, of the same action, at the manifest's place."""
    verdict = hold_against(planned(4), Reviewed.of([], [planned(3)]), "harmless")
    how = "not as reviewed: sent.shard_count: 3, now 4"
    assert verdict.refusals == (
        Problem("stale", "not reviewed: update orders", REMEDY, "default"),
        Problem("stale", how, None, "default", "orders", "manifests/orders.yaml", 1),
    )
    moved = hold_against(planned(found=live(description="old", shard_count=9)), Reviewed.of([], [planned()]), "refuse")
    assert moved.refusals[1].message == "not as reviewed: live.shard_count: 2, now 9"
    assert hold_against(planned(), Reviewed.of([], [planned()]), "refuse").refusals == ()
    gone = [plan_of(head(), [live(**was)], git(), Intent(prune="all")) for was in ({}, CARRIED)]
    (_, problem) = hold_against(gone[1], Reviewed.of([], gone[:1]), "refuse").refusals
    assert (problem.message, problem.file) == ("not as reviewed: what is live has changed", None)


def test_what_was_reviewed_as_left_was_not_reviewed_as_sent() -> None:
    """Nor is what has no request."""
    one, drifted = head(manifest(shard_count=3)), git(manifest(shard_count=3), recorded=[manifest(shard_count=3)])
    reported = plan_of(head(manifest(shard_count=3), on_drift="report"), [live()], drifted)
    sent = plan_of(one, [live()], drifted)
    (_, problem) = hold_against(sent, Reviewed.of([], [reported]), "harmless").refusals
    assert problem.message.startswith("not as reviewed: requests[0]: nothing, now 'PUT'; sent: {}, now {")


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more"), (7, " and 2 more")])
def test_up_to_five_are_named(count: int, more: str) -> None:
    """And the others counted."""
    plan = plan_of(head(*(manifest(f"c{number}") for number in range(count))), [], git())
    named = "create c0, create c1, create c2, create c3, create c4"
    assert hold_against(plan, Reviewed(), "harmless").notes == (f"not reviewed, and harmless: {named}{more}",)


def test_of_many_a_few_are_told() -> None:
    """Names and differences are bounded."""
    names = [f"c{i:02}" for i in range(30)]
    plans = [
        plan_of(head(*(manifest(n, shard_count=s) for n in names)), [], git()) for s in (3, 4)
    ]  # fmt: skip
    verdict = hold_against(plans[1], Reviewed.of([], plans[:1]), "refuse")
    assert verdict.refusals[0].message == (
        "not reviewed: create c00, create c01, create c02, create c03, create c04 and 25 more"
    )
    assert [problem.cluster for problem in verdict.refusals[1:]] == names[:10]


def test_what_is_harmless_goes_on_and_is_said() -> None:
    """Where that is asked for; drift that is left does no harm to it."""
    before, now = manifest(description="old", shard_count=3), manifest(description="new", shard_count=3)
    plan = plan_of(head(now), [live(description="old")], git(before, recorded=[before]), Intent(), reviewed=frozenset())
    assert [(f.path, f.left) for f in plan.changes[0].fields] == [("description", None), ("shard_count", "unreviewed")]
    assert hold_against(plan, Reviewed(), "harmless") == Verdict(notes=("not reviewed, and harmless: update orders",))
    assert hold_against(plan, Reviewed(), "refuse").refusals


@pytest.mark.parametrize(
    ("cause", "recorded", "base", "now", "harmless"),
    [
        ("revision", {}, {}, {"description": "x"}, True),
        ("pending", {}, {"description": "x"}, {"description": "x"}, True),
        ("drift", {"description": "x"}, {"description": "x"}, {"description": "x"}, False),
        ("conflict", {"description": "y"}, {"description": "x"}, {"description": "x"}, False),
        ("adoption", None, {}, {"description": "x"}, False),
        ("revision", {}, {}, {"shard_count": 3}, False),
    ],
)
def test_what_was_merged_and_risks_nothing_is_harmless(
    cause: Cause, recorded: dict[str, Any] | None, base: dict[str, Any], now: dict[str, Any], harmless: bool
) -> None:
    """Nothing else is: nor anything that nobody merged, nor anything with a risk."""
    evidence = git(manifest(**base), recorded=[] if recorded is None else [manifest(**recorded)])
    change = only_change(head(manifest(**now)), [live()], evidence)
    assert (change.cause, is_harmless(change)) == (cause, harmless)


def test_creates_and_retries_are_harmless_and_deletes_are_not() -> None:
    """A create that is one half of a move has the risk of it."""
    one = manifest()
    assert is_harmless(only_change(head(one), [], git()))
    assert is_harmless(only_change(head(one), [live(errors=["Odd"])], git(one, recorded=[one])))
    delete = only_change(head(), [live()], git(one, recorded=[one]), Intent(prune="owned"))
    assert not is_harmless(delete)
    assert not is_harmless(delete.model_copy(update={"risks": ()}))


# ---- a plan that was saved

BEFORE = manifest(description="old")
ONE = manifest(description="new", shard_count=3)


def standing(
    found: list[LiveCluster], *, was: list[LiveCluster], recorded: bool = True, declared: bool = True
) -> tuple[list[Change], list[str]]:
    """What is done, and why the others are stale, of a plan made when `was` was live and carried out now."""
    one, evidence = head(*[ONE] * declared), git(BEFORE, recorded=[BEFORE] * recorded)
    intent = Intent(prune="owned")
    saved = plan_of(one, was, evidence, intent)
    fresh = plan_of(one, found, evidence, intent, saved=digests(saved))
    stands = what_stands(saved, fresh, found)
    assert len(stands.done) + len(stands.stale) + len(fresh.changes) == len(saved.changes)
    return [*stands.done], [why for _, why in stands.stale]


UPDATED = live(description="old")
DONE = live(description="new", shard_count=3)


@pytest.mark.parametrize(
    ("was", "now", "done", "stale"),
    [
        (UPDATED, UPDATED, 0, []),
        (UPDATED, DONE, 1, []),
        (UPDATED, None, 0, ["it has been deleted since the plan was made"]),
        (
            UPDATED,
            live(description="old", node_instance_type="x"),
            0,
            ["it has changed since the plan was made: node_instance_type: 'm6g.large', now 'x'"],
        ),
        (
            UPDATED,
            live(description="other"),
            0,
            ["it has changed since the plan was made: description: 'old', now 'other'"],
        ),
        (
            UPDATED,
            live(description="old", shard_placements=[{"shard_index": 0, "availability_zone": "a"}]),
            0,
            ["it has changed since the plan was made"],
        ),
        (
            live(description="old", **CARRIED),
            live(description="other", **CARRIED),
            0,
            ["it has changed since the plan was made: description: 'old', now 'other'"],
        ),
        (UPDATED, live(description="new", shard_count=3, status="Deleting"), 0,
         ["it has changed since the plan was made: description: 'old', now 'new'; shard_count: 2, now 3"]),
        (None, None, 0, []),
        (None, DONE, 1, []),
        (None, live(), 0, ["it has been created since, and not as declared"]),
        (None, live(description="new", shard_count=3, status="CreationFailed"), 0,
         ["it has been created since, and not as declared"]),
    ],
)  # fmt: skip
def test_a_saved_change_is_still_to_do_or_done_or_stale_and_why(
    was: LiveCluster | None, now: LiveCluster | None, done: int, stale: list[str]
) -> None:
    """As far as its cluster is the same; what somebody did meanwhile needn't be done."""
    found, why = standing([now] if now else [], was=[was] if was else [], recorded=was is not None)
    assert (len(found), why) == (done, stale)


@pytest.mark.parametrize(
    ("now", "done", "stale"),
    [
        ([live()], 0, []),
        ([], 1, []),
        ([live(status="Deleting")], 1, []),
        ([live(shard_count=9)], 0, ["it has changed since the plan was made"]),
    ],
)
def test_a_saved_delete_is_done_where_it_is_gone_or_going(now: list[LiveCluster], done: int, stale: list[str]) -> None:
    """And stale where what would go isn't what was seen."""
    found, why = standing(now, was=[live()], declared=False)
    assert (len(found), why) == (done, stale)


@pytest.mark.parametrize(("was", "declared"), [(UPDATED, True), (live(), False)])
def test_a_saved_change_of_an_entry_that_makes_no_sense_is_stale(was: LiveCluster, declared: bool) -> None:
    """Neither a delete that is done, nor deleted by somebody else: it is there, and nobody knows how."""
    one, evidence, intent = head(*[ONE] * declared), git(BEFORE, recorded=[BEFORE]), Intent(prune="owned")
    saved, unreadable = plan_of(one, [was], evidence, intent), {"orders": "status is 7"}
    reading = read(one, [], evidence, intent)._replace(comparison=compare(one, [], intent.selects, unreadable))
    fresh = make_plan(reading, intent, saved=digests(saved))
    stands = what_stands(saved, fresh, [], unreadable)
    assert (stands.done, [(change.name, why) for change, why in stands.stale]) == (
        (),
        [("orders", "the service doesn't list it as documented: look at it in the Momento console")],
    )


def test_a_saved_change_without_a_request_is_stale_like_any() -> None:
    """A document may hold one: nobody keeps it from being written by hand."""
    saved = plan_of(head(ONE), [UPDATED], git(BEFORE, recorded=[BEFORE]))
    bare = saved.model_copy(update={"changes": (saved.changes[0].model_copy(update={"requests": ()}),)})
    fresh = saved.model_copy(update={"changes": ()})
    moved = live(description="old", shard_count=9)
    assert [why for _, why in what_stands(bare, fresh, [moved]).stale] == [
        "it has changed since the plan was made: shard_count: 2, now 9"
    ]


def test_what_git_says_otherwise_makes_a_saved_change_stale() -> None:
    """Though nothing live has moved."""
    saved = plan_of(head(ONE), [UPDATED], git(BEFORE, recorded=[BEFORE]))
    reporting = head(ONE, on_drift="report")
    drifted = manifest(description="new", shard_count=3)
    fresh = plan_of(reporting, [UPDATED], git(drifted, recorded=[drifted]), saved=digests(saved))
    assert [why for _, why in what_stands(saved, fresh, [UPDATED]).stale] == [
        "what git says of it has changed since the plan was made"
    ]
