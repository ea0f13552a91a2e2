"""Forgetting what is no longer needed: what made retries safe, and where people were who have left."""

from app.core.model import DAY

from .context import Context

KEPT = 30 * DAY
"""How long a request id or an idempotency key gives the first answer again."""


async def purge(app: Context) -> None:
    """Forget request ids and idempotency keys older than 30 days, and in which zones people were who are outside."""
    before = app.clock.now() - KEPT
    await app.store.write(lambda tx: tx.idempotency_keys.purge(before))
    await app.store.write(lambda tx: tx.presences.purge())
