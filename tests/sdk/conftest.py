"""A real service for the tests of the kit, and gates with devices at them."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gatepass_kit import Device, GatepassClient, Verifier
from gatepass_kit.answers import RegisteredDevice, Token

from tests.faces.http.server import Server, served
from tests.line import Line, line_to

from .broker import Heard, listening, mosquitto
from .serial_line import SerialLine

_numbers = itertools.count(1)


class Site:
    """A gate of the test's own at the service, and the line to it."""

    def __init__(self, client: GatepassClient, line: Line, folder: Path) -> None:
        self.client = client
        self.line = line
        self.folder = folder
        self.gate = f"gate-{next(_numbers)}"

    def open_gate(self, **fields: Any) -> None:
        self.client.gates.create(id=self.gate, name=self.gate, **fields)

    def register(self, **fields: Any) -> RegisteredDevice:
        return self.client.devices.create(name="Turnstile", gate=self.gate, **fields)

    def device(self, **fields: Any) -> Device:
        """A device that was set up over the line."""
        registered = self.register(**fields)
        assert registered.setup is not None
        device = Device.set_up(registered.setup.url, self.folder)
        device.report()
        return device

    @contextmanager
    def verifier(self, *, side: str | None = None, **settings: Any) -> Iterator[Verifier]:
        """A verifier with its bundle, without its thread."""
        device = self.device(**({"side": side} if side else {}))
        with Verifier(device, **settings) as verifier:
            verifier.refresh()
            yield verifier

    def token(self, *, holder: str | None = None, kind: Any = "signed", **fields: Any) -> Token:
        """A token of a new pass at the gate; `fields` of the token and, with `pass_` before them, of the pass."""
        of_pass = {name.removeprefix("pass_"): fields.pop(name) for name in list(fields) if name.startswith("pass_")}
        pass_ = self.client.passes.create(holder=holder or f"holder-{next(_numbers)}", gates=[self.gate], **of_pass)
        return self.client.tokens.create(pass_=pass_.id, kind=kind, **fields)

    def text(self, **fields: Any) -> str:
        text = self.token(**fields).token
        assert text is not None
        return text

    def admitted(self) -> list[str | None]:
        """The request ids of those who were let in at the gate, as it is on record, and not taken back."""
        listed = self.client.verifications.list(gate=self.gate, decision="admit")
        return [each.request_id for each in listed if each.undone_at is None]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("service")) as server:
        yield server


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an MQTT broker."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


@pytest.fixture
def heard(broker: int) -> Iterator[list[Heard]]:
    """What somebody hears who listens for doors."""
    with listening(broker, "doors/#") as messages:
        yield messages


@pytest.fixture
def serial_line() -> Iterator[SerialLine]:
    """A scanner on a serial line."""
    line = SerialLine()
    yield line
    line.close()


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Iterator[Site]:
    with line_to(server.url) as line, GatepassClient(line.url, server.key) as client:
        yield Site(client, line, tmp_path / "kiosk")
