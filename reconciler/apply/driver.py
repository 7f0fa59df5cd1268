"""Feeds the machine: sends what it says to send, lists when it says to look, and tells it what came of that.

All I/O of this room is here. Whatever ends a run, a cancelled task or a bug, it comes back with how each change ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Protocol, assert_never

import structlog

from reconciler.apply import words
from reconciler.apply.job import AccountListing, Finished, Job
from reconciler.apply.machine import Machine, Progress
from reconciler.apply.options import ApplyOptions, Stop
from reconciler.apply.protocol import (
    Aborted,
    Begun,
    Event,
    ListClusters,
    Listed,
    Log,
    NotListed,
    NotTaken,
    Refusal,
    Send,
    StopRequested,
    Superseded,
    Taken,
)
from reconciler.clock import Clock, sleep_until
from reconciler.errors import HttpError, InTransition, Rejected, Undocumented
from reconciler.model.cluster import LiveCluster
from reconciler.plan.change import Request
from reconciler.results import ErrorDetail

log = structlog.get_logger()

_TICK_SECONDS = 0.001
"""A timer may come back so much too early."""

_BETWEEN_PROGRESS_SECONDS = 0.2
_BETWEEN_PROGRESS_SECONDS_EACH = 0.0001
"""Of each cluster: telling names them all, and takes a few hundredths of the time, however many there are."""


class Acceptance(Protocol):
    """What a request came to that was taken."""

    @property
    def cluster(self) -> LiveCluster | None:
        """PUT's answer."""
        ...

    @property
    def attempts(self) -> int:
        """How many requests it took."""
        ...


class AccountClient(Protocol):
    """What a worker speaks by, one request at a time. Its errors are HttpErrors."""

    async def list_clusters(self, *, budget_seconds: float | None = None) -> AccountListing:
        """All clusters of the account."""
        ...

    async def send(
        self, request: Request, *, cluster: str, look: Callable[[], Awaitable[None]] | None = None
    ) -> Acceptance:
        """Send one change; a cluster that isn't there is deleted already. `look` is called before each further try."""
        ...


class Account(Protocol):
    """One target's account; makes a client for each worker."""

    def client(self) -> AbstractAsyncContextManager[AccountClient]:
        """A client of its own."""
        ...


async def carry_out(
    jobs: Sequence[Job],
    connections: Mapping[str, Account],
    options: ApplyOptions,
    *,
    clock: Clock,
    stop: Stop,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_ended: Callable[[tuple[Finished, ...]], None] = lambda _finished: None,
) -> tuple[Finished, ...]:
    """Carry out the jobs side by side; `connections` are by target. It raises nothing: it is told in the results.

    Where they go apart, `on_ended` is told of targets that have ended while others haven't: first as all begin, of
    those in which there is nothing to do. The others come back.
    """
    run = _Run(Machine(jobs, options), connections, clock, stop, on_progress, on_ended if options.apart else None)
    why = words.BROKE
    try:
        await run.to_the_end()
    except asyncio.CancelledError:
        log.warning("apply.cancelled")
        why = words.NOT_SETTLED
    except Exception:
        log.exception("apply.broke")
    return run.finished(why)


