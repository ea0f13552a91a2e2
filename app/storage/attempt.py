"""What goes into settling, and what comes out."""

from typing import NamedTuple

from app.core.decision import Outcome
from app.core.model import Direction, Presented


class Attempt(NamedTuple):
    """Something presented at a gate, opened, and to be settled.

    `credential` is the first of the caller's line of rolled keys. `content` is a keyed hash of what was asked, by which
    a `request_id` used again is told from one reused. `today` counts days since 1970 in the tenant's time zone.
    """

    tenant: str
    credential: bytes
    exit_bound: bool
    gate: str
    direction: Direction | None
    presented: Presented
    request_id: str | None
    content: bytes | None
    now: int
    today: int
    verification: bytes


class Settled(NamedTuple):
    """A decision that is durable. `pass_`, `ref` and `name` are None unless the token was genuine."""

    verification: bytes
    outcome: Outcome
    reason: str
    flags: tuple[str, ...]
    gate: str
    direction: str
    kind: str | None
    at: int
    pass_: bytes | None
    ref: str | None
    name: str | None
    repeated: str | None
    request_id: str | None


class Unsettled(NamedTuple):
    """The caller's mistake: `no_such_gate`, `direction_needed` or `request_id_reused`. Nothing was recorded."""

    mistake: str
