"""The clusters of all accounts, in one SQLite file: durable, crash-safe, and safe under concurrent use.

What is kept is operations, the newest of each cluster and as many before it as a list that lags still shows; what they
come to at a moment is worked out by `lifecycle`.
"""

import math
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from reconciler.clock import Clock
from reconciler.errors import SandboxError
from reconciler.sandbox import lifecycle
from reconciler.sandbox.lifecycle import Operation, Refused, State
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.switches import FAITHFUL, Switches

_APPLICATION_ID = 0x52434E53
"""Written into the file: tells a store from what another program keeps in SQLite."""

_SCHEMA_VERSION = 2
_BUSY_SECONDS = 30.0
_SCHEMA = (
    """
CREATE TABLE operation (
    number INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    operation TEXT NOT NULL
) STRICT
""",
    "CREATE INDEX of_cluster ON operation (account, name)",
)
_OPERATION = TypeAdapter(Operation)


class Absent(Exception):
    """There is no such cluster."""


class Store:
    """The clusters of one file; raises SandboxError where that file is no store.

    `settle_seconds`: how long a create, an update and a delete take. `switches` may be replaced at any time: each
    request is answered by them as they are.
    """

    def __init__(self, path: str, *, clock: Clock, settle_seconds: float = 1.0, switches: Switches = FAITHFUL) -> None:
        self.switches = switches
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._lock = threading.Lock()
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._connection = _opened(path)
        except (sqlite3.Error, OSError) as error:
            remedy = "move the file away to begin again, or name another"
            raise SandboxError(f"{path} can't be used as the sandbox's store: {error}", remedy=remedy) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def clusters(self, account: str) -> list[dict[str, Any]]:
        """An account's clusters as the list shows them, in no order that means anything."""
        switches = self.switches
        moment = self._clock.now() - switches.list_lag_seconds
        # Without a lag all counts that was accepted, also where the machine's clock was set back meanwhile.
        accepted_by = moment if switches.list_lag_seconds else math.inf
        with self._lock:
            states = self._states(account, moment, accepted_by)
        return [
            lifecycle.shown(name, state, switches)
            for name, state in states
            if not any(window.covers(name, state.since_settled) for window in switches.vanish)
        ]

    def put(self, account: str, name: str, body: ClusterBody) -> dict[str, Any]:
        """Create or update; what the body leaves out is reset. Raises lifecycle's Busy or Refused."""
        switches = self.switches
        with self._transaction():
            now = self._clock.now()
            present = self._state(account, name, now)
            if present is None and switches.quota is not None and len(self._states(account, now)) >= switches.quota:
                raise Refused(f"the account may not have more than {switches.quota} clusters")
            settles_at = now + self._settle_seconds
            operation = lifecycle.put(name, present, body.model_dump(), settles_at, switches)
            self._accept(account, name, now, operation)
        return lifecycle.shown(name, lifecycle.accepted(operation), switches)

    def delete(self, account: str, name: str) -> None:
        """Begin to delete; one that is being deleted already stays so. Raises Absent, or lifecycle's Busy."""
        with self._transaction():
            now = self._clock.now()
            present = self._state(account, name, now)
            if present is None:
                raise Absent(f"Cluster {name} does not exist")
            if present.status != "Deleting":
                settles_at = now + self._settle_seconds
                self._accept(account, name, now, lifecycle.delete(name, present, settles_at, self.switches))

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

    def _state(self, account: str, name: str, moment: float) -> State | None:
        row = self._connection.execute(
            "SELECT operation FROM operation WHERE account = ? AND name = ? ORDER BY number DESC LIMIT 1",
            (account, name),
        ).fetchone()
        return lifecycle.state(_OPERATION.validate_json(row[0]), moment, self.switches) if row else None

    def _states(self, account: str, moment: float, accepted_by: float = math.inf) -> list[tuple[str, State]]:
        """Each cluster that there is, by the newest of its operations that had been accepted by then."""
        rows = self._connection.execute(
            # Beside max(), SQLite takes the other columns from the row that has it.
            "SELECT name, operation, max(number) FROM operation WHERE account = ? AND accepted_at <= ? GROUP BY name",
            (account, accepted_by),
        ).fetchall()
        read = _OPERATION.validate_json
        states = ((name, lifecycle.state(read(text), moment, self.switches)) for name, text, _ in rows)
        return [(name, state) for name, state in states if state is not None]

    def _accept(self, account: str, name: str, now: float, operation: Operation) -> None:
        """Write it down, and forget those before it that no list shows any more."""
        self._connection.execute(
            "INSERT INTO operation (account, name, accepted_at, operation) VALUES (?, ?, ?, ?)",
            (account, name, now, _OPERATION.dump_json(operation).decode()),
        )
        self._connection.execute(
            "DELETE FROM operation WHERE account = ?1 AND name = ?2 AND number < "
            "(SELECT max(number) FROM operation WHERE account = ?1 AND name = ?2 AND accepted_at <= ?3)",
            (account, name, now - self.switches.list_lag_seconds),
        )


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
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    elif ask("PRAGMA application_id") != _APPLICATION_ID:
        raise sqlite3.DatabaseError("it is another program's")
    elif (version := ask("PRAGMA user_version")) != _SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"it is of version {version}, and this program knows {_SCHEMA_VERSION}")
    elif ask("PRAGMA quick_check(1)") != "ok":
        raise sqlite3.DatabaseError("it is damaged")
