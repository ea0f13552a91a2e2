"""Anti-passback, by hand: somebody left without being seen, and could not enter again."""

from app.storage.records import HolderRecord
from app.storage.repositories.presences import PresenceRecord
from app.storage.transaction import Transaction

from .audit import record
from .context import Context
from .credentials import Caller
from .mistakes import NotFound
from .occupancy import occupancy_of


async def reset_anti_passback(app: Context, caller: Caller, id_: bytes, reason: str) -> HolderRecord:
    """Take the holder and whoever came with them to be outside everywhere."""

    def work(tx: Transaction) -> HolderRecord:
        holder = tx.holders.get(caller.tenant, id_)
        if holder is None:
            raise NotFound("holder")
        roots = {presence.root for presence in tx.presences.inside(caller.tenant, id_)}
        tx.zones.lock_counts(caller.tenant, roots)
        now = app.clock.now()
        # Read again: nobody else counts within these zones now. Whoever entered another one meanwhile came later.
        inside = [each for each in tx.presences.inside(caller.tenant, id_) if each.root in roots]
        for each in inside:
            tx.presences.leave(caller.tenant, id_, each.zone, now)
        before = sum(_take_off(app, tx, caller, each, now) for each in inside)
        record(app, tx, caller, "anti_passback_reset", reason=reason, holder=id_, before=before, after=0)
        return holder

    return await app.store.write(work)


def _take_off(app: Context, tx: Transaction, caller: Caller, presence: PresenceRecord, now: int) -> int:
    """How many people were on the zone's count for this presence, and are no longer."""
    zone = tx.zones.get(caller.tenant, presence.zone)
    if zone is None or not zone.counted:
        return 0
    occupancy = occupancy_of(app, caller, zone, now)
    if occupancy.reset_at is not None and presence.since < occupancy.reset_at:
        return 0
    people = max(0, occupancy.people - presence.people)
    tx.zones.change(caller.tenant, zone.id, {"people": people, "people_at": now})
    return presence.people
