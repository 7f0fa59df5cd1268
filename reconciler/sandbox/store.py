"""The clusters of all accounts, in one SQLite file: durable, crash-safe, and safe under concurrent use.

Nothing runs in the background: a cluster's status follows from what was last done to it, when that settles, and now.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reconciler.clock import Clock
from reconciler.errors import SandboxError
from reconciler.sandbox.model import INSTANCE_TYPES, ClusterBody, chosen_placements

_APPLICATION_ID = 0x52434E53
"""Written into the file: tells a store from what another program keeps in SQLite."""

_SCHEMA_VERSION = 1
_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE cluster (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    configuration TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('Creating', 'Updating', 'Deleting')),
    settles_at REAL NOT NULL,
    PRIMARY KEY (account, name)
) STRICT
"""


class Busy(Exception):
    """The cluster is in transition."""


class Refused(Exception):
    """The configuration can't be had from where the cluster stands."""


class Absent(Exception):
    """There is no such cluster."""


class Store:
    """The clusters of one file; raises SandboxError where that file is no store.

    `settle_seconds`: how long a create, an update and a delete take. `reveal_placements`: whether the placements that
    the service chose by itself are listed.
    """

    def __init__(
        self, path: str, *, clock: Clock, settle_seconds: float = 1.0, reveal_placements: bool = False
    ) -> None:
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._reveal_placements = reveal_placements
        self._lock = threading.Lock()
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._connection = _opened(path)
        except (sqlite3.Error, OSError) as error:
            remedy = "move the file away to begin anew, or name another"
            raise SandboxError(f"{path} can't be used as the sandbox's store: {error}", remedy=remedy) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def clusters(self, account: str) -> list[dict[str, Any]]:
        """All clusters of an account, in no order that means anything."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, configuration, phase, settles_at FROM cluster WHERE account = ?", (account,)
            ).fetchall()
        now = self._clock.now()
        return [cluster for row in rows if (cluster := self._cluster(now, *row)) is not None]

    def put(self, account: str, name: str, body: ClusterBody) -> dict[str, Any]:
        """Create or update; what the body leaves out is reset. Raises Busy or Refused."""
        configuration = body.model_dump()
        with self._transaction():
            present = self._find(account, name)
            if present is None:
                phase = "Creating"
            elif present["status"] != "Active":
                raise Busy(f"Cluster {name} is {present['status']}{_because(present)}")
            else:
                self._refuse_moved_primaries(present, configuration)
                phase = "Updating"
            settles_at = self._clock.now() + self._settle_seconds
            self._connection.execute(
                "INSERT OR REPLACE INTO cluster VALUES (?, ?, ?, ?, ?)",
                (account, name, json.dumps(configuration), phase, settles_at),
            )
        return self._shown(name, configuration, phase, [])

    def delete(self, account: str, name: str) -> None:
        """Begin to delete; one that is being deleted already stays so. Raises Absent or Busy."""
        with self._transaction():
            present = self._find(account, name)
            if present is None:
                raise Absent(f"Cluster {name} does not exist")
            if present["status"] == "Deleting":
                return
            if present["status"] != "Active" and not present["errors"]:
                raise Busy(f"Cluster {name} is {present['status']}")
            self._connection.execute(
                "UPDATE cluster SET phase = 'Deleting', settles_at = ? WHERE account = ? AND name = ?",
                (self._clock.now() + self._settle_seconds, account, name),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # where the disk is full, SQLite has rolled back by itself
                    self._connection.execute("ROLLBACK")
                raise

    def _find(self, account: str, name: str) -> dict[str, Any] | None:
        row = self._connection.execute(
            "SELECT name, configuration, phase, settles_at FROM cluster WHERE account = ? AND name = ?",
            (account, name),
        ).fetchone()
        return self._cluster(self._clock.now(), *row) if row else None

    def _cluster(self, now: float, name: str, text: str, phase: str, settles_at: float) -> dict[str, Any] | None:
        configuration = json.loads(text)
        settled = now >= settles_at
        if phase == "Deleting":
            return None if settled else self._shown(name, configuration, phase, [])
        if settled and configuration["node_instance_type"] not in INSTANCE_TYPES:
            return self._shown(name, configuration, phase, ["InstanceTypeNotAvailable"])
        return self._shown(name, configuration, "Active" if settled else phase, [])

    def _shown(self, name: str, configuration: dict[str, Any], status: str, errors: list[str]) -> dict[str, Any]:
        placements = chosen_placements(configuration) if self._reveal_placements else configuration["shard_placements"]
        return {"name": name, **configuration, "shard_placements": placements, "status": status, "errors": errors}

    def _refuse_moved_primaries(self, present: dict[str, Any], configuration: dict[str, Any]) -> None:
        zones = {p["shard_index"]: p["availability_zone"] for p in present["shard_placements"]}
        for placement in configuration["shard_placements"]:
            shard = placement["shard_index"]
            if zones.get(shard, placement["availability_zone"]) != placement["availability_zone"]:
                raise Refused(f"the primary of shard {shard} can't be moved out of {zones[shard]}")


def _opened(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN IMMEDIATE")
        _found(connection)
        connection.execute("COMMIT")
        # Of several who open a new file at once one turns it to WAL, and the others are told at once that it is locked.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _found(connection: sqlite3.Connection) -> None:
    """Make a store of an empty file; leave every other file as it is, and raise where it is no whole store."""

    def ask(question: str) -> Any:
        return connection.execute(question).fetchone()[0]

    if not ask("SELECT count(*) FROM sqlite_schema"):
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    elif ask("PRAGMA application_id") != _APPLICATION_ID:
        raise sqlite3.DatabaseError("it is another program's")
    elif (version := ask("PRAGMA user_version")) != _SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"it is of version {version}, and this program knows {_SCHEMA_VERSION}")
    elif ask("PRAGMA quick_check(1)") != "ok":
        raise sqlite3.DatabaseError("it is damaged")


def _because(cluster: dict[str, Any]) -> str:
    return f" ({', '.join(cluster['errors'])}): it must be deleted first" if cluster["errors"] else ""
