"""`needs_second_proof`: the gate asks for two proofs of the same holder, and this is the first.

Something carried and something typed: a QR code or a card, and a code, in either order. The first proof is reserved for
the seconds that the gate gives, for as many people as show it; the second consumes both.
"""

from ..model import Direction, Facts
from ..rule import Need, rule

_TYPED = "code"


@rule("needs_second_proof", needs=(Need.TOKEN, Need.RESERVATION), offline=False)
def needs_second_proof(facts: Facts) -> bool:
    """Refuse the first of two proofs. Asked last, so that a proof which no gate would take is not reserved."""
    token, first = facts.token, facts.reservation
    if facts.gate.second_proof <= 0 or facts.direction == Direction.EXIT or token is None:
        return False
    if first is None or facts.now >= first.until or facts.people > first.people:
        return True
    return (first.kind == _TYPED) == (token.kind == _TYPED)
