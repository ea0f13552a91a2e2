"""What happened at the gates, and what stands after it."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from .base import metadata, of_tenant

redemptions = Table(
    "redemptions",
    metadata,
    of_tenant(),
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
    of_tenant(),
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
    of_tenant(),
    Column("verification", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant", "verification"),
    comment="Admissions that were taken back. Its primary key keeps them from being taken back twice.",
    sqlite_with_rowid=False,
)


conflicts = Table(
    "conflicts",
    metadata,
    of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("verification", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("other", LargeBinary),
    Column("subject", LargeBinary, nullable=False),
    Column("found_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("tenant", "verification", "reason"),
    Index(None, "tenant", "subject"),
    comment="Admissions without the network that should not have been. other: the one that came first. subject: the "
    "token or pass that it is about, or the verification itself.",
    sqlite_with_rowid=False,
)


presences = Table(
    "presences",
    metadata,
    of_tenant(),
    Column("holder", LargeBinary, nullable=False),
    Column("zone", Text, nullable=False),
    Column("people", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("moved_at", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant", "holder", "zone"),
    comment="Who is inside the zones that are counted: how many of a holder's party, since the latest entry.",
    sqlite_with_rowid=False,
)


reservations = Table(
    "reservations",
    metadata,
    of_tenant(),
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
    of_tenant(),
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
    of_tenant(),
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
    of_tenant(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("spent", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "kind", "name"),
    comment="Wrong codes on a day, by holder number and by gate.",
    sqlite_with_rowid=False,
)
