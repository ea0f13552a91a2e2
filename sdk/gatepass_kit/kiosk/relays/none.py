"""`none`: no relay. It says that it would open; to try out a scanner."""

import sys

from gatepass_kit.result import Result


class NoRelay:
    """Writes a line to the standard error."""

    def open(self, result: Result) -> None:
        """Say so."""
        sys.stderr.write(f"open {result.gate} {result.request_id}\n")
