"""Replicas that want a lease, in virtual time: clocks of their own, a network of their own, and work to be done."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from reconciler.errors import LeaseLost
from reconciler.lease.in_cluster import ApiServer, LeaseName
from reconciler.lease.lease import Lease
from reconciler.lease.requests import LeaseRequests
from reconciler.model.secret import ApiKey
from tests.fakes import FakeClock, FixedRandom
from tests.lease.fake_kubernetes import TOKEN, FakeKubernetes

Span = tuple[float, float]

_TICK = 0.001
"""More than a loop's timers are exact by."""


def within(moment: float, spans: Sequence[Span]) -> float | None:
    """When the span that holds this moment ends; None where none does."""
    return max((end for begin, end in spans if begin <= moment < end), default=None)


@dataclass
class ReplicaClock:
    """Shows another time than others', runs at another rate, and stands still while its process does."""

    true: FakeClock
    ahead: float = 0.0
    rate: float = 1.0
    stops: Sequence[Span] = ()

    def now(self) -> float:
        return self.true.now() + self.ahead

    def monotonic(self) -> float:
        return self.true.seconds * self.rate

    async def sleep(self, seconds: float) -> None:
        await self.true.sleep(seconds / self.rate)
        await self.awake()

    async def awake(self) -> None:
        """Come back when the process runs."""
        while (end := within(self.true.seconds, self.stops)) is not None:
            await self.true.sleep(end - self.true.seconds + _TICK)


class Network(httpx.AsyncBaseTransport):
    """One replica's way to the API server: slow, cut off at times, and losing answers."""

    def __init__(
        self,
        kubernetes: FakeKubernetes,
        clock: ReplicaClock,
        *,
        delays: Sequence[float] = (0.0,),
        cuts: Sequence[Span] = (),
        losses: Sequence[Span] = (),
    ) -> None:
        self._server = kubernetes
        self._clock = clock
        self._delays = list(delays)
        self._cuts = cuts
        self._losses = losses

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._clock.awake()
        self._delays.append(delay := self._delays.pop(0))
        await self._clock.true.sleep(delay)
        if within(self._clock.true.seconds, self._cuts) is not None:
            await self._clock.true.sleep(60)  # longer than anybody waits
            raise httpx.ConnectTimeout("cut off")
        authorization = request.headers["Authorization"]
        answer = self._server.handle(request.method, request.url.path, authorization, request.content)
        if within(self._clock.true.seconds, self._losses) is not None:
            raise httpx.ReadError("the answer is lost")
        await self._clock.true.sleep(delay)
        await self._clock.awake()
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=bytes(answer.body))


@dataclass
class Replica:
    """One process after the other: each waits for the lease, works while it may, and is begun anew when it ends.

    `work` are the spans in which a request of it may have been under way, `losses` why a lease was lost.
    """

    name: str
    kubernetes: FakeKubernetes
    clock: ReplicaClock
    network: Callable[[], Network]
    request_seconds: Sequence[float] = (0.5,)
    work: list[Span] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    processes: int = 0

    def lease(self) -> Lease:
        """A lease for a process of its own."""
        self.processes += 1
        server = ApiServer("https://10.0.0.1:443", "", Path("nowhere"))
        requests = LeaseRequests(
            _WithToken(*server),
            LeaseName("fleet", "reconciler"),
            self.clock,
            keep_secret=lambda _key: None,
            transport=self.network,
        )
        return Lease(requests, f"{self.name}_{self.processes}", self.clock, FixedRandom(0.5))

    async def run(self, until: float = float("inf")) -> None:
        """Begin processes until then; the last is let end as by a signal."""
        stop = asyncio.Event()
        while not stop.is_set():
            await self.process(stop, until)
            if not stop.is_set():
                await self.clock.sleep(1)

    async def process(self, stop: asyncio.Event, until: float) -> None:
        """One process."""
        lease = self.lease()
        ending = asyncio.Event()
        ended = asyncio.Event()
        watching = asyncio.ensure_future(self._end_at(until, stop, ending))
        try:
            if not await lease.acquire(ending):
                return
            self.held.append(self.clock.true.seconds)
            keeping = asyncio.ensure_future(lease.keep(ended, ending.set))
            try:
                await self._work(lease, ending)
                ended.set()
                await keeping
            finally:
                keeping.cancel()
            if lease.lost:
                self.lost.append(self.clock.true.seconds)
            await lease.release()
        finally:
            watching.cancel()

    async def _end_at(self, until: float, stop: asyncio.Event, ending: asyncio.Event) -> None:
        if until < float("inf"):
            await self.clock.true.sleep(max(0.0, until - self.clock.true.seconds))
            stop.set()
            ending.set()
        else:
            await asyncio.Event().wait()

    async def _work(self, lease: Lease, ending: asyncio.Event) -> None:
        lengths = list(self.request_seconds)
        while not ending.is_set():
            await self.clock.awake()
            try:
                lease.permit()
            except LeaseLost:
                return
            lengths.append(seconds := lengths.pop(0))
            began = self.clock.true.seconds
            self.work.append((began, began + seconds))
            await self.clock.true.sleep(seconds)
            await self.clock.sleep(0.5)


class _WithToken(ApiServer):
    def token(self) -> ApiKey:
        return ApiKey(TOKEN)


def overlapping(replicas: Sequence[Replica]) -> list[tuple[str, Span, str, Span]]:
    """Requests of two replicas that were under way at the same time."""
    spans = sorted((span, replica.name) for replica in replicas for span in replica.work)
    found: list[tuple[str, Span, str, Span]] = []
    latest: tuple[Span, str] | None = None
    for span, name in spans:
        if latest is not None and name != latest[1] and span[0] < latest[0][1]:
            found.append((latest[1], latest[0], name, span))
        if latest is None or span[1] >= latest[0][1]:
            latest = (span, name)
    return found
