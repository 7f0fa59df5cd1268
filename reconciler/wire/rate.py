"""At most so many requests a second, evenly spaced, for all of a peer's workers together."""

from reconciler.clock import Clock


class RateLimit:
    """`rate` is requests a second, None for no limit; `reads`: GET counts, too."""

    def __init__(self, rate: float | None, clock: Clock, *, reads: bool = True) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._reads = reads
        self._next = clock.monotonic()

    async def turn(self, method: str) -> None:
        """Come back when the next request may be sent."""
        if not self._interval or (method == "GET" and not self._reads):
            return
        now = self._clock.monotonic()
        mine = max(now, self._next)
        self._next = mine + self._interval
        if mine > now:
            await self._clock.sleep(mine - now)
