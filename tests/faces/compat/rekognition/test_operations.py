"""What Rekognition's operations do: faces, collections and users, as a client of them asks and gets."""

import json
from base64 import b64encode
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.faces.compat.rekognition_client import Rekognition
from tests.faces.compat.rekognition_site import (
    CANARY,
    IMAGE,
    NOBODY,
    connected,
    has_pass,
    index,
    picture,
    refusal,
    search,
    search_users,
    token_of,
    verifications,
)
from tests.service import Service

WHOLE = {"Width": 1.0, "Height": 1.0, "Left": 0.0, "Top": 0.0}


@pytest_asyncio.fixture(loop_scope="session")
async def client(service: Service) -> Rekognition:
    """A client at the main door of a tenant of the test's own."""
    await service.gate()
    return await connected(service)


# The life of a face.


async def test_somebody_who_is_indexed_is_found_at_the_gate_and_a_used_code_names_nobody(
    service: Service, client: Rekognition
) -> None:
    made = await client.call("IndexFaces", CollectionId="gatepass", Image=IMAGE, ExternalImageId="emp-1042", MaxFaces=1)
    (record,) = made["FaceRecords"]
    assert record["Face"]["ExternalImageId"] == "emp-1042"
    assert record["Face"]["BoundingBox"] == record["FaceDetail"]["BoundingBox"] == WHOLE
    assert made["UnindexedFaces"] == []

    shown = picture(await token_of(service, "emp-1042"))
    found = await client.call("SearchFacesByImage", CollectionId="gatepass", Image=shown, FaceMatchThreshold=99.9)
    assert found["FaceMatches"] == [{"Similarity": 100.0, "Face": record["Face"]}]
    box = found["SearchedFaceBoundingBox"]
    assert 0.2 < box["Width"] < 0.4
    assert abs(box["Left"] + box["Width"] / 2 - 0.5) < 0.01
    assert abs(box["Top"] + box["Height"] / 2 - 0.5) < 0.01
    assert await verifications(service) == [("admit", "ok")]

    service.clock.advance(6)  # past the window in which a camera may show it again
    again = await client.call("SearchFacesByImage", CollectionId="gatepass", Image=shown)
    assert again["FaceMatches"] == []
    assert again["SearchedFaceBoundingBox"] == box
    assert await verifications(service) == [("admit", "ok"), ("deny", "already_used")]


async def test_a_code_for_another_gate_names_nobody(service: Service, client: Rekognition) -> None:
    await service.gate("other-door")
    await index(client, "emp-1042")
    elsewhere = await service.pass_("emp-7", gates=["other-door"])
    assert await search(client, (await service.token(elsewhere))["token"]) == []
    assert await verifications(service) == [("deny", "wrong_gate")]


async def test_all_faces_of_whoever_is_admitted_are_matched_up_to_the_most_that_is_asked_for(
    service: Service, client: Rekognition
) -> None:
    ids = [await index(client, "emp-1042") for _ in range(3)]
    await index(client, "emp-7")
    text = await token_of(service, "emp-1042")
    assert [face["FaceId"] for face in await search(client, text)] == ids
    assert [face["FaceId"] for face in await search(client, text, MaxFaces=2)] == ids[:2]


async def test_without_an_external_id_the_face_is_who_is_enrolled(service: Service, client: Rekognition) -> None:
    face_id = await index(client, None)
    (face,) = await search(client, await token_of(service, face_id))
    assert face["FaceId"] == face_id
    assert "ExternalImageId" not in face


async def test_a_visitor_with_a_pass_of_the_api_is_found_under_an_id_that_stays(
    service: Service, client: Rekognition
) -> None:
    await client.call("CreateCollection", CollectionId="staff")
    await service.pass_("visitor-7")
    (face,) = await search(client, await token_of(service, "visitor-7"))
    (again,) = await search(client, await token_of(service, "visitor-7"), collection="staff")
    assert face["ExternalImageId"] == "visitor-7"
    assert again == face
    assert (await client.call("ListFaces", CollectionId="gatepass"))["Faces"] == []


