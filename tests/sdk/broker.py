"""Debian's MQTT broker, and somebody who listens to it."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from .waiting import wait_until

USER, PASSWORD = "gate", "secret"
_WHERE = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


class Heard(NamedTuple):
    topic: str
    payload: bytes
    retained: bool


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """The port of a broker that lets in `gate` with the password `secret`, and nobody else."""
    program = shutil.which("mosquitto", path=_WHERE)
    assert program, "mosquitto is missing: apt-get install mosquitto"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    passwords, settings, log = folder / "passwords", folder / "mosquitto.conf", folder / "log"
    command = ["mosquitto_passwd", "-b", "-c", passwords, USER, PASSWORD]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    user = "user root\n"  # or it becomes a user of its own, who cannot read in here
    settings.write_text(f"{user}listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n")
    with log.open("wb") as heard:
        process = subprocess.Popen([program, "-c", settings], stdout=heard, stderr=heard)
    try:
        wait_until(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield port
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def listening(port: int, topic: str) -> Iterator[list[Heard]]:
    """What is heard under a topic from now on."""
    messages, subscribed = list[Heard](), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(USER, PASSWORD)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _client, _user, message: messages.append(
        Heard(message.topic, message.payload, message.retain)
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(topic, qos=1)
    assert subscribed.wait(10)
    try:
        yield messages
    finally:
        client.disconnect()
        client.loop_stop()
