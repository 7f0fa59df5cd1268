"""Rounds, again and again: jittered so that many loops spread out, each target backing off by itself while it fails.

Targets that are well go together, so that what one declares is seen before another's deletes; one that fails waits
longer, alone, and is tried when the others aren't kept waiting. What git brings is not waited for: where the folder has
moved on, the next round begins, of all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias

import structlog

from reconciler.clock import Clock, Random, iso_timestamp, sleep_until
from reconciler.errors import EXIT_FAILED, EXIT_USAGE, ReconcilerError, first_exit
from reconciler.live.client import FIRST_LIST_BUDGET_SECONDS
from reconciler.problem import Problem
from reconciler.wire.retry import DEFAULT_POLICY

log = structlog.get_logger()

JITTER = 0.1
LONGEST_BACKOFF_SECONDS = 600.0 / (1 + JITTER)
"""Ten minutes with the jitter on top: who has mended what was wrong doesn't wait longer to see it."""

LOOK_SECONDS = 5.0
"""From one look at the folder to the next: the milliseconds that it takes are nothing beside it."""

LONGEST_LOOK_SECONDS = FIRST_LIST_BUDGET_SECONDS + DEFAULT_POLICY.attempt_timeout
"""How long it takes at most until a service that doesn't answer is given up."""

_FAILURES = frozenset({EXIT_FAILED, EXIT_USAGE})

_TOGETHER_SECONDS = 0.001
"""Moments that are no farther apart are one: sums of seconds are not exact."""

_AFTERWARDS_SECONDS = 10 * _TOGETHER_SECONDS
"""So much later than the others' round begins is due what comes right after it."""


class RoundBegun(NamedTuple):
    """A round begins; the targets that are `waiting` are left out of it, since they fail and their time hasn't come."""

    at: float
    waiting: frozenset[str]


class RoundEnded(NamedTuple):
    """It ended, and each target in it with an exit code of its own; where the whole of it failed, `problems` says why.

    `seconds` is how long it took.
    """

    at: float
    seconds: float
    code: int
    codes: Mapping[str, int]
    problems: tuple[Problem, ...] = ()


class RoundScheduled(NamedTuple):
    """When each target's next round begins, and how many of its rounds have failed in a row; moments as `at` is one.

    `next_at` is the first of these moments: it is there even where no target is known yet.
    """

    at: float
    next_at: float
    targets: Mapping[str, "Due"]


LoopEvent: TypeAlias = RoundBegun | RoundEnded | RoundScheduled

OneRound: TypeAlias = Callable[[frozenset[str]], Awaitable[Mapping[str, int]]]
"""One round of all targets but those that are waiting: the exit code of each that was in it."""


class Due(NamedTuple):
    """When a target's next round begins, and how many have failed in a row."""

    at: float
    failures: int = 0


class Schedule(NamedTuple):
    """What each target waits for; `fleet` is what a fleet waits for that nobody could read yet."""

    fleet: Due
    targets: Mapping[str, Due]

    @property
    def next(self) -> Due:
        """What comes first; of several at that moment the one that has failed most."""
        everything = list(self.targets.values()) or [self.fleet]
        first = min(due.at for due in everything)
        return max((due for due in everything if due.at - first < _TOGETHER_SECONDS), key=lambda due: due.failures)

    def waiting(self, at: float) -> frozenset[str]:
        """Those whose time hasn't come."""
        return frozenset(name for name, due in self.targets.items() if due.at - at >= _TOGETHER_SECONDS)

    def after(
        self, codes: Mapping[str, int], waiting: frozenset[str], at: float, wait: Callable[[int], float]
    ) -> "Schedule":
        """After a round of all but those that waited: `wait` says how long after so many failures in a row.

        One that is well again goes with the others that are.
        """
        kept = {name: due for name, due in self.targets.items() if name in waiting}
        together = min((due.at for due in kept.values() if due.failures == 0), default=at + wait(0))
        ran = {}
        for name, code in codes.items():
            failures = self._failures(name) + 1 if code in _FAILURES else 0
            ran[name] = Due(at + wait(failures) if failures else together, failures)
        return Schedule(Due(at + wait(0)), _out_of_the_way({**kept, **ran}, wait(0)))

    def after_whole(self, code: int, waiting: frozenset[str], at: float, wait: Callable[[int], float]) -> "Schedule":
        """After a round that ended as a whole, and every target in it with this code."""
        failures = self.fleet.failures + 1 if code in _FAILURES else 0
        ended = {name: code for name in self.targets if name not in waiting}
        return self.after(ended, waiting, at, wait)._replace(fleet=Due(at + wait(failures), failures))

    def _failures(self, name: str) -> int:
        return self.targets[name].failures if name in self.targets else 0


