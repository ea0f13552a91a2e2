"""Revoking a token, before it expires by itself."""

from app.storage.records import TokenRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .mistakes import NotFound


async def revoke_token(app: Context, caller: Caller, id_: bytes) -> TokenRecord:
    """Refuse the token from the answer on: its pass is held meanwhile, as whoever lets somebody in holds it."""
    now = app.clock.now()

    def work(tx: Transaction) -> TokenRecord | None:
        token = tx.tokens.get(caller.tenant, id_)
        if token is None:
            return None
        tx.passes.lock(caller.tenant, token.pass_)
        tx.tokens.revoke(caller.tenant, id_, now)
        return tx.tokens.get(caller.tenant, id_)

    token = await app.store.write(work)
    if token is None:
        raise NotFound("token")
    return token
