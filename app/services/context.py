"""What services work with. `app.wiring` builds the one there is."""

from dataclasses import dataclass

from app.core.ids import uuid7
from app.effects.calendar import ZoneInfoCalendar
from app.effects.clock import Clock
from app.effects.entropy import Entropy
from app.effects.metrics import Metrics
from app.effects.read_pictures import PictureReader
from app.effects.sealing import MasterKey
from app.storage.store import Store

from .credentials import Credentials
from .keychain import Keychain


@dataclass(frozen=True, slots=True)
class Context:
    """The parts, built once at start."""

    store: Store
    clock: Clock
    calendar: ZoneInfoCalendar
    entropy: Entropy
    master_key: MasterKey
    keychain: Keychain
    credentials: Credentials
    pictures: PictureReader
    metrics: Metrics

    def new_id(self) -> bytes:
        """A UUIDv7, in order of time."""
        return uuid7(self.clock.now(), self.entropy.bytes(8))
