"""`keyboard` and `stdin`: a scanner that types, and lines from another program."""

import contextlib
import errno
import os
import sys
import termios
import tty
from collections.abc import Iterator

from .gone import ScannerGone
from .pieces import Pieces

_CHUNK = 4096


def read_stdin() -> Iterator[str]:
    """Texts from the standard input, until it ends."""
    return _read(sys.stdin.fileno())


def read_terminal() -> Iterator[str]:
    """The same from a terminal, a character at a time, so that a Tab ends a text too; what is typed is not shown.

    Ctrl-C ends the program as ever, and Ctrl-D ends the reading. Raises `ScannerGone` when the terminal is gone.
    """
    fd = sys.stdin.fileno()
    if not os.isatty(fd):
        yield from _read(fd)
        return
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        yield from _read(fd, end=b"\x04")
    finally:
        with contextlib.suppress(termios.error):  # it may be gone
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _read(fd: int, end: bytes | None = None) -> Iterator[str]:
    pieces, ended = Pieces(), False
    while not ended and (data := _chunk(fd)):
        if end is not None:
            data, found, _ = data.partition(end)
            ended = bool(found)
        yield from pieces.add(data)
    yield from pieces.end()
    if end is not None and not ended:
        raise ScannerGone("The terminal is gone.")


def _chunk(fd: int) -> bytes:
    """Some bytes; none at the end, and from a terminal that hung up."""
    try:
        return os.read(fd, _CHUNK)
    except OSError as fault:
        if fault.errno == errno.EIO:
            return b""
        raise
