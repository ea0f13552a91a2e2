"""What is asked for at every request and changes seldom: read once, and then read again every second.

So that what was revoked is refused everywhere within two seconds; and what was good stays known when the database is
gone, so that the way out works without it.
"""

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from app.core.model import SECOND
from app.effects.clock import Clock
from app.storage.failures import Unavailable
from app.storage.store import Store
from app.storage.transaction import Transaction

_MOST = 10_000
_FRESH = 2 * SECOND
_AT_ONCE = 500

Value = TypeVar("Value")


class Found(NamedTuple, Generic[Value]):
    """What was asked for, None where there is none. Not `confirmed`: as it was last seen, for want of a database."""

    value: Value | None
    confirmed: bool


class Remembered(Generic[Value]):
    """Values by the hash of what is presented. `load` reads those that are good now."""

    def __init__(
        self, store: Store, clock: Clock, load: Callable[[Transaction, list[bytes]], Mapping[bytes, Value]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._load = load
        self._values: dict[bytes, Value] = {}
        self._confirmed_at = clock.now()
        self._forgotten = 0

    def fresh(self, hash_: bytes) -> Value | None:
        """The value, if it was read within the last two seconds."""
        if self._clock.now() - self._confirmed_at > _FRESH:
            return None
        return self._values.get(hash_)

    async def ask(self, hash_: bytes) -> Found[Value]:
        """Read the value. Raises `Unavailable` where it was never seen."""
        forgotten = self._forgotten
        try:
            value = (await self._store.read(lambda tx: self._load(tx, [hash_]))).get(hash_)
        except Unavailable:
            if hash_ not in self._values:
                raise
            return Found(self._values[hash_], confirmed=False)
        if value is None:
            self._values.pop(hash_, None)
        elif len(self._values) < _MOST and forgotten == self._forgotten:
            self._values[hash_] = value
        return Found(value, confirmed=True)

    async def refresh(self) -> None:
        """Read all again. Raises `Unavailable`, and then remembers them as they were."""
        asked_at = self._clock.now()
        hashes = list(self._values)
        for start in range(0, len(hashes), _AT_ONCE):
            asked = hashes[start : start + _AT_ONCE]
            found = await self._store.read(lambda tx, asked=asked: self._load(tx, asked))  # type: ignore[misc]
            for hash_ in asked:
                if hash_ not in found:
                    self._values.pop(hash_, None)
                elif hash_ in self._values:
                    self._values[hash_] = found[hash_]
        self._confirmed_at = asked_at

    def forget(self, hash_: bytes) -> None:
        """Ask again when it next comes. What is being read meanwhile may be older than this, and is not remembered."""
        self._forgotten += 1
        self._values.pop(hash_, None)
