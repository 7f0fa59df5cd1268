"""Rounds, again and again: jittered so that many loops spread out, backing off while rounds fail."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from reconciler.clock import Clock, Random, iso_timestamp, sleep_until
from reconciler.errors import EXIT_FAILED, EXIT_USAGE, ReconcilerError

log = structlog.get_logger()

JITTER = 0.1
LONGEST_BACKOFF_SECONDS = 600.0
"""Ten minutes: who has mended what was wrong doesn't wait longer to see it."""

_FAILURES = frozenset({EXIT_FAILED, EXIT_USAGE})


async def repeat(
    one_round: Callable[[], Awaitable[int]],
    *,
    interval_seconds: float,
    clock: Clock,
    random: Random,
    stop: asyncio.Event,
    once: bool = False,
) -> int:
    """Run rounds until `stop` is set, or one of them with `once`; the exit code of the last.

    A round that fails, or raises a ReconcilerError, is logged and survived: the next one waits twice as long as the one
    before, up to ten minutes (or the interval, where that is longer). When the next one begins is logged.
    """
    failures = 0
    while True:
        started = clock.monotonic()
        code = await _survived(one_round)
        failures = failures + 1 if code in _FAILURES else 0
        log.info("round.ended", exit_code=code, seconds=round(clock.monotonic() - started, 3))
        if once or stop.is_set():
            return code
        longest = max(interval_seconds, LONGEST_BACKOFF_SECONDS)
        backoff = min(interval_seconds * 2 ** min(failures, 30), longest)
        wait = backoff * random.uniform(1 - JITTER, 1 + JITTER)
        log.info("round.scheduled", at=iso_timestamp(clock.now() + wait), seconds=round(wait, 3), failures=failures)
        if await sleep_until(stop, clock, wait):
            return code


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
