"""The values that rules and decisions are made of. All are immutable.

Times are integers: microseconds since 1970-01-01 UTC. Ids are the 16 bytes of a UUIDv7, gates and zones have text ids.
Named tuples, because thousands of them are made a second.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND


class Direction(StrEnum):
    """Which way somebody goes through a gate."""

    ENTRY = "entry"
    EXIT = "exit"
    BOTH = "both"


_EXIT, _BOTH = Direction.EXIT, Direction.BOTH


class PassStatus(StrEnum):
    """What the operator last said of a pass."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class AntiPassback(StrEnum):
    """What happens when somebody enters a zone in which they are already."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


class OfflinePolicy(StrEnum):
    """Whom a gate lets in while it has no network: nobody; tokens bound to it; every token that verifies there."""

    REFUSE = "refuse"
    BOUND_TOKENS = "bound_tokens"
    ADMIT_AND_RECONCILE = "admit_and_reconcile"


class Scope(NamedTuple):
    """Where a pass may be used. A scope that names nothing admits nowhere."""

    every_gate: bool = False
    gates: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()


class Gate(NamedTuple):
    """A check-in point. A zone comes with the zones it lies in, innermost first; no zone is the empty tuple.

    `second_proof` is how long a first proof waits for a second of the same holder; 0 asks for one proof only.
    """

    id: str
    direction: Direction
    from_zones: tuple[str, ...] = ()
    into_zones: tuple[str, ...] = ()
    repeat_window: int = 0
    second_proof: int = 0

    def sides(self, direction: Direction) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The zones that somebody is in before and after. A gate for both directions is described as one goes in."""
        if direction == _EXIT and self.direction == _BOTH:
            return self.into_zones, self.from_zones
        return self.from_zones, self.into_zones


class Zone(NamedTuple):
    """A zone whose people are counted. `path` is the zone and those it lies in, innermost first.

    `people` is the live count. `forgive_after` is how long anti-passback lasts, None for ever.
    """

    id: str
    path: tuple[str, ...]
    people: int = 0
    capacity: int | None = None
    anti_passback: AntiPassback = AntiPassback.OFF
    forgive_after: int | None = None


class Presence(NamedTuple):
    """How many of a holder's party are inside a zone, since their latest entry."""

    people: int
    since: int


class Holder(NamedTuple):
    """The person who enters. `number` is unique in the tenant and never given to another."""

    id: bytes
    ref: str
    number: int
    name: str | None = None
    blocked: bool = False


class ZoneLimit(NamedTuple):
    """How many may enter a zone on one pass, in all and on one day; None is no limit."""

    zone: str
    total: int | None = None
    per_day: int | None = None


class Limits(NamedTuple):
    """What is limited on few passes, beyond `max_entries`.

    `party_size` is how many people one token lets in, together or one after another. `min_interval` is the least time
    between two entries.
    """

    party_size: int = 1
    per_day: int | None = None
    min_interval: int = 0
    zones: tuple[ZoneLimit, ...] = ()


NO_LIMITS = Limits()
ANYWHERE = ""
"""The zone of an `EntryCount` that counts every entry on a pass."""


class EntryCount(NamedTuple):
    """People who entered on a pass: in all, and on one `day` (days since 1970 at the site). `last_at` is the latest.

    A day that has begun at one gate has begun: at another, where it is still yesterday, the count goes on.
    """

    total: int = 0
    day: int = 0
    on_day: int = 0
    last_at: int = 0

    def on(self, day: int) -> int:
        """How many entered on `day`, or on a later one."""
        return self.on_day if self.day >= day else 0

    def with_entry(self, people: int, day: int, at: int) -> "EntryCount":
        """What stands once so many people more have entered, on that day and at that time."""
        return EntryCount(self.total + people, max(self.day, day), self.on(day) + people, at)

    def with_late_entry(self, people: int, day: int, at: int) -> "EntryCount":
        """The same for an entry that becomes known only now: one of a day before counts for no later one."""
        if day < self.day:
            return self._replace(total=self.total + people)
        return self.with_entry(people, day, max(at, self.last_at))


NO_ENTRIES = EntryCount()


class CountKey(NamedTuple):
    """What an `EntryCount` counts: entries on a pass into a zone, or `ANYWHERE`."""

    pass_: bytes
    zone: str


