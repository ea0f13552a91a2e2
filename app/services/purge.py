"""Forgetting what is kept only to make retries safe."""

from app.core.model import DAY

from .context import Context

KEPT = 30 * DAY
"""How long a request id or an idempotency key gives the first answer again."""


async def purge(app: Context) -> None:
    """Forget request ids and idempotency keys older than 30 days."""
    before = app.clock.now() - KEPT
    await app.store.write(lambda tx: tx.idempotency_keys.purge(before))
