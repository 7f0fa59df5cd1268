"""Time and chance, as two small ports and the real ones behind them; durations as people write them.

Nothing else in the package asks for time or chance (a ruff rule sees to it), so the whole program can be run in a
simulation: give it another Clock and another Random.
"""

import asyncio
import random
import re
import time
from typing import Protocol


class Clock(Protocol):
    """Time, in seconds."""

    def now(self) -> float:
        """Epoch seconds: for moments that people or files compare."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow: for durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after so many seconds; at once for none."""
        ...


class Random(Protocol):
    """Chance."""

    def uniform(self, low: float, high: float) -> float:
        """Any number from low to high, each as likely."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(seconds)


class SystemRandom:
    """The interpreter's own generator: for jitter and names, not for secrets."""

    def uniform(self, low: float, high: float) -> float:
        """Any number from low to high."""
        return random.uniform(low, high)  # noqa: S311


class SeededRandom:
    """The same chance again and again, for one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311

    def uniform(self, low: float, high: float) -> float:
        """Any number from low to high."""
        return self._random.uniform(low, high)


async def sleep_until(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """Sleep so many seconds, or until the event is set; whether it is."""
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    waiting = asyncio.ensure_future(event.wait())
    try:
        done, _ = await asyncio.wait((sleeping, waiting), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a clock that fails must not look like one that is done
    finally:
        sleeping.cancel()
        waiting.cancel()
    return event.is_set()


def iso_timestamp(epoch_seconds: float) -> str:
    """`2026-01-31T23:59:59.123Z`: UTC, milliseconds."""
    whole, milliseconds = divmod(round(epoch_seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{milliseconds:03d}Z"


def parse_moment(text: str) -> float:
    """Epoch seconds of `2026-01-31T23:59Z`: a moment of RFC 3339, its seconds optional; never without its offset.

    Raises ValueError, its text fit to be shown.
    """
    from datetime import datetime  # noqa: PLC0415  # few fleet files name a moment

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"{text!r} is not a date and time: write a date, a time and Z or an offset, such as 2026-01-31T23:59Z"
        )
    return moment.timestamp()


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `5m`, `1h30m`, `30d`: as people write durations; a number without a unit is refused.

    Raises ValueError, its text fit to be shown, where it isn't a duration with units.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, such as 30s, 5m, 2h or 30d")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def format_duration(seconds: float) -> str:
    """`0.4s`, `12s`, `3m 5s`, `2h`: short, for people."""
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    left = round(seconds)
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_UNITS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])
