"""Randomness. Only here is it drawn; everything else is handed it."""

import secrets
from typing import Protocol


class Entropy(Protocol):
    """Draws random numbers that nobody can foresee."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""

    def below(self, limit: int) -> int:
        """A number from 0 to `limit - 1`, each as likely."""


class SystemEntropy:
    """The operating system's random numbers. Safe to use from any thread."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return secrets.token_bytes(count)

    def below(self, limit: int) -> int:
        """A number from 0 to `limit - 1`, each as likely."""
        return secrets.randbelow(limit)
