"""Rekognition on the wire: who is calling, from where, and what is said to a call that comes again."""

import asyncio
import json
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image

from app.faces.compat.rekognition import tell
from app.faces.compat.rekognition.operations import OPERATIONS
from app.faces.pictures import MAX_PICTURE
from app.faces.problems import FAULT, Problem
from app.services.mistakes import TooManyPictures
from app.storage.failures import Unavailable
from tests.conftest import make_settings
from tests.faces.compat.rekognition_client import MODEL, Refusal, Rekognition, refusal_in
from tests.faces.compat.rekognition_site import (
    CANARY,
    FACE,
    IMAGE,
    connected,
    index,
    picture,
    refusal,
    token_of,
    verifications,
)
from tests.service import Service, running_service


@pytest_asyncio.fixture(loop_scope="session")
async def client(service: Service) -> Rekognition:
    """A client at the main door of a tenant of the test's own."""
    await service.gate()
    return await connected(service)


# Credentials.


async def test_a_connection_is_given_what_the_aws_clients_have_places_for(service: Service) -> None:
    await service.gate()
    made = await service.create("/v1/connections", kind="rekognition", gate="main-door")
    assert made["base_url"] == "http://gatepass.test"
    given = made["credentials"]
    assert given.keys() == {"access_key_id", "secret_access_key", "region", "collection"}
    assert given["access_key_id"].startswith("AKIA")
    assert (len(given["access_key_id"]), len(given["secret_access_key"])) == (20, 40)
    assert (given["region"], given["collection"]) == ("us-east-1", "gatepass")
    listed = await Rekognition(service, made).call("ListCollections")
    assert listed["CollectionIds"] == ["gatepass"]


# Called again.


async def no_repeats(service: Service) -> None:
    """Have the gate let in nobody twice, as it does where no camera polls."""
    answer = await service.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 0})
    assert answer.status_code == 200


@pytest.mark.parametrize("window", [0, 5])
async def test_a_search_that_comes_again_within_a_minute_gets_its_first_answer(
    service: Service, client: Rekognition, window: int
) -> None:
    if window == 0:
        await no_repeats(service)
    await index(client, "emp-1042")
    asked = {"CollectionId": "gatepass", "Image": picture(await token_of(service, "emp-1042")), "invocation": "call-1"}
    first = await client.call("SearchFacesByImage", **asked)
    assert len(first["FaceMatches"]) == 1
    for later in (4, 50):
        service.clock.advance(later)
        assert await client.call("SearchFacesByImage", **asked) == first
    assert await verifications(service) == [("admit", "ok")]
    for later in (7, 3 * 3600):
        service.clock.advance(later)
        assert (await client.call("SearchFacesByImage", **asked))["FaceMatches"] == []
    assert ("deny", "already_used") in await verifications(service)


async def test_the_id_of_a_call_is_no_way_to_ask_again_with_another_call(service: Service, client: Rekognition) -> None:
    await no_repeats(service)
    await index(client, "emp-1042")
    asked = {"CollectionId": "gatepass", "Image": picture(await token_of(service, "emp-1042"))}
    assert len((await client.call("SearchFacesByImage", **asked, invocation="call-1"))["FaceMatches"]) == 1
    assert (await client.call("SearchFacesByImage", **asked, invocation="call-2"))["FaceMatches"] == []


@pytest.mark.parametrize("how", ["pass revoked", "pass suspended", "token revoked", "holder blocked"])
async def test_what_was_taken_back_is_not_named_again_under_the_id_of_its_call(
    service: Service, client: Rekognition, how: str
) -> None:
    for number, operation in enumerate(("SearchFacesByImage", "SearchUsersByImage", "CompareFaces")):
        holder = await service.create("/v1/holders", ref=f"visitor-{number}")
        pass_ = await service.pass_(holder["ref"])
        token = await service.token(pass_, "short")
        image = picture(token["token"])
        in_one = {"CollectionId": "gatepass", "Image": image}
        asked = {"SourceImage": image, "TargetImage": image} if operation == "CompareFaces" else in_one
        matches = "UserMatches" if operation == "SearchUsersByImage" else "FaceMatches"
        assert len((await client.call(operation, **asked, invocation="call-1"))[matches]) == 1
        path = {
            "pass revoked": f"/v1/passes/{pass_['id']}/revoke",
            "pass suspended": f"/v1/passes/{pass_['id']}/suspend",
            "token revoked": f"/v1/tokens/{token['id']}/revoke",
            "holder blocked": f"/v1/holders/{holder['id']}/block",
        }[how]
        answer = await service.call("POST", path, json={} if "revoked" in how else {"reason": "a test"})
        assert answer.is_success
        assert (await client.call(operation, **asked, invocation="call-1"))[matches] == [], operation


