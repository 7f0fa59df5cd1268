"""Time and chance, as two small ports and the real ones behind them.

Nothing else in the package asks for time or chance (a ruff rule sees to it), so the whole program can be run in a
simulation: give it another Clock and another Random.
"""

import asyncio
import random
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


def iso_timestamp(epoch_seconds: float) -> str:
    """`2026-01-31T23:59:59.123Z`: UTC, milliseconds."""
    whole, milliseconds = divmod(int(epoch_seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{milliseconds:03d}Z"
