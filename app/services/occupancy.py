"""Occupancy: how many people are in a zone that is counted."""

import json
from typing import NamedTuple

from app.storage.records import ZoneRecord
from app.storage.transaction import Transaction

from .audit import record
from .context import Context
from .credentials import Caller
from .mistakes import Clash, NotFound


class Occupancy(NamedTuple):
    """The people in a zone at a time (microseconds UTC). `reset_at` is the last nightly reset, None without one."""

    zone: str
    people: int
    capacity: int | None
    counted: bool
    at: int
    reset_at: int | None


async def get_occupancy(app: Context, caller: Caller, id_: str) -> Occupancy:
    """How many people are in the zone. Raises `NotFound`."""
    zone = await app.store.read(lambda tx: tx.zones.get(caller.tenant, id_))
    if zone is None:
        raise NotFound("zone")
    return occupancy_of(app, caller, zone, app.clock.now())


async def correct_occupancy(app: Context, caller: Caller, id_: str, people: int, reason: str) -> Occupancy:
    """Set the count to what was counted by hand. Raises `Clash` for a zone that is not counted.

    Where nobody is inside, everybody is outside, also of the zones within: anti-passback is reset for all of them.
    """

    def work(tx: Transaction) -> Occupancy:
        zone = tx.zones.get(caller.tenant, id_)
        if zone is None:
            raise NotFound("zone")
        tx.zones.lock(caller.tenant, zone.root)
        zone = tx.zones.get(caller.tenant, id_) or zone  # as it is now that nobody else counts in it
        if not zone.counted:
            raise Clash("not_counted", "The people in this zone are not counted.")
        now = app.clock.now()
        concerned = [zone] if people else [zone, *_within(tx, caller.tenant, zone)]
        for each in concerned:
            before = occupancy_of(app, caller, each, now).people
            tx.zones.change(caller.tenant, each.id, {"people": people, "people_at": now, "recounted_at": now})
            if not people:
                tx.presences.forget_zone(caller.tenant, each.id)
            record(app, tx, caller, "occupancy_corrected", reason=reason, zone=each.id, before=before, after=people)
        return occupancy_of(app, caller, zone, now)._replace(people=people)

    return await app.store.write(work)


def _within(tx: Transaction, tenant: str, zone: ZoneRecord) -> list[ZoneRecord]:
    """The counted zones that lie in this one."""
    return [
        each
        for each in tx.zones.of_root(tenant, zone.root)
        if each.counted and each.id != zone.id and zone.id in json.loads(each.path)
    ]


def occupancy_of(app: Context, caller: Caller, zone: ZoneRecord, now: int) -> Occupancy:
    """The zone's count at `now`: 0 where nobody has come or gone since the last nightly reset."""
    reset_at = None
    if zone.local_resets_at is not None:
        reset_at = app.calendar.last_reset(zone.local_resets_at, zone.local_time_zone or caller.time_zone, now)
    people = 0 if reset_at is not None and zone.people_at < reset_at else zone.people
    return Occupancy(zone.id, people, zone.capacity, zone.counted, now, reset_at)
