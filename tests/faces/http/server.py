"""`gatepass serve` as an operator runs it: a process of its own, on a free port of the loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import MASTER_KEY

_GATEPASS = (sys.executable, "-m", "app.cli")
_ROOT = Path(__file__).parents[3]


class Server:
    """A server that answers, its first tenant's key, and where its standard error goes."""

    def __init__(self, port: int, key: str, log: Path, folder: Path) -> None:
        self.port = port
        self.key = key
        self.log = log
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    def connect(self, timeout_s: float = 15.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=15)

    def lines(self) -> list[dict[str, Any]]:
        """The log: every line has to be a JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait_for_line(self, text: str) -> None:
        """Until the log has `text` in it: a line is written beside its answer, not before it."""
        deadline = time.monotonic() + 5
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, text
            time.sleep(0.02)


@contextmanager
def served(folder: Path, database_url: str | None = None) -> Iterator[Server]:
    """A server on a database of its own, with its working and temporary folders inside `folder`."""
    for name in ("work", "tmp"):
        (folder / name).mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_ROOT),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder / "tmp"),
        "GATEPASS_DATABASE_URL": database_url or f"sqlite:///{folder / 'gatepass.db'}",
        "GATEPASS_MASTER_KEY": MASTER_KEY,
    }
    init = subprocess.run(
        [*_GATEPASS, "init", "--json"],
        env=environment,
        cwd=folder / "work",
        check=True,
        capture_output=True,
        timeout=30,
    )
    port = _free_port()
    log = folder / "log"
    with log.open("wb") as err:
        process = subprocess.Popen(
            [*_GATEPASS, "serve", "--port", str(port)],
            env=environment, cwd=folder / "work", stdin=subprocess.DEVNULL, stdout=err, stderr=err,
        )  # fmt: skip
    try:
        _wait_for(process, port, log)
        yield Server(port, json.loads(init.stdout)["api_key"], log, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(log.read_text())
