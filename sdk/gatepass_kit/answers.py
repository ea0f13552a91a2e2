"""What the service answers, as values.

Fields that this version does not know are left out, so a newer service is fine.
"""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from .core.model import SECOND
from .errors import Unreachable

Value = TypeVar("Value")
Decision = Literal["admit", "deny"]
Direction = Literal["entry", "exit", "both"]
Side = Literal["entry", "exit"]
Repeated = Literal["request_id", "window"]

_value = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)


@_value
class Gate:
    """A check-in point. `offline` is whom it lets in without the network."""

    id: str
    name: str
    direction: Direction
    from_zone: str | None
    into_zone: str | None
    repeat_window_s: int
    second_proof_s: int
    created_at: datetime
    offline: str = "refuse"
    offline_max_stale_s: int = 14_400


@_value
class Holder:
    """The person who enters."""

    id: str
    ref: str
    number: int
    name: str | None
    created_at: datetime


@_value
class Pass:
    """What a holder may do. `gates` is None where it is every gate."""

    id: str
    holder: str
    gates: tuple[str, ...] | None
    zones: tuple[str, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    max_entries: int | None
    entries: int
    status: Literal["active", "suspended", "revoked"]
    created_at: datetime
    schedule: str | None = None
    party_size: int = 1


@_value
class Token:
    """A token. `token` is its text, which is said once; `picture` a data URI, where one was asked for."""

    id: str
    kind: str
    pass_: str
    issued_at: datetime
    expires_at: datetime
    gate: str | None
    reusable: bool
    token: str | None = None
    display: str | None = None
    picture: str | None = None
    revoked_at: datetime | None = None

    def __repr__(self) -> str:
        """Without its text, which has no place in a log."""
        return f"Token(id={self.id!r}, kind={self.kind!r}, expires_at={self.expires_at.isoformat()})"


@_value
class NamedHolder:
    """Who a token was genuine for."""

    ref: str
    name: str | None


@_value
class Verification:
    """One attempt at a gate and its decision."""

    id: str
    decision: Decision
    reason: str
    flags: tuple[str, ...]
    gate: str
    direction: Direction
    pass_: str | None
    holder: NamedHolder | None
    token_kind: str | None
    at: datetime
    repeated: Repeated | None
    request_id: str | None
    people: int = 1
    people_left: int = 0
    undone_at: datetime | None = None

    @property
    def opens(self) -> bool:
        """Whether the relay is to move.

        Not for what a gate's repeat window gives again: the person went in by the answer before it. But for what a
        request id gives again: then the first answer did not arrive.
        """
        return self.decision == "admit" and self.repeated != "window"


@_value
class SetUp:
    """What sets a device up, once, within 30 minutes. `url` is the link, `qr` a picture of it (a data URI)."""

    url: str
    token: str
    expires_at: datetime
    handshake_version: int = 1
    qr: str | None = None

    def __repr__(self) -> str:
        """Without the link, which has no place in a log."""
        return f"SetUp(expires_at={self.expires_at.isoformat()})"


@_value
class RegisteredDevice:
    """A device, as the service knows it. `battery` is in percent; `setup` is said once."""

    id: str
    name: str
    gate: str
    side: Side | None = None
    software: str | None = None
    battery: int | None = None
    last_seen_at: datetime | None = None
    initialized_at: datetime | None = None
    created_at: datetime | None = None
    setup: SetUp | None = None


@_value
class Conflict:
    """An admission that should not have been, as it turned out once all verifications had been sent.

    `other` is the id of the verification that came first, if there is one.
    """

    id: str
    reason: str
    verification: Verification
    other: str | None
    found_at: datetime


def read(kind: type[Value], body: object) -> Value:
    """`body`, an object of JSON, as a value. Raises `Unreachable` where it is none: that is no answer of Gatepass's."""
    try:
        if not isinstance(body, Mapping):
            raise TypeError("not an object")
        names = _fields(kind)
        given = {name: body[key] for name, key in ((name, name.rstrip("_")) for name in names) if key in body}
        return kind(**{name: _as(names[name], value) for name, value in given.items()})
    except (TypeError, ValueError, KeyError) as fault:
        raise Unreachable(f"What came back is no {kind.__name__} of Gatepass's.") from fault


def microseconds(time: datetime) -> int:
    """The time in microseconds since 1970-01-01 UTC."""
    whole = int(time.replace(microsecond=0).timestamp())
    return whole * SECOND + time.microsecond


def written(at: int) -> str:
    """A time in microseconds as RFC 3339, in UTC."""
    seconds, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def _fields(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _as(wanted: Any, value: Any) -> Any:  # noqa: ANN401  JSON is anything, until it was looked at
    """`value` as it is `wanted`: a type, or several of which one is None."""
    kinds = [each for each in get_args(wanted) if each is not NoneType] if NoneType in get_args(wanted) else [wanted]
    (kind,) = kinds
    if value is None and kinds != [wanted]:
        return None
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind == tuple[str, ...]:
        return None if value == "all" and kinds != [wanted] else tuple(value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return read(kind, value)
    allowed = get_args(kind)  # of a Literal
    if value not in allowed if allowed else type(value) is not kind:
        raise TypeError("not what it should be")
    return value
