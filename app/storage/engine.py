"""What a storage engine is: all in which one database differs from another."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sqlalchemy
from sqlalchemy import ColumnClause, ColumnElement, Connection, Dialect, Select, Table

Row = Sequence[Any]


class Engine(Protocol):
    """One kind of database. There is one of each, by which compiled statements are kept."""

    def __hash__(self) -> int: ...

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's dialect, to compile statements with."""

    @property
    def one_writer(self) -> bool:
        """Whether every write has to go through the settler's thread, and only one process may serve."""

    def open(self, url: sqlalchemy.URL, *, timeout_s: float) -> sqlalchemy.Engine:
        """Connections to the database at `url`; a statement or a lock is given up after `timeout_s`."""

    def commit(self, transaction: sqlalchemy.RootTransaction) -> None:
        """Commit; returning means durable. Raises `Unavailable` where that is not known."""

    def with_incoming(
        self, columns: Sequence[ColumnClause[Any]], rows: Sequence[Sequence[Any]], statement: str
    ) -> tuple[str, tuple[Any, ...]]:
        """`statement` behind a common table expression `incoming` of the rows, and its parameters."""

    def packed(self, statement: Select[Any]) -> tuple[Select[Any], Callable[[Sequence[Row]], Sequence[Row]]]:
        """A select that can be fetched at once, and what gives its rows as those of `statement`."""

    def read(self, connection: Connection, sql: str, parameters: tuple[Any, ...]) -> Sequence[Row]:
        """Run a select past SQLAlchemy, which costs a small batch more than the database does; all its rows."""

    def write(self, connection: Connection, sql: str, parameters: tuple[Any, ...]) -> int:
        """Run an insert or update likewise; how many rows it wrote. Both raise `Unavailable`."""

    def insert(self, table: Table) -> Any:  # noqa: ANN401  each dialect has an Insert of its own, with ON CONFLICT
        """The dialect's INSERT."""

    def lock_passes(
        self,
        connection: Connection,
        tokens: Sequence[tuple[str, bytes | None, bytes | None]],
        cards: Sequence[tuple[str, bytes]],
    ) -> None:
        """Hold the passes of these tokens (tenant, id, lookup) and of the holders of these cards (tenant, lookup).

        Until the transaction ends, and taken in one order.
        """

    def lock_zones(self, connection: Connection, roots: Sequence[tuple[str, str]]) -> None:
        """Hold whatever is counted within these (tenant, outermost zone), in one order, until the transaction ends."""

    def lock_budgets(self, connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
        """Hold the guessing budgets of these (tenant, kind, name), in one order, whether they exist yet or not."""

    def verification_seq(self, counted: ColumnElement[int]) -> ColumnElement[int]:
        """A verification's `seq`: what the settler counted, or the database's own sequence."""

    def transaction_number(self) -> ColumnElement[int]:
        """The number of the open transaction; 0 where there is only ever one."""
