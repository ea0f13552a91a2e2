"""What settling reads and writes is found through indexes: it costs the same on a large database."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.storage.conftest import opened
from tests.storage.database import Database

from app.core.model import Claims, Token
from app.storage.bulk import BulkRead, BulkWrite
from app.storage.engines import POSTGRESQL, SQLITE
from app.storage.facts import FactsLoader, _wanted
from app.storage.recorder import Recorder
from app.storage.request_ids import RequestIds
from tests.storage.world import NOW, World

ROWS = 20_000
LARGE = {"tokens", "passes", "holders", "redemptions", "verifications", "request_ids"}

# Ids are the digits of a number: 16 bytes on both engines.
_NUMBERS = {
    "sqlite": (
        f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}),"
        " ids (n, id) AS (SELECT n, CAST(printf('%016d', n) AS BLOB) FROM numbers) "
    ),
    "postgresql": (
        "WITH ids (n, id) AS (SELECT n, convert_to(lpad(n::text, 16, '0'), 'UTF8')"
        f" FROM generate_series(1, {ROWS}) AS numbers (n)) "
    ),
}
_FILLED = {
    "holders": "('acme', id, 'emp-' || n, 1000 + n, NULL, NULL, 0)",
    "passes": "('acme', id, n, id, '{\"gates\": \"all\", \"zones\": []}', NULL, NULL, 10, 0, 'active', NULL, 0, 0)",
    "tokens": "('acme', id, 'short', id, id, 1, NULL, 0, 9999999999999999, NULL, {false}, 0, NULL)",
    "redemptions": "('acme', id, 1, id, 0, 'door', id, 'entry', 0, NULL)",
    "verifications": "('acme', id, n, 0, 0, 'door', 'entry', 'admit', 'ok', '', 'short', id, id, id, id, 'r' || n)",
    "request_ids": "('acme', id, 'r' || n, id, id, 0, 0)",
}


@pytest.fixture(scope="module")
def large_sqlite(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Any) -> Iterator[Database]:
    copy = tmp_path_factory.mktemp("large") / "large.db"
    copy.write_bytes(migrated_sqlite.read_bytes())
    with opened(f"sqlite:///{copy}") as database:
        fill(database)
        yield database


@pytest.fixture(scope="module")
def large_postgresql(postgresql_server: Any, migrated_postgresql: str) -> Iterator[Database]:
    postgresql_server.execute(f"CREATE DATABASE large TEMPLATE {migrated_postgresql}")
    with opened(postgresql_server.url("large")) as database:
        fill(database)
        yield database
    postgresql_server.execute("DROP DATABASE large WITH (FORCE)")


def fill(database: Database) -> None:
    """20,000 of everything that grows, and up-to-date statistics."""
    engine = "sqlite" if database.is_sqlite else "postgresql"
    false = "0" if database.is_sqlite else "false"
    with database.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO tenants (id, time_zone, epoch, next_number, idx_block, idx_drawn, created_at)"
            " VALUES ('acme', 'UTC', 0, 1000, 0, " + ("x'00'" if database.is_sqlite else "'\\x00'") + ", 0)"
        )
        for table, values in _FILLED.items():
            columns = values.replace("{false}", false).strip("()")
            connection.exec_driver_sql(
                f"{_NUMBERS[engine]} INSERT INTO {table} SELECT {columns} FROM ids"
                if not database.is_sqlite
                else f"INSERT INTO {table} {_NUMBERS[engine]} SELECT {columns} FROM ids"
            )
        connection.exec_driver_sql("ANALYZE")


def statements(engine: Any, count: int) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Every statement of settling over `count` rows: its name, its text, its parameters."""
    world = World("acme")
    ids = [f"{n * 97:016}".encode() for n in range(1, count + 1)]
    attempts = [
        world.attempt(Claims("signed", (id_,), Token(id_, "signed", 0, NOW), n), request_id=f"r{n}")
        if n % 2
        else world.attempt(Claims("short", (id_,)))
        for n, id_ in enumerate(ids)
    ]
    wanted = list(_wanted(attempts))
    request_ids, recorder = RequestIds(engine), Recorder(engine)
    keys = [("acme", id_, f"r{n}") for n, id_ in enumerate(ids)]
    work: list[tuple[str, BulkRead | BulkWrite, list[tuple[Any, ...]]]] = [
        ("presented", FactsLoader(engine)._presented, [tuple(row) for row in wanted]),
        ("first answers", request_ids._load, keys),
        ("replayed", request_ids._replayed, keys),
        ("entries", recorder._count_entries, [("acme", id_, 1) for id_ in ids]),
        ("repeats", recorder._repeat, [("acme", id_, 1, 1) for id_ in ids]),
    ]
    if engine is POSTGRESQL:
        work.append(("locks", POSTGRESQL._lock_passes, [(row[1], row[3], row[4]) for row in wanted]))
    for name, bulk, rows in work:
        yield name, *engine.with_incoming(bulk._columns, rows, bulk._statement)


@pytest.mark.parametrize("count", [1, 128])
def test_sqlite_scans_no_large_table(large_sqlite: Database, count: int) -> None:
    for name, sql, parameters in statements(SQLITE, count):
        with large_sqlite.connections.connect() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        searched = {step.split()[1] for step in plan if step.startswith("SEARCH")}
        assert searched, name
        for step in plan:
            kind, _, rest = step.partition(" ")
            assert kind != "SCAN" or rest.split()[0] not in large_names(sql), f"{name}: {plan}"


def large_names(sql: str) -> set[str]:
    """The large tables, and the names that the statement gives them."""
    return LARGE | {f"{table}_{n}" for table in LARGE for n in range(1, 5)}


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("count", [1, 128])
def test_postgresql_scans_no_large_table(large_postgresql: Database, count: int, plan: str) -> None:
    for name, sql, parameters in statements(POSTGRESQL, count):
        with large_postgresql.connections.connect() as connection:
            connection.exec_driver_sql(f"SET plan_cache_mode = {plan}")
            driver: Any = connection.connection.driver_connection
            [explained] = driver.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters, prepare=True).fetchone()
            connection.rollback()
        for node in nodes(explained[0]["Plan"]):
            scanned = node.get("Relation Name") if node["Node Type"] == "Seq Scan" else None
            assert scanned not in LARGE, f"{name}: {json.dumps(explained, indent=1)}"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)
