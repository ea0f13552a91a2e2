"""Servers to be measured: each a process of its own, on a database of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from app.core.model import DAY
from app.services.tenants import create_tenant
from app.settings import Settings
from app.storage.records import GateRecord, ScheduleRecord, ZoneRecord
from app.storage.transaction import Transaction
from app.wiring import open_database, prepare_database, running
from bench.population import Population

MASTER_KEY = "b7" * 32
GATE = "main-door"
TURNSTILE = "turnstile"
"""A gate into a zone that is counted, with a capacity and anti-passback."""

_HOURS = '{"weekly": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "until": "24:00"}]}'
_LIMITS = '{"max_entries_per_day": 1000, "min_interval_s": 1}'
_UP_WITHIN_S = 30.0


class Server(NamedTuple):
    """A server process and the port it listens on."""

    port: int
    pid: int

    def peak_mib(self) -> float:
        """The largest resident memory of the serving process (MiB)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


class Site(NamedTuple):
    """A running Gatepass with people, and how to make more tokens for it.

    The members' passes have a window, a schedule, and are for a zone; those of the limited have limits too, by the day
    and of the time between entries.
    """

    server: Server
    key: str
    population: Population
    members: Population
    limited: Population


@contextmanager
def yardstick() -> Iterator[Server]:
    """The bare FastAPI route, served as Gatepass is."""
    port = _free_port()
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "bench.yardstick:app", "--port", str(port), *options]
    with _serving(command, port, "/echo", {}) as server:
        yield server


@asynccontextmanager
async def site(url: str, *, people: int, stored_tokens: int, workers: int = 1) -> AsyncIterator[Site]:
    """Gatepass on the database at `url`, which is filled first."""
    settings = Settings.model_validate({"database_url": url, "master_key": MASTER_KEY, "settle_timeout_s": 10})
    prepare_database(settings, apply_migrations=True)
    database = open_database(settings)
    async with running(settings) as app:
        key = (await create_tenant(app, "default", "UTC")).secret
        assert key is not None
        await app.store.write(partial(_furnish, now=app.clock.now()))
        population = Population(app, database)
        population.add_people(people)
        now, of_members = app.clock.now(), {"scope": '{"gates": [], "zones": ["gym"]}', "schedule": "always"}
        of_members |= {"valid_from": now - DAY, "valid_until": now + DAY}
        members = Population(app, database, before=people, **of_members)
        limited = Population(app, database, before=2 * people, **of_members, limits=_LIMITS)
        for each in (members, limited):
            each.add_people(people)
        population.add_stored_tokens(stored_tokens)
        if database.dialect.name == "postgresql":
            with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        port = _free_port()
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--workers", str(workers)]
        environment = {"GATEPASS_DATABASE_URL": url, "GATEPASS_MASTER_KEY": MASTER_KEY}
        with _serving(command, port, "/readyz", environment) as server:
            yield Site(server, key, population, members, limited)
    database.dispose()


def _furnish(tx: Transaction, now: int) -> None:
    """A plain gate, and one where every attempt is asked of a zone, a schedule and limits."""
    tx.zones.insert("default", ZoneRecord("gym", "Gym", None, '["gym"]', None, now, "gym", None, True, 10**6, "soft"))
    tx.schedules.insert("default", ScheduleRecord("always", "Always", _HOURS, now))
    tx.gates.insert("default", GateRecord(GATE, "Main door", "entry", None, None, 0, now))
    tx.gates.insert("default", GateRecord(TURNSTILE, "Turnstile", "entry", None, "gym", 0, now))


@contextmanager
def _serving(command: list[str], port: int, path: str, environment: dict[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _UP_WITHIN_S
        while not _answers(port, path):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError("the server did not start")
            time.sleep(0.1)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=_UP_WITHIN_S)


def _answers(port: int, path: str) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
