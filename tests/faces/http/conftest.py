"""Services for the tests of the API: the shared ones, and one of a test's own."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import make_settings
from tests.service import Service, running_service
from tests.shared import on_each_engine, on_one_loop, service, shared_service, shared_url

__all__ = ["lone_service", "service", "shared_service", "shared_url", "sqlite_service", "still_service"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_one_loop(items, Path(__file__).parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_each_engine(metafunc)


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