class _Run:
    """The tasks of one run: a poller and some workers for each target, and one that watches for the stop."""

    def __init__(
        self,
        machine: Machine,
        connections: Mapping[str, Account],
        clock: Clock,
        stop: Stop,
        on_progress: Callable[[Progress], None],
        on_ended: Callable[[tuple[Finished, ...]], None] | None,
    ) -> None:
        self._machine = machine
        self._clock = clock
        self._stop = stop
        self._on_progress = on_progress
        self._on_ended = on_ended
        self._told = frozenset[str]()
        self._tell_next = 0.0
        self._lists_under_way = 0
        self._stopped = False
        self._superseded = False
        self._done = asyncio.Event()
        self._targets = {name: _Target(connection, clock) for name, connection in connections.items()}
        self._group = asyncio.TaskGroup()

    async def to_the_end(self) -> None:
        """Come back when the machine is done."""
        async with self._group:
            helpers = [self._group.create_task(self._watch_stop())]
            helpers += [self._group.create_task(self._poll(name)) for name in self._targets]
            self._feed(Begun(self._clock.monotonic()))
            await self._done.wait()
            for helper in helpers:
                helper.cancel()
            for target in self._targets.values():
                target.dismiss()

    def finished(self, why: ErrorDetail) -> tuple[Finished, ...]:
        """How it ended; for what hasn't, that is why."""
        at = self._clock.monotonic()
        if not self._machine.done:
            for step in self._machine.handle(Aborted(at, why)):
                if isinstance(step, Log):
                    _tell(step)
        return self._machine.finished(at, self._targets.keys() - self._told)

    def _feed(self, event: Event) -> None:
        self._heed_stop(event.at)  # before what came at the same moment sends more
        for step in self._machine.handle(event):
            match step:
                case Send():
                    target = self._targets[step.target]
                    if target.take(step):
                        self._group.create_task(self._work(step.target))
                case ListClusters():
                    self._targets[step.target].look(step)
                case Log():
                    _tell(step)
                case unreachable:
                    assert_never(unreachable)
        if self._machine.done:
            self._done.set()
        self._tell_ended(event)
        # Answers come by the hundred a second, lists of many targets together: of these the last is told at once.
        more_to_come = isinstance(event, Taken | NotTaken) or bool(self._lists_under_way)
        if event.at >= self._tell_next or not more_to_come or self._machine.done:
            progress = self._machine.progress(event.at, self._told)
            between = max(_BETWEEN_PROGRESS_SECONDS, progress.total * _BETWEEN_PROGRESS_SECONDS_EACH)
            self._tell_next = event.at + between
            self._on_progress(progress)

    def _tell_ended(self, event: Event) -> None:
        if self._on_ended is None or self._machine.done:
            return
        earlier, self._told = self._told, self._machine.ended
        if self._told != earlier or isinstance(event, Begun):
            self._on_ended(self._machine.finished(event.at, self._told - earlier))

    async def _watch_stop(self) -> None:
        await self._stop.requested.wait()
        self._heed_stop(self._clock.monotonic())

    def _heed_stop(self, at: float) -> None:
        if self._stop.requested.is_set() and not self._stopped:
            self._stopped = True
            self._feed(StopRequested(at))
        if self._stop.superseded.is_set() and not self._superseded:
            self._superseded = True
            self._feed(Superseded(at))

    async def _work(self, name: str) -> None:
        structlog.contextvars.bind_contextvars(target=name)
        target = self._targets[name]
        async with AsyncExitStack() as stack:
            client: AccountClient | None = None
            while (step := await target.next_send()) is not None:
                try:
                    if client is None:
                        client = await stack.enter_async_context(target.connection.client())
                    look = partial(self._look_again, client, step) if step.request.method == "DELETE" else None
                    answer = await client.send(step.request, cluster=step.name, look=look)
                except Exception as error:  # noqa: BLE001  # the others go on
                    event: Event = NotTaken(self._clock.monotonic(), name, step.name, _refusal(error))
                else:
                    event = Taken(self._clock.monotonic(), name, step.name, answer.cluster, answer.attempts)
                target.sent()
                self._feed(event)

    async def _look_again(self, client: AccountClient, step: Send) -> None:
        """Look before a DELETE is tried again: the first may have arrived, and the name be somebody else's by now.

        Raises InTransition where it isn't to be: the machine waits, looks, and decides.
        """
        asked = self._clock.monotonic()
        try:
            listing = await client.list_clusters(budget_seconds=0.0)
        except Rejected as error:  # the look is, and what was sent may have arrived all the same
            raise Undocumented(error.message, http_status=error.http_status) from error
        except HttpError as error:
            raise error.after(error.attempts, "", may_have_reached=False) from error
        if not self._machine.may_repeat(step, _listed(asked, asked, step.target, listing)):
            raise InTransition(words.CHANGED_BETWEEN_TRIES)

    async def _poll(self, name: str) -> None:
        structlog.contextvars.bind_contextvars(target=name)
        target = self._targets[name]
        async with AsyncExitStack() as stack:
            client: AccountClient | None = None
            while True:
                asked, budget_seconds = await target.next_look()
                self._lists_under_way += 1
                try:
                    if client is None:
                        client = await stack.enter_async_context(target.connection.client())
                    listing = await client.list_clusters(budget_seconds=budget_seconds)
                except Exception as error:  # noqa: BLE001  # errors on the way are survived
                    event: Event = NotListed(self._clock.monotonic(), name, _refusal(error))
                else:
                    event = _listed(self._clock.monotonic(), asked, name, listing)
                self._lists_under_way -= 1
                self._feed(event)


class _Target:
    """What is to be sent to one target, and when it is listed next."""

    def __init__(self, connection: Account, clock: Clock) -> None:
        self.connection = connection
        self._clock = clock
        self._sends: asyncio.Queue[Send | None] = asyncio.Queue()
        self._workers = 0
        self._busy = 0
        self._look: ListClusters | None = None
        self._changed = asyncio.Event()

    def take(self, step: Send) -> bool:
        """Whether another worker is needed for it."""
        self._sends.put_nowait(step)
        self._busy += 1
        if self._busy <= self._workers:
            return False
        self._workers += 1
        return True

    async def next_send(self) -> Send | None:
        """What a worker does next; None when it may go."""
        return await self._sends.get()

    def sent(self) -> None:
        """A worker is free again."""
        self._busy -= 1

    def dismiss(self) -> None:
        """Let the workers go."""
        for _ in range(self._workers):
            self._sends.put_nowait(None)

    def look(self, step: ListClusters) -> None:
        """When to list next, in the place of what was due."""
        self._look = step
        self._changed.set()

    async def next_look(self) -> tuple[float, float]:
        """Come back when the list is due: the moment that it counts from, and the seconds that it may take."""
        while True:
            self._changed.clear()
            look = self._look
            if look is None or look.at is None:
                await self._changed.wait()
                continue
            now = self._clock.monotonic()
            if look.at - now < _TICK_SECONDS:
                self._look = None
                return max(now, look.at), look.budget_seconds
            await sleep_until(self._changed, self._clock, look.at - now)


def _listed(at: float, asked: float, target: str, listing: AccountListing) -> Listed:
    clusters = {cluster.name: cluster for cluster in listing.clusters}
    return Listed(at, target, asked, clusters, frozenset(listing.unreadable))


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, HttpError):
        return Refusal(error.kind, error.message, error.http_status, error.may_have_reached, error.attempts)
    log.error("request.broke", exc_info=error)
    return Refusal("internal", words.BROKE.message, may_have_reached=True)


def _tell(step: Log) -> None:
    tell = {"info": log.info, "warning": log.warning, "error": log.error}[step.level]
    tell(step.event, **step.fields)
