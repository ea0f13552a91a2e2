"""Connections: made with the credentials that their client has a place for, shown once, revoked."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from app.core.model import ZoneLimit
from app.effects.devices import read_address
from app.storage.records import ConnectionRecord
from app.storage.transaction import Transaction

from .connected import Device, Kind, key_lookup, place, serial_lookup
from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once, keyed
from .mistakes import Clash, Invalid, NotFound
from .pages import Page, page
from .passes import PassWish, check_pass

POLLING_WINDOW_S = 5
"""The repeat window that a gate gets with its first camera, unless it has one."""

NOBODY = "-"
"""The holder of a pass that is only the pattern of others."""
_USERNAME = re.compile(r"[ !#-\[\]-~]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class ConnectionWish(NamedTuple):
    """What a new connection shall be. `grants` is the pass of whom its client enrols, whoever that will be."""

    gate: str
    side: str | None
    grants: PassWish | None
    device: Device


class NewConnection(NamedTuple):
    """A connection and its credentials; None where it was made by an earlier request."""

    record: ConnectionRecord
    credentials: Mapping[str, str] | None


async def create_connection(
    app: Context, caller: Caller, kind: Kind, wish: ConnectionWish, retry: Retry | None
) -> NewConnection:
    """Make a connection. Raises `Invalid`, `NotFound`, and `Clash` where its device's serial number is in use."""
    wish = wish._replace(device=_checked_device(app, kind, wish.device))

    def make(tx: Transaction) -> tuple[str, NewConnection]:
        gate = tx.gates.get(caller.tenant, wish.gate)
        if gate is None:
            raise NotFound("gate")
        if gate.direction == "both" and wish.side is None:
            raise Invalid("side", "At a gate for both directions, say on which side the client is: entry or exit.")
        if wish.side is not None and gate.direction not in (wish.side, "both"):
            raise Invalid("side", "The gate has not this direction.")
        if kind.polls and gate.repeat_window_s == 0:
            tx.gates.change(caller.tenant, gate.id, {"repeat_window_s": POLLING_WINDOW_S})
        grants = wish.grants or PassWish(NOBODY, False, (gate.id,), (), None, None, None)
        check_pass(tx, caller.tenant, grants)
        made = _add(app, tx, caller.tenant, kind, wish._replace(grants=grants))
        return made.record.id.hex(), made

    def find(tx: Transaction, id_: str) -> NewConnection | None:
        record = tx.connections.get(caller.tenant, bytes.fromhex(id_))
        return record and NewConnection(record, None)

    return await create_once(app, caller, keyed(app, retry), make, find)


async def list_connections(app: Context, caller: Caller, after: bytes | None, limit: int) -> Page[ConnectionRecord]:
    """The tenant's connections that are not revoked, newest first."""
    return await app.store.read(
        lambda tx: page(lambda count: tx.connections.page(caller.tenant, after, count), lambda each: each.id, limit)
    )


async def get_connection(app: Context, caller: Caller, id_: bytes) -> ConnectionRecord:
    """The connection. Raises `NotFound`, also for a revoked one."""
    record = await app.store.read(lambda tx: tx.connections.get(caller.tenant, id_))
    if record is None or record.revoked_at is not None:
        raise NotFound("connection")
    return record


async def revoke_connection(app: Context, caller: Caller, id_: bytes) -> None:
    """Refuse its client: here at once, in every other process within two seconds. The passes that it made stay."""
    now = app.clock.now()

    def work(tx: Transaction) -> ConnectionRecord:
        record = tx.connections.get(caller.tenant, id_)
        if record is None:
            raise NotFound("connection")
        tx.connections.revoke(caller.tenant, id_, now)
        return record

    app.connections.forget(await app.store.write(work))


def granted(grants: str, holder: str) -> PassWish:
    """The pass that a connection's client gives to a holder whom it enrols."""
    fields: dict[str, Any] = json.loads(grants)
    fields["zone_limits"] = tuple(ZoneLimit(*limit) for limit in fields["zone_limits"])
    return PassWish(holder=holder, **fields)


def _add(app: Context, tx: Transaction, tenant: str, kind: Kind, wish: ConnectionWish) -> NewConnection:
    id_, now, device = app.new_id(), app.clock.now(), wish.device
    key, secret = kind.key(app.entropy), kind.secret(app.entropy) if kind.secret else ""
    sealed = None
    if secret or device.password:
        opened = json.dumps({"secret": secret, "password": device.password})
        sealed = app.master_key.seal(opened.encode(), place(tenant, id_), app.entropy)
    where = {name: value for name, value in device._asdict().items() if value is not None and name != "password"}
    record = ConnectionRecord(
        tenant=tenant,
        id=id_,
        kind=kind.name,
        gate=wish.gate,
        side=wish.side,
        lookup=key_lookup(kind.name, key),
        serial_lookup=serial_lookup(kind.name, device.serial) if device.serial else None,
        sealed=sealed,
        device=json.dumps(where) if where else None,
        grants=_grants_text(wish.grants),
        created_at=now,
        revoked_at=None,
    )
    if not tx.connections.insert(record):
        raise Clash("serial_taken", "There is a connection for a device with that serial number.")
    tx.enrolments.add_collection(tenant, id_, kind.collection, now)
    return NewConnection(record, kind.credentials(key, secret))


def _grants_text(wish: PassWish | None) -> str:
    fields = wish._asdict() if wish else {}
    fields.pop("holder", None)
    return json.dumps(fields)


def _checked_device(app: Context, kind: Kind, device: Device) -> Device:
    """The device, which can be called if it has to be, and is one of those that the operator allows."""
    if device.output is not None and device.output not in kind.outputs:
        known = f"one of: {', '.join(kind.outputs)}" if kind.outputs else "none for this kind"
        raise Invalid("device.output", f"Give {known}.")
    if not kind.calls_device:
        if device.url or device.username or device.password:
            raise Invalid("device", "Devices of this kind are not called: leave out url, username and password.")
        return device
    if not (device.url and device.username and device.password):
        raise Invalid("device", "Devices of this kind are called: give url, username and password.")
    if not _USERNAME.fullmatch(device.username):  # HTTP Digest writes it into a header, in quotation marks
        raise Invalid("device.username", "Give ASCII characters without quotation marks and backslashes.")
    if _CONTROL.search(device.password):
        raise Invalid("device.password", "A password has no control characters.")
    try:
        address = read_address(device.url)
    except ValueError:
        raise Invalid("device.url", "Give the device's IP address and nothing behind it: http://192.0.2.10") from None
    if not any(address.ip in network for network in app.network.devices):
        raise Invalid("device.url", "The operator has not allowed devices there: GATEPASS_DEVICE_NETWORKS.")
    return device._replace(url=address.url)
