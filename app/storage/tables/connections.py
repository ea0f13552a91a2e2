"""Connections: clients and readers that were made for face scanning, and whom they enrolled."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from .base import metadata, of_tenant, tenant_exists

connections = Table(
    "connections",
    metadata,
    of_tenant(),
    Column("id", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("gate", Text, nullable=False),
    Column("side", Text),
    Column("lookup", LargeBinary, nullable=False),
    Column("serial_lookup", LargeBinary),
    Column("sealed", LargeBinary),
    Column("device", Text),
    Column("grants", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("lookup"),
    UniqueConstraint("serial_lookup"),
    tenant_exists(),
    comment="Clients and readers that speak a dialect. lookup: a hash of the key they show; serial_lookup: of their "
    "serial number. sealed: JSON, what they sign with. device: JSON, where they are. grants: JSON, the pass of whom "
    "they enrol.",
    sqlite_with_rowid=False,
)

collections = Table(
    "collections",
    metadata,
    of_tenant(),
    Column("connection", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "connection", "name"),
    ForeignKeyConstraint(["tenant", "connection"], ["connections.tenant", "connections.id"]),
    comment="Named sets of subjects, as clients keep them.",
    sqlite_with_rowid=False,
)

subjects = Table(
    "subjects",
    metadata,
    of_tenant(),
    Column("connection", LargeBinary, nullable=False),
    Column("collection", Text, nullable=False),
    Column("holder", LargeBinary, nullable=False),
    Column("pass", LargeBinary, nullable=False, key="pass_"),
    Column("lasting", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "connection", "collection", "holder"),
    Index(None, "tenant", "holder"),
    ForeignKeyConstraint(
        ["tenant", "connection", "collection"],
        ["collections.tenant", "collections.connection", "collections.name"],
    ),
    ForeignKeyConstraint(["tenant", "holder"], ["holders.tenant", "holders.id"], name="fk_subjects_holder"),
    comment="Holders whom a client enrolled. pass: what was made for them. lasting: stays when its last enrolment "
    "goes.",
    sqlite_with_rowid=False,
)

enrolments = Table(
    "enrolments",
    metadata,
    of_tenant(),
    Column("connection", LargeBinary, nullable=False),
    Column("id", LargeBinary, nullable=False),
    Column("collection", Text, nullable=False),
    Column("holder", LargeBinary),
    Column("label", Text),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "connection", "id"),
    Index(None, "tenant", "connection", "collection", "holder", "id"),
    ForeignKeyConstraint(
        ["tenant", "connection", "collection"],
        ["collections.tenant", "collections.connection", "collections.name"],
    ),
    comment="Ids that clients were answered when they enrolled somebody. What they sent was dropped unseen.",
    sqlite_with_rowid=False,
)
