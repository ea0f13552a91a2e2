"""`gatepass serve` as a child of the test process, called over a real socket."""

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import MASTER_KEY

UP_WITHIN_S = 30.0
_ROOT = Path(__file__).resolve().parents[2]


class Served:
    """A server process and its address."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url

    def kill(self) -> None:
        """As a power cut would: nothing is finished, nothing is closed."""
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self) -> None:
        """As an operator would."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def served(
    database_url: str,
    folder: Path,
    *,
    workers: int = 1,
    options: Sequence[str] = (),
    trust: ssl.SSLContext | None = None,
    **settings: str,
) -> Iterator[Served]:
    """A server on a loopback port that answers. `settings` are more of its environment; `trust` where it speaks TLS."""
    port = free_port()
    arguments = ["serve", "--port", str(port), "--workers", str(workers), *options]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments],
            env=environment(database_url, **settings),
            cwd=_ROOT,
            stdout=log,
            stderr=log,
        )
    serving = Served(process, f"{'https' if trust else 'http'}://127.0.0.1:{port}")
    try:
        _wait_for(serving, folder / "serve.log", trust)
        yield serving
    finally:
        if process.poll() is None:
            serving.stop()


def environment(database_url: str, **other: str) -> dict[str, str]:
    """The environment that a Gatepass process of the tests runs in."""
    ours = {
        "GATEPASS_DATABASE_URL": database_url,
        "GATEPASS_MASTER_KEY": MASTER_KEY,
        "GATEPASS_PICTURE_WORKERS": "1",
    }
    return {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **ours, **other}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(serving: Served, log: Path, trust: ssl.SSLContext | None) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while True:
        try:
            if httpx.get(f"{serving.url}/readyz", timeout=2, verify=trust or True).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if serving.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text())
        time.sleep(0.05)


class Callers:
    """Many connections, over which requests are spread: a worker has about as many of them as another."""

    def __init__(self, clients: Sequence[httpx.AsyncClient], key: str) -> None:
        self._clients = clients
        self._headers = {"Authorization": f"Bearer {key}"}

    async def verify_all(self, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any] | None]:
        """The answers, in the order of the bodies; None where there was none."""
        answers: list[dict[str, Any] | None] = [None] * len(bodies)
        left = iter(range(len(bodies)))

        async def call(client: httpx.AsyncClient) -> None:
            for place in left:
                try:
                    answer = await client.post("/v1/verifications", json=bodies[place], headers=self._headers)
                except httpx.TransportError:
                    continue
                assert answer.status_code == 200, answer.text
                answers[place] = answer.json()

        await asyncio.gather(*(call(client) for client in self._clients))
        return answers


@asynccontextmanager
async def callers(url: str, key: str, *, connections: int = 16) -> AsyncIterator[Callers]:
    """Callers of a served Gatepass."""
    clients = [httpx.AsyncClient(base_url=url, timeout=10) for _ in range(connections)]
    try:
        yield Callers(clients, key)
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))
