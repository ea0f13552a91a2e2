"""The launcher of real clients, what leads one of them here, and what they are installed from."""

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.clients.client import DRIVERS, NODE_DRIVERS, Client, ClientError, ClientLost
from tests.clients.connect_proxy import HEAD_LIMIT_BYTES, connect_proxy

ROOT = Path(__file__).resolve().parents[2]
WAYWARD = """
import os, time
from dialogue import SETTINGS, converse

def refuse(message):
    error = ValueError(message)
    error.code = 28
    raise error

converse({
    "settings": lambda: SETTINGS,
    "environment": lambda: dict(os.environ),
    "print": lambda text: print(text, flush=True),
    "read": lambda image: len(image.read_bytes()),
    "repeat": lambda text, times: text * times,
    "refuse": refuse,
    "sleep": lambda seconds: time.sleep(seconds),
    "end": lambda: os._exit(3),
}, lambda error: getattr(error, "code", None))
"""


def wayward(folder: Path, **options: Any) -> Client:
    """A driver without a client behind it."""
    driver = folder / "wayward.py"
    driver.write_text(WAYWARD)
    return Client(driver, {"key": "k"}, {"PYTHONPATH": str(DRIVERS)}, **options)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_call_gives_what_the_client_gave(tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    picture.write_bytes(b"picture")
    with wayward(tmp_path) as client:
        assert client.call("settings") == {"key": "k"}
        assert client.call("read", image=picture) == 7
        assert client.call("repeat", text="été ", times=50_000) == "été " * 50_000


def test_what_a_client_prints_is_no_answer(tmp_path: Path) -> None:
    with wayward(tmp_path) as client:
        assert client.call("print", text='{"result": "printed"}') is None
        assert client.call("repeat", text="a", times=2) == "aa"


def test_what_a_client_raises_is_raised_with_its_class_its_text_and_its_code(tmp_path: Path) -> None:
    with wayward(tmp_path) as client:
        with pytest.raises(ClientError) as refused:
            client.call("refuse", message="no face")
        assert (refused.value.kind, refused.value.message, refused.value.code) == ("ValueError", "no face", 28)
        assert client.call("repeat", text="a", times=1) == "a"


def test_a_client_sees_nothing_of_the_environment_of_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    with wayward(tmp_path) as client:
        seen = client.call("environment")
    assert seen.keys() <= {"HOME", "LANG", "LC_CTYPE", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
    assert seen["HOME"] != os.environ.get("HOME")


def test_a_client_that_does_not_answer_in_time_is_ended(tmp_path: Path) -> None:
    with wayward(tmp_path, limit_s=0.5) as client:
        with pytest.raises(ClientLost, match=r"no answer within 0\.5 s"):
            client.call("sleep", seconds=60)
        assert not is_running(client.pid)


def test_a_client_that_ended_by_itself_is_no_refusal(tmp_path: Path) -> None:
    with wayward(tmp_path) as client:
        with pytest.raises(ClientLost, match="it ended"):
            client.call("end")
        with pytest.raises(ClientLost, match="ended"):
            client.call("settings")


def test_nothing_of_a_client_is_left_behind(tmp_path: Path) -> None:
    with wayward(tmp_path) as client:
        home = Path(client.call("environment")["HOME"])
        assert home.exists()
        assert is_running(client.pid)
    assert not is_running(client.pid)
    assert not home.exists()


def test_the_proxy_refuses_what_is_not_a_connect() -> None:
    with connect_proxy(9) as address, _connection(address) as connection:
        connection.sendall(b"GET http://aip.baidubce.com/ HTTP/1.1\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 405 ")


def test_the_proxy_reads_no_endless_head() -> None:
    with connect_proxy(9) as address, _connection(address) as connection:
        connection.sendall(b"CONNECT aip.baidubce.com:443 HTTP/1.1\r\n" + b"x" * HEAD_LIMIT_BYTES * 2)
        assert _heard(connection) == b""


@pytest.mark.parametrize("name", ["clients", "node"])
def test_requirements_are_held_by_hashes_and_name_no_registry(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith((" ", "#"))]
    assert pinned
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+ \\", line) for line in pinned)
    for text in ("\n".join(lines), (ROOT / "requirements" / f"{name}.in").read_text()):
        assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)


def test_the_packages_for_node_are_held_by_hashes_and_name_no_registry() -> None:
    lock = json.loads((NODE_DRIVERS / "package-lock.json").read_text())
    asked = json.loads((NODE_DRIVERS / "package.json").read_text())["dependencies"]
    packages = {place: package for place, package in lock["packages"].items() if place}
    assert packages
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
    assert all(
        package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages.values()
    )
    assert "registry=" not in (NODE_DRIVERS / ".npmrc").read_text()


def _connection(address: str) -> socket.socket:
    port = int(address.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _heard(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1024)
    except ConnectionResetError:
        return b""
