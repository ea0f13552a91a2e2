"""Forgetting what is no longer needed: what made retries safe, and where people were who have left."""

from collections import defaultdict

from app.core.model import DAY
from app.storage.transaction import Transaction

from .context import Context

KEPT = 30 * DAY
"""How long a request id or an idempotency key gives the first answer again."""


async def purge(app: Context) -> None:
    """Forget request ids and idempotency keys older than 30 days, and first proofs whose second never came.

    And where people were who left a day ago, or who were counted before the latest nightly reset.
    """
    now = app.clock.now()
    await app.store.write(lambda tx: tx.idempotency_keys.purge(now - KEPT))
    await app.store.write(lambda tx: tx.reservations.purge(now - DAY))
    await app.store.write(lambda tx: _purge_presences(app, tx, now))


def _purge_presences(app: Context, tx: Transaction, now: int) -> None:
    tx.presences.purge(now - DAY)  # a kiosk may still tell of somebody who came in before they left
    resets: defaultdict[tuple[str, int], list[str]] = defaultdict(list)  # most zones of a tenant have the same
    for tenant, zone, resets_at, time_zone in tx.zones.that_reset():
        resets[tenant, app.calendar.last_reset(resets_at, time_zone, now)].append(zone)
    for (tenant, reset_at), zones in resets.items():
        tx.presences.purge_older(tenant, zones, reset_at)
