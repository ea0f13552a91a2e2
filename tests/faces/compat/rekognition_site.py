"""What tests of Rekognition say often: who is enrolled, what a camera sees, and who is found in it."""

from typing import Any

import pytest
from PIL import Image

from tests.effects.frames import code, encoded
from tests.faces.compat.rekognition_client import Refusal, Rekognition
from tests.service import Service

WIDTH, HEIGHT = 640, 480
FACE = encoded(Image.new("RGB", (64, 48), (180, 150, 130)))
IMAGE = {"Bytes": FACE}
NOBODY = "00000000-0000-4000-8000-000000000000"
CANARY = "Canary7f3a"


async def connected(service: Service, gate: str = "main-door", **body: Any) -> Rekognition:
    return Rekognition(service, await service.create("/v1/connections", kind="rekognition", gate=gate, **body))


def picture(*texts: str, sides: tuple[int, ...] = ()) -> dict[str, bytes]:
    """A frame with the texts' codes side by side, each about 200 pixels across unless told otherwise."""
    frame = Image.new("RGB", (WIDTH, HEIGHT), (120, 130, 140))
    for place, text in enumerate(texts):
        drawn = code(text, 1)
        side = sides[place] if sides else 200
        drawn = drawn.resize((drawn.width * max(1, side // drawn.width),) * 2, Image.Resampling.NEAREST)
        middle = WIDTH * (2 * place + 1) // (2 * len(texts))
        frame.paste(drawn, (middle - drawn.width // 2, (HEIGHT - drawn.height) // 2))
    return {"Bytes": encoded(frame)}


async def token_of(service: Service, holder: str, **body: Any) -> str:
    passes = (await service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
    (pass_,) = [each for each in passes if each["status"] == "active"]
    text: str = (await service.token(pass_, "short", **body))["token"]
    return text


async def has_pass(service: Service, holder: str) -> bool:
    passes = (await service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
    return any(each["status"] == "active" for each in passes)


async def verifications(service: Service) -> list[tuple[str, str]]:
    found = (await service.call("GET", "/v1/verifications")).json()["items"]
    return [(each["decision"], each["reason"]) for each in reversed(found)]


async def index(client: Rekognition, subject: str | None, collection: str = "gatepass") -> str:
    """The id of the face of somebody who is now enrolled."""
    named = {} if subject is None else {"ExternalImageId": subject}
    made = await client.call("IndexFaces", CollectionId=collection, Image=IMAGE, **named)
    face_id: str = made["FaceRecords"][0]["Face"]["FaceId"]
    return face_id


async def search(client: Rekognition, *texts: str, collection: str = "gatepass", **more: Any) -> list[dict[str, Any]]:
    """The faces that a picture of the codes is matched with."""
    found = await client.call("SearchFacesByImage", CollectionId=collection, Image=picture(*texts), **more)
    assert all(match["Similarity"] == 100 for match in found["FaceMatches"])
    return [match["Face"] for match in found["FaceMatches"]]


async def search_users(client: Rekognition, text: str, collection: str = "gatepass") -> list[str]:
    found = await client.call("SearchUsersByImage", CollectionId=collection, Image=picture(text))
    assert found["SearchedFace"]["FaceDetail"]["Confidence"] == 100
    return [match["User"]["UserId"] for match in found["UserMatches"]]


async def refusal(client: Rekognition, operation: str, **members: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await client.call(operation, **members)
    assert CANARY not in refused.value.message
    return refused.value
