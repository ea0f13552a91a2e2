"""The tables. `migrations/` makes them; a test holds the two against each other.

The tenant leads every primary key, so that the data can be cut by tenant. Ids are 16 bytes (UUIDv7), times BIGINT
microseconds UTC. What could grow without end has time-ordered keys, so that its indexes grow at one end.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

verification_seq = Sequence("verification_seq", metadata=metadata)
"""Numbers the verifications on PostgreSQL; on SQLite the one settler counts."""


def _of_tenant() -> Column[str]:
    return Column("tenant", Text, nullable=False)


def _tenant_exists() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant"], ["tenants.id"])


service = Table(
    "service",
    metadata,
    Column("name", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name"),
    comment="Facts about the installation itself: the proof that the master key is the right one.",
    sqlite_with_rowid=False,
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", LargeBinary, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("active_from", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
    Column("gone_at", BigInteger),
    PrimaryKeyConstraint("kid"),
    comment="The service's Ed25519 keys; the private part is sealed under the master key.",
    sqlite_with_rowid=False,
)

peppers = Table(
    "peppers",
    metadata,
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("version"),
    comment="The secrets under which opaque tokens are hashed, sealed under the master key.",
    sqlite_with_rowid=False,
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("next_number", BigInteger, nullable=False),
    Column("idx_block", Integer, nullable=False),
    Column("idx_drawn", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    comment="Organisations whose data is kept apart. idx_drawn: 4,096 bits, the places drawn in the current block.",
    sqlite_with_rowid=False,
)

zones = Table(
    "zones",
    metadata,
    _of_tenant(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("within", Text),
    Column("path", Text, nullable=False),
    Column("time_zone", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("root", Text, nullable=False, server_default=text("''")),
    Column("local_time_zone", Text),
    Column("counted", Boolean, nullable=False, server_default=false()),
    Column("capacity", Integer),
    Column("anti_passback", Text, nullable=False, server_default=text("'off'")),
    Column("forgive_after_s", Integer),
    Column("resets_at", Text),
    Column("local_resets_at", Text),
    Column("people", Integer, nullable=False, server_default=text("0")),
    Column("people_at", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant", "id"),
    Index(None, "tenant", "root"),
    _tenant_exists(),
    comment="Areas with people in them. path: JSON, the zone and those it lies in, innermost first; root: the last. "
    "local_time_zone, local_resets_at: its own or those of a zone around it. people: the live count, as of people_at.",
    sqlite_with_rowid=False,
)

schedules = Table(
    "schedules",
    metadata,
    _of_tenant(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hours", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "id"),
    _tenant_exists(),
    comment="When passes may be used. hours: JSON, windows of wall-clock time.",
    sqlite_with_rowid=False,
)

gates = Table(
    "gates",
    metadata,
    _of_tenant(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("from_zone", Text),
    Column("into_zone", Text),
    Column("repeat_window_s", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("second_proof_s", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant", "id"),
    _tenant_exists(),
    comment="Check-in points.",
    sqlite_with_rowid=False,
)

holders = Table(
    "holders",
    metadata,
    _of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("ref", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("name", Text),
    Column("live_code", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    Column("blocked_at", BigInteger),
    Column("blocked_reason", Text),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("tenant", "ref"),
    UniqueConstraint("tenant", "number"),
    _tenant_exists(),
    comment="People who enter. live_code: the newest code's token, the only one that is good.",
    sqlite_with_rowid=False,
)

passes = Table(
    "passes",
    metadata,
    _of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("holder", LargeBinary, nullable=False),
    Column("scope", Text, nullable=False),
    Column("valid_from", BigInteger),
    Column("valid_until", BigInteger),
    Column("max_entries", Integer),
    Column("entries", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_reason", Text),
    Column("status_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("schedule", Text),
    Column("limits", Text),
    Column("counts", Text),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("tenant", "idx"),
    Index(None, "tenant", "holder", "id"),
    ForeignKeyConstraint(["tenant", "holder"], ["holders.tenant", "holders.id"]),
    Index(None, "tenant", "schedule"),
    comment="What holders may do. scope, limits, counts: JSON. entries is kept only while max_entries is set.",
    sqlite_with_rowid=False,
)

tokens = Table(
    "tokens",
    metadata,
    _of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("pass", LargeBinary, nullable=False, key="pass_"),
    Column("lookup", LargeBinary),
    Column("pepper", Integer),
    Column("kid", LargeBinary),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("gate", Text),
    Column("reusable", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("revoked_at", BigInteger),
    Column("blocked_at", BigInteger),
    Column("blocked_reason", Text),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("tenant", "lookup"),
    ForeignKeyConstraint(["tenant", "pass_"], ["passes.tenant", "passes.id"]),
    comment="Proofs of passes, never their text. lookup: the keyed hash of an opaque one.",
    sqlite_with_rowid=False,
)

credentials = Table(
    "credentials",
    metadata,
    _of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("holder", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lookup", LargeBinary, nullable=False),
    Column("pepper", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("blocked_at", BigInteger),
    Column("blocked_reason", Text),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("tenant", "lookup"),
    Index(None, "tenant", "holder"),
    ForeignKeyConstraint(["tenant", "holder"], ["holders.tenant", "holders.id"]),
    comment="Objects that holders carry already, never what is read from them. lookup: its keyed hash.",
    sqlite_with_rowid=False,
)

redemptions = Table(
    "redemptions",
    metadata,
    _of_tenant(),
    Column("token", LargeBinary, nullable=False),
    Column("use_no", Integer, nullable=False),
    Column("verification", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("gate", Text, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    Column("direction", Text, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("voided_at", BigInteger),
    Column("people", Integer, nullable=False, server_default=text("1")),
    Column("reserved_until", BigInteger),
    PrimaryKeyConstraint("tenant", "token", "use_no"),
    comment="Uses of tokens. Its primary key is the arbiter of one-time use. reserved_until: a first proof waits.",
    sqlite_with_rowid=False,
)

verifications = Table(
    "verifications",
    metadata,
    _of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("xact", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("gate", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("flags", Text, nullable=False),
    Column("kind", Text),
    Column("token", LargeBinary),
    Column("pass", LargeBinary, key="pass_"),
    Column("holder", LargeBinary),
    Column("credential", LargeBinary, nullable=False),
    Column("request_id", Text),
    Column("people", Integer, nullable=False, server_default=text("1")),
    Column("details", Text),
    Column("changes", Text),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("tenant", "seq"),
    Index(None, "tenant", "gate", "id"),
    Index(None, "tenant", "pass_", "id"),
    comment="Attempts and their decisions. xact: what a reader of the feed by seq has to wait for. "
    "details: JSON, what few answers have. changes: JSON, what an undo puts back beside the use of the token.",
    sqlite_with_rowid=False,
)

undos = Table(
    "undos",
    metadata,
    _of_tenant(),
    Column("verification", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant", "verification"),
    comment="Admissions that were taken back. Its primary key keeps them from being taken back twice.",
    sqlite_with_rowid=False,
)

presences = Table(
    "presences",
    metadata,
    _of_tenant(),
    Column("holder", LargeBinary, nullable=False),
    Column("zone", Text, nullable=False),
    Column("people", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "holder", "zone"),
    comment="Who is inside the zones that are counted: how many of a holder's party, since the latest entry.",
    sqlite_with_rowid=False,
)

reservations = Table(
    "reservations",
    metadata,
    _of_tenant(),
    Column("gate", Text, nullable=False),
    Column("holder", LargeBinary, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("use_no", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("people", Integer, nullable=False),
    Column("let_in", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", "gate", "holder"),
    comment="First proofs at gates that want two. The second consumes both.",
    sqlite_with_rowid=False,
)

audit_events = Table(
    "audit_events",
    metadata,
    _of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    Column("reason", Text),
    Column("holder", LargeBinary),
    Column("zone", Text),
    Column("subject", LargeBinary),
    Column("before", Integer),
    Column("after", Integer),
    PrimaryKeyConstraint("tenant", "id"),
    comment="What people at the desk did by hand, and why. subject: the token or credential concerned.",
    sqlite_with_rowid=False,
)

request_ids = Table(
    "request_ids",
    metadata,
    _of_tenant(),
    Column("credential", LargeBinary, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("verification", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("replays", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", "credential", "request_id"),
    Index(None, "at"),
    comment="What makes a retry safe: the first answer to a request id. content: a keyed hash of what was asked.",
    sqlite_with_rowid=False,
)

budgets = Table(
    "budgets",
    metadata,
    _of_tenant(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("spent", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "kind", "name"),
    comment="Wrong codes on a day, by holder number and by gate.",
    sqlite_with_rowid=False,
)

api_keys = Table(
    "api_keys",
    metadata,
    _of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("gate", Text),
    Column("side", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("hash"),
    _tenant_exists(),
    comment="Credentials of callers, hashed. root: the first of a line of rolled keys.",
    sqlite_with_rowid=False,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _of_tenant(),
    Column("credential", LargeBinary, nullable=False),
    Column("key", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("resource", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "credential", "key"),
    Index(None, "at"),
    comment="What makes a repeated create safe: the resource that the first one made.",
    sqlite_with_rowid=False,
)
