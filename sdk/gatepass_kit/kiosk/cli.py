"""The command `gatepass-kiosk`."""

import argparse
import json
import logging
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatepass_kit.answers import written
from gatepass_kit.device import Device
from gatepass_kit.errors import GatepassError
from gatepass_kit.result import Result
from gatepass_kit.turnstile import Turnstile
from gatepass_kit.verifier import Status, Verifier

from . import relays
from .scanners import scan

_SCANNERS = "keyboard, keyboard:/dev/input/eventN, serial:/dev/ttyUSB0@9600 or stdin"


def main(words: Sequence[str] | None = None) -> int:
    """Carry out a command line. What goes wrong is said in one sentence; the exit code is 1 then.

    Ctrl-C and SIGTERM end it in order, with the exit code 0.
    """
    asked = _parser().parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        with _interrupted_by_sigterm():
            asked.command(asked)
    except (GatepassError, OSError, sqlite3.Error) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 0


def set_up(asked: argparse.Namespace) -> None:
    """Make this computer a device."""
    with Verifier(Device.set_up(asked.link, asked.folder, name=asked.name)) as verifier:
        try:
            verifier.report()
            verifier.refresh()
        except GatepassError as fault:
            sys.stderr.write(f"There is no bundle yet, and so no way in without the network: {fault}\n")
        _say(f"Set up in {asked.folder}: {_line(verifier.status())}")


def run(asked: argparse.Namespace) -> None:
    """Verify what the scanner reads and open for whoever is admitted, until Ctrl-C, SIGTERM or the scanner's end."""
    texts = scan(asked.scanner)
    relay = relays.make(asked.relay, _options(asked.relay_option))
    try:
        with Verifier(Device.load(asked.folder)) as verifier:
            verifier.run_background()
            Turnstile(verifier, relay, direction=asked.direction, show=_show).run(texts)
    finally:
        getattr(relay, "close", lambda: None)()


def status(asked: argparse.Namespace) -> None:
    """Say how the device stands. Asks nobody, and disturbs no kiosk that runs."""
    with Verifier(Device.load(asked.folder)) as verifier:
        found = verifier.status()
    _say(json.dumps(_shown(found)) if asked.json else _line(found))


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Meanwhile SIGTERM is as Ctrl-C is: relays are let go and files are closed. Once: what ends is not cut short."""

    def interrupt(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    every = argparse.ArgumentParser(add_help=False)
    home = Path.home() / ".gatepass-kiosk"
    every.add_argument(
        "--folder", type=Path, default=home, help="where the device and its queue are kept (%(default)s)"
    )
    parser = argparse.ArgumentParser(prog="gatepass-kiosk", description="A small computer at a gate of Gatepass's.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("set-up", parents=[every], help="make this computer a device, by a link that works once")
    one.add_argument("link", help="what the device's QR code says: https://.../kiosk#setup=...&v=1")
    one.add_argument("--name", help="what the device shall be called")
    one.set_defaults(command=set_up)

    one = commands.add_parser(
        "run", parents=[every], help="verify what the scanner reads, open for whoever is admitted"
    )
    one.add_argument("--scanner", required=True, help=_SCANNERS)
    one.add_argument("--relay", default="none", help="http, mqtt, gpio, none (the default), or one of a plug-in")
    one.add_argument("--relay-option", action="append", default=[], metavar="NAME=VALUE", help="can be repeated")
    one.add_argument("--direction", choices=("entry", "exit"), help="at a gate for both")
    one.set_defaults(command=run)

    one = commands.add_parser("status", parents=[every], help="how the device stands: its bundle, its queue")
    one.add_argument("--json", action="store_true", help="one line of JSON")
    one.set_defaults(command=status)
    return parser


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _options(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if wrong := [name for name, sign, _ in pairs if not sign or not name]:
        raise relays.RelayWrong(f"A relay's option is name=value, and {wrong[0]!r} is not.")
    return {name: value for name, _, value in pairs}


def _show(result: Result) -> None:
    """One line a person: a word, the reason, the way; never a name, and never what was read."""
    word = "ADMIT" if result.opens else "AGAIN" if result.decision == "admit" else "DENY"
    marks = (*result.flags, *(("offline",) if result.offline else ()))
    _say(" ".join((word, result.reason, *marks)))


def _shown(found: Status) -> dict[str, Any]:
    times = ("bundle_at", "bundle_until", "waiting_since", "service_time")
    shown = found._asdict()
    return shown | {name: written(shown[name]) for name in times if shown[name] is not None}


def _line(found: Status) -> str:
    side = f", {found.side}" if found.side else ""
    bundle = "no bundle"
    if found.bundle_until is not None:
        until = datetime.fromtimestamp(found.bundle_until // 1_000_000, UTC)
        bundle = f"offline {found.policy} until {until:%Y-%m-%d %H:%M:%S} UTC"
    waiting = f"{found.waiting} waiting to be sent"
    revoked = "; REVOKED" if found.revoked else ""
    return f"{found.device} at {found.gate}{side}; {bundle}; {waiting}{revoked}"
