"""SIGKILL at any instant, of the command and of the service: nothing that was acknowledged is lost, and all converges.

Some kills here; `make kills KILLS=n` makes as many as asked. The instants are drawn from a seed, and where they fall is
the machine's: a failure may need its seed more than once.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the kills are drawn from it
from signal import SIGKILL
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.sandbox.store import Store
from tests.acceptance.conftest import SMALL, Checkout, Ended
from tests.sandbox.calls import served

KILLS = int(os.environ.get("KILLS", "20"))
KILLS_EACH = 5
"""Of one story."""

NAMES = [f"c{number}" for number in range(12)]
APPLY = "apply --yes --prune --format json --concurrency 3 " + " ".join(
    f"--allow {guard}" for guard in ("empty-head", "max-deletes", "max-delete-fraction", "max-drift-fraction")
)
pytestmark = pytest.mark.slow


class Fleet:
    """What git declares; each change of it is committed."""

    def __init__(self, checkout: Checkout, random: Random) -> None:
        self._checkout = checkout
        self._random = random
        self.declared: dict[str, int] = {}

    def change(self) -> None:
        """Create, update and delete some clusters."""
        for name in self._random.sample(NAMES, 5):
            if name in self.declared and self._random.random() < 0.4:
                del self.declared[name]
                self._checkout.remove(name)
            else:
                self.declared[name] = self._random.randint(1, 4)
                self._checkout.declare(name, shard_count=self.declared[name])
        self._checkout.write("manifests/.keep", "")  # git keeps no empty folder
        self._checkout.git("add", "--all", "manifests")
        self._checkout.git("commit", "--quiet", "--allow-empty", "--message=Change")


def shards_of(clusters: Any) -> dict[str, int]:
    """All that is there, by name; each of it stands."""
    assert {cluster["status"] for cluster in clusters} <= {"Active"}
    return {cluster["name"]: cluster["shard_count"] for cluster in clusters}


def killed(process: "subprocess.Popen[str]", random: Random) -> bool:
    """Kill it at some instant: before it has said anything, or soon after so many events; whether it still ran."""
    events = random.randint(0, 15)
    assert process.stderr is not None
    for _ in islice(process.stderr, events):
        pass
    with suppress(subprocess.TimeoutExpired):
        process.wait(random.uniform(0.0, 0.1 if events else 2.0))
    process.kill()
    process.communicate()
    return process.returncode == -SIGKILL


def converged(checkout: Checkout) -> None:
    """One apply ends well, and the plan after it is empty; one more writes nothing."""
    applied(checkout)
    plan = checkout.run("plan --prune --detailed-exitcode --format json")
    assert (plan.code, plan.targets[0]["changes"], plan.targets[0]["unmanaged"]) == (0, [], []), plan.out
    assert applied(checkout).targets[0]["results"] == []


def applied(checkout: Checkout) -> Ended:
    ended = checkout.run(APPLY)
    assert ended.code == 0, ended.out + ended.err
    return ended


@pytest.mark.parametrize("seed", range(KILLS // KILLS_EACH))
def test_apply_is_killed_at_any_instant(checkout: Checkout, seed: int) -> None:
    """Again and again, while git goes on: what is declared is what is live in the end, all of it owned, and as recorded.

    What a killed run sent may be remembered for a minute: it could still come.
    """
    random = Random(seed)  # noqa: S311
    service = checkout.service(settle_seconds=random.choice([0.0, 0.1]), faults="latency=15ms")
    fleet = Fleet(checkout, random)
    kills = 0
    while kills < KILLS_EACH:
        fleet.change()
        kills += killed(checkout.start(f"{APPLY} --log-format json"), random)
    converged(checkout)
    assert shards_of(service.live().values()) == fleet.declared
    recorded = checkout.recorded()
    assert {name: line["declared"]["shard_count"] for name, line in recorded.items()} == fleet.declared


class Accepted:
    """The clusters whose requests an apply says were accepted, as it says so."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._names: list[str] = []
        self._told = threading.Semaphore(0)
        self._out = ""
        self._reading = [threading.Thread(target=read) for read in (self._read_events, self._read_report)]
        for thread in self._reading:
            thread.start()

    @property
    def names(self) -> list[str]:
        return [*self._names]

    def wait_for(self, more: int) -> None:
        """Wait until so many more are."""
        assert all(self._told.acquire(timeout=60) for _ in range(more))

    def ended(self) -> Ended:
        """How it ended, in the end."""
        for thread in self._reading:
            thread.join()
        return Ended(self._process.wait(), self._out, "")

    def _read_events(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            event = json.loads(line)
            if event["event"] == "change.accepted":
                self._names.append(event["cluster"])
                self._told.release()

    def _read_report(self) -> None:
        assert self._process.stdout is not None
        self._out = self._process.stdout.read()


@contextmanager
def sandbox(folder: Path, port: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    options = ("--settle", "100ms", "--faults", "latency=30ms", "--port", str(port))
    with served(folder, *options) as (process, url):
        yield process, int(url.rpartition(":")[2])


@pytest.mark.parametrize("seed", range(KILLS // KILLS_EACH // 2))
def test_the_service_is_killed_under_load(checkout: Checkout, seed: int, tmp_path: Path) -> None:
    """It comes back on the same port, with all that it had acknowledged; the apply that was under way gets there."""
    random = Random(seed)  # noqa: S311
    names = [f"c{number}" for number in range(60)]
    checkout.declare(*names)
    checkout.commit()
    applying, port = None, 0
    for _ in range(KILLS_EACH):
        with sandbox(tmp_path, port) as (process, port):
            if applying is None:
                checkout.environment |= {
                    "MOMENTO_API_KEY": "sandbox-admin",
                    "MOMENTO_ENDPOINT": f"http://127.0.0.1:{port}",
                }
                applying = Accepted(checkout.start("apply --yes --concurrency 2 --format json --log-format json"))
            applying.wait_for(random.randint(1, 10))
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=random.uniform(0.0, 0.1))
            acknowledged = applying.names
            process.kill()
        with closing(Store(str(tmp_path / "s.db"), clock=SystemClock())) as store:
            kept = {cluster["name"] for cluster in store.clusters("default")}
        assert kept >= {*acknowledged}
    with sandbox(tmp_path, port):
        assert applying is not None
        ended = applying.ended()
        assert (ended.code, set(ended.outcomes.values())) == (0, {"applied"}), ended.out
        converged(checkout)
    with closing(Store(str(tmp_path / "s.db"), clock=SystemClock())) as store:
        assert shards_of(store.clusters("default")) == dict.fromkeys(names, SMALL["shard_count"])
