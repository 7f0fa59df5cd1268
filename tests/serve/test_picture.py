"""A picture and an event make the next picture."""

import pytest

from reconciler.apply.machine import Progress
from reconciler.apply.ongoing import Ongoing
from reconciler.loop.events import (
    Due,
    RoundBegun,
    RoundEnded,
    RoundScheduled,
    TargetsEnded,
    TargetsJoined,
    TargetsPutAside,
)
from reconciler.plan.plan import Unhealthy, Violation
from reconciler.problem import Problem
from reconciler.results import SettlingResult
from reconciler.serve.document import state_of
from reconciler.serve.events import Event, Exchanged, LeaseAwaited, RoundApplied, RoundPlanned, RoundProgressed
from reconciler.serve.picture import OVERDUE_SECONDS, Condition, FailedRound, LastRound, Picture, UnderWay
from reconciler.serve.transition import after
from reconciler.serve.view import view_of
from tests.report.everything import a_plan, a_report, explained, in_sync, planned, update
from tests.serve.scenes import (
    APPLYING,
    NOW,
    a_round,
    a_thousand,
    all_in_sync,
    drifted,
    half_failed,
    picture_of,
    suspended_apply,
    target_planned,
)


def test_a_round_that_plans_is_seen_target_by_target() -> None:
    """What is under way and how it stands as soon as that is known; when it ended, how, and what comes next."""
    begun, planned_round, *ended, scheduled = a_round(target_planned(in_sync("us"), 3), codes=[0])
    assert picture_of(begun).under_way == {1: UnderWay(NOW - 121.2, frozenset({"us"}))}
    us = picture_of(begun, planned_round).targets["us"]
    assert (us.last_round, us.planned_at, us.condition) == (None, NOW - 121, "in-sync")
    picture = picture_of(begun, planned_round, *ended, scheduled)
    us = picture.targets["us"]
    assert us.last_round == LastRound(NOW - 121.2, 1.2, 0)
    assert (us.last_success_at, us.due, us.condition) == (NOW - 120, Due(NOW + 180), "in-sync")
    assert (picture.under_way, picture.next_at) == ({}, NOW + 180)
    assert len(us.in_sync) == 3


def test_progress_is_that_of_the_round_under_way() -> None:
    """And gone with it: of a target, with its end there, whatever others still do."""
    carts = Ongoing("us", "carts", "update", "settling", 5.0, "Updating")
    progressed = RoundProgressed(NOW + 9, 1, Progress(3, 1, 0, 2, 5, (carts,)))
    both = frozenset({"us", "eu"})
    picture = picture_of(RoundBegun(NOW, 1, frozenset()), TargetsJoined(NOW, 1, both), progressed)
    assert picture.under_way == {1: UnderWay(NOW, both, progressed)}
    assert (picture.ongoing("us"), picture.ongoing("eu")) == (((carts, NOW + 4),), ())
    ended = after(picture, TargetsEnded(NOW + 9, 1, 9, {"us": 0}))
    assert (ended.ongoing("us"), ended.round_of("us")) == ((), None)
    assert ended.round_of("eu") == UnderWay(NOW, frozenset({"eu"}), progressed)
    assert after(ended, RoundEnded(NOW, 1, 1, 0)).under_way == {}


def test_rounds_overlap_and_a_target_is_in_one_of_them() -> None:
    """The next round is that of whoever is in none; where all are in one, nobody knows it."""
    first = after(all_in_sync(), RoundBegun(NOW, 2, frozenset({"us-east-1", "eu-west-1"})))
    assert first.next_at is None
    aside = after(first, TargetsPutAside(NOW + 5, 2, frozenset({"eu-west-1"})))
    assert (aside.next_at, aside.round_of("eu-west-1")) == (NOW + 180, None)
    second = after(aside, RoundBegun(NOW + 5, 3, frozenset({"eu-west-1"})))
    due = {"us-east-1": Due(NOW + 306), "eu-west-1": Due(NOW + 5)}
    ended = after(second, TargetsEnded(NOW + 6, 2, 6, {"us-east-1": 0}))
    scheduled = after(ended, RoundScheduled(NOW + 6, NOW + 306, due))
    assert [one.due for one in scheduled.targets.values()] == [Due(NOW + 306), Due(NOW + 180)]
    assert {n: one.targets for n, one in second.under_way.items()} == {2: {"us-east-1"}, 3: {"eu-west-1"}}


def test_what_was_applied_is_outstanding_no_more() -> None:
    """What failed, was left or skipped still is, with how it ended; what was mended or settled stands."""
    plan = a_plan().model_copy(update={"unhealthy": (Unhealthy(name="new", status="UpdateFailed", errors=()),)})
    report = a_report().model_copy(update={"settling": (SettlingResult(name="slow", outcome="settled"),)})
    begun, planned_round, *rest = a_round(target_planned(plan, 2), codes=[1])
    us = picture_of(begun, planned_round, RoundApplied((report,)), *rest).targets["us-east-1"]
    ended = {one.change.name: one.result.outcome if one.result else None for one in us.outstanding}
    assert ended == {"busy": "failed", "gone": "skipped", "orders": "stale", "stray": "unknown"}
    assert us.unhealthy == ()
    assert us.in_sync == ("carts-0000", "orders-0001", "again", "new")


