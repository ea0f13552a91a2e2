"""The engines: the settings on which durability rests are asserted, and what has to be locked is."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import Connection, select

from app.storage.engines import POSTGRESQL, SQLITE
from app.storage.tables import budgets
from app.storage.transaction import Transaction
from tests.storage.conftest import build, opened
from tests.storage.database import Database
from tests.storage.world import World

KEYS = [("acme", "number", "1000")]


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_sqlite_writes_ahead_syncs_fully_and_checks_foreign_keys(sqlite_url: str) -> None:
    with opened(sqlite_url) as database:
        for _ in range(2):  # the second time from the pool
            with database.connections.connect() as connection:
                assert pragma(connection, "journal_mode") == "wal"
                assert pragma(connection, "synchronous") == 2
                assert pragma(connection, "foreign_keys") == 1
        assert Path(sqlalchemy.make_url(sqlite_url).database or "").with_suffix(".db-wal").exists()


def test_a_database_that_cannot_write_ahead_is_refused() -> None:
    database = SQLITE.open(sqlalchemy.make_url("sqlite:///:memory:"), timeout_s=1)
    with pytest.raises(RuntimeError, match="SQLite would not set journal_mode to wal"):
        database.connect()
    database.dispose()


def test_every_sqlite_transaction_that_may_write_begins_immediate(sqlite_url: str) -> None:
    with opened(sqlite_url) as database, database.connections.connect() as connection:
        with connection.begin():
            connection.execute(sqlalchemy.text("SELECT 1"))
            other = sqlite3.connect(sqlalchemy.make_url(sqlite_url).database or "", timeout=0, isolation_level=None)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            assert other.execute("SELECT count(*) FROM tenants").fetchone() == (0,)
        other.execute("BEGIN IMMEDIATE")
        other.close()


def test_postgresql_reads_committed_within_time_limits(postgresql_url: str) -> None:
    database = POSTGRESQL.open(sqlalchemy.make_url(postgresql_url), timeout_s=1.5)
    with database.connect() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("transaction_isolation", "statement_timeout", "lock_timeout", "timezone")
        }
    database.dispose()
    assert shown == {
        "transaction_isolation": "read committed",
        "statement_timeout": "1500ms",
        "lock_timeout": "1500ms",
        "timezone": "UTC",
    }


@contextmanager
def two_connections(database: Database) -> Iterator[tuple[Connection, Connection]]:
    with database.connections.connect() as one, database.connections.connect() as other:
        yield one, other


def end(connection: Connection) -> None:
    """Take back what was done, also what SQLAlchemy knows nothing of."""
    connection.connection.rollback()
    connection.rollback()


def keep(connection: Connection) -> None:
    """Commit what was done, also what SQLAlchemy knows nothing of."""
    connection.connection.commit()
    connection.rollback()


def waits(connection: Connection, work: threading.Thread) -> bool:
    """Whether the connection's backend waits for a lock, once its work has begun."""
    watching = psycopg.connect(connection.engine.url.set(drivername="postgresql").render_as_string(False))
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    for _ in range(200):
        [waiting] = watching.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
            [driver.info.backend_pid],
        ).fetchone() or [0]
        watching.rollback()
        if waiting or not work.is_alive():
            break
        time.sleep(0.01)
    watching.close()
    return bool(waiting)


def test_a_pass_is_held_from_the_facts_to_the_commit(postgresql_url: str) -> None:
    with opened(postgresql_url) as database, two_connections(database) as (one, other):
        world = build(database, "acme")
        for token in world.tokens[:3]:  # by its id, by its lookup: the same pass
            lookup = None if token.presented.token else token.presented.lookups[0]
            POSTGRESQL.lock_passes(one, [("acme", None if lookup else token.id, lookup)], [])
            locking = threading.Thread(
                target=Transaction(other, POSTGRESQL).passes.lock, args=("acme", b"pass  0000000000")
            )
            locking.start()
            assert waits(other, locking)
            end(one)
            locking.join(5)
            assert not locking.is_alive()
            end(other)


def test_passes_are_locked_in_one_order_whatever_the_order_of_arrival(postgresql_url: str) -> None:
    with opened(postgresql_url) as database, two_connections(database) as (one, other):
        world = build(database, "acme")
        first, last = world.tokens[0].id, world.tokens[20].id
        for _ in range(5):
            POSTGRESQL.lock_passes(one, [("acme", first, None)], [])
            locking = threading.Thread(
                target=POSTGRESQL.lock_passes, args=(other, [("acme", last, None), ("acme", first, None)], [])
            )
            locking.start()
            assert waits(other, locking)
            POSTGRESQL.lock_passes(
                one, [("acme", last, None)], []
            )  # would be a deadlock, had it taken the last one first
            end(one)
            locking.join(5)
            assert not locking.is_alive()
            end(other)


@pytest.mark.parametrize("there", [False, True], ids=["a budget not there yet", "a budget that is there"])
def test_a_budget_is_held_whether_it_is_there_or_not(postgresql_url: str, there: bool) -> None:  # noqa: FBT001
    with opened(postgresql_url) as database, two_connections(database) as (one, other):
        build(database, "acme")
        if there:
            with database.writing() as connection:
                POSTGRESQL.lock_budgets(connection, KEYS)
        POSTGRESQL.lock_budgets(one, KEYS)
        locking = threading.Thread(target=POSTGRESQL.lock_budgets, args=(other, KEYS))
        locking.start()
        assert waits(other, locking)
        keep(one)
        locking.join(5)
        assert not locking.is_alive()


def test_a_budget_that_is_being_cleared_is_held_by_one_only(postgresql_url: str) -> None:
    with opened(postgresql_url) as database, two_connections(database) as (one, other):
        build(database, "acme")
        with database.writing() as connection:
            POSTGRESQL.lock_budgets(connection, KEYS)
        with database.connections.connect() as desk:
            Transaction(desk, POSTGRESQL).budgets.clear("acme", 1000)
            both = [threading.Thread(target=POSTGRESQL.lock_budgets, args=(each, KEYS)) for each in (one, other)]
            for each, locking in zip((one, other), both, strict=True):
                locking.start()
                assert waits(each, locking)
            keep(desk)
        both[0].join(0.3)
        both[1].join(0.3)
        assert [locking.is_alive() for locking in both].count(True) == 1
        holding, waiting = (one, other) if both[1].is_alive() else (other, one)
        keep(holding)
        for locking in both:
            locking.join(5)
        assert not any(locking.is_alive() for locking in both)
        keep(waiting)


def test_clearing_a_budget_leaves_the_others(database: Database, world: World) -> None:
    keys = [("acme", "number", "1000"), ("acme", "number", "1001"), ("acme", "gate", "1000")]
    with database.writing() as connection:
        for tenant, kind, name in keys:
            connection.execute(budgets.insert().values(tenant=tenant, kind=kind, name=name, day=5, spent=7, last_at=9))
    with database.writing() as connection:
        Transaction(connection, database.engine).budgets.clear("acme", 1000)
    spent = database.rows(select(budgets.c.kind, budgets.c.name).where(budgets.c.spent > 0))
    assert sorted(spent) == [("gate", "1000"), ("number", "1001")]
