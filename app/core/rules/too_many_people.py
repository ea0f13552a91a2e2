"""`too_many_people`: more people than the token lets in. The answer says how many may go in."""

from ..model import Direction, Facts
from ..rule import rule


def party_left(facts: Facts) -> int | None:
    """How many of the party the token still lets in."""
    if facts.token is None or facts.pass_ is None:
        return None
    let_in = facts.last_use.let_in if facts.last_use and not facts.token.reusable else 0
    return facts.pass_.limits.party_size - let_in


@rule("too_many_people", offline=True, room=party_left)
def too_many_people(facts: Facts) -> bool:
    """Refuse more people than are left of the party. Part of it may follow later, with the same token.

    Where nobody is left the token is used up, which another rule says.
    """
    left = party_left(facts)
    return left is not None and facts.direction != Direction.EXIT and 0 < left < facts.people
