"""Devices: kiosks, readers and terminals with a credential of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_API_KEYS = (
    "Credentials of callers, hashed. root: the first of a line of rolled keys.",
    "Credentials of callers, hashed. root: the first of a line of rolled keys; of a device's, the device.",
)


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "devices",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("side", sa.Text()),
        sa.Column("software", sa.Text()),
        sa.Column("battery", sa.Integer()),
        sa.Column("setup", sa.LargeBinary()),
        sa.Column("setup_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("setup_used_at", sa.BigInteger()),
        sa.Column("last_seen_at", sa.BigInteger()),
        sa.Column("initialized_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_devices")),
        sa.UniqueConstraint("setup", name=op.f("uq_devices_setup")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=op.f("fk_devices_tenant")),
        comment="Kiosks, readers and terminals. setup: a hash of the newest set-up token, which is good once.",
        sqlite_with_rowid=False,
    )
    op.add_column("api_keys", sa.Column("device", sa.LargeBinary()))
    op.create_index(op.f("ix_api_keys_tenant_device"), "api_keys", ["tenant", "device"], unique=False)
    _comment(*_API_KEYS)


def downgrade() -> None:
    """Take it back. The keys of devices would go on as other keys, so they go too."""
    op.execute("DELETE FROM api_keys WHERE device IS NOT NULL")
    _comment(*reversed(_API_KEYS))
    op.drop_index(op.f("ix_api_keys_tenant_device"), "api_keys")
    op.drop_column("api_keys", "device")
    op.drop_table("devices")


def _comment(before: str, after: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_table_comment("api_keys", after, existing_comment=before)
