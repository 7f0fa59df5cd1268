"""Time, chance and clusters for tests: nothing is patched, everything is handed in."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import httpx

from reconciler.apply.options import Stop
from reconciler.clock import Clock
from reconciler.live.client import Connection
from reconciler.live.retry import DEFAULT_POLICY, Policy
from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Declaration, Manifest
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Head, Target
from reconciler.model.secret import ApiKey
from reconciler.plan.compare import compare
from reconciler.plan.explain import Reading, explain
from reconciler.plan.plan import Plan
from reconciler.plan.settings import Intent

T = TypeVar("T")

NOTHING_KNOWN = Evidence()

KEY = "a-very-secret-api-key"


class FakeClock:
    """Virtual time: it moves only where a loop of `run` has nothing left to do but to wait."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._began = now
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self._began + self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)  # noqa: TID251  # of the loop below, which doesn't wait

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end in virtual time."""
        with asyncio.Runner(loop_factory=lambda: _VirtualLoop(self)) as runner:
            return runner.run(work)


class _VirtualLoop(asyncio.SelectorEventLoop):
    """Where another loop would wait for the next timer, this one moves its clock to it."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        super().__init__(_Impatient(clock))

    def time(self) -> float:
        return self._clock.seconds


class _Impatient(selectors.SelectSelector):
    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        if not events and timeout:
            self._clock.seconds += timeout
        return events


class FixedRandom:
    """Always the same share of the way from low to high."""

    def __init__(self, share: float = 1.0) -> None:
        self._share = share

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._share


def manifest(name: str = "orders", **fields: Any) -> Manifest:
    """A valid manifest, with other values where given."""
    body = {
        "name": name,
        "node_instance_type": "m6g.large",
        "shard_count": 2,
        "replication_factor": 1,
        "enforce_shard_multi_az": True,
    }
    return Manifest.model_validate({**body, **fields})


def live(name: str = "orders", **fields: Any) -> LiveCluster:
    """A live cluster as `manifest` declares it, with other values where given."""
    body = {
        "name": name,
        "description": "",
        "node_instance_type": "m6g.large",
        "shard_count": 2,
        "replication_factor": 1,
        "enforce_shard_multi_az": True,
        "shard_placements": [],
        "status": "Active",
        "errors": [],
    }
    return LiveCluster.model_validate({**body, **fields})


def head(*manifests: Manifest, elsewhere: frozenset[str] = frozenset()) -> Head:
    """A head that declares these, each in a file of its own name, from line 1."""
    lines = {field: line for line, field in enumerate(("name", *Manifest.model_fields), start=1)}
    declarations = {m.name: Declaration(m, f"manifests/{m.name}.yaml", 1, lines) for m in manifests}
    return Head(Target("default", "manifests"), declarations, elsewhere)


def connection(
    transport: Callable[[], httpx.AsyncBaseTransport] | None,
    clock: Clock,
    *,
    endpoint: str = "https://api.cache.example.com",
    stop: Stop | None = None,
    policy: Policy = DEFAULT_POLICY,
    rate: float | None = None,
    key: str = KEY,
) -> Connection:
    """A connection over a transport that isn't the network."""
    return Connection(
        endpoint,
        ApiKey(key),
        clock=clock,
        random=FixedRandom(),
        give_up=(stop or Stop()).requested,
        policy=policy,
        rate=rate,
        transport=transport,
    )


def planned(
    one: Head, clusters: Sequence[LiveCluster], *, prune_all: bool = False, evidence: Evidence = NOTHING_KNOWN
) -> Plan:
    """The plan of one target, without git where no evidence is given."""
    reading = Reading(one, tuple(clusters), "https://h")
    intent = Intent(prune="all" if prune_all else None, allow=("empty-head", "max-deletes", "max-delete-fraction"))
    return explain(reading, compare(one, clusters), evidence, intent, 0.0)
