"""Carries out a plan: creates and updates first, deletes when those have settled, one poll for all that settles.

Each change goes through `ready` (its request may be sent now), then either ends or is `watched`: it settles, or it
waits until it may be sent. Workers empty `ready`; one poller lists the target's clusters and judges what is watched.
"""

import asyncio
from dataclasses import dataclass
from typing import assert_never

import structlog

from reconciler.apply.ledger import NOT_SETTLED, NOT_STARTED, Ledger
from reconciler.apply.options import ApplyOptions, Now, Stop
from reconciler.apply.settling import judge_accepted, judge_saved, judge_waiting
from reconciler.clock import Clock, format_duration, sleep_until
from reconciler.errors import Forbidden, InTransition, LiveError, Unauthenticated
from reconciler.live.client import Client, Connection
from reconciler.model.cluster import LiveCluster
from reconciler.model.fleet import DEFAULT_CONCURRENCY
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan
from reconciler.results import ErrorDetail, Outcome

log = structlog.get_logger()

FIRST_POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 30.0
POLL_GROWTH = 1.5
TOLD_EVERY_SECONDS = 60.0


async def carry_out(
    plan: Plan,
    ledger: Ledger,
    connection: Connection,
    options: ApplyOptions,
    *,
    clock: Clock,
    stop: Stop,
    now: Now | None = None,
) -> None:
    """Carry out the plan; the ledger holds how each change ended, however this ends.

    `now` is for a plan that was made earlier: what moved since is left alone.
    """
    waiting = {change.name for change in plan.sends if change.waits_for is not None}
    if now is not None:
        waiting |= _judge_all(plan, ledger, now)
    errors_before = {cluster.name: cluster.errors for cluster in plan.unhealthy}
    phases: tuple[list[Change], list[Change]] = (
        [change for change in plan.sends if change.action != "delete"],
        [change for change in plan.sends if change.action == "delete"],
    )
    for phase in phases:
        changes = [change for change in phase if ledger.ended(change) is None]
        if _failed_before(plan, ledger) and not options.keep_going:
            for change in changes:
                ledger.end(change, "skipped", _EARLIER_FAILED)
        elif changes:
            await _Phase(changes, waiting, ledger, connection, options, errors_before, clock, stop).run()


def _judge_all(plan: Plan, ledger: Ledger, now: Now) -> set[str]:
    """End what is done already, and what moved; the names of those that have to wait."""
    live = {cluster.name: cluster for cluster in now.live}
    deletes = {change.name for change in now.plan.changes if change.action == "delete"}
    waiting = set()
    for change in plan.sends:
        judgement = judge_saved(change, live.get(change.name), deletes)
        match judgement.step:
            case "wait":
                waiting.add(change.name)
            case "send":
                pass
            case "settled":
                ledger.end(change, "applied")
            case "stale" | "failed":
                ledger.end(change, "stale", ErrorDetail(kind="stale", message=judgement.reason))
            case unreachable:
                assert_never(unreachable)
    return waiting


def _failed_before(plan: Plan, ledger: Ledger) -> bool:
    ended = (ledger.ended(change) for change in plan.sends)
    return any(result is not None and result.outcome not in {"applied", "stale"} for result in ended)


@dataclass(slots=True)
class _Watched:
    change: Change
    accepted: bool
    since: float


