"""`wrong_gate`: the token is bound to another gate, or the pass does not name this one or a zone behind it."""

from ..model import Direction, Facts
from ..rule import rule


@rule("wrong_gate", offline=True, timeless=True)
def wrong_gate(facts: Facts) -> bool:
    """Refuse where neither the gate nor a zone that it leads into is named; going out, the zone that is left counts.

    A zone lies in others: a pass for the building opens the gates of its floors.
    """
    token, pass_, gate = facts.token, facts.pass_, facts.gate
    if token is None or pass_ is None:
        return False
    if token.gate is not None and token.gate != gate.id:
        return True
    scope = pass_.scope
    if scope.every_gate or gate.id in scope.gates:
        return False
    before, after = gate.sides(facts.direction)
    return scope.zones.isdisjoint(before if facts.direction == Direction.EXIT else after)
