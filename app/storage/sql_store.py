"""The store on an SQL database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import sqlalchemy
from sqlalchemy import Connection

from app.core.model import Facts, Gate

from .attempt import Attempt, NotUndone, Settled, Undoing, Unsettled
from .calendar import Calendar
from .engine import Engine
from .engines import ENGINES
from .failures import Unavailable
from .ledger import Ledger
from .migrate import pending_migrations
from .settler import Settler
from .transaction import Transaction
from .undoer import Undoer

Result = TypeVar("Result")

_READERS = 6


class SqlStore:
    """Made within a running event loop, and closed within it.

    Attempts go through the settler. So do a service's writes where there may be one writer only; elsewhere they run
    beside it on connections of their own. Reads always do.
    """

    def __init__(self, url: str, calendar: Calendar, *, timeout_s: float = 3.0) -> None:
        parsed = sqlalchemy.make_url(url)
        self._engine = engine_of(parsed)
        self._timeout_s = timeout_s
        self._database = self._engine.open(parsed, timeout_s=timeout_s)
        self._ledger = Ledger(self._engine, calendar)
        self._undoer = Undoer(self._engine, calendar)
        with self._database.connect() as connection:
            self._ledger.begin(connection)
        self._settler = Settler(self._engine, self._database, self._ledger, timeout_s=timeout_s)
        self._executor = ThreadPoolExecutor(_READERS, thread_name_prefix="store")

    async def settle(self, attempt: Attempt) -> Settled | Unsettled:
        """See `Store.settle`."""
        settled: Settled | Unsettled = await self._settler.submit(attempt)
        return settled

    async def read(self, work: Callable[[Transaction], Result]) -> Result:
        """See `Store.read`."""
        return await self._on_a_thread(partial(self._read, work))

    async def write(self, work: Callable[[Transaction], Result]) -> Result:
        """See `Store.write`."""
        return await self._in_a_transaction(lambda connection: work(Transaction(connection, self._engine)))

    async def undo(self, undoing: Undoing) -> NotUndone | None:
        """See `Store.undo`."""
        return await self._in_a_transaction(lambda connection: self._undoer.undo(connection, undoing))

    async def simulate(self, attempt: Attempt) -> Facts | None:
        """See `Store.simulate`."""
        return await self._on_a_thread(partial(self._simulate, attempt))

    def known_gate(self, tenant: str, gate: str) -> Gate | None:
        """See `Store.known_gate`."""
        return self._ledger.known_gates.get((tenant, gate))

    async def missing(self) -> list[str]:
        """See `Store.missing`."""
        try:
            pending = await self._on_a_thread(partial(pending_migrations, self._database))
        except Unavailable:
            return ["the database does not answer"]
        return [f"migration {revision} is not applied" for revision in pending]

    async def close(self) -> None:
        """Settle what waits and let go of the database."""
        await self._settler.close()
        self._executor.shutdown(wait=True)
        self._database.dispose()

    async def _in_a_transaction(self, work: Callable[[Connection], Result]) -> Result:
        if not self._engine.one_writer:
            return await self._on_a_thread(partial(self._write, work))
        result: Result = await self._settler.submit(work)
        return result

    async def _on_a_thread(self, work: Callable[[], Result]) -> Result:
        running = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            async with asyncio.timeout(self._timeout_s):  # wait_for loses a cancellation that comes with the result
                return await running
        except (TimeoutError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError) as fault:
            raise Unavailable("the database does not answer") from fault

    def _read(self, work: Callable[[Transaction], Result]) -> Result:
        with self._database.connect().execution_options(read_only=True) as connection, connection.begin():
            return work(Transaction(connection, self._engine))

    def _simulate(self, attempt: Attempt) -> Facts | None:
        with self._database.connect().execution_options(read_only=True) as connection, connection.begin():
            return self._ledger.facts(connection, attempt)

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        with self._database.connect() as connection:
            transaction = connection.begin()
            result = work(connection)
            self._engine.commit(transaction)
            return result


def engine_of(url: sqlalchemy.URL) -> Engine:
    """The engine for a database URL. Raises ValueError for one that Gatepass does not know."""
    name = url.get_backend_name()
    if name not in ENGINES:
        raise ValueError(f"no storage engine for {name}: use one of {', '.join(ENGINES)}")
    return ENGINES[name]
