"""Creating something once, however often the request arrives."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from app.core.token_format import keyed_hash
from app.storage.failures import Conflict
from app.storage.records import IdempotencyRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .mistakes import Clash, NotFound

Record = TypeVar("Record")


class Retry(NamedTuple):
    """An `Idempotency-Key`, and a hash of the request that came with it."""

    key: str
    content: bytes


def keyed(app: Context, retry: Retry | None) -> Retry | None:
    """The same with a keyed hash: a plain one would give away a request with a short number or password in it."""
    return retry and retry._replace(content=keyed_hash(app.keychain.keyring.peppers[-1], ["request", retry.content]))


async def create_once(
    app: Context,
    caller: Caller,
    retry: Retry | None,
    make: Callable[[Transaction], tuple[str, Record]],
    find: Callable[[Transaction, str], Record | None],
) -> Record:
    """What `make` made, just now or for an earlier request under the same key.

    `make` answers the new resource's id and the resource; `find` finds it again by that id. Secrets are not kept, so
    what `find` gives has none. Raises `Clash` where the key came with another request before.
    """
    now = app.clock.now()

    def work(tx: Transaction) -> Record:
        if retry is None:
            return make(tx)[1]
        earlier = tx.idempotency_keys.get(caller.tenant, caller.line, retry.key)
        if earlier is not None:
            if earlier.content != retry.content:
                raise Clash("idempotency_key_reused", "This Idempotency-Key came with another request before.")
            found = find(tx, earlier.resource)
            if found is None:
                raise NotFound("resource any more: what this Idempotency-Key made is gone")
            return found
        resource, made = make(tx)
        record = IdempotencyRecord(retry.content, resource)
        if not tx.idempotency_keys.insert(caller.tenant, caller.line, retry.key, record, now):
            raise Conflict
        return made

    try:
        return await app.store.write(work)
    except Conflict:
        return await app.store.write(work)
    except Clash:
        if retry is None:
            raise
        return await app.store.write(work)  # what is in the way may be what the same request made just now
