"""Bundles: what a gate does without the network, and when that changed which a bundle says of passes and tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TAKEN_BACK = sa.text("kind = 'signed' AND (revoked_at IS NOT NULL OR blocked_at IS NOT NULL)")

_GATES = (
    "Check-in points.",
    "Check-in points. offline: whom they let in without the network, by a bundle no older than offline_max_stale_s.",
)
_PASSES_BEFORE = "What holders may do. scope, limits, counts: JSON. entries is kept only while max_entries is set."
_PASSES = (
    _PASSES_BEFORE,
    f"{_PASSES_BEFORE} changed_at: when that changed last which a bundle says of it, its holder's block included.",
)
_COMMENTS = {"gates": _GATES, "passes": _PASSES}


def upgrade() -> None:
    """Apply it."""
    op.add_column("gates", sa.Column("offline", sa.Text(), nullable=False, server_default=sa.text("'refuse'")))
    op.add_column(
        "gates", sa.Column("offline_max_stale_s", sa.Integer(), nullable=False, server_default=sa.text("14400"))
    )
    op.add_column("passes", sa.Column("changed_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_index(op.f("ix_passes_tenant_changed_at_idx"), "passes", ["tenant", "changed_at", "idx"], unique=False)
    op.create_index(
        "ix_tokens_taken_back",
        "tokens",
        ["tenant", "expires_at", "id"],
        unique=False,
        sqlite_where=_TAKEN_BACK,
        postgresql_where=_TAKEN_BACK,
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, (before, after) in _COMMENTS.items():
            op.create_table_comment(table, after, existing_comment=before)


def downgrade() -> None:
    """Take it back."""
    if op.get_bind().dialect.name == "postgresql":
        for table, (before, after) in _COMMENTS.items():
            op.create_table_comment(table, before, existing_comment=after)
    op.drop_index("ix_tokens_taken_back", "tokens")
    op.drop_index(op.f("ix_passes_tenant_changed_at_idx"), "passes")
    op.drop_column("passes", "changed_at")
    op.drop_column("gates", "offline_max_stale_s")
    op.drop_column("gates", "offline")
