"""When a request is tried again, and after how long: the one policy, and the one loop.

What may be transient is said by its error's class. Whether a request may be repeated at all is for its caller to know:
it hands over the operation.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import structlog

from reconciler.clock import Clock, Random, format_duration, sleep_until
from reconciler.errors import HttpError, RateLimited, Rejected

log = structlog.get_logger()

T = TypeVar("T")


class Policy(NamedTuple):
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
        budget = self.policy.budget if budget_seconds is None else min(budget_seconds, self.policy.budget)
        attempts = _Attempts(self, self.clock.monotonic() + budget)
        while True:
            attempts.count += 1
            try:
                return await operation(), attempts.count
            except HttpError as error:
                seconds = attempts.wait_after(error)
                if seconds is None:
                    raise attempts.final(error) from error.__cause__
                failed = error
            log.warning(
                "request.retried",
                method=method,
                cluster=cluster,
                attempt=attempts.count,
                http_status=failed.http_status,
                seconds=round(seconds, 3),
                kind=failed.kind,
                error=failed.message,
            )
            await sleep_until(self.give_up, self.clock, seconds)
            if self.give_up.is_set():
                raise attempts.final(failed) from failed.__cause__


class _Attempts:
    """One operation's attempts: how many there were, and whether there will be another."""

    def __init__(self, retry: Retry, deadline: float) -> None:
        self.count = 0
        self._retry = retry
        self._began = retry.clock.monotonic()
        self._deadline = deadline
        self._ambiguous = False
        self._limits = 0

    def wait_after(self, error: HttpError) -> float | None:
        """Seconds until it is tried again; None where it isn't."""
        self._ambiguous = (self._ambiguous or error.may_have_reached) and not isinstance(error, Rejected)
        if not error.transient or self._retry.give_up.is_set():
            return None
        now, limited = self._retry.clock.monotonic(), isinstance(error, RateLimited)
        seconds = self._after_limit(error) if limited else self._after_failure(error, now)
        late = now + seconds > self._retry.patient_until if limited else now >= self._deadline
        return None if late else seconds

    def _after_limit(self, error: HttpError) -> float:
        self._limits += 1
        asked = error.retry_after
        return self._retry.policy.limited_wait * 2 ** (self._limits - 1) if asked is None else max(1.0, asked)

    def _after_failure(self, error: HttpError, now: float) -> float:
        policy = self._retry.policy
        longest = min(policy.longest_wait, policy.first_wait * 2 ** min(self.count - 1, 60))
        seconds = max(self._retry.random.uniform(0, longest), error.retry_after or 0.0)
        return max(0.0, min(seconds, self._deadline - now))

    def final(self, error: HttpError) -> HttpError:
        """The last error, saying how often it was tried, where that was more than once."""
        if self.count == 1:
            return error
        taken = format_duration(self._retry.clock.monotonic() - self._began)
        return error.after(self.count, f" (tried {self.count} times in {taken})", may_have_reached=self._ambiguous)