async def test_what_could_not_be_settled_is_settled_when_the_call_comes_again(
    service: Service, client: Rekognition, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.pass_("visitor-7")
    asked = {"CollectionId": "gatepass", "Image": picture(await token_of(service, "visitor-7")), "invocation": "call-1"}

    async def gone(*_: object) -> None:
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(service.context.store), "settle", gone)
        assert (await client.call("SearchFacesByImage", **asked))["FaceMatches"] == []
    assert len((await client.call("SearchFacesByImage", **asked))["FaceMatches"]) == 1


async def test_the_same_search_twice_at_once_is_one_verification_with_one_answer(
    service: Service, client: Rekognition
) -> None:
    await index(client, "emp-1042")
    asked = {"CollectionId": "gatepass", "Image": picture(await token_of(service, "emp-1042"))}
    calls = [client.call("SearchFacesByImage", **asked, invocation="call-1") for _ in range(4)]
    first, *others = await asyncio.gather(*calls)
    assert others == [first] * 3
    assert len(first["FaceMatches"]) == 1
    assert await verifications(service) == [("admit", "ok")]


async def test_a_search_that_comes_again_to_another_process_gets_its_first_answer(postgresql_url: str) -> None:
    settings = make_settings(postgresql_url)
    async with running_service(settings) as service, running_service(settings, key=service.key) as other:
        await service.gate()
        made = await service.create("/v1/connections", kind="rekognition", gate="main-door")
        here, there = Rekognition(service, made), Rekognition(other, made)
        await index(here, "emp-1042")
        asked = {"CollectionId": "gatepass", "Image": picture(await token_of(service, "emp-1042"))}
        one, two = [await each.call("SearchFacesByImage", **asked, invocation="call-1") for each in (here, there)]
        assert one == two
        assert len(one["FaceMatches"]) == 1
        assert await verifications(service) == [("admit", "ok")]


async def test_whoever_enrols_again_under_the_same_id_has_enrolled_once(client: Rekognition) -> None:
    asked = {"CollectionId": "gatepass", "Image": IMAGE, "ExternalImageId": "emp-1042"}
    calls = [client.call("IndexFaces", **asked, invocation="call-1") for _ in range(2)]
    first, while_it_ran = await asyncio.gather(*calls)
    assert first == while_it_ran == await client.call("IndexFaces", **asked, invocation="call-1")
    await client.call("CreateCollection", CollectionId="staff", invocation="call-2")
    await client.call("CreateCollection", CollectionId="staff", invocation="call-2")
    assert len((await client.call("ListFaces", CollectionId="gatepass"))["Faces"]) == 1
    assert await client.call("IndexFaces", **asked, invocation="no id") != await client.call(
        "IndexFaces", **asked, invocation="no id"
    )


async def test_an_id_of_a_call_is_no_answer_to_another_call_or_connection(
    service: Service, client: Rekognition
) -> None:
    one, two = await index(client, "emp-1"), await index(client, "emp-2")
    texts = [await token_of(service, subject) for subject in ("emp-1", "emp-2")]
    by = {"CollectionId": "gatepass", "invocation": "call-1"}
    found = await client.call("SearchFacesByImage", **by, Image=picture(texts[0]))
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [one]
    found = await client.call("SearchFacesByImage", **by, Image=picture(texts[1]))
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [two]
    stranger = await connected(service)
    assert (await stranger.call("ListFaces", **by))["Faces"] == []


async def test_what_failed_is_tried_anew_under_the_same_id(client: Rekognition) -> None:
    asked = {"CollectionId": "staff", "Image": IMAGE, "ExternalImageId": "emp-1042", "invocation": "call-1"}
    assert (await refusal(client, "IndexFaces", **asked)).name == "ResourceNotFoundException"
    await client.call("CreateCollection", CollectionId="staff")
    assert len((await client.call("IndexFaces", **asked))["FaceRecords"]) == 1


# Who is calling.


async def signed(client: Rekognition, *, late_s: int = 0, **changed: str | None) -> Refusal | None:
    """What is said to a signed request that comes late, or some of whose headers were changed or taken away."""
    sent = client.sign("RekognitionService.ListCollections", b"{}")
    client.clock.advance(late_s)
    for name, value in changed.items():
        found = next(each for each in sent if each.lower() == name.replace("_", "-"))
        before = sent.pop(found)
        if value is not None:
            sent[found] = value.replace("{}", before)
    answer = await client.post(sent, b"{}")
    return None if answer.status_code == 200 else refusal_in(answer)