def test_what_cant_be_read_stays_as_it_was_seen() -> None:
    """With the moment of that; it has failed all the same."""
    eu = half_failed().targets["eu-west-1"]
    assert (eu.condition, eu.planned_at, len(eu.in_sync)) == ("failed", NOW - 121, 5)
    assert eu.last_round == LastRound(NOW - 65, 35, 1)
    assert [problem.kind for problem in eu.problems] == ["unreachable", "unhealthy"]


NO_GIT = (Problem("git", "no"),)


def failing(picture: Picture, number: int, *targets: str) -> Picture:
    """A round of these fails as a whole; none are known where none are named."""
    at, who = NOW + number, frozenset(targets)
    ended: list[Event] = [TargetsEnded(at, number, 1, dict.fromkeys(targets, 1))] if targets else []
    for event in (RoundBegun(at, number, who), *ended, RoundEnded(at, number, 1, 1, who, NO_GIT)):
        picture = after(picture, event)
    return picture


def ending(picture: Picture, number: int, target: str, code: int) -> Picture:
    """A target ends in a round, which had got so far as to look at it."""
    begun = after(picture, RoundBegun(NOW + number, number, frozenset({target})))
    return after(begun, TargetsEnded(NOW + number, number, 1, {target: code}))


def test_a_round_that_fails_as_a_whole_says_why_until_its_targets_have_ended_another() -> None:
    """Whatever others do meanwhile, and not only until the next plan: each in a round of its own takes its part away."""
    us, eu = "us-east-1", "eu-west-1"
    failed = failing(all_in_sync(), 2, us)
    assert [one.condition for one in failed.targets.values()] == ["failed", "in-sync"]
    others = ending(after(failed, RoundPlanned(NOW + 3, 3, (us, eu), ())), 3, eu, 0)
    assert others.failed_rounds == (FailedRound(2, NOW + 2, frozenset({us}), NO_GIT),)
    both = failing(others, 4, us, eu)
    assert both.failed_rounds == (FailedRound(4, NOW + 4, frozenset({us, eu}), NO_GIT),)
    one_left = ending(both, 5, eu, 1)
    assert [one.targets for one in one_left.failed_rounds] == [{us}]
    view = view_of(one_left, NOW + 64)
    assert view.headline == "The last round of 1 of 2 targets failed"
    assert [(one.said, one.at.said) for one in view.failed] == [("Round 4 of us-east-1 failed as a whole", "1m ago")]
    (state,) = state_of(one_left, NOW).failed_rounds
    assert (state.round, state.at, state.targets, state.errors) == (4, NOW + 4, (us,), NO_GIT)
    gone = after(both, RoundPlanned(NOW + 6, 5, (eu,), ()))
    assert [one.targets for one in gone.failed_rounds] == [{eu}]
    assert ending(gone, 6, eu, 0).failed_rounds == ()


def test_what_an_earlier_round_had_against_a_target_is_not_why_this_one_failed() -> None:
    """Where it failed before it came to look; what it found itself stays beside what ended it."""
    eu = "eu-west-1"
    looked = half_failed().targets[eu].problems
    assert failing(half_failed(), 9, eu).targets[eu].problems == ()
    again = after(half_failed(), RoundPlanned(NOW + 9, 9, (eu,), (), looked))
    assert failing(again, 9, eu).targets[eu].problems == looked


def test_a_fleet_that_nobody_could_read_is_told_until_a_round_has_ended() -> None:
    """The last reason alone, though one that begins has read it by now."""
    failed = failing(failing(APPLYING, 1), 2)
    assert failed.failed_rounds == (FailedRound(2, NOW + 2, frozenset(), NO_GIT),)
    assert view_of(failed, NOW).headline == "The last round failed"
    begun, planned_round, *ended = a_round(target_planned(in_sync("us"), 3), codes=[0])
    planning = after(after(failed, begun), planned_round)
    assert planning.failed_rounds == failed.failed_rounds
    assert after(planning, ended[0]).failed_rounds == ()


def test_a_target_that_is_gone_is_forgotten() -> None:
    """The fleet's order is the page's; a round that still sees to it says so."""
    begun = after(all_in_sync(), RoundBegun(NOW, 1, frozenset({"eu-west-1"})))
    picture = after(begun, RoundPlanned(NOW, 2, ("new", "us-east-1"), ()))
    assert list(picture.targets) == ["new", "us-east-1"]
    assert state_of(picture, NOW).rounds[0].targets == ("eu-west-1",)
    assert view_of(picture, NOW).under_way[0].said == "eu-west-1: Looking and planning"


