"""Running the application under uvicorn, in one process or several."""

import fcntl
import gc
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
import uvicorn
from uvicorn.supervisors import Multiprocess

from app.logs import configure_logs
from app.settings import Settings
from app.storage.sql_store import engine_of
from app.wiring import CannotStart, network_of

_GC_THRESHOLD = 50_000
_BACKLOG = 2048
_LAST_PORT = 65_535


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until a signal says to stop; dialects that have a port to themselves are served there too.

    Raises `CannotStart`.
    """
    if workers > 1 and engine_of(sqlalchemy.make_url(settings.database_url)).one_writer:
        raise CannotStart("SQLite has one writer, so one process serves. For more workers, use PostgreSQL.")
    own = [int(address) for address in network_of(settings).faces.values() if address.isdigit()]
    if port in own or max(own, default=port) > _LAST_PORT:
        raise CannotStart("A dialect has a port up to 65535 to itself, and another than the service has.")
    with alone(settings):
        _serve(server_config(host, port), host=host, ports=[port, *own], workers=workers)


def _serve(config: uvicorn.Config, *, host: str, ports: Sequence[int], workers: int) -> None:
    with ExitStack() as stack:
        listening = [stack.enter_context(listen(host, port)) for port in ports]
        if workers == 1:
            uvicorn.Server(config).run(sockets=listening)
            return
    # Nobody else listens there, which sockets that share a port would not have noticed.
    with tempfile.TemporaryDirectory(prefix="gatepass-metrics-") as counts:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
        config.workers = workers
        Multiprocess(config, sockets=[_SocketPerWorker(host, port) for port in ports]).run()  # type: ignore[misc]


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


def server_config(host: str, port: int) -> uvicorn.Config:
    """How uvicorn runs Gatepass."""
    return uvicorn.Config(
        "app.serving:make_tuned_app",
        factory=True,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=10,
    )


def make_tuned_app() -> Any:  # noqa: ANN401  an ASGI application
    """The application, in a process that serves nothing else.

    The cyclic garbage collector walks all that was made at start, over and over, and requests wait: what is there now
    is set aside, and the rest is looked at seldom. Gatepass's own values make no cycles.
    """
    from app.main import make_app  # noqa: PLC0415  so that what it imports is set aside too

    configure_logs()
    app = make_app()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 50, 50)
    return app


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
