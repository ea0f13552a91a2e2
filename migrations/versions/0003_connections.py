"""Connections: clients and readers that were made for face scanning, and whom they enrolled."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MADE = ("connections", "collections", "subjects", "enrolments")


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "connections",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("side", sa.Text()),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("serial_lookup", sa.LargeBinary()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("device", sa.Text()),
        sa.Column("grants", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_connections")),
        sa.UniqueConstraint("lookup", name=op.f("uq_connections_lookup")),
        sa.UniqueConstraint("serial_lookup", name=op.f("uq_connections_serial_lookup")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=op.f("fk_connections_tenant")),
        comment="Clients and readers that speak a dialect. lookup: a hash of the key they show; serial_lookup: of "
        "their serial number. sealed: JSON, what they sign with. device: JSON, where they are. grants: JSON, the pass "
        "of whom they enrol.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "collections",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("connection", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "connection", "name", name=op.f("pk_collections")),
        sa.ForeignKeyConstraint(
            ["tenant", "connection"], ["connections.tenant", "connections.id"], name=op.f("fk_collections_tenant")
        ),
        comment="Named sets of subjects, as clients keep them.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subjects",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("connection", sa.LargeBinary(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("pass", sa.LargeBinary(), nullable=False),
        sa.Column("lasting", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "connection", "collection", "holder", name=op.f("pk_subjects")),
        sa.ForeignKeyConstraint(
            ["tenant", "connection", "collection"],
            ["collections.tenant", "collections.connection", "collections.name"],
            name=op.f("fk_subjects_tenant"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "holder"], ["holders.tenant", "holders.id"], name=op.f("fk_subjects_holder")
        ),
        comment="Holders whom a client enrolled. pass: what was made for them. lasting: stays when its last enrolment "
        "goes.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_subjects_tenant_holder"), "subjects", ["tenant", "holder"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("connection", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("holder", sa.LargeBinary()),
        sa.Column("label", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "connection", "id", name=op.f("pk_enrolments")),
        sa.ForeignKeyConstraint(
            ["tenant", "connection", "collection"],
            ["collections.tenant", "collections.connection", "collections.name"],
            name=op.f("fk_enrolments_tenant"),
        ),
        comment="Ids that clients were answered when they enrolled somebody. What they sent was dropped unseen.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_enrolments_tenant_connection_collection_holder_id"),
        "enrolments",
        ["tenant", "connection", "collection", "holder", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Take it back."""
    for table in reversed(_MADE):
        op.drop_table(table)
