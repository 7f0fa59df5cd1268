"""The sandbox's clusters: how they settle, what they refuse, and that nothing that was said is lost."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import SandboxError
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.store import Absent, Busy, Refused, Store
from tests.fakes import FakeClock
from tests.sandbox.calls import BODY, SECONDS

SETTLE_SECONDS = 600.0
ZONES = {"us-east-1a": ["us-east-1b"], "us-east-1b": ["us-east-1c"], "us-east-1c": ["us-east-1a"]}


class Clusters:
    """A store's account `default`, in a time that stands still."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.clock = FakeClock()
        self._store = Store(str(folder / "s.db"), clock=self.clock, settle_seconds=SETTLE_SECONDS, **options)
        self.close = self._store.close

    def put(self, name: str, **fields: Any) -> dict[str, Any]:
        return self._store.put("default", name, ClusterBody.model_validate({**BODY, **fields}))

    def delete(self, name: str) -> None:
        self._store.delete("default", name)

    def listed(self) -> dict[str, dict[str, Any]]:
        return {cluster["name"]: cluster for cluster in self._store.clusters("default")}

    def where(self, name: str) -> tuple[str, list[str]] | None:
        cluster = self.listed().get(name)
        return (cluster["status"], cluster["errors"]) if cluster else None

    def after(self, seconds: float) -> "Clusters":
        self.clock.seconds += seconds
        return self


def placed(*primaries: str) -> dict[str, Any]:
    """The fields of a cluster whose shards live in these zones."""
    placements = [
        {"shard_index": shard, "availability_zone": zone, "replica_availability_zones": ZONES[zone]}
        for shard, zone in enumerate(primaries)
    ]
    return {"shard_count": len(primaries), "replication_factor": 1, "shard_placements": placements}


def test_every_change_takes_its_time(tmp_path: Path) -> None:
    """Creating, then Active; Updating, then Active; Deleting, then gone: at the very moment, and not before."""
    with closing(Clusters(tmp_path)) as clusters:
        assert clusters.put("orders")["status"] == "Creating"
        assert clusters.after(SETTLE_SECONDS - 1).where("orders") == ("Creating", [])
        assert clusters.after(1).where("orders") == ("Active", [])
        assert clusters.put("orders", shard_count=2)["status"] == "Updating"
        assert clusters.after(SETTLE_SECONDS - 1).where("orders") == ("Updating", [])
        assert clusters.after(1).where("orders") == ("Active", [])
        assert clusters.listed()["orders"]["shard_count"] == 2
        clusters.delete("orders")
        assert clusters.after(SETTLE_SECONDS - 1).where("orders") == ("Deleting", [])
        clusters.delete("orders")
        assert clusters.after(1).where("orders") is None
        with pytest.raises(Absent, match=r"^Cluster orders does not exist$"):
            clusters.delete("orders")
        assert clusters.put("orders")["status"] == "Creating"


def test_an_unknown_instance_type_is_accepted_and_never_becomes_active(tmp_path: Path) -> None:
    """It ends in InstanceTypeNotAvailable, from where only a delete leads on."""
    with closing(Clusters(tmp_path)) as clusters:
        assert clusters.put("broken", node_instance_type="z9.huge")["errors"] == []
        clusters.put("fine", node_instance_type="cache.m6g.large")
        assert clusters.where("broken") == ("Creating", [])
        assert clusters.after(SETTLE_SECONDS).where("broken") == ("Creating", ["InstanceTypeNotAvailable"])
        assert clusters.after(1e9).where("broken") == ("Creating", ["InstanceTypeNotAvailable"])
        assert clusters.where("fine") == ("Active", [])
        why = r"^Cluster broken is Creating \(InstanceTypeNotAvailable\): it must be deleted first$"
        with pytest.raises(Busy, match=why):
            clusters.put("broken")
        clusters.delete("broken")
        assert clusters.where("broken") == ("Deleting", [])
        assert clusters.after(SETTLE_SECONDS).where("broken") is None


@pytest.mark.parametrize("status", ["Creating", "Updating", "Deleting"])
def test_a_cluster_in_transition_is_busy(tmp_path: Path, status: str) -> None:
    """No PUT, and no DELETE but of what is being deleted already; nothing is changed by trying."""
    with closing(Clusters(tmp_path)) as clusters:
        clusters.put("orders")
        if status != "Creating":
            clusters.after(SETTLE_SECONDS)
            clusters.put("orders") if status == "Updating" else clusters.delete("orders")
        before = clusters.listed()
        attempts: list[Callable[[], object]] = [lambda: clusters.put("orders", description="other")]
        if status != "Deleting":
            attempts.append(lambda: clusters.delete("orders"))
        for attempt in attempts:
            with pytest.raises(Busy, match=f"^Cluster orders is {status}$"):
                attempt()
        assert clusters.listed() == before


def test_the_primary_of_a_shard_stays_where_it_is(tmp_path: Path) -> None:
    """An update that moves one is refused; new shards and replicas go where it says."""
    with closing(Clusters(tmp_path)) as clusters:
        clusters.put("orders", **placed("us-east-1a"))
        clusters.after(SETTLE_SECONDS)
        with pytest.raises(Refused, match=r"^the primary of shard 0 can't be moved out of us-east-1a$"):
            clusters.put("orders", **placed("us-east-1b", "us-east-1a"))
        assert clusters.where("orders") == ("Active", [])
        grown = placed("us-east-1a", "us-east-1c")
        grown["shard_placements"][0]["replica_availability_zones"] = ["us-east-1c"]
        assert clusters.put("orders", **grown)["shard_placements"] == grown["shard_placements"]


