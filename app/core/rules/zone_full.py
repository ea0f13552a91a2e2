"""`zone_full`: a zone that is entered has as many people in it as it may have."""

from ..crossing import OUTSIDE, counted_and_entered, people_after_entry
from ..model import Direction, Facts, Zone
from ..rule import Need, rule


def places_left(facts: Facts) -> int | None:
    """How many people the fullest of the zones that are entered has room for; None where none has a capacity."""
    if not facts.zones or facts.direction == Direction.EXIT:
        return None
    left = [
        zone.capacity - zone.people
        for zone in counted_and_entered(facts)
        if zone.capacity is not None and _more(facts, zone) > 0
    ]
    return min(left, default=None)


@rule("zone_full", needs=(Need.TOKEN, Need.ZONES), offline=False, room=places_left)
def zone_full(facts: Facts) -> bool:
    """Refuse an entry by which a zone would have more people than its capacity.

    Who is counted inside already takes no second place.
    """
    if not facts.zones or facts.direction == Direction.EXIT:
        return False
    for zone in counted_and_entered(facts):
        if zone.capacity is not None and 0 < _more(facts, zone) > zone.capacity - zone.people:
            return True
    return False


def _more(facts: Facts, zone: Zone) -> int:
    return people_after_entry(facts, zone) - facts.inside.get(zone.id, OUTSIDE).people
