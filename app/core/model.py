"""The values that rules and decisions are made of. All are immutable.

Times are integers: microseconds since 1970-01-01 UTC. Ids are the 16 bytes of a UUIDv7, gates and zones have text ids.
Named tuples, because thousands of them are made a second.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

SECOND = 1_000_000
DAY = 86_400 * SECOND


class Direction(StrEnum):
    """Which way somebody goes through a gate."""

    ENTRY = "entry"
    EXIT = "exit"
    BOTH = "both"


class PassStatus(StrEnum):
    """What the operator last said of a pass."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Scope(NamedTuple):
    """Where a pass may be used. A scope that names nothing admits nowhere."""

    every_gate: bool = False
    gates: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()


class Gate(NamedTuple):
    """A check-in point. A zone comes with the zones it lies in, innermost first; no zone is the empty tuple."""

    id: str
    direction: Direction
    from_zones: tuple[str, ...] = ()
    into_zones: tuple[str, ...] = ()
    repeat_window: int = 0


class Holder(NamedTuple):
    """The person who enters. `number` is unique in the tenant and never given to another."""

    id: bytes
    ref: str
    number: int
    name: str | None = None


class Pass(NamedTuple):
    """What a holder may do. `entries` counts only while `max_entries` is set; None there means no limit."""

    id: bytes
    idx: int
    holder: Holder
    scope: Scope
    valid_from: int | None = None
    valid_until: int | None = None
    max_entries: int | None = None
    entries: int = 0
    status: PassStatus = PassStatus.ACTIVE


class Token(NamedTuple):
    """A proof of a pass as it was issued. `gate` is the one gate it is bound to, if any."""

    id: bytes
    kind: str
    issued_at: int
    expires_at: int
    gate: str | None = None
    reusable: bool = False
    epoch: int = 0
    revoked: bool = False


class Use(NamedTuple):
    """The latest redemption of a token. A voided one was given back, and no longer counts."""

    number: int
    verification: bytes
    at: int
    gate: str
    credential: bytes
    direction: str
    voided: bool = False


class Claims(NamedTuple):
    """What an opened token says. `lookups` finds the stored token: its id, or keyed hashes under each live pepper.

    `token` and `idx` are what a signature vouches for; opaque tokens have neither, their facts are in the store.
    `number` is the holder number that a code names, right or wrong: what the guessing budget is kept by.
    """

    kind: str
    lookups: tuple[bytes, ...]
    token: Token | None = None
    idx: int | None = None
    number: int | None = None


class Refused(NamedTuple):
    """What was presented is no token of ours, or a broken one; `reason` is the reason code."""

    reason: str


Presented = Claims | Refused


class Budget(NamedTuple):
    """Wrong codes so far on one `day` (days since 1970 in the tenant's time zone); `last_at` is the latest of them."""

    day: int = 0
    spent: int = 0
    last_at: int = 0


class BudgetKey(NamedTuple):
    """Whose guessing budget: `kind` is "number" or "gate", `name` the holder number or the gate's id."""

    tenant: str
    kind: str
    name: str


NO_BUDGETS: Mapping[BudgetKey, Budget] = MappingProxyType({})


class Facts(NamedTuple):
    """All that is known about one attempt when it is decided.

    `exit_side` is true at an exit gate or for a credential bound to the exit side, where nobody is held back.
    `budgets` holds the guessing budgets that the attempt draws on, by key; only codes have any.
    `verification` is the id that the record of this attempt will have.
    """

    now: int
    today: int
    epoch: int
    gate: Gate
    direction: Direction
    exit_side: bool
    credential: bytes
    verification: bytes
    presented: Presented
    token: Token | None = None
    pass_: Pass | None = None
    last_use: Use | None = None
    budgets: Mapping[BudgetKey, Budget] = NO_BUDGETS
