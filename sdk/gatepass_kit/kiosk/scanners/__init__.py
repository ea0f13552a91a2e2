"""Scanners: each gives the texts that it reads, one after another, for as long as it is there.

keyboard                     a scanner that types on the terminal
keyboard:/dev/input/event3   the same, of an input device of Linux, which is then nobody else's
serial:/dev/ttyUSB0[@9600]   a scanner on a serial line
stdin                        lines from another program
"""

from collections.abc import Iterator

from gatepass_kit.errors import GatepassError

from .evdev import read_input_device
from .gone import ScannerGone
from .terminal import read_stdin, read_terminal

__all__ = ["DEFAULT_BAUD", "ScannerGone", "ScannerWrong", "scan"]

DEFAULT_BAUD = 9600


class ScannerWrong(GatepassError):
    """There is no such scanner, or it lacks a library."""


def scan(scanner: str) -> Iterator[str]:
    """The texts that a scanner reads. Raises `ScannerWrong`, and `ScannerGone` once it goes away.

    It ends where whoever writes to it does: with Ctrl-D, or with the other program.
    """
    kind, _, where = scanner.partition(":")
    if scanner == "keyboard":
        return read_terminal()
    if scanner == "stdin":
        return read_stdin()
    if kind == "keyboard":
        return read_input_device(where)
    if kind == "serial" and where:
        path, _, baud = where.partition("@")
        if baud and not baud.isdecimal():
            raise ScannerWrong(f"{baud} is no speed of a serial line.")
        try:
            from .serial_line import read_serial_line  # noqa: PLC0415  pyserial is an extra
        except ImportError:
            raise ScannerWrong("A serial scanner needs a library: pip install 'gatepass-kit[serial]'.") from None
        return read_serial_line(path, int(baud or DEFAULT_BAUD))
    raise ScannerWrong("A scanner is keyboard, keyboard:/dev/input/eventN, serial:/dev/ttyUSB0@9600 or stdin.")
