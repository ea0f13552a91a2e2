"""One attempt at a gate is decided here, and nowhere else: by the API, by a simulation, by a kiosk without the network.

`decide` asks the rules in order and answers with the changes as values. `apply` feeds those changes to the facts of the
next attempt, so that many attempts can be decided one after another and written at once.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from .admission import departure, movement, of_entry, of_first_proof
from .changes import Change, SpendBudget
from .crossing import counted_and_left, is_inside
from .model import NO_LIMITS, Budget, Claims, Direction, Facts, Gate, Pass, Refused, Use
from .rule import Need, Rule, never, unknown
from .rules import RULES
from .token_format import BAD_SIGNATURE, MALFORMED, UNRECOGNISED

OK = "ok"
NO_CODE_IN_PICTURE = "no_code_in_picture"
AMBIGUOUS = "ambiguous"
UNDONE = "undone"
UNAVAILABLE = "unavailable"
NOT_INSIDE = "not_inside"
"""A flag of somebody who goes out of a zone whose people are counted, and was not known to be in it."""

OFFLINE = "offline"
"""A flag of what was decided without the network."""

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
_RULE = {rule.code: rule for rule in RULES}
_PLACE = {rule.code: place for place, rule in enumerate(RULES)}


class _Asked(NamedTuple):
    """The rules that can refuse, and those of them that can flag."""

    refusing: tuple[Rule, ...]
    flagging: tuple[Rule, ...]


def _which(*, zones: bool, limits: bool) -> _Asked:
    absent = {Need.OFFLINE} | ({Need.ZONES} if not zones else set()) | ({Need.COUNTS} if not limits else set())
    return _those(rule for rule in RULES if rule.needs.isdisjoint(absent))


def _those(rules: Iterable[Rule]) -> _Asked:
    refusing = tuple(rules)
    return _Asked(refusing, tuple(rule for rule in refusing if rule.flags is not never))


_ASKED = {(zones, limits): _which(zones=zones, limits=limits) for zones in (False, True) for limits in (False, True)}
"""Which rules can refuse, by whether zones are counted here and the pass is limited: the others are not asked."""

_ASKED_OFFLINE = _those(rule for rule in RULES if rule.offline)
_TIMELESS = tuple(rule for rule in RULES if rule.timeless)


class Outcome(StrEnum):
    """Whether the gate opens."""

    ADMIT = "admit"
    DENY = "deny"


class Decision(NamedTuple):
    """Whether the gate opens, why, and what changes by it.

    `flags` says what was wrong with an attempt that was admitted all the same. `pass_` is the pass, where it and its
    holder may be named in the answer: the token was genuine. `repeats` is the earlier verification that this one gives
    again. `overridden` is the reason that somebody at the desk admitted against. `people_left` is how many more of a
    party may go in. `not_before` is when the rule that refused would no longer do so, as far as it knows.
    """

    outcome: Outcome
    reason: str
    flags: tuple[str, ...] = ()
    pass_: Pass | None = None
    changes: tuple[Change, ...] = ()
    repeats: bytes | None = None
    overridden: str | None = None
    people_left: int = 0
    not_before: int | None = None


class View(NamedTuple):
    """What one rule says of an attempt, whatever the others say."""

    code: str
    refuses: bool
    flags: bool
    not_before: int | None


def decide(facts: Facts) -> Decision:
    """Decide one attempt. Pure: the same facts give the same decision, wherever it is asked."""
    if facts.other_passes:
        facts = with_one_pass(facts)
    earlier = _repeated(facts)
    refusal = _refusal(facts, repeated=earlier is not None)
    pass_ = facts.pass_ if facts.token is not None and refusal not in _SAY_NOTHING_OF_THE_HOLDER else None
    spent = _spent_budgets(facts) if refusal == "unknown" else ()
    if facts.exit_side:
        return _out(facts, pass_, refusal, spent)
    if refusal is None and earlier is not None:
        return Decision(Outcome.ADMIT, OK, (), pass_, (), earlier.verification, None, _people_left(facts))
    if refusal is None:
        return _in(facts, pass_, ())
    rule = _RULE.get(refusal)
    if facts.override and rule is not None and rule.overridable:
        return _in(facts, pass_, tuple(each.code for each in _asked(facts).refusing if each.refuses(facts)))
    changes = of_first_proof(facts) if refusal == "needs_second_proof" else spent
    left = _people_left(facts) if rule is not None and rule.room is not unknown else 0
    return Decision(
        Outcome.DENY, refusal, (), pass_, changes, people_left=left, not_before=rule and rule.not_before(facts)
    )


def is_exit_side(gate: Gate, *, exit_bound: bool) -> bool:
    """Whether nobody is held back: at an exit gate, or at one for both by a device bound to the exit side."""
    return gate.direction == Direction.EXIT or (exit_bound and gate.direction == Direction.BOTH)


def apply(facts: Facts, changes: Iterable[Change]) -> Facts:
    """The facts as they are after `changes`, each of which concerns something in them."""
    for change in changes:
        facts = change.applied_to(facts)
    return facts


def with_one_pass(facts: Facts) -> Facts:
    """The facts with the pass that is good now, where a card names a holder who has several.

    Where none is good, the one that came furthest through the rules. Where several are, they are `ambiguous`; but not
    on the way out, where it makes no difference, nor where one of them let the holder in a moment ago.
    """
    each = [facts._replace(pass_=pass_, other_passes=()) for pass_ in (facts.pass_, *facts.other_passes) if pass_]
    for one in each:
        if _repeated(one) is not None and _refusal(one, repeated=True) is None:
            return one
    refusals = [_refusal(one, repeated=False) for one in each]
    good = [one for one, refusal in zip(each, refusals, strict=True) if refusal is None]
    if len(good) > 1 and not facts.exit_side and facts.direction != Direction.EXIT:
        return each[0]._replace(pass_=None, presented=Refused(AMBIGUOUS))
    if good:
        return good[0]
    return max(zip(each, refusals, strict=True), key=lambda one: _PLACE.get(one[1] or "", -1))[0]


def views(facts: Facts) -> tuple[View, ...]:
    """What every rule says of the attempt, in the order in which they are asked."""
    if isinstance(facts.presented, Refused):
        return ()
    return tuple(
        View(rule.code, refuses := rule.refuses(facts), rule.flags(facts), rule.not_before(facts) if refuses else None)
        for rule in RULES
        if facts.offline is not None or Need.OFFLINE not in rule.needs
    )


def record(facts: Facts, outcome: Outcome, reason: str, flags: tuple[str, ...] = ()) -> Decision:
    """What is to be recorded of an attempt that was decided without the network, and is known only now.

    What was decided stands: a green light is never made a refusal afterwards. `overridden` is the first of the timeless
    rules that refuses an admission; all that do become flags. `flags` are those of whoever decided.
    """
    pass_ = facts.pass_ if facts.token is not None and not isinstance(facts.presented, Refused) else None
    own = _each_once(OFFLINE, *flags)
    if outcome is Outcome.DENY:
        return Decision(Outcome.DENY, reason, own, pass_)
    if isinstance(facts.presented, Refused):
        against: tuple[str, ...] = (facts.presented.reason,)
    else:
        against = tuple(rule.code for rule in _TIMELESS if rule.refuses(facts))
    own = _each_once(*own, *against)
    if pass_ is None:
        return Decision(Outcome.ADMIT, OK, own, None, overridden=None if facts.exit_side else next(iter(against), None))
    if facts.exit_side:
        absent = _not_inside(facts)
        changes = departure(facts) if absent else movement(facts)
        return Decision(Outcome.ADMIT, OK, _each_once(*own, *absent), pass_, changes)
    return Decision(Outcome.ADMIT, OK, own, pass_, of_entry(facts), overridden=next(iter(against), None))


def _each_once(*flags: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))


def _refusal(facts: Facts, *, repeated: bool) -> str | None:
    presented = facts.presented
    if isinstance(presented, Refused):
        return presented.reason
    if presented.otherwise is not None and facts.token is None:
        return presented.otherwise
    for rule in _REPEAT_RULES if repeated else _asked(facts).refusing:
        if rule.refuses(facts):
            return rule.code
    return None


def _asked(facts: Facts) -> _Asked:
    if facts.offline is not None:
        return _ASKED_OFFLINE
    return _ASKED[bool(facts.zones), facts.pass_ is not None and facts.pass_.limits is not NO_LIMITS]


def _repeated(facts: Facts) -> Use | None:
    """The latest use, if a polling camera shows the same token again within the gate's repeat window."""
    use, gate = facts.last_use, facts.gate
    if use is None or use.voided or use.reserved_until is not None or gate.repeat_window <= 0 or facts.exit_side:
        return None
    if facts.override or (use.pass_ is not None and facts.pass_ is not None and use.pass_ != facts.pass_.id):
        return None
    showing = (use.gate, use.credential, use.direction, use.people)
    same = showing == (gate.id, facts.credential, facts.direction, facts.people)
    return use if same and 0 <= facts.now - use.at < gate.repeat_window else None


