"""What a rule is: one reason to deny."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from .model import SECOND, Facts

LEEWAY = 30 * SECOND
"""How far clocks may differ: allowed on a token's expiry and on an issue time in the future."""


class Need(StrEnum):
    """Facts that have to be loaded before a rule can be asked. The store has one loader for each."""

    TOKEN = "token"  # noqa: S105  the stored token, its pass and holder, and its redemptions
    BUDGETS = "budgets"  # the guessing budgets that a code draws on


class Rule(NamedTuple):
    """One reason to deny, asked of the facts.

    `offline` says whether a kiosk without the network can ask it. `ends_repeat` says that it also ends the repeat
    window of a gate: the other rules are not asked again about somebody who was let in a moment ago.
    """

    code: str
    refuses: Callable[[Facts], bool]
    needs: frozenset[Need]
    offline: bool
    ends_repeat: bool


def rule(
    code: str, *, needs: tuple[Need, ...] = (Need.TOKEN,), offline: bool, ends_repeat: bool = False
) -> Callable[[Callable[[Facts], bool]], Rule]:
    """Make a function of the facts, true where it refuses, the rule that owns the reason `code`."""

    def make(refuses: Callable[[Facts], bool]) -> Rule:
        return Rule(code, refuses, frozenset(needs), offline, ends_repeat)

    return make
