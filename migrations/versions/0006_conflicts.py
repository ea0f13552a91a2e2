"""Conflicts: admissions without the network that should not have been; and when people moved and were counted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "conflicts",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("verification", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("other", sa.LargeBinary()),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_conflicts")),
        sa.UniqueConstraint("tenant", "verification", "reason", name=op.f("uq_conflicts_tenant_verification_reason")),
        comment="Admissions without the network that should not have been. other: the one that came first. subject: "
        "the token or pass that it is about, or the verification itself.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_conflicts_tenant_subject"), "conflicts", ["tenant", "subject"], unique=False)
    op.add_column("presences", sa.Column("moved_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("zones", sa.Column("recounted_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("zones", "recounted_at")
    op.drop_column("presences", "moved_at")
    op.drop_index(op.f("ix_conflicts_tenant_subject"), "conflicts")
    op.drop_table("conflicts")
