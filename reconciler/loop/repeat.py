"""Rounds, again and again: jittered so that many loops spread out, and no target is kept waiting by another.

Targets that are due at the same moment go into one round, so that what one declares is seen before another's deletes.
Each is due again an interval after it has ended there, whatever the others still do: rounds overlap, and no target is
in two of them. One that fails backs off, and is tried apart from those that are well. What git brings is not waited
for: where the folder has moved on, all are due at once, those that are in a round as soon as that has ended.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, assert_never

import structlog

from reconciler.clock import Clock, Random, iso_timestamp, sleep_until
from reconciler.errors import ReconcilerError, first_exit
from reconciler.loop.events import (
    Due,
    LoopEvent,
    RoundBegun,
    RoundEnded,
    RoundScheduled,
    TargetsEnded,
    TargetsJoined,
    TargetsPutAside,
)
from reconciler.loop.schedule import TOGETHER_SECONDS, Schedule
from reconciler.loop.steps import Ended, Joined, OneRound, PutAside, Round, Step
from reconciler.problem import Problem

log = structlog.get_logger()

JITTER = 0.1
LONGEST_BACKOFF_SECONDS = 600.0 / (1 + JITTER)
"""Ten minutes with the jitter on top: who has mended what was wrong doesn't wait longer to see it."""

LOOK_SECONDS = 5.0
"""From one look at the folder to the next: the milliseconds that it takes are nothing beside it."""


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
    """Run rounds until `stop` is set and those under way have ended, or one with `once`; the exit code of the last.

    A target whose round fails waits twice as long as before, up to ten minutes (or the interval, where that is longer);
    the others don't. A round that raises a ReconcilerError has failed for all that were in it and hadn't ended: it is
    logged and survived. When the next one begins is logged; what is logged of one has its number. `tell` is told what
    the log is, as data and right before.

    `position` says where the folder stands. Where that has changed, all that are in no round are due at once, the
    others as they end theirs, and earlier failures count no more: what failed was something else.
    """
    return await _Loop(one_round, interval_seconds, clock, random, stop, position, tell, once=once).to_the_end()


@dataclass(slots=True, eq=False)
class _UnderWay:
    """A round under way. `targets` are in it and haven't ended.

    `joined`: the manifests are read; until then the round may be of others, too.
    """

    asked: Round
    began: float
    targets: frozenset[str]
    joined: bool = False
    codes: dict[str, int] = field(default_factory=dict)


