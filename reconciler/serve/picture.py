"""The loop at one moment, as a frozen picture: what each target's last rounds did, what is under way, what comes next.

Pure: a picture and an event make the next picture. What was last seen of a target that can't be read any more stays,
with the moment at which it was seen.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from http import HTTPStatus
from itertools import accumulate
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar, assert_never

from reconciler.apply.machine import Progress
from reconciler.errors import EXIT_FAILED, EXIT_OK, EXIT_REFUSED, EXIT_STALE, EXIT_USAGE
from reconciler.loop import Due, RoundBegun, RoundEnded, RoundScheduled
from reconciler.model.evidence import LeftBehind
from reconciler.model.fleet import Suspension
from reconciler.model.record import Line, Record
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan, Settling, Unhealthy
from reconciler.problem import Problem
from reconciler.results import Result, TargetReport
from reconciler.serve.events import Event, Exchanged, RoundApplied, RoundPlanned, RoundProgressed, TargetPlanned

Key = TypeVar("Key", bound=Hashable)

RoundResult: TypeAlias = Literal["ok", "failed", "refused", "stale", "interrupted"]

_RESULTS: Final[Mapping[int, RoundResult]] = {
    EXIT_OK: "ok",
    EXIT_FAILED: "failed",
    EXIT_USAGE: "failed",
    EXIT_REFUSED: "refused",
    EXIT_STALE: "stale",
}

Condition: TypeAlias = Literal[
    "unknown", "failed", "refused", "stale", "unhealthy", "drifted", "pending", "settling", "in-sync"
]
"""How a target stands, the worst that is true of it: nobody has looked; its last round failed, was refused, or stale;
a declared cluster has errors; somebody else changed one; git asks for more; one is under way; nothing of that."""

BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 7200.0)
"""Seconds of a round: from a plan of a small fleet to an apply that waits until the default `--timeout`."""

OVERDUE_SECONDS: Final = 60.0
"""How much later than it was to begin a round may begin; a loop that hangs is later than any machine that is busy."""

_METHODS: Final = frozenset({"GET", "PUT", "DELETE"})
_STATUSES: Final = frozenset(HTTPStatus)


class LastRound(NamedTuple):
    """A target's last round that ended."""

    began_at: float
    seconds: float
    exit_code: int

    @property
    def result(self) -> RoundResult:
        """In a word."""
        return result_of(self.exit_code)


class Durations(NamedTuple):
    """How long rounds took: how many up to each bucket, and beyond the last; their sum in seconds."""

    counts: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    total: float = 0.0

    def with_one(self, seconds: float) -> "Durations":
        """One more."""
        slot = bisect_left(BUCKETS, seconds)
        counts = tuple(count + (position == slot) for position, count in enumerate(self.counts))
        return Durations(counts, self.total + seconds)

    @property
    def up_to(self) -> tuple[int, ...]:
        """How many took no longer than each bucket; the last is all."""
        return tuple(accumulate(self.counts))


class Totals(NamedTuple):
    """What has been counted since the process began; every key is of a closed list."""

    rounds: Mapping[RoundResult, int] = {}
    durations: Durations = Durations()
    changes: Mapping[tuple[str, str], int] = {}
    requests: Mapping[tuple[str, str], int] = {}


class Outstanding(NamedTuple):
    """A change that isn't done, and how it ended in the last round, where that applied."""

    change: Change
    result: Result | None


class TargetPicture(NamedTuple):
    """One target. `report` is how `plan` was carried out, None where it wasn't; `problems` are the last round's."""

    name: str
    plan: Plan | None = None
    planned_at: float | None = None
    report: TargetReport | None = None
    problems: tuple[Problem, ...] = ()
    declared: tuple[str, ...] = ()
    suspension: Suspension | None = None
    record: Record | None = None
    last_round: LastRound | None = None
    last_success_at: float | None = None
    due: Due | None = None

    @property
    def outstanding(self) -> tuple[Outstanding, ...]:
        """The changes that the plan shows and that aren't done, by name."""
        ended = {result.name: result for result in self.report.results} if self.report is not None else {}
        every = [Outstanding(change, ended.get(change.name)) for change in (self.plan.changes if self.plan else ())]
        return tuple(one for one in every if one.result is None or one.result.outcome != "applied")

    @property
    def settling(self) -> tuple[Settling, ...]:
        """What is as declared and not `Active` yet."""
        settled = {one.name for one in (self.report.settling if self.report else ()) if one.outcome == "settled"}
        return tuple(one for one in (self.plan.settling if self.plan else ()) if one.name not in settled)

    @property
    def unhealthy(self) -> tuple[Unhealthy, ...]:
        """What has errors, and was not mended since."""
        mended = {one.name for one in (self.report.results if self.report else ()) if one.outcome == "applied"}
        return tuple(one for one in (self.plan.unhealthy if self.plan else ()) if one.name not in mended)

    @property
    def in_sync(self) -> tuple[str, ...]:
        """What is declared and stands as declared, by name."""
        if self.plan is None:
            return ()
        otherwise = {one.change.name for one in self.outstanding}
        otherwise |= {one.name for one in self.settling} | {one.name for one in self.unhealthy}
        return tuple(name for name in self.declared if name not in otherwise)

    @property
    def condition(self) -> Condition:
        """The worst that is true of it."""
        if self.last_round is None:
            return "unknown"
        if self.last_round.result in {"failed", "interrupted"} or self.plan is None:
            return "failed"
        if self.plan.violations and self.suspension is None:
            return "refused"
        if self.last_round.result == "stale":
            return "stale"
        if self.unhealthy:
            return "unhealthy"
        causes = {one.change.cause for one in self.outstanding}
        if causes & {"drift", "conflict", "adoption"}:
            return "drifted"
        if causes:
            return "pending"
        return "settling" if self.settling else "in-sync"

    def last_applied(self, most: int) -> tuple[Line, ...]:
        """The lines of the record that were written last, the newest first."""
        lines = self.record.lines.values() if self.record is not None else ()
        return tuple(sorted(lines, key=lambda line: (-line.at, line.name))[:most])


