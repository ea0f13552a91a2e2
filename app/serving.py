"""Running the application under uvicorn, in one process or several."""

import asyncio
import fcntl
import gc
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy
import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from app.effects.certificate_files import good_until
from app.effects.clock import SystemClock
from app.logs import configure_logs
from app.settings import Settings
from app.storage.sql_store import engine_of
from app.wiring import CannotStart, network_of

_GC_THRESHOLD = 50_000
_BACKLOG = 2048
_LAST_PORT = 65_535
_SOON = timedelta(days=30)
_log = structlog.get_logger()


class Tls(NamedTuple):
    """What the service proves with who it is."""

    certificate: Path
    key: Path


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until a signal says to stop; dialects that have a port to themselves are served there too, without TLS.

    Raises `CannotStart`.
    """
    if workers > 1 and engine_of(sqlalchemy.make_url(settings.database_url)).one_writer:
        raise CannotStart("SQLite has one writer, so one process serves. For more workers, use PostgreSQL.")
    own = [int(address) for address in network_of(settings).faces.values() if address.isdigit()]
    if port in own or max(own, default=port) > _LAST_PORT:
        raise CannotStart("A dialect has a port up to 65535 to itself, and another than the service has.")
    tls = tls_of(settings)
    with alone(settings):
        _serve(tls, host=host, port=port, own=own, workers=workers)


def tls_of(settings: Settings) -> Tls | None:
    """The certificate of the settings and its key, which belong together and are good now; None for plain http.

    Raises `CannotStart`.
    """
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise CannotStart("A certificate and its key go together: give --tls-cert and --tls-key, or neither.")
    now = datetime.fromtimestamp(SystemClock().now() / 1_000_000, UTC)
    try:
        left = good_until(settings.tls_cert, settings.tls_key, now) - now
    except ValueError as fault:
        raise CannotStart(str(fault)) from None
    if left < _SOON:
        _log.warning("certificate_expires_soon", days=left.days)
    return Tls(settings.tls_cert, settings.tls_key)


def _serve(tls: Tls | None, *, host: str, port: int, own: Sequence[int], workers: int) -> None:
    with ExitStack() as stack:
        listening, *beside = [stack.enter_context(listen(host, each)) for each in (port, *own)]
        if workers == 1:
            uvicorn.Server(server_config(tls, beside)).run(sockets=[listening])
            return
    # Nobody else listens there, which sockets that share a port would not have noticed.
    with tempfile.TemporaryDirectory(prefix="gatepass-metrics-") as counts:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
        config = server_config(tls, [_SocketPerWorker(host, each) for each in own])
        config.workers = workers
        Multiprocess(config, sockets=[_SocketPerWorker(host, port)]).run()  # type: ignore[list-item]


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """On an engine for one process, see that no other serves the database. Raises `CannotStart`."""
    url = sqlalchemy.make_url(settings.database_url)
    if not engine_of(url).one_writer or not url.database:
        yield
        return
    with Path(f"{url.database}.serving").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                "Another process serves this database. SQLite is for one; for more, use PostgreSQL."
            ) from None
        yield


def server_config(tls: Tls | None = None, beside: Sequence[Any] = ()) -> uvicorn.Config:
    """How uvicorn runs Gatepass. `beside` are sockets, or become some in a worker, that it serves without TLS."""
    files = {} if tls is None else {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
    return _config(partial(make_tuned_app, beside), factory=True, **files)


def _config(app: Callable[..., Any], **more: Any) -> uvicorn.Config:  # noqa: ANN401  uvicorn's own
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=_Protocol,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=10,
        **more,
    )


def make_tuned_app(beside: Sequence[socket.socket] = ()) -> Any:  # noqa: ANN401  an ASGI application
    """The application, in a process that serves nothing else.

    The cyclic garbage collector walks all that was made at start, over and over, and requests wait: what is there now
    is set aside, and the rest is looked at seldom. Gatepass's own values make no cycles.
    """
    from app.main import make_app  # noqa: PLC0415  so that what it imports is set aside too

    configure_logs()
    app = make_app(beside=partial(_served_beside, beside))
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 50, 50)
    return app


@asynccontextmanager
async def _served_beside(sockets: Sequence[socket.socket], app: Callable[..., Any]) -> AsyncIterator[None]:
    """Serve the application at these sockets too, without TLS: a server of uvicorn's has one answer to that for all."""
    if not sockets:
        yield
        return
    server = _ServerBeside(_config(app, lifespan="off"))
    serving = asyncio.create_task(server.serve(list(sockets)))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _ServerBeside(uvicorn.Server):
    """A server that leaves signals to the one that it runs beside, and is stopped with it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, but that a tablet which sleeps does not hold up a stop."""

    def shutdown(self) -> None:
        """Take leave of a caller: at once where nothing is under way, since TLS would wait for it to take its leave."""
        sent = not self.transport.get_write_buffer_size()
        super().shutdown()
        if sent and self.transport.is_closing() and self.transport.get_extra_info("sslcontext"):
            self.transport.abort()


class _SocketPerWorker:
    """Stands for a listening socket that each worker opens for itself: handed to a worker's process, it becomes one.

    The kernel spreads connections evenly over sockets of one address, which it does not over one shared socket.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port

    def __reduce__(self) -> tuple[Callable[[str, int, bool], socket.socket], tuple[str, int, bool]]:
        return listen, (*self._address, True)

    def close(self) -> None:
        """Nothing is open here."""


def listen(host: str, port: int, shared: bool = False) -> socket.socket:  # noqa: FBT001, FBT002  see __reduce__
    """A listening socket; `shared` lets other processes listen beside it. Raises `CannotStart`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
    try:
        listening.bind((host, port))
    except OSError as fault:
        listening.close()
        raise CannotStart(f"Cannot listen on {host} port {port}: {fault.strerror}.") from None
    listening.listen(_BACKLOG)
    return listening
