"""What a rule is: one reason to deny."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from .model import SECOND, Facts

LEEWAY = 30 * SECOND
"""How far clocks may differ: allowed on a token's expiry and on an issue time in the future."""


class Need(StrEnum):
    """Facts that have to be loaded before a rule can be asked. The store has a loader for each."""

    TOKEN = "token"  # noqa: S105  the stored token or card, its pass and holder, and its redemptions
    BUDGETS = "budgets"  # the guessing budgets that a code draws on
    ZONES = "zones"  # the people in the zones around the gate, and where the holder is among them
    COUNTS = "counts"  # the entries on a pass that limits them beyond `max_entries`, which come with the pass
    RESERVATION = "reservation"  # the holder's first proof, at a gate that wants two
    OFFLINE = "offline"  # what a verifier without the network goes by; nothing of it is stored


def never(_facts: Facts) -> bool:
    """Of a rule that has nothing to flag."""
    return False


def unknown(_facts: Facts) -> int | None:
    """Of a rule that cannot say when it would no longer refuse, or how many it would let in."""
    return None


class Rule(NamedTuple):
    """One reason to deny, asked of the facts.

    `offline` says whether a kiosk without the network can ask it. `timeless` says that its answer hangs on nothing that
    others did meanwhile: so an admission without the network can be judged by it whenever it becomes known.
    `ends_repeat` says that it also ends the repeat window of a gate: the other rules are not asked again about somebody
    who was let in a moment ago. `overridable` says whether somebody at the desk can admit against it. `flags` is asked
    of those who are admitted: where it is true the code becomes a flag. `not_before` says when the rule would no longer
    refuse, as far as it knows (microseconds UTC). `room` says how many people it would let in.
    """

    code: str
    refuses: Callable[[Facts], bool]
    needs: frozenset[Need]
    offline: bool
    timeless: bool
    ends_repeat: bool
    overridable: bool
    flags: Callable[[Facts], bool]
    not_before: Callable[[Facts], int | None]
    room: Callable[[Facts], int | None]


def rule(
    code: str,
    *,
    needs: tuple[Need, ...] = (Need.TOKEN,),
    offline: bool,
    timeless: bool = False,
    ends_repeat: bool = False,
    overridable: bool = True,
    flags: Callable[[Facts], bool] = never,
    not_before: Callable[[Facts], int | None] = unknown,
    room: Callable[[Facts], int | None] = unknown,
) -> Callable[[Callable[[Facts], bool]], Rule]:
    """Make a function of the facts, true where it refuses, the rule that owns the reason `code`."""

    def make(refuses: Callable[[Facts], bool]) -> Rule:
        return Rule(
            code, refuses, frozenset(needs), offline, timeless, ends_repeat, overridable, flags, not_before, room
        )

    return make
