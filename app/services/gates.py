"""Gates: check-in points, and the zones they lead between."""

from collections.abc import Mapping
from typing import Any

from app.core.ids import show
from app.storage.records import GateRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once
from .mistakes import Clash, NotFound
from .pages import Page, page

_ZONE_FIELDS = ("from_zone", "into_zone")


async def create_gate(app: Context, caller: Caller, wish: Mapping[str, Any], retry: Retry | None) -> GateRecord:
    """Make a gate from the columns in `wish`; without an `id` one is made up."""
    gate_id = wish["id"] or show("gate", app.new_id())
    record = GateRecord(**{**wish, "id": gate_id}, created_at=app.clock.now())

    def make(tx: Transaction) -> tuple[str, GateRecord]:
        _check_zones(tx, caller.tenant, wish)
        if not tx.gates.insert(caller.tenant, record):
            raise Clash("gate_exists", "There is a gate with that id.")
        return gate_id, record

    return await create_once(app, caller, retry, make, lambda tx, found: tx.gates.get(caller.tenant, found))


async def get_gate(app: Context, caller: Caller, id_: str) -> GateRecord:
    """The gate. Raises `NotFound`."""
    gate = await app.store.read(lambda tx: tx.gates.get(caller.tenant, id_))
    if gate is None:
        raise NotFound("gate")
    return gate


async def change_gate(app: Context, caller: Caller, id_: str, values: Mapping[str, Any]) -> GateRecord:
    """Set those columns that `values` names."""

    def work(tx: Transaction) -> GateRecord | None:
        _check_zones(tx, caller.tenant, values)
        if values:
            tx.gates.change(caller.tenant, id_, values)
        return tx.gates.get(caller.tenant, id_)

    gate = await app.store.write(work)
    if gate is None:
        raise NotFound("gate")
    return gate


async def delete_gate(app: Context, caller: Caller, id_: str) -> None:
    """Take the gate away. What happened at it stays on record."""
    if not await app.store.write(lambda tx: tx.gates.delete(caller.tenant, id_)):
        raise NotFound("gate")


async def list_gates(app: Context, caller: Caller, after: str | None, limit: int) -> Page[GateRecord]:
    """The tenant's gates, by id."""
    return await app.store.read(
        lambda tx: page(lambda count: tx.gates.page(caller.tenant, after, count), lambda gate: gate.id, limit)
    )


def _check_zones(tx: Transaction, tenant: str, values: Mapping[str, Any]) -> None:
    for field in _ZONE_FIELDS:
        if values.get(field) is not None and tx.zones.get(tenant, values[field]) is None:
            raise NotFound("zone")
