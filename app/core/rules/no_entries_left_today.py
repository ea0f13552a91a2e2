"""`no_entries_left_today`: the pass has been used as often as it may be on one day, the site's own."""

from ..model import ANYWHERE, NO_ENTRIES, CountKey, Direction, Facts
from ..rule import Need, rule


def entries_left_today(facts: Facts) -> int | None:
    """How many people may still enter on the pass today; None where it has no such limit."""
    pass_ = facts.pass_
    if pass_ is None or pass_.limits.per_day is None:
        return None
    count = facts.counts.get(CountKey(pass_.id, ANYWHERE), NO_ENTRIES)
    return pass_.limits.per_day - count.on(facts.site_day)


@rule("no_entries_left_today", needs=(Need.TOKEN, Need.COUNTS), offline=False, room=entries_left_today)
def no_entries_left_today(facts: Facts) -> bool:
    """Refuse an entry of more people than the pass's `max_entries_per_day` leaves."""
    left = entries_left_today(facts)
    return left is not None and facts.direction != Direction.EXIT and facts.people > left
