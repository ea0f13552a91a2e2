"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

_WITHIN_S = 15.0


def wait_until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)
