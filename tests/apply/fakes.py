"""A target, its plan and its service for the tests of apply: real plans of real comparisons, in virtual time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.apply.driver import carry_out
from reconciler.apply.job import Finished, Job
from reconciler.apply.machine import Progress
from reconciler.apply.options import ApplyOptions, Stop
from reconciler.errors import HttpError, InTransition, Rejected
from reconciler.model.cluster import ACTIVE, LiveCluster
from reconciler.model.declaration import Declaration, Manifest, declare
from reconciler.model.evidence import Base, Evidence, Provenance
from reconciler.model.fleet import Head, Target
from reconciler.model.record import Line, Record
from reconciler.model.view import live_cluster
from reconciler.plan.change import Origin, Request
from reconciler.plan.compare import compare
from reconciler.plan.decide import Reading, make_plan
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from reconciler.results import Result
from tests.fakes import FakeClock

BODY = {"node_instance_type": "m6g.large", "shard_count": 2, "replication_factor": 1, "enforce_shard_multi_az": True}
EVERYTHING = ("empty-head", "max-deletes", "max-delete-fraction", "max-drift-fraction", "adopt")


def declared(name: str, *, lifecycle: Mapping[str, object] | None = None, **fields: object) -> Declaration:
    """A declaration of manifests/NAME.yaml, with other values where given."""
    body = {"name": name, **BODY, **fields, "lifecycle": dict(lifecycle or {})}
    return declare(Manifest.model_validate(body), f"manifests/{name}.yaml", 1, {})


def live(name: str, *, status: str = ACTIVE, errors: Sequence[str] = (), **fields: object) -> LiveCluster:
    """A live cluster as `declared` declares it, with other values where given."""
    return live_cluster({"name": name, "description": "", **BODY, **fields, "status": status, "errors": list(errors)})


def line(name: str, declaration: Declaration | None = None, **fields: Any) -> Line:
    """A settled line of the record."""
    one = declaration or declared(name)
    settled = Line(name, "c0", 1.0, one.file, one.line, "created", one.lifecycle, declared=one.managed)
    return settled._replace(**fields)


def head_of(*declarations: Declaration, target: str = "default", **settings: Any) -> Head:
    return Head(
        Target(target, "manifests", **settings), {one.name: one for one in sorted(declarations, key=lambda d: d.name)}
    )


@dataclass(frozen=True)
class Listing:
    clusters: tuple[LiveCluster, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)


def job_of(
    head: Head,
    clusters: Sequence[LiveCluster] = (),
    lines: Sequence[Line] | None = None,
    *,
    prune: bool = False,
    successors: Mapping[str, Origin] | None = None,
    intent: Intent | None = None,
    unreadable: Mapping[str, str] | None = None,
) -> Job:
    """The job that carries out a fresh plan; without `lines`, all that is live was applied before, as it is."""
    found = [_as_live(cluster, head) for cluster in clusters] if lines is None else lines
    record = Record(head.target.name, "https://h", "K", lines={one.name: one for one in found})
    return Job(
        planned(head, clusters, record, prune=prune, intent=intent),
        head,
        Listing(tuple(clusters), unreadable or {}),
        lines=record.lines,
        successors=successors or {},
    )


def planned(
    head: Head, clusters: Sequence[LiveCluster], record: Record, *, prune: bool = False, intent: Intent | None = None
) -> Plan:
    evidence = Evidence(Provenance("c1", dirty=False, base=Base(commit="c0", reason="given")), {}, record)
    meant = intent or Intent(prune="owned" if prune else None, allow=EVERYTHING)
    reading = Reading(head, tuple(clusters), compare(head, clusters, meant.selects), evidence, "https://h")
    return make_plan(reading, meant)


def _as_live(cluster: LiveCluster, head: Head) -> Line:
    declaration = head.declarations.get(cluster.name)
    values = (
        {path: cluster.values[path] for path in declaration.managed if path in cluster.values}
        if declaration
        else dict(cluster.values)
    )
    return Line(cluster.name, "c0", 1.0, f"manifests/{cluster.name}.yaml", 1, "created", declared=values)


@dataclass
class Accepted:
    cluster: LiveCluster | None = None
    attempts: int = 1


Answer = Accepted | HttpError
Handler = Callable[[str, str], Answer | None]


class Service:
    """One account that settles everything after `settle` seconds, unless a hook answers otherwise.

    `hook(method, name)` may answer in the place of the service. `lists` are shown one after the other, the last one
    again and again, in the place of what is there; one may be an error. The first try of a request to one that is in
    `lost` comes to nothing, and what stands there happens meanwhile. `show` changes a cluster as it is listed; the
    entries of `unreadable` make no sense for so many lists.
    """

    def __init__(self, clock: FakeClock, clusters: Sequence[LiveCluster] = (), settle: float = 100.0) -> None:
        self.clock = clock
        self.clusters = {cluster.name: cluster for cluster in clusters}
        self.settles: dict[str, float] = {}
        self.settle = settle
        self.latency = 0.0
        self.requests: list[str] = []
        self.looks: list[float] = []
        self.clients = self.in_flight = self.most_in_flight = 0
        self.hook: Handler = lambda _method, _name: None
        self.lists: list[Sequence[LiveCluster] | HttpError] = []
        self.show: Callable[[LiveCluster], LiveCluster | None] = lambda cluster: cluster
        self.unreadable: dict[str, int] = {}
        self.lost: dict[str, Callable[[], None]] = {}

    @property
    def writes(self) -> list[str]:
        return [request for request in self.requests if not request.startswith("GET")]

    @asynccontextmanager
    async def client(self) -> "AsyncIterator[Service]":
        self.clients += 1
        yield self

    async def list_clusters(self, *, budget_seconds: float | None = None) -> Listing:
        assert budget_seconds is not None
        self.requests.append("GET")
        self.looks.append(self.clock.seconds)
        self._tick()
        if self.lists:
            found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
            if isinstance(found, HttpError):
                raise found
            return Listing(tuple(found))
        unreadable = {name: "status is 7" for name, lists in self.unreadable.items() if lists > 0}
        self.unreadable = {name: lists - 1 for name, lists in self.unreadable.items()}
        shown = (self.show(cluster) for name, cluster in self.clusters.items() if name not in unreadable)
        return Listing(tuple(cluster for cluster in shown if cluster is not None), unreadable)

    async def send(
        self, request: Request, *, cluster: str, look: Callable[[], Awaitable[None]] | None = None
    ) -> Accepted:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                await self.clock.sleep(self.latency)
            self.requests.append(f"{request.method} {cluster}")
            if cluster in self.lost and look is not None:
                self.lost.pop(cluster)()
                await look()
                self.requests.append(f"{request.method} {cluster}")
            answer = self.hook(request.method, cluster)
            if isinstance(answer, HttpError):
                raise answer
            return answer or self._do(request, cluster)
        finally:
            self.in_flight -= 1

    def _do(self, request: Request, name: str) -> Accepted:
        self._tick()
        self.settles[name] = self.clock.seconds + self.settle
        if request.body is None:
            if name in self.clusters:
                self.clusters[name] = self.clusters[name]._replace(status="Deleting")
            self._tick()
            return Accepted()
        status = "Updating" if name in self.clusters else "Creating"
        self.clusters[name] = live_cluster({"name": name, "description": "", **request.body, "status": status})
        self._tick()
        return Accepted(self.show(self.clusters[name]))

    def _tick(self) -> None:
        for name, at in [*self.settles.items()]:
            if self.clock.seconds >= at:
                del self.settles[name]
                if self.clusters[name].status == "Deleting":
                    del self.clusters[name]
                else:
                    self.clusters[name] = self.clusters[name]._replace(status=ACTIVE, errors=())


class World:
    """Services by target, and the runs on them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stop = Stop()
        self.services: dict[str, Service] = {}
        self.progress: list[Progress] = []
        self.ended: list[tuple[float, tuple[Finished, ...]]] = []

    def service(self, target: str = "default", clusters: Sequence[LiveCluster] = (), settle: float = 100.0) -> Service:
        self.services[target] = Service(self.clock, clusters, settle)
        return self.services[target]

    def apply(self, *jobs: Job, **options: Any) -> tuple[Finished, ...]:
        for job in jobs:
            self.services.setdefault(job.target, Service(self.clock, job.listing.clusters))
        return self.clock.run(self.work(*jobs, **options))

    async def work(self, *jobs: Job, **options: Any) -> tuple[Finished, ...]:
        return await carry_out(
            jobs,
            self.services,
            ApplyOptions(**options),
            clock=self.clock,
            stop=self.stop,
            on_progress=self.progress.append,
            on_ended=lambda finished: self.ended.append((self.clock.seconds, finished)),
        )

    def results(self, *jobs: Job, **options: Any) -> dict[str, Result]:
        finished = self.apply(*jobs, **options)
        return {result.name: result for one in finished for result in one.report.results}


def outcomes(results: Mapping[str, Result]) -> dict[str, str]:
    return {name: result.outcome for name, result in results.items()}


def message(result: Result) -> str:
    assert result.error is not None
    return f"{result.error.kind}: {result.error.message}"


BUSY = InTransition("PUT /cluster/a: 409 Conflict: busy", http_status=409)
WRONG = Rejected("PUT /cluster/a: 400 Bad Request: no such type", http_status=400)
