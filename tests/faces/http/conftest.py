"""A service that many tests share, since what they ask of it is refused and leaves it as it was."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import make_settings
from tests.service import Service, running_service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def still_service(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service on SQLite with the gate `main-door` and nothing else. Its tests run on the session's event loop."""
    database = tmp_path_factory.mktemp("still") / "gatepass.db"
    shutil.copy(migrated_sqlite, database)
    async with running_service(make_settings(f"sqlite:///{database}")) as service:
        await service.gate()
        yield service
