"""Who was let in here: the latest use of each token, and the entries that the bundle does not count yet.

Uses are remembered past the upload of the queue, until the token has expired by the service's own time and the leeway
is over. Online admissions are remembered like those that were decided here.
"""

import sqlite3
from typing import NamedTuple

from .core.model import Claims, Direction, Token, Use
from .core.rule import LEEWAY
from .unread import ByService


class Admission(NamedTuple):
    """An admission by a genuine token. `known_at` is a time of the service's by which it has it on record, or None."""

    request_id: str
    token: Token
    idx: int
    use: Use
    known_at: int | None


def latest(tx: sqlite3.Connection, token: bytes, credential: bytes) -> Use | None:
    """The latest use of a token that is known here, by this device's `credential`."""
    row = tx.execute(
        "SELECT number, verification, at, gate, direction, voided, let_in, people, pass FROM uses WHERE token = ?",
        (token,),
    ).fetchone()
    if row is None:
        return None
    number, verification, at, gate, direction, voided, let_in, people, idx = row
    pass_ = None if idx is None else _pass_id(idx)
    way = Direction(direction)
    return Use(number, verification, at, gate, credential, way, bool(voided), None, let_in, people, pass_)


def use_of(claims: Claims, seen: ByService, at: int, before: Use | None) -> Use:
    """The use that an admission by the service stands for, after the one `before` that is known here."""
    reusable = claims.token is not None and claims.token.reusable
    let_in = 0 if before is None or reusable else before.let_in
    return Use(
        number=before.number + 1 if before else 1,
        verification=seen.verification,
        at=at,
        gate=seen.gate,
        credential=b"",
        direction=Direction(seen.direction),
        let_in=let_in + seen.people,
        people=seen.people,
        pass_=None if claims.idx is None else _pass_id(claims.idx),
    )


def remember(tx: sqlite3.Connection, admission: Admission) -> None:
    """Remember an admission; once, however often its answer comes."""
    use, idx = admission.use, admission.idx
    known = tx.execute(
        "SELECT 1 FROM uses WHERE token = ? AND verification = ?", (admission.token.id, use.verification)
    )
    if known.fetchone():
        return
    new = tx.execute(
        "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?)",
        (admission.request_id, idx, use.people if use.direction != Direction.EXIT else 0, admission.known_at),
    )
    if not new.rowcount:
        return
    tx.execute(
        "INSERT OR REPLACE INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(admission.token.id, admission.request_id, admission.token.expires_at, use.number, use.verification),
            *(use.at, use.gate, use.direction, 0, use.let_in, use.people, idx),
        ),
    )


def give_back(tx: sqlite3.Connection, request_id: str) -> None:
    """An admission was undone: its entry does not count, and if it was the token's latest use, that is given back."""
    tx.execute("DELETE FROM entries WHERE request_id = ?", (request_id,))
    tx.execute(
        "UPDATE uses SET voided = 1, let_in = max(0, let_in - people) WHERE request_id = ? AND NOT voided",
        (request_id,),
    )


def entries_since(tx: sqlite3.Connection, idx: int) -> int:
    """How many people entered here on the pass at that place whom the bundle does not count."""
    (people,) = tx.execute("SELECT coalesce(sum(people), 0) FROM entries WHERE idx = ?", (idx,)).fetchone()
    return int(people)


def sent(tx: sqlite3.Connection, request_id: str, known_at: int) -> None:
    """The service has an admission on record since `known_at` at the latest."""
    tx.execute("UPDATE entries SET known_at = ? WHERE request_id = ? AND known_at IS NULL", (known_at, request_id))


def counted(tx: sqlite3.Connection, seq: int) -> None:
    """A bundle made as of `seq` counts what the service knew before."""
    tx.execute("DELETE FROM entries WHERE known_at < ?", (seq,))


def forget(tx: sqlite3.Connection, service_time: int) -> None:
    """Forget the uses of tokens that have expired for sure."""
    tx.execute("DELETE FROM uses WHERE expires_at < ?", (service_time - LEEWAY,))


def _pass_id(idx: int) -> bytes:
    return idx.to_bytes(16, "big")
