"""Thousands of rounds in virtual time, with every fault of a service: nothing grows, and the metrics are true.

`SOAK_ROUNDS=10000` takes some minutes.
"""

import asyncio
import gc
import json
import os
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO, TypeVar

import httpx
import pytest
import structlog

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.cli.console import Console
from reconciler.cli.listening import Watch
from reconciler.cli.rounds import Rounds
from reconciler.cli.settings import Settings
from reconciler.cli.signals import Signals
from reconciler.clock import SeededRandom
from reconciler.logs import drop_unless_configured
from reconciler.loop.events import RoundEnded
from reconciler.loop.repeat import repeat
from reconciler.model.fleet import Fleet
from reconciler.plan.intent import Intent
from reconciler.reconcile.ground import Connected, Ground
from reconciler.reconcile.listing import Patience
from reconciler.reconcile.planning import PlanRequest
from reconciler.report.invocation import Invocation
from reconciler.serve.events import Event, Exchanged
from reconciler.serve.picture import Picture
from reconciler.wire.retry import Policy
from tests.fakes import FakeClock, connection, entry, head, manifest
from tests.serve.serving import Wall, shown
from tests.serve.test_metrics import samples_of

pytestmark = pytest.mark.slow

T = TypeVar("T")

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "3000"))
TRACED = 500
"""So many of the last rounds are traced: what leaks in each of them shows, and all the others are fast."""
LARGEST_GROWTH_BYTES = 128 * 1024
TARGETS = ("us", "eu")
UNREGISTERED = 499
"""A status that no standard names: the metrics count all of them as one."""
STATUSES = (400, 401, 403, 404, 408, 409, 429, 500, 502, 503, UNREGISTERED)


class Service:
    """An account that fails by chance, in spells, and whose clusters somebody else changes; it counts its answers."""

    def __init__(self, seed: int, counts: Counter[tuple[str, str]]) -> None:
        self._chance = SeededRandom(seed)
        self.listed = {name: entry(name) for name in ("a", "b")}
        self.counts = counts
        self.down = False

    def happens(self, share: float) -> bool:
        return self._chance.uniform(0, 1) < share

    def any_of(self, choices: Sequence[T]) -> T:
        return choices[int(self._chance.uniform(0, len(choices) - 0.001))]

    def reply(self, request: httpx.Request) -> httpx.Response:
        method = request.method
        self.down = self.down if self.happens(0.9) else self.happens(0.2)
        if self.down and self.happens(0.7):
            self.counts[method, "none"] += 1
            raise self.any_of([httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout])("a fault")
        answer = self._fault() if self.down or self.happens(0.05) else self._answer(request)
        self.counts[method, str(answer.status_code) if answer.status_code != UNREGISTERED else "other"] += 1
        return answer

    def _fault(self) -> httpx.Response:
        return httpx.Response(self.any_of(STATUSES), text="<html>" if self.happens(0.3) else '{"message": "no"}')

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if request.method == "PUT":
            self.listed[name] = entry(name, **json.loads(request.content))
            return httpx.Response(200, json=self.listed[name])
        if self.happens(0.1):
            self.listed[self.any_of(["a", "b"])]["shard_count"] = self.any_of(range(1, 9))
        return httpx.Response(200, json=[*self.listed.values()])


