"""Rounds, again and again: jittered so that many loops spread out, backing off while rounds fail.

What git brings is not waited for: where the folder has moved on, the next round begins.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from reconciler.clock import Clock, Random, iso_timestamp, sleep_until
from reconciler.errors import EXIT_FAILED, EXIT_USAGE, ReconcilerError

log = structlog.get_logger()

JITTER = 0.1
LONGEST_BACKOFF_SECONDS = 600.0 / (1 + JITTER)
"""Ten minutes with the jitter on top: who has mended what was wrong doesn't wait longer to see it."""

LOOK_SECONDS = 5.0
"""From one look at the folder to the next: the milliseconds that it takes are nothing beside it."""

_FAILURES = frozenset({EXIT_FAILED, EXIT_USAGE})


async def repeat(
    one_round: Callable[[], Awaitable[int]],
    *,
    interval_seconds: float,
    clock: Clock,
    random: Random,
    stop: asyncio.Event,
    position: Callable[[], object] = lambda: None,
    once: bool = False,
) -> int:
    """Run rounds until `stop` is set, or one of them with `once`; the exit code of the last.

    A round that fails, or raises a ReconcilerError, is logged and survived: the next one waits twice as long as the one
    before, up to ten minutes (or the interval, where that is longer). When the next one begins is logged.

    `position` says where the folder stands. Where that is no longer what it was as a round began, the next one begins
    at once, and earlier failures count no more: what failed was something else.
    """
    failures = 0
    while True:
        started, stood = clock.monotonic(), position()
        code = await _survived(one_round)
        failures = failures + 1 if code in _FAILURES else 0
        log.info("round.ended", exit_code=code, seconds=round(clock.monotonic() - started, 3))
        if once or stop.is_set():
            return code
        longest = max(interval_seconds, LONGEST_BACKOFF_SECONDS)
        backoff = min(interval_seconds * 2 ** min(failures, 30), longest)
        wait = backoff * random.uniform(1 - JITTER, 1 + JITTER)
        log.info("round.scheduled", at=iso_timestamp(clock.now() + wait), seconds=round(wait, 3), failures=failures)
        if await _moved_within(wait, position, stood, clock, stop):
            failures = 0
        if stop.is_set():
            return code


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


async def _survived(one_round: Callable[[], Awaitable[int]]) -> int:
    try:
        return await one_round()
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
        return error.exit_code