class UnderWay(NamedTuple):
    """The round that is under way; `progress` is there from when it applies its plans."""

    began_at: float
    waiting: frozenset[str]
    progress: Progress | None = None


class Picture(NamedTuple):
    """The loop, `targets` by name in the fleet's order. `problems` are why the last round as a whole failed.

    `applies`: whether it applies its plans. `longest_round_seconds`: what takes longer hangs.
    """

    applies: bool
    longest_round_seconds: float
    targets: Mapping[str, TargetPicture] = {}
    problems: tuple[Problem, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()
    under_way: UnderWay | None = None
    next_at: float | None = None
    totals: Totals = Totals()

    def unready(self, now: float) -> tuple[str, ...]:
        """What keeps it from being ready, each in a few words; empty where it is."""
        unseen = sum(target.last_round is None for target in self.targets.values())
        reasons = []
        if not self.targets:
            reasons.append("no round has ended with a fleet that can be read")
        if unseen:
            reasons.append(f"{unseen} of {len(self.targets)} targets had no round yet")
        if self.under_way is not None and now - self.under_way.began_at > self.longest_round_seconds:
            reasons.append("a round takes longer than any should")
        if self.under_way is None and self.next_at is not None and now - self.next_at > OVERDUE_SECONDS:
            reasons.append("a round is overdue")
        return tuple(reasons)


def result_of(exit_code: int) -> RoundResult:
    """A round's exit code in a word."""
    return _RESULTS.get(exit_code, "interrupted")


def after(picture: Picture, event: Event) -> Picture:
    """The picture once this has happened."""
    match event:
        case RoundBegun():
            return picture._replace(under_way=UnderWay(event.at, event.waiting))
        case RoundPlanned():
            return _planned(picture, event)
        case RoundProgressed():
            under_way = picture.under_way
            return picture._replace(under_way=under_way and under_way._replace(progress=event.progress))
        case RoundApplied():
            return _applied(picture, event)
        case RoundEnded():
            return _ended(picture, event)
        case RoundScheduled():
            due = {name: one._replace(due=event.targets.get(name)) for name, one in picture.targets.items()}
            return picture._replace(targets=due, next_at=event.next_at)
        case Exchanged():
            key = (event.method if event.method in _METHODS else "other", _code(event.status))
            return picture._replace(totals=picture.totals._replace(requests=_more(picture.totals.requests, [key])))
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
        record=planned.record,
    )


def _applied(picture: Picture, event: RoundApplied) -> Picture:
    reports = {report.target: report for report in event.reports}
    targets = {
        name: one._replace(
            report=reports.get(name, one.report),
            problems=(*one.problems, *_of(name, event.problems)),
            record=event.records.get(name, one.record),
        )
        for name, one in picture.targets.items()
    }
    results = [(result.action, result.outcome) for report in event.reports for result in report.results]
    totals = picture.totals._replace(changes=_more(picture.totals.changes, results))
    return picture._replace(targets=targets, totals=totals)


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
    totals = picture.totals._replace(
        rounds=_more(picture.totals.rounds, [result_of(event.code)]),
        durations=picture.totals.durations.with_one(event.seconds),
    )
    problems = event.problems or picture.problems
    return picture._replace(targets=targets, under_way=None, problems=problems, totals=totals)


def _more(counts: Mapping[Key, int], keys: Iterable[Key]) -> Mapping[Key, int]:
    return {**counts, **{key: counts.get(key, 0) + more for key, more in Counter(keys).items()}}


def _of(target: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.target == target)


def _code(status: int | None) -> str:
    """A status as a label: whatever a service answers, there are only so many."""
    if status is None:
        return "none"
    return str(status) if status in _STATUSES else "other"
