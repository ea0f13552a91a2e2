"""What a client of Rekognition asks has to keep to the service's model; whatever it is, it is answered."""

import contextlib
import json
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.faces.compat.rekognition.operations import OPERATIONS
from app.faces.compat.rekognition.requests import read
from app.faces.dialect import Told
from tests.faces.compat.rekognition_client import MODEL, Rekognition, refusal_in
from tests.faces.compat.rekognition_site import (
    CANARY,
    NOBODY,
    connected,
)
from tests.service import Service


@pytest_asyncio.fixture(loop_scope="session")
async def client(service: Service) -> Rekognition:
    """A client at the main door of a tenant of the test's own."""
    await service.gate()
    return await connected(service)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_asked_with_the_members_of_the_model_and_no_others(name: str) -> None:
    asked, shape = OPERATIONS[name].asked, MODEL.operation_model(name).input_shape
    members = {field.alias: field for field in asked.model_fields.values()}
    assert {alias for alias, field in members.items() if field.is_required()} == set(shape.required_members)
    # OfUserAndFaces serves two operations, of which one has a threshold too.
    spare = {"UserMatchThreshold"} if name == "DisassociateFaces" else set()
    assert shape.members.keys() - {"Tags"} == members.keys() - spare


A_FACE = {"CollectionId": "gatepass", "FaceId": NOBODY}
AN_IMAGE = {"CollectionId": "gatepass", "Image": {"Bytes": "AAAA"}}
INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("CreateCollection", {}, "ValidationException"),
    ("CreateCollection", {"CollectionId": None}, "ValidationException"),
    ("CreateCollection", {"CollectionId": ""}, "ValidationException"),
    ("CreateCollection", {"CollectionId": f"{CANARY} x"}, "ValidationException"),
    ("CreateCollection", {"CollectionId": f"{CANARY}\n"}, "ValidationException"),
    ("CreateCollection", {"CollectionId": "\uff11\uff12"}, "ValidationException"),
    ("CreateCollection", {"CollectionId": "x" * 256}, "ValidationException"),
    ("CreateCollection", {"CollectionId": 17}, "SerializationException"),
    ("CreateCollection", {"CollectionId": [CANARY]}, "SerializationException"),
    ("ListCollections", {"MaxResults": -1}, "ValidationException"),
    ("ListCollections", {"MaxResults": 4097}, "ValidationException"),
    ("ListCollections", {"MaxResults": True}, "SerializationException"),
    ("ListCollections", {"MaxResults": "1"}, "SerializationException"),
    ("ListCollections", {"NextToken": f"{CANARY} x"}, "InvalidPaginationTokenException"),
    ("ListFaces", {"CollectionId": "gatepass", "NextToken": CANARY}, "InvalidPaginationTokenException"),
    ("ListFaces", {"CollectionId": "gatepass", "FaceIds": []}, "ValidationException"),
    ("ListFaces", {"CollectionId": "gatepass", "FaceIds": [NOBODY.replace("8", "G")]}, "ValidationException"),
    ("ListUsers", {"CollectionId": "gatepass", "NextToken": f"{CANARY}/"}, "InvalidPaginationTokenException"),
    ("ListUsers", {"CollectionId": "gatepass", "MaxResults": 501}, "ValidationException"),
    ("SearchFaces", {**A_FACE, "FaceId": CANARY}, "ValidationException"),
    ("SearchFaces", {**A_FACE, "FaceMatchThreshold": 100.1}, "ValidationException"),
    ("SearchFaces", {**A_FACE, "MaxFaces": 0}, "ValidationException"),
    ("DeleteFaces", {"CollectionId": "gatepass", "FaceIds": [NOBODY] * 4097}, "ValidationException"),
    ("DeleteFaces", {"CollectionId": "gatepass", "FaceIds": [CANARY] * 4096}, "ValidationException"),
    ("DeleteFaces", {"CollectionId": "gatepass", "FaceIds": NOBODY}, "SerializationException"),
    ("IndexFaces", {**AN_IMAGE, "ExternalImageId": f"{CANARY} (1).jpg"}, "ValidationException"),
    ("IndexFaces", {**AN_IMAGE, "ExternalImageId": "x" * 129}, "InvalidParameterException"),
    ("IndexFaces", {**AN_IMAGE, "ExternalImageId": "x" * 256}, "ValidationException"),
    ("IndexFaces", {**AN_IMAGE, "QualityFilter": CANARY}, "ValidationException"),
    ("IndexFaces", {**AN_IMAGE, "DetectionAttributes": [CANARY]}, "ValidationException"),
    ("IndexFaces", {**AN_IMAGE, "MaxFaces": 0}, "ValidationException"),
    ("IndexFaces", {"CollectionId": "gatepass", "Image": {}}, "InvalidParameterException"),
    ("IndexFaces", {"CollectionId": "gatepass", "Image": CANARY}, "SerializationException"),
    ("IndexFaces", {"CollectionId": "gatepass", "Image": {"Bytes": ""}}, "ValidationException"),
    ("IndexFaces", {"CollectionId": "gatepass", "Image": {"S3Object": {"Bucket": CANARY}}}, "InvalidS3ObjectException"),
    ("SearchFacesByImage", {"CollectionId": "gatepass", "Image": {"S3Object": {}}}, "InvalidS3ObjectException"),
    ("SearchFacesByImage", {"CollectionId": "gatepass", "Image": {"Bytes": f"{CANARY}§"}}, "SerializationException"),
    ("SearchFacesByImage", AN_IMAGE, "InvalidImageFormatException"),
    ("SearchFacesByImage", {**AN_IMAGE, "MaxFaces": 4097}, "ValidationException"),
    ("SearchUsersByImage", {**AN_IMAGE, "MaxUsers": 501}, "ValidationException"),
    ("DetectFaces", {"Image": {"Bytes": "AAAA"}, "Attributes": [CANARY]}, "ValidationException"),
    ("DetectFaces", {"Image": {"Bytes": 17}}, "SerializationException"),
    ("CompareFaces", {"SourceImage": {"Bytes": "AAAA"}}, "ValidationException"),
    ("CreateUser", {"CollectionId": "gatepass", "UserId": f"{CANARY}/1"}, "ValidationException"),
    ("CreateUser", {"CollectionId": "gatepass", "UserId": "x" * 129}, "ValidationException"),
    ("CreateUser", {"CollectionId": "gatepass", "UserId": "u", "ClientRequestToken": "§"}, "ValidationException"),
    ("AssociateFaces", {"CollectionId": "gatepass", "UserId": "u", "FaceIds": [NOBODY] * 101}, "ValidationException"),
]
BROKEN = {
    "nothing": b"",
    "no JSON": CANARY.encode(),
    "not UTF-8": b'{"CollectionId": "Canary7f3a \xff"}',
    "NUL": b'{"CollectionId": "Canary7f3a\\u0000"}',
    "half a surrogate pair": b'{"CollectionId": "Canary7f3a\\ud800"}',
    "NaN": b'{"CollectionId": NaN, "Canary7f3a": 1}',
    "a key twice": b'{"CollectionId": "a", "CollectionId": "Canary7f3a"}',
    "nested deeply": b'{"CollectionId": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a list": b'["Canary7f3a"]',
    "a form": b"CollectionId=Canary7f3a",
}


