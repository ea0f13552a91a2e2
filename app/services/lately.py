"""What was answered a moment ago: remembered in this process, for as long as a camera or a retry may ask again.

An admission is given again by the gate's repeat window, which every process and the database agree on
(`core/decision.py`), and a retry with a `request_id` by the database. What is kept here changes nothing: refusals, so
that a polling camera does not fill the record, and answers, for clients that repeat a call under an id of their own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from cachetools import TTLCache

from app.core.model import SECOND
from app.effects.clock import Clock

Result = TypeVar("Result")


class Shown(NamedTuple):
    """What was shown, by whom: a connection's id, and a hash of the text."""

    connection: bytes
    content: bytes


class Call(NamedTuple):
    """A call that a client may repeat: its connection's id, and the id that the client gave the call."""

    connection: bytes
    id: str


class Lately:
    """`refusals` of the last five seconds, and calls that were answered within the last minute (`once`).

    `sights` of the last ten seconds are by the id under which a client was answered what is seen in a picture: some
    detect first, and then ask who that is without sending the picture again.
    """

    def __init__(self, clock: Clock) -> None:
        self.refusals: TTLCache[Shown, None] = TTLCache(10_000, 5 * SECOND, clock.now)
        self.sights: TTLCache[Call, Any] = TTLCache(1_000, 10 * SECOND, clock.now)
        self._answers: TTLCache[Call, asyncio.Task[Any]] = TTLCache(5_000, 60 * SECOND, clock.now)

    async def once(
        self, call: Call, work: Callable[[], Coroutine[Any, Any, Result]], keep: Callable[[Result], bool]
    ) -> Result:
        """What `work` gives to a call that may come again: the first answer, even while that is still being found.

        Whoever goes away does not end the work that others may wait for. What failed, and what is not to be kept, is
        done anew.
        """

        def forget(task: asyncio.Task[Result]) -> None:
            if task.cancelled() or task.exception() is not None or not keep(task.result()):
                self._answers.pop(call, None)

        task: asyncio.Task[Result] | None = self._answers.get(call)
        if task is None:
            task = self._answers[call] = asyncio.create_task(work())
            task.add_done_callback(forget)
        return await asyncio.shield(task)
