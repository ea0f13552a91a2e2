"""Devices: kiosks, readers and terminals with a credential of their own."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from .base import metadata, of_tenant, tenant_exists

devices = Table(
    "devices",
    metadata,
    of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("gate", Text, nullable=False),
    Column("side", Text),
    Column("software", Text),
    Column("battery", Integer),
    Column("setup", LargeBinary),
    Column("setup_expires_at", BigInteger, nullable=False),
    Column("setup_used_at", BigInteger),
    Column("last_seen_at", BigInteger),
    Column("initialized_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("setup"),
    tenant_exists(),
    comment="Kiosks, readers and terminals. setup: a hash of the newest set-up token, which is good once.",
    sqlite_with_rowid=False,
)
