"""Randomness. Only here is it drawn; everything else is handed it."""

import secrets
import threading
from typing import Protocol


class Entropy(Protocol):
    """Draws random numbers that nobody can foresee."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""

    def below(self, limit: int) -> int:
        """A number from 0 to `limit - 1`, each as likely."""


class SystemEntropy:
    """The operating system's random numbers. Safe to use from any thread.

    Small draws come out of a pool, of which no byte is given twice: a system call gives up the interpreter lock, and
    the event loop would have to wait to get it back.
    """

    _POOL = 4096

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0
        self._lock = threading.Lock()

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        if count > self._POOL // 8:
            return secrets.token_bytes(count)
        with self._lock:
            if self._at + count > len(self._pool):
                self._pool, self._at = secrets.token_bytes(self._POOL), 0
            drawn = self._pool[self._at : self._at + count]
            self._at += count
            return drawn

    def below(self, limit: int) -> int:
        """A number from 0 to `limit - 1`, each as likely."""
        return secrets.randbelow(limit)
