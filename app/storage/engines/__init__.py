"""The storage engines, by the scheme of their URL."""

from app.storage.engine import Engine

from .postgresql import ENGINE as POSTGRESQL
from .sqlite import ENGINE as SQLITE

ENGINES: dict[str, Engine] = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
