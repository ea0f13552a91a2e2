"""Waiting no longer than a deadline, whatever the network does.

A time-out of HTTP counts each phase by itself, and none counts the look-up of a name: without the network that alone
may take longer than a person waits. So a call is made in a thread, which is left to itself when its time is over.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from .errors import Unreachable
from .machine import monotonic

Value = TypeVar("Value")
_MOST_WAITING = 8


class Deadline:
    """Calls that are waited for no longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free = threading.BoundedSemaphore(_MOST_WAITING)

    def ends(self) -> float:
        """When a deadline that begins now is over (`monotonic`)."""
        return monotonic() + self._seconds

    def wait_for(self, call: Callable[[], Value], until: float | None = None) -> Value:
        """What the call gives or raises; `Unreachable` when its time is over, and at once while too many wait.

        Several calls share one deadline where it is given as `until`.
        """
        left = self._seconds if until is None else until - monotonic()
        if left <= 0:
            raise Unreachable("There is no time left to ask.")
        if not self._free.acquire(blocking=False):
            raise Unreachable("The calls before this one have had no answer yet.")
        future: Future[Value] = Future()
        threading.Thread(target=self._run, args=(call, future), name="gatepass-call", daemon=True).start()
        try:
            return future.result(left)
        except TimeoutError:
            raise Unreachable(f"No answer within {self._seconds:g} s.") from None

    def _run(self, call: Callable[[], Value], future: Future[Value]) -> None:
        try:
            future.set_result(call())
        except BaseException as fault:  # noqa: BLE001  whoever waits gets it
            future.set_exception(fault)
        finally:
            self._free.release()
