"""A scanner on a serial line: a pair of pseudo-terminals, as a serial adapter looks to the computer."""

import os
import pty
import termios
import threading
import time

from .waiting import wait_until


class SerialLine:
    """The line. The computer's end has a path."""

    def __init__(self) -> None:
        self._scanner, self._computer = pty.openpty()
        self.path = os.ttyname(self._computer)

    def send_once_it_is_open(self, data: bytes) -> threading.Thread:
        """Opening a line drops what came before."""
        thread = threading.Thread(target=self._send, args=(data,))
        thread.start()
        return thread

    def _send(self, data: bytes) -> None:
        wait_until(lambda: not termios.tcgetattr(self._computer)[3] & termios.ICANON)
        time.sleep(0.1)
        os.write(self._scanner, data)

    def close(self) -> None:
        os.close(self._scanner)
        os.close(self._computer)
