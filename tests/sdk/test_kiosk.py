"""`gatepass-kiosk run` as it stands at a gate: a serial scanner, an MQTT relay, until Ctrl-C."""

import signal
import subprocess
import sys
from pathlib import Path

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