async def test_a_visitor_whose_ref_is_no_external_id_is_found_under_the_id_of_the_face(
    service: Service, client: Rekognition
) -> None:
    await service.pass_("访客 7")
    (face,) = await search(client, await token_of(service, "访客 7"))
    assert face["ExternalImageId"] == face["FaceId"]
    assert await search_users(client, await token_of(service, "访客 7")) == [face["FaceId"]]


async def test_whoever_is_enrolled_elsewhere_only_is_not_found_and_nothing_of_theirs_is_used(
    service: Service, client: Rekognition
) -> None:
    await client.call("CreateCollection", CollectionId="staff")
    face_id = await index(client, "emp-1042", "staff")
    text = await token_of(service, "emp-1042")
    assert await search(client, text) == []
    assert await verifications(service) == []
    assert [face["FaceId"] for face in await search(client, text, collection="staff")] == [face_id]


async def test_codes_of_two_holders_in_one_picture_name_nobody(service: Service, client: Rekognition) -> None:
    texts = []
    for subject in ("emp-1", "emp-2"):
        await index(client, subject)
        texts.append(await token_of(service, subject))
    assert await search(client, *texts) == []
    assert ("admit", "ok") not in await verifications(service)


async def test_faces_are_listed_a_page_at_a_time_also_while_they_go(service: Service, client: Rekognition) -> None:
    ids = [await index(client, f"emp-{number}") for number in range(5)]
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = await client.call("ListFaces", CollectionId="gatepass", MaxResults=2, **token)
        here = [face["FaceId"] for face in page["Faces"]]
        seen += here
        await client.call("DeleteFaces", CollectionId="gatepass", FaceIds=here)
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == ids
    assert not await has_pass(service, "emp-4")


async def test_faces_are_listed_by_their_ids(client: Rekognition) -> None:
    one, two = await index(client, "emp-1"), await index(client, "emp-2")
    found = await client.call("ListFaces", CollectionId="gatepass", FaceIds=[two, NOBODY], MaxResults=0)
    assert [face["FaceId"] for face in found["Faces"]] == [two]
    assert "NextToken" not in found
    listed = await client.call("ListFaces", CollectionId="gatepass", NextToken=one)
    assert [face["FaceId"] for face in listed["Faces"]] == [two]


async def test_deleting_the_last_face_revokes_the_pass_and_says_what_was_not_there(
    service: Service, client: Rekognition
) -> None:
    one, two = await index(client, "emp-1042"), await index(client, "emp-1042")
    text = await token_of(service, "emp-1042")
    gone = await client.call("DeleteFaces", CollectionId="gatepass", FaceIds=[one, NOBODY, one])
    assert gone["DeletedFaces"] == [one]
    assert gone["UnsuccessfulFaceDeletions"] == [{"FaceId": NOBODY, "Reasons": ["FACE_NOT_FOUND"]}]
    assert await has_pass(service, "emp-1042")
    await client.call("DeleteFaces", CollectionId="gatepass", FaceIds=[two])
    assert not await has_pass(service, "emp-1042")
    assert await search(client, text) == []
    nothing = await client.call("DeleteFaces", CollectionId="gatepass", FaceIds=[two])
    assert nothing["DeletedFaces"] == []


async def test_no_face_is_like_another(client: Rekognition) -> None:
    face_id = await index(client, "emp-1042")
    found = await client.call("SearchFaces", CollectionId="gatepass", FaceId=face_id)
    assert (found["SearchedFaceId"], found["FaceMatches"]) == (face_id, [])


