"""What tests of every floor share: databases of both engines, and a running service."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from app.logs import _places_only
from app.settings import Settings
from app.wiring import prepare_database
from tests.postgres import PostgresServer
from tests.service import Service, running_service

MASTER_KEY = "7f" * 32
_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    """Logs as in production, to where pytest finds them: structlog's own would draw every variable of a traceback."""
    structlog.configure(
        processors=[_places_only, structlog.processors.JSONRenderer(default=repr)],
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for this test process. Tests of durability make their own; here fsync is off for speed.

    In a folder of its own: another run of pytest would shut `nobody` out of pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="gatepass-postgresql-") as folder:
        server = PostgresServer(Path(folder), fsync="off", full_page_writes="off")
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied."""
    database = tmp_path_factory.mktemp("sqlite") / "template.db"
    prepare_database(make_settings(f"sqlite:///{database}"))
    return database


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: PostgresServer) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""
    postgresql_server.execute("CREATE DATABASE template_gatepass")
    prepare_database(make_settings(postgresql_server.url("template_gatepass")), apply_migrations=True)
    return "template_gatepass"


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    shutil.copy(migrated_sqlite, tmp_path / "gatepass.db")
    return f"sqlite:///{tmp_path / 'gatepass.db'}"


@pytest.fixture
def postgresql_url(postgresql_server: PostgresServer, migrated_postgresql: str) -> Iterator[str]:
    """A migrated PostgreSQL database of the test's own."""
    name = f"test_{next(_numbers)}"
    postgresql_server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_postgresql} STRATEGY file_copy")
    yield postgresql_server.url(name)
    postgresql_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """A running service on each engine."""
    async with running_service(make_settings(database_url)) as service:
        yield service


@pytest.fixture
async def sqlite_service(sqlite_url: str) -> AsyncIterator[Service]:
    """A running service on SQLite, for what does not depend on the engine."""
    async with running_service(make_settings(sqlite_url)) as service:
        yield service


def make_settings(url: str, **settings: object) -> Settings:
    """Settings for a database, as if from the environment. Patient, since the machine is busy with other tests."""
    patient = {"settle_timeout_s": 20, "picture_timeout_s": 10}
    return Settings.model_validate({"database_url": url, "master_key": MASTER_KEY, **patient, **settings})
