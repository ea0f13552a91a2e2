"""Relays: what opens the gate. Each is a plug-in under the entry point `gatepass_kit.relays`, these ones too.

A package of somebody else's adds one in its own `pyproject.toml`:

    [project.entry-points."gatepass_kit.relays"]
    barrier = "my_package:Barrier"
"""

import inspect
from collections.abc import Mapping
from importlib.metadata import entry_points

from gatepass_kit.errors import GatepassError
from gatepass_kit.turnstile import Relay

GROUP = "gatepass_kit.relays"


class RelayWrong(GatepassError):
    """There is no such relay, it lacks a library, or its options are wrong."""


def names() -> list[str]:
    """The relays that are installed."""
    return sorted({each.name for each in entry_points(group=GROUP)})


def make(name: str, options: Mapping[str, str]) -> Relay:
    """The relay of that name. Options are texts; a relay reads numbers itself. Raises `RelayWrong`."""
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        raise RelayWrong(f"There is no relay {name!r}. There are: {', '.join(names())}.")
    try:
        kind = found.load()
    except ImportError as fault:
        raise RelayWrong(
            f"The relay {name!r} needs a library: pip install 'gatepass-kit[{name}]' ({fault})."
        ) from fault
    try:
        inspect.signature(kind).bind(**options)
        made: Relay = kind(**options)
    except (TypeError, ValueError) as fault:
        raise RelayWrong(f"The relay {name!r}: {fault}. It takes: {inspect.signature(kind)}.") from fault
    return made
