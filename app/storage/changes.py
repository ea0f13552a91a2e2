"""What an admission changed beside the use of its token, as the JSON that its record keeps for an undo."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from app.core.changes import Change, CountLimited, Move, Redeem
from app.core.model import Presence

_NO_DAY = -1


class Counted(NamedTuple):
    """That the people were counted on a limited pass, for a zone and on a day."""

    zone: str
    day: int


class Changed(NamedTuple):
    """Who was moved, what was counted, and the token of the first proof that was used too."""

    moves: tuple[Move, ...]
    counted: tuple[Counted, ...]
    first: tuple[bytes, ...]


def packed(changes: Iterable[Change]) -> str | None:
    """The changes that an undo has to know of; None where there are none.

    Written by hand, since it is written at every gate that counts: there are numbers, hexadecimal digits and ids of
    zones in it.
    """
    kept: list[str] = []
    used = 0
    for change in changes:
        if isinstance(change, Move):
            before, after = change.before, change.after
            kept.append(f'["{change.zone}",{before.people},{before.since},{after.people},{after.since}]')
        elif isinstance(change, CountLimited):
            kept.append(f'["{change.count_key.zone}",{_day_of(change)}]')
        elif isinstance(change, Redeem):
            used += 1
            if used > 1:  # the one that was shown stands in the record itself
                kept.append(f'["{change.token.hex()}"]')
    return f"[{','.join(kept)}]" if kept else None


def _day_of(change: CountLimited) -> int:
    """The day that it was counted on; none, where it became known on a later day and was counted in all only."""
    before, after = change.before, change.after
    return after.day if (after.day, after.on_day) != (before.day, before.on_day) else _NO_DAY


def unpacked(text: str | None, holder: bytes) -> Changed:
    """What `packed` packed of an admission of the holder."""
    moves: list[Move] = []
    counted: list[Counted] = []
    first: list[bytes] = []
    for name, *numbers in json.loads(text) if text else ():
        if not numbers:
            first.append(bytes.fromhex(name))
        elif len(numbers) == 1:
            counted.append(Counted(name, *numbers))
        else:
            moves.append(Move(holder, name, Presence(*numbers[:2]), Presence(*numbers[2:])))
    return Changed(tuple(moves), tuple(counted), tuple(first))
