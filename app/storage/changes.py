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
    """The changes that an undo has to know of; None where there are none.

    Written by hand: there are numbers, hexadecimal digits and ids of zones in it, and it is written at every gate that
    counts.
    """
    kept: list[str] = []
    for change in changes:
        if isinstance(change, Move):
            before, after = change.before, change.after
            people = f"[{before.people},{before.since}],[{after.people},{after.since}]"
            kept.append(f'["move","{change.holder.hex()}","{change.zone}",{people}]')
        elif isinstance(change, CountLimited):
            key, numbers = change.count_key, f"{[*change.before]},{[*change.after]}"
            kept.append(f'["count","{key.pass_.hex()}","{key.zone}",{numbers}]')
        elif isinstance(change, Consume):
            kept.append(f'["first","{change.token.hex()}",{change.number}]')
    return f"[{','.join(kept)}]" if kept else None


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
