"""Reading and writing through the store: one transaction each, all of it or nothing."""

import asyncio
import threading
import time

import pytest
import sqlalchemy

from app.effects.calendar import ZoneInfoCalendar
from app.storage.failures import Unavailable
from app.storage.migrate import MIGRATIONS
from app.storage.records import GateRecord, TenantRecord
from app.storage.sql_store import SqlStore, engine_of
from app.storage.transaction import Transaction
from tests.storage.database import Database
from tests.storage.world import NOW

REVISIONS = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
ACME = TenantRecord("acme", "UTC", 0, NOW)


def gate(id_: str) -> GateRecord:
    return GateRecord(id_, "a gate", "entry", None, None, 0, NOW)


async def test_what_was_written_is_read(store: SqlStore) -> None:
    assert await store.write(lambda tx: tx.tenants.insert(ACME)) is True
    assert await store.read(lambda tx: tx.tenants.get("acme")) == ACME
    assert await store.read(lambda tx: tx.tenants.get("umbrella")) is None


async def test_what_was_written_is_there_for_other_connections(store: SqlStore, database: Database) -> None:
    await store.write(lambda tx: tx.tenants.insert(ACME))
    assert database.column("SELECT id FROM tenants") == ["acme"]


async def test_an_exception_undoes_everything(store: SqlStore, database: Database) -> None:
    def work(tx: Transaction) -> None:
        tx.tenants.insert(ACME)
        tx.gates.insert("acme", gate("door"))
        raise LookupError("in the middle")

    with pytest.raises(LookupError, match="in the middle"):
        await store.write(work)
    assert database.rows("SELECT id FROM tenants") == []
    assert database.rows("SELECT id FROM gates") == []
    await store.write(lambda tx: tx.tenants.insert(ACME))


async def test_a_refusal_of_the_database_undoes_everything(store: SqlStore, database: Database) -> None:
    def work(tx: Transaction) -> None:
        tx.tenants.insert(ACME)
        tx.gates.insert("nobody's", gate("door"))

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await store.write(work)
    assert database.rows("SELECT id FROM tenants") == []


async def test_two_writes_at_once_both_happen(store: SqlStore) -> None:
    await store.write(lambda tx: tx.tenants.insert(ACME))
    numbers = await asyncio.gather(*(store.write(lambda tx: tx.tenants.next_number("acme")) for _ in range(20)))
    assert sorted(numbers) == list(range(1000, 1020))


async def test_of_two_writes_of_one_key_one_is_told_that_it_is_taken(store: SqlStore) -> None:
    await store.write(lambda tx: tx.tenants.insert(ACME))
    inserted = await asyncio.gather(*(store.write(lambda tx: tx.gates.insert("acme", gate("door"))) for _ in range(8)))
    assert sorted(inserted) == [False] * 7 + [True]


async def test_a_write_that_raises_leaves_the_others_alone(store: SqlStore) -> None:
    await store.write(lambda tx: tx.tenants.insert(ACME))

    def work(tx: Transaction, id_: str) -> None:
        tx.gates.insert("acme", gate(id_))
        if id_ == "b":
            raise LookupError

    names = ("a", "b", "c")
    results = await asyncio.gather(
        *(store.write(lambda tx, id_=id_: work(tx, id_)) for id_ in names),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), LookupError, type(None)]
    assert [each.id for each in await store.read(lambda tx: tx.gates.page("acme", None, 9))] == ["a", "c"]


async def test_a_reader_sees_nothing_of_a_write_that_is_not_over(store: SqlStore) -> None:
    written, read = threading.Event(), threading.Event()

    def work(tx: Transaction) -> None:
        tx.tenants.insert(ACME)
        written.set()
        assert read.wait(2)

    writing = asyncio.ensure_future(store.write(work))
    await asyncio.to_thread(written.wait, 2)
    meanwhile = await store.read(lambda tx: tx.tenants.get("acme"))
    read.set()
    await writing
    assert meanwhile is None
    assert await store.read(lambda tx: tx.tenants.get("acme")) == ACME


async def test_what_a_reader_raises_is_the_readers_own(store: SqlStore) -> None:
    def work(_tx: Transaction) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await store.read(work)


async def test_a_read_that_takes_too_long_is_unavailable(database: Database) -> None:
    store = SqlStore(database.url, ZoneInfoCalendar(), timeout_s=0.2)
    going_on = threading.Event()
    with pytest.raises(Unavailable):
        await store.read(lambda _: going_on.wait(2))
    with pytest.raises(Unavailable):
        await store.write(lambda _: going_on.wait(2))
    going_on.set()
    await store.close()


@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
async def test_a_read_that_is_cancelled_just_as_it_ends_is_cancelled(store: SqlStore, rounds: int) -> None:
    going_on = threading.Event()
    reading = asyncio.ensure_future(store.read(lambda _: going_on.wait(2)))
    await asyncio.sleep(0.05)
    going_on.set()
    time.sleep(0.05)  # noqa: ASYNC251  the reader has ended, and the event loop does not know it yet
    for _ in range(rounds):
        await asyncio.sleep(0)
    if reading.cancel():
        with pytest.raises(asyncio.CancelledError):
            await reading
    else:
        assert await reading is True


async def test_nothing_is_missing_in_a_migrated_database(store: SqlStore) -> None:
    assert await store.missing() == []


async def test_a_missing_migration_is_named(store: SqlStore, database: Database) -> None:
    database.execute("DELETE FROM alembic_version")
    assert await store.missing() == [f"migration {n} is not applied" for n in REVISIONS]


def test_an_engine_that_gatepass_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no storage engine for mysql: use one of sqlite, postgresql"):
        engine_of(sqlalchemy.make_url("mysql://localhost/gatepass"))