class Pass(NamedTuple):
    """What a holder may do. `entries` counts only while `max_entries` is set; None there means no limit.

    `hours` are the intervals [start, end) in UTC in which its schedule is open, sorted and apart; None is always.
    """

    id: bytes
    idx: int
    holder: Holder
    scope: Scope
    valid_from: int | None = None
    valid_until: int | None = None
    max_entries: int | None = None
    entries: int = 0
    status: PassStatus = PassStatus.ACTIVE
    hours: tuple[tuple[int, int], ...] | None = None
    limits: Limits = NO_LIMITS


class Token(NamedTuple):
    """A proof of a pass as it was issued. `gate` is the one gate it is bound to, if any.

    A card that the holder carries already is one too, good until it is blocked.
    """

    id: bytes
    kind: str
    issued_at: int
    expires_at: int
    gate: str | None = None
    reusable: bool = False
    epoch: int = 0
    revoked: bool = False
    blocked: bool = False


class Use(NamedTuple):
    """The latest redemption of a token. A voided one was given back, and no longer counts.

    One with `reserved_until` waits for a second proof until then; if none comes, it never was. `let_in` is how many
    people the token has let in until now, this use included, as far as they were not given back; `people` by this use.
    `pass_` is the pass that it was of: a card's holder may have several.
    """

    number: int
    verification: bytes
    at: int
    gate: str
    credential: bytes
    direction: str
    voided: bool = False
    reserved_until: int | None = None
    let_in: int = 1
    people: int = 1
    pass_: bytes | None = None


class Reservation(NamedTuple):
    """A first proof at a gate that wants two: a use of a token, by so many people, which waits for the second.

    `let_in` is how many people the token had let in before.
    """

    token: bytes
    number: int
    kind: str
    until: int
    people: int = 1
    let_in: int = 0


class Claims(NamedTuple):
    """What an opened token says. `lookups` finds the stored token: its id, or keyed hashes under each live pepper.

    `token` and `idx` are what a signature vouches for; opaque tokens have neither, their facts are in the store.
    `number` is the holder number that a code names, right or wrong: what the guessing budget is kept by.
    `cards` are the keyed hashes under which a card would be known; `otherwise` is the reason where none is.
    """

    kind: str
    lookups: tuple[bytes, ...]
    token: Token | None = None
    idx: int | None = None
    number: int | None = None
    cards: tuple[bytes, ...] = ()
    otherwise: str | None = None

    @property
    def known_kind(self) -> str | None:
        """The kind, or None for a text that may be no token at all."""
        return None if self.otherwise else self.kind


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
NO_ZONES: Mapping[str, Zone] = MappingProxyType({})
NOWHERE: Mapping[str, Presence] = MappingProxyType({})
NO_COUNTS: Mapping[CountKey, EntryCount] = MappingProxyType({})
NO_TIMES: Mapping[str, int] = MappingProxyType({})


class Offline(NamedTuple):
    """What a verifier without the network goes by.

    `issued_at` is the time as of which its bundle was made, good for `max_stale` microseconds. `last_good` is the
    latest time that it knows to have been: its clock cannot be right before it.
    """

    policy: OfflinePolicy
    issued_at: int
    max_stale: int
    last_good: int


class Afterwards(NamedTuple):
    """What is known of later than an admission that becomes known only now.

    `moved` is when the holder was last let into a zone or out of it, or the zone was emptied by a nightly reset; by
    zone. `recounted` are the zones whose people were counted by hand since.
    """

    moved: Mapping[str, int] = NO_TIMES
    recounted: frozenset[str] = frozenset()


class Facts(NamedTuple):
    """All that is known about one attempt when it is decided.

    `exit_side` is true at an exit gate or for a credential bound to the exit side, where nobody is held back. `budgets`
    holds the guessing budgets that the attempt draws on, by key; only codes have any. `verification` is the id that the
    record of this attempt will have. `today` is the day in the tenant's time zone, `site_day` the day at the gate (days
    since 1970). `other_passes` are the holder's, where a card names a holder and no pass. `zones` are those whose
    people are counted, at and around the gate; `inside` is where the holder is, by zone. `override` is true where
    somebody at the desk admits against the rules. `offline` is given where the attempt is decided without the network:
    only the rules that can be asked there are. `afterwards` is given where a kiosk without the network let
    somebody in already, and only the record is to be made.
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
    other_passes: tuple[Pass, ...] = ()
    people: int = 1
    override: bool = False
    site_day: int = 0
    zones: Mapping[str, Zone] = NO_ZONES
    inside: Mapping[str, Presence] = NOWHERE
    counts: Mapping[CountKey, EntryCount] = NO_COUNTS
    reservation: Reservation | None = None
    offline: Offline | None = None
    afterwards: Afterwards | None = None
