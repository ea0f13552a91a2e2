"""Going through a gate: which zones somebody comes into, and which they leave.

A zone lies in others. From the lobby of a building to one of its floors one comes into the floor and leaves the lobby;
out of the building's door one leaves the building and every zone in it.
"""

from functools import lru_cache

from .model import Direction, Facts, Presence, Zone

OUTSIDE = Presence(0, 0)


def entered(facts: Facts) -> tuple[str, ...]:
    """The zones that somebody comes into, innermost first: those in which they were not before the gate."""
    return crossed(*facts.gate.sides(facts.direction))[0]


def counted_and_entered(facts: Facts) -> tuple[Zone, ...]:
    """Those of them whose people are counted."""
    zones = facts.zones
    return tuple([zones[zone] for zone in entered(facts) if zone in zones]) if zones else ()


def counted_and_left(facts: Facts) -> tuple[Zone, ...]:
    """The counted zones that are left: those before the gate that are not behind it, and every zone in them."""
    if not facts.zones:
        return ()
    left = crossed(*facts.gate.sides(facts.direction))[1]
    return tuple(zone for zone in facts.zones.values() if not left.isdisjoint(zone.path)) if left else ()


@lru_cache(maxsize=4096)
def crossed(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The zones entered and left between the two sides of a gate, remembered: every rule about zones asks."""
    return tuple(zone for zone in after if zone not in before), frozenset(before).difference(after)


def is_inside(facts: Facts, zone: Zone) -> bool:
    """Whether the holder, or somebody of their party, is in the zone."""
    return facts.inside.get(zone.id, OUTSIDE).people > 0


def people_after_entry(facts: Facts, zone: Zone) -> int:
    """How many of the holder's party are in the zone once these have entered.

    Never more than the party: who enters again without having gone out by a gate is counted once. Only an entry that
    somebody admits by hand may be of more.
    """
    before = facts.inside.get(zone.id, OUTSIDE).people
    party = facts.pass_.limits.party_size if facts.pass_ else 1
    most = party if facts.direction == Direction.EXIT else max(party, facts.people)
    return max(before, min(before + facts.people, most))
