"""Blocks: the deny list. Whoever or whatever is blocked lets nobody in from the answer on, until it is unblocked.

The passes are held meanwhile, as whoever lets somebody in holds them.
"""

from app.storage.records import HolderRecord, TokenRecord
from app.storage.transaction import Transaction

from .audit import record
from .context import Context
from .credentials import Caller
from .mistakes import NotFound


async def block_holder(app: Context, caller: Caller, id_: bytes, reason: str) -> HolderRecord:
    """Let nobody in as this holder. The first block stays."""
    now = app.clock.now()

    def work(tx: Transaction) -> HolderRecord | None:
        tx.passes.lock_of_holder(caller.tenant, id_)
        if tx.holders.block(caller.tenant, id_, now, reason):
            tx.passes.holder_changed(caller.tenant, id_, now)
            record(app, tx, caller, "holder_blocked", reason=reason, holder=id_)
        return tx.holders.get(caller.tenant, id_)

    return _found(await app.store.write(work))


async def unblock_holder(app: Context, caller: Caller, id_: bytes, reason: str | None) -> HolderRecord:
    """Let the holder's passes count again."""
    now = app.clock.now()

    def work(tx: Transaction) -> HolderRecord | None:
        tx.passes.lock_of_holder(caller.tenant, id_)
        if tx.holders.unblock(caller.tenant, id_):
            tx.passes.holder_changed(caller.tenant, id_, now)
            record(app, tx, caller, "holder_unblocked", reason=reason, holder=id_)
        return tx.holders.get(caller.tenant, id_)

    return _found(await app.store.write(work))


async def block_token(app: Context, caller: Caller, id_: bytes, reason: str) -> TokenRecord:
    """Refuse the token. The first block stays."""
    now = app.clock.now()

    def work(tx: Transaction) -> TokenRecord | None:
        holder = _hold(tx, caller.tenant, id_)
        if tx.tokens.block(caller.tenant, id_, now, reason):
            record(app, tx, caller, "token_blocked", reason=reason, holder=holder, subject=id_)
        return tx.tokens.get(caller.tenant, id_)

    return _found_token(await app.store.write(work))


async def unblock_token(app: Context, caller: Caller, id_: bytes, reason: str | None) -> TokenRecord:
    """Let the token count again, for as long as it lives."""

    def work(tx: Transaction) -> TokenRecord | None:
        holder = _hold(tx, caller.tenant, id_)
        if tx.tokens.unblock(caller.tenant, id_):
            record(app, tx, caller, "token_unblocked", reason=reason, holder=holder, subject=id_)
        return tx.tokens.get(caller.tenant, id_)

    return _found_token(await app.store.write(work))


def _hold(tx: Transaction, tenant: str, token: bytes) -> bytes | None:
    """Hold the token's pass; whose it is."""
    found = tx.tokens.get(tenant, token)
    pass_ = found and tx.passes.lock(tenant, found.pass_)
    return pass_ and pass_.holder


def _found(holder: HolderRecord | None) -> HolderRecord:
    if holder is None:
        raise NotFound("holder")
    return holder


def _found_token(token: TokenRecord | None) -> TokenRecord:
    if token is None:
        raise NotFound("token")
    return token
