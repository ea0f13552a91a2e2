"""Occupancy: how many people are in a zone that is counted."""

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
    """Set the count to what was counted by hand. Raises `Clash` for a zone that is not counted."""

    def work(tx: Transaction) -> Occupancy:
        zone = tx.zones.get(caller.tenant, id_)
        if zone is None:
            raise NotFound("zone")
        tx.zones.lock(caller.tenant, zone.root)
        zone = tx.zones.get(caller.tenant, id_) or zone  # as it is now that nobody else counts in it
        if not zone.counted:
            raise Clash("not_counted", "The people in this zone are not counted.")
        now = app.clock.now()
        before = occupancy_of(app, caller, zone, now)
        tx.zones.change(caller.tenant, id_, {"people": people, "people_at": now})
        record(app, tx, caller, "occupancy_corrected", reason=reason, zone=id_, before=before.people, after=people)
        return before._replace(people=people)

    return await app.store.write(work)


def occupancy_of(app: Context, caller: Caller, zone: ZoneRecord, now: int) -> Occupancy:
    """The zone's count at `now`: 0 where nobody has come or gone since the last nightly reset."""
    reset_at = None
    if zone.resets_at is not None:
        reset_at = app.calendar.last_reset(zone.resets_at, zone.local_time_zone or caller.time_zone, now)
    people = 0 if reset_at is not None and zone.people_at < reset_at else zone.people
    return Occupancy(zone.id, people, zone.capacity, zone.counted, now, reset_at)