class _Phase:
    """Changes that may run side by side."""

    def __init__(
        self,
        changes: list[Change],
        waiting: set[str],
        ledger: Ledger,
        connection: Connection,
        options: ApplyOptions,
        errors_before: dict[str, tuple[str, ...]],
        clock: Clock,
        stop: Stop,
    ) -> None:
        self._changes = changes
        self._waiting = waiting
        self._ledger = ledger
        self._connection = connection
        self._options = options
        self._errors_before = errors_before
        self._clock = clock
        self._stop = stop
        self._ready: asyncio.Queue[Change | None] = asyncio.Queue()
        self._watched: dict[str, _Watched] = {}
        self._open = len(changes)
        self._workers = min(options.concurrency or DEFAULT_CONCURRENCY, len(changes))
        self._waiting_since: dict[str, float] = {}
        self._refused: ErrorDetail | None = None
        self._news = asyncio.Event()
        self._poll_seconds = FIRST_POLL_SECONDS
        self._told = clock.monotonic()

    async def run(self) -> None:
        """Return when every change of the phase has ended."""
        for change in self._changes:
            if change.name not in self._waiting:
                self._ready.put_nowait(change)
            elif self._options.wait:
                self._watch(change, accepted=False)
            else:
                self._end(change, "skipped", _HAS_TO_WAIT)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())
            if self._options.wait:
                group.create_task(self._poll())

    async def _work(self) -> None:
        async with self._connection.client() as client:
            while (change := await self._ready.get()) is not None:
                await self._send(client, change)

    async def _send(self, client: Client, change: Change) -> None:
        halted = self._refused or (NOT_STARTED if self._stop.requested.is_set() else None)
        if halted:
            self._end(change, "skipped", halted)
            return
        self._ledger.start(change)
        try:
            answer = await client.send(change.requests[0], cluster=change.name)
        except LiveError as error:
            self._ledger.answered(change, error.attempts)
            self._not_taken(change, error)
            return
        self._ledger.answered(change, answer.attempts)
        if answer.cluster is not None:
            self._ledger.see(change, answer.cluster.status)
        if self._options.wait:
            self._ledger.accept(change)
            self._poll_seconds = FIRST_POLL_SECONDS
            self._watch(change, accepted=True)
        else:
            self._end(change, "applied")

    def _not_taken(self, change: Change, error: LiveError) -> None:
        detail = ErrorDetail(kind=error.kind, message=error.message, http_status=error.http_status)
        if isinstance(error, InTransition) and not error.may_have_reached and not self._options.wait:
            self._end(change, "skipped", detail)
        elif isinstance(error, InTransition) and self._options.wait:
            self._watch(change, accepted=False)
        else:
            if isinstance(error, Unauthenticated | Forbidden):
                self._refused = _refused_by(error)
            self._end(change, "unknown" if error.may_have_reached else "failed", detail)

    def _watch(self, change: Change, *, accepted: bool) -> None:
        now = self._clock.monotonic()
        since = now if accepted else self._waiting_since.setdefault(change.name, now)
        self._watched[change.name] = _Watched(change, accepted, since)
        self._news.set()

    def _end(self, change: Change, outcome: Outcome, error: ErrorDetail | None = None) -> None:
        self._watched.pop(change.name, None)
        self._ledger.end(change, outcome, error)
        self._open -= 1
        if not self._open:
            self._news.set()
            for _ in range(self._workers):
                self._ready.put_nowait(None)

    async def _poll(self) -> None:
        async with self._connection.client() as client:
            while self._open:
                if not self._watched:
                    self._news.clear()
                    await self._news.wait()
                elif await sleep_until(self._stop.requested, self._clock, self._poll_seconds):
                    self._let_go(NOT_SETTLED, NOT_STARTED)
                else:
                    self._poll_seconds = min(self._poll_seconds * POLL_GROWTH, LONGEST_POLL_SECONDS)
                    await self._look(client)

    async def _look(self, client: Client) -> None:
        try:
            listed = {cluster.name: cluster for cluster in await client.list_clusters()}
        except (Unauthenticated, Forbidden) as error:
            self._refused = _refused_by(error)
            self._let_go(self._refused, self._refused)
        except LiveError as error:
            log.warning("poll.failed", kind=error.kind, error=error.message, http_status=error.http_status)
            self._end_overdue()
        else:
            for watched in list(self._watched.values()):
                self._judge(watched, listed.get(watched.change.name))
            self._end_overdue()
            self._tell()

    def _judge(self, watched: _Watched, live: LiveCluster | None) -> None:
        change = watched.change
        self._ledger.see(change, live.status if live else None)
        if watched.accepted:
            judgement = judge_accepted(change, live, self._errors_before.get(change.name, ()))
        else:
            judgement = judge_waiting(change, live)
        match judgement.step:
            case "wait":
                pass
            case "send":
                del self._watched[change.name]
                self._ready.put_nowait(change)
            case "settled":
                seconds = round(self._clock.monotonic() - watched.since, 3)
                log.info("cluster.settled", cluster=change.name, action=change.action, seconds=seconds)
                self._end(change, "applied")
            case "stale" | "failed" as outcome:
                kind = "stale" if outcome == "stale" else "unsettled"
                self._end(change, outcome, ErrorDetail(kind=kind, message=judgement.reason))
            case unreachable:
                assert_never(unreachable)

    def _end_overdue(self) -> None:
        timeout = self._options.timeout_seconds
        for watched in list(self._watched.values()):
            if self._clock.monotonic() - watched.since >= timeout:
                what = "settled" if watched.accepted else "become ready for its request"
                message = f"it has not {what} within {format_duration(timeout)}; run plan to see where it is"
                self._end(watched.change, "failed", ErrorDetail(kind="timeout", message=message))

    def _let_go(self, accepted: ErrorDetail, waiting: ErrorDetail) -> None:
        for watched in list(self._watched.values()):
            if watched.accepted:
                self._end(watched.change, "unknown", accepted)
            else:
                self._end(watched.change, "skipped", waiting)

    def _tell(self) -> None:
        now = self._clock.monotonic()
        if self._watched and now - self._told >= TOLD_EVERY_SECONDS:
            self._told = now
            oldest = min(watched.since for watched in self._watched.values())
            log.info("clusters.awaited", count=len(self._watched), seconds=round(now - oldest))


def _refused_by(error: LiveError) -> ErrorDetail:
    message = f"not sent: the service refuses this target's API key ({error.kind})"
    return ErrorDetail(kind=error.kind, message=message, http_status=error.http_status)


_EARLIER_FAILED = ErrorDetail(
    kind="earlier-failure", message="not deleted: an earlier change failed; mend it, or allow it with --keep-going"
)
_HAS_TO_WAIT = ErrorDetail(
    kind="in-transition", message="the cluster is in transition and has to be waited for; run again without --no-wait"
)
