"""The line between a client and the service: a proxy on loopback that can be cut, and can lose answers."""

import contextlib
import math
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

_CHUNK_BYTES = 65536
_QUIET_S = 30.0


class Line(ThreadingTCPServer):
    """The proxy: `url` leads to the service at `target`. `lost` are the answers that were lost."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.is_cut = False
        self.to_lose: float = 0
        self.lost: list[bytes] = []
        self.opened: set[socket.socket] = set()

    def cut(self) -> None:
        """Nothing gets through any more, in either direction."""
        self.is_cut = True
        for each in list(self.opened):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """All gets through again, and no answer is lost."""
        self.is_cut, self.to_lose = False, 0

    @contextmanager
    def down(self) -> Iterator[None]:
        """Cut for a while."""
        self.cut()
        try:
            yield
        finally:
            self.is_cut = False

    def lead_to(self, address: str) -> None:
        """Lead to somebody else from now on."""
        with self.down():
            self.target = urlsplit(f"//{address}")

    @contextmanager
    def losing_answers(self, count: float = math.inf) -> Iterator[None]:
        """The service hears what is asked, and whoever asks does not hear what it says; for so many answers."""
        self.to_lose = count
        try:
            yield
        finally:
            self.to_lose = 0


class _Handler(BaseRequestHandler):
    server: Line

    def handle(self) -> None:
        if self.server.is_cut:
            return
        with socket.create_connection((self.server.target.hostname, self.server.target.port)) as upstream:
            both = {self.request, upstream}
            for each in both:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or small pieces wait for one another
            self.server.opened |= both
            try:
                self._pass_on(upstream)
            except OSError:
                return
            finally:
                self.server.opened -= both

    def _pass_on(self, upstream: socket.socket) -> None:
        while ready := select.select([self.request, upstream], [], [], _QUIET_S)[0]:
            data = ready[0].recv(_CHUNK_BYTES)
            if ready[0] is upstream and data and self.server.to_lose > 0:
                self.server.to_lose -= 1
                self.server.lost.append(data)
                return
            if not data:
                return
            (upstream if ready[0] is self.request else self.request).sendall(data)


@contextmanager
def line_to(target: str) -> Iterator[Line]:
    with Line(target) as line:
        thread = threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield line
        finally:
            with line.down():
                line.shutdown()
                thread.join()
