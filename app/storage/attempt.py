"""What goes into settling, and what comes out."""

from typing import NamedTuple

from app.core.decision import Outcome
from app.core.model import Direction, Presented


class Reported(NamedTuple):
    """What a device decided without the network, and told the service at `received_at`.

    `exit` says whether nobody was held back there, None that it is as the gate is now.
    """

    outcome: Outcome
    reason: str
    flags: tuple[str, ...]
    received_at: int
    exit: bool | None = None


class Attempt(NamedTuple):
    """Something presented at a gate, opened, and to be settled.

    `credential` is the first of the caller's line of rolled keys. `content` is a keyed hash of what was asked, by which
    a `request_id` used again is told from one reused. `today` counts days since 1970 in the tenant's time zone.
    `override` is the reason that somebody at the desk gives. `simulated_pass` is the id of a pass in place of a token.
    `reported` is given where it was decided already; `now` is then the time at which that was.
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
    people: int = 1
    override: str | None = None
    simulated_pass: bytes | None = None
    reported: Reported | None = None

    @property
    def received_at(self) -> int:
        """When the service learnt of it."""
        return self.now if self.reported is None else self.reported.received_at


class Override(NamedTuple):
    """Somebody at the desk admits against the rules, and says why. `of` is the refusal it was needed for, if any."""

    reason: str
    of: str | None


class Settled(NamedTuple):
    """A decision that is durable. `pass_`, `ref` and `name` are None unless the token was genuine.

    `people` is how many go through, `people_left` how many of the party may follow. `not_before` is when the rule that
    refused would no longer do so, as far as it knows. `credential` is the line of keys that asked.
    """

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
    people: int
    people_left: int
    not_before: int | None
    override: Override | None
    credential: bytes
    undone_at: int | None


class Unsettled(NamedTuple):
    """The caller's mistake: `no_such_gate`, `direction_needed` or `request_id_reused`. Nothing was recorded."""

    mistake: str


class Undoing(NamedTuple):
    """An admission to be taken back, by the line of keys that asked for it.

    `at_any_time`: it is known that nobody went through, so it does not matter how long ago it was.
    """

    tenant: str
    verification: bytes
    credential: bytes
    now: int
    at_any_time: bool = False


class NotUndone(NamedTuple):
    """Why nothing was taken back.

    `no_such_verification`, `of_another_key`, `not_admitted`, `already_undone` or `too_late`.
    """

    mistake: str
