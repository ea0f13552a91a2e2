"""The thread beside a verifier: the bundle is kept fresh, the device reports, the queue is sent."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Protocol

from .errors import GatepassError
from .machine import monotonic

_SOON_S, _LATER_S = 1.0, 15.0
_ENDS_WITHIN_S = 5.0
_log = logging.getLogger(__name__)


class Kept(Protocol):
    """What is kept up to date."""

    def refresh(self) -> bool: ...
    def report(self) -> None: ...
    def sync(self) -> Any: ...  # noqa: ANN401  what came of it is of no interest here
    def status(self) -> Any: ...  # noqa: ANN401  likewise, but for what waits


class Background:
    """The thread. The queue is sent as soon as there is something in it, and tried again after 1 to 15 s."""

    def __init__(self, verifier: Kept, bundle_every_s: float, report_every_s: float) -> None:
        self._verifier = verifier
        self._every = {"bundle": bundle_every_s, "report": report_every_s}
        self._due = {"bundle": 0.0, "report": 0.0, "sync": 0.0}
        self._pause_s = _SOON_S
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._said: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="gatepass-background", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, *, reached: bool = False) -> None:
        """There is something in the queue; or the service was just `reached`, and so what there is can be sent."""
        if reached:
            self._pause_s = _SOON_S
        self._woken.set()

    def stop(self) -> None:
        """End the thread; one that hangs in a call is left to itself."""
        self._stopped.set()
        self._woken.set()
        self._thread.join(_ENDS_WITHIN_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._send()
            self._do_if_due("report", self._verifier.report)
            self._do_if_due("bundle", self._verifier.refresh)
            self._woken.wait(max(0.0, min(self._due.values()) - monotonic()))

    def _send(self) -> None:
        if self._woken.is_set():
            self._woken.clear()
            self._due["sync"] = min(self._due["sync"], monotonic() + self._pause_s - _SOON_S)
        if monotonic() < self._due["sync"] or self._stopped.is_set():
            return
        waiting = self._done("sync", lambda: self._verifier.status().waiting)
        sent = waiting == 0 or (bool(waiting) and self._done("sync", self._verifier.sync) is not None)
        self._pause_s = _SOON_S if sent else min(_LATER_S, self._pause_s * 2)
        self._due["sync"] = monotonic() + (_LATER_S if sent else self._pause_s)

    def _do_if_due(self, name: str, work: Callable[[], object]) -> None:
        if monotonic() >= self._due[name] and not self._stopped.is_set():
            self._done(name, work)
            self._due[name] = monotonic() + self._every[name]

    def _done(self, name: str, work: Callable[[], object]) -> Any:  # noqa: ANN401
        """What `work` gives, None where it failed: which is said once for as long as it is the same."""
        try:
            value = work()
        except (GatepassError, sqlite3.Error) as fault:
            if self._said.get(name) != str(fault):
                _log.warning("%s: %s", name, fault)
            self._said[name] = str(fault)
        except Exception:  # noqa: BLE001  the thread goes on, whatever it was
            _log.exception("%s failed", name)
        else:
            if self._said.pop(name, None):
                _log.warning("%s: well again", name)
            return value
        return None
