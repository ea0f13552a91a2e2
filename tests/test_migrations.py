"""Migrations: they make exactly the tables of `app/storage/tables/`, and leave nothing behind when taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from typer.testing import CliRunner

from app.cli import cli
from app.storage.migrate import MIGRATIONS, downgrade, migrate, pending_migrations
from app.storage.tables import metadata
from app.wiring import CannotStart, open_database, prepare_database
from tests.conftest import make_settings
from tests.postgres import PostgresServer

REVISIONS = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    server.execute("CREATE DATABASE empty")
    yield server.url("empty")
    server.execute("DROP DATABASE empty WITH (FORCE)")


@pytest.fixture
def empty(empty_url: str) -> Iterator[sqlalchemy.Engine]:
    """Connections to it."""
    database = open_database(make_settings(empty_url))
    yield database
    database.dispose()


def what_is_there(database: sqlalchemy.Engine) -> set[str]:
    """All tables, indexes and sequences, by kind and name."""
    if database.dialect.name == "sqlite":
        query = "SELECT type || ' ' || name FROM sqlite_master"
    else:
        query = "SELECT relkind::text || ' ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    with database.connect() as connection:
        return set(connection.execute(sqlalchemy.text(query)).scalars())


def test_up_and_down_and_up_again(empty: sqlalchemy.Engine) -> None:
    assert what_is_there(empty) == set()
    assert pending_migrations(empty) == REVISIONS
    migrate(empty)
    made = what_is_there(empty)
    assert pending_migrations(empty) == []
    downgrade(empty, "base")
    assert {each for each in what_is_there(empty) if "alembic_version" not in each} == set()
    assert pending_migrations(empty) == REVISIONS
    migrate(empty)
    assert what_is_there(empty) == made
    migrate(empty)
    assert what_is_there(empty) == made


def test_the_migrated_tables_are_those_of_the_code(empty: sqlalchemy.Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        there = inspect(connection)
        assert set(there.get_table_names()) == {*metadata.tables, "alembic_version"}
        for table in metadata.tables.values():
            assert described(there, table.name) == intended(table), table.name
        if empty.dialect.name == "postgresql":
            assert there.get_sequence_names() == ["verification_seq"]


def described(there: sqlalchemy.Inspector, table: str) -> dict[str, Any]:
    columns = there.get_columns(table)
    return {
        "columns": [(column["name"], column["nullable"]) for column in columns],
        "primary key": there.get_pk_constraint(table)["constrained_columns"],
        "unique": {tuple(each["column_names"]) for each in there.get_unique_constraints(table)},
        "indexes": {
            (each["name"], tuple(each["column_names"]))
            for each in there.get_indexes(table)
            if not each.get("duplicates_constraint")
        },
        "foreign keys": {
            (tuple(each["constrained_columns"]), each["referred_table"], tuple(each["referred_columns"]))
            for each in there.get_foreign_keys(table)
        },
    }


def intended(table: sqlalchemy.Table) -> dict[str, Any]:
    unique = [each for each in table.constraints if isinstance(each, sqlalchemy.UniqueConstraint)]
    return {
        "columns": [(column.name, bool(column.nullable)) for column in table.columns],
        "primary key": [column.name for column in table.primary_key],
        "unique": {tuple(column.name for column in each.columns) for each in unique},
        "indexes": {(each.name, tuple(column.name for column in each.columns)) for each in table.indexes},
        "foreign keys": {
            (
                tuple(column.name for column in each.columns),
                each.referred_table.name,
                tuple(element.column.name for element in each.elements),
            )
            for each in table.foreign_key_constraints
        },
    }


def test_the_tenant_leads_every_primary_key_but_those_of_the_service_itself() -> None:
    led = {name: next(iter(table.primary_key)).name for name, table in metadata.tables.items()}
    of_the_service = {"service": "name", "signing_keys": "kid", "peppers": "version", "tenants": "id"}
    assert {name: column for name, column in led.items() if column != "tenant"} == of_the_service


def test_a_missing_migration_is_a_clear_refusal_to_start_and_gatepass_migrate_applies_it(
    postgresql_server: PostgresServer,
) -> None:
    postgresql_server.execute("CREATE DATABASE unmigrated")
    settings = make_settings(postgresql_server.url("unmigrated"))
    with pytest.raises(CannotStart, match=rf"lacks {len(REVISIONS)} migration\(s\): run `gatepass migrate` first"):
        prepare_database(settings)
    environment = {"GATEPASS_DATABASE_URL": settings.database_url, "GATEPASS_MASTER_KEY": "7f" * 32}
    refused = CliRunner().invoke(cli, ["serve", "--port", "1"], env=environment)
    assert refused.exit_code == 1
    assert (
        refused.stderr == f"gatepass: The database lacks {len(REVISIONS)} migration(s): run `gatepass migrate` first.\n"
    )
    applied = CliRunner().invoke(cli, ["migrate"], env=environment)
    assert (applied.exit_code, applied.stdout) == (0, "The database is up to date.\n")
    prepare_database(settings)
    postgresql_server.execute("DROP DATABASE unmigrated")


def test_sqlite_is_migrated_on_the_way(tmp_path: Path) -> None:
    settings = make_settings(f"sqlite:///{tmp_path / 'new.db'}")
    prepare_database(settings)
    database = open_database(settings)
    assert pending_migrations(database) == []
    database.dispose()
