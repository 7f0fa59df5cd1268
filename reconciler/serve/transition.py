"""A picture and an event make the next picture; what was last seen of a target stays, where it can't be read again."""

from collections.abc import Iterable
from typing import assert_never

from reconciler.loop import RoundBegun, RoundEnded, RoundScheduled
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
from reconciler.serve.picture import LastRound, Picture, TargetPicture, UnderWay


def after(picture: Picture, event: Event) -> Picture:
    """The picture once this has happened."""
    match event:
        case RoundBegun():
            return picture._replace(under_way=UnderWay(event.at, event.waiting), lease=None)
        case RoundPlanned():
            return _planned(picture, event)
        case RoundProgressed():
            under_way = picture.under_way
            return picture._replace(under_way=under_way and under_way._replace(progressed=event))
        case RoundApplied():
            return _applied(picture, event)
        case RoundEnded():
            return _ended(picture, event)
        case RoundScheduled():
            due = {name: one._replace(due=event.targets.get(name)) for name, one in picture.targets.items()}
            return picture._replace(targets=due, next_at=event.next_at)
        case LeaseAwaited():
            return picture._replace(lease=event)
        case Exchanged():
            return picture._replace(totals=picture.totals.with_request(event.method, event.status))
        case unreachable:
            assert_never(unreachable)


def _planned(picture: Picture, event: RoundPlanned) -> Picture:
    planned = {one.plan.target: one for one in event.planned}
    seen = {*planned, *(problem.target for problem in event.problems if problem.target is not None)}
    targets = {}
    for name in event.targets:
        before = picture.targets.get(name, TargetPicture(name))
        problems = _of(name, event.problems) if name in seen else before.problems
        targets[name] = _seen(before, planned[name], event.at) if name in planned else before
        targets[name] = targets[name]._replace(problems=problems)
    general = tuple(problem for problem in event.problems if problem.target not in targets)
    return picture._replace(targets=targets, problems=general, left_behind=event.left_behind)


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
    under_way = picture.under_way and picture.under_way._replace(progressed=None)
    return picture._replace(targets=targets, totals=picture.totals.with_changes(results), under_way=under_way)


def _ended(picture: Picture, event: RoundEnded) -> Picture:
    began_at = picture.under_way.began_at if picture.under_way is not None else event.at - event.seconds
    waiting = picture.under_way.waiting if picture.under_way is not None else frozenset()
    as_a_whole = dict.fromkeys(picture.targets, event.code) if event.problems else {}
    codes = {name: code for name, code in {**as_a_whole, **event.codes}.items() if name not in waiting}
    targets = dict(picture.targets)
    for name, code in codes.items():
        before = targets.get(name, TargetPicture(name))
        last = LastRound(began_at, event.seconds, code)
        success = event.at if last.result == "ok" else before.last_success_at
        targets[name] = before._replace(last_round=last, last_success_at=success)
    totals = picture.totals.with_round(event.code, event.seconds)
    problems = event.problems or picture.problems
    return picture._replace(targets=targets, under_way=None, problems=problems, totals=totals)


def _of(target: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.target == target)
