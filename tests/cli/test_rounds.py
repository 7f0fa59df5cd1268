"""Rounds of real targets in virtual time: what one does slows no other, and nothing goes before all is seen to stand."""

import asyncio
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.cli.console import Console
from reconciler.cli.rounds import Rounds
from reconciler.cli.settings import Settings
from reconciler.cli.signals import Signals
from reconciler.clock import SeededRandom
from reconciler.evidence.checkout import Checkout, GitOptions
from reconciler.evidence.record import Records
from reconciler.live.client import Connection
from reconciler.loop.events import LoopEvent, TargetsEnded, TargetsPutAside
from reconciler.loop.repeat import JITTER, repeat
from reconciler.model.fleet import Fleet
from reconciler.plan.intent import Intent
from reconciler.reconcile.ground import Connected, Ground
from reconciler.reconcile.listing import Patience
from reconciler.reconcile.planning import PlanRequest
from reconciler.report.invocation import Invocation
from tests.evidence.conftest import nobodys_configuration  # noqa: F401
from tests.evidence.repositories import Repo, git_of, text
from tests.fakes import FakeClock, connection, entry, head, manifest

ALLOWED = ("max-deletes", "max-delete-fraction", "empty-head", "stale-head")


class Service:
    """An account in virtual time: what it is sent settles after so many `settle_seconds`.

    No answer comes until `silent_until`, and each request ends as `silence` says; each list takes `slow_seconds`.
    `asked` is when it was asked for its clusters; `sent` are the other requests, each with its moment.
    """

    def __init__(self, clock: FakeClock, *names: str, settle_seconds: float = 0.0) -> None:
        self.clock = clock
        self.settle_seconds = settle_seconds
        self.silent_until = 0.0
        self.silence: tuple[float, type[httpx.TimeoutException]] = (30.0, httpx.ReadTimeout)
        self.slow_seconds = 0.0
        self.asked: list[float] = []
        self.sent: list[tuple[float, str]] = []
        self.listed: dict[str, dict[str, Any]] = {name: entry(name) for name in names}
        self._settled: dict[str, float] = {}

    async def answer(self, request: httpx.Request) -> httpx.Response:
        now, name = self.clock.seconds, request.url.path.rpartition("/")[2]
        if request.method == "GET":
            self.asked.append(now)
            if now < self.silent_until:
                await self.clock.sleep(self.silence[0])
                raise self.silence[1]("nobody is there", request=request)
            await self.clock.sleep(self.slow_seconds)
            return httpx.Response(200, json=[self._listed(name) for name in self.listed])
        self.sent.append((now, f"{request.method} {name}"))
        if request.method == "DELETE":
            del self.listed[name]
            return httpx.Response(204)
        self._settled[name] = now + self.settle_seconds
        self.listed[name] = entry(name, **json.loads(request.content))
        return httpx.Response(200, json=self._listed(name))

    def _listed(self, name: str) -> Mapping[str, Any]:
        done = self._settled.get(name, 0.0) <= self.clock.seconds
        return {**self.listed[name], "status": "Active" if done else "Creating"}

    @property
    def gaps(self) -> list[float]:
        return [after - before for before, after in pairwise(self.asked)]


