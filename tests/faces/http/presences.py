"""Who is inside, written as the ledger writes it, for tests that are about something else than going in."""

from functools import partial

import sqlalchemy

from app.core.ids import parse
from app.storage.tables import presences, zones
from app.storage.transaction import Transaction
from tests.service import Service


async def tenant_of(service: Service) -> str:
    caller = await service.context.credentials.authenticate(service.key)
    assert caller is not None
    return caller.tenant


async def enter(service: Service, holder: str, *into: str, people: int = 1) -> None:
    """Have the holder and their party inside the zones, and counted there."""
    tenant, now = await tenant_of(service), service.clock.now()
    for zone in into:
        row = {"tenant": tenant, "holder": parse("hold", holder), "zone": zone, "people": people, "since": now}
        here = sqlalchemy.and_(zones.c.tenant == tenant, zones.c.id == zone)
        count = sqlalchemy.update(zones).where(here).values(people=zones.c.people + people, people_at=now)
        for statement in (sqlalchemy.insert(presences).values(**row), count):
            await service.context.store.write(partial(_execute, statement))


def _execute(statement: sqlalchemy.Executable, tx: Transaction) -> None:
    tx.presences._connection.execute(statement)


async def inside(service: Service, holder: str) -> dict[str, int]:
    """What is kept of where the holder is: people by zone."""
    tenant = await tenant_of(service)
    kept = sqlalchemy.select(presences.c.zone, presences.c.people).where(
        presences.c.tenant == tenant, presences.c.holder == parse("hold", holder)
    )
    return await service.context.store.read(
        lambda tx: {row.zone: row.people for row in tx.presences._connection.execute(kept)}
    )
