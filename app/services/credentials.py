"""Who is calling: API keys, looked up once and then remembered.

A key is `gp_`, what it is for, and 27 characters of base62 with a check over them: `gp_admin_...`. 160 of its bits are
random, so a plain SHA-256 of it is safe to store. A revoked one is refused everywhere within two seconds.
"""

import hashlib
import zlib
from typing import NamedTuple

from app.core.ids import ALPHABET
from app.effects.clock import Clock
from app.effects.entropy import Entropy
from app.storage.records import ApiKeyRecord
from app.storage.store import Store
from app.storage.transaction import Transaction

from .remembered import Remembered

SCOPES = (
    "admin",
    "audit:read",
    "bundles:read",
    "conflicts:read",
    "devices:read",
    "devices:report",
    "devices:write",
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
    "verifications:sync",
)
"""What a key may do. `admin` may do all, and alone makes and revokes keys. Zones go with gates.

`devices:report` is good for nothing but with a device's own key.
"""

_SECRET_CHARACTERS = 27
_CHECK_CHARACTERS = 6


class Caller(NamedTuple):
    """Whoever presented a key. `line` is the first of its line of rolled keys. Expiry is microseconds UTC.

    `confirmed` is false when the key was good when last seen, but the database cannot be asked now. `device` is whose
    own key it is, None for a key that is no device's; it is then the `line` too, which outlives a new set-up.
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
    device: bytes | None = None

    def may(self, scope: str) -> bool:
        """Whether the key has the scope."""
        return scope in self.scopes or "admin" in self.scopes


def new_secret(kind: str, entropy: Entropy) -> str:
    """A new key's text. `kind` says at a glance what it is for: admin, key, gate, device or setup."""
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
        self._clock = clock
        self._remembered = Remembered(store, clock, _callers)

    async def authenticate(self, secret: str) -> Caller | None:
        """Whose key it is; None for an unknown, revoked or expired one. Raises `Unavailable`."""
        hash_ = hash_secret(secret)
        caller = self._remembered.fresh(hash_)
        if caller is None:
            if not looks_like_a_key(secret):
                return None
            caller, confirmed = await self._remembered.ask(hash_)
            if caller is not None and not confirmed:
                caller = caller._replace(confirmed=False)
        if caller is None or (caller.expires_at is not None and self._clock.now() >= caller.expires_at):
            return None
        return caller

    async def refresh(self) -> None:
        """Read all remembered keys again. Raises `Unavailable`, and then remembers them as they were."""
        await self._remembered.refresh()

    def forget(self, hash_: bytes) -> None:
        """Ask for the key again when it next comes."""
        self._remembered.forget(hash_)


def _callers(tx: Transaction, hashes: list[bytes]) -> dict[bytes, Caller]:
    found = {}
    for key in tx.api_keys.by_hashes(hashes):
        tenant = tx.tenants.get(key.tenant)
        if key.revoked_at is None and tenant is not None:
            found[key.hash] = _caller(key, tenant.time_zone)
    return found


def _caller(key: ApiKeyRecord, time_zone: str) -> Caller:
    scopes = frozenset(key.scopes.split())
    return Caller(
        key.tenant, key.id, key.root, scopes, key.gate, key.side, time_zone, key.expires_at, device=key.device
    )
