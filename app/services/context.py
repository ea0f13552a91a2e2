"""What services work with. `app.wiring` builds the one there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from app.core.ids import uuid7
from app.effects.calendar import ZoneInfoCalendar
from app.effects.clock import Clock
from app.effects.devices import Devices
from app.effects.entropy import Entropy
from app.effects.metrics import Metrics
from app.effects.picture_reader import PictureReader
from app.effects.sealing import MasterKey
from app.storage.store import Store

from .bundles import Bundles
from .connected import Connections
from .credentials import Credentials
from .keychain import Keychain
from .last_seen import LastSeen
from .lately import Lately


class Network(NamedTuple):
    """How callers reach the service, and whom it may call itself: as the operator has it.

    `public_url` is where callers reach it, None where that is not said. `faces` has the port (digits) or the host name
    that a dialect has to itself, by kind. `hosts` are names by which a proxy in front is known. `origins` are those of
    web pages that may call the compatible APIs. `devices` are the networks in which terminals may be called. `tls`
    where the service itself speaks TLS, which it does not at the ports of `faces`.
    """

    public_url: str | None = None
    faces: Mapping[str, str] = {}
    hosts: tuple[str, ...] = ()
    origins: frozenset[str] = frozenset()
    devices: tuple[IPv4Network | IPv6Network, ...] = ()
    tls: bool = False


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
    connections: Connections
    last_seen: LastSeen
    lately: Lately
    bundles: Bundles
    pictures: PictureReader
    metrics: Metrics
    network: Network
    devices: Devices

    def new_id(self) -> bytes:
        """A UUIDv7, in order of time."""
        return uuid7(self.clock.now(), self.entropy.bytes(8))