async def test_what_a_face_is_indexed_with_is_counted_and_not_looked_at(service: Service, client: Rekognition) -> None:
    def discarded() -> float:
        lines = service.context.metrics.render()[0].decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if 'face_fields_discarded_total{kind="rekogn' in line)

    before = discarded()
    for body in ({"Bytes": "no base64 §"}, {"Bytes": "AAAA"}):
        asked = {"CollectionId": "gatepass", "Image": body, "ExternalImageId": "emp-1042"}
        answer = await client.send("RekognitionService.IndexFaces", json.dumps(asked).encode())
        assert answer.status_code == 200, answer.text
    assert discarded() == before + 2


# Collections.


async def test_a_collection_is_made_described_listed_and_deleted(service: Service, client: Rekognition) -> None:
    made = await client.call("CreateCollection", CollectionId="staff", Tags={"site": "north"})
    assert made["StatusCode"] == 200
    prefix, _, account, name = made["CollectionArn"].rsplit(":", 3)[0], *made["CollectionArn"].rsplit(":", 3)[1:]
    assert (prefix, name) == ("aws:rekognition", "collection/staff")
    assert len(account) == 12
    assert account.isdigit()
    await index(client, "emp-1042", "staff")
    await client.call("CreateUser", CollectionId="staff", UserId="emp-7")
    said = await client.call("DescribeCollection", CollectionId="staff")
    assert (said["FaceCount"], said["UserCount"], said["FaceModelVersion"]) == (1, 1, "7.0")
    assert said["CollectionARN"] == "arn:" + made["CollectionArn"]
    assert isinstance(said["CreationTimestamp"], datetime)
    assert abs(said["CreationTimestamp"].timestamp() * 1_000_000 - service.clock.now()) < 60_000_000
    assert (await client.call("DeleteCollection", CollectionId="staff"))["StatusCode"] == 200
    assert not await has_pass(service, "emp-1042")
    assert not await has_pass(service, "emp-7")
    assert (await client.call("ListCollections"))["CollectionIds"] == ["gatepass"]


async def test_collections_are_listed_a_page_at_a_time_also_while_they_go(client: Rekognition) -> None:
    longest = "z" * 255
    for name in ("B", "a", "c_1", longest):
        await client.call("CreateCollection", CollectionId=name)
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = await client.call("ListCollections", MaxResults=1, **token)
        (name,) = page["CollectionIds"]
        assert page["FaceModelVersions"] == ["7.0"]
        seen.append(name)
        await client.call("DeleteCollection", CollectionId=name)
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == sorted(["B", "a", "c_1", "gatepass", longest])


async def test_an_arn_has_the_region_that_was_signed_for_and_the_connections_own_account(service: Service) -> None:
    await service.gate()
    made = await service.create("/v1/connections", kind="rekognition", gate="main-door")
    arns = []
    for region in ("eu-west-1", "ap-southeast-2"):
        said = await Rekognition(service, made, region).call("DescribeCollection", CollectionId="gatepass")
        arns.append(said["CollectionARN"].split(":"))
    assert [arn[3] for arn in arns] == ["eu-west-1", "ap-southeast-2"]
    assert arns[0][4] == arns[1][4]
    other = await (await connected(service)).call("DescribeCollection", CollectionId="gatepass")
    assert other["CollectionARN"].split(":")[4] != arns[0][4]


async def test_a_collection_is_made_once_and_what_is_not_there_is_not_found(client: Rekognition) -> None:
    twice = await refusal(client, "CreateCollection", CollectionId="gatepass")
    assert twice.name == "ResourceAlreadyExistsException"
    one = {"FaceIds": [NOBODY]}
    for operation, members in {
        "DescribeCollection": {},
        "DeleteCollection": {},
        "IndexFaces": {"Image": IMAGE},
        "SearchFacesByImage": {"Image": IMAGE},
        "SearchFaces": {"FaceId": NOBODY},
        "ListFaces": {},
        "DeleteFaces": one,
        "CreateUser": {"UserId": "emp-1042"},
        "DeleteUser": {"UserId": "emp-1042"},
        "ListUsers": {},
        "AssociateFaces": {"UserId": "emp-1042", **one},
        "DisassociateFaces": {"UserId": "emp-1042", **one},
        "SearchUsersByImage": {"Image": IMAGE},
    }.items():
        refused = await refusal(client, operation, CollectionId=CANARY, **members)
        assert refused.name == "ResourceNotFoundException", operation


