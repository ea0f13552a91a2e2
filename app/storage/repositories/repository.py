"""What all repositories share."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, update

from app.storage.engine import Engine

Record = TypeVar("Record")


class Repository:
    """Statements over one kind of record, within one transaction."""

    def __init__(self, connection: Connection, engine: Engine) -> None:
        self._connection = connection
        self._engine = engine

    def _one(self, statement: Select[Any], record: Callable[..., Record]) -> Record | None:
        """The one row there is, as a record."""
        row = self._connection.execute(statement).first()
        return None if row is None else record(*row)

    def _insert(self, table: Table, values: Mapping[str, Any]) -> bool:
        """Whether the row is new: False where a key of it is taken, also by another process just now."""
        statement = self._engine.insert(table).values(**values).on_conflict_do_nothing()
        # Asked for before the cursor is closed: afterwards psycopg counts -1, which would be true.
        result = self._connection.execute(statement, execution_options={"preserve_rowcount": True})
        return result.rowcount == 1

    def _update(self, table: Table, where: ColumnElement[bool], values: Mapping[str, Any]) -> bool:
        return bool(self._connection.execute(update(table).where(where).values(**values)).rowcount)

    def _page(
        self,
        statement: Select[Any],
        key: ColumnElement[Any],
        after: object,
        limit: int,
        *,
        newest_first: bool = True,
    ) -> list[Any]:
        """At most `limit` rows behind the key `after`, or from the start where that is None."""
        if after is not None:
            statement = statement.where(key < after if newest_first else key > after)
        ordered = statement.order_by(key.desc() if newest_first else key.asc()).limit(limit)
        return list(self._connection.execute(ordered))