def test_placements_that_it_chose_are_shown_on_demand(tmp_path: Path) -> None:
    """Without the switch, what was asked for; with it, all shards, each in two zones, what was asked for as it was."""
    asked = placed("us-east-1b")["shard_placements"]
    with closing(Clusters(tmp_path)) as clusters:
        clusters.put("orders", shard_count=3, replication_factor=1, shard_placements=asked)
        assert clusters.listed()["orders"]["shard_placements"] == asked
    with closing(Clusters(tmp_path, reveal_placements=True)) as clusters:
        shown = clusters.listed()["orders"]["shard_placements"]
        chosen = placed("us-east-1b", "us-east-1b", "us-east-1c")
        assert shown == chosen["shard_placements"]
        ClusterBody.model_validate({**BODY, **chosen, "enforce_shard_multi_az": True})
        clusters.after(SETTLE_SECONDS)
        with pytest.raises(Refused, match=r"^the primary of shard 1 can't be moved out of us-east-1b$"):
            clusters.put("orders", **placed("us-east-1b", "us-east-1a"))


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    """Configurations, and when each settles, are in the file."""
    with closing(Clusters(tmp_path)) as clusters:
        clusters.put("old", description="naïve ☃ \x1b")
        clusters.after(SETTLE_SECONDS).put("new")
        clusters.delete("old")
        before, moment = clusters.listed(), clusters.clock.seconds
    with closing(Clusters(tmp_path)) as clusters:
        assert clusters.after(moment).listed() == before
        assert clusters.after(SETTLE_SECONDS - 1).listed() == before
        assert clusters.after(1).where("new") == ("Active", [])
        assert clusters.where("old") is None


def _store_of_version_7(path: Path) -> None:
    Store(str(path), clock=FakeClock()).close()
    _sqlite(path, "PRAGMA user_version = 7")


def _damaged_store(path: Path) -> None:
    with closing(Store(str(path), clock=FakeClock())) as store:
        for number in range(100):
            store.put("default", f"c{number}", ClusterBody.model_validate(BODY))
    data = path.read_bytes()
    path.write_bytes(data[:8192] + b"\xff" * 4096 + data[12288:])


def _sqlite(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_store_of_version_7, "it is of version 7, and this program knows 1"),
        (_damaged_store, "it is damaged"),
        (lambda path: path.write_bytes(b"orders: {}\n" * 1000), "file is not a database"),
        (lambda path: _sqlite(path, "CREATE TABLE song (title)"), "it is another program's"),
        (lambda path: _sqlite(path, "CREATE TABLE cluster (x); PRAGMA user_version = 1"), "it is another program's"),
        (lambda path: path.mkdir(), "unable to open database file"),
    ],
    ids=["version", "damaged", "no database", "foreign", "alike", "a folder"],
)
def test_what_is_no_whole_store_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    """A clear error with its remedy; not a byte of the file is changed."""
    path = tmp_path / "s.db"
    make(path)
    before = path.is_file() and path.read_bytes()
    with pytest.raises(SandboxError) as raised:
        Store(str(path), clock=FakeClock())
    assert str(raised.value) == f"{path} can't be used as the sandbox's store: {why}"
    assert raised.value.remedy == "move the file away to begin anew, or name another"
    assert (path.is_file() and path.read_bytes()) == before


def test_a_folder_that_cannot_be_made_is_an_error_too(tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match=r"can't be used as the sandbox's store: .* File exists"):
        Store(str(tmp_path / "file" / "s.db"), clock=FakeClock())


def test_of_many_who_create_one_cluster_one_does(tmp_path: Path) -> None:
    """Twelve stores on one new file, each in a thread, as processes would: one PUT a name wins, the others are told."""
    everybody = threading.Barrier(12)

    def create(description: str) -> list[str]:
        everybody.wait(SECONDS)
        won = []
        with closing(Clusters(tmp_path)) as clusters:
            for name in "abcdefgh":
                try:
                    clusters.put(name, description=description)
                    won.append(name)
                except Busy:
                    pass
        return won

    writers = [str(number) for number in range(12)]
    with ThreadPoolExecutor(12) as threads:
        won = dict(zip(writers, threads.map(create, writers), strict=True))
    with closing(Clusters(tmp_path)) as clusters:
        kept = {name: cluster["description"] for name, cluster in clusters.listed().items()}
    assert kept == {name: writer for writer, names in won.items() for name in names}
    assert sum(map(len, won.values())) == len(kept) == 8


def test_one_store_serves_many_threads(tmp_path: Path) -> None:
    """Writers of their own clusters, and readers who see each whole: every thread's last word counts."""
    with closing(Store(str(tmp_path / "s.db"), clock=FakeClock(), settle_seconds=0.0)) as store:

        def write(name: str) -> None:
            for shards in range(1, 21):
                store.put("default", name, ClusterBody.model_validate({**BODY, **placed(*["us-east-1a"] * shards)}))
                whole = [len(c["shard_placements"]) == c["shard_count"] for c in store.clusters("default")]
                assert all(whole)
                if shards % 7 == 0:
                    store.delete("default", name)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, "abcdefgh"))
        assert {c["name"]: c["shard_count"] for c in store.clusters("default")} == dict.fromkeys("abcdefgh", 20)
