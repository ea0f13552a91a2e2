"""Admissions by the service whose token cannot be read here yet: there is no bundle, or none that brings its key.

They are kept, with the text, until there is one, so that the token is not let in again once the network is gone. A
bundle comes within a minute where one comes at all: after a day they are forgotten, and there are 1,000 at most.
"""

import sqlite3
from typing import NamedTuple

from .core.model import DAY
from .state import State

_MOST = 1000
_COLUMNS = "request_id, text, verification, gate, direction, people, known_at"


class ByService(NamedTuple):
    """An admission by the service, which has it on record since `known_at` at the latest."""

    request_id: str
    text: str
    verification: bytes
    gate: str
    direction: str
    people: int
    known_at: int


def keep(tx: sqlite3.Connection, admission: ByService) -> None:
    """Keep an admission until its token can be read."""
    tx.execute(f"INSERT OR IGNORE INTO unread ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", admission)
    tx.execute("DELETE FROM unread WHERE rowid <= (SELECT max(rowid) FROM unread) - ?", (_MOST,))


def kept(state: State) -> list[ByService]:
    """Those that are kept, in the order in which they came."""
    return [ByService(*row) for row in state.rows(f"SELECT {_COLUMNS} FROM unread ORDER BY rowid")]


def drop(tx: sqlite3.Connection, request_id: str) -> None:
    """One was read, or undone."""
    tx.execute("DELETE FROM unread WHERE request_id = ?", (request_id,))


def forget(tx: sqlite3.Connection, service_time: int) -> None:
    """Forget those that nobody will ever read."""
    tx.execute("DELETE FROM unread WHERE known_at < ?", (service_time - DAY,))
