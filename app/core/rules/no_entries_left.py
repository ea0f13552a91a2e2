"""`no_entries_left`: the pass has been used as often as it may be."""

from ..model import Direction, Facts
from ..rule import rule


@rule("no_entries_left", offline=False)
def no_entries_left(facts: Facts) -> bool:
    """Refuse an entry beyond the pass's `max_entries`. Going out is no entry."""
    pass_ = facts.pass_
    if pass_ is None or pass_.max_entries is None or facts.direction == Direction.EXIT:
        return False
    return pass_.entries >= pass_.max_entries
