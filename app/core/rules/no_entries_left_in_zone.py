"""`no_entries_left_in_zone`: the pass limits its entries into a zone behind the gate, in all or on one day.

A meal a day in the canteen, ten visits to the pool. Other zones are not concerned, and moving within the zone is no
entry.
"""

from ..crossing import entered
from ..model import NO_ENTRIES, CountKey, Direction, Facts
from ..rule import Need, rule


def entries_left_in_zone(facts: Facts) -> int | None:
    """How many people may still enter the zones behind the gate; None where no limit of the pass concerns them."""
    pass_ = facts.pass_
    if pass_ is None or not pass_.limits.zones:
        return None
    into, left = entered(facts), []
    for limit in pass_.limits.zones:
        if limit.zone in into:
            count = facts.counts.get(CountKey(pass_.id, limit.zone), NO_ENTRIES)
            if limit.total is not None:
                left.append(limit.total - count.total)
            if limit.per_day is not None:
                left.append(limit.per_day - count.on(facts.site_day))
    return min(left, default=None)


@rule("no_entries_left_in_zone", needs=(Need.TOKEN, Need.COUNTS), offline=False, room=entries_left_in_zone)
def no_entries_left_in_zone(facts: Facts) -> bool:
    """Refuse an entry of more people than the pass's `zone_limits` leave for a zone that is entered."""
    if facts.direction == Direction.EXIT:
        return False
    left = entries_left_in_zone(facts)
    return left is not None and facts.people > left
