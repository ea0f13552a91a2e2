"""A turnstile in 30 lines: codes come in on the standard input, one a line; whoever is admitted goes through.

python turnstile.py FOLDER [LINK]        LINK sets the device up, the first time
"""

import sys

from gatepass_kit import Device, Verifier


def release_arm() -> None:
    """Here your turnstile turns."""
    print("click", flush=True)


def main(folder: str, *link: str) -> None:
    """Decide for everybody who shows a code, with the network and without it."""
    device = Device.set_up(link[0], folder) if link else Device.load(folder)
    with Verifier(device) as gate:
        gate.run_background()  # keeps the bundle fresh, and sends what was decided without the network
        for line in sys.stdin:
            result = gate.verify(line)
            print(result.decision, result.reason, "offline" if result.offline else "online", flush=True)
            if result.opens:
                release_arm()


if __name__ == "__main__":
    main(*sys.argv[1:])
