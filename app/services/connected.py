"""Who is connected: clients and readers that were made for face scanning, found by what they show.

What names a connection in a request (a key, a secret path, a device's serial number) is stored as a hash. What it signs
with has to be had again, so it is sealed under the master key, as is the password of a device that Gatepass calls.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.core.ids import ALPHABET
from app.effects.clock import Clock
from app.effects.entropy import Entropy
from app.effects.sealing import MasterKey
from app.storage.records import ConnectionRecord
from app.storage.store import Store
from app.storage.transaction import Transaction

from .credentials import Caller
from .remembered import Remembered

SCOPE = "verifications:create"


def drawn(count: int, alphabet: str = ALPHABET) -> Callable[[Entropy], str]:
    """What draws a text of so many characters of the alphabet."""
    return lambda entropy: "".join(alphabet[entropy.below(len(alphabet))] for _ in range(count))


class Kind(NamedTuple):
    """A kind of connection: what its client is given, under the names that the client has for it.

    `key` draws what names a connection, `secret` what it signs or proves itself with. `credentials` shows both to
    whoever makes the connection, the one time that they are shown. `collection` is where its subjects are, unless the
    client makes collections of its own. `polls` is true where a camera shows the same code again and again.
    `calls_device` is true where Gatepass has to call the device, and so has to know where it is. `outputs` are what its
    devices can be told to open, where that differs from model to model, the usual one first.
    """

    name: str
    key: Callable[[Entropy], str]
    credentials: Callable[[str, str], Mapping[str, str]]
    secret: Callable[[Entropy], str] | None = None
    collection: str = ""
    polls: bool = True
    calls_device: bool = False
    outputs: tuple[str, ...] = ()


class Device(NamedTuple):
    """A reader or terminal: its serial number where it says one, and where it is called if Gatepass has to call it.

    `output` is what it opens, one of its kind's `outputs`; None is the usual one.
    """

    serial: str | None = None
    output: str | None = None
    url: str | None = None
    username: str | None = None
    password: str | None = None


class Connection(NamedTuple):
    """A connection that is good. `caller` is who attempts at its gate; `secret` is empty where its kind has none."""

    id: bytes
    kind: str
    tenant: str
    gate: str
    caller: Caller
    secret: str
    device: Device
    grants: str

    def proves(self, secret: str) -> bool:
        """Whether that is its secret; told in the same time either way. What has none is never proved."""
        return self.secret != "" and hmac.compare_digest(self.secret.encode(), secret.encode("utf-8", "surrogatepass"))


class Connections:
    """The connections that were seen lately."""

    def __init__(self, store: Store, clock: Clock, master_key: MasterKey) -> None:
        self._master_key = master_key
        self._remembered = Remembered(store, clock, self._good)

    async def by_key(self, kind: str, key: str) -> Connection | None:
        """Whose key it is; None for an unknown or revoked one. Raises `Unavailable`."""
        return await self._by(key_lookup(kind, key))

    async def by_serial(self, kind: str, serial: str) -> Connection | None:
        """The connection of the device with that serial number. Raises `Unavailable`."""
        return await self._by(serial_lookup(kind, serial))

    async def refresh(self) -> None:
        """Read all remembered connections again. Raises `Unavailable`, and then remembers them as they were."""
        await self._remembered.refresh()

    def forget(self, record: ConnectionRecord) -> None:
        """Ask for the connection again when it next comes."""
        for lookup in (record.lookup, record.serial_lookup):
            if lookup is not None:
                self._remembered.forget(lookup)

    async def _by(self, lookup: bytes) -> Connection | None:
        fresh = self._remembered.fresh(lookup)
        if fresh is not None:
            return fresh
        connection, confirmed = await self._remembered.ask(lookup)
        if connection is None or confirmed:
            return connection
        return connection._replace(caller=connection.caller._replace(confirmed=False))

    def _good(self, tx: Transaction, lookups: list[bytes]) -> dict[bytes, Connection]:
        found = {}
        for record in tx.connections.by_lookups(lookups):
            tenant = tx.tenants.get(record.tenant)
            if record.revoked_at is None and tenant is not None:
                connection = self._opened(record, tenant.time_zone)
                found[record.lookup] = connection
                if record.serial_lookup is not None:
                    found[record.serial_lookup] = connection
        return found

    def _opened(self, record: ConnectionRecord, time_zone: str) -> Connection:
        opened = {}
        if record.sealed is not None:
            opened = json.loads(self._master_key.open(record.sealed, place(record.tenant, record.id)))
        device = Device(**json.loads(record.device or "{}"), password=opened.get("password"))
        scopes = frozenset({SCOPE})
        caller = Caller(record.tenant, record.id, record.id, scopes, record.gate, record.side, time_zone, None)
        secret = opened.get("secret") or ""
        return Connection(record.id, record.kind, record.tenant, record.gate, caller, secret, device, record.grants)


def key_lookup(kind: str, key: str) -> bytes:
    """What is stored of a key. It is random, so a plain SHA-256 is safe."""
    return hashlib.sha256(f"{kind}\0key\0{key}".encode("utf-8", "surrogatepass")).digest()


def serial_lookup(kind: str, serial: str) -> bytes:
    """What a device is found by that shows nothing but its serial number."""
    return hashlib.sha256(f"{kind}\0serial\0{serial}".encode("utf-8", "surrogatepass")).digest()


def place(tenant: str, id_: bytes) -> tuple[str, str, str]:
    """Where a connection's secret is sealed for."""
    return "connections", tenant, id_.hex()


def seal_anew(tx: Transaction, old: MasterKey, new: MasterKey, entropy: Entropy) -> None:
    """Seal the secrets of all connections under another master key. Raises `WrongMasterKey`."""
    for each in tx.connections.every():
        if each.sealed is not None:
            where = place(each.tenant, each.id)
            tx.connections.seal(each.tenant, each.id, new.seal(old.open(each.sealed, where), where, entropy))