async def test_what_is_asked_has_to_keep_to_the_model(client: Rekognition) -> None:
    for operation, members, name in INVALID:
        answer = await client.send(f"RekognitionService.{operation}", json.dumps(members).encode())
        assert answer.status_code == 400, (operation, members)
        assert refusal_in(answer).name == name, (operation, members, answer.text)
        assert CANARY not in answer.text, operation
        assert len(answer.text) < 2000
    for name, body in BROKEN.items():
        for content_type in ("application/x-amz-json-1.1", "text/plain", "multipart/form-data"):
            answer = await client.send("RekognitionService.CreateCollection", body, **{"Content-Type": content_type})
            assert refusal_in(answer).name == "SerializationException", name
            assert CANARY not in answer.text, name
    assert (await client.call("ListCollections"))["CollectionIds"] == ["gatepass"]
    assert (await client.call("ListFaces", CollectionId="gatepass"))["Faces"] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
members = st.sampled_from(
    sorted({field.alias or "" for each in OPERATIONS.values() for field in each.asked.model_fields.values()})
)


@given(st.sampled_from(sorted(OPERATIONS)), st.dictionaries(members, json_values, max_size=6) | json_values)
def test_whatever_is_asked_is_read_or_refused(name: str, body: Any) -> None:
    with contextlib.suppress(Told):
        read(OPERATIONS[name].asked, json.dumps(body).encode())
