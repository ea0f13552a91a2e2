"""A client of Baidu's API at a gate, as the tests write it by hand."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import httpx

from tests.faces.http.pictures import photo
from tests.service import Service

BASE = "/rest/2.0/face/v3"
NOT_A_PICTURE = b"what a camera might send: anything"
NOBODYS = "GP0" + "A" * 26
CANARY = "Canary7f3a"
MONTH = 2_592_000
FACE = {"image": b64encode(NOT_A_PICTURE).decode(), "image_type": "BASE64"}
GRANT = {"grant_type": "client_credentials"}


class Client:
    """A client of Baidu's at its gate, with an access token."""

    def __init__(self, service: Service, credentials: Mapping[str, str]) -> None:
        self.service = service
        self.credentials = credentials
        self.access_token = ""

    async def authorise(self) -> None:
        answer = await self.grant()
        assert answer.status_code == 200, answer.text
        self.access_token = answer.json()["access_token"]

    async def grant(self, **instead: str) -> httpx.Response:
        asked = {"client_id": self.credentials["api_key"], "client_secret": self.credentials["secret_key"]}
        return await self.service.http.get("/oauth/2.0/token", params={**GRANT, **asked, **instead})

    async def send(self, call: str, query: str | None = None, **sent: Any) -> httpx.Response:
        query = f"access_token={self.access_token}" if query is None else query
        return await self.service.http.post(f"{BASE}/{call}?{query}", **sent)

    async def told(self, call: str, asked: Any) -> tuple[int, Any]:
        """The code and the result of a call, in the whole envelope."""
        answer = await self.send(call, json=asked)
        told = answer.json()
        assert answer.status_code == 200
        assert told.keys() == {"error_code", "error_msg", "log_id", "timestamp", "cached", "result"}, told
        assert isinstance(told["log_id"], int)
        assert abs(told["timestamp"] - self.service.clock.now() // 1_000_000) < 60
        assert (told["error_msg"] == "SUCCESS") == (told["error_code"] == 0)
        assert told["error_code"] == 0 or told["result"] is None
        assert CANARY not in answer.text
        return told["error_code"], told["result"]

    async def result(self, call: str, asked: Any) -> Any:
        code, result = await self.told(call, asked)
        assert code == 0, code
        return result

    async def refused(self, call: str, asked: Any) -> int:
        code, _ = await self.told(call, asked)
        return code

    async def enrol(self, user: str, group: str = "staff", **more: str) -> str:
        made = await self.result("faceset/user/add", {**FACE, "group_id": group, "user_id": user, **more})
        assert made["location"] == {"left": 0, "top": 0, "width": 0, "height": 0, "rotation": 0}
        face_token: str = made["face_token"]
        assert len(bytes.fromhex(face_token)) == 16
        return face_token

    async def search(self, *texts: str, groups: str = "staff", **more: Any) -> Any:
        """The users that are found by the texts' codes, or the error code."""
        code, result = await self.told("search", {**shown(*texts), "group_id_list": groups, **more})
        return code or [user["user_id"] for user in result["user_list"]]

    async def match(self, one: Mapping[str, str], other: Mapping[str, str]) -> int:
        score: int = (await self.result("match", [one, other]))["score"]
        return score

    async def token(self, holder: str, **body: Any) -> str:
        """A new token of the holder's good pass."""
        passes = (await self.service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
        (pass_,) = [each for each in passes if each["status"] == "active"]
        token: str = (await self.service.token(pass_, "short", **body))["token"]
        return token

    async def has_pass(self, holder: str) -> bool:
        passes = (await self.service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
        return any(each["status"] == "active" for each in passes)

    async def settled(self) -> list[tuple[str, str]]:
        """The decision and the reason of every verification, oldest first."""
        found = (await self.service.call("GET", "/v1/verifications")).json()["items"]
        return [(each["decision"], each["reason"]) for each in reversed(found)]


async def client_at(service: Service, gate: str = "main-door") -> Client:
    """A client at a new gate."""
    await service.gate(gate)
    made = await service.create("/v1/connections", kind="baidu", gate=gate)
    client = Client(service, made["credentials"])
    await client.authorise()
    return client


def shown(*texts: str) -> dict[str, str]:
    """A picture with the texts' codes, as a client sends one."""
    return {"image": b64encode(photo(*texts)).decode(), "image_type": "BASE64"}


def enrolled(face_token: str) -> dict[str, str]:
    return {"image": face_token, "image_type": "FACE_TOKEN"}
