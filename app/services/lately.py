"""What was answered a moment ago: remembered in this process, for as long as a camera or a retry may ask again.

An admission is given again by the gate's repeat window, which every process and the database agree on
(`core/decision.py`), and a retry with a `request_id` by the database. What is kept here changes nothing: refusals, so
that a polling camera does not fill the record, and whole answers, for clients that repeat a call under its first id.
"""

from typing import Any, NamedTuple

from cachetools import TTLCache

from app.core.model import SECOND
from app.effects.clock import Clock
from app.storage.attempt import Settled


class Shown(NamedTuple):
    """What was shown, by whom: a connection's id, and a hash of the text."""

    connection: bytes
    content: bytes


class Call(NamedTuple):
    """A call that a client may repeat: its connection's id, and the id that the client gave the call."""

    connection: bytes
    id: str


class Lately:
    """`refusals` of the last five seconds, `answers` of the last minute.

    `sights` of the last ten seconds are by the id under which a client was answered what is seen in a picture: some
    detect first, and then ask who that is without sending the picture again.
    """

    def __init__(self, clock: Clock) -> None:
        self.refusals: TTLCache[Shown, Settled] = TTLCache(10_000, 5 * SECOND, clock.now)
        self.sights: TTLCache[Call, Any] = TTLCache(1_000, 10 * SECOND, clock.now)
        self.answers: TTLCache[Call, Any] = TTLCache(5_000, 60 * SECOND, clock.now)
