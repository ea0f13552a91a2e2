"""`gatepass demo`: the main job as a person sees it, and the commands that it prints."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

UP_WITHIN_S = 60.0


@pytest.mark.parametrize("round_", ["first", "second"])
def test_the_demonstration_shows_the_job_and_its_commands_work(round_: str, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "GATEPASS_DATABASE_URL": f"sqlite:///{tmp_path}/demo.db"}
    if round_ == "second":  # on the same database, where the first has been
        run_to_its_end(environment)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", "--port", port], env=environment, stdout=file, stderr=file
        )
    try:
        shown = wait_for("Ctrl-C stops it.", output)
        commands = shown[shown.index("KEY=") : shown.index("API reference:")]
        answer = subprocess.run(["bash", "-c", commands], capture_output=True, check=True, timeout=30, text=True).stdout
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    results = re.findall(r"(ADMIT|DENY) (\w+)", re.sub(r"\x1b\[[0-9;]*m", "", shown))
    assert results == [("ADMIT", "ok"), ("DENY", "already_used"), ("ADMIT", "ok")]
    assert '"decision":"admit"' in answer
    assert output.read_text().endswith("Stopped.\n")


def run_to_its_end(environment: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "app.cli", "demo", "--no-stay", "--port", port]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=UP_WITHIN_S)


def wait_for(words: str, output: Path) -> str:
    deadline = time.monotonic() + UP_WITHIN_S
    while words not in (shown := output.read_text()):
        assert time.monotonic() < deadline, shown
        time.sleep(0.1)
    return shown
