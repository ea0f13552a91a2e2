"""Tenants: made by the operator at the command line."""

import re

from app.core.ids import CALLERS_OWN
from app.storage.records import TenantRecord
from app.storage.transaction import Transaction

from .api_keys import NewKey, add_key
from .context import Context
from .mistakes import Clash, Invalid, NotFound
from .time_zones import check_time_zone


async def create_tenant(app: Context, id_: str, time_zone: str) -> NewKey:
    """Make a tenant and its first key, which may do all within it. Raises `Clash` where the name is taken."""
    if not re.fullmatch(CALLERS_OWN, id_):
        raise Invalid("tenant", "A tenant's name is up to 64 of a-z, 0-9, - and _, beginning with a letter or digit.")
    check_time_zone(time_zone)
    tenant = TenantRecord(id_, time_zone, 0, app.clock.now())

    def work(tx: Transaction) -> NewKey:
        if not tx.tenants.insert(tenant):
            raise Clash("tenant_exists", "There is a tenant of that name.")
        return add_key(app, tx, id_, name="first key", scopes=("admin",))

    return await app.store.write(work)


async def raise_epoch(app: Context, id_: str) -> int:
    """Refuse every token issued until now, after a database was restored from a backup. The new epoch."""
    epoch = await app.store.write(lambda tx: tx.tenants.raise_epoch(id_))
    if epoch is None:
        raise NotFound("tenant")
    return epoch
