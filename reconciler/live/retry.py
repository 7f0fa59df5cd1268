"""When a request is tried again, and after how long: the one policy for all of them.

Every operation of the API is idempotent, so whatever may be transient is tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from reconciler.clock import Clock, Random, sleep_until
from reconciler.errors import LiveError, NoAnswer, Rejected, Unavailable, Unreachable

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """All in seconds.

    `budget` is for one operation: no attempt begins after it. `attempt_timeout` bounds an attempt as a whole, however
    slowly its answer drips: longer than connecting and reading may take, so that only these say what was amiss.
    """

    budget: float = 60.0
    first_wait: float = 0.5
    longest_wait: float = 10.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    attempt_timeout: float = 45.0


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Retry:
    """The policy with what it needs: time, chance, and the event that says to give up."""

    policy: Policy
    clock: Clock
    random: Random
    give_up: asyncio.Event

    async def call(self, operation: Callable[[], Awaitable[T]], *, method: str, cluster: str | None) -> tuple[T, int]:
        """The operation's result, and how many attempts it took.

        Raises the last LiveError with `attempts`, and with `may_have_reached` if any attempt got no definite answer,
        unless a later one was rejected: then the earlier ones were, too. Once `give_up` is set nothing is tried again.
        """
        from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type  # noqa: PLC0415

        deadline = self.clock.monotonic() + self.policy.budget
        last, attempts, ambiguous = LiveError("never sent"), 0, False

        async def attempt() -> T:
            nonlocal last, attempts, ambiguous
            if attempts and self.give_up.is_set():
                raise last
            attempts += 1
            try:
                return await operation()
            except LiveError as error:
                last, ambiguous = error, (ambiguous or error.may_have_reached) and not isinstance(error, Rejected)
                raise

        def wait(state: RetryCallState) -> float:
            longest = min(self.policy.longest_wait, self.policy.first_wait * 2 ** (state.attempt_number - 1))
            seconds = max(self.random.uniform(0, longest), last.retry_after or 0.0)
            return max(0.0, min(seconds, deadline - self.clock.monotonic()))

        def told(state: RetryCallState) -> None:
            log.warning(
                "request.retried",
                method=method,
                cluster=cluster,
                attempt=state.attempt_number,
                http_status=last.http_status,
                seconds=round(state.upcoming_sleep, 3),
                kind=last.kind,
            )

        async def sleep(seconds: float) -> None:
            await sleep_until(self.give_up, self.clock, seconds)

        retrying = AsyncRetrying(
            sleep=sleep,
            wait=wait,
            stop=lambda _state: self.give_up.is_set() or self.clock.monotonic() >= deadline,
            retry=retry_if_exception_type((Unreachable, NoAnswer, Unavailable)),
            before_sleep=told,
            reraise=True,
        )
        try:
            return await retrying(attempt), attempts
        except LiveError as error:
            error.attempts, error.may_have_reached = attempts, ambiguous
            raise
