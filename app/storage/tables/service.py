"""The service itself: its secrets, its tenants, and who may call it."""

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
)

from .base import metadata, of_tenant, tenant_exists

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


api_keys = Table(
    "api_keys",
    metadata,
    of_tenant(),
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
    Column("device", LargeBinary),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("hash"),
    Index(None, "tenant", "device"),
    tenant_exists(),
    comment="Credentials of callers, hashed. root: the first of a line of rolled keys; of a device's, the device.",
    sqlite_with_rowid=False,
)


idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    of_tenant(),
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
