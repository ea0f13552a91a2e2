"""The settler: one thread that takes all that waits, settles it in one transaction, and answers.

No timer is needed: the next batch fills while the last one commits. If a batch fails, its members are settled again
one by one, so that one bad row harms nobody else. If it is not known whether a commit has happened, nothing is settled
again: everyone in the batch is told that the outcome is unknown.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import sqlalchemy
import structlog
from sqlalchemy import Connection

from .attempt import Attempt
from .engine import Engine
from .failures import Conflict, Unavailable
from .ledger import Ledger

MAX_BATCH = 128

Work = Attempt | Callable[[Connection], Any]
"""What can be settled: an attempt at a gate, or a service's own writes."""

_log = structlog.get_logger()


class _Waiting(NamedTuple):
    work: Work
    future: asyncio.Future[Any]
    deadline: asyncio.TimerHandle


class Settler:
    """Owns the thread and the connection that it writes with."""

    def __init__(self, engine: Engine, database: sqlalchemy.Engine, ledger: Ledger, *, timeout_s: float) -> None:
        self._engine = engine
        self._database = database
        self._ledger = ledger
        self._timeout_s = timeout_s
        self._group: list[_Waiting] = []
        self._queue: SimpleQueue[list[_Waiting]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def submit(self, work: Work) -> asyncio.Future[Any]:
        """Have `work` settled. The future fails with `Unavailable` where that takes too long or is not known."""
        future = self._loop.create_future()
        deadline = self._loop.call_later(self._timeout_s, _give_up, future)
        if not self._group:
            self._loop.call_soon(self._hand_over)
        self._group.append(_Waiting(work, future, deadline))
        return future

    def _hand_over(self) -> None:
        """What came in one round of the event loop goes to the settler together: a batch costs more than its rows."""
        for start in range(0, len(self._group), MAX_BATCH):
            self._queue.put(self._group[start : start + MAX_BATCH])
        self._group = []

    async def close(self) -> None:
        """Settle what waits and end the thread."""
        self._hand_over()
        self._queue.put([])  # nothing at all is the sign to end
        await asyncio.to_thread(self._thread.join, self._timeout_s)

    def _run(self) -> None:
        ending = False
        while not ending:
            waiting, ending = self._all_that_waits()
            waiting = [each for each in waiting if not each.future.done()]  # given up: it was told, and stays undone
            results = self._settle([each.work for each in waiting]) if waiting else ()
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be answered
                self._loop.call_soon_threadsafe(_deliver, waiting, results)

    def _all_that_waits(self) -> tuple[list[_Waiting], bool]:
        """Wait for work and take all there is, up to a batch; and whether that is the end of it."""
        waiting = list(self._queue.get())
        ending = not waiting
        with suppress(Empty):
            while len(waiting) < MAX_BATCH and not ending:
                more = self._queue.get_nowait()
                ending = not more
                waiting += more
        return waiting, ending

    def _settle(self, work: Sequence[Work], tries: int = 3) -> Sequence[Any]:
        """A result or an exception for each piece of work."""
        try:
            return self._in_one_transaction(work)
        except (Unavailable, sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError) as fault:
            _log.warning("store_unavailable", fault=type(fault).__name__, waiting=len(work))
            return [Unavailable()] * len(work)
        except Exception as fault:  # noqa: BLE001  handed to who asked for it
            if isinstance(fault, Conflict) and len(work) == 1 and tries > 1:
                return self._settle(work, tries - 1)
            if len(work) > 1:
                return [result for each in work for result in self._settle([each])]
            if isinstance(work[0], Attempt):
                _log.error("attempt_not_settled", exc_info=fault)
                return [Unavailable("the attempt could not be settled")]
            return [fault]

    def _in_one_transaction(self, work: Sequence[Work]) -> Sequence[Any]:
        with self._database.connect() as connection:
            transaction = connection.begin()
            try:
                attempts = [each for each in work if isinstance(each, Attempt)]
                settled = iter(self._ledger.settle(connection, attempts) if attempts else ())
                results = [
                    next(settled) if isinstance(each, Attempt) else _run_alone(connection, each) for each in work
                ]
            except BaseException:
                transaction.rollback()
                raise
            try:
                self._engine.commit(transaction)
            except Exception as fault:
                raise Unavailable("it is not known whether the commit has happened") from fault
            return results


def _run_alone(connection: Connection, work: Callable[[Connection], Any]) -> Any:  # noqa: ANN401  whatever it returns
    """Run a service's writes so that their failure undoes them alone."""
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
    except sqlalchemy.exc.OperationalError:
        raise
    except Exception as fault:  # noqa: BLE001  handed to who asked for it
        savepoint.rollback()
        return fault
    savepoint.commit()
    return result


def _give_up(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(Unavailable("not settled in time"))


def _deliver(waiting: Sequence[_Waiting], results: Sequence[Any]) -> None:
    for each, result in zip(waiting, results, strict=True):
        each.deadline.cancel()
        if each.future.done():
            continue
        if isinstance(result, Exception):
            each.future.set_exception(result)
        else:
            each.future.set_result(result)
