"""Who is calling: API keys, looked up once and then remembered.

A key is `gp_`, what it is for, and 27 characters of base62 with a check over them: `gp_admin_...`. 160 of its bits are
random, so a plain SHA-256 of it is safe to store. Remembered keys are read again every second, so that a revoked one
is refused everywhere within two; and they outlive the database, so that the way out works without it.
"""

import hashlib
import zlib
from typing import NamedTuple

from app.core.ids import ALPHABET
from app.core.model import SECOND
from app.effects.clock import Clock
from app.effects.entropy import Entropy
from app.storage.failures import Unavailable
from app.storage.records import ApiKeyRecord
from app.storage.store import Store
from app.storage.transaction import Transaction

SCOPES = (
    "admin",
    "audit:read",
    "gates:read",
    "gates:write",
    "holders:read",
    "holders:write",
    "occupancy:read",
    "occupancy:write",
    "passes:read",
    "passes:write",
    "tokens:issue",
    "verifications:create",
    "verifications:override",
    "verifications:read",
    "verifications:simulate",
)
"""What a key may do. `admin` may do all, and alone makes and revokes keys. Zones go with gates."""

_SECRET_CHARACTERS = 27
_CHECK_CHARACTERS = 6
_MOST_REMEMBERED = 10_000
_FRESH = 2 * SECOND


class Caller(NamedTuple):
    """Whoever presented a key. `line` is the first of its line of rolled keys. Expiry is microseconds UTC.

    `confirmed` is false when the key was good when last seen, but the database cannot be asked now.
    """

    tenant: str
    id: bytes
    line: bytes
    scopes: frozenset[str]
    gate: str | None
    side: str | None
    time_zone: str
    expires_at: int | None
    confirmed: bool = True

    def may(self, scope: str) -> bool:
        """Whether the key has the scope."""
        return scope in self.scopes or "admin" in self.scopes


def new_secret(kind: str, entropy: Entropy) -> str:
    """A new key's text. `kind` says at a glance what it is for: admin, key or gate."""
    body = "".join(ALPHABET[entropy.below(62)] for _ in range(_SECRET_CHARACTERS))
    prefix = f"gp_{kind}_{body}"
    return prefix + _check(prefix)


def hash_secret(secret: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode("utf-8")).digest()


def looks_like_a_key(text: str) -> bool:
    """Whether the check characters are right: a typing error is told without asking the database."""
    return (
        text.startswith("gp_")
        and text.isascii()
        and len(text) < 64
        and text[-_CHECK_CHARACTERS:] == _check(text[:-_CHECK_CHARACTERS])
    )


def _check(text: str) -> str:
    value = zlib.crc32(text.encode("ascii"))
    characters = []
    for _ in range(_CHECK_CHARACTERS):
        value, digit = divmod(value, 62)
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))


class Credentials:
    """The keys that were seen lately."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._callers: dict[bytes, Caller] = {}
        self._confirmed_at = clock.now()

    async def authenticate(self, secret: str) -> Caller | None:
        """Whose key it is; None for an unknown, revoked or expired one. Raises `Unavailable`."""
        hash_ = hash_secret(secret)
        caller = self._callers.get(hash_)
        now = self._clock.now()
        if caller is None or now - self._confirmed_at > _FRESH:
            if not looks_like_a_key(secret):
                return None
            caller = await self._ask(hash_, caller)
        if caller is None or (caller.expires_at is not None and now >= caller.expires_at):
            return None
        return caller

    async def _ask(self, hash_: bytes, remembered: Caller | None) -> Caller | None:
        try:
            found = (await self._store.read(lambda tx: _callers(tx, [hash_]))).get(hash_)
        except Unavailable:
            if remembered is None:
                raise
            return remembered._replace(confirmed=False)
        if found is None:
            self._callers.pop(hash_, None)
        elif len(self._callers) < _MOST_REMEMBERED:
            self._callers[hash_] = found
        return found

    async def refresh(self) -> None:
        """Read all remembered keys again. Raises `Unavailable`, and then remembers them as they were."""
        asked_at = self._clock.now()
        hashes = list(self._callers)
        if hashes:
            found = await self._store.read(lambda tx: _callers(tx, hashes))
            for hash_ in hashes:
                if hash_ in found:
                    self._callers[hash_] = found[hash_]
                else:
                    self._callers.pop(hash_, None)
        self._confirmed_at = asked_at

    def forget(self, hash_: bytes) -> None:
        """Ask for the key again when it next comes."""
        self._callers.pop(hash_, None)


def _callers(tx: Transaction, hashes: list[bytes]) -> dict[bytes, Caller]:
    found = {}
    for start in range(0, len(hashes), 500):
        for key in tx.api_keys.by_hashes(hashes[start : start + 500]):
            tenant = tx.tenants.get(key.tenant)
            if key.revoked_at is None and tenant is not None:
                found[key.hash] = _caller(key, tenant.time_zone)
    return found


def _caller(key: ApiKeyRecord, time_zone: str) -> Caller:
    scopes = frozenset(key.scopes.split())
    return Caller(key.tenant, key.id, key.root, scopes, key.gate, key.side, time_zone, key.expires_at)
