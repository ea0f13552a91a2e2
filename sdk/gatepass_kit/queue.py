"""What was decided here and the service does not know yet; and, for a day, what it has been told.

A row is written in the transaction in which the token is used, before anybody is answered. It leaves the queue when the
service has said its last word about it, and not before.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from .core.model import DAY
from .state import State

WAITING, TO_UNDO, SENT = "waiting", "to_undo", "sent"
"""Not sent yet; let in by the service and to be undone; done with."""


class Attempt(NamedTuple):
    """What was asked: the text that was read, at which gate, under which request id."""

    request_id: str
    text: str
    gate: str
    direction: str | None
    people: int

    @property
    def asked(self) -> bytes:
        """A digest of all but the request id, by which one id for two things is told."""
        return hashlib.sha256(json.dumps(self[1:]).encode()).digest()

    @property
    def shown(self) -> bytes:
        """A digest of what was read."""
        return hashlib.sha256(self.text.encode()).digest()


class Row(NamedTuple):
    """A decision in the queue. `item` is what is sent, `token` the id of the genuine token that it was about.

    `verification` is the service's id of it, where it is known.
    """

    request_id: str
    state: str
    item: dict[str, Any]
    answer: dict[str, Any]
    token: bytes | None
    verification: str | None
    asked: bytes


_COLUMNS = "request_id, state, item, answer, token, verification, asked"


def add(
    tx: sqlite3.Connection,
    attempt: Attempt,
    *,
    at: int,
    item: Mapping[str, object],
    answer: Mapping[str, object],
    token: bytes | None,
) -> None:
    """Queue a decision with the answer that is given to it."""
    tx.execute(
        "INSERT INTO decisions (request_id, state, decision, asked, shown, item, answer, token, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(attempt.request_id, WAITING, item["decision"], attempt.asked, attempt.shown),
            *(json.dumps(item), json.dumps(answer), token, at),
        ),
    )


def add_undo(tx: sqlite3.Connection, attempt: Attempt, verification: str, at: int) -> None:
    """Queue the undo of an admission that the service knows."""
    tx.execute(
        "INSERT OR IGNORE INTO decisions (request_id, state, decision, asked, shown, item, answer, at, verification)"
        " VALUES (?, ?, 'deny', ?, ?, '{}', '{}', ?, ?)",
        (attempt.request_id, TO_UNDO, attempt.asked, attempt.shown, at, verification),
    )


def find(tx: sqlite3.Connection, request_id: str) -> Row | None:
    """The decision that was made here under a request id."""
    row = tx.execute(f"SELECT {_COLUMNS} FROM decisions WHERE request_id = ?", (request_id,)).fetchone()
    return _row(row) if row else None


def knows(state: State, request_id: str) -> bool:
    """Whether a decision was made here under a request id."""
    return bool(state.rows("SELECT 1 FROM decisions WHERE request_id = ?", request_id))


def decision(tx: sqlite3.Connection, request_id: str) -> str | None:
    """What stands here under a request id now: `admit`, or `deny`, also for what was undone; None for nothing."""
    row = tx.execute("SELECT decision FROM decisions WHERE request_id = ?", (request_id,)).fetchone()
    return row and str(row[0])


def refused_here(state: State, attempt: Attempt) -> bool:
    """Whether the same text was refused here, and the service has not been told yet."""
    return bool(
        state.rows(
            "SELECT 1 FROM decisions WHERE state != ? AND decision = 'deny' AND shown = ? LIMIT 1", SENT, attempt.shown
        )
    )


def admitted_here(state: State, attempt: Attempt, token: bytes | None) -> bool:
    """Whether the same text, or the token of that id, was let in here, and the service has not been told yet."""
    return bool(
        state.rows(
            "SELECT 1 FROM decisions WHERE state = ? AND decision = 'admit' AND (token = ? OR shown = ?) LIMIT 1",
            WAITING,
            token,
            attempt.shown,
        )
    )


def in_state(state: State, wanted: str, limit: int) -> list[Row]:
    """The first rows in a state, in the order in which they were decided."""
    found = state.rows(f"SELECT {_COLUMNS} FROM decisions WHERE state = ? ORDER BY place LIMIT ?", wanted, limit)
    return [_row(each) for each in found]


def length(state: State) -> int:
    """How many decisions the service has not said its last word about."""
    ((count,),) = state.rows("SELECT count(*) FROM decisions WHERE state != ?", SENT)
    return int(count)


def oldest(state: State) -> int | None:
    """When the first of them was made (microseconds UTC)."""
    ((at,),) = state.rows("SELECT min(at) FROM decisions WHERE state != ?", SENT)
    return at if at is None else int(at)


def move(tx: sqlite3.Connection, request_id: str, to: str, verification: str | None = None) -> None:
    """Put a row into another state. `verification` is the service's id of it.

    What was read is kept no longer than it has to be sent.
    """
    tx.execute(
        "UPDATE decisions SET state = ?, verification = coalesce(?, verification), item = json_remove(item, '$.token')"
        " WHERE request_id = ?",
        (to, verification, request_id),
    )


def rewrite(tx: sqlite3.Connection, request_id: str, item: Mapping[str, object], answer: Mapping[str, object]) -> None:
    """Send something else: what was decided was taken back before the service heard of it."""
    tx.execute(
        "UPDATE decisions SET decision = ?, item = ?, answer = ? WHERE request_id = ? AND state = ?",
        (item["decision"], json.dumps(item), json.dumps(answer), request_id, WAITING),
    )


def forget(tx: sqlite3.Connection, now: int) -> None:
    """Forget what was sent and is older than a day."""
    tx.execute("DELETE FROM decisions WHERE state = ? AND at < ?", (SENT, now - DAY))


def _row(row: tuple[Any, ...]) -> Row:
    request_id, state, item, answer, token, verification, asked = row
    return Row(request_id, state, json.loads(item), json.loads(answer), token, verification, asked)