async def test_whoever_does_not_sign_or_signs_otherwise_is_told_so(client: Rekognition) -> None:
    assert await signed(client) is None
    target, body = "RekognitionService.ListCollections", b"{}"
    unsigned_target = client.sign(target, body)["Authorization"].replace(";x-amz-target", "")
    for changed, name in (
        ({"authorization": None}, "MissingAuthenticationTokenException"),
        ({"authorization": f"Bearer {CANARY}"}, "MissingAuthenticationTokenException"),
        ({"authorization": "AWS4-HMAC-SHA256 " + CANARY}, "IncompleteSignatureException"),
        ({"x_amz_date": None}, "IncompleteSignatureException"),
        ({"x_amz_date": CANARY}, "IncompleteSignatureException"),
        ({"x_amz_target": "RekognitionService.ListFaces"}, "InvalidSignatureException"),
        ({"authorization": "{}0"}, "IncompleteSignatureException"),
        ({"authorization": unsigned_target}, "IncompleteSignatureException"),
    ):
        refused = await signed(client, **changed)
        assert refused is not None
        assert refused.name == name, changed
        assert CANARY not in refused.message
    assert await signed(client, late_s=290) is None
    late = await signed(client, late_s=310)
    assert late is not None
    assert (late.name, late.message.startswith("Signature expired: ")) == ("InvalidSignatureException", True)
    client.credentials.secret_key = "x" * 40
    assert (await refusal(client, "ListCollections")).name == "InvalidSignatureException"
    client.credentials.access_key = "AKIA" + "A" * 16
    assert (await refusal(client, "ListCollections")).name == "UnrecognizedClientException"


async def test_a_revoked_connection_is_unknown(service: Service) -> None:
    await service.gate()
    made = await service.create("/v1/connections", kind="rekognition", gate="main-door")
    client = Rekognition(service, made)
    await client.call("ListCollections")
    await service.call("DELETE", f"/v1/connections/{made['id']}")
    assert (await refusal(client, "ListCollections")).name == "UnrecognizedClientException"


async def test_a_proxy_may_rewrite_the_host_if_the_public_one_is_known(sqlite_url: str) -> None:
    async with running_service(make_settings(sqlite_url, public_hosts="faces.example.org")) as service:
        await service.gate()
        client = await connected(service)
        body = b"{}"
        for host, status in (("faces.example.org", 200), ("gatepass.test", 200), ("other.example.org", 400)):
            answer = await client.send("RekognitionService.ListCollections", body, host=host)
            assert answer.status_code == status, host


# What cannot be.


async def test_it_may_be_mounted_on_a_path(client: Rekognition) -> None:
    for path in ("/rekognition", "/rekognition/", "/rekognition/v1/"):
        answer = await client.send("RekognitionService.ListCollections", b"{}", path=path)
        assert answer.json()["CollectionIds"] == ["gatepass"]
    headers = client.sign("RekognitionService.ListCollections", b"")
    gone = await client.http.get("/rekognition/", headers=headers)
    assert refusal_in(gone).name == "UnknownOperationException"
    assert gone.headers["x-amzn-requestid"].startswith("req_")


async def test_all_other_operations_are_unknown(client: Rekognition) -> None:
    others = [f"RekognitionService.{name}" for name in MODEL.operation_names if name not in OPERATIONS]
    assert "RekognitionService.CreateFaceLivenessSession" in others
    for target in (*others, CANARY, "", "RekognitionService.", "ListCollections", "DynamoDB.ListCollections"):
        refused = refusal_in(await client.send(target, b"{}"))
        assert refused.name == "UnknownOperationException", target
        assert CANARY not in refused.message


def test_what_a_client_is_to_try_again_is_told_as_its_sdk_understands_it() -> None:
    for fault, status, name in (
        (Problem(503, "The service cannot answer just now."), 500, "InternalServerError"),
        (Problem(500, FAULT), 500, "InternalServerError"),
        (Problem(408, "The request was not sent in time."), 400, "RequestTimeoutException"),
        (TooManyPictures("Try again in a moment."), 400, "ThrottlingException"),
    ):
        response = tell(fault)
        assert (response.status_code, json.loads(response.body)["__type"]) == (status, name)


async def test_a_picture_is_refused_as_rekognition_refuses_it(client: Rekognition) -> None:
    no_face = await refusal(client, "SearchFacesByImage", CollectionId="gatepass", Image=IMAGE)
    assert no_face.name == "InvalidParameterException"
    assert no_face.message == "There are no faces in the image. Should be at least 1."
    large = BytesIO()
    Image.new("1", (4000, 4000)).save(large, "PNG")
    for image in (b"\0" * (MAX_PICTURE + 1), large.getvalue()):
        refused = await refusal(client, "SearchUsersByImage", CollectionId="gatepass", Image={"Bytes": image})
        assert refused.name == "ImageTooLargeException"
    broken = await refusal(client, "DetectFaces", Image={"Bytes": FACE[: len(FACE) // 2]})
    assert broken.name == "InvalidImageFormatException"
    answer = await client.send("RekognitionService.DetectFaces", b"{" + b" " * 15 * 1024 * 1024 + b"}")
    assert refusal_in(answer).name == "ImageTooLargeException"
