"""What is stored, as values: one for each kind of record. Times are microseconds UTC."""

from typing import NamedTuple


class TenantRecord(NamedTuple):
    id: str
    time_zone: str
    epoch: int
    created_at: int


class ZoneRecord(NamedTuple):
    """`path` is JSON: the zone and those it lies in, innermost first; `root` is the outermost.

    `local_time_zone` is its own or that of a zone around it; None is the tenant's. `resets_at` is local wall-clock time
    like "04:00", `local_resets_at` its own or that of a zone around it. `people` is the live count as of `people_at`.
    """

    id: str
    name: str
    within: str | None
    path: str
    time_zone: str | None
    created_at: int
    root: str
    local_time_zone: str | None = None
    counted: bool = False
    capacity: int | None = None
    anti_passback: str = "off"
    forgive_after_s: int | None = None
    resets_at: str | None = None
    local_resets_at: str | None = None
    people: int = 0
    people_at: int = 0


class ScheduleRecord(NamedTuple):
    """`hours` is JSON: see `effects/calendar.py`."""

    id: str
    name: str
    hours: str
    created_at: int


class GateRecord(NamedTuple):
    id: str
    name: str
    direction: str
    from_zone: str | None
    into_zone: str | None
    repeat_window_s: int
    created_at: int
    second_proof_s: int = 0
    offline: str = "refuse"
    offline_max_stale_s: int = 14_400


class HolderRecord(NamedTuple):
    """`live_code` is the token of the newest code: the only code that is good."""

    id: bytes
    ref: str
    number: int
    name: str | None
    live_code: bytes | None
    created_at: int
    blocked_at: int | None = None
    blocked_reason: str | None = None


class PassRecord(NamedTuple):
    """`scope` is JSON {"gates": "all" or a list, "zones": a list}. `ref` and `number` are the holder's.

    `limits` is JSON, None where there is none: {"party_size", "max_entries_per_day", "min_interval_s", "zones"}.
    """

    id: bytes
    idx: int
    holder: bytes
    ref: str
    number: int
    scope: str
    valid_from: int | None
    valid_until: int | None
    max_entries: int | None
    entries: int
    status: str
    created_at: int
    schedule: str | None = None
    limits: str | None = None


class TokenRecord(NamedTuple):
    """`lookup` is the keyed hash of an opaque token, made with that pepper; `kid` signed a signed one."""

    id: bytes
    kind: str
    pass_: bytes
    lookup: bytes | None
    pepper: int | None
    kid: bytes | None
    issued_at: int
    expires_at: int
    gate: str | None
    reusable: bool
    epoch: int
    revoked_at: int | None
    blocked_at: int | None = None
    blocked_reason: str | None = None


class CredentialRecord(NamedTuple):
    """Something that a holder carries already. `lookup` is its keyed hash, made with that pepper."""

    id: bytes
    holder: bytes
    kind: str
    lookup: bytes
    pepper: int
    created_at: int
    blocked_at: int | None = None
    blocked_reason: str | None = None


class AuditRecord(NamedTuple):
    """`credential` is the line of keys that did it; `ref` is the holder's. `before` and `after` count people."""

    id: bytes
    at: int
    action: str
    credential: bytes
    reason: str | None
    holder: bytes | None
    ref: str | None
    zone: str | None
    subject: bytes | None
    before: int | None
    after: int | None


class VerificationRecord(NamedTuple):
    """`flags` are separated by spaces. `ref` and `name` are the holder's, where the token was genuine.

    `details` is JSON, None where there is none: {"people_left", "not_before", "override"}.
    """

    id: bytes
    decision: str
    reason: str
    flags: str
    gate: str
    direction: str
    pass_: bytes | None
    ref: str | None
    name: str | None
    kind: str | None
    at: int
    request_id: str | None
    people: int
    details: str | None
    credential: bytes
    undone_at: int | None


class ConflictRecord(NamedTuple):
    """An admission that should not have been. `other` is the one that came first, if any.

    `subject` is what it is about: the id of a token or pass, or of the verification itself.
    """

    id: bytes
    verification: bytes
    reason: str
    other: bytes | None
    subject: bytes
    found_at: int


class ApiKeyRecord(NamedTuple):
    """`root` is the first of a line of rolled keys. `scopes` are separated by spaces. `side` binds to one direction.

    A key of a `device` has the device's id as its root.
    """

    tenant: str
    id: bytes
    root: bytes
    hash: bytes
    name: str
    scopes: str
    gate: str | None
    side: str | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    device: bytes | None = None


class DeviceRecord(NamedTuple):
    """A kiosk, reader or terminal. `setup` is the hash of its newest set-up token, None once the device is revoked."""

    tenant: str
    id: bytes
    name: str
    gate: str
    side: str | None
    software: str | None
    battery: int | None
    setup: bytes | None
    setup_expires_at: int
    setup_used_at: int | None
    last_seen_at: int | None
    initialized_at: int | None
    created_at: int
    revoked_at: int | None


class SigningKeyRecord(NamedTuple):
    """`sealed` is the private key (32 bytes) under the master key."""

    kid: bytes
    public: bytes
    sealed: bytes
    created_at: int
    active_from: int
    retired_at: int | None
    gone_at: int | None


class PepperRecord(NamedTuple):
    version: int
    sealed: bytes
    created_at: int


class IdempotencyRecord(NamedTuple):
    """`content` is a hash of the first request; `resource` is the id of what it made."""

    content: bytes
    resource: str


class ConnectionRecord(NamedTuple):
    """A client or reader that speaks a dialect. `lookup` is a hash of the key it shows, `sealed` what it signs with.

    `device` is JSON, None where there is none: {"serial", "url", "username"}. `grants` is JSON, what a `PassWish` has.
    """

    tenant: str
    id: bytes
    kind: str
    gate: str
    side: str | None
    lookup: bytes
    serial_lookup: bytes | None
    sealed: bytes | None
    device: str | None
    grants: str
    created_at: int
    revoked_at: int | None


class SubjectRecord(NamedTuple):
    """A holder in a collection of a client's. `ref` and `name` are the holder's; `pass_` was made for them there.

    A `lasting` one stays when its last enrolment goes.
    """

    collection: str
    holder: bytes
    ref: str
    name: str | None
    pass_: bytes
    lasting: bool
    created_at: int


class EnrolmentRecord(NamedTuple):
    """An id (16 bytes) that a client was answered when it enrolled somebody; `label` is its own word for it.

    `holder` and `ref` are None until the client says who it is.
    """

    id: bytes
    collection: str
    holder: bytes | None
    ref: str | None
    label: str | None
    created_at: int