class _Loop:
    """The rounds that are under way, a task each, and when the next is due."""

    def __init__(
        self,
        one_round: OneRound,
        interval_seconds: float,
        clock: Clock,
        random: Random,
        stop: asyncio.Event,
        position: Callable[[], object],
        tell: Callable[[LoopEvent], None],
        *,
        once: bool,
    ) -> None:
        self._one_round = one_round
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._random = random
        self._stop = stop
        self._position = position
        self._tell = tell
        self._once = once
        self._schedule = Schedule(Due(clock.monotonic()), {})
        self._stood = position()
        self._rounds: dict[asyncio.Task[None], _UnderWay] = {}
        self._begun = 0
        self._ends: list[_End] = []
        self._changed = asyncio.Event()
        self._rescheduled = False

    async def to_the_end(self) -> int:
        stopping = asyncio.ensure_future(self._stop.wait())
        stopping.add_done_callback(lambda _stopped: self._changed.set())
        try:
            while not self._is_over or self._rounds:
                if not self._is_over:
                    self._look()
                    self._begin()
                await self._something()
                self._take_ended()
                if self._rescheduled and not self._is_over:
                    self._tell_schedule()
        except asyncio.CancelledError:
            if not await self._cut_off():
                raise
        finally:
            stopping.cancel()
            await asyncio.gather(stopping, return_exceptions=True)
            await self._cut_off()
        return first_exit(end.code for end in self._ends)

    @property
    def _is_over(self) -> bool:
        """Whether no other round begins."""
        return self._stop.is_set() or (self._once and self._begun > 0)

    @property
    def _busy(self) -> frozenset[str]:
        """The targets that are in a round."""
        return frozenset[str]().union(*(one.targets for one in self._rounds.values()))

    def _look(self) -> None:
        """See whether the folder has moved on."""
        stands, at = self._position(), self._clock.monotonic()
        if stands == self._stood:
            return
        log.info("folder.moved", seconds_early=round(max((self._next or at) - at, 0.0), 3))
        self._stood = stands
        self._schedule = self._schedule.moved(at)
        for one in self._rounds.values():
            one.asked.moved.set()

    @property
    def _next(self) -> float | None:
        """When the next round is due, of those that are in none; None where all are in one."""
        if not self._schedule.targets and not self._rounds:
            return self._schedule.fleet.at
        return min((due.at for due in self._schedule.idle(self._busy).values()), default=None)

    @property
    def _is_reading(self) -> bool:
        """Whether a round has yet to tell who is in it: no other begins before."""
        return not all(one.joined for one in self._rounds.values())

    def _begin(self) -> None:
        """Begin a round of those whose time has come, if any has."""
        at, due = self._clock.monotonic(), self._next
        if self._is_reading or due is None or due - at >= TOGETHER_SECONDS:
            return
        known, busy = self._schedule.targets, self._busy
        come = self._schedule.come(at, busy)
        self._begun += 1
        without = frozenset(known.keys() - come) | busy
        patient = not without and any(known[name].held for name in come)
        asked = Round(self._begun, without, asyncio.Event(), patient)
        under_way = _UnderWay(asked, at, come)
        self._tell(RoundBegun(self._clock.now(), asked.number, come))
        with structlog.contextvars.bound_contextvars(round=asked.number):  # a task takes along what is bound
            task = asyncio.create_task(self._one_round(asked, partial(self._step, under_way)))
        task.add_done_callback(lambda _done: self._changed.set())
        self._rounds[task] = under_way

    async def _something(self) -> None:
        """Come back when something has happened, or when it is time to look at the folder, or to begin a round."""
        if self._is_over or self._is_reading:
            await self._changed.wait()
        else:
            at, due = self._clock.monotonic(), self._next
            seconds = LOOK_SECONDS if due is None else min(max(due - at, 0.0), LOOK_SECONDS)
            await sleep_until(self._changed, self._clock, seconds)
        self._changed.clear()

    def _step(self, one: _UnderWay, step: Step) -> None:
        """A round has come so far."""
        at, now, number = self._clock.monotonic(), self._clock.now(), one.asked.number
        match step:
            case Joined(targets=targets):
                one.joined, one.targets = True, frozenset(targets) - one.asked.without
                self._tell(TargetsJoined(now, number, one.targets))
                self._schedule = self._schedule.known(targets, at)
            case PutAside(targets=targets):
                one.targets -= frozenset(targets)
                self._tell(TargetsPutAside(now, number, frozenset(targets)))
                self._schedule = self._schedule.at_once(targets, at)
            case Ended(codes=codes):
                self._tell_ended(one, codes)
                self._schedule = self._schedule.after(step, self._busy, at, self._waits())
                self._after(one, codes)
            case unreachable:
                assert_never(unreachable)
        self._changed.set()

    def _take_ended(self) -> None:
        """See to the rounds that have ended. Raises what broke one, unless it is one of our own errors."""
        for task in [task for task in self._rounds if task.done()]:
            one = self._rounds.pop(task)
            error = task.exception()
            if error is None:
                self._tell_end(one, first_exit(one.codes.values()))
            elif isinstance(error, ReconcilerError):
                _log_problems(one.asked.number, error)
                self._fail(one, error)
            else:
                raise error

    def _fail(self, one: _UnderWay, error: ReconcilerError) -> None:
        """What was left of a round has failed as a whole."""
        code, at = error.exit_code, self._clock.monotonic()
        failed = one.targets
        self._tell_ended(one, dict.fromkeys(failed, code))
        known = failed & self._schedule.targets.keys()
        self._tell_end(one, first_exit([code, *one.codes.values()]), known, error.problems())
        self._schedule = self._schedule.after_whole(code, failed, self._busy, at, self._waits())
        self._after(one, failed)

    def _after(self, one: _UnderWay, targets: Collection[str]) -> None:
        """Targets of a round are scheduled: what the folder has brought since it began hasn't been seen in them."""
        if one.asked.moved.is_set():
            self._schedule = self._schedule.moved(self._clock.monotonic(), targets)
        self._rescheduled = True

    def _tell_ended(self, one: _UnderWay, codes: Mapping[str, int]) -> None:
        """Of a target that is gone from the fleet meanwhile nobody asks any more."""
        one.targets -= codes.keys()
        one.codes |= codes
        known = {name: code for name, code in codes.items() if name in self._schedule.targets}
        if known:
            seconds = round(self._clock.monotonic() - one.began, 3)
            self._tell(TargetsEnded(self._clock.now(), one.asked.number, seconds, known))

    def _tell_end(
        self, one: _UnderWay, code: int, failed: frozenset[str] = frozenset(), problems: tuple[Problem, ...] = ()
    ) -> None:
        seconds = round(self._clock.monotonic() - one.began, 3)
        self._ends = [*(end for end in self._ends if end.stopped), _End(code, self._stop.is_set())]
        self._tell(RoundEnded(self._clock.now(), one.asked.number, seconds, code, failed, problems))
        log.info("round.ended", round=one.asked.number, exit_code=code, seconds=seconds)

    def _waits(self) -> Callable[[int], float]:
        """How long to wait after so many failures: one chance for all, so that what goes together stays together."""
        share = self._random.uniform(1 - JITTER, 1 + JITTER)
        longest = max(self._interval_seconds, LONGEST_BACKOFF_SECONDS)
        return lambda failures: min(self._interval_seconds * 2 ** min(failures, 30), longest) * share

    def _tell_schedule(self) -> None:
        """When the next round is due, unless all targets are in one."""
        self._rescheduled = False
        at, now, due = self._clock.monotonic(), self._clock.now(), self._next
        if due is None:
            return
        seconds = max(due - at, 0.0)
        targets = {name: one._replace(at=now + one.at - at) for name, one in self._schedule.targets.items()}
        self._tell(RoundScheduled(now, now + seconds, targets))
        come = self._schedule.come(due, self._busy)
        later = sorted(targets.keys() - come)
        log.info(
            "round.scheduled",
            at=iso_timestamp(now + seconds),
            seconds=round(seconds, 3),
            failures=max((targets[name].failures for name in come), default=self._schedule.fleet.failures),
            **({"without": later} if later else {}),
        )

    async def _cut_off(self) -> bool:
        """End what is under way here and now; whether all of it has come back, and told how far it came."""
        under_way = [*self._rounds]
        for task in under_way:
            task.cancel()
        ended = await asyncio.gather(*under_way, return_exceptions=True)
        if any(isinstance(end, asyncio.CancelledError) for end in ended):
            return False
        self._take_ended()
        return True


class _End(NamedTuple):
    """A round's exit code; `stopped`: it ended after the stop."""

    code: int
    stopped: bool


def _log_problems(number: int, error: ReconcilerError) -> None:
    for problem in error.problems():
        log.error(
            "round.failed",
            round=number,
            kind=problem.kind,
            error=problem.message,
            cluster=problem.cluster,
            place=str(problem.place) if problem.place else None,
            remedy=problem.remedy,
        )
