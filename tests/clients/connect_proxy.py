"""A proxy that leads an HTTPS client with a fixed host to a server on loopback.

It answers CONNECT for any host, ends the TLS itself under a certificate that nobody signed, and hands the plain HTTP on.
Only a client that checks no certificates goes along with it, as baidu-aip does.
"""

import asyncio
import datetime as dt
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CONNECTIONS_AT_ONCE = 16
HEAD_LIMIT_BYTES = 8192
CHUNK_BYTES = 65536
CONNECTION_LIMIT_S = 60.0
UP_WITHIN_S = 10.0


@contextmanager
def connect_proxy(port: int) -> Iterator[str]:
    """The address of a proxy that leads to that port of 127.0.0.1."""
    proxy = _Proxy(port)
    thread = threading.Thread(target=lambda: asyncio.run(proxy.run()), name="connect-proxy")
    thread.start()
    try:
        if not proxy.up.wait(UP_WITHIN_S):
            raise RuntimeError("the proxy did not come up")
        yield f"http://127.0.0.1:{proxy.own_port}"
    finally:
        proxy.stop()
        thread.join()


class _Proxy:
    def __init__(self, port: int) -> None:
        self.up = threading.Event()
        self.own_port = 0
        self._port = port
        self._tls = _tls_of_nobody()
        self._free = asyncio.Semaphore(CONNECTIONS_AT_ONCE)
        self._ended = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=HEAD_LIMIT_BYTES)
        self.own_port = server.sockets[0].getsockname()[1]
        self.up.set()
        await self._ended.wait()
        server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def stop(self) -> None:
        if self.up.is_set():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            async with self._free, asyncio.timeout(CONNECTION_LIMIT_S):
                await self._lead(reader, writer)
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the client sees its connection end, and that is all there is to say
        finally:
            writer.transport.abort()
            self._serving.discard(task)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(self._tls)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        ways = [asyncio.create_task(_carry(reader, to_server)), asyncio.create_task(_carry(from_server, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()


def _tls_of_nobody() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="gatepass-proxy-") as folder:
        pem = Path(folder) / "both.pem"
        pem.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context.load_cert_chain(pem)
    return context
