"""What a device asks for itself: its first key for a set-up token, the next key, and what it is now.

A device that rolls its key has two good ones until it uses the new one, so that a lost answer strands nobody; then
`last_seen.py` revokes the old one. A new set-up revokes the old ones at once: they may be in somebody else's hands.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.storage.records import ApiKeyRecord, DeviceRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import SCOPES, Caller, hash_secret, looks_like_a_key, new_secret
from .devices import forget, held, revoke_keys
from .mistakes import Clash, Forbidden, NotFound

DEVICE_SCOPES = ("bundles:read", "devices:report", "verifications:create", "verifications:sync")

MOST_UNUSED = 3
"""How many rolled keys stay good beside the one in use: those whose answer was lost."""

_NEWEST_ONLY = "set-up token: it may have been replaced by a newer one, or its device revoked"
_USED = "This set-up token was used before. Ask for a new one: it is good for one device, once."
_EXPIRED = "This set-up token has expired. Ask for a new one: it is good for 30 minutes."


class Initialized(NamedTuple):
    """A device that was set up, and its key."""

    record: DeviceRecord
    secret: str


async def initialize(app: Context, token: str, name: str | None, software: str | None) -> Initialized:
    """Exchange a set-up token for a device's key. Raises `NotFound`, and `Clash` for a token that was used or expired.

    Whoever calls is not known, so the token is looked at without the right to write before it is spent.
    """
    if not looks_like_a_key(token):
        raise NotFound(_NEWEST_ONLY)
    setup = hash_secret(token)
    said = {key: value for key, value in {"name": name, "software": software}.items() if value is not None}
    await app.store.read(lambda tx: _usable(app, tx, setup))

    def work(tx: Transaction) -> tuple[Initialized, list[ApiKeyRecord]]:
        now = app.clock.now()
        if not tx.devices.use_setup(setup, now):
            _usable(app, tx, setup)  # says what is wrong
            raise Clash("setup_used", _USED)
        record = tx.devices.by_setup(setup)
        if record is None or tx.gates.get(record.tenant, record.gate) is None:
            raise NotFound("gate any more: move the device to another, and then use this set-up token")
        if said:
            tx.devices.change(record.tenant, record.id, said)
        revoked = revoke_keys(tx, tx.api_keys.of_device(record.tenant, record.id), now)
        return Initialized(record, _add_key(app, tx, record, revoked)), revoked

    made, revoked = await app.store.write(work)
    forget(app, revoked)
    return made


async def roll(app: Context, caller: Caller) -> str:
    """The device's next key. The one that it called with is good until the next one is used."""
    device = _device(caller)

    def work(tx: Transaction) -> tuple[str, list[ApiKeyRecord]]:
        record = held(tx, caller.tenant, device)
        keys = tx.api_keys.of_device(caller.tenant, device)
        if all(key.id != caller.id for key in keys):
            raise Forbidden("This key was revoked.")
        surplus = [key for key in keys if key.id != caller.id][MOST_UNUSED - 1 :]
        secret = _add_key(app, tx, record, keys)
        return secret, revoke_keys(tx, surplus, app.clock.now())

    secret, revoked = await app.store.write(work)
    forget(app, revoked)
    return secret


async def report(app: Context, caller: Caller, said: Mapping[str, Any]) -> DeviceRecord:
    """Keep what the device says of itself, by columns, and tell it what it is now.

    Raises `NotFound` where its gate is gone; what it said is kept even then.
    """
    device = _device(caller)

    def work(tx: Transaction) -> tuple[DeviceRecord, bool]:
        record = held(tx, caller.tenant, device)
        values = {**said, "last_seen_at": max(app.clock.now(), record.last_seen_at or 0)}
        tx.devices.change(caller.tenant, device, values)
        return record._replace(**values), tx.gates.get(caller.tenant, record.gate) is not None

    record, has_gate = await app.store.write(work)
    if not has_gate:
        raise NotFound("gate any more: the device has to be moved to another")
    return record


def _usable(app: Context, tx: Transaction, setup: bytes) -> None:
    """Raises what is wrong with a set-up token."""
    record = tx.devices.by_setup(setup)
    if record is None:
        raise NotFound(_NEWEST_ONLY)
    if record.setup_used_at is not None:
        raise Clash("setup_used", _USED)
    if record.setup_expires_at <= app.clock.now():
        raise Clash("setup_expired", _EXPIRED)


def _add_key(app: Context, tx: Transaction, device: DeviceRecord, others: list[ApiKeyRecord]) -> str:
    """A new key of the device, younger than the others even where another machine's clock is ahead."""
    secret, now = new_secret("device", app.entropy), app.clock.now()
    tx.api_keys.insert(
        ApiKeyRecord(
            tenant=device.tenant,
            id=app.new_id(),
            root=device.id,
            hash=hash_secret(secret),
            name=device.name,
            scopes=" ".join(scope for scope in SCOPES if scope in DEVICE_SCOPES),
            gate=device.gate,
            side=device.side,
            created_at=max([now, *(key.created_at + 1 for key in others)]),
            expires_at=None,
            revoked_at=None,
            device=device.id,
        )
    )
    return secret


def _device(caller: Caller) -> bytes:
    if caller.device is None:
        raise Forbidden("Only a device may do this, with its own key.")
    return caller.device
