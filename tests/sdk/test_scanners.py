"""Scanners: a serial line, a terminal, an input device of Linux, lines of another program. Each is a real one."""

import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from gatepass_kit.kiosk.scanners import ScannerGone, ScannerWrong, scan
from gatepass_kit.kiosk.scanners.evdev import Keys
from gatepass_kit.kiosk.scanners.pieces import Pieces

from .serial_line import SerialLine
from .waiting import wait_until

TOKEN = "GP1:6BFOXN%TS0BI$ZD.*+-/: A1"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\t", b"\t\r\n"])
def test_a_text_ends_with_enter_or_tab(end: bytes) -> None:
    pieces = Pieces()
    assert pieces.add(TOKEN[:9].encode()) == []
    assert pieces.add(TOKEN[9:].encode() + end + b"next") == [TOKEN]
    assert pieces.end() == ["next"]
    assert pieces.end() == []


def test_what_is_longer_than_any_code_is_dropped_and_the_next_one_is_read() -> None:
    pieces = Pieces()
    assert pieces.add(b"x" * 100_000 + b"\nGP1:A\n" + b"y" * 7089 + b"\n\xff\n") == ["GP1:A", "y" * 7089, "\ufffd"]


def test_texts_come_over_a_serial_line(serial_line: SerialLine) -> None:
    texts = scan(f"serial:{serial_line.path}@9600")
    sending = serial_line.send_once_it_is_open(b"\\000026" + TOKEN.encode() + b"\r\nsecond\t")
    assert [next(texts), next(texts)] == ["\\000026" + TOKEN, "second"]
    sending.join()


def test_a_scanner_that_sends_no_enter_is_read_when_it_falls_silent(serial_line: SerialLine) -> None:
    texts = scan(f"serial:{serial_line.path}")
    sending = serial_line.send_once_it_is_open(TOKEN.encode())
    assert next(texts) == TOKEN
    sending.join()


def test_a_serial_line_that_is_not_there_is_opened_when_it_is(serial_line: SerialLine, tmp_path: Path) -> None:
    plugged = tmp_path / "ttyUSB0"
    texts = scan(f"serial:{plugged}")
    sending = serial_line.send_once_it_is_open(TOKEN.encode() + b"\n")
    plugging_in = threading.Timer(0.2, lambda: plugged.symlink_to(serial_line.path))
    plugging_in.start()
    assert next(texts) == TOKEN
    sending.join()
    plugging_in.join()


READ_ONE = "import sys; from gatepass_kit.kiosk.scanners import scan; print(list(scan(sys.argv[1])), file=sys.stderr)"


def test_a_tab_ends_a_text_on_a_terminal_and_what_is_typed_is_not_shown() -> None:
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", READ_ONE, "keyboard"], stdin=terminal, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: not termios.tcgetattr(terminal)[3] & termios.ICANON)
    os.write(keyboard, TOKEN.encode() + b"\tsecond\r\x04")
    _, said = process.communicate(timeout=20)
    assert said == f"{[TOKEN, 'second']}\n"
    assert not select.select([keyboard], [], [], 0)[0]
    os.close(keyboard)
    os.close(terminal)


def test_a_terminal_that_hangs_up_is_a_scanner_that_is_gone() -> None:
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", READ_ONE, "keyboard"], stdin=terminal, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: not termios.tcgetattr(terminal)[3] & termios.ICANON)
    os.close(terminal)
    os.close(keyboard)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert said.endswith("ScannerGone: The terminal is gone.\n")


@pytest.mark.parametrize("scanner", ["stdin", "keyboard"])
def test_lines_of_another_program_are_texts_until_it_ends(scanner: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_ONE, scanner], input=f"{TOKEN}\r\nlast", capture_output=True, text=True, check=True
    )
    assert done.stderr == f"{[TOKEN, 'last']}\n"


CODES = {"g": 34, "p": 25, "1": 2, ";": 39, "a": 30, "4": 5, "5": 6, "\t": 15, "\n": 28, " ": 57}
SHIFT = {"G": "g", "P": "p", ":": ";", "A": "a", "$": "4", "%": "5"}


def typed(text: str) -> list[tuple[int, int]]:
    """The keys that go down (1) and up (0) for a text."""
    events = []
    for character in text:
        code = CODES[SHIFT.get(character, character)]
        keys = [(code, 1), (code, 0)]
        events += [(42, 1), *keys, (42, 0)] if character in SHIFT else keys
    return events


def test_keys_are_read_as_on_a_us_keyboard() -> None:
    keys = Keys()
    assert "".join(keys.character(*event) for event in typed("GP1:a A$%1\n")) == "GP1:a A$%1\n"
    assert [keys.character(code, 1) for code in (12, 52, 53, 78, 98, 55, 59)] == ["-", ".", "/", "+", "/", "*", ""]


def test_an_input_device_gives_what_is_typed_on_it(tmp_path: Path) -> None:
    events = b"".join(
        struct.pack("llHHi", 0, 0, kind, code, value)
        for code, value in typed("GP1:A1\tGP1:a\n")
        for kind, code, value in ((4, 4, 0), (1, code, value), (0, 0, 0))
    )
    device = tmp_path / "event3"
    os.mkfifo(device)
    writer = threading.Thread(target=lambda: device.write_bytes(events))
    writer.start()
    texts = scan(f"keyboard:{device}")
    assert [next(texts), next(texts)] == ["GP1:A1", "GP1:a"]
    with pytest.raises(ScannerGone, match="event3 was unplugged"):
        next(texts)
    writer.join()


@pytest.mark.parametrize("scanner", ["camera", "serial:", "serial", "serial:/dev/ttyUSB0@fast", ""])
def test_there_is_no_other_scanner(scanner: str) -> None:
    with pytest.raises(ScannerWrong):
        scan(scanner)
