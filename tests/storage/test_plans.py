"""What settling reads and writes is found through indexes: it costs the same on a large database."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.core.decision import Outcome
from app.core.model import Claims, Token
from app.effects.calendar import ZoneInfoCalendar
from app.storage.attempt import Attempt, Reported
from app.storage.ledger import Ledger
from tests.postgres import PostgresServer
from tests.storage.conftest import opened
from tests.storage.database import Database
from tests.storage.world import KIOSK, NOW, World, wrong_code

ROWS = 20_000
LARGE = (
    *("tokens", "passes", "holders", "redemptions", "verifications", "request_ids", "credentials", "undos"),
    *("presences", "reservations"),
)
Statement = tuple[str, tuple[Any, ...]]

# Ids are the digits of a number: 16 bytes on both engines. A third of the tokens was used at the camera just now.
_NUMBERS = {
    True: (
        f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}),"
        " ids (n, id) AS (SELECT n, CAST(printf('%016d', n) AS BLOB) FROM numbers)"
    ),
    False: (
        "WITH ids (n, id) AS (SELECT n, convert_to(lpad(n::text, 16, '0'), 'UTF8')"
        f" FROM generate_series(1, {ROWS}) AS numbers (n))"
    ),
}
_LIMITS = '{"max_entries_per_day": 9, "min_interval_s": 1}'
_COLUMNS = {
    "holders": "'acme', id, 'emp-' || n, 1000 + n, NULL, NULL, 0, NULL, NULL",
    "passes": f"'acme', id, n, id, '{{{{\"gates\": \"all\", \"zones\": []}}}}', NULL, NULL, 10, 0, 'active', NULL, 0, 0,"
    f" 'always', '{_LIMITS}', NULL, 0",
    "tokens": f"'acme', id, 'short', id, id, 1, NULL, 0, {NOW * 2}, NULL, false, 0, NULL, NULL, NULL",
    "credentials": "'acme', id, id, 'nfc', id, 1, 0, NULL, NULL",
    "redemptions": f"'acme', id, 1, id, {NOW}, 'camera', {{kiosk}}, 'entry', 0, NULL, 1, NULL",
    "verifications": "'acme', id, -n, 0, 0, 'door', 'entry', 'admit', 'ok', '', 'short', id, id, id, id, 'r' || n,"
    " 1, NULL, NULL",
    "request_ids": "'acme', {kiosk}, 'r' || n, id, id, 0, 0",
    "undos": "'acme', id, 0, {kiosk}",
    "presences": "'acme', id, 'elsewhere', 1, 0, 0",
    "reservations": "'acme', 'vault', id, id, 1, 'code', 0, 1, 0",
}


def id_of(n: int) -> bytes:
    return f"{n:016}".encode()


@pytest.fixture(scope="module")
def large_sqlite(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Database]:
    copy = tmp_path_factory.mktemp("large") / "large.db"
    copy.write_bytes(migrated_sqlite.read_bytes())
    with opened(f"sqlite:///{copy}") as database:
        fill(database)
        yield database


@pytest.fixture(scope="module")
def large_postgresql(postgresql_server: PostgresServer, migrated_postgresql: str) -> Iterator[Database]:
    postgresql_server.execute(f"CREATE DATABASE large TEMPLATE {migrated_postgresql}")
    with opened(postgresql_server.url("large")) as database:
        fill(database)
        yield database
    postgresql_server.execute("DROP DATABASE large WITH (FORCE)")


def fill(database: Database) -> None:
    """20,000 of everything that grows, and up-to-date statistics."""
    kiosk, empty = f"'\\x{KIOSK.hex()}'::bytea", "'\\x00'::bytea"
    if database.is_sqlite:
        kiosk, empty = f"x'{KIOSK.hex()}'", "x'00'"
    with database.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO tenants VALUES ('acme', 'UTC', 0, 1000, 0, {empty}, 0)")
        connection.exec_driver_sql(
            "INSERT INTO zones (tenant, id, name, path, root, created_at, counted, capacity, anti_passback)"
            " VALUES ('acme', 'hq', '-', '[\"hq\"]', 'hq', 0, true, 1000000, 'soft')"
        )
        always = '{"weekly": [{"days": ["sun"], "from": "00:00", "until": "24:00"}]}'
        connection.exec_driver_sql(f"INSERT INTO schedules VALUES ('acme', 'always', '-', '{always}', 0)")
        connection.exec_driver_sql(
            "INSERT INTO gates VALUES ('acme', 'door', '-', 'entry', NULL, 'hq', 0, 0, 0, 'refuse', 0),"
            " ('acme', 'camera', '-', 'entry', NULL, NULL, 5, 0, 0, 'refuse', 0),"
            " ('acme', 'vault', '-', 'entry', NULL, 'hq', 0, 0, 9, 'refuse', 0)"
        )
        for table, columns in _COLUMNS.items():
            some = " WHERE n / 3 * 3 = n" if table == "redemptions" else ""
            values = columns.replace("{kiosk}", kiosk).replace("{{", "{").replace("}}", "}")
            connection.exec_driver_sql(
                f"INSERT INTO {table} {_NUMBERS[database.is_sqlite]} SELECT {values} FROM ids{some}"
            )
        connection.exec_driver_sql("ANALYZE")


def attempts(count: int) -> Iterator[Attempt]:
    """Of each kind: by id and by lookup, first uses and repeats, retries and wrong codes, cards and first proofs."""
    world = World("acme")
    for n in range(count, 0, -1):
        id_ = id_of(n * 97)
        claims = Claims("signed", (id_,), Token(id_, "signed", 0, NOW), n * 97) if n % 2 else Claims("short", (id_,))
        yield world.attempt(claims, "camera" if n % 3 == 0 else "door", request_id=f"new{n}" if n % 5 == 0 else None)
        yield world.attempt(wrong_code(1000 + n, n))
        yield world.attempt(claims, request_id=f"r{n * 89}", content=id_of(n * 89))
        yield world.attempt(Claims("card", (), cards=(id_of(n * 83),)))
        yield world.attempt(Claims("short", (id_of(n * 61),)), "vault")
        signed = Claims("signed", (id_of(n * 53),), Token(id_of(n * 53), "signed", 0, NOW), n * 53)
        if n % 5 == 0:
            yield world.attempt(signed, reported=Reported(Outcome.ADMIT, "ok", (), NOW), request_id=f"k{n}")


def statements(database: Database, count: int) -> list[Statement]:
    """Every statement by which a batch was settled. It is undone."""
    seen: list[Statement] = []
    engine, with_incoming = database.engine, database.engine.with_incoming

    def see(*arguments: Any) -> Statement:
        seen.append(with_incoming(*arguments))
        return seen[-1]

    ledger = Ledger(engine, ZoneInfoCalendar())
    with pytest.MonkeyPatch.context() as patch, database.connections.connect() as connection:
        patch.setattr(engine, "with_incoming", see)
        transaction = connection.begin()
        ledger.begin(connection)
        ledger.settle(connection, list(attempts(count)))
        transaction.rollback()
    texts = " ".join(sql for sql, _ in seen)
    written_to = ("verifications", "redemptions", "request_ids", "budgets", "presences", "reservations")
    for written in written_to:
        assert f"INSERT INTO {written}" in texts
    for changed in ("passes", "redemptions", "request_ids", "zones"):
        assert f"UPDATE {changed}" in texts
    return seen


def named_large(sql: str) -> set[str]:
    """The large tables, and the names that the statement gives them."""
    return {*LARGE, *re.findall(rf"\b(?:{'|'.join(LARGE)}) AS (\w+)", sql)}


@pytest.mark.parametrize("count", [5, 42])
def test_sqlite_scans_no_large_table(large_sqlite: Database, count: int) -> None:
    for sql, parameters in statements(large_sqlite, count):
        with large_sqlite.connections.connect() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        scanned = {step.split()[1] for step in plan if step.startswith("SCAN")}
        assert scanned.isdisjoint(named_large(sql)), f"{sql}\n{plan}"


@pytest.mark.parametrize("generic", [False, True], ids=["for its rows", "for any rows"])
@pytest.mark.parametrize("count", [5, 42])
def test_postgresql_scans_no_large_table(large_postgresql: Database, count: int, generic: bool) -> None:  # noqa: FBT001
    seen = statements(large_postgresql, count)
    with large_postgresql.connections.connect() as pooled:
        connection: Any = pooled.connection.driver_connection
        for sql, parameters in seen:
            if generic:
                numbers = iter(range(1, len(parameters) + 1))
                text = re.sub("%s", lambda _: f"${next(numbers)}", sql)  # noqa: B023  used at once
                cursor: Any = psycopg.ClientCursor(connection).execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {text}")  # type: ignore[arg-type]
            else:
                cursor = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
            [[[plan]]] = cursor.fetchall()
            scanned = {node.get("Relation Name") for node in nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"}
            assert scanned.isdisjoint(LARGE), f"{sql}\n{json.dumps(plan, indent=1)}"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)
