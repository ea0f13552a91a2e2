"""When devices called last, and that a new key is in use: noted at each request, written by the refresh loop.

So a verification pays for it with one entry in a dictionary.
"""

from app.core.model import SECOND
from app.effects.clock import Clock
from app.storage.records import ApiKeyRecord
from app.storage.store import Store
from app.storage.transaction import Transaction

from .credentials import Caller, Credentials

WRITTEN_EVERY = 10 * SECOND

Device = tuple[str, bytes]
"""A tenant, and a device's id."""


class LastSeen:
    """The devices that called, and the keys that they use."""

    def __init__(self, store: Store, clock: Clock, credentials: Credentials) -> None:
        self._store = store
        self._clock = clock
        self._credentials = credentials
        self._noted: dict[bytes, Caller] = {}
        self._called: dict[Device, int] = {}
        self._came_into_use: dict[bytes, Caller] = {}
        self._in_use: dict[Device, bytes] = {}
        self._written_at = clock.now()

    def note(self, caller: Caller) -> None:
        """A device called with its key."""
        self._noted[caller.id] = caller

    async def write(self) -> None:
        """Called every second by one task. Raises `Unavailable`, and then writes it the next time."""
        now = self._clock.now()
        noted, self._noted = self._noted, {}
        for caller in noted.values():
            if caller.device is not None:
                device = (caller.tenant, caller.device)
                self._called[device] = now
                if self._in_use.get(device) != caller.id:
                    self._in_use[device] = caller.id
                    self._came_into_use[caller.id] = caller
        if self._came_into_use:
            await self._revoke_older(now)
        if self._called and not 0 <= now - self._written_at < WRITTEN_EVERY:  # or the clock was set back
            await self._store.write(lambda tx: tx.devices.seen(self._called))
            self._called.clear()
            self._written_at = now

    async def _revoke_older(self, now: int) -> None:
        """A key that a device uses is one that it has, so that those made before are not needed any more."""
        callers = sorted(self._came_into_use.values())
        older = await self._store.read(lambda tx: [key for caller in callers for key in _older(tx, caller)])

        def revoke(tx: Transaction) -> None:
            for key in older:
                tx.api_keys.revoke(key.tenant, key.id, now)

        if older:
            await self._store.write(revoke)
        for key in older:
            self._credentials.forget(key.hash)
        self._came_into_use.clear()


def _older(tx: Transaction, caller: Caller) -> list[ApiKeyRecord]:
    """The device's other keys that were made before the one it called with; none where that is itself revoked."""
    keys = tx.api_keys.of_device(caller.tenant, caller.device or b"")
    made_at = next((key.created_at for key in keys if key.id == caller.id), 0)
    return [key for key in keys if key.created_at < made_at]
