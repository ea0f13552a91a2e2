"""A scanner that went away, which is no end as that of another program's lines is."""

from gatepass_kit.errors import GatepassError


class ScannerGone(GatepassError):
    """The scanner was unplugged, or its terminal is gone. Whoever watches over the program starts it again."""
