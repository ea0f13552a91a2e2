"""`anti_passback`: the holder is already inside a zone that is entered: somebody handed their pass back.

Per zone: off, `soft` (admit and flag) or `hard` (deny). It forgives after a time if the zone says so; going out resets
it, and so does the desk.
"""

from ..crossing import counted_and_entered, is_inside
from ..model import AntiPassback, Direction, Facts, Zone
from ..rule import Need, rule


def outside_left(facts: Facts) -> int | None:
    """How many of the party are not inside; None where no zone that is entered denies."""
    left = [_outside(facts, zone) for zone in _watching(facts, AntiPassback.HARD)]
    return min(left, default=None)


def forgiven_at(facts: Facts) -> int | None:
    """When the last of the zones that deny forgives."""
    times = [
        None if zone.forgive_after is None else facts.inside[zone.id].since + zone.forgive_after
        for zone in _watching(facts, AntiPassback.HARD)
        if facts.people > _outside(facts, zone)
    ]
    known = [each for each in times if each is not None]
    return max(known) if known and len(known) == len(times) else None


def passed_back(facts: Facts) -> bool:
    """Whether a zone that only flags is entered by somebody who is inside."""
    return any(facts.people > _outside(facts, zone) for zone in _watching(facts, AntiPassback.SOFT))


@rule(
    "anti_passback",
    needs=(Need.TOKEN, Need.ZONES),
    offline=False,
    flags=passed_back,
    not_before=forgiven_at,
    room=outside_left,
)
def anti_passback(facts: Facts) -> bool:
    """Refuse an entry into a zone with hard anti-passback by more people than are outside of it."""
    left = outside_left(facts)
    return left is not None and facts.people > left


def _watching(facts: Facts, how: AntiPassback) -> list[Zone]:
    """The zones that are entered and watch in that way somebody who is inside and has not been forgiven."""
    if not facts.inside or facts.direction == Direction.EXIT:
        return []
    return [
        zone
        for zone in counted_and_entered(facts)
        if zone.anti_passback == how and is_inside(facts, zone) and not _is_forgiven(facts, zone)
    ]


def _is_forgiven(facts: Facts, zone: Zone) -> bool:
    return zone.forgive_after is not None and facts.now >= facts.inside[zone.id].since + zone.forgive_after


def _outside(facts: Facts, zone: Zone) -> int:
    party = facts.pass_.limits.party_size if facts.pass_ else 1
    return party - facts.inside[zone.id].people