class Loop:
    """`run --apply` on services, with what `declared` says of each; in git where there is a folder for it.

    `told` is what it told, each with its moment; `ends` are the targets' exit codes, one after the other.
    """

    def __init__(self, declared: Mapping[str, Sequence[str]], folder: Path | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.stop = Stop()
        self.services = {name: Service(self.clock, *names) for name, names in declared.items()}
        self.declared = dict(declared)
        self.told: list[tuple[float, LoopEvent]] = []
        self.apply_options = ApplyOptions(apart=True, **options)
        self._moved = 0
        self._repo = Repo.new(folder / "clone") if folder is not None else None
        self._server = Repo.new(folder / "server", "--bare") if folder is not None else None
        if self._repo is not None:
            self._repo.git("remote", "add", "origin", "../server")
        self._commit({})

    def declare(self, **declared: Sequence[str]) -> None:
        """What is pulled."""
        before = self.declared
        self.declared = {**before, **declared}
        self._commit(before)

    def _commit(self, before: Mapping[str, Sequence[str]]) -> None:
        self._moved += 1
        if self._repo is None:
            return
        gone = {f"{target}/{name}.yaml": None for target, names in before.items() for name in names}
        here = {f"{target}/{name}.yaml": text(name) for target, names in self.declared.items() for name in names}
        fleet = "".join(f"  {name}: {{endpoint: https://{name}.example.com}}\n" for name in self.declared)
        self._repo.commit(
            {f"manifests/{k}": v for k, v in {**gone, **here, "fleet.yaml": f"targets:\n{fleet}"}.items()}
        )

    @contextmanager
    def opened(self) -> Iterator[Ground]:
        """A round's own."""
        heads = [
            head(*map(manifest, names), name=name, folder=f"manifests/{name}", endpoint=f"https://{name}.example.com")
            for name, names in self.declared.items()
        ]
        fleet = Fleet(tuple(one.target for one in heads), {one.target.name: one.declarations for one in heads})
        sites = tuple(Connected(one, self._connection(one.target.name)) for one in heads)
        if self._repo is None:
            yield Ground(fleet, sites, None, "manifests")
            return
        folder = str(self._repo.folder / "manifests")
        checkout = Checkout.open(folder, "manifests", GitOptions(remote="origin", run_id="r"))
        assert checkout is not None
        with closing(checkout):
            checkout.fetch_records()
            yield Ground(fleet, sites, checkout, folder)

    def _connection(self, name: str) -> Connection:
        transport = httpx.MockTransport(self.services[name].answer)
        return connection(lambda: transport, self.clock, stop=self.stop, endpoint=f"https://{name}.example.com")

    def run(self, until: float, interval_seconds: float = 300.0, at: Mapping[float, Callable[[], None]] = {}) -> None:
        """Until a signal comes at that moment; the calls of `at` are made at theirs."""
        with Path(os.devnull).open("w") as nowhere, capture_logs():
            console = Console(None, nowhere, None, {}, Signals(), Settings(result="plan", format_name="json"))
            intent = Intent(prune="owned" if self._repo is not None else None, adopt=("*",), allow=ALLOWED)
            rounds = Rounds(
                console,
                self.opened,
                PlanRequest(intent),
                Invocation(),
                self.apply_options,
                self.clock,
                self.stop,
                lambda _event: None,
                Patience(self.clock, self.stop.requested),
            )
            self.clock.run(self._repeat(rounds, interval_seconds, {**at, until: self.stop.requested.set}))

    async def _repeat(self, rounds: Rounds, interval_seconds: float, at: Mapping[float, Callable[[], None]]) -> None:
        for moment, call in at.items():
            asyncio.get_running_loop().call_at(moment, call)
        await repeat(
            rounds.one,
            interval_seconds=interval_seconds,
            clock=self.clock,
            random=SeededRandom(1),
            stop=self.stop.requested,
            position=lambda: self._moved,
            tell=lambda event: self.told.append((self.clock.seconds, event)),
        )

    def record(self, *, settled: bool = True) -> dict[str, set[str]]:
        """What stands in each target's, settled or not: here, and on the server."""
        assert self._repo is not None
        assert self._server is not None
        here, there = (repo.git("for-each-ref", "refs/reconciler") for repo in (self._repo, self._server))
        assert here == there
        with git_of(self._repo.folder) as git:
            records = Records(git, "r").all()
        return {one.target: {n for n, line in one.lines.items() if line.settled == settled} for one in records}

    def applies(self, target: str) -> list[str]:
        """What the history of a target's record says, the newest first."""
        assert self._repo is not None
        refs = self._repo.git("for-each-ref", "--format=%(refname)", f"refs/reconciler/record/{target}-*")
        return [line.partition(": ")[2] for line in self._repo.git("log", "--format=%s", refs).splitlines()]

    def codes(self, target: str) -> set[int]:
        ended = (event for _, event in self.told if isinstance(event, TargetsEnded))
        return {event.codes[target] for event in ended if target in event.codes}


PATIENCE_SECONDS = 5.0


@pytest.mark.parametrize("interval", [300.0, 20.0])
@pytest.mark.parametrize(("seconds", "ends"), [(10.0, httpx.ConnectTimeout), (30.0, httpx.ReadTimeout)])
def test_a_service_that_is_silent_slows_no_other(
    interval: float, seconds: float, ends: type[httpx.TimeoutException]
) -> None:
    """The first round goes on without it after a moment, and each that follows comes at the interval."""
    loop = Loop({"silent": ["a"], "well": ["a"], "pending": []})
    loop.services["silent"].silence, loop.services["silent"].silent_until = (seconds, ends), math.inf
    loop.declare(pending=["new"])
    loop.run(12 * interval, interval)
    assert loop.services["pending"].sent == [(PATIENCE_SECONDS, "PUT new")]
    first, *later = loop.services["well"].gaps
    assert first < PATIENCE_SECONDS + interval * (1 + JITTER)
    assert max(later) < interval * (1 + JITTER) + 0.01
    assert loop.codes("silent") == {1}


def test_a_change_that_does_not_settle_slows_no_other() -> None:
    """Nor does one that fails: the others are looked at, and changed, at the interval."""
    loop = Loop({"slow": [], "well": ["a"]})
    loop.declare(slow=["new"])
    loop.services["slow"].settle_seconds = 5000
    loop.run(7000, at={2000: lambda: loop.services["well"].listed["a"].update(shard_count=9)})
    assert max(loop.services["well"].gaps) < 300 * (1 + JITTER) + 2
    [(mended, what)] = loop.services["well"].sent
    assert what == "PUT a"
    assert mended < 2000 + 300 * (1 + JITTER)
    assert loop.codes("slow") == loop.codes("well") == {0}
    assert len(loop.services["slow"].sent) == 1


def test_a_signal_waits_for_no_service_that_is_silent() -> None:
    """It is only being looked at: nothing is in flight there."""
    loop = Loop({"silent": ["a"], "well": ["a"]})
    loop.services["silent"].silent_until = math.inf
    loop.run(30)
    assert (loop.clock.seconds, loop.services["silent"].asked) == (30, [0, PATIENCE_SECONDS])


@pytest.mark.slow
def test_what_waits_for_another_target_is_deleted_once_that_has_settled(tmp_path: Path) -> None:
    """Not before; meanwhile its own is looked at, and has not failed. The record says so, of both."""
    loop = Loop({"us": ["a", "old"], "eu": ["b"]}, tmp_path / "r")
    loop.services["eu"].settle_seconds = 2000

    def pull() -> None:
        loop.declare(us=["a"], eu=["b", "new"])

    loop.run(4000, at={100: pull})
    us, eu = loop.services["us"], loop.services["eu"]
    [(created, _)] = eu.sent
    [(deleted, what)] = us.sent
    assert what == "DELETE old"
    assert created + 2000 < deleted < created + 2000 + 30 + 300 * (1 + JITTER) + 2
    assert max(us.gaps) < 300 * (1 + JITTER) + 2
    assert (loop.codes("us"), loop.codes("eu")) == ({0}, {0})
    assert loop.record() == {"us": {"a"}, "eu": {"b", "new"}}


@pytest.mark.slow
def test_what_is_declared_again_before_it_was_deleted_stays(tmp_path: Path) -> None:
    """A revert reaches a round that has yet to delete what it takes back; that is no failure."""
    loop = Loop({"us": ["a", "old"], "eu": ["b"]}, tmp_path / "r")
    loop.services["us"].settle_seconds = 500
    loop.run(3000, at={400: lambda: loop.declare(us=["a", "new"]), 700: lambda: loop.declare(us=["a", "new", "old"])})
    assert [what for _, what in loop.services["us"].sent] == ["PUT new"]
    assert loop.codes("us") == {0}
    assert loop.record() == {"us": {"a", "new", "old"}, "eu": {"b"}}


@pytest.mark.slow
def test_a_service_that_is_always_late_keeps_no_delete_for_ever(tmp_path: Path) -> None:
    """A round in which something may be deleted waits for it; every other goes on without."""
    loop = Loop({"us": ["a", "old"], "eu": ["b"]}, tmp_path / "r")
    loop.services["eu"].slow_seconds = 3 * PATIENCE_SECONDS
    loop.run(2000, at={700: lambda: loop.declare(us=["a"])})
    assert [what for _, what in loop.services["us"].sent] == ["DELETE old"]
    begun = [event for _, event in loop.told if isinstance(event, TargetsPutAside)]
    assert len(begun) >= 3


@pytest.mark.slow
def test_nothing_is_deleted_while_a_target_is_not_seen(tmp_path: Path) -> None:
    """Silent, it fails; who has something to delete doesn't, is looked at all the same, and says so once in its record."""
    loop = Loop({"us": ["a", "old"], "eu": ["b"]}, tmp_path / "r")

    def pull() -> None:
        loop.declare(us=["a"])
        loop.services["eu"].silent_until = 1500

    loop.run(3000, at={400: pull})
    [(deleted, what)] = loop.services["us"].sent
    assert what == "DELETE old"
    assert deleted > 1500
    assert loop.codes("us") == {0}
    assert max(loop.services["us"].gaps) < 300 * (1 + JITTER) + PATIENCE_SECONDS
    assert loop.applies("us") == ["1 applied", "about to apply 1", "1 skipped", "nothing to do"]


@pytest.mark.slow
def test_a_signal_ends_all_rounds_with_their_records_written(tmp_path: Path) -> None:
    """What was sent and hasn't settled stands there as such."""
    loop = Loop({"us": ["a"], "eu": [], "ap": []}, tmp_path / "r")
    loop.services["eu"].settle_seconds = loop.services["ap"].settle_seconds = 5000
    loop.declare(eu=["b"])
    loop.run(1000, at={400: lambda: loop.declare(ap=["c"])})
    assert loop.clock.seconds == 1000
    assert loop.record(settled=False) == {"us": set(), "eu": {"b"}, "ap": {"c"}}
