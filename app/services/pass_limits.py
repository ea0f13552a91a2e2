"""What is limited on few passes, beyond `max_entries`."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from app.core.model import ANYWHERE, NO_ENTRIES, EntryCount, ZoneLimit
from app.storage.repositories.entry_counts import Entry

_NUMBERS = ("party_size", "max_entries_per_day", "min_interval_s")
_NONE: Mapping[str, Any] = {"party_size": 1, "max_entries_per_day": None, "min_interval_s": None, "zones": {}}


def limits_text(stored: str | None, wish: Mapping[str, Any]) -> str | None:
    """The limits as they are stored, with those that `wish` names in place of their own; None where there is none."""
    limits = limits_of(stored) | {name: wish[name] for name in _NUMBERS if name in wish}
    if "zone_limits" in wish:
        limits["zones"] = {limit.zone: _text_of(limit) for limit in wish["zone_limits"]}
    limits = {name: value for name, value in limits.items() if value != _NONE[name]}
    return json.dumps(limits, sort_keys=True) if limits else None


def limits_of(stored: str | None) -> dict[str, Any]:
    """All limits of a pass, also those that there are not."""
    return {**_NONE, **json.loads(stored or "{}")}


def counted_zones(stored: str | None) -> frozenset[str]:
    """The zones whose entries are counted on a pass with these limits; `ANYWHERE` is one of them."""
    limits = limits_of(stored)
    anywhere = limits["max_entries_per_day"] is not None or limits["min_interval_s"] is not None
    return frozenset(limits["zones"]) | ({ANYWHERE} if anywhere else set())


def recounted(
    entries: Iterable[Entry], zones: Collection[str], local_day: Callable[[int, str], int]
) -> dict[str, EntryCount]:
    """The counts of these zones, as they would be had they been kept from the first of the entries on."""
    counts: dict[str, EntryCount] = {}
    for entry in entries:
        day = local_day(entry.at, entry.time_zone)
        for zone in (ANYWHERE, *entry.into):
            if zone in zones:
                counts[zone] = counts.get(zone, NO_ENTRIES).with_entry(entry.people, day, entry.at)
    return counts


def _text_of(limit: ZoneLimit) -> dict[str, int]:
    """What there is of a zone's limits, as it is stored."""
    return {name: value for name, value in (("per_day", limit.per_day), ("total", limit.total)) if value is not None}
