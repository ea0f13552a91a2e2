"""Applying migrations, and telling which are missing."""

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def alembic_config(database: sqlalchemy.Engine | None = None) -> Config:
    """Alembic's configuration. It is made here, so that there is no file with a URL in it to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = database
    return config


def migrate(database: sqlalchemy.Engine, revision: str = "head") -> None:
    """Bring the database to `revision`."""
    command.upgrade(alembic_config(database), revision)


def downgrade(database: sqlalchemy.Engine, revision: str) -> None:
    """Take the database back to `revision`; "base" is empty."""
    command.downgrade(alembic_config(database), revision)


def pending_migrations(database: sqlalchemy.Engine) -> list[str]:
    """The revisions that are not applied yet, oldest first."""
    script = ScriptDirectory.from_config(alembic_config())
    with database.connect() as connection:
        applied = MigrationContext.configure(connection).get_current_heads()
    return [each.revision for each in script.iterate_revisions("heads", applied or "base")][::-1]
