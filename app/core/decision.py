"""One attempt at a gate is decided here, and nowhere else: by the API, by a simulation, by a kiosk without the network.

`decide` asks the rules in order and answers with the changes as values. `apply` feeds those changes to the facts of the
next attempt, so that many attempts can be decided one after another and written at once.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from .model import Budget, BudgetKey, Claims, Direction, Facts, Gate, Refused, Use
from .rules import RULES
from .token_format import BAD_SIGNATURE, MALFORMED, UNRECOGNISED

OK = "ok"
NO_CODE_IN_PICTURE = "no_code_in_picture"
AMBIGUOUS = "ambiguous"
UNDONE = "undone"
UNAVAILABLE = "unavailable"

REASONS = (
    OK,
    UNRECOGNISED,
    MALFORMED,
    BAD_SIGNATURE,
    NO_CODE_IN_PICTURE,
    AMBIGUOUS,
    *(rule.code for rule in RULES),
    UNDONE,
    UNAVAILABLE,
)
"""Every reason a verification can have."""

_SAY_NOTHING_OF_THE_HOLDER = frozenset({"throttled", "unknown"})
_REPEAT_RULES = tuple(rule for rule in RULES if rule.ends_repeat)


class Outcome(StrEnum):
    """Whether the gate opens."""

    ADMIT = "admit"
    DENY = "deny"


class Redeem(NamedTuple):
    """One use of a token. `key` is the token's id."""

    key: bytes
    use: Use

    def applied_to(self, facts: Facts) -> Facts:
        return facts._replace(last_use=self.use)


class CountEntry(NamedTuple):
    """One entry on a pass that has a limit. `key` is the pass's id."""

    key: bytes

    def applied_to(self, facts: Facts) -> Facts:
        pass_ = facts.pass_
        return facts if pass_ is None else facts._replace(pass_=pass_._replace(entries=pass_.entries + 1))


class SpendBudget(NamedTuple):
    """One wrong code. `budget` is what stands after it."""

    key: BudgetKey
    budget: Budget

    def applied_to(self, facts: Facts) -> Facts:
        return facts._replace(budgets={**facts.budgets, self.key: self.budget})


Change = Redeem | CountEntry | SpendBudget


class Decision(NamedTuple):
    """Whether the gate opens, why, and what changes by it.

    `flags` says what was wrong with an attempt that was admitted all the same, on the way out. `genuine` is true where
    pass and holder may be named in the answer. `repeats` is the earlier verification that this one gives again.
    """

    outcome: Outcome
    reason: str
    flags: tuple[str, ...] = ()
    genuine: bool = False
    changes: tuple[Change, ...] = ()
    repeats: bytes | None = None


def decide(facts: Facts) -> Decision:
    """Decide one attempt. Pure: the same facts give the same decision, wherever it is asked."""
    earlier = _repeated(facts)
    refusal = _refusal(facts, repeated=earlier is not None)
    genuine = facts.token is not None and refusal not in _SAY_NOTHING_OF_THE_HOLDER
    spent = _spent_budgets(facts) if refusal == "unknown" else ()
    if facts.exit_side:
        return Decision(Outcome.ADMIT, OK, (refusal,) if refusal else (), genuine, spent)
    if refusal:
        return Decision(Outcome.DENY, refusal, (), genuine, spent)
    if earlier is not None:
        return Decision(Outcome.ADMIT, OK, (), genuine, (), earlier.verification)
    return Decision(Outcome.ADMIT, OK, (), genuine, _entry(facts))


def is_exit_side(gate: Gate, *, exit_bound: bool) -> bool:
    """Whether nobody is held back: at an exit gate, or at one for both by a device bound to the exit side."""
    return gate.direction == Direction.EXIT or (exit_bound and gate.direction == Direction.BOTH)


def apply(facts: Facts, changes: Iterable[Change]) -> Facts:
    """The facts as they are after `changes`, each of which concerns something in them."""
    for change in changes:
        facts = change.applied_to(facts)
    return facts


def _refusal(facts: Facts, *, repeated: bool) -> str | None:
    if isinstance(facts.presented, Refused):
        return facts.presented.reason
    for rule in _REPEAT_RULES if repeated else RULES:
        if rule.refuses(facts):
            return rule.code
    return None


def _repeated(facts: Facts) -> Use | None:
    """The latest use, if a polling camera shows the same token again within the gate's repeat window."""
    use, gate = facts.last_use, facts.gate
    if use is None or use.voided or gate.repeat_window <= 0 or facts.exit_side:
        return None
    same = (use.gate, use.credential, use.direction) == (gate.id, facts.credential, facts.direction)
    return use if same and 0 <= facts.now - use.at < gate.repeat_window else None


def _entry(facts: Facts) -> tuple[Change, ...]:
    token, pass_ = facts.token, facts.pass_
    if token is None or pass_ is None:
        raise ValueError("admitted without a token")
    number = facts.last_use.number + 1 if facts.last_use else 1
    use = Use(number, facts.verification, facts.now, facts.gate.id, facts.credential, facts.direction)
    redeem = Redeem(token.id, use)
    if pass_.max_entries is None or facts.direction == Direction.EXIT:
        return (redeem,)
    return (redeem, CountEntry(pass_.id))


def _spent_budgets(facts: Facts) -> tuple[Change, ...]:
    """One wrong code, on each budget it draws on; a new day begins at nothing."""
    if not (isinstance(facts.presented, Claims) and facts.budgets):
        return ()
    return tuple(
        SpendBudget(key, Budget(facts.today, (budget.spent if budget.day == facts.today else 0) + 1, facts.now))
        for key, budget in facts.budgets.items()
    )
