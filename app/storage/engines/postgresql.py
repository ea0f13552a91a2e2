"""PostgreSQL, through psycopg 3: the engine for more than one process, and for more than one machine."""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import (
    BigInteger,
    ColumnClause,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    cast,
    event,
    exists,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect

from app.storage.bulk import BulkRead, BulkWrite, incoming
from app.storage.engine import Row
from app.storage.failures import Unavailable
from app.storage.tables import budgets, credentials, passes, tokens, verification_seq, zones


class PostgresqlEngine:
    """READ COMMITTED. What an attempt depends on is locked before it is read, each kind in one order."""

    dialect = psycopg_dialect()  # type: ignore[no-untyped-call]
    one_writer = False

    def __init__(self) -> None:
        asked = incoming(tokens.c.tenant, tokens.c.id, tokens.c.lookup)
        opaque, here = tokens.alias(), asked.c.tenant
        by_lookup = select(opaque.c.id).where(opaque.c.tenant == here, opaque.c.lookup == asked.c.lookup)
        # Not `id = ... OR lookup = ...`, for which all tokens would be read where there are not very many.
        same = tokens.c.id == func.coalesce(asked.c.id, by_lookup.scalar_subquery())
        of_tokens = (
            select(tokens.c.tenant, tokens.c.pass_).select_from(asked).join(tokens, (tokens.c.tenant == here) & same)
        )
        shown = incoming(credentials.c.tenant, credentials.c.lookup)
        of_cards = (
            select(passes.c.tenant, passes.c.id)
            .select_from(shown)
            .join(credentials, (credentials.c.tenant == shown.c.tenant) & (credentials.c.lookup == shown.c.lookup))
            .join(passes, (passes.c.tenant == credentials.c.tenant) & (passes.c.holder == credentials.c.holder))
        )
        known = incoming(passes.c.tenant, passes.c.id)
        self._lock_passes_of_tokens = BulkRead(self, asked, _hold_passes(of_tokens))
        self._passes_of_tokens = BulkRead(self, asked, of_tokens)
        self._passes_of_cards = BulkRead(self, shown, of_cards)
        self._lock_passes = BulkRead(self, known, _hold_passes(select(*known.c)))
        within, counted = incoming(zones.c.tenant, zones.c.root), zones.alias()
        self._lock_zones = BulkRead(
            self,
            within,
            select(zones.c.id)
            .where(tuple_(zones.c.tenant, zones.c.id).in_(select(within.c.tenant, within.c.root)))
            .where(
                exists().where(
                    counted.c.tenant == zones.c.tenant, counted.c.root == zones.c.id, counted.c.counted.is_(True)
                )
            )
            .order_by(zones.c.tenant, zones.c.id)
            .with_for_update(key_share=True, of=zones),
        )
        wanted = incoming(budgets.c.tenant, budgets.c.kind, budgets.c.name)
        empty = select(*wanted.c, *(sqlalchemy.literal(0) for _ in range(3))).order_by(*wanted.c)
        columns = [budgets.c[name] for name in ("tenant", "kind", "name", "day", "spent", "last_at")]
        self._make_budgets = BulkWrite(
            self, wanted, insert(budgets).from_select(columns, empty).on_conflict_do_nothing()
        )
        self._lock_budgets = BulkRead(
            self,
            wanted,
            select(budgets.c.name)
            .where(tuple_(budgets.c.tenant, budgets.c.kind, budgets.c.name).in_(select(*wanted.c)))
            .order_by(budgets.c.tenant, budgets.c.kind, budgets.c.name)
            .with_for_update(key_share=True),
        )

    def open(self, url: sqlalchemy.URL, *, timeout_s: float) -> sqlalchemy.Engine:
        milliseconds = int(timeout_s * 1000)
        # What is settled is looked up by keys that are at hand: as if far away, all of a smaller table would be read.
        options = {
            "statement_timeout": milliseconds,
            "lock_timeout": milliseconds,
            "timezone": "UTC",
            "random_page_cost": 1.1,
        }
        engine = sqlalchemy.create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={
                "connect_timeout": max(2, int(timeout_s)),
                "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
                "application_name": "gatepass",
                "keepalives_idle": 10,
                "keepalives_interval": 3,
                "keepalives_count": 3,
                "tcp_user_timeout": int(timeout_s * 2000),  # a primary that vanishes says nothing
            },
            isolation_level="READ COMMITTED",
            pool_size=8,
            max_overflow=4,
            pool_timeout=timeout_s,
            pool_pre_ping=True,
        )
        event.listen(engine, "connect", _listen_for_warnings)
        return engine

    def commit(self, transaction: sqlalchemy.RootTransaction) -> None:
        """Commit, and take a warning for the failure it is.

        When an operator cancels the wait for a synchronous standby, PostgreSQL says COMMIT and a mere WARNING: the row
        is here, and a failover would lose it. No time limit of PostgreSQL's ends that wait: who waits for an answer is
        told by the settler's own deadline that the outcome is unknown.
        """
        warnings: list[str] = transaction.connection.info["warnings"]
        warnings.clear()
        transaction.commit()
        if warnings:
            raise Unavailable("the commit came back with a warning")

    def with_incoming(
        self, columns: Sequence[ColumnClause[Any]], rows: Sequence[Sequence[Any]], statement: str
    ) -> tuple[str, tuple[Any, ...]]:
        """The rows as one array a column: one statement text for any number of rows."""
        names = ", ".join(each.name for each in columns)
        arrays = ", ".join(f"%s::{each.type.compile(self.dialect)}[]" for each in columns)
        sql = f"WITH incoming ({names}) AS (SELECT * FROM unnest({arrays})) {statement}"
        return sql, tuple([row[place] for row in rows] for place in range(len(columns)))

    def packed(self, statement: Select[Any]) -> tuple[Select[Any], Callable[[Sequence[Row]], Sequence[Row]]]:
        """The statement as it is: psycopg fetches all rows at once."""
        return statement, lambda rows: rows

    def read(self, connection: Connection, sql: str, parameters: tuple[Any, ...]) -> Sequence[Row]:
        return _execute(connection, sql, parameters).fetchall()

    def write(self, connection: Connection, sql: str, parameters: tuple[Any, ...]) -> int:
        return _execute(connection, sql, parameters).rowcount

    def insert(self, table: Table) -> Any:  # noqa: ANN401  see Engine
        return insert(table)

    def lock_passes(
        self,
        connection: Connection,
        tokens: Sequence[tuple[str, bytes | None, bytes | None]],
        cards: Sequence[tuple[str, bytes]],
    ) -> None:
        if not cards:
            self._lock_passes_of_tokens.rows(connection, tokens)
            return
        # Two kinds, and yet one order: first which passes they are, then all of them at once.
        of_tokens = self._passes_of_tokens.rows(connection, tokens)
        of_cards = self._passes_of_cards.rows(connection, cards)
        self._lock_passes.rows(connection, sorted({tuple(row) for row in (*of_tokens, *of_cards)}))

    def lock_zones(self, connection: Connection, roots: Sequence[tuple[str, str]]) -> None:
        self._lock_zones.rows(connection, roots)

    def lock_budgets(self, connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
        self._make_budgets.write(connection, keys)
        self._lock_budgets.rows(connection, keys)

    def verification_seq(self, counted: ColumnElement[int]) -> ColumnElement[int]:  # noqa: ARG002  see Engine
        return verification_seq.next_value()

    def transaction_number(self) -> ColumnElement[int]:
        return cast(cast(func.pg_current_xact_id(), Text), BigInteger)


def _hold_passes(found: Select[Any]) -> Select[Any]:
    return (
        select(passes.c.id)
        .where(tuple_(passes.c.tenant, passes.c.id).in_(found))
        .order_by(passes.c.tenant, passes.c.id)
        .with_for_update(key_share=True)
    )


def _execute(connection: Connection, sql: str, parameters: tuple[Any, ...]) -> psycopg.Cursor[Any]:
    driver: Any = connection.connection.driver_connection
    try:
        cursor: psycopg.Cursor[Any] = driver.execute(sql, parameters)
    except (psycopg.OperationalError, psycopg.InterfaceError) as fault:
        raise Unavailable from fault
    return cursor


def _listen_for_warnings(connection: psycopg.Connection[Any], record: Any) -> None:  # noqa: ANN401
    warnings: list[str] = record.info.setdefault("warnings", [])

    def keep(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            warnings.append(diagnostic.message_primary or "")

    connection.add_notice_handler(keep)


ENGINE = PostgresqlEngine()
