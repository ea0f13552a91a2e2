"""A proxy on loopback that loses the first answer: the server has given it, and the client's connection just ends."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

_CHUNK_BYTES = 65536
_QUIET_S = 30.0


class LosingProxy(ThreadingTCPServer):
    """The proxy: `url` leads to the server at `target`; `lost` are the bytes that were lost."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lost = b""


class _Handler(BaseRequestHandler):
    server: LosingProxy

    def handle(self) -> None:
        with socket.create_connection((self.server.target.hostname, self.server.target.port)) as upstream:
            while ready := select.select([self.request, upstream], [], [], _QUIET_S)[0]:
                data = ready[0].recv(_CHUNK_BYTES)
                if ready[0] is upstream and not self.server.lost:
                    self.server.lost = data
                    return
                if not data:
                    return
                (upstream if ready[0] is self.request else self.request).sendall(data)


@contextmanager
def losing_proxy(target: str) -> Iterator[LosingProxy]:
    with LosingProxy(target) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
