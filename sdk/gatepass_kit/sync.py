"""Sending what was decided here: until the service has said its last word about every row, in whatever order.

Sending the same rows twice changes nothing. Where the service had let somebody in whom this device refused (its request
got through, the answer did not), the service takes that back when it is told, so that the token is good again.
"""

import json
import logging
import threading
from datetime import datetime
from typing import Any, NamedTuple

from . import queue, uses
from .answers import microseconds
from .device import Device
from .errors import ApiError, Conflict, Forbidden, Invalid, NotFound, Unreachable
from .machine import monotonic, now
from .queue import Row
from .times import Times

MOST_ROWS = 1000
_MOST_BYTES = 1_900_000
_UNDONE_FOR_GOOD = (Conflict, NotFound, Forbidden)
_log = logging.getLogger(__name__)


class Conflicting(NamedTuple):
    """An admission that was made here and should not have been, as it turned out; `reasons` say why."""

    request_id: str
    verification: str | None
    reasons: tuple[str, ...]


class Synced(NamedTuple):
    """What came of sending the queue.

    `recorded` rows are on record now, `known` ones had been before; `rejected` ones the service will never take, with
    its code. `undone` are request ids whose admission was taken back because `Verifier.undo` was asked to.
    `contradicted` are those of people who were let in here although the service, asked before, had refused them: that
    is on record as a refusal.
    """

    recorded: int = 0
    known: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    conflicts: tuple[Conflicting, ...] = ()
    undone: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()

    def and_then(self, other: "Synced") -> "Synced":
        """Both."""
        return Synced(
            self.recorded + other.recorded,
            self.known + other.known,
            self.rejected + other.rejected,
            self.conflicts + other.conflicts,
            self.undone + other.undone,
            self.contradicted + other.contradicted,
        )


class Sync:
    """Sends one device's queue. One thread at a time does."""

    def __init__(self, device: Device, times: Times) -> None:
        self._device = device
        self._times = times
        self._lock = threading.Lock()

    def run(self) -> Synced:
        """Send all that waits. Raises `Unreachable` and `ApiError`; what the service has not answered stays queued."""
        with self._lock:
            done = Synced()
            while rows := queue.in_state(self._device.state, queue.WAITING, MOST_ROWS):
                done = done.and_then(self._send(_that_fit(rows)))
            done = done.and_then(self._undo_all())
            with self._device.state.transaction() as tx:
                queue.forget(tx, now())
                uses.forget(tx, self._times.service)
                self._times.keep(tx)
            return done

    def undo(self) -> Synced:
        """Take back what is to be undone. Raises `Unreachable` and `ApiError`; what is not answered stays queued."""
        with self._lock:
            return self._undo_all()

    def _send(self, rows: list[Row]) -> Synced:
        began = monotonic()
        try:
            answer = self._device.transport.call(
                "POST", "/v1/verifications/sync", {"verifications": [row.item for row in rows]}
            )
        except Invalid as fault:
            if len(rows) == 1:
                return self._settle(rows, [_rejected(fault)], None)
            half = len(rows) // 2  # one of them is wrong, and must not hold up the others
            return self._send(rows[:half]).and_then(self._send(rows[half:]))
        body = answer.json()
        results = body.get("results")
        if not isinstance(results, list) or [_named(each) for each in results] != [row.request_id for row in rows]:
            raise Unreachable("What came back is no answer of Gatepass's to this queue.")
        at = _time(body.get("now"))
        self._times.saw(at)
        took = int((monotonic() - began) * 1_000_000)
        return self._settle(rows, results, None if at is None else at + took)

    def _settle(self, rows: list[Row], results: list[dict[str, Any]], known_at: int | None) -> Synced:
        recorded = known = 0
        rejected, conflicts, contradicted = [], [], []
        with self._device.state.transaction() as tx:
            for row, result in zip(rows, results, strict=True):
                status, verification = result.get("status"), result.get("verification")
                here, there = row.item["decision"], result.get("decision")
                recorded += status == "recorded"
                known += status == "known"
                if queue.decision(tx, row.request_id) != here:
                    continue  # it was undone while it was on its way, and is sent again as what it is now
                # A refusal that is sent without what was read may be on record, by the call whose answer was lost.
                if status == "rejected" and (here, result.get("error")) != ("deny", "request_id_reused"):
                    rejected.append((row.request_id, str(result.get("error"))))
                if reasons := result.get("conflicts"):
                    conflicts.append(Conflicting(row.request_id, verification, tuple(reasons)))
                if (here, there) == ("deny", "admit"):
                    _log.warning("%s was let in by the service, not here, and that stands", row.request_id)
                if status == "known" and there == "deny" and here == "admit":
                    contradicted.append(row.request_id)
                queue.move(tx, row.request_id, queue.SENT, verification)
                if known_at is not None:
                    uses.sent(tx, row.request_id, known_at)
            self._times.keep(tx)
        done = Synced(recorded, known, tuple(rejected), tuple(conflicts), (), tuple(contradicted))
        _say(done)
        return done

    def _undo_all(self) -> Synced:
        undone = []
        while rows := queue.in_state(self._device.state, queue.TO_UNDO, 1):
            (row,) = rows
            if self._undo(row):
                undone.append(row.request_id)
            with self._device.state.transaction() as tx:
                queue.move(tx, row.request_id, queue.SENT)
        return Synced(undone=tuple(undone))

    def _undo(self, row: Row) -> bool:
        try:
            self._device.transport.call("POST", f"/v1/verifications/{row.verification}/undo")
        except _UNDONE_FOR_GOOD as fault:
            if fault.code == "already_undone":
                return True
            _log.warning("%s was let in, and cannot be undone any more: %s", row.request_id, fault.code)
            return False
        return True


def _that_fit(rows: list[Row]) -> list[Row]:
    """As many of the first rows as fit into one call."""
    size = 0
    for place, row in enumerate(rows):
        size += len(json.dumps(row.item)) + 1
        if size > _MOST_BYTES:
            return rows[: max(place, 1)]
    return rows


def _named(result: object) -> object:
    return result.get("request_id") if isinstance(result, dict) else None


def _rejected(fault: ApiError) -> dict[str, Any]:
    return {"status": "rejected", "error": fault.code}


def _time(text: object) -> int | None:
    try:
        return microseconds(datetime.fromisoformat(str(text)))
    except ValueError:
        return None


def _say(done: Synced) -> None:
    for request_id, code in done.rejected:
        _log.warning("%s is never taken by the service: %s", request_id, code)
    for conflict in done.conflicts:
        _log.warning("%s should not have been let in: %s", conflict.request_id, ", ".join(conflict.reasons))
    for request_id in done.contradicted:
        _log.warning("%s was let in here, and had been refused by the service", request_id)
