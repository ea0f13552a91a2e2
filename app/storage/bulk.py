"""Statements over many rows at once: one round trip and one step for a whole batch.

Row by row, the settler's thread and the event loop would hand the interpreter lock to and fro. A `Bulk` is an
SQLAlchemy Core statement over a table named `incoming`, compiled once; its rows travel with it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Executable, TableClause, column, table

from .engine import Engine

Row = tuple[Any, ...]


def incoming(*columns: Column[Any]) -> TableClause:
    """The table that a `Bulk` reads its rows from, with columns named and typed like those given."""
    return table("incoming", *(column(each.key, each.type) for each in columns))


class Bulk:
    """A compiled statement over `rows_of`, a table made with `incoming`."""

    def __init__(self, engine: Engine, rows_of: TableClause, statement: Executable) -> None:
        compiled = statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
        self._engine = engine
        self._columns = tuple(rows_of.c)
        self._statement = str(compiled)

    def run(self, connection: Connection, rows: Sequence[Row]) -> Sequence[Row]:
        """Run over `rows`, each as wide as the table; what a select or a RETURNING gave, else nothing."""
        if not rows:
            return ()
        sql, parameters = self._engine.with_incoming(self._columns, rows, self._statement)
        result = connection.exec_driver_sql(sql, parameters)
        return [tuple(row) for row in result] if result.returns_rows else ()
