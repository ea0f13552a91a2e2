"""`too_soon`: the pass asks for a time between two entries, and it is not over."""

from ..model import ANYWHERE, CountKey, Direction, EntryCount, Facts
from ..rule import Need, rule


def next_entry(facts: Facts) -> int | None:
    """When the next entry may be."""
    pass_ = facts.pass_
    if pass_ is None or not pass_.limits.min_interval:
        return None
    last_at = facts.counts.get(CountKey(pass_.id, ANYWHERE), EntryCount()).last_at
    return last_at + pass_.limits.min_interval if last_at else None


@rule("too_soon", needs=(Need.TOKEN, Need.COUNTS), offline=False, not_before=next_entry)
def too_soon(facts: Facts) -> bool:
    """Refuse an entry sooner than the pass's `min_interval_s` after the one before.

    Not the rest of a party that was let in with the same token.
    """
    next_at = next_entry(facts)
    if next_at is None or facts.direction == Direction.EXIT:
        return False
    follows = facts.last_use is not None and facts.last_use.let_in > 0 and not _is_reusable(facts)
    return facts.now < next_at and not follows


def _is_reusable(facts: Facts) -> bool:
    return facts.token is not None and facts.token.reusable
