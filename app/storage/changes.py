"""What an admission changed beside the use of its token, as the JSON that its record keeps for an undo."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from app.core.changes import Change, Consume, Move
from app.core.model import Presence


class FirstProof(NamedTuple):
    """The use of the token that was consumed together with the one shown last."""

    token: bytes
    number: int


def packed(changes: Iterable[Change]) -> str | None:
    """The changes that an undo has to know of; None where there are none.

    Entries are not among them: who undoes knows how many they were. Written by hand, since it is written at every gate
    that counts: there are numbers, hexadecimal digits and ids of zones in it.
    """
    kept: list[str] = []
    for change in changes:
        if isinstance(change, Move):
            before, after = change.before, change.after
            kept.append(f'["{change.zone}",{before.people},{before.since},{after.people},{after.since}]')
        elif isinstance(change, Consume):
            kept.append(f'["{change.token.hex()}",{change.number}]')
    return f"[{','.join(kept)}]" if kept else None


def unpacked(text: str | None, holder: bytes | None) -> tuple[list[Move], list[FirstProof]]:
    """What `packed` packed of an admission of the holder."""
    moves: list[Move] = []
    first: list[FirstProof] = []
    for name, *numbers in json.loads(text) if text and holder else ():
        if len(numbers) == 1:
            first.append(FirstProof(bytes.fromhex(name), numbers[0]))
        else:
            people_before, since_before, people_after, since_after = numbers
            moved = (Presence(people_before, since_before), Presence(people_after, since_after))
            moves.append(Move(holder or b"", name, *moved))
    return moves, first
