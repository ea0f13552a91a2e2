"""The Dockerfile's steps, run as plain commands, since not every machine that tests has a Docker engine."""

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
UP_WITHIN_S = 60.0


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines()) if word.isupper()]


def build_stage() -> list[tuple[str, str]]:
    """What stands between the first FROM and the second."""
    steps = instructions()
    starts = [place for place, (word, _) in enumerate(steps) if word == "FROM"]
    return steps[starts[0] + 1 : starts[1]]


def test_the_steps_of_the_image_make_a_gatepass_that_serves(tmp_path: Path) -> None:
    build, installed, data = tmp_path / "build", tmp_path / "installed", tmp_path / "data"
    build.mkdir()
    data.mkdir()
    for word, rest in build_stage():
        if word == "COPY":
            *sources, target = rest.split()
            copy(sources, build / target, into=target.endswith("/"))
        elif word == "RUN":
            command = rest.replace("/opt/gatepass", str(installed))
            subprocess.run(["sh", "-euc", command], cwd=build, check=True, capture_output=True, timeout=300)
    shutil.rmtree(build)  # what builds stays behind
    serve(installed / "bin" / "gatepass", data)


def test_the_image_does_not_run_as_root() -> None:
    (user,) = [rest for word, rest in instructions() if word == "USER"]
    assert re.fullmatch(r"[1-9][0-9]*", user)


def copy(sources: list[str], target: Path, *, into: bool) -> None:
    for source in sources:
        to = target / source if into else target
        to.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, to)


def serve(gatepass: Path, data: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {"PATH": str(gatepass.parent), "GATEPASS_DATABASE_URL": f"sqlite:///{data}/gatepass.db"}
    process = subprocess.Popen([gatepass, "serve", "--port", str(port)], cwd=data, env=environment)
    try:
        deadline = time.monotonic() + UP_WITHIN_S
        while not ready(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(timeout=20)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
