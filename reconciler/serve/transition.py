"""A picture and an event make the next picture; what was last seen of a target stays, where it can't be read again."""

from collections.abc import Iterable
from typing import assert_never

from reconciler.loop.events import (
    LoopEvent,
    RoundBegun,
    RoundEnded,
    RoundScheduled,
    TargetsEnded,
    TargetsJoined,
    TargetsPutAside,
)
from reconciler.problem import Problem
from reconciler.serve.events import (
    Event,
    Exchanged,
    LeaseAwaited,
    RoundApplied,
    RoundPlanned,
    RoundProgressed,
    TargetPlanned,
)
from reconciler.serve.picture import FailedRound, LastRound, Picture, TargetPicture, UnderWay


def after(picture: Picture, event: Event) -> Picture:
    """The picture once this has happened."""
    match event:
        case RoundPlanned():
            return _planned(picture, event)
        case RoundProgressed():
            progressed = picture.under_way[event.round]._replace(progressed=event)
            return picture._replace(under_way={**picture.under_way, event.round: progressed})
        case RoundApplied():
            return _applied(picture, event)
        case LeaseAwaited():
            return picture._replace(lease=event)
        case Exchanged():
            return picture._replace(totals=picture.totals.with_request(event.method, event.status))
        case _:
            return _after_loop(picture, event)


def _after_loop(picture: Picture, event: LoopEvent) -> Picture:
    match event:
        case RoundBegun():
            begun = UnderWay(event.at, event.targets)
            return picture._replace(under_way={**picture.under_way, event.round: begun}, lease=None)
        case TargetsJoined():
            return _in_round(picture, event.round, event.targets)
        case TargetsPutAside():
            return _without(picture, event.round, event.targets)
        case TargetsEnded():
            return _targets_ended(picture, event)
        case RoundEnded():
            return _ended(picture, event)
        case RoundScheduled():
            return _scheduled(picture, event)
        case unreachable:
            assert_never(unreachable)


def _planned(picture: Picture, event: RoundPlanned) -> Picture:
    planned = {one.plan.target: one for one in event.planned}
    seen = {*planned, *(problem.target for problem in event.problems if problem.target is not None)}
    targets = {}
    for name in event.targets:
        before = picture.targets.get(name, TargetPicture(name))
        targets[name] = _seen(before, planned[name], event.at) if name in planned else before
        if name in seen:
            targets[name] = targets[name]._replace(problems=_of(name, event.problems), looked_in=event.round)
    failed = (one.still_of(event.targets) if one.targets else one for one in picture.failed_rounds)
    return picture._replace(targets=targets, failed_rounds=tuple(filter(None, failed)), left_behind=event.left_behind)


def _seen(before: TargetPicture, planned: TargetPlanned, at: float) -> TargetPicture:
    return before._replace(
        plan=planned.plan,
        planned_at=at,
        report=None,
        declared=planned.declared,
        suspension=planned.suspension,
        recorded=planned.recorded,
    )


def _applied(picture: Picture, event: RoundApplied) -> Picture:
    reports = {report.target: report for report in event.reports}
    targets = {
        name: one._replace(
            report=reports.get(name, one.report),
            problems=(*one.problems, *_of(name, event.problems)),
            recorded=event.recorded.get(name, one.recorded),
        )
        for name, one in picture.targets.items()
    }
    results = [result for report in event.reports for result in report.results]
    return picture._replace(targets=targets, totals=picture.totals.with_changes(results))


def _scheduled(picture: Picture, event: RoundScheduled) -> Picture:
    """What was known of a target stays for as long as it is in a round: whether it still fails is seen as that ends."""
    targets = {
        name: one._replace(due=one.due if one.due and picture.round_of(name) else event.targets.get(name))
        for name, one in picture.targets.items()
    }
    return picture._replace(targets=targets, scheduled_at=event.next_at)


def _in_round(picture: Picture, number: int, targets: frozenset[str]) -> Picture:
    """A round is of these targets from now on."""
    under_way = picture.under_way[number]._replace(targets=targets)
    return picture._replace(under_way={**picture.under_way, number: under_way})


def _without(picture: Picture, number: int, targets: Iterable[str]) -> Picture:
    """A round goes on without these."""
    return _in_round(picture, number, picture.under_way[number].targets.difference(targets))


def _targets_ended(picture: Picture, event: TargetsEnded) -> Picture:
    began_at = picture.under_way[event.round].began_at
    targets = dict(picture.targets)
    for name, code in event.codes.items():
        before = targets.get(name, TargetPicture(name))
        last = LastRound(began_at, event.seconds, code)
        success = event.at if last.result == "ok" else before.last_success_at
        targets[name] = before._replace(last_round=last, last_success_at=success)
    failed = (one.still_of(one.targets - event.codes.keys()) for one in picture.failed_rounds)
    ended = picture._replace(targets=targets, failed_rounds=tuple(filter(None, failed)))
    return _without(ended, event.round, event.codes)


def _ended(picture: Picture, event: RoundEnded) -> Picture:
    """Where it failed as a whole, that stands until each of its targets has ended another round."""
    under_way = {number: one for number, one in picture.under_way.items() if number != event.round}
    unseen = {name for name in event.failed & picture.targets.keys() if picture.targets[name].looked_in != event.round}
    targets = {name: one._replace(problems=()) if name in unseen else one for name, one in picture.targets.items()}
    failed = picture.failed_rounds
    if event.problems:
        earlier = (one for one in failed if one.targets)
        failed = (*earlier, FailedRound(event.round, event.at, event.failed, event.problems))
    totals = picture.totals.with_round(event.code, event.seconds)
    return picture._replace(targets=targets, under_way=under_way, failed_rounds=failed, totals=totals)


def _of(target: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.target == target)
