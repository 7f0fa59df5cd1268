"""When a request is tried again, and after how long: the one policy, and the one loop.

What may be transient is said by its error's class. Whether a request may be repeated at all is for its caller to know:
it hands over the operation.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from reconciler.clock import Clock, Random, format_duration, sleep_until
from reconciler.errors import HttpError, RateLimited, Rejected

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """All in seconds.

    `budget` is for one operation: no attempt begins after it. `attempt_timeout` bounds an attempt as a whole, however
    slowly its answer drips: longer than connecting and reading may take, so that only these say what was amiss.

    Rate limits are waited out apart: as long as is asked, else `limited_wait`, doubling. `patience` is for all of a
    peer's together; what asks for more is given up at once, as asking earlier makes it worse.
    """

    budget: float = 300.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    limited_wait: float = 60.0
    patience: float = 600.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    attempt_timeout: float = 45.0


DEFAULT_POLICY = Policy()


class Retry:
    """The policy with what it needs: time, chance, and the event that says to give up."""

    def __init__(self, policy: Policy, clock: Clock, random: Random, give_up: asyncio.Event) -> None:
        self.policy = policy
        self.clock = clock
        self.random = random
        self.give_up = give_up
        self.patient_until = clock.monotonic() + policy.patience

    async def call(
        self,
        operation: Callable[[], Awaitable[T]],
        *,
        method: str,
        cluster: str | None = None,
        budget_seconds: float | None = None,
    ) -> tuple[T, int]:
        """The operation's result, and how many attempts it took; `budget_seconds`, where the policy's is too long.

        Raises the last HttpError, saying how often and how long it was tried, with `attempts`, and with
        `may_have_reached` if any attempt got no definite answer, unless a later one was rejected: then the earlier ones
        were, too. Once `give_up` is set nothing is tried again.
        """
        from tenacity import AsyncRetrying  # noqa: PLC0415  # not where nothing is sent

        budget = self.policy.budget if budget_seconds is None else min(budget_seconds, self.policy.budget)
        attempts = _Attempts(self, operation, budget)

        def tell(state: "RetryCallState") -> None:
            log.warning(
                "request.retried",
                method=method,
                cluster=cluster,
                attempt=attempts.count,
                http_status=attempts.last.http_status,
                seconds=round(state.upcoming_sleep, 3),
                kind=attempts.last.kind,
                error=attempts.last.message,
            )

        retrying = AsyncRetrying(
            sleep=attempts.sleep,
            wait=attempts.wait,
            stop=attempts.stop,
            retry=lambda _state: attempts.failed and attempts.last.transient,
            before_sleep=tell,
            reraise=True,
        )
        try:
            return await retrying(attempts.once), attempts.count
        except HttpError as error:
            raise attempts.final(error) from error.__cause__


class _Attempts(Generic[T]):
    """One operation's attempts: what the loop asks of them."""

    def __init__(self, retry: Retry, operation: Callable[[], Awaitable[T]], budget: float) -> None:
        self._retry = retry
        self._operation = operation
        self._began = retry.clock.monotonic()
        self._deadline = self._began + budget
        self._ambiguous = False
        self._limits = 0
        self.count = 0
        self.failed = False
        self.last = HttpError("never sent")

    async def once(self) -> T:
        if self.failed and self._retry.give_up.is_set():
            raise self.last
        self.count += 1
        self.failed = False
        try:
            return await self._operation()
        except HttpError as error:
            self.last, self.failed = error, True
            self._ambiguous = (self._ambiguous or error.may_have_reached) and not isinstance(error, Rejected)
            raise

    def wait(self, _state: "RetryCallState") -> float:
        policy, asked = self._retry.policy, self.last.retry_after
        if isinstance(self.last, RateLimited):
            self._limits += 1
            return policy.limited_wait * 2 ** (self._limits - 1) if asked is None else max(1.0, asked)
        longest = min(policy.longest_wait, policy.first_wait * 2 ** min(self.count - 1, 60))
        seconds = max(self._retry.random.uniform(0, longest), asked or 0.0)
        return max(0.0, min(seconds, self._deadline - self._retry.clock.monotonic()))

    def stop(self, state: "RetryCallState") -> bool:
        now = self._retry.clock.monotonic()
        if isinstance(self.last, RateLimited):
            return self._retry.give_up.is_set() or now + state.upcoming_sleep > self._retry.patient_until
        return self._retry.give_up.is_set() or now >= self._deadline

    async def sleep(self, seconds: float) -> None:
        await sleep_until(self._retry.give_up, self._retry.clock, seconds)

    def final(self, error: HttpError) -> HttpError:
        if self.count == 1:
            return error
        taken = format_duration(self._retry.clock.monotonic() - self._began)
        return error.after(self.count, f" (tried {self.count} times in {taken})", may_have_reached=self._ambiguous)
