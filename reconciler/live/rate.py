"""At most so many requests a second, evenly spaced, for all of a target's workers together."""

from reconciler.clock import Clock


class RateLimit:
    """`rate` is requests a second; None is no limit."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._next = clock.monotonic()

    async def turn(self) -> None:
        """Come back when the next request may be sent."""
        if not self._interval:
            return
        now = self._clock.monotonic()
        mine = max(now, self._next)
        self._next = mine + self._interval
        if mine > now:
            await self._clock.sleep(mine - now)
