"""The rules of entry: schedules, occupancy, anti-passback, groups, undo, two proofs, carried credentials."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MADE = ("schedules", "credentials", "undos", "presences", "reservations", "audit_events")

_ZONES = (
    "Areas with people in them. path: JSON, the zone and those it lies in, innermost first; root: the last. "
    "local_time_zone, local_resets_at: its own or those of a zone around it. people: the live count, as of people_at."
)
_VERIFICATIONS = (
    "Attempts and their decisions. xact: what a reader of the feed by seq has to wait for. details: JSON, what few "
    "answers have. changes: JSON, what an undo puts back beside the use of the token."
)
_COMMENTS = {
    "zones": ("Areas with people in them. path: JSON, the zone and those it lies in, innermost first.", _ZONES),
    "passes": (
        "What holders may do. scope: JSON. entries is kept only while max_entries is set.",
        "What holders may do. scope, limits, counts: JSON. entries is kept only while max_entries is set.",
    ),
    "redemptions": (
        "Uses of tokens. Its primary key is the arbiter of one-time use.",
        "Uses of tokens. Its primary key is the arbiter of one-time use. reserved_until: a first proof waits.",
    ),
    "verifications": (
        "Attempts and their decisions. xact: what a reader of the feed by seq has to wait for.",
        _VERIFICATIONS,
    ),
}


def upgrade() -> None:
    """Apply it."""
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    if op.get_bind().dialect.name == "postgresql":
        for table, (before, after) in _COMMENTS.items():
            op.create_table_comment(table, after, existing_comment=before)
    outermost = "json_extract(path, '$[#-1]')" if op.get_bind().dialect.name == "sqlite" else "path::json ->> -1"
    op.execute(f"UPDATE zones SET root = {outermost}")
    _inherit_time_zones()
    op.create_index(op.f("ix_zones_tenant_root"), "zones", ["tenant", "root"], unique=False)
    op.create_index(op.f("ix_passes_tenant_schedule"), "passes", ["tenant", "schedule"], unique=False)
    _make_tables()


def _added() -> dict[str, tuple[sa.Column[object], ...]]:
    """New columns, by table: new ones at each call, since a column belongs to one table only."""
    return {
        "zones": (
            sa.Column("root", sa.Text(), nullable=False, server_default=sa.text("''")),
            sa.Column("local_time_zone", sa.Text()),
            sa.Column("counted", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("capacity", sa.Integer()),
            sa.Column("anti_passback", sa.Text(), nullable=False, server_default=sa.text("'off'")),
            sa.Column("forgive_after_s", sa.Integer()),
            sa.Column("resets_at", sa.Text()),
            sa.Column("local_resets_at", sa.Text()),
            sa.Column("people", sa.Integer(), nullable=False, server_default=sa.text("0")),
            sa.Column("people_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        ),
        "gates": (sa.Column("second_proof_s", sa.Integer(), nullable=False, server_default=sa.text("0")),),
        "holders": (sa.Column("blocked_at", sa.BigInteger()), sa.Column("blocked_reason", sa.Text())),
        "tokens": (sa.Column("blocked_at", sa.BigInteger()), sa.Column("blocked_reason", sa.Text())),
        "passes": (sa.Column("schedule", sa.Text()), sa.Column("limits", sa.Text()), sa.Column("counts", sa.Text())),
        "redemptions": (
            sa.Column("people", sa.Integer(), nullable=False, server_default=sa.text("1")),
            sa.Column("reserved_until", sa.BigInteger()),
        ),
        "verifications": (
            sa.Column("people", sa.Integer(), nullable=False, server_default=sa.text("1")),
            sa.Column("details", sa.Text()),
            sa.Column("changes", sa.Text()),
        ),
    }


def _inherit_time_zones() -> None:
    """A zone without a time zone of its own has that of the nearest zone around it."""
    zones = sa.table("zones", *(sa.column(name) for name in ("tenant", "id", "within", "time_zone", "local_time_zone")))
    rows = {(row.tenant, row.id): row for row in op.get_bind().execute(sa.select(zones))}
    for tenant, id_ in rows:
        zone = rows.get((tenant, id_))
        while zone is not None and zone.time_zone is None:
            zone = rows.get((tenant, zone.within))
        if zone is not None:
            of = (zones.c.tenant == tenant, zones.c.id == id_)
            op.execute(sa.update(zones).where(*of).values(local_time_zone=zone.time_zone))


def _make_tables() -> None:
    op.create_table(
        "schedules",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_schedules")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name=op.f("fk_schedules_tenant")),
        comment="When passes may be used. hours: JSON, windows of wall-clock time.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "credentials",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("pepper", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_at", sa.BigInteger()),
        sa.Column("blocked_reason", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("tenant", "lookup", name=op.f("uq_credentials_tenant_lookup")),
        sa.ForeignKeyConstraint(
            ["tenant", "holder"], ["holders.tenant", "holders.id"], name=op.f("fk_credentials_tenant")
        ),
        comment="Objects that holders carry already, never what is read from them. lookup: its keyed hash.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_credentials_tenant_holder"), "credentials", ["tenant", "holder"], unique=False)
    op.create_table(
        "undos",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("verification", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "verification", name=op.f("pk_undos")),
        comment="Admissions that were taken back. Its primary key keeps them from being taken back twice.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "presences",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "holder", "zone", name=op.f("pk_presences")),
        comment="Who is inside the zones that are counted: how many of a holder's party, since the latest entry.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reservations",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("use_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("let_in", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "gate", "holder", name=op.f("pk_reservations")),
        comment="First proofs at gates that want two. The second consumes both.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_events",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("holder", sa.LargeBinary()),
        sa.Column("zone", sa.Text()),
        sa.Column("subject", sa.LargeBinary()),
        sa.Column("before", sa.Integer()),
        sa.Column("after", sa.Integer()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_audit_events")),
        comment="What people at the desk did by hand, and why. subject: the token or credential concerned.",
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take it back."""
    for table in reversed(_MADE):
        op.drop_table(table)
    op.drop_index(op.f("ix_passes_tenant_schedule"), "passes")
    op.drop_index(op.f("ix_zones_tenant_root"), "zones")
    if op.get_bind().dialect.name == "postgresql":
        for table, (before, after) in _COMMENTS.items():
            op.create_table_comment(table, before, existing_comment=after)
    for table, columns in _added().items():
        for column in reversed(columns):
            op.drop_column(table, column.name)
