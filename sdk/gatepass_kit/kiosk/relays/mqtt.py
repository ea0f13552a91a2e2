"""`mqtt`: a message opens the gate.

Each opening has a connection of its own. A client that stays connected would send what it could not send as soon as the
broker is back, and the gate would open for nobody, minutes later. For the same reason nothing is retained.
"""

import time

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from gatepass_kit.result import Result
from gatepass_kit.turnstile import StayedShut

_STEP_S = 0.05
_TLS_PORT = 8883


class MqttRelay:
    """Publishes `payload` to `topic`, at least once (QoS 1), and waits for the broker's word.

    `host` (localhost) and `port` (1883; 8883 is TLS) are the broker's, `username` and `password` where it wants them.
    `timeout_s` is how long all of it may take (2 s).
    """

    def __init__(
        self,
        topic: str,
        *,
        payload: str = "open",
        host: str = "localhost",
        port: str = "1883",
        username: str | None = None,
        password: str | None = None,
        timeout_s: str = "2",
    ) -> None:
        if not topic or "+" in topic or "#" in topic:
            raise ValueError("topic is one topic, without + and #")
        self._topic, self._payload = topic, payload
        self._host, self._port = host, int(port)
        self._username, self._password = username, password
        self._timeout_s = float(timeout_s)

    def open(self, result: Result) -> None:  # noqa: ARG002  a relay opens for everybody alike
        """Publish. It surely stays shut where the broker cannot be reached or lets nobody in; else nobody knows."""
        until = time.monotonic() + self._timeout_s
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = self._timeout_s
        if self._username is not None:
            client.username_pw_set(self._username, self._password)
        if self._port == _TLS_PORT:
            client.tls_set()
        try:
            self._connect(client, until)
            sent = client.publish(self._topic, self._payload, qos=1)
            if not _loop(client, until, sent):
                raise TimeoutError("the broker did not say that it has the message")
        finally:
            client.disconnect()

    def _connect(self, client: Client, until: float) -> None:
        try:
            client.connect(self._host, self._port, keepalive=10)
        except (OSError, ValueError) as fault:
            raise StayedShut(f"no connection to the broker: {fault}") from fault
        if not _loop(client, until):
            raise StayedShut("the broker lets nobody in")


def _loop(client: Client, until: float, sent: MQTTMessageInfo | None = None) -> bool:
    """Until the client is connected, or what was `sent` has arrived. False where that does not come about in time."""
    while not (client.is_connected() if sent is None else sent.is_published()):
        if time.monotonic() > until or client.loop(_STEP_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return sent is not None and sent.is_published()
    return True
