"""A site with real clients: a tenant of a served Gatepass, which is reached over its public API alone.

site.gate("main-door")
desk = site.connect("compreface", "main-door")
with compreface_sdk(desk.url, desk.credentials["api_key"]) as client:
    client.call("add_example", image=site.a_face(), subject="emp-1042")
    seen = client.call("recognize", image=site.code_of("emp-1042"))
"""

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from PIL import Image

from tests.effects.frames import code, encoded

WIDTH, HEIGHT = 640, 480
_ACROSS = 200  # pixels, about


class Connected(NamedTuple):
    """A connection: its id, the `url` that its client is given, and the credentials by the client's names for them."""

    id: str
    url: str
    credentials: dict[str, str]


class Site:
    """One tenant with its admin key, and short ways to say what tests say often."""

    def __init__(self, url: str, key: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self._numbers = itertools.count(1)
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """What the API answers, which has to be a success."""
        answer = self._http.request(method, path, **arguments)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def gate(self, id_: str = "main-door", **body: Any) -> None:
        self.call("POST", "/v1/gates", json={"id": id_, "name": id_, **body})

    def connect(self, kind: str, gate: str = "main-door", **body: Any) -> Connected:
        """A new connection of that kind at the gate."""
        made = self.call("POST", "/v1/connections", json={"kind": kind, "gate": gate, **body})
        return Connected(made["id"], made["base_url"], made["credentials"])

    def at_a_door(self, kind: str) -> Connected:
        """A connection at a door that lets in nobody twice, not even a camera that polls; there is another door."""
        self.gate("main-door")
        self.gate("other-door")
        connection = self.connect(kind, "main-door")
        self.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 0})
        return connection

    def disconnect(self, connection: Connected) -> None:
        """Revoke a connection."""
        self.call("DELETE", f"/v1/connections/{connection.id}")

    def visitor(self, holder: str, **body: Any) -> None:
        """Give a pass to somebody whom no client has enrolled."""
        self.call("POST", "/v1/passes", json={"holder": holder, "gates": "all", **body})

    def token_of(self, holder: str, kind: str = "short", **body: Any) -> str:
        """A new token of the holder's good pass, wherever the pass was made."""
        passes = self.call("GET", "/v1/passes", params={"holder": holder})["items"]
        (pass_,) = [each["id"] for each in passes if each["status"] == "active"]
        token: str = self.call("POST", "/v1/tokens", json={"pass": pass_, "kind": kind, **body})["token"]
        return token

    def has_pass(self, holder: str) -> bool:
        """Whether the holder has a good pass."""
        passes = self.call("GET", "/v1/passes", params={"holder": holder})["items"]
        return any(each["status"] == "active" for each in passes)

    def code_of(self, holder: str, kind: str = "short", **body: Any) -> Path:
        """A picture of a new token, as a camera takes it."""
        return self.picture_of(self.token_of(holder, kind, **body))

    def picture_of(self, *texts: str) -> Path:
        """A small JPEG with the texts' codes side by side, each about 200 pixels across; without any, of nothing."""
        picture = Image.new("RGB", (WIDTH, HEIGHT), (120, 130, 140))
        for place, text in enumerate(texts):
            one = code(text, 1)
            drawn = one.resize((one.width * max(1, _ACROSS // one.width),) * 2, Image.Resampling.NEAREST)
            middle = WIDTH * (2 * place + 1) // (2 * len(texts))
            picture.paste(drawn, (middle - drawn.width // 2, (HEIGHT - drawn.height) // 2))
        file = self._folder / f"picture-{next(self._numbers)}.jpg"
        file.write_bytes(encoded(picture))
        return file

    def a_face(self) -> Path:
        """What a client enrols with: a picture without a code, which is dropped whatever it shows."""
        return self.picture_of()

    def verifications(self, **query: str) -> list[tuple[str, str, str | None]]:
        """The decision, the reason and the holder of each verification, the oldest first."""
        found = self.call("GET", "/v1/verifications", params=query)["items"]
        return [
            (each["decision"], each["reason"], each["holder"] and each["holder"]["ref"]) for each in reversed(found)
        ]

    def entries(self, holder: str) -> int:
        """How often the holder was admitted."""
        return len(self.verifications(holder=holder, decision="admit"))
