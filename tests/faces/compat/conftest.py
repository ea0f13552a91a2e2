"""The shared services, a tenant for each test: one dialect is seen on each engine, the others ask of it the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import make_settings
from tests.service import Service, running_service
from tests.shared import on_each_engine, on_one_loop, service, shared_service, shared_url

__all__ = ["service", "shared_service", "shared_url", "sqlite_service"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_one_loop(items, Path(__file__).parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_each_engine(metafunc, files=("test_compreface",))


@pytest_asyncio.fixture(loop_scope="session")
async def sqlite_service(sqlite_url: str) -> AsyncIterator[Service]:
    """A service of the test's own, for what does not depend on the engine."""
    async with running_service(make_settings(sqlite_url)) as service:
        yield service