@pytest.mark.parametrize(
    ("plan", "code", "condition"),
    [
        (in_sync(), 0, "in-sync"),
        (in_sync(), 1, "failed"),
        (in_sync(), 143, "failed"),
        (in_sync(), 4, "stale"),
        (in_sync().model_copy(update={"violations": (Violation(guard="max-deletes", message="no"),)}), 3, "refused"),
        (in_sync().model_copy(update={"unhealthy": a_plan().unhealthy}), 0, "unhealthy"),
        (in_sync().model_copy(update={"settling": explained().settling}), 0, "settling"),
        (planned(update("a", cause="drift")), 0, "drifted"),
        (planned(update("a", cause="drift", left="on-drift-report")), 0, "drifted"),
        (planned(update("a", cause="pending")), 0, "pending"),
        (planned(update("a")), 0, "pending"),
    ],
)
def test_the_condition_is_the_worst_that_is_true(plan: object, code: int, condition: Condition) -> None:
    """Each, by what makes it so."""
    assert picture_of(*a_round(target_planned(plan, 1), codes=[code])).targets.popitem()[1].condition == condition  # type: ignore[attr-defined, arg-type]


def test_a_suspended_target_is_drifted_and_not_failed() -> None:
    """What was left for that is outstanding; a guard that would refuse it refuses nothing."""
    us = suspended_apply().targets["us-east-1"]
    assert us.suspension is not None
    assert us.condition == "drifted"
    assert [one.result.error.kind for one in us.outstanding if one.result and one.result.error] == ["suspended"]


def test_what_is_counted_has_closed_keys() -> None:
    """Whatever a service answers, and whatever a request is called."""
    events = [Exchanged("GET", 200), Exchanged("GET", 200), Exchanged("PUT", None), Exchanged("X", 299)]
    assert picture_of(*events).totals.requests == {("GET", "200"): 2, ("PUT", "none"): 1, ("other", "other"): 1}
    begun, planned_round, *rest = a_round(target_planned(a_plan(), 2), codes=[1])
    totals = picture_of(begun, planned_round, RoundApplied((a_report(),)), *rest, *all_ended(0, 3, 4, 130)).totals
    assert totals.rounds == {"failed": 1, "ok": 1, "refused": 1, "stale": 1, "interrupted": 1}
    assert totals.changes["create", "applied"] == 2
    assert sum(totals.changes.values()) == len(a_report().results)
    assert totals.durations.up_to[-1] == 5
    assert totals.durations.total == pytest.approx(1.2 + 4 * 7200.5)
    assert totals.durations.counts[-1] == 4


def all_ended(*codes: int) -> list[RoundEnded]:
    return [RoundEnded(NOW, 1, 7200.5, code) for code in codes]


def test_it_is_ready_once_each_target_had_its_round_and_while_none_is_late() -> None:
    """Nothing yet; a fleet that can't be read; a target that is new; a loop that hangs, in a round or between two.

    A round that has planned is enough: what it applies may take hours to settle.
    """
    ready = all_in_sync()
    nothing_read = ("no round has planned a fleet that can be read",)
    assert APPLYING.unready(NOW) == nothing_read
    first = a_round(target_planned(in_sync("us"), 3))
    assert picture_of(*first[:1]).unready(NOW) == nothing_read
    assert picture_of(*first[:2]).unready(NOW) == ()
    broken = picture_of(RoundEnded(NOW, 1, 1, 1, problems=NO_GIT), RoundScheduled(NOW, NOW + 600, {}))
    assert broken.unready(NOW) == nothing_read
    assert ready.unready(NOW + 180 + OVERDUE_SECONDS) == ()
    assert ready.unready(NOW + 181 + OVERDUE_SECONDS) == ("a round is overdue",)
    begun = after(ready, RoundBegun(NOW, 2, frozenset(ready.targets)))
    assert begun.unready(NOW + 900) == ()
    assert begun.unready(NOW + 901) == ("a round takes longer than any should",)
    grown = after(begun, RoundPlanned(NOW, 2, (*ready.targets, "new"), ()))
    assert grown.unready(NOW) == ("1 of 3 targets were not looked at yet",)


def test_who_waits_for_the_lease_is_ready_while_it_sees_that_another_holds_it() -> None:
    """For as long as the lease lasts after its last look; from its own first round on that is what counts."""
    waiting = picture_of(LeaseAwaited(NOW - 99, "first", 90), LeaseAwaited(NOW, "first", 90))
    assert waiting.unready(NOW + 90) == ()
    assert waiting.unready(NOW + 90.1) == ("the lease can't be read",)
    assert after(waiting, RoundBegun(NOW, 1, frozenset())).unready(NOW) != ()


def test_a_picture_never_changes() -> None:
    """The one before an event is as it was, however much follows: another thread may be reading it."""
    for scene in (all_in_sync, drifted, half_failed, a_thousand):
        before, again = scene(), scene()
        after(after(before, Exchanged("GET", 200)), RoundEnded(NOW, 1, 1, 1, problems=NO_GIT))
        assert before == again
