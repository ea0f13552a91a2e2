"""SQLite: the embedded default. One process, and one thread that writes."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnClause, ColumnElement, Connection, LargeBinary, Select, Table, event, func, literal, select
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.dialects.sqlite import insert

from app.storage.engine import Row
from app.storage.failures import Unavailable

_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 8_000  # 32 MB of log: a page that many batches touch is copied back once, not each time


class SqliteEngine:
    """WAL with `synchronous=FULL`: a commit that returned survives the power cut. Every write begins IMMEDIATE."""

    dialect = sqlite_dialect(paramstyle="qmark")
    one_writer = True

    def open(self, url: sqlalchemy.URL, *, timeout_s: float) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(
            url,
            connect_args={"timeout": timeout_s, "check_same_thread": False, "cached_statements": 512},
            pool_size=8,
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def commit(self, transaction: sqlalchemy.RootTransaction) -> None:
        transaction.commit()

    def with_incoming(
        self, columns: Sequence[ColumnClause[Any]], rows: Sequence[Sequence[Any]], statement: str
    ) -> tuple[str, tuple[Any, ...]]:
        """The rows as VALUES, filled up with nulls to a power of two, so that few statements have to be prepared."""
        size = 1 << (len(rows) - 1).bit_length()
        filling = (None,) * (len(columns) * (size - len(rows)))
        sql = _with_values(tuple(column.name for column in columns), size, statement)
        return sql, (*chain.from_iterable(rows), *filling)

    def packed(self, statement: Select[Any]) -> tuple[Select[Any], Callable[[Sequence[Row]], Sequence[Row]]]:
        """All rows as one JSON text: sqlite3 gives up the interpreter lock and takes it again for each row it fetches.

        JSON has no bytes, so they go as hexadecimal digits.
        """
        inner = statement.subquery()
        binary = [place for place, column in enumerate(inner.c) if isinstance(column.type, LargeBinary)]
        values = (func.hex(column) if isinstance(column.type, LargeBinary) else column for column in inner.c)
        return select(func.json_group_array(func.json_array(*values))), partial(_unpacked, binary)

    def read(self, connection: Connection, sql: str, parameters: tuple[Any, ...]) -> Sequence[Row]:
        driver: Any = connection.connection.driver_connection
        try:
            rows: list[Row] = driver.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as fault:
            raise Unavailable from fault
        return rows

    def write(self, connection: Connection, sql: str, parameters: tuple[Any, ...]) -> int:
        """Counted by the connection: sqlite3 gives no count for a statement that begins with WITH."""
        driver: Any = connection.connection.driver_connection
        before: int = driver.total_changes
        try:
            driver.execute(sql, parameters)
        except sqlite3.OperationalError as fault:
            raise Unavailable from fault
        return int(driver.total_changes - before)

    def insert(self, table: Table) -> Any:  # noqa: ANN401  see Engine
        return insert(table)

    def lock_passes(
        self,
        connection: Connection,
        tokens: Sequence[tuple[str, bytes | None, bytes | None]],
        cards: Sequence[tuple[str, bytes]],
    ) -> None:
        """Nothing to do: there is one writer."""

    def lock_zones(self, connection: Connection, roots: Sequence[tuple[str, str]]) -> None:
        """Nothing to do: there is one writer."""

    def lock_budgets(self, connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
        """Nothing to do: there is one writer."""

    def verification_seq(self, counted: ColumnElement[int]) -> ColumnElement[int]:
        return counted

    def transaction_number(self) -> ColumnElement[int]:
        return literal(0)


def _unpacked(binary: Sequence[int], packed: Sequence[Row]) -> Sequence[Row]:
    rows: list[list[Any]] = json.loads(packed[0][0])
    for row in rows:
        for place in binary:
            row[place] = bytes.fromhex(row[place]) if row[place] else None
    return rows


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401  sqlite3.Connection
    connection.isolation_level = None  # SQLAlchemy's own BEGIN, below, and no other
    cursor = connection.cursor()
    for name, value in _PRAGMAS.items():
        cursor.execute(f"PRAGMA {name} = {value}")
        (now,) = cursor.execute(f"PRAGMA {name}").fetchone()
        if now != value:
            raise RuntimeError(f"SQLite would not set {name} to {value}: the database would not be durable")
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A deferred transaction that reads and then writes fails at once when another wrote in between."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@lru_cache(maxsize=256)
def _with_values(names: tuple[str, ...], size: int, statement: str) -> str:
    row = "(" + ", ".join("?" * len(names)) + ")"
    return f"WITH incoming ({', '.join(names)}) AS (VALUES {', '.join([row] * size)}) {statement}"


ENGINE = SqliteEngine()