async def test_what_one_connection_enrolled_is_not_another_ones(service: Service, client: Rekognition) -> None:
    face_id = await index(client, "emp-1042")
    other = await connected(service)
    await other.call("DeleteCollection", CollectionId="gatepass")
    listed = await client.call("ListFaces", CollectionId="gatepass")
    assert [face["FaceId"] for face in listed["Faces"]] == [face_id]


# Users.


async def test_a_user_is_made_has_faces_is_found_at_the_gate_and_goes(service: Service, client: Rekognition) -> None:
    photo, unnamed = await index(client, "photo-17"), await index(client, None)
    assert await client.call("CreateUser", CollectionId="gatepass", UserId="emp-1042", ClientRequestToken=NOBODY) == {}
    user = {"CollectionId": "gatepass", "UserId": "emp-1042"}
    done = await client.call("AssociateFaces", **user, FaceIds=[photo, unnamed, NOBODY])
    assert done["AssociatedFaces"] == [{"FaceId": photo}, {"FaceId": unnamed}]
    assert done["UnsuccessfulFaceAssociations"] == [{"FaceId": NOBODY, "Reasons": ["FACE_NOT_FOUND"]}]
    assert done["UserStatus"] == "ACTIVE"
    assert not await has_pass(service, "photo-17")
    faces = (await client.call("ListFaces", **user))["Faces"]
    assert [(face["FaceId"], face.get("ExternalImageId"), face["UserId"]) for face in faces] == [
        (photo, "photo-17", "emp-1042"),
        (unnamed, None, "emp-1042"),
    ]

    text = await token_of(service, "emp-1042")
    assert await search_users(client, text) == ["emp-1042"]
    matched = await search(client, text)
    assert [(face["FaceId"], face["UserId"]) for face in matched] == [(photo, "emp-1042"), (unnamed, "emp-1042")]
    service.clock.advance(6)
    assert await search_users(client, text) == []

    parted = await client.call("DisassociateFaces", **user, FaceIds=[photo, NOBODY])
    assert parted["DisassociatedFaces"] == [{"FaceId": photo}]
    assert parted["UnsuccessfulFaceDisassociations"] == [{"FaceId": NOBODY, "Reasons": ["FACE_NOT_FOUND"]}]
    assert await has_pass(service, "photo-17")
    assert [face["FaceId"] for face in (await client.call("ListFaces", **user))["Faces"]] == [unnamed]

    assert await client.call("DeleteUser", **user) == {}
    assert not await has_pass(service, "emp-1042")
    assert (await client.call("ListUsers", CollectionId="gatepass"))["Users"] == []
    left = (await client.call("ListFaces", CollectionId="gatepass"))["Faces"]
    assert [(face["FaceId"], face.get("UserId")) for face in left] == [(photo, None), (unnamed, None)]


async def test_a_user_whose_faces_are_indexed_under_the_same_name_is_one_person(
    service: Service, client: Rekognition
) -> None:
    face_id = await index(client, "emp-1042")
    user = {"CollectionId": "gatepass", "UserId": "emp-1042"}
    await client.call("CreateUser", **user)
    assert (await client.call("AssociateFaces", **user, FaceIds=[face_id]))["AssociatedFaces"] == [{"FaceId": face_id}]
    text = await token_of(service, "emp-1042")
    await client.call("DeleteUser", **user)
    assert not await has_pass(service, "emp-1042")
    assert await search(client, text) == []
    (left,) = (await client.call("ListFaces", CollectionId="gatepass"))["Faces"]
    assert (left["ExternalImageId"], left.get("UserId")) == ("emp-1042", None)
    gone = await client.call("DeleteFaces", CollectionId="gatepass", FaceIds=[face_id])
    assert gone["DeletedFaces"] == [face_id]


