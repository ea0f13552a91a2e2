"""`gatepass-kiosk run` as it stands at a gate: a serial scanner, a relay, until Ctrl-C, SIGTERM or an unplugged scanner."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from gatepass_kit.kiosk.cli import main
from gpiozero import Device as Board
from gpiozero.pins.mock import MockFactory

from .broker import PASSWORD, USER, Heard
from .conftest import Site
from .serial_line import SerialLine
from .waiting import wait_until

KIOSK = Path(sys.executable).with_name("gatepass-kiosk")


def test_a_scanner_on_a_serial_line_opens_the_door_over_mqtt(
    site: Site, serial_line: SerialLine, broker: int, heard: list[Heard]
) -> None:
    site.open_gate()
    text = site.text()
    site.device().close()
    options = {"host": "127.0.0.1", "port": str(broker), "topic": "doors/7", "username": USER, "password": PASSWORD}
    command = [KIOSK, "run", "--folder", site.folder, "--scanner", f"serial:{serial_line.path}", "--relay", "mqtt"]
    command += [word for each in options.items() for word in ("--relay-option", "=".join(each))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    serial_line.send_once_it_is_open(f"\\000026{text}\r{text}\rhello\t".encode()).join()
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(3)]
    assert said == ["ADMIT ok", "DENY already_used", "DENY unrecognised"]
    wait_until(lambda: heard)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints.strip()) == (0, "")
    assert heard == [Heard("doors/7", b"open", retained=False)]


def test_a_pin_goes_off_when_the_program_is_ended_in_the_middle_of_a_pulse(
    site: Site, serial_line: SerialLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Board, "pin_factory", MockFactory())
    pin = Board.pin_factory.pin(17)
    site.open_gate()
    text = site.text()
    site.device().close()
    before = signal.getsignal(signal.SIGTERM)

    def end_it_during_the_pulse() -> None:
        wait_until(lambda: pin.state)
        os.kill(os.getpid(), signal.SIGTERM)

    ending = threading.Thread(target=end_it_during_the_pulse)
    ending.start()
    sending = serial_line.send_once_it_is_open(f"{text}\r".encode())
    began = time.monotonic()
    command = ["run", "--folder", str(site.folder), "--scanner", f"serial:{serial_line.path}", "--relay", "gpio"]
    assert main([*command, "--relay-option", "pin=17", "--relay-option", "pulse_s=10"]) == 0
    assert time.monotonic() - began < 9
    assert [state.state for state in pin.states[:3]] == [False, True, False]
    assert not pin.state
    assert signal.getsignal(signal.SIGTERM) == before
    ending.join()
    sending.join()


def test_a_scanner_that_goes_away_is_no_good_end(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.open_gate()
    site.device().close()
    device = tmp_path / "event3"
    os.mkfifo(device)
    plugging = threading.Thread(target=lambda: device.write_bytes(b""))
    plugging.start()
    assert main(["run", "--folder", str(site.folder), "--scanner", f"keyboard:{device}"]) == 1
    assert capsys.readouterr().err == f"The scanner at {device} was unplugged.\n"
    plugging.join()
