"""`no_entries_left`: the pass has been used as often as it may be."""

from ..model import Direction, Facts
from ..rule import rule


def entries_left(facts: Facts) -> int | None:
    """How many people may still enter on the pass; None where it has no limit."""
    pass_ = facts.pass_
    return None if pass_ is None or pass_.max_entries is None else pass_.max_entries - pass_.entries


@rule("no_entries_left", offline=True, room=entries_left)
def no_entries_left(facts: Facts) -> bool:
    """Refuse an entry of more people than the pass's `max_entries` leaves. Going out is no entry."""
    left = entries_left(facts)
    return left is not None and facts.direction != Direction.EXIT and facts.people > left
