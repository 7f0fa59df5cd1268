"""Time, chance and clusters for tests: nothing is patched, everything is handed in."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import httpx

from reconciler.apply.options import Stop
from reconciler.clock import Clock
from reconciler.live.client import Connection
from reconciler.model.cluster import FIELDS, LiveCluster
from reconciler.model.declaration import Declaration, Manifest, declare
from reconciler.model.evidence import NO_GIT, Evidence
from reconciler.model.fleet import Head, Target
from reconciler.model.secret import ApiKey
from reconciler.model.view import live_cluster
from reconciler.plan.compare import compare
from reconciler.plan.decide import Reading, make_plan
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from reconciler.problem import Place
from reconciler.wire.client import Observer, Permit, always, unobserved
from reconciler.wire.retry import DEFAULT_POLICY, Policy

T = TypeVar("T")

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


def entry(name: str = "orders", **fields: object) -> dict[str, Any]:
    """One entry of the service's list: a cluster as `manifest` declares it, with other values where given."""
    listed = {
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
    return {**listed, **fields}


def live(name: str = "orders", **fields: Any) -> LiveCluster:
    """A live cluster as `manifest` declares it, with other values where given."""
    return live_cluster(entry(name, **fields))


def declaration(of: Manifest) -> Declaration:
    """A manifest in a file of its own name, from line 1, a key a line."""
    file = f"manifests/{of.name}.yaml"
    places = {key: Place(file, line) for line, key in enumerate(("name", *FIELDS, "lifecycle"), start=1)}
    return declare(of, file, 1, places)


def head(*manifests: Manifest, **target: Any) -> Head:
    """A head that declares these, of a target with other settings where given."""
    declarations = {m.name: declaration(m) for m in sorted(manifests, key=lambda m: m.name)}
    return Head(Target(**{"name": "default", "folder": "manifests", **target}), declarations)


def connection(
    transport: Callable[[], httpx.AsyncBaseTransport] | None,
    clock: Clock,
    *,
    endpoint: str = "https://api.cache.example.com",
    stop: Stop | None = None,
    policy: Policy = DEFAULT_POLICY,
    rate: float | None = None,
    key: str = KEY,
    permit: Permit = always,
    observer: Observer = unobserved,
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
        permit=permit,
        transport=transport,
        observer=observer,
    )


def planned(
    one: Head, clusters: Sequence[LiveCluster], *, prune_all: bool = False, evidence: Evidence = NO_GIT
) -> Plan:
    """The plan of one target, without git where no evidence is given; adoptions are agreed to."""
    allow = ("empty-head", "max-deletes", "max-delete-fraction")
    intent = Intent(prune="all" if prune_all else None, adopt=("*",), allow=allow)
    return make_plan(Reading(one, tuple(clusters), compare(one, clusters), evidence, "https://h"), intent)