async def test_a_user_without_faces_is_found_with_one_of_their_own(service: Service, client: Rekognition) -> None:
    await client.call("CreateUser", CollectionId="gatepass", UserId="emp-1042")
    (face,) = await search(client, await token_of(service, "emp-1042"))
    assert (face["ExternalImageId"], face["UserId"]) == ("emp-1042", "emp-1042")
    assert await search_users(client, await token_of(service, "emp-1042")) == ["emp-1042"]


async def test_a_face_of_one_user_is_not_given_to_another_nor_taken_in_their_name(client: Rekognition) -> None:
    face_id, free = await index(client, None), await index(client, None)
    for user in ("emp-1", "emp-2"):
        await client.call("CreateUser", CollectionId="gatepass", UserId=user)
    await client.call("AssociateFaces", CollectionId="gatepass", UserId="emp-1", FaceIds=[face_id])
    other = {"CollectionId": "gatepass", "UserId": "emp-2", "FaceIds": [face_id, free]}
    refused = {"FaceId": face_id, "UserId": "emp-1", "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]}
    parted = await client.call("DisassociateFaces", **other)
    assert parted["DisassociatedFaces"] == []
    assert refused in parted["UnsuccessfulFaceDisassociations"]
    given = await client.call("AssociateFaces", **other)
    assert (given["AssociatedFaces"], given["UnsuccessfulFaceAssociations"]) == ([{"FaceId": free}], [refused])


async def test_whoever_is_indexed_and_no_user_is_not_found_among_the_users(
    service: Service, client: Rekognition
) -> None:
    await index(client, "emp-1042")
    text = await token_of(service, "emp-1042")
    assert await search_users(client, text) == []
    assert await verifications(service) == []
    assert len(await search(client, text)) == 1


async def test_users_are_listed_a_page_at_a_time(client: Rekognition) -> None:
    users = ["emp-1", "emp-2", "emp-3"]
    for user in users:
        await client.call("CreateUser", CollectionId="gatepass", UserId=user)
    await index(client, "no-user")
    page = await client.call("ListUsers", CollectionId="gatepass", MaxResults=2)
    rest = await client.call("ListUsers", CollectionId="gatepass", NextToken=page["NextToken"])
    assert [each["UserId"] for each in page["Users"] + rest["Users"]] == users
    assert {each["UserStatus"] for each in page["Users"]} == {"ACTIVE"}
    assert "NextToken" not in rest


async def test_a_user_is_made_once_and_one_that_is_not_there_is_not_found(client: Rekognition) -> None:
    face_id = await index(client, "emp-7")
    await client.call("CreateUser", CollectionId="gatepass", UserId="emp-1042")
    assert (await refusal(client, "CreateUser", CollectionId="gatepass", UserId="emp-1042")).name == "ConflictException"
    nobody = {"CollectionId": "gatepass", "UserId": "emp-7"}  # somebody who is indexed, and no user
    for operation, members in {
        "DeleteUser": {},
        "ListFaces": {},
        "AssociateFaces": {"FaceIds": [face_id]},
        "DisassociateFaces": {"FaceIds": [face_id]},
    }.items():
        assert (await refusal(client, operation, **nobody, **members)).name == "ResourceNotFoundException", operation


# What is wrong uses nothing.


WRONG: dict[str, tuple[dict[str, Any], ...]] = {
    "SearchFacesByImage": (
        *({"CollectionId": each} for each in (None, "", "a b", "nowhere", 7)),
        *({"MaxFaces": each} for each in (0, 4097, "x", True, 1.5)),
        *({"FaceMatchThreshold": each} for each in (-1, 101, "x")),
        {"QualityFilter": "SOME"},
    ),
    "SearchUsersByImage": (
        *({"CollectionId": each} for each in (None, "", "a b", "nowhere", 7)),
        *({"MaxUsers": each} for each in (0, 501, "x", True, 1.5)),
        *({"UserMatchThreshold": each} for each in (-1, 101, "x")),
        {"QualityFilter": "SOME"},
    ),
    "CompareFaces": (
        *({"SimilarityThreshold": each} for each in (-1, 101, "x")),
        {"QualityFilter": "SOME"},
        *({"TargetImage": each} for each in (None, {}, {"Bytes": "!"}, {"S3Object": {}}, [1])),
    ),
}


@pytest.mark.parametrize("operation", WRONG)
async def test_a_code_is_still_good_after_a_call_with_a_wrong_member(
    service: Service, client: Rekognition, operation: str
) -> None:
    await service.pass_("visitor-7")
    image = {"Bytes": b64encode(picture(await token_of(service, "visitor-7"))["Bytes"]).decode()}
    right = {"CollectionId": "gatepass", "Image": image, "SourceImage": image, "TargetImage": image}
    for wrong in WRONG[operation]:
        answer = await client.send(f"RekognitionService.{operation}", json.dumps(right | wrong).encode())
        assert answer.status_code == 400, wrong
    assert await verifications(service) == []
    answer = await client.send(f"RekognitionService.{operation}", json.dumps(right).encode())
    assert '"Similarity":100.0' in answer.text
    assert await verifications(service) == [("admit", "ok")]


# Comparing and detecting.


async def test_the_codes_of_one_holder_match_and_the_live_one_is_settled(service: Service, client: Rekognition) -> None:
    await index(client, "emp-1042")
    badge = await token_of(service, "emp-1042", reusable=True)
    service.clock.advance(1)
    live = await token_of(service, "emp-1042")
    asked = {"SourceImage": picture(badge), "TargetImage": picture("https://example.org/", live, sides=(200, 120))}
    found = await client.call("CompareFaces", **asked, SimilarityThreshold=90)
    (match,), (poster,) = found["FaceMatches"], found["UnmatchedFaces"]
    assert match["Similarity"] == 100
    assert match["Face"]["BoundingBox"]["Left"] > 0.5 > poster["BoundingBox"]["Left"]
    assert found["SourceImageFace"]["Confidence"] == 100
    assert await verifications(service) == [("admit", "ok")]
    service.clock.advance(6)
    refused = await client.call("CompareFaces", **asked)
    assert (refused["FaceMatches"], len(refused["UnmatchedFaces"])) == ([], 2)


async def test_the_codes_of_two_holders_do_not_match_and_are_left_as_they_were(
    service: Service, client: Rekognition
) -> None:
    texts = []
    for subject in ("emp-1", "emp-2"):
        await index(client, subject)
        texts.append(await token_of(service, subject))
    found = await client.call("CompareFaces", SourceImage=picture(texts[0]), TargetImage=picture(texts[1]))
    assert (found["FaceMatches"], len(found["UnmatchedFaces"])) == ([], 1)
    assert await verifications(service) == []


async def test_to_compare_there_has_to_be_a_code_in_both_pictures(client: Rekognition) -> None:
    one = picture("https://example.org/")
    for source, target in ((IMAGE, one), (one, IMAGE)):
        refused = await refusal(client, "CompareFaces", SourceImage=source, TargetImage=target)
        assert (refused.name, refused.message) == ("InvalidParameterException", "Request has invalid parameters")


async def test_detecting_finds_codes_and_settles_nothing(service: Service, client: Rekognition) -> None:
    await index(client, "emp-1042")
    text = await token_of(service, "emp-1042")
    image = picture(text, "https://example.org/", sides=(120, 240))
    large, small = (await client.call("DetectFaces", Image=image, Attributes=["ALL"]))["FaceDetails"]
    assert large["BoundingBox"]["Left"] > small["BoundingBox"]["Left"]
    assert large.keys() == {"BoundingBox", "Confidence"}
    assert (await client.call("DetectFaces", Image=IMAGE))["FaceDetails"] == []
    assert await verifications(service) == []
    assert len(await search(client, text)) == 1
