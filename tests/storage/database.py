"""A database as tests look into it, past the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Executable, Select

from app.storage.engine import Engine
from app.storage.sql_store import engine_of


class Database:
    """Connections of the test's own to a database that a service may be using."""

    def __init__(self, url: str) -> None:
        parsed = sqlalchemy.make_url(url)
        self.url = url
        self.engine: Engine = engine_of(parsed)
        self.connections = self.engine.open(parsed, timeout_s=10)

    @property
    def is_sqlite(self) -> bool:
        return self.connections.dialect.name == "sqlite"

    def rows(self, statement: Select[Any] | str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        query = sqlalchemy.text(statement) if isinstance(statement, str) else statement
        with self.connections.connect().execution_options(read_only=True) as connection, connection.begin():
            return [tuple(row) for row in connection.execute(query)]

    def column(self, statement: Select[Any] | str) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in self.rows(statement)]

    def value(self, statement: Select[Any] | str) -> Any:
        """The one value of a query."""
        [[value]] = self.rows(statement)
        return value

    def execute(self, *statements: Executable | str) -> None:
        """Statements in one transaction."""
        with self.writing() as connection:
            for statement in statements:
                connection.execute(sqlalchemy.text(statement) if isinstance(statement, str) else statement)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at its end, as the engine commits."""
        with self.connections.connect() as connection:
            transaction = connection.begin()
            yield connection
            self.engine.commit(transaction)

    def close(self) -> None:
        self.connections.dispose()
