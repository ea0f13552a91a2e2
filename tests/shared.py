"""A service on each engine that many tests share, where each has a tenant of its own: most need no other.

All run on one event loop, since a service lives within the loop that it was started in. A `conftest.py` takes these
fixtures over by importing them.
"""

import inspect
import itertools
import shutil
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import make_settings
from tests.postgres import PostgresServer
from tests.service import Service, running_service

_numbers = itertools.count(1)


def on_one_loop(items: list[pytest.Item], folder: Path) -> None:
    """Have the tests in the folder run on the loop of the session."""
    marker = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if item.path.is_relative_to(folder) and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(marker, append=False)


def on_each_engine(metafunc: pytest.Metafunc, *, files: Collection[str] | None = None) -> None:
    """Have every test with the shared service run on each engine; those of other files than `files` on SQLite alone."""
    if "shared_url" in metafunc.fixturenames:
        on_both = files is None or Path(metafunc.module.__file__ or "").stem in files
        engines = ["sqlite", "postgresql"] if on_both else ["sqlite"]
        metafunc.parametrize("shared_url", engines, indirect=True, scope="session")


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
