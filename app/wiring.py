"""The composition root: the one place where the parts are built and put together."""

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy
import structlog

from app.effects.calendar import ZoneInfoCalendar
from app.effects.clock import Clock, SystemClock
from app.effects.devices import Devices
from app.effects.entropy import Entropy, SystemEntropy
from app.effects.metrics import Metrics
from app.effects.picture_reader import PictureReader
from app.effects.sealing import (
    MasterKey,
    WrongMasterKey,
    make_master_key_file,
    parse_master_key,
    read_master_key,
)
from app.faces.dialects import DIALECTS
from app.services.bundles import Bundles
from app.services.connected import Connections
from app.services.context import Context, Network
from app.services.credentials import Credentials
from app.services.keychain import Keychain, prove_master_key
from app.services.last_seen import LastSeen
from app.services.lately import Lately
from app.services.purge import purge
from app.settings import Settings
from app.storage.failures import Unavailable
from app.storage.migrate import migrate, pending_migrations
from app.storage.sql_store import SqlStore, engine_of

REFRESH_S = 1.0
PURGE_S = 3600.0

_ADDRESS = re.compile(r"[1-9][0-9]{0,4}|(?=.*[a-z.])[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
"""A port, as it is written of what a request came to; or a host name in lower case, without a port."""

_log = structlog.get_logger()


class CannotStart(Exception):
    """Something that the operator has to mend first; the message says what."""


def prepare_database(settings: Settings, *, apply_migrations: bool | None = None) -> None:
    """See that the database is there and migrated. SQLite is migrated on the way, unless told otherwise.

    Raises `CannotStart`.
    """
    database = open_database(settings)
    try:
        if apply_migrations or (apply_migrations is None and database.dialect.name == "sqlite"):
            migrate(database)
        elif pending := pending_migrations(database):
            raise CannotStart(f"The database lacks {len(pending)} migration(s): run `gatepass migrate` first.")
    except sqlalchemy.exc.OperationalError as fault:
        raise CannotStart("The database does not answer. Is GATEPASS_DATABASE_URL right?") from fault
    finally:
        database.dispose()


def open_database(settings: Settings) -> sqlalchemy.Engine:
    """Connections to the database of the settings. Raises `CannotStart` for a URL that is none."""
    try:
        url = sqlalchemy.make_url(settings.database_url)
        return engine_of(url).open(url, timeout_s=30)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise CannotStart("GATEPASS_DATABASE_URL is neither a sqlite:/// nor a postgresql:// URL.") from None


def find_master_key(settings: Settings, entropy: Entropy) -> MasterKey:
    """The master key: from the environment, from its file, or from a new file beside a new SQLite database."""
    try:
        if settings.master_key is not None:
            return MasterKey(parse_master_key(settings.master_key.get_secret_value()))
        path = settings.master_key_file or settings.default_master_key_file()
        if path is None:
            raise CannotStart("Set GATEPASS_MASTER_KEY or GATEPASS_MASTER_KEY_FILE: openssl rand -hex 32")
        return MasterKey(_key_in(path, may_make=settings.master_key_file is None, entropy=entropy))
    except ValueError as fault:
        raise CannotStart(f"The master key cannot be read: {fault}.") from None


def _key_in(path: Path, *, may_make: bool, entropy: Entropy) -> bytes:
    try:
        return read_master_key(path)
    except FileNotFoundError:
        if not may_make:
            raise CannotStart("There is no file where GATEPASS_MASTER_KEY_FILE points.") from None
        return make_master_key_file(path, entropy)
    except OSError:
        raise CannotStart("The master key's file cannot be read.") from None


def network_of(settings: Settings) -> Network:
    """How callers reach the service, and whom it may call. Raises `CannotStart` for what cannot be read."""
    faces: dict[str, str] = {}
    for each in _listed(settings.faces):
        kind, _, address = each.lower().partition("=")
        if kind not in DIALECTS or kind in faces or address in faces.values() or not _ADDRESS.fullmatch(address):
            raise CannotStart(
                "GATEPASS_FACES and --face give a kind a port or a host name that no other has, like compreface=8801. "
                f"Kinds: {', '.join(DIALECTS)}."
            )
        faces[kind] = address
    try:
        devices = tuple(ipaddress.ip_network(each) for each in _listed(settings.device_networks))
    except ValueError:
        raise CannotStart("GATEPASS_DEVICE_NETWORKS is a list of networks like 192.0.2.0/24.") from None
    hosts, origins = _listed(settings.public_hosts), frozenset(_listed(settings.allowed_origins))
    return Network(settings.public_url, faces, hosts, origins, devices, tls=settings.tls_cert is not None)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for each in text.split(",") if (part := each.strip()))


@asynccontextmanager
async def running(
    settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None
) -> AsyncIterator[Context]:
    """The service without a face, from start to stop. The database has to be prepared. Raises `CannotStart`."""
    clock, entropy, calendar = clock or SystemClock(), entropy or SystemEntropy(), ZoneInfoCalendar()
    master_key = find_master_key(settings, entropy)
    async with contextlib.AsyncExitStack() as stack:
        store = SqlStore(settings.database_url, calendar, timeout_s=settings.settle_timeout_s)
        stack.push_async_callback(store.close)
        keychain = Keychain(store, clock, master_key)
        try:
            await store.write(lambda tx: prove_master_key(tx, master_key, clock, entropy))
            await keychain.refresh()
        except WrongMasterKey:
            raise CannotStart(
                "This is not the master key that the database was sealed under. Give back the one it had, in "
                "GATEPASS_MASTER_KEY or GATEPASS_MASTER_KEY_FILE; `gatepass master-key rotate` is how to change it."
            ) from None
        pictures = PictureReader(settings.picture_workers, timeout_s=settings.picture_timeout_s)
        stack.push_async_callback(pictures.close)
        network = network_of(settings)
        devices = Devices(network.devices)
        stack.push_async_callback(devices.close)
        credentials = Credentials(store, clock)
        bundles = Bundles(store, clock, calendar, keychain)
        stack.push_async_callback(bundles.close)
        context = Context(
            store=store,
            clock=clock,
            calendar=calendar,
            entropy=entropy,
            master_key=master_key,
            keychain=keychain,
            credentials=credentials,
            connections=Connections(store, clock, master_key),
            last_seen=LastSeen(store, clock, credentials),
            lately=Lately(clock),
            bundles=bundles,
            pictures=pictures,
            metrics=Metrics(),
            network=network,
            devices=devices,
        )
        for task in (_refresh(context), _purge(context)):
            stack.push_async_callback(_cancel, asyncio.create_task(task))
        yield context


async def _refresh(context: Context) -> None:
    """Have a revoked key and a rotated one known here within two seconds, and write down which devices called."""
    while True:
        await asyncio.sleep(REFRESH_S)
        try:
            await context.credentials.refresh()
            await context.keychain.refresh()
            await context.connections.refresh()
            await context.last_seen.write()
        except Unavailable:
            _log.warning("refresh_failed")
        except Exception as fault:  # noqa: BLE001  the next round may go well
            _log.error("refresh_failed", exc_info=fault)


async def _purge(context: Context) -> None:
    while True:
        try:
            await purge(context)
        except Unavailable:
            _log.warning("purge_failed")
        except Exception as fault:  # noqa: BLE001  the next round may go well
            _log.error("purge_failed", exc_info=fault)
        await asyncio.sleep(PURGE_S)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
