"""The state file of a device: one SQLite database, mode 0600, that survives a power cut.

What an answer depends on is committed here before the answer is given (WAL, `synchronous=FULL`).
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import GatepassError

_WAIT_S = 10.0

_TABLES = (
    """
CREATE TABLE known (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;
CREATE TABLE chunks (hash BLOB PRIMARY KEY, content BLOB NOT NULL) STRICT;
CREATE TABLE decisions (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'to_undo', 'sent')),
    decision TEXT NOT NULL,
    asked BLOB NOT NULL,
    shown BLOB NOT NULL,
    item TEXT NOT NULL,
    answer TEXT NOT NULL,
    token BLOB,
    at INTEGER NOT NULL,
    verification TEXT
) STRICT;
CREATE INDEX decisions_by_state ON decisions (state, place);
CREATE TABLE uses (
    token BLOB PRIMARY KEY,
    request_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    verification BLOB NOT NULL,
    at INTEGER NOT NULL,
    gate TEXT NOT NULL,
    direction TEXT NOT NULL,
    voided INTEGER NOT NULL,
    let_in INTEGER NOT NULL,
    people INTEGER NOT NULL,
    pass INTEGER
) STRICT;
CREATE TABLE entries (
    request_id TEXT PRIMARY KEY,
    idx INTEGER NOT NULL,
    people INTEGER NOT NULL,
    known_at INTEGER
) STRICT;
CREATE INDEX uses_by_request ON uses (request_id);
CREATE INDEX entries_by_pass ON entries (idx);
""",
    """
CREATE TABLE unread (
    request_id TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    verification BLOB NOT NULL,
    gate TEXT NOT NULL,
    direction TEXT NOT NULL,
    people INTEGER NOT NULL,
    known_at INTEGER NOT NULL
) STRICT;
""",
)
"""What each version added."""


class State:
    """The database at `path`, made where it is not. Safe to use from any thread and from several processes."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its -wal and -shm the same mode
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        with self.transaction() as tx:
            (version,) = tx.execute("PRAGMA user_version").fetchone()
            if version > len(_TABLES):
                raise GatepassError(f"{path} was written by a newer version of gatepass-kit.")
            for added in _TABLES[version:]:
                for statement in filter(str.strip, added.split(";")):
                    tx.execute(statement)
            tx.execute(f"PRAGMA user_version = {len(_TABLES)}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction, committed at its end and durable then; rolled back where anything is raised."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def known(tx: sqlite3.Connection, name: str) -> Any:  # noqa: ANN401  an integer, a text or bytes
    """What is known under a name; None where nothing is."""
    row = tx.execute("SELECT value FROM known WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def learn(tx: sqlite3.Connection, name: str, value: object) -> None:
    """Know `value` under a name from now on; nothing, where it is None."""
    if value is None:
        tx.execute("DELETE FROM known WHERE name = ?", (name,))
    else:
        tx.execute("INSERT INTO known VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value))


def rise(tx: sqlite3.Connection, name: str, value: int) -> int:
    """Know `value` under a name, unless a greater one is known. What is known then."""
    (risen,) = tx.execute(
        "INSERT INTO known VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value) RETURNING value",
        (name, value),
    ).fetchone()
    return int(risen)
