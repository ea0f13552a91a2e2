"""`keyboard:/dev/input/eventN`: a scanner that types, read from the input device of Linux itself.

So it works without a terminal in front, and what it types goes nowhere else. Keys are read as on a US keyboard, which
is how scanners come (`linux/input-event-codes.h`).
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator

from .gone import ScannerGone
from .pieces import Pieces

_EVENT = struct.Struct("llHHi")
"""`struct input_event`: seconds, microseconds, type, code, value."""

_GRAB = 0x40044590
"""The ioctl EVIOCGRAB: the events go to nobody else."""

_KEY, _RELEASED = 1, 0
_SHIFTS = (42, 54)
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (71, "789-456+1230.", "789-456+1230."),
)
_PLAIN = {first + place: character for first, plain, _ in _ROWS for place, character in enumerate(plain)}
_SHIFTED = {first + place: character for first, _, shifted in _ROWS for place, character in enumerate(shifted)}
for _keys in (_PLAIN, _SHIFTED):
    _keys |= {15: "\t", 28: "\n", 96: "\n", 57: " ", 55: "*", 98: "/"}


class Keys:
    """Key events go in, characters come out."""

    def __init__(self) -> None:
        self._held: set[int] = set()

    def character(self, code: int, value: int) -> str:
        """What a key types when it goes down (1) or is held (2); "" where that is nothing."""
        if code in _SHIFTS:
            (self._held.discard if value == _RELEASED else self._held.add)(code)
            return ""
        if value == _RELEASED:
            return ""
        return (_SHIFTED if self._held else _PLAIN).get(code, "")


def read_input_device(path: str) -> Iterator[str]:
    """Texts from the input device. Raises OSError where it cannot be opened, `ScannerGone` once it is unplugged."""
    keys, pieces = Keys(), Pieces()
    fd = os.open(path, os.O_RDONLY)
    try:
        _grab(fd)
        begun = b""
        while data := _read(fd):
            events = begun + data
            whole = len(events) - len(events) % _EVENT.size
            begun = events[whole:]
            for _, _, kind, code, value in _EVENT.iter_unpack(events[:whole]):
                if kind == _KEY:
                    yield from pieces.add(keys.character(code, value).encode())
        raise ScannerGone(f"The scanner at {path} was unplugged.")
    finally:
        os.close(fd)


def _grab(fd: int) -> None:
    try:
        fcntl.ioctl(fd, _GRAB, 1)
    except OSError as fault:
        if fault.errno not in (errno.ENOTTY, errno.EINVAL):  # no input device, but something that is written like one
            raise


def _read(fd: int) -> bytes:
    """Some events; none at the end, and when it is unplugged."""
    try:
        return os.read(fd, 64 * _EVENT.size)
    except OSError as fault:
        if fault.errno == errno.ENODEV:
            return b""
        raise
