"""What an admission changed beside the use of its token, as the JSON that its record keeps for an undo."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from app.core.changes import Change, Consume, CountLimited, Move
from app.core.model import CountKey, EntryCount, Presence


class FirstProof(NamedTuple):
    """The use of the token that was consumed together with the one shown last."""

    token: bytes
    number: int


def packed(changes: Iterable[Change]) -> str | None:
    """The changes that an undo has to know of; None where there are none."""
    kept: list[object] = []
    for change in changes:
        if isinstance(change, Move):
            kept.append(("move", change.holder.hex(), change.zone, change.before, change.after))
        elif isinstance(change, CountLimited):
            kept.append(("count", change.count_key.pass_.hex(), change.count_key.zone, change.before, change.after))
        elif isinstance(change, Consume):
            kept.append(("first", change.token.hex(), change.number))
    return json.dumps(kept, separators=(",", ":")) if kept else None


def unpacked(text: str | None) -> tuple[list[Move | CountLimited], list[FirstProof]]:
    """What `packed` packed."""
    changes: list[Move | CountLimited] = []
    first: list[FirstProof] = []
    for kind, id_, *rest in json.loads(text) if text else ():
        if kind == "move":
            zone, before, after = rest
            changes.append(Move(bytes.fromhex(id_), zone, Presence(*before), Presence(*after)))
        elif kind == "count":
            zone, before, after = rest
            key = CountKey(bytes.fromhex(id_), zone)
            changes.append(CountLimited(key, EntryCount(*before), EntryCount(*after)))
        else:
            first.append(FirstProof(bytes.fromhex(id_), rest[0]))
    return changes, first