async def repeat(
    one_round: OneRound,
    *,
    interval_seconds: float,
    clock: Clock,
    random: Random,
    stop: asyncio.Event,
    position: Callable[[], object] = lambda: None,
    once: bool = False,
    tell: Callable[[LoopEvent], None] = lambda _event: None,
) -> int:
    """Run rounds until `stop` is set, or one of them with `once`; the exit code of the last.

    A target whose round fails waits twice as long as before, up to ten minutes (or the interval, where that is longer),
    and on until it keeps no other waiting; the others don't. A round that raises a ReconcilerError has failed for all
    that were in it: it is logged and survived. When the next one begins is logged. `tell` is told what the log is, as
    data and right before.

    `position` says where the folder stands. Where that is no longer what it was as a round began, the next one begins
    at once, for all, and earlier failures count no more: what failed was something else.
    """
    schedule = Schedule(Due(clock.monotonic()), {})
    while True:
        started, stood = clock.monotonic(), position()
        waiting = schedule.waiting(started)
        tell(RoundBegun(clock.now(), waiting))
        ended = await _survived(one_round, waiting)
        at = clock.monotonic()
        code, seconds = _code(ended), round(at - started, 3)
        tell(_told(ended, clock.now(), seconds))
        log.info("round.ended", exit_code=code, seconds=seconds)
        if once or stop.is_set():
            return code
        schedule = _following(schedule, ended, waiting, at, _waits(interval_seconds, random))
        _tell_schedule(schedule, at, clock.now(), tell)
        if await _moved_within(schedule.next.at - at, position, stood, clock, stop):
            schedule = Schedule(Due(clock.monotonic()), {})
        if stop.is_set():
            return code


_Ended: TypeAlias = Mapping[str, int] | ReconcilerError
"""The exit code of each target in a round, or what the whole of it failed of."""


def _out_of_the_way(targets: Mapping[str, Due], interval_seconds: float) -> Mapping[str, Due]:
    """What fails is not tried so shortly before the others' round that this would have to wait, but right after it.

    Half an interval at most is kept clear: where they follow each other faster, it is tried all the same.
    """
    together = min((due.at for due in targets.values() if due.failures == 0), default=None)
    if together is None:
        return targets
    clear_from = together - min(LONGEST_LOOK_SECONDS, interval_seconds / 2)
    afterwards = together + _AFTERWARDS_SECONDS
    return {
        name: due._replace(at=afterwards) if due.failures and clear_from < due.at < afterwards else due
        for name, due in targets.items()
    }


def _code(ended: _Ended) -> int:
    return ended.exit_code if isinstance(ended, ReconcilerError) else first_exit(ended.values())


def _told(ended: _Ended, at: float, seconds: float) -> RoundEnded:
    if isinstance(ended, ReconcilerError):
        return RoundEnded(at, seconds, ended.exit_code, {}, ended.problems())
    return RoundEnded(at, seconds, _code(ended), ended)


def _following(
    schedule: Schedule, ended: _Ended, waiting: frozenset[str], at: float, wait: Callable[[int], float]
) -> Schedule:
    if isinstance(ended, ReconcilerError):
        return schedule.after_whole(ended.exit_code, waiting, at, wait)
    return schedule.after(ended, waiting, at, wait)


def _waits(interval_seconds: float, random: Random) -> Callable[[int], float]:
    """How long to wait after so many failures: one chance for all, so that what goes together stays together."""
    share = random.uniform(1 - JITTER, 1 + JITTER)
    longest = max(interval_seconds, LONGEST_BACKOFF_SECONDS)
    return lambda failures: min(interval_seconds * 2 ** min(failures, 30), longest) * share


def _tell_schedule(schedule: Schedule, at: float, now: float, tell: Callable[[LoopEvent], None]) -> None:
    due = schedule.next
    later = sorted(schedule.waiting(due.at))
    seconds = due.at - at
    targets = {name: one._replace(at=now + one.at - at) for name, one in schedule.targets.items()}
    tell(RoundScheduled(now, now + seconds, targets))
    log.info(
        "round.scheduled",
        at=iso_timestamp(now + seconds),
        seconds=round(seconds, 3),
        failures=due.failures,
        **({"without": later} if later else {}),
    )


async def _moved_within(
    seconds: float, position: Callable[[], object], stood: object, clock: Clock, stop: asyncio.Event
) -> bool:
    """Wait so long, or until the folder has moved on, or `stop` is set; whether the folder did."""
    end = clock.monotonic() + seconds
    while (left := end - clock.monotonic()) > 0 and not await sleep_until(stop, clock, min(left, LOOK_SECONDS)):
        if position() != stood:
            log.info("folder.moved", seconds_early=round(max(end - clock.monotonic(), 0), 3))
            return True
    return False


async def _survived(one_round: OneRound, waiting: frozenset[str]) -> _Ended:
    try:
        return await one_round(waiting)
    except ReconcilerError as error:
        for problem in error.problems():
            log.error(
                "round.failed",
                kind=problem.kind,
                error=problem.message,
                cluster=problem.cluster,
                place=str(problem.place) if problem.place else None,
                remedy=problem.remedy,
            )
        return error
