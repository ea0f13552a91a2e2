"""Relays against real receivers: an HTTP server, an MQTT broker, the pins of gpiozero's own board for machines without."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from gatepass_kit import Result
from gatepass_kit.kiosk.relays import RelayWrong, make, names
from gatepass_kit.turnstile import StayedShut
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from .broker import Heard
from .waiting import wait_until

RESULT = Result(
    decision="admit", reason="ok", flags=(), gate="door", direction="entry", request_id="r-1", offline=False
)


def test_the_relays_of_the_kit_are_plug_ins_like_any_other() -> None:
    assert {"gpio", "http", "mqtt", "none"} <= set(names())
    with pytest.raises(RelayWrong, match=r"There is no relay 'lever'\. There are: .*http"):
        make("lever", {})
    with pytest.raises(RelayWrong, match="topic"):
        make("mqtt", {})
    with pytest.raises(RelayWrong, match="colour"):
        make("http", {"url": "http://127.0.0.1", "colour": "red"})
    with pytest.raises(RelayWrong, match="begins with"):
        make("http", {"url": "127.0.0.1/open"})


# HTTP


class Box(http.server.BaseHTTPRequestHandler):
    """A relay with a web server in it."""

    protocol_version = "HTTP/1.1"
    answers = 200
    seen: list[tuple[str, str, str | None, bytes]]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.command, self.path, self.headers["authorization"], body))
        if self.answers == 0:
            time.sleep(1)
        self.send_response(self.answers or 200)
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST = _answer  # noqa: N815  the names that http.server calls

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def box() -> Iterator[Any]:
    handler = type("_Box", (Box,), {"seen": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        handler.url = f"http://127.0.0.1:{server.server_address[1]}/relay/0?turn=on"  # type: ignore[attr-defined]
        yield handler
        server.shutdown()
        thread.join()


def open_with(options: dict[str, str]) -> None:
    with closing(make("http", options)) as relay:  # type: ignore[type-var]
        relay.open(RESULT)


def test_an_http_relay_is_called_as_it_wants_it(box: Any) -> None:
    open_with({"url": box.url})
    open_with({"url": box.url, "method": "get", "header.Authorization": "Basic eDp5"})
    open_with({"url": box.url, "body": '{"on": true}'})
    assert box.seen == [
        ("POST", "/relay/0?turn=on", None, b""),
        ("GET", "/relay/0?turn=on", "Basic eDp5", b""),
        ("POST", "/relay/0?turn=on", None, b'{"on": true}'),
    ]


def test_an_http_relay_that_refuses_or_is_not_there_surely_stayed_shut(box: Any) -> None:
    box.answers = 403
    with pytest.raises(StayedShut):
        open_with({"url": box.url})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StayedShut):
        open_with({"url": f"http://127.0.0.1:{port}/"})


@pytest.mark.parametrize("answers", [500, 0])
def test_of_an_http_relay_that_fails_or_does_not_answer_nobody_knows(box: Any, answers: int) -> None:
    box.answers = answers
    with pytest.raises(Exception) as fault:  # noqa: PT011  whatever httpx has for it
        open_with({"url": box.url, "timeout_s": "0.3"})
    assert not isinstance(fault.value, StayedShut)


# MQTT


def of_broker(broker: int, **options: str) -> dict[str, str]:
    return {"host": "127.0.0.1", "port": str(broker), "topic": "doors/north", **options}


def test_an_mqtt_relay_publishes_its_message_and_leaves_nothing_behind(broker: int, heard: list[Heard]) -> None:
    relay = make("mqtt", of_broker(broker, username="gate", password="secret", payload="pulse"))
    relay.open(RESULT)
    relay.open(RESULT)
    wait_until(lambda: len(heard) == 2)
    assert heard == [Heard("doors/north", b"pulse", retained=False)] * 2


def test_a_broker_that_is_not_there_or_lets_nobody_in_leaves_the_gate_shut(broker: int) -> None:
    with pytest.raises(StayedShut):
        make("mqtt", of_broker(broker, username="gate", password="wrong")).open(RESULT)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StayedShut):
        make("mqtt", of_broker(port)).open(RESULT)


def test_a_broker_that_takes_the_message_and_says_nothing_leaves_it_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept_and_say_nothing_more, args=(server,))
        thread.start()
        with pytest.raises(TimeoutError):
            make("mqtt", of_broker(server.getsockname()[1], timeout_s="0.5")).open(RESULT)
        thread.join()


def accept_and_say_nothing_more(server: socket.socket) -> None:
    """CONNACK, and then nothing (MQTT 3.1.1, section 3.2)."""
    connection, _ = server.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(b"\x20\x02\x00\x00")
        while connection.recv(1024):
            pass


# GPIO


def test_a_pin_is_on_for_a_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", MockFactory())
    relay = make("gpio", {"pin": "17", "pulse_s": "0.05"})
    pin = Device.pin_factory.pin(17)
    began = time.monotonic()
    relay.open(RESULT)
    assert time.monotonic() - began >= 0.05
    assert [state.state for state in pin.states] == [False, True, False]
    relay.close()  # type: ignore[attr-defined]
    with pytest.raises(RelayWrong, match="pulse_s"):
        make("gpio", {"pin": "17", "pulse_s": "60"})
