"""`serial`: a scanner on a serial line, real or over USB."""

import logging
import time
from collections.abc import Iterator

import serial

from .pieces import Pieces

_IDLE_S = 0.5
_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


def read_serial_line(path: str, baud: int) -> Iterator[str]:
    """Texts from the line at `path`, for ever: one that is unplugged is opened again when it is back.

    A text ends with Enter or Tab; or, for scanners that send neither, when nothing more comes for half a second.
    """
    said = False
    while True:
        try:
            with serial.Serial(path, baud, timeout=_IDLE_S) as line:
                said = False
                yield from _texts(line)
        except (serial.SerialException, OSError) as fault:
            if not said:
                _log.warning("The scanner at %s is not there: %s", path, fault)
            said = True
            time.sleep(_AGAIN_S)


def _texts(line: serial.Serial) -> Iterator[str]:
    pieces = Pieces()
    while True:
        first = line.read(1)
        if first:
            yield from pieces.add(first + line.read(line.in_waiting))
        elif pieces.begun:
            yield from pieces.end()
