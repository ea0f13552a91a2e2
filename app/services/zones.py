"""Zones: areas with people in them."""

import json
from collections.abc import Mapping
from typing import Any

from app.core.ids import show
from app.core.model import AntiPassback
from app.storage.records import ZoneRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once
from .mistakes import Clash, Invalid, NotFound
from .occupancy import occupancy_of
from .pages import Page, page
from .time_zones import check_time_zone


async def create_zone(app: Context, caller: Caller, wish: Mapping[str, Any], retry: Retry | None) -> ZoneRecord:
    """Make a zone from the columns in `wish`, perhaps within another; without an `id` one is made up."""
    _check_time_zone(wish)
    zone_id = wish.get("id") or show("zone", app.new_id())
    within = wish.get("within")

    def make(tx: Transaction) -> tuple[str, ZoneRecord]:
        outer = None if within is None else _lock(tx, caller.tenant, within)
        now = app.clock.now()
        set_up = {
            "id": zone_id,
            "within": within,
            "path": json.dumps([zone_id, *(json.loads(outer.path) if outer else ())]),
            "time_zone": wish.get("time_zone"),
            "created_at": now,
            "root": outer.root if outer else zone_id,
            "local_time_zone": wish.get("time_zone") or (outer and outer.local_time_zone),
            "local_resets_at": wish.get("resets_at") or (outer and outer.local_resets_at),
            "people_at": now,
        }
        record = ZoneRecord(**{**wish, **set_up})
        record = record._replace(counted=_is_counted(record, wish))
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


async def change_zone(app: Context, caller: Caller, id_: str, wish: Mapping[str, Any]) -> ZoneRecord:
    """Set those columns that `wish` names. A zone that begins to be counted, or ceases to be, is empty."""
    _check_time_zone(wish)

    def work(tx: Transaction) -> ZoneRecord:
        zone = _lock(tx, caller.tenant, id_)
        if wish.keys() & {"time_zone", "resets_at"}:
            _keep_resets(app, tx, caller, zone.root)
            zone = _get(tx, caller.tenant, id_)
        changed = zone._replace(**wish)
        changed = changed._replace(counted=_is_counted(changed, wish))
        if changed.counted != zone.counted:
            changed = changed._replace(people=0, people_at=app.clock.now())
            tx.presences.forget_zone(caller.tenant, id_)
        values = {name: value for name, value in changed._asdict().items() if value != getattr(zone, name)}
        if values:
            tx.zones.change(caller.tenant, id_, values)
        if (changed.time_zone, changed.resets_at) != (zone.time_zone, zone.resets_at):
            _inherit(tx, caller.tenant, zone.root)
        return _get(tx, caller.tenant, id_)

    return await app.store.write(work)


async def list_zones(app: Context, caller: Caller, after: str | None, limit: int) -> Page[ZoneRecord]:
    """The tenant's zones, by id."""
    return await app.store.read(
        lambda tx: page(lambda count: tx.zones.page(caller.tenant, after, count), lambda zone: zone.id, limit)
    )


def _check_time_zone(wish: Mapping[str, Any]) -> None:
    if wish.get("time_zone") is not None:
        check_time_zone(wish["time_zone"])


def _is_counted(zone: ZoneRecord, wish: Mapping[str, Any]) -> bool:
    """Whether its people are counted: always, where they are limited or have to leave before they enter again."""
    has_to_be = zone.capacity is not None or zone.anti_passback != AntiPassback.OFF
    if has_to_be and wish.get("counted") is False:
        raise Invalid("counted", "A zone with a capacity or anti-passback is counted.")
    return has_to_be or zone.counted


def _lock(tx: Transaction, tenant: str, id_: str) -> ZoneRecord:
    """The zone, held with all that lie in the same outermost zone: nobody is counted in them meanwhile."""
    tx.zones.lock(tenant, _get(tx, tenant, id_).root)
    return _get(tx, tenant, id_)


def _get(tx: Transaction, tenant: str, id_: str) -> ZoneRecord:
    zone = tx.zones.get(tenant, id_)
    if zone is None:
        raise NotFound("zone")
    return zone


def _keep_resets(app: Context, tx: Transaction, caller: Caller, root: str) -> None:
    """A nightly reset is no write, so one that has been is written before it is taken away: nobody comes back by it."""
    now = app.clock.now()
    for zone in tx.zones.of_root(caller.tenant, root):
        reset_at = occupancy_of(app, caller, zone, now).reset_at
        if zone.counted and reset_at is not None:
            tx.presences.purge_older(caller.tenant, [zone.id], reset_at)
            if zone.people_at < reset_at:
                tx.zones.change(caller.tenant, zone.id, {"people": 0, "people_at": now})


def _inherit(tx: Transaction, tenant: str, root: str) -> None:
    """A zone without a time zone or a nightly reset of its own has that of the nearest zone around it."""
    zones = {zone.id: zone for zone in tx.zones.of_root(tenant, root)}
    for zone in zones.values():
        around = [zones[id_] for id_ in json.loads(zone.path)]
        local = {
            "local_time_zone": next((each.time_zone for each in around if each.time_zone is not None), None),
            "local_resets_at": next((each.resets_at for each in around if each.resets_at is not None), None),
        }
        if local != {name: getattr(zone, name) for name in local}:
            tx.zones.change(tenant, zone.id, local)
