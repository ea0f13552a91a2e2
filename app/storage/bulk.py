"""Statements over many rows at once: one round trip and one step for a whole batch.

Row by row, the settler's thread and the event loop would hand the interpreter lock to and fro. A bulk statement is one
of SQLAlchemy Core over a table named `incoming`, compiled once; its rows travel with it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Executable, Select, TableClause, column, select, table

from .engine import Engine, Row


def incoming(*columns: Column[Any]) -> TableClause:
    """The table that a bulk statement reads its rows from, with columns named and typed like those given."""
    return table("incoming", *(column(each.key, each.type) for each in columns))


def all_of(rows_of: TableClause) -> Select[Any]:
    """The incoming rows, less those that only fill up a statement. The first column of a row is never null."""
    return select(*rows_of.c).where(next(iter(rows_of.c)).is_not(None))


class BulkRead:
    """A compiled select over `rows_of`, a table made with `incoming`."""

    def __init__(self, engine: Engine, rows_of: TableClause, statement: Select[Any]) -> None:
        packed, self._unpack = engine.packed(statement)
        self._engine = engine
        self._columns = tuple(rows_of.c)
        self._statement = _text(engine, packed)

    def rows(self, connection: Connection, rows: Sequence[Row]) -> Sequence[Row]:
        """What the select gives for `rows`, each as wide as the table."""
        if not rows:
            return ()
        sql, parameters = self._engine.with_incoming(self._columns, rows, self._statement)
        return self._unpack(self._engine.read(connection, sql, parameters))


class BulkWrite:
    """A compiled insert or update over `rows_of`, a table made with `incoming`."""

    def __init__(self, engine: Engine, rows_of: TableClause, statement: Executable) -> None:
        self._engine = engine
        self._columns = tuple(rows_of.c)
        self._statement = _text(engine, statement)

    def write(self, connection: Connection, rows: Sequence[Row]) -> int:
        """How many rows were written for `rows`, each as wide as the table."""
        if not rows:
            return 0
        sql, parameters = self._engine.with_incoming(self._columns, rows, self._statement)
        return self._engine.write(connection, sql, parameters)


def _text(engine: Engine, statement: Executable) -> str:
    compiled = statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    return str(compiled)
