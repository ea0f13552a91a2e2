"""Zones: areas with people in them."""

import json

from app.core.ids import show
from app.storage.records import ZoneRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once
from .mistakes import Clash, NotFound
from .pages import Page, page
from .time_zones import check_time_zone


async def create_zone(
    app: Context,
    caller: Caller,
    *,
    id_: str | None,
    name: str,
    within: str | None,
    time_zone: str | None,
    retry: Retry | None,
) -> ZoneRecord:
    """Make a zone, perhaps within another."""
    if time_zone is not None:
        check_time_zone(time_zone)
    zone_id = id_ or show("zone", app.new_id())

    def make(tx: Transaction) -> tuple[str, ZoneRecord]:
        outer = None if within is None else tx.zones.get(caller.tenant, within)
        if within is not None and outer is None:
            raise NotFound("zone")
        path = json.dumps([zone_id, *(json.loads(outer.path) if outer else ())])
        record = ZoneRecord(zone_id, name, within, path, time_zone, app.clock.now())
        if not tx.zones.insert(caller.tenant, record):
            raise Clash("zone_exists", "There is a zone with that id.")
        return zone_id, record

    return await create_once(app, caller, retry, make, lambda tx, found: tx.zones.get(caller.tenant, found))


async def get_zone(app: Context, caller: Caller, id_: str) -> ZoneRecord:
    """The zone. Raises `NotFound`."""
    zone = await app.store.read(lambda tx: tx.zones.get(caller.tenant, id_))
    if zone is None:
        raise NotFound("zone")
    return zone


async def list_zones(app: Context, caller: Caller, after: str | None, limit: int) -> Page[ZoneRecord]:
    """The tenant's zones, by id."""
    return await app.store.read(
        lambda tx: page(lambda count: tx.zones.page(caller.tenant, after, count), lambda zone: zone.id, limit)
    )
