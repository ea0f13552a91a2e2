"""Services for the tests of the API. Most tests share one on each engine, where each has a tenant of its own.

All run on one event loop, since a service lives within the loop that it was started in.
"""

import inspect
import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import make_settings
from tests.postgres import PostgresServer
from tests.service import Service, running_service

_numbers = itertools.count(1)
_here = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_one_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if item.path.is_relative_to(_here) and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(on_one_loop, append=False)


@pytest.fixture(scope="session")
def shared_url(
    request: pytest.FixtureRequest,
    postgresql_server: PostgresServer,
    migrated_sqlite: Path,
    migrated_postgresql: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A migrated database on one engine, for as long as the tests run."""
    if request.param == "sqlite":
        database = tmp_path_factory.mktemp("shared") / "gatepass.db"
        shutil.copy(migrated_sqlite, database)
        return f"sqlite:///{database}"
    name = f"shared_{next(_numbers)}"  # made again where tests of both engines come in turns
    postgresql_server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_postgresql} STRATEGY file_copy")
    return postgresql_server.url(name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_service(shared_url: str) -> AsyncIterator[Service]:
    async with running_service(make_settings(shared_url)) as service:
        await service.context.pictures.warm_up()
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def service(shared_service: Service) -> Service:
    """A tenant of the test's own, on each engine."""
    return await shared_service.tenant(f"tenant-{next(_numbers)}")


@pytest_asyncio.fixture(loop_scope="session")
async def lone_service(database_url: str) -> AsyncIterator[Service]:
    """A service of the test's own, on each engine."""
    async with running_service(make_settings(database_url)) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def sqlite_service(sqlite_url: str) -> AsyncIterator[Service]:
    """A service of the test's own, for what does not depend on the engine."""
    async with running_service(make_settings(sqlite_url)) as service:
        yield service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def still_service(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service on SQLite with the gate `main-door`, for tests whose requests leave it as it was."""
    database = tmp_path_factory.mktemp("still") / "gatepass.db"
    shutil.copy(migrated_sqlite, database)
    async with running_service(make_settings(f"sqlite:///{database}")) as service:
        await service.gate()
        yield service


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shared_url" in metafunc.fixturenames:
        metafunc.parametrize("shared_url", ["sqlite", "postgresql"], indirect=True, scope="session")