def _in(facts: Facts, pass_: Pass | None, overridden: tuple[str, ...]) -> Decision:
    """Somebody goes in; or out, at a gate for both directions. `overridden` are all rules that refused."""
    flags = overridden
    for rule in _asked(facts).flagging:
        if rule.code not in overridden and rule.flags(facts):
            flags += (rule.code,)
    if facts.zones and facts.direction == Direction.EXIT:
        flags += _not_inside(facts)
    changes = of_entry(facts)
    left = 0
    if facts.pass_ is not None and facts.pass_.limits.party_size > 1:
        left = _people_left(apply(facts, changes))
    return Decision(Outcome.ADMIT, OK, flags, pass_, changes, None, overridden[0] if overridden else None, left)


def _out(facts: Facts, pass_: Pass | None, refusal: str | None, spent: tuple[Change, ...]) -> Decision:
    """Nobody is held back on the way out. Counters change only for a genuine token whose holder is inside."""
    flags = (refusal,) if refusal else ()
    if pass_ is None or not facts.zones:
        return Decision(Outcome.ADMIT, OK, flags, pass_, spent)
    absent = _not_inside(facts)
    return Decision(Outcome.ADMIT, OK, flags + absent, pass_, departure(facts) if absent else movement(facts))


def _not_inside(facts: Facts) -> tuple[str, ...]:
    left = counted_and_left(facts)
    return (NOT_INSIDE,) if left and not any(is_inside(facts, zone) for zone in left) else ()


def _people_left(facts: Facts) -> int:
    """How many of the party may still go in, as far as the rules can say; 0 for a pass for one."""
    if facts.pass_ is None or facts.pass_.limits.party_size == 1:
        return 0
    room = [left for rule in RULES if (left := rule.room(facts)) is not None]
    return max(0, min(room))


def _spent_budgets(facts: Facts) -> tuple[Change, ...]:
    """One wrong code, on each budget it draws on; a new day begins at nothing."""
    if not (isinstance(facts.presented, Claims) and facts.budgets):
        return ()
    if facts.token is not None and facts.token.kind != "code":
        return ()  # a card whose number looks like a code, and whose holder has no pass
    return tuple(
        SpendBudget(key, Budget(facts.today, (budget.spent if budget.day == facts.today else 0) + 1, facts.now))
        for key, budget in facts.budgets.items()
    )
