"""The sandbox's file: that nothing that was said is lost, whoever writes at once, and what is refused as no store."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.errors import SandboxError
from reconciler.sandbox.lifecycle import Busy
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.store import Store
from tests.fakes import FakeClock
from tests.sandbox.calls import BODY, SECONDS
from tests.sandbox.clusters import SETTLE_SECONDS, Clusters, placed


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    """Configurations, and when each settles, are in the file."""
    with closing(Clusters(tmp_path)) as clusters:
        for name in ("old", "kept"):
            clusters.put(name, description="naïve ☃ \x1b")
        clusters.after(SETTLE_SECONDS).put("kept", node_instance_type="z9.huge")
        clusters.after(SETTLE_SECONDS).put("kept")
        clusters.put("new")
        clusters.delete("old")
        before, moment = clusters.listed(), clusters.clock.seconds
    with closing(Clusters(tmp_path)) as clusters:
        assert clusters.after(moment).listed() == before
        assert clusters.after(SETTLE_SECONDS - 1).listed() == before
        assert before["kept"]["errors"] == ["InstanceTypeNotAvailable"]
        assert clusters.after(1).where("new") == clusters.where("kept") == ("Active", [])
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
        (_store_of_version_7, "it is of version 7, and this program knows 2"),
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
    assert raised.value.remedy == "move the file away to begin again, or name another"
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
