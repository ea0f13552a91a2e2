"""A client at a door, whatever it speaks: who has a pass, what its camera sees, and what was settled there."""

from typing import Any

from PIL import Image

from tests.effects.frames import code, encoded
from tests.service import Service

WIDTH, HEIGHT = 640, 480
NOBODYS = "GP0" + "A" * 26
CANARY = "Canary7f3a"


class Door:
    """A connection at `main-door`, which lets nobody in twice; there is an `other-door` as well."""

    def __init__(self, service: Service, made: dict[str, Any]) -> None:
        self.service = service
        self.credentials: dict[str, str] = made["credentials"]
        self.id: str = made["id"]

    async def token(self, holder: str, **body: Any) -> str:
        """A new token of the holder's good pass, wherever that was made."""
        (pass_,) = [each for each in await self._passes(holder) if each["status"] == "active"]
        token: str = (await self.service.token(pass_, "short", **body))["token"]
        return token

    async def has_pass(self, holder: str) -> bool:
        return any(each["status"] == "active" for each in await self._passes(holder))

    async def settled(self) -> list[tuple[str, str]]:
        """The decision and the reason of every verification, the oldest first."""
        found = (await self.service.call("GET", "/v1/verifications")).json()["items"]
        return [(each["decision"], each["reason"]) for each in reversed(found)]

    def discarded(self, kind: str) -> float:
        """How many face fields were dropped undecoded."""
        text = self.service.context.metrics.render()[0].decode()
        name = f'gatepass_face_fields_discarded_total{{kind="{kind}"}}'
        return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith(name))

    async def _passes(self, holder: str) -> list[dict[str, Any]]:
        found = await self.service.call("GET", "/v1/passes", params={"holder": holder})
        passes: list[dict[str, Any]] = found.json()["items"]
        return passes


async def door_of(service: Service, kind: str) -> Door:
    for gate in ("main-door", "other-door"):
        await service.gate(gate)
    made = await service.create("/v1/connections", kind=kind, gate="main-door")
    await service.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 0})
    return Door(service, made)


def seen(*texts: str, scales: tuple[int, ...] = (4, 4, 4)) -> bytes:
    """What a camera of 640 x 480 sees: the texts' codes side by side, `scales` pixels a module; or nothing."""
    picture = Image.new("L", (WIDTH, HEIGHT), 140)
    for place, (text, scale) in enumerate(zip(texts, scales, strict=False)):
        drawn = code(text, scale)
        middle = WIDTH * (2 * place + 1) // (2 * len(texts))
        picture.paste(drawn, (middle - drawn.width // 2, (HEIGHT - drawn.height) // 2))
    return encoded(picture)
