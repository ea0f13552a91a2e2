"""A turnstile: what was read is decided, and the relay moves for whoever is admitted.

A relay that fails never stops the next person. If it surely did not move, the admission is undone, so that the same
code is good again; if nobody knows, it stands: somebody may have gone through.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from .answers import Side
from .result import Result
from .verifier import Verifier

_log = logging.getLogger(__name__)


class StayedShut(Exception):
    """Raised by a relay that surely did not move."""


class Relay(Protocol):
    """What opens the gate. A plug-in is one class with this one method; its options are its constructor's keywords.

    One that has to be let go at the end has a method `close` too.
    """

    def open(self, result: Result) -> None:
        """Open for the person of `result`. Raises `StayedShut` where it surely did not; whatever else, where it may."""


class Turnstile:
    """A verifier and the relay that it moves. `show` is told every result, before the relay moves."""

    def __init__(
        self,
        verifier: Verifier,
        relay: Relay,
        *,
        direction: Side | None = None,
        show: Callable[[Result], None] | None = None,
    ) -> None:
        self._verifier = verifier
        self._relay = relay
        self._direction = direction
        self._show = show

    def run(self, texts: Iterable[str]) -> None:
        """Everybody whose code is read, one after another."""
        for text in texts:
            self.pass_by(text)

    def pass_by(self, text: str) -> Result:
        """One person: decide, show, open."""
        result = self._verifier.verify(text, direction=self._direction)
        if self._show is not None:
            self._show(result)
        if result.opens:
            self._open(result)
        return result

    def _open(self, result: Result) -> None:
        try:
            self._relay.open(result)
        except StayedShut as fault:
            _log.error("The relay stayed shut for %s, which is undone: %s", result.request_id, fault)
            self._undo(result)
        except Exception:  # noqa: BLE001  a plug-in may raise anything
            _log.exception("The relay failed for %s; it may have moved, so the admission stands.", result.request_id)

    def _undo(self, result: Result) -> None:
        try:
            self._verifier.undo(result)
        except Exception:  # noqa: BLE001  the next person waits
            _log.exception("%s could not be undone.", result.request_id)
