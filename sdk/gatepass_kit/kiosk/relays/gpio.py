"""`gpio`: a pin of the board, for the length of a pulse."""

import time

from gpiozero import OutputDevice

from gatepass_kit.result import Result

_LONGEST_S = 10.0


class GpioRelay:
    """Switches `pin` (gpiozero's names: 17, GPIO17, BOARD11) on for `pulse_s` seconds (0.5, at most 10).

    `active_high=no` for relay boards that switch on low. The pin goes off when the program is ended (SIGTERM, Ctrl-C).
    A board with a timer of its own is safer: if the power goes during the pulse, or the program is killed, a pin stays
    as it is.
    """

    def __init__(self, pin: str, pulse_s: str = "0.5", active_high: str = "yes") -> None:
        self._pulse_s = float(pulse_s)
        if not 0 < self._pulse_s <= _LONGEST_S:
            raise ValueError(f"pulse_s is above 0 and at most {_LONGEST_S:g}")
        self._device = OutputDevice(pin, active_high=active_high != "no", initial_value=False)

    def open(self, result: Result) -> None:  # noqa: ARG002  a relay opens for everybody alike
        """One pulse. The next person's waits until it is over."""
        try:
            self._device.on()
            time.sleep(self._pulse_s)
        finally:
            self._device.off()

    def close(self) -> None:
        self._device.off()
        self._device.close()
