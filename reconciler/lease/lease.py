"""Holding a lease: taken, renewed, lost, given back; and whether it is held at this very moment.

Whoever waits takes the lease only when it hasn't changed for its whole duration. Whoever holds it starts nothing more
so early that even the slowest request has ended by then. So two never have a request under way at the same time, as
long as their clocks run about equally fast; what they show is of no matter.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

import structlog

from reconciler.clock import Clock, Random, sleep_until
from reconciler.errors import CredentialsError, HttpError, LeaseLost, NotFound
from reconciler.lease.record import Record, claim, renewal, surrender
from reconciler.lease.requests import LeaseRequests
from reconciler.wire.retry import DEFAULT_POLICY

log = structlog.get_logger()

DURATION_SECONDS: Final = 90
"""How long others wait for a holder that they don't see renew."""

CLOCKS_DIFFER_SECONDS: Final = 5.0
"""By so much may one clock run faster than another in that time."""

DEADLINE_SECONDS: Final = DURATION_SECONDS - DEFAULT_POLICY.attempt_timeout - CLOCKS_DIFFER_SECONDS
"""How long after a renewal was sent a request may still begin: it ends within an attempt's time."""

RENEW_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 2.0
"""Between two looks of whoever waits, and two tries of a holder whose renewal failed."""

_STOOD_STILL = "this process stood still"


class _Term(NamedTuple):
    """A lease as it was last written by its holder, and both clocks from before that was sent."""

    record: Record
    monotonic: float
    now: float


class Lease:
    """One replica's hold on a lease; `identity` is that of no other, nor of an earlier run of this one.

    `permit` and `lost` may be asked by other threads than the one that renews.
    """

    def __init__(self, requests: LeaseRequests, identity: str, clock: Clock, random: Random) -> None:
        self.name = requests.name
        self.lost = False
        self._requests = requests
        self._identity = identity
        self._clock = clock
        self._random = random
        self._term: _Term | None = None
        self._seen: Record | None = None
        self._seen_at = 0.0

    def permit(self) -> None:
        """Raise LeaseLost unless the lease is held, and will be for as long as a request may take."""
        term = self._term
        if term is None or self.lost or self._age(term) >= DEADLINE_SECONDS:
            raise LeaseLost(f"not sent, as the lease {self.name} is no longer held", remedy="another replica goes on")

    async def acquire(self, stop: asyncio.Event, on_awaited: Callable[[str], None] = lambda _holder: None) -> bool:
        """Wait until the lease is held; False where `stop` is set first.

        `on_awaited` is told the holder at each look that finds another one. Raises an HttpError that waiting won't
        mend, CredentialsError.
        """
        holder: str | None = None
        while True:
            try:
                if await self._taken():
                    log.info("lease.acquired", lease=str(self.name), holder=self._identity)
                    return True
                if self._seen is not None and self._seen.holder is not None:
                    on_awaited(self._seen.holder)
            except HttpError as error:
                if not error.transient:
                    raise
                log.warning("lease.unread", lease=str(self.name), kind=error.kind, error=error.message)
            if self._seen is not None and self._seen.holder not in {None, holder}:
                holder = self._seen.holder
                log.info("lease.awaited", lease=str(self.name), holder=holder)
            if await sleep_until(stop, self._clock, RETRY_SECONDS * self._random.uniform(1, 1.2)):
                return False

    async def keep(self, ended: asyncio.Event, on_lost: Callable[[], None]) -> None:
        """Renew the lease until `ended` is set; tell when it is lost, which is for good."""
        try:
            why = await self._kept(ended)
        except Exception:
            log.exception("lease.broke")
            why = "a bug in this program"
        if why is not None:
            self.lost = True
            log.error("lease.lost", lease=str(self.name), error=why)
            on_lost()

    async def _kept(self, ended: asyncio.Event) -> str | None:
        """Renew the lease until `ended` is set; why it is lost, None where it isn't."""
        wait, why = RENEW_SECONDS, _STOOD_STILL
        while True:
            is_over = await sleep_until(ended, self._clock, wait)
            if self._term is None or self._age(self._term) >= DEADLINE_SECONDS:
                return why
            if is_over:
                return None
            try:
                holder = await self._renewed(self._term)
            except NotFound:
                return "it was deleted"
            except (HttpError, CredentialsError) as error:
                wait, why = RETRY_SECONDS, error.message
                log.warning("lease.unrenewed", lease=str(self.name), kind=error.kind, error=why, remedy=error.remedy)
                continue
            if holder != self._identity:
                return f"{holder or 'nobody'} holds it"
            wait, why = RENEW_SECONDS, _STOOD_STILL

    async def release(self) -> None:
        """Give the lease back, if it is still held: whoever waits needn't wait any longer."""
        term, self._term = self._term, None
        if term is None or self.lost:
            return
        try:
            released = await self._requests.update(surrender(term.record, self._clock.now()))
        except (HttpError, CredentialsError) as error:
            log.warning("lease.unreleased", lease=str(self.name), kind=error.kind, error=error.message)
        else:
            if released is not None:
                log.info("lease.released", lease=str(self.name))

    async def _taken(self) -> bool:
        """Take the lease, if it is nobody's, or its holder hasn't been seen for its whole duration."""
        record = await self._requests.read()
        self._see(record)
        if record is not None and not self._is_free(record):
            return False
        return await self._write(record) is not None

    def _see(self, record: Record | None) -> None:
        if record is None or self._seen is None or record.spec != self._seen.spec:
            self._seen_at = self._clock.monotonic()
        self._seen = record

    def _is_free(self, record: Record) -> bool:
        unseen = self._clock.monotonic() - self._seen_at
        return record.holder in {None, self._identity} or unseen >= (record.seconds or DURATION_SECONDS)

    async def _write(self, record: Record | None) -> Record | None:
        """Claim the lease; None where somebody else was faster, or the answer says that somebody else has it."""
        monotonic, now = self._clock.monotonic(), self._clock.now()
        body = claim(record, self.name, self._identity, DURATION_SECONDS, now)
        written = await (self._requests.create(body) if record is None else self._requests.update(body))
        if written is None or written.holder != self._identity:
            return None
        self._term = _Term(written, monotonic, now)
        return written

    async def _renewed(self, term: _Term) -> str | None:
        """Renew the lease; who holds it then. What others wrote into it, or an answer that got lost, is no loss."""
        for record in (term.record, None):
            current = record or await self._requests.read()
            if current is None or current.holder != self._identity:
                return current.holder if current is not None else None
            monotonic, now = self._clock.monotonic(), self._clock.now()
            written = await self._requests.update(renewal(current, now))
            if written is not None:
                self._term = _Term(written, monotonic, now)
                return written.holder
        return self._identity

    def _age(self, term: _Term) -> float:
        """Seconds since the renewal was sent, by the clock that went further: one of them may stand in a sleep."""
        return max(self._clock.monotonic() - term.monotonic, self._clock.now() - term.now)
