"""Waiting no longer than a deadline, whatever the network does.

A time-out of HTTP counts each phase by itself, and none counts the look-up of a name: without the network that alone
may take longer than a person waits. So a call is made in a thread, which is left to itself when its time is over.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from .errors import Unreachable

Value = TypeVar("Value")
_MOST_WAITING = 8


class Deadline:
    """Calls that are waited for no longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free = threading.BoundedSemaphore(_MOST_WAITING)

    def wait_for(self, call: Callable[[], Value]) -> Value:
        """What the call gives or raises; `Unreachable` when its time is over, and at once while too many wait."""
        if not self._free.acquire(blocking=False):
            raise Unreachable("The calls before this one have had no answer yet.")
        future: Future[Value] = Future()
        threading.Thread(target=self._run, args=(call, future), name="gatepass-call", daemon=True).start()
        try:
            return future.result(self._seconds)
        except TimeoutError:
            raise Unreachable(f"No answer within {self._seconds:g} s.") from None

    def _run(self, call: Callable[[], Value], future: Future[Value]) -> None:
        try:
            future.set_result(call())
        except BaseException as fault:  # noqa: BLE001  whoever waits gets it
            future.set_exception(fault)
        finally:
            self._free.release()
