"""The shared services, where each kind of reader has a host name to itself: vguang.test, fcard.test and so on.

What all readers do, and the one that takes admissions back, is seen on each engine; the others ask of it the same.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.faces.readers import DIALECTS
from app.settings import Settings
from tests.conftest import make_settings
from tests.service import Service, running_service
from tests.shared import on_each_engine, on_one_loop, service, shared_url

__all__ = ["golden_service", "service", "shared_service", "shared_url"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_one_loop(items, Path(__file__).parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_each_engine(metafunc, files=("test_reading", "test_hikvision"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_service(shared_url: str) -> AsyncIterator[Service]:
    async with running_service(_with_hosts(shared_url)) as service:
        yield service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def golden_service(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service on SQLite for all golden exchanges: their bytes do not depend on the engine."""
    database = tmp_path_factory.mktemp("golden") / "gatepass.db"
    shutil.copy(migrated_sqlite, database)
    async with running_service(_with_hosts(f"sqlite:///{database}")) as service:
        yield service


def _with_hosts(url: str) -> Settings:
    kinds = [dialect.kind.name for dialect in DIALECTS]
    hosts = ",".join(f"{kind}={kind}.test" for kind in kinds)
    return make_settings(url, faces=hosts, device_networks="127.0.0.0/8")
