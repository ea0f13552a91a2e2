"""`gatepass serve`: a dialect with an address to itself."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.wiring import CannotStart, network_of
from tests.conftest import make_settings
from tests.services.serving import environment, free_port, served

CANNOT = "GATEPASS_FACES and --face give a kind a port or a host name that no other has"


def test_a_dialect_is_served_on_the_port_that_it_has_to_itself(sqlite_url: str, tmp_path: Path) -> None:
    port = free_port()
    with served(sqlite_url, tmp_path, GATEPASS_FACES=f"compreface={port}") as serving:
        own = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{serving.url}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{own}/healthz").json() == {"message": "Missing header: x-api-key", "code": 20}
        for url in (serving.url, own):
            assert httpx.get(f"{url}/api/v1/recognition/subjects").json()["code"] == 20


def test_every_worker_serves_it(postgresql_url: str, tmp_path: Path) -> None:
    port = free_port()
    with served(postgresql_url, tmp_path, workers=2, GATEPASS_FACES=f"compreface={port}"):
        answers = [httpx.get(f"http://127.0.0.1:{port}/api/v1/recognition/subjects") for _ in range(20)]
    assert {answer.json()["code"] for answer in answers} == {20}


def test_a_dialect_is_told_by_the_host_name_that_it_has_to_itself(sqlite_url: str, tmp_path: Path) -> None:
    with served(sqlite_url, tmp_path, GATEPASS_FACES="compreface=faces.example.com") as serving:
        asked = httpx.get(f"{serving.url}/healthz", headers={"Host": "Faces.example.com:8443"})
        assert asked.json() == {"message": "Missing header: x-api-key", "code": 20}
        assert httpx.get(f"{serving.url}/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "faces",
    [
        "compreface",
        "compreface=",
        "nothing=8801",
        "compreface=1,deepstack=1",
        "=8801",
        "compreface=0",
        "compreface=99999999999",
    ],
)
def test_a_face_that_cannot_be_is_refused_with_a_word_on_what_can(sqlite_url: str, faces: str) -> None:
    with pytest.raises(CannotStart, match=CANNOT):
        network_of(make_settings(sqlite_url, faces=faces))


@pytest.mark.parametrize("port", ["8000", "65536"])
def test_a_dialect_has_a_port_that_can_be_and_is_not_the_services(sqlite_url: str, port: str) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve", "--port", "8000", "--face", f"compreface={port}"],
        env=environment(sqlite_url),
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert started.returncode == 1
    assert started.stderr == (
        "gatepass: A dialect has a port up to 65535 to itself, and another than the service has.\n"
    )


def test_device_networks_that_cannot_be_read_are_refused(sqlite_url: str) -> None:
    with pytest.raises(CannotStart, match="GATEPASS_DEVICE_NETWORKS is a list of networks"):
        network_of(make_settings(sqlite_url, device_networks="192.0.2.0/24, here"))
