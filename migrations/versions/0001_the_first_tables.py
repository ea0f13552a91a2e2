"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("verification_seq")))
    op.create_table(
        "budgets",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "name", name=op.f("pk_budgets")),
        comment="Wrong codes on a day, by holder number and by gate.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "credential", "key", name=op.f("pk_idempotency_keys")),
        comment="What makes a repeated create safe: the resource that the first one made.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_idempotency_keys_at"), "idempotency_keys", ["at"], unique=False)
    op.create_table(
        "peppers",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_peppers")),
        comment="The secrets under which opaque tokens are hashed, sealed under the master key.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "redemptions",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("use_no", sa.Integer(), nullable=False),
        sa.Column("verification", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("voided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "token", "use_no", name=op.f("pk_redemptions")),
        comment="Uses of tokens. Its primary key is the arbiter of one-time use.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "request_ids",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("verification", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("replays", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "credential", "request_id", name=op.f("pk_request_ids")),
        comment="What makes a retry safe: the first answer to a request id. content: a keyed hash of what was asked.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_request_ids_at"), "request_ids", ["at"], unique=False)
    op.create_table(
        "service",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service")),
        comment="Facts about the installation itself: the proof that the master key is the right one.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("active_from", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_keys")),
        comment="The service's Ed25519 keys; the private part is sealed under the master key.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("idx_block", sa.Integer(), nullable=False),
        sa.Column("idx_drawn", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        comment="Organisations whose data is kept apart. idx_drawn: 4,096 bits, the places drawn in the current block.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verifications",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("xact", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("pass", sa.LargeBinary(), nullable=True),
        sa.Column("holder", sa.LargeBinary(), nullable=True),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_verifications")),
        sa.UniqueConstraint("tenant", "seq", name=op.f("uq_verifications_tenant_seq")),
        comment="Attempts and their decisions. xact: what a reader of the feed by seq has to wait for.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_verifications_tenant_gate_id"), "verifications", ["tenant", "gate", "id"], unique=False)
    op.create_index(op.f("ix_verifications_tenant_pass_id"), "verifications", ["tenant", "pass", "id"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=True),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=op.f("fk_api_keys_tenant")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
        comment="Credentials of callers, hashed. root: the first of a line of rolled keys.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gates",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("from_zone", sa.Text(), nullable=True),
        sa.Column("into_zone", sa.Text(), nullable=True),
        sa.Column("repeat_window_s", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=op.f("fk_gates_tenant")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_gates")),
        comment="Check-in points.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "holders",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("live_code", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=op.f("fk_holders_tenant")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_holders")),
        sa.UniqueConstraint("tenant", "number", name=op.f("uq_holders_tenant_number")),
        sa.UniqueConstraint("tenant", "ref", name=op.f("uq_holders_tenant_ref")),
        comment="People who enter. live_code: the newest code's token, the only one that is good.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "zones",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("within", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=op.f("fk_zones_tenant")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_zones")),
        comment="Areas with people in them. path: JSON, the zone and those it lies in, innermost first.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "passes",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("max_entries", sa.Integer(), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("status_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant", "holder"], ["holders.tenant", "holders.id"], name=op.f("fk_passes_tenant")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_passes")),
        sa.UniqueConstraint("tenant", "idx", name=op.f("uq_passes_tenant_idx")),
        comment="What holders may do. scope: JSON. entries is kept only while max_entries is set.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_passes_tenant_holder_id"), "passes", ["tenant", "holder", "id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pass", sa.LargeBinary(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=True),
        sa.Column("pepper", sa.Integer(), nullable=True),
        sa.Column("kid", sa.LargeBinary(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=True),
        sa.Column("reusable", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant", "pass"], ["passes.tenant", "passes.id"], name=op.f("fk_tokens_tenant")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("tenant", "lookup", name=op.f("uq_tokens_tenant_lookup")),
        comment="Proofs of passes, never their text. lookup: the keyed hash of an opaque one.",
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("tokens")
    op.drop_index(op.f("ix_passes_tenant_holder_id"), table_name="passes")
    op.drop_table("passes")
    op.drop_table("zones")
    op.drop_table("holders")
    op.drop_table("gates")
    op.drop_table("api_keys")
    op.drop_index(op.f("ix_verifications_tenant_pass_id"), table_name="verifications")
    op.drop_index(op.f("ix_verifications_tenant_gate_id"), table_name="verifications")
    op.drop_table("verifications")
    op.drop_table("tenants")
    op.drop_table("signing_keys")
    op.drop_table("service")
    op.drop_index(op.f("ix_request_ids_at"), table_name="request_ids")
    op.drop_table("request_ids")
    op.drop_table("redemptions")
    op.drop_table("peppers")
    op.drop_index(op.f("ix_idempotency_keys_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("budgets")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.DropSequence(sa.Sequence("verification_seq")))
