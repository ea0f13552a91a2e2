"""Schedules: when passes may be used."""

import json
from collections.abc import Mapping
from typing import Any

from app.core.ids import show
from app.storage.records import ScheduleRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once
from .mistakes import Clash, NotFound
from .pages import Page, page

_HOURS = ("weekly", "holidays", "on_holidays", "exceptions", "early_s")


async def create_schedule(app: Context, caller: Caller, wish: Mapping[str, Any], retry: Retry | None) -> ScheduleRecord:
    """Make a schedule: `id`, without which one is made up, `name` and the parts of its hours."""
    schedule_id = wish["id"] or show("schedule", app.new_id())
    record = ScheduleRecord(schedule_id, wish["name"], _with_hours({}, wish), app.clock.now())

    def make(tx: Transaction) -> tuple[str, ScheduleRecord]:
        if not tx.schedules.insert(caller.tenant, record):
            raise Clash("schedule_exists", "There is a schedule with that id.")
        return schedule_id, record

    return await create_once(app, caller, retry, make, lambda tx, found: tx.schedules.get(caller.tenant, found))


async def get_schedule(app: Context, caller: Caller, id_: str) -> ScheduleRecord:
    """The schedule. Raises `NotFound`."""
    schedule = await app.store.read(lambda tx: tx.schedules.get(caller.tenant, id_))
    if schedule is None:
        raise NotFound("schedule")
    return schedule


async def change_schedule(app: Context, caller: Caller, id_: str, wish: Mapping[str, Any]) -> ScheduleRecord:
    """Set what `wish` names: `name`, and parts of the hours."""

    def work(tx: Transaction) -> ScheduleRecord:
        schedule = tx.schedules.lock(caller.tenant, id_)
        if schedule is None:
            raise NotFound("schedule")
        values = {"name": wish.get("name", schedule.name), "hours": _with_hours(json.loads(schedule.hours), wish)}
        tx.schedules.change(caller.tenant, id_, values)
        return schedule._replace(**values)

    return await app.store.write(work)


async def delete_schedule(app: Context, caller: Caller, id_: str) -> None:
    """Take the schedule away. Raises `Clash` while a pass names it."""

    def work(tx: Transaction) -> None:
        if tx.schedules.lock(caller.tenant, id_) is None:
            raise NotFound("schedule")
        if tx.schedules.in_use(caller.tenant, id_):
            raise Clash("schedule_in_use", "There are passes with this schedule. Change them first.")
        tx.schedules.delete(caller.tenant, id_)

    await app.store.write(work)


async def list_schedules(app: Context, caller: Caller, after: str | None, limit: int) -> Page[ScheduleRecord]:
    """The tenant's schedules, by id."""
    return await app.store.read(
        lambda tx: page(
            lambda count: tx.schedules.page(caller.tenant, after, count), lambda schedule: schedule.id, limit
        )
    )


def _with_hours(hours: Mapping[str, Any], wish: Mapping[str, Any]) -> str:
    """The hours as they are stored, with those parts that `wish` names in place of their own."""
    return json.dumps({**hours, **{part: wish[part] for part in _HOURS if part in wish}}, sort_keys=True)