class Soak:
    """The loop, its services, what it told on stdout, and what is scraped of it now and then."""

    def __init__(self, wall: Wall, out: Path, stdout: TextIO) -> None:
        self.clock, self.stop = FakeClock(), Stop()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.told: Counter[tuple[str, str]] = Counter()
        self.ended: Counter[int] = Counter()
        self.grown = 0
        self.wall = wall
        self.watch = Watch(Picture(applies=True, longest_round_seconds=9000))
        self.out = out
        settings = Settings(result="plan", format_name="json", one_line=True)
        self.console = Console(None, stdout, None, {}, Signals(), settings)
        self.services = [Service(seed, self.requests) for seed, _ in enumerate(TARGETS)]
        self.ground = self._ground()

    def _ground(self) -> Ground:
        heads = [head(manifest("a"), manifest("b"), name=name) for name in TARGETS]
        fleet = Fleet(tuple(one.target for one in heads), {one.target.name: one.declarations for one in heads})
        sites = tuple(
            Connected(
                one,
                connection(
                    lambda service=service: httpx.MockTransport(service.reply),  # type: ignore[misc]
                    self.clock,
                    endpoint=f"https://{one.target.name}.example.com",
                    policy=Policy(budget=20),
                    observer=lambda method, status: self.tell(Exchanged(method, status)),
                ),
            )
            for one, service in zip(heads, self.services, strict=True)
        )
        return Ground(fleet, sites, None, "manifests")

    def run(self) -> None:
        adopting = PlanRequest(Intent(adopt=("*",), allow=("max-drift-fraction",)))
        rounds = Rounds(
            self.console,
            lambda: nullcontext(self.ground),
            adopting,
            Invocation(),
            ApplyOptions(timeout_seconds=120, apart=True),
            self.clock,
            self.stop,
            self.tell,
            Patience(self.clock, self.stop.requested),
        )
        self.clock.run(self._repeat(rounds))

    async def _repeat(self, rounds: Rounds) -> None:
        await repeat(
            rounds.one,
            interval_seconds=5,
            clock=self.clock,
            random=SeededRandom(1),
            stop=self.stop.requested,
            tell=self.tell,
        )
        assert asyncio.all_tasks() == {asyncio.current_task()}

    def tell(self, event: Event) -> None:
        self.watch.tell(event)
        if isinstance(event, RoundEnded):
            self.clock.slept.clear()
            self.ended[event.code] += 1
            self._take_what_was_told()
            done = self.ended.total()
            if done == ROUNDS:
                gc.collect()
                self.grown, _ = tracemalloc.get_traced_memory()
                tracemalloc.stop()
                self.stop.requested.set()
            if done % TRACED == 0:
                self.wall.picture = self.watch.picture
                self.check(httpx.get(f"{self.wall.url}/metrics", trust_env=False).text)
            if done == ROUNDS - TRACED:
                gc.collect()
                tracemalloc.start()

    def _take_what_was_told(self) -> None:
        for line in self.out.read_text().splitlines():
            for target in json.loads(line)["targets"]:
                self.told.update((result["action"], result["outcome"]) for result in target.get("results", ()))
        os.truncate(self.out, 0)

    def check(self, metrics: str) -> None:
        """The metrics say what the services counted, and what was told."""
        found = samples_of(metrics)

        def counted(metric: str, *labels: str) -> Mapping[tuple[str, ...], float]:
            named = {key.partition("{")[2].rstrip("}"): value for key, value in found.items() if key.startswith(metric)}
            pairs = {tuple(part.partition("=")[::2] for part in one.split(",")): value for one, value in named.items()}
            return {tuple(dict(pair)[label] for label in labels): value for pair, value in pairs.items()}

        assert counted("reconciler_http_requests_total", "method", "code") == self.requests
        assert counted("reconciler_changes_total", "action", "outcome") == self.told
        results = {("ok",): self.ended[0], ("failed",): self.ended[1]}
        assert counted("reconciler_reconcile_total", "result") == {
            key: value for key, value in results.items() if value
        }
        assert found["reconciler_reconcile_duration_seconds_count{}"] == self.ended.total()


@pytest.fixture
def _without_logs() -> Iterator[None]:
    structlog.reset_defaults()
    drop_unless_configured()
    yield
    structlog.reset_defaults()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.usefixtures("_without_logs")
def test_thousands_of_rounds_leave_nothing_behind(tmp_path: Path) -> None:
    """No memory, no descriptor, no task; and each request, change and round is counted once."""
    out = tmp_path / "out"
    out.touch()
    before = descriptors()
    with shown(Picture(applies=True, longest_round_seconds=900)) as wall, out.open("a") as stdout:
        soak = Soak(wall, out, stdout)
        try:
            soak.run()
        finally:
            tracemalloc.stop()
    assert soak.ended.total() == ROUNDS
    assert set(soak.ended) == {0, 1}
    assert min(soak.ended.values()) > ROUNDS / 100
    assert soak.told["update", "applied"] > ROUNDS / 100
    assert soak.grown < LARGEST_GROWTH_BYTES
    assert descriptors() == before
