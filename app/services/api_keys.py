"""API keys: made with a name and scopes, shown once, revoked."""

from collections.abc import Sequence
from typing import NamedTuple

from app.storage.records import ApiKeyRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import SCOPES, Caller, hash_secret, new_secret
from .idempotency import Retry, create_once
from .mistakes import Invalid, NotFound
from .pages import Page, page

GATE_SCOPE = "verifications:create"


class NewKey(NamedTuple):
    """A key and its secret; the secret is None where the key was made by an earlier request."""

    record: ApiKeyRecord
    secret: str | None


class KeyWish(NamedTuple):
    """What a new key shall be."""

    name: str
    scopes: Sequence[str]
    gate: str | None = None
    side: str | None = None
    expires_at: int | None = None


async def create_key(app: Context, caller: Caller, wish: KeyWish, retry: Retry | None) -> NewKey:
    """Make a key in the caller's tenant. A key bound to a gate may verify there and nothing else."""
    if unknown := set(wish.scopes) - set(SCOPES):
        raise Invalid("scopes", f"{len(unknown)} of the scopes do not exist. There are: {', '.join(SCOPES)}.")
    if wish.gate is not None and set(wish.scopes) != {GATE_SCOPE}:
        raise Invalid("scopes", f"A key bound to a gate has the scope {GATE_SCOPE} and no other.")
    if wish.side is not None and wish.gate is None:
        raise Invalid("side", "Only a key bound to a gate has a side.")
    if wish.expires_at is not None and wish.expires_at <= app.clock.now():
        raise Invalid("expires_at", "A key cannot have expired already.")

    def make(tx: Transaction) -> tuple[str, NewKey]:
        if wish.gate is not None:
            gate = tx.gates.get(caller.tenant, wish.gate)
            if gate is None:
                raise NotFound("gate")
            if wish.side is not None and gate.direction not in (wish.side, "both"):
                raise Invalid("side", "The gate has not this direction.")
        made = add_key(app, tx, caller.tenant, **wish._asdict())
        return made.record.id.hex(), made

    def find(tx: Transaction, id_: str) -> NewKey | None:
        record = tx.api_keys.get(caller.tenant, bytes.fromhex(id_))
        return record and NewKey(record, None)

    return await create_once(app, caller, retry, make, find)


def add_key(
    app: Context,
    tx: Transaction,
    tenant: str,
    *,
    name: str,
    scopes: Sequence[str],
    gate: str | None = None,
    side: str | None = None,
    expires_at: int | None = None,
) -> NewKey:
    """Store a new key."""
    kind = "gate" if gate is not None else "admin" if "admin" in scopes else "key"
    secret = new_secret(kind, app.entropy)
    id_ = app.new_id()
    in_order = " ".join(scope for scope in SCOPES if scope in scopes)
    record = ApiKeyRecord(
        tenant, id_, id_, hash_secret(secret), name, in_order, gate, side, app.clock.now(), expires_at, None
    )
    tx.api_keys.insert(record)
    return NewKey(record, secret)


async def list_keys(app: Context, caller: Caller, after: bytes | None, limit: int) -> Page[ApiKeyRecord]:
    """The tenant's keys that are not revoked and no device's, newest first."""
    return await app.store.read(
        lambda tx: page(lambda count: tx.api_keys.page(caller.tenant, after, count), lambda key: key.id, limit)
    )


async def revoke_key(app: Context, caller: Caller, id_: bytes) -> None:
    """Refuse the key: here at once, in every other process within two seconds. A device's goes with the device."""
    now = app.clock.now()

    def work(tx: Transaction) -> bytes:
        record = tx.api_keys.get(caller.tenant, id_)
        if record is None or record.device is not None:
            raise NotFound("API key")
        tx.api_keys.revoke(caller.tenant, id_, now)
        return record.hash

    app.credentials.forget(await app.store.write(work))
