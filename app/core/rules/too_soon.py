"""`too_soon`: the pass asks for a time between two entries, and it is not over."""

from ..model import ANYWHERE, NO_ENTRIES, CountKey, Direction, Facts
from ..rule import Need, rule


def next_entry(facts: Facts) -> int | None:
    """When the next entry may be."""
    pass_ = facts.pass_
    if pass_ is None or not pass_.limits.min_interval:
        return None
    last_at = facts.counts.get(CountKey(pass_.id, ANYWHERE), NO_ENTRIES).last_at
    return last_at + pass_.limits.min_interval if last_at else None


@rule("too_soon", needs=(Need.TOKEN, Need.COUNTS), offline=False, not_before=next_entry)
def too_soon(facts: Facts) -> bool:
    """Refuse an entry sooner than the pass's `min_interval_s` after the one before.

    Not the rest of a party that was let in with the same token.
    """
    next_at = next_entry(facts)
    if next_at is None or facts.direction == Direction.EXIT:
        return False
    return facts.now < next_at and not _rest_of_a_party(facts)


def _rest_of_a_party(facts: Facts) -> bool:
    token, pass_, use = facts.token, facts.pass_, facts.last_use
    if token is None or pass_ is None or use is None or token.reusable:
        return False
    return 0 < use.let_in < pass_.limits.party_size
