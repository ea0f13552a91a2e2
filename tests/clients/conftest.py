"""A served Gatepass for the real clients: one process for each file of tests, and a tenant for each test."""

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services.tenants import create_tenant
from app.wiring import running
from tests.clients.served_site import Site
from tests.conftest import make_settings
from tests.services.serving import served

_numbers = itertools.count(1)


class Gatepass:
    """A Gatepass that serves: its address, and the database behind it."""

    def __init__(self, url: str, database_url: str) -> None:
        self.url = url
        self.database_url = database_url

    def tenant(self) -> str:
        """The admin key of a new tenant, made as an operator makes it: beside the service, on its database."""

        async def made() -> str:
            async with running(make_settings(self.database_url)) as context:
                key = await create_tenant(context, f"site-{next(_numbers)}", "UTC")
                assert key.secret is not None
                return key.secret

        return asyncio.run(made())


@pytest.fixture(scope="module")
def gatepass_settings() -> dict[str, str]:
    """More of the service's environment; a file of tests that needs some has a fixture of this name."""
    return {}


@pytest.fixture(scope="module")
def gatepass(
    migrated_sqlite: Path, gatepass_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gatepass]:
    """A Gatepass in a process of its own, on a migrated SQLite."""
    folder = tmp_path_factory.mktemp("gatepass")
    shutil.copy(migrated_sqlite, folder / "gatepass.db")
    database_url = f"sqlite:///{folder / 'gatepass.db'}"
    with served(database_url, folder, **gatepass_settings) as serving:
        yield Gatepass(serving.url, database_url)


@pytest.fixture
def site(gatepass: Gatepass, tmp_path: Path) -> Iterator[Site]:
    """A tenant of the test's own, with nothing in it."""
    site = Site(gatepass.url, gatepass.tenant(), tmp_path)
    yield site
    site.close()


@pytest.fixture
def another_site(gatepass: Gatepass, tmp_path: Path) -> Iterator[Site]:
    """Another tenant of the same service."""
    folder = tmp_path / "another"
    folder.mkdir()
    site = Site(gatepass.url, gatepass.tenant(), folder)
    yield site
    site.close()
