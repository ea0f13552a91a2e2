"""Holders: people who enter, known by the caller's own ref."""

from app.storage.records import HolderRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once
from .mistakes import Clash, NotFound
from .pages import Page, page

LONGEST_REF = 128


def is_ref(text: str) -> bool:
    """Whether a holder could be known by it: 1 to 128 characters, none of them a control character."""
    return 0 < len(text) <= LONGEST_REF and not any(ord(each) < 32 or ord(each) == 127 for each in text)


async def create_holder(
    app: Context, caller: Caller, *, ref: str, name: str | None, retry: Retry | None
) -> HolderRecord:
    """Make a holder. Raises `Clash` where the ref is taken."""

    def make(tx: Transaction) -> tuple[str, HolderRecord]:
        holder = add_holder(app, tx, caller.tenant, ref, name)
        if holder is None:
            raise Clash("holder_exists", "There is a holder with that ref.")
        return holder.id.hex(), holder

    def find(tx: Transaction, id_: str) -> HolderRecord | None:
        return tx.holders.get(caller.tenant, bytes.fromhex(id_))

    return await create_once(app, caller, retry, make, find)


def add_holder(app: Context, tx: Transaction, tenant: str, ref: str, name: str | None) -> HolderRecord | None:
    """A new holder with the tenant's next number; None where the ref is taken."""
    if tx.holders.by_ref(tenant, ref) is not None:
        return None
    number = tx.tenants.next_number(tenant)
    holder = HolderRecord(app.new_id(), ref, number, name, None, app.clock.now())
    return holder if tx.holders.insert(tenant, holder) else None


async def get_holder(app: Context, caller: Caller, id_: bytes) -> HolderRecord:
    """The holder. Raises `NotFound`."""
    holder = await app.store.read(lambda tx: tx.holders.get(caller.tenant, id_))
    if holder is None:
        raise NotFound("holder")
    return holder


async def list_holders(
    app: Context, caller: Caller, after: bytes | None, limit: int, *, ref: str | None
) -> Page[HolderRecord]:
    """The tenant's holders, newest first, or the one with that ref."""
    return await app.store.read(
        lambda tx: page(
            lambda count: tx.holders.page(caller.tenant, after, count, ref=ref),
            lambda holder: holder.id,
            limit,
        )
    )


async def clear_budget(app: Context, caller: Caller, id_: bytes) -> HolderRecord:
    """Forget the wrong codes tried for this holder's number, so that a code is looked at again: the desk's part."""

    def work(tx: Transaction) -> HolderRecord | None:
        holder = tx.holders.get(caller.tenant, id_)
        if holder is not None:
            tx.budgets.clear(caller.tenant, holder.number)
        return holder

    holder = await app.store.write(work)
    if holder is None:
        raise NotFound("holder")
    return holder
