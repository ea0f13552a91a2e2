"""What the tests of storage share: a database to look into, a ledger on one connection, a store."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from app.effects.calendar import ZoneInfoCalendar
from app.storage.attempt import Attempt, Settled, Unsettled
from app.storage.ledger import Ledger
from app.storage.sql_store import SqlStore
from app.storage.transaction import Transaction
from tests.storage.database import Database
from tests.storage.records import ACME
from tests.storage.world import World

Settle = Callable[[Sequence[Attempt]], list[Settled | Unsettled]]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database on each engine."""
    with opened(database_url) as database:
        yield database


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database, let go of at the end."""
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connections.connect() as connection:
        yield connection


@pytest.fixture
def tx(connection: Connection, database: Database) -> Transaction:
    """A transaction on a database with the tenants `acme` and `umbrella`."""
    tx = Transaction(connection, database.engine)
    assert tx.tenants.insert(ACME)
    assert tx.tenants.insert(ACME._replace(id="umbrella"))
    return tx


@pytest.fixture
def world(database: Database) -> World:
    """The tenant `acme`."""
    return build(database, "acme")


@pytest.fixture
def settle(database: Database) -> Settle:
    """Settles a batch in one transaction on one connection."""
    return settler_of(database)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[SqlStore]:
    """A store, as the service uses it."""
    store = SqlStore(database.url, ZoneInfoCalendar(), timeout_s=3.0)
    yield store
    await store.close()


def build(database: Database, tenant: str) -> World:
    """A tenant with all that the tests present."""
    world = World(tenant)
    with database.writing() as connection:
        world.build(connection, database.engine)
    return world


def settler_of(database: Database) -> Settle:
    """Settles a batch in one transaction on one connection."""
    ledger = Ledger(database.engine, ZoneInfoCalendar())
    with database.connections.connect() as connection:
        ledger.begin(connection)

    def settle(attempts: Sequence[Attempt]) -> list[Settled | Unsettled]:
        with database.writing() as connection:
            return ledger.settle(connection, attempts)

    return settle
