"""A closed-loop load generator: keep-alive connections that each send the next request once the last is answered.

Requests are made beforehand as bytes, and answers are hardly looked at, so that on a machine with two cores one of them
is left to the server.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast


class Run(NamedTuple):
    """What one run gave: latencies in seconds, in order of their answers, and how many answers held the mark."""

    seconds: float
    latencies: list[float]
    marked: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """The latency in milliseconds that `percent` of the answers did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


def request(path: str, body: bytes, key: str = "", content_type: str = "application/json") -> bytes:
    """A POST as bytes."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, requests: Sequence[bytes], connections: int, mark: bytes) -> Run:
    """Send each request once over `connections` connections to a port of this machine."""
    loop = asyncio.get_running_loop()
    left = iter(requests)
    clients = [_Client(left, mark) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    started = time.perf_counter()
    for client in clients:
        client.next()
    await asyncio.gather(*(client.finished for client in clients))
    seconds = time.perf_counter() - started
    for client in clients:
        client.transport.close()
    return Run(seconds, [each for client in clients for each in client.latencies], sum(each.marked for each in clients))


class _Client(asyncio.Protocol):
    def __init__(self, left: Iterator[bytes], mark: bytes) -> None:
        self._left = left
        self._mark = mark
        self._received = b""
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.marked = 0
        self.finished = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def next(self) -> None:
        """Send the next request, if one is left."""
        following = next(self._left, None)
        if following is None:
            if not self.finished.done():
                self.finished.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self.transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._received) < end + 4 + length:
            return
        self.latencies.append(time.perf_counter() - self._sent_at)
        self.marked += self._mark in self._received
        self._received = b""
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(exc or ConnectionError("the server closed the connection"))
