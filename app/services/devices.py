"""Devices: made, set up, moved to another gate, revoked. What a device asks for itself is in `device_calls.py`.

A set-up token makes whoever shows it first the device. 160 of its bits are random, so a plain SHA-256 of it is safe to
store; it is good once, for half an hour, and only the newest of a device.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from app.core.model import MINUTE
from app.storage.records import ApiKeyRecord, DeviceRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller, hash_secret, new_secret
from .idempotency import Retry, create_once
from .mistakes import Invalid, NotFound
from .pages import Page, page

SETUP_GOOD_FOR = 30 * MINUTE


class DeviceWish(NamedTuple):
    """What a new device shall be. Without a `side` at a gate for both directions it says the direction each time."""

    name: str
    gate: str
    side: str | None = None


class ToSetUp(NamedTuple):
    """A device that waits to be set up, and the token for that; None where an earlier request got it."""

    record: DeviceRecord
    token: str | None


async def create_device(app: Context, caller: Caller, wish: DeviceWish, retry: Retry | None) -> ToSetUp:
    """Make a device at a gate. Raises `NotFound`, and `Invalid` where the gate has not that direction."""

    def make(tx: Transaction) -> tuple[str, ToSetUp]:
        check_gate(tx, caller.tenant, wish.gate, wish.side)
        id_, now, token = app.new_id(), app.clock.now(), new_secret("setup", app.entropy)
        record = DeviceRecord(
            tenant=caller.tenant,
            id=id_,
            name=wish.name,
            gate=wish.gate,
            side=wish.side,
            software=None,
            battery=None,
            setup=hash_secret(token),
            setup_expires_at=now + SETUP_GOOD_FOR,
            setup_used_at=None,
            last_seen_at=None,
            initialized_at=None,
            created_at=now,
            revoked_at=None,
        )
        tx.devices.insert(record)
        return id_.hex(), ToSetUp(record, token)

    return await create_once(app, caller, retry, make, lambda tx, id_: _without_token(tx, caller.tenant, id_))


async def set_up_again(app: Context, caller: Caller, id_: bytes, retry: Retry | None) -> ToSetUp:
    """Give the device a new set-up token in place of the one before. Its key stays good until the new one is used."""

    def make(tx: Transaction) -> tuple[str, ToSetUp]:
        record, now, token = held(tx, caller.tenant, id_), app.clock.now(), new_secret("setup", app.entropy)
        values: dict[str, Any] = {"setup": hash_secret(token), "setup_expires_at": now + SETUP_GOOD_FOR}
        values["setup_used_at"] = None
        tx.devices.change(caller.tenant, id_, values)
        return id_.hex(), ToSetUp(record._replace(**values), token)

    return await create_once(app, caller, retry, make, lambda tx, found: _without_token(tx, caller.tenant, found))


async def list_devices(app: Context, caller: Caller, after: bytes | None, limit: int) -> Page[DeviceRecord]:
    """The tenant's devices that are not revoked, newest first."""
    return await app.store.read(
        lambda tx: page(lambda count: tx.devices.page(caller.tenant, after, count), lambda each: each.id, limit)
    )


async def get_device(app: Context, caller: Caller, id_: bytes) -> DeviceRecord:
    """The device. Raises `NotFound`, also for a revoked one."""
    record = await app.store.read(lambda tx: tx.devices.get(caller.tenant, id_))
    if record is None or record.revoked_at is not None:
        raise NotFound("device")
    return record


async def change_device(app: Context, caller: Caller, id_: bytes, values: Mapping[str, Any]) -> DeviceRecord:
    """Set those columns that `values` names. Moved, it verifies elsewhere: here at once, else within two seconds."""
    moves = not values.keys().isdisjoint(("gate", "side"))

    def work(tx: Transaction) -> tuple[DeviceRecord, list[ApiKeyRecord]]:
        record = held(tx, caller.tenant, id_)._replace(**values)
        if moves:
            check_gate(tx, caller.tenant, record.gate, record.side)
            tx.api_keys.move(caller.tenant, id_, record.gate, record.side)
        if values:
            tx.devices.change(caller.tenant, id_, values)
        return record, tx.api_keys.of_device(caller.tenant, id_)

    record, keys = await app.store.write(work)
    forget(app, keys)
    return record


async def revoke_device(app: Context, caller: Caller, id_: bytes) -> None:
    """Refuse the device and its set-up token: here at once, in every other process within two seconds."""
    now = app.clock.now()

    def work(tx: Transaction) -> list[ApiKeyRecord]:
        record = tx.devices.hold(caller.tenant, id_)
        if record is None:
            raise NotFound("device")
        if record.revoked_at is None:
            tx.devices.change(caller.tenant, id_, {"revoked_at": now, "setup": None})
        return revoke_keys(tx, tx.api_keys.of_device(caller.tenant, id_), now)

    forget(app, await app.store.write(work))


def held(tx: Transaction, tenant: str, id_: bytes) -> DeviceRecord:
    """The device, which nobody else can change until the transaction ends. Raises `NotFound`, also if it is revoked."""
    record = tx.devices.hold(tenant, id_)
    if record is None or record.revoked_at is not None:
        raise NotFound("device")
    return record


def check_gate(tx: Transaction, tenant: str, gate: str, side: str | None) -> None:
    """That there is such a gate with such a side."""
    found = tx.gates.get(tenant, gate)
    if found is None:
        raise NotFound("gate")
    if side is not None and found.direction not in (side, "both"):
        raise Invalid("side", "The gate has not this direction.")


def revoke_keys(tx: Transaction, keys: Iterable[ApiKeyRecord], at: int) -> list[ApiKeyRecord]:
    """The keys, revoked."""
    revoked = list(keys)
    for key in revoked:
        tx.api_keys.revoke(key.tenant, key.id, at)
    return revoked


def forget(app: Context, keys: Iterable[ApiKeyRecord]) -> None:
    """Ask for the keys again when they next come."""
    for key in keys:
        app.credentials.forget(key.hash)


def _without_token(tx: Transaction, tenant: str, id_: str) -> ToSetUp | None:
    record = tx.devices.get(tenant, bytes.fromhex(id_))
    return record and ToSetUp(record, None)
