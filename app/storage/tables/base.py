"""What all tables share."""

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, Sequence, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

verification_seq = Sequence("verification_seq", metadata=metadata)
"""Numbers the verifications on PostgreSQL; on SQLite the one settler counts."""


def of_tenant() -> Column[str]:
    """The column that leads every primary key."""
    return Column("tenant", Text, nullable=False)


def tenant_exists() -> ForeignKeyConstraint:
    """That there is such a tenant."""
    return ForeignKeyConstraint(["tenant"], ["tenants.id"])
