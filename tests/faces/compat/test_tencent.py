"""Tencent's own shapes and codes, and what a code is worth behind them."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from PIL import Image

from app.faces.compat.tencent import ACTIONS, people
from tests.effects.frames import encoded
from tests.faces.compat.door import CANARY, HEIGHT, NOBODYS, WIDTH, Door, door_of, seen
from tests.service import Service


def base64(picture: bytes) -> str:
    return b64encode(picture).decode()


NOT_A_PICTURE = base64(b"what a camera might send: anything")
CODE = base64(seen(NOBODYS))
NO_GROUP = "InvalidParameterValue.GroupIdNotExist"
NO_PERSON = "InvalidParameterValue.PersonIdNotExist"
EMPTY = "MissingParameter.ErrorParameterEmpty"
NO_IMAGE = "InvalidParameterValue.ImageEmpty"
WRONG = "InvalidParameter.InvalidParameter"
UNKNOWN_ACTION = "UnsupportedOperation.UnknowMethod"


class Refusal(Exception):
    """An error that was answered."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Tencent:
    """A client with its keys, which signs what it sends and sees that every answer has what all have."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def post(self, action: str, body: bytes, *, path: str = "/", **changes: str) -> dict[str, Any]:
        """The response to any body. `changes` are headers that are other than they were signed."""
        now = datetime.fromtimestamp(self.door.service.clock.now() / 1_000_000, UTC)
        headers = self.signed(body, int(now.timestamp()), f"{now:%Y-%m-%d}")
        headers |= {"X-TC-Action": action, "X-TC-Version": "2020-03-03"}
        answer = await self.door.service.http.post(path, content=body, headers=headers | changes)
        return response_in(answer)

    def signed(self, body: bytes, second: int, day: str) -> dict[str, str]:
        """The headers of a request, as Tencent describes its third signature."""
        canonical = (
            "POST\n/\n\ncontent-type:application/json\nhost:gatepass.test\n\ncontent-type;host\n"
            + hashlib.sha256(body).hexdigest()
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = ("TC3" + self.door.credentials["secret_key"]).encode()
        for part in (day, "iai", "tc3_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = f"TC3-HMAC-SHA256\n{second}\n{day}/iai/tc3_request\n{digest}"
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return {
            "Authorization": f"TC3-HMAC-SHA256 Credential={self.door.credentials['secret_id']}/{day}/iai/tc3_request, "
            f"SignedHeaders=content-type;host, Signature={signature}",
            "Content-Type": "application/json",
            "Host": "gatepass.test",
            "X-TC-Timestamp": str(second),
        }

    async def call(self, action: str, **members: Any) -> dict[str, Any]:
        content = await self.post(action, json.dumps(members).encode())
        if "Error" in content:
            raise Refusal(content["Error"]["Code"])
        return content

    async def refusal(self, action: str, **members: Any) -> str:
        with pytest.raises(Refusal) as refused:
            await self.call(action, **members)
        return refused.value.code

    async def enrol(self, ref: str, group: str = "gatepass") -> str:
        made = await self.call("CreatePerson", GroupId=group, PersonId=ref, PersonName=ref, Image=NOT_A_PICTURE)
        face: str = made["FaceId"]
        return face

    async def group(self, *ids: str) -> None:
        for id_ in ids:
            await self.call("CreateGroup", GroupId=id_, GroupName=id_)

    async def people(self, group: str) -> list[str]:
        return [each["PersonId"] for each in (await self.call("GetPersonList", GroupId=group))["PersonInfos"]]

    async def found(self, picture: bytes, *groups: str, **more: Any) -> list[list[str]]:
        """Who is named for each code."""
        answer = await self.call("SearchFaces", GroupIds=list(groups or ["gatepass"]), Image=base64(picture), **more)
        return [[each["PersonId"] for each in result["Candidates"]] for result in answer["Results"]]


def response_in(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"  # the SDK looks for errors in no other
    assert CANARY not in answer.text
    content: dict[str, Any] = answer.json()["Response"]
    assert content.pop("RequestId").startswith("req_")
    if "Error" in content:
        assert content.keys() == {"Error"}
        assert content["Error"].keys() == {"Code", "Message"}
    return content


async def client_at_a_door(service: Service) -> Tencent:
    return Tencent(await door_of(service, "tencent"))


async def test_who_was_enrolled_is_found_by_a_code(service: Service) -> None:
    client = await client_at_a_door(service)
    face = await client.enrol("emp-1042")
    token = await client.door.token("emp-1042")
    answer = await client.call("SearchFaces", GroupIds=["gatepass"], Image=base64(seen(token)))
    assert (answer["FaceNum"], answer["FaceModelVersion"]) == (1, "3.0")
    (result,) = answer["Results"]
    nothing_more = {"PersonName": None, "Gender": None, "PersonGroupInfos": None}
    assert result["Candidates"] == [{"PersonId": "emp-1042", "FaceId": face, "Score": 100.0, **nothing_more}]
    box = result["FaceRect"]
    assert abs(2 * box["X"] + box["Width"] - WIDTH) < 8
    assert abs(2 * box["Y"] + box["Height"] - HEIGHT) < 8
    assert await client.door.settled() == [("admit", "ok")]


async def test_each_kind_of_search_answers_in_its_own_shape(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.group("night", "empty")
    face = await client.enrol("emp-1042")
    await client.call("CopyPerson", PersonId="emp-1042", GroupIds=["night"])
    await service.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 5})
    asked = {"GroupIds": ["gatepass", "empty"], "Image": base64(seen(await client.door.token("emp-1042")))}
    asked |= {"NeedPersonInfo": 1}
    groups = [{"GroupId": each, "PersonExDescriptions": []} for each in ("gatepass", "night")]
    known = {"PersonName": "emp-1042", "Gender": 0, "PersonGroupInfos": groups}
    with_face = {"PersonId": "emp-1042", "FaceId": face, "Score": 100.0, **known}
    for action, candidate, number in (
        ("SearchFaces", with_face, "FaceNum"),
        ("SearchPersons", with_face | {"FaceId": ""}, "PersonNum"),
    ):
        plain = await client.call(action, **asked)
        assert [each["Candidates"] for each in plain["Results"]] == [[candidate]]
        by_group = await client.call(f"{action}ReturnsByGroup", **asked)
        (result,) = by_group["ResultsReturnsByGroup"]
        assert result["GroupCandidates"] == [
            {"GroupId": "gatepass", "Candidates": [candidate]},
            {"GroupId": "empty", "Candidates": []},
        ]
        assert plain[number] == by_group[number] == 1
    assert await client.door.settled() == [("admit", "ok")]


async def test_a_refused_code_has_no_candidates(service: Service) -> None:
    client = await client_at_a_door(service)
    stranger = await client_at_a_door(await service.another_tenant())
    await stranger.enrol("theirs")
    for holder in ("used", "one", "another", "deleted"):
        await client.enrol(holder)
    await service.pass_("elsewhere", gates=["other-door"])
    used, deleted = seen(await client.door.token("used")), seen(await client.door.token("deleted"))
    assert await client.found(used) == [["used"]]
    await client.call("DeletePerson", PersonId="deleted")
    refused = {
        "used": used,
        "deleted": deleted,
        "for another gate": seen(await client.door.token("elsewhere")),
        "of another tenant": seen(await stranger.door.token("theirs")),
        "no token": seen(NOBODYS),
    }
    for why, picture in refused.items():
        assert await client.found(picture) == [[]], why
    both = seen(await client.door.token("one"), await client.door.token("another"))
    assert await client.found(both, MaxFaceNum=10) == [[], []]
    assert [decision for decision, _ in await client.door.settled()] == ["admit"] + ["deny"] * 6


async def test_who_is_in_other_groups_only_is_not_found_and_nothing_of_theirs_is_used(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.group("night")
    await client.enrol("emp-1042", "night")
    await service.pass_("visitor-7")
    code = seen(await client.door.token("emp-1042"))
    assert await client.found(code) == [[]]
    assert await client.door.settled() == []
    assert await client.found(code, "gatepass", "night") == [["emp-1042"]]
    faces = set()
    for group in ("gatepass", "night"):
        image = base64(seen(await client.door.token("visitor-7")))
        answer = await client.call("SearchFaces", GroupIds=[group], Image=image)
        (candidate,) = answer["Results"][0]["Candidates"]
        assert candidate["PersonId"] == "visitor-7"
        faces.add(candidate["FaceId"])
    assert len(faces) == 1


async def test_of_several_codes_the_one_that_counts_comes_first_then_the_largest(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.enrol("emp-1042")
    await service.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 5})
    picture = seen("a poster", await client.door.token("emp-1042"), scales=(10, 4))
    assert await client.found(picture) == [["emp-1042"]]
    assert await client.found(picture, MaxFaceNum=10) == [["emp-1042"], []]


async def test_a_person_is_verified_by_their_own_code_alone(service: Service) -> None:
    client = await client_at_a_door(service)
    for ref in ("emp-1042", "emp-1043"):
        await client.enrol(ref)
    for action in ("VerifyFace", "VerifyPerson"):
        image = base64(seen(await client.door.token("emp-1042")))
        no, yes = {"Score": 0.0, "IsMatch": False}, {"Score": 100.0, "IsMatch": True}
        version = {"FaceModelVersion": "3.0"}
        assert await client.call(action, PersonId="emp-1043", Image=image) == no | version
        assert await client.call(action, PersonId="emp-1042", Image=image) == yes | version
        assert await client.call(action, PersonId="emp-1042", Image=image) == no | version
    assert await client.door.settled() == [("admit", "ok"), ("deny", "already_used")] * 2


async def test_two_pictures_are_alike_if_both_show_a_code_of_one_holder(service: Service) -> None:
    client = await client_at_a_door(service)
    for ref in ("emp-1042", "emp-1043"):
        await client.enrol(ref)
    one, other = [base64(seen(await client.door.token(each))) for each in ("emp-1042", "emp-1043")]
    assert (await client.call("CompareFace", ImageA=one, ImageB=other))["Score"] == 0.0
    assert (await client.call("CompareFace", ImageA=one, ImageB=one))["Score"] == 100.0
    assert (await client.call("CompareFace", ImageA=one, ImageB=one))["Score"] == 0.0
    assert await client.door.settled() == [("admit", "ok"), ("deny", "already_used")]


SEARCHED: tuple[dict[str, Any], ...] = (
    *(
        {"GroupIds": each}
        for each in (None, [], [""], ["gatepass", ""], [CANARY], "gatepass", [1], ["gatepass"] * 5000)
    ),
    *({"MaxFaceNum": each} for each in (0, 11, "x", True, 1.5, [1])),
    *({"NeedPersonInfo": each} for each in (True, [1], {"a": 1})),
)
OF_ACTION: dict[str, tuple[dict[str, Any], tuple[dict[str, Any], ...]]] = {
    **dict.fromkeys(
        ("SearchFaces", "SearchPersons", "SearchFacesReturnsByGroup", "SearchPersonsReturnsByGroup"),
        ({"GroupIds": ["gatepass"]}, SEARCHED),
    ),
    **dict.fromkeys(
        ("VerifyFace", "VerifyPerson"),
        ({"PersonId": "emp-1042"}, tuple({"PersonId": each} for each in (None, "", CANARY, ["emp-1042"], True))),
    ),
    "CompareFace": ({}, tuple({"ImageB": each} for each in (None, "", "%", NOT_A_PICTURE, [1]))),
}


@pytest.mark.parametrize("action", OF_ACTION)
async def test_a_code_is_still_good_after_a_request_with_a_wrong_parameter(service: Service, action: str) -> None:
    client, (right, wrong) = await client_at_a_door(service), OF_ACTION[action]
    await client.enrol("emp-1042")
    image = base64(seen(await client.door.token("emp-1042")))
    right = right | ({"ImageA": image, "ImageB": image} if action == "CompareFace" else {"Image": image})
    for each in wrong:
        await client.refusal(action, **right | each)
    assert await client.door.settled() == []
    assert "100.0" in str(await client.call(action, **right))
    assert await client.door.settled() == [("admit", "ok")]


async def test_who_is_in_the_groups_is_asked_of_groups_that_a_client_can_see(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.group("vip")
    await client.enrol("emp-1042", "vip")
    code = base64(seen(await client.door.token("emp-1042")))
    for action in ("SearchFaces", "SearchPersons"):
        assert await client.refusal(action, GroupIds=[""], Image=code) == EMPTY
    assert await client.refusal("CopyPerson", PersonId="emp-1042", GroupIds=["gatepass", ""]) == EMPTY
    assert await client.refusal("CreateFace", PersonId="emp-1042", Images=[NOT_A_PICTURE, ""]) == EMPTY
    assert await client.door.settled() == []


async def test_detection_locates_and_settles_nothing(service: Service) -> None:
    client = await client_at_a_door(service)
    image = base64(seen(NOBODYS, "a poster", scales=(3, 8)))
    for most, seen_ in ((1, 1), (120, 2)):
        answer = await client.call("DetectFace", Image=image, MaxFaceNum=most, NeedFaceAttributes=1)
        assert (answer["ImageWidth"], answer["ImageHeight"], len(answer["FaceInfos"])) == (WIDTH, HEIGHT, seen_)
        assert all(each["FaceAttributesInfo"] is None for each in answer["FaceInfos"])
    assert [each["Width"] >= 120 for each in answer["FaceInfos"]] == [True, True]
    assert await client.door.settled() == []


async def test_enrolment_pictures_are_dropped_undecoded_and_counted(service: Service) -> None:
    client = await client_at_a_door(service)
    before = client.door.discarded("tencent")
    made = await client.call(
        "CreatePerson", GroupId="gatepass", PersonId="emp-1042", PersonName="Alice", Gender=2, Image=NOT_A_PICTURE
    )
    assert made["FaceRect"] == dict.fromkeys(("X", "Y", "Width", "Height"), 0)
    assert made["FaceId"].isdigit()
    more = await client.call("CreateFace", PersonId="emp-1042", Images=[NOT_A_PICTURE, CODE])
    assert (more["SucFaceNum"], more["RetCode"], more["SucIndexes"]) == (2, [0, 0], [0, 1])
    assert client.door.discarded("tencent") - before == 3
    address = "http://192.0.2.1/face.jpg"
    await client.call("CreatePerson", GroupId="gatepass", PersonId="emp-1043", PersonName="Bob", Url=address)
    await client.call("CreateFace", PersonId="emp-1043", Urls=[address])
    assert client.door.discarded("tencent") - before == 3
    assert await client.call("GetPersonBaseInfo", PersonId="emp-1042") == {
        "PersonName": "Alice",
        "Gender": 0,
        "FaceIds": [made["FaceId"], *more["SucFaceIds"]],
    }


async def test_a_person_keeps_one_to_five_faces(service: Service) -> None:
    client = await client_at_a_door(service)
    first, stranger = await client.enrol("emp-1042"), await client.enrol("emp-1043")
    assert (await client.refusal("CreateFace", PersonId="emp-1042", Images=[f"{each}" for each in range(5)])).endswith(
        "UploadFaceNumExceed"
    )
    faces = (await client.call("CreateFace", PersonId="emp-1042", Images=["a", "b", "c", "d"]))["SucFaceIds"]
    assert (await client.refusal("CreateFace", PersonId="emp-1042", Images=["e"])).endswith("PersonFaceNumExceed")
    assert (await client.refusal("DeleteFace", PersonId="emp-1042", FaceIds=[first, *faces])).endswith(
        "DeleteFaceNumExceed"
    )
    wanted = [first, faces[0], stranger, CANARY, "9" * 39, "-1"]
    deleted = await client.call("DeleteFace", PersonId="emp-1042", FaceIds=wanted)
    assert deleted == {"SucDeletedNum": 2, "SucFaceIds": [first, faces[0]]}
    assert (await client.call("GetPersonBaseInfo", PersonId="emp-1043"))["FaceIds"] == [stranger]


async def test_a_person_is_in_as_many_groups_as_they_are_copied_to(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.group("night", "day")
    face = await client.enrol("emp-1042", "night")
    copied = await client.call("CopyPerson", PersonId="emp-1042", GroupIds=["night", "day", "day"])
    assert copied == {"SucGroupNum": 1, "SucGroupIds": ["day"]}
    await client.call("DeletePersonFromGroup", PersonId="emp-1042", GroupId="night")
    assert (await client.refusal("DeletePersonFromGroup", PersonId="emp-1042", GroupId="night")).endswith("NotExist")
    assert (await client.people("night"), await client.people("day")) == ([], ["emp-1042"])
    assert (await client.call("GetPersonBaseInfo", PersonId="emp-1042"))["FaceIds"] == [face]
    assert await client.call("GetPersonListNum", GroupId="day") == {"PersonNum": 1, "FaceNum": 1}
    assert await client.door.has_pass("emp-1042")
    await client.call("DeletePersonFromGroup", PersonId="emp-1042", GroupId="day")
    assert await client.refusal("GetPersonBaseInfo", PersonId="emp-1042") == NO_PERSON
    assert not await client.door.has_pass("emp-1042")


async def test_a_group_goes_with_those_who_are_in_no_other(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_AT_ONCE", 2)
    client = await client_at_a_door(service)
    await client.group("night")
    for ref in ("a", "b", "c", "both"):
        await client.enrol(ref, "night")
    await client.call("CopyPerson", PersonId="both", GroupIds=["gatepass"])
    await client.call("DeleteGroup", GroupId="night")
    assert await client.refusal("GetPersonList", GroupId="night") == NO_GROUP
    assert [each for each in ("a", "b", "c", "both") if await client.door.has_pass(each)] == ["both"]
    groups = await client.call("GetPersonGroupInfo", PersonId="both")
    assert groups["PersonGroupInfos"] == [{"GroupId": "gatepass", "PersonExDescriptions": []}]
    assert await client.found(seen(await client.door.token("both"))) == [["both"]]


async def test_a_person_whose_making_was_cut_short_can_be_made_again(service: Service) -> None:
    client = await client_at_a_door(service)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "_add_face", None)
        assert "Error" in await client.post(
            "CreatePerson",
            json.dumps({"GroupId": "gatepass", "PersonId": "a", "PersonName": "A", "Image": CODE}).encode(),
        )
    face = await client.enrol("a")
    assert (await client.call("GetPersonBaseInfo", PersonId="a"))["FaceIds"] == [face]
    assert await client.refusal("CreatePerson", GroupId="gatepass", PersonId="a", PersonName="A", Image=CODE) == (
        "InvalidParameterValue.PersonIdAlreadyExist"
    )


async def test_lists_come_a_page_at_a_time(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.group("a", "b")
    for ref in ("one", "three", "two"):
        await client.enrol(ref)
    page = {"Offset": 1, "Limit": 1}
    groups = await client.call("GetGroupList", **page)
    assert ([each["GroupId"] for each in groups["GroupInfos"]], groups["GroupNum"]) == (["b"], 3)
    people = await client.call("GetPersonList", GroupId="gatepass", **page)
    assert [each["PersonId"] for each in people["PersonInfos"]] == ["three"]
    assert (people["PersonNum"], people["FaceNum"]) == (3, 3)
    created = people["PersonInfos"][0]["CreationTimestamp"]
    assert abs(created - service.clock.now() // 1000) < 60_000
    assert (await client.call("GetPersonGroupInfo", PersonId="one", **page))["PersonGroupInfos"] == []


async def test_a_person_may_be_given_another_name(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.enrol("emp-1042")
    await client.call("ModifyPersonBaseInfo", PersonId="emp-1042", PersonName="Alice")
    await client.call("ModifyPersonBaseInfo", PersonId="emp-1042", Gender=1)
    assert (await client.call("GetPersonBaseInfo", PersonId="emp-1042"))["PersonName"] == "Alice"
    await client.call("ModifyGroup", GroupId="gatepass", GroupName="Everybody")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("CreateGroup", {}, EMPTY),
    ("CreateGroup", {"GroupId": "a"}, EMPTY),
    ("CreateGroup", {"GroupId": "gatepass", "GroupName": "a"}, "InvalidParameterValue.GroupIdAlreadyExist"),
    ("CreateGroup", {"GroupId": "a b", "GroupName": "a"}, "InvalidParameterValue.GroupIdIllegal"),
    ("CreateGroup", {"GroupId": "\uff11", "GroupName": "a"}, "InvalidParameterValue.GroupIdIllegal"),
    ("CreateGroup", {"GroupId": "a" * 65, "GroupName": "a"}, "InvalidParameterValue.GroupIdTooLong"),
    ("CreateGroup", {"GroupId": "a", "GroupName": "a" * 61}, "InvalidParameterValue.GroupNameTooLong"),
    ("CreateGroup", {"GroupId": ["a"], "GroupName": "a"}, WRONG),
    ("DeleteGroup", {"GroupId": CANARY}, NO_GROUP),
    ("ModifyGroup", {"GroupId": CANARY}, NO_GROUP),
    ("GetGroupList", {"Offset": -1}, "InvalidParameterValue.OffsetExceed"),
    ("GetGroupList", {"Limit": 1001}, "InvalidParameterValue.LimitExceed"),
    ("GetGroupList", {"Limit": 1.5}, WRONG),
    ("GetGroupList", {"Limit": True}, WRONG),
    ("GetGroupList", {"Limit": "\u0665"}, WRONG),
    ("CreatePerson", {"GroupId": "gatepass", "PersonId": "a", "PersonName": "a"}, NO_IMAGE),
    ("CreatePerson", {"GroupId": CANARY, "PersonId": "a", "PersonName": "a", "Image": "a"}, NO_GROUP),
    (
        "CreatePerson",
        {"GroupId": "gatepass", "PersonId": "a\n", "PersonName": "a", "Image": "a"},
        "InvalidParameterValue.PersonIdIllegal",
    ),
    (
        "CreatePerson",
        {"GroupId": "gatepass", "PersonId": "a", "PersonName": "a\n", "Image": "a"},
        "InvalidParameterValue.PersonNameIllegal",
    ),
    ("CreateFace", {"PersonId": "emp-1042"}, EMPTY),
    ("CreateFace", {"PersonId": "emp-1042", "Images": "a"}, WRONG),
    ("CreateFace", {"PersonId": "emp-1042", "Images": [1]}, WRONG),
    ("CreateFace", {"PersonId": CANARY, "Images": ["a"]}, NO_PERSON),
    ("DeleteFace", {"PersonId": CANARY, "FaceIds": ["1"]}, NO_PERSON),
    ("DeletePerson", {"PersonId": CANARY}, NO_PERSON),
    ("DeletePersonFromGroup", {"PersonId": CANARY, "GroupId": "gatepass"}, NO_PERSON),
    ("DeletePersonFromGroup", {"PersonId": "emp-1042", "GroupId": CANARY}, NO_GROUP),
    ("CopyPerson", {"PersonId": "emp-1042", "GroupIds": ["gatepass", CANARY]}, NO_GROUP),
    ("ModifyPersonBaseInfo", {"PersonId": CANARY, "PersonName": "a"}, NO_PERSON),
    ("SearchFaces", {"Image": CODE}, EMPTY),
    ("SearchFaces", {"GroupIds": [], "Image": CODE}, EMPTY),
    ("SearchFaces", {"GroupIds": "gatepass", "Image": CODE}, WRONG),
    ("SearchFaces", {"GroupIds": ["gatepass", CANARY], "Image": CODE}, NO_GROUP),
    ("SearchFaces", {"GroupIds": [str(each) for each in range(101)]}, "InvalidParameterValue.GroupIdsExceed"),
    ("SearchFaces", {"GroupIds": ["gatepass"]}, NO_IMAGE),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": ""}, NO_IMAGE),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Url": "http://192.0.2.1"}, "FailedOperation.ImageDownloadError"),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": "%"}, "FailedOperation.ImageDecodeFailed"),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": NOT_A_PICTURE}, "FailedOperation.ImageDecodeFailed"),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": CODE[:400]}, "FailedOperation.ImageDecodeFailed"),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": base64(seen())}, "InvalidParameterValue.NoFaceInPhoto"),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": base64(bytes(6_000_000))}, "FailedOperation.ImageSizeExceed"),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": 7}, "FailedOperation.ImageDecodeFailed"),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": {}}, WRONG),
    ("SearchFaces", {"GroupIds": ["gatepass"], "Image": CODE, "MaxFaceNum": 11}, "LimitExceeded.ErrorFaceNumExceed"),
    ("VerifyFace", {"PersonId": CANARY, "Image": CODE}, NO_PERSON),
    ("CompareFace", {"ImageA": CODE, "UrlB": "http://192.0.2.1"}, "FailedOperation.ImageDownloadError"),
    ("DetectFace", {"Image": base64(seen())}, "InvalidParameterValue.NoFaceInPhoto"),
    ("AnalyzeFace", {"Image": CODE}, UNKNOWN_ACTION),
    ("DetectLiveFace", {"Image": CODE}, UNKNOWN_ACTION),
    ("", {}, UNKNOWN_ACTION),
]


async def test_bad_input_is_refused_by_code(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.enrol("emp-1042")
    for action, members, code in REFUSED:
        assert await client.refusal(action, **members) == code, (action, members.keys())
    large = base64(encoded(Image.new("1", (4000, 3001)), "PNG"))
    assert await client.refusal("DetectFace", Image=large) == "FailedOperation.ImageResolutionExceed"
    assert await client.people("gatepass") == ["emp-1042"]
    assert (await client.call("GetGroupList"))["GroupNum"] == 1
    assert await client.door.settled() == []


async def test_broken_bodies_are_refused_and_not_repeated(service: Service) -> None:
    client = await client_at_a_door(service)
    for body in (
        b"",
        b"Canary7f3a",
        b"[]",
        b'["Canary7f3a"]',
        b'{"GroupId": "Canary7f3a\\ud800"}',
        b'{"GroupId": "Canary7f3a\\u0000"}',
        b'{"GroupId": NaN, "Canary7f3a": 1}',
        b'{"GroupId": "Canary7f3a", "GroupId": "Canary7f3a"}',
        b'{"GroupId": "Canary7f3a',
        b"\xff\xfe",
    ):
        for action in ACTIONS.keys() - {"GetGroupList"}:
            assert (await client.post(action, body))["Error"]["Code"] in (WRONG, EMPTY, NO_IMAGE), (action, body)
    too_large = await client.post("GetGroupList", b"", **{"Content-Length": "100000000"})
    assert too_large["Error"]["Code"] == "RequestSizeLimitExceeded"
    headers = client.signed(b"", 0, "1970-01-01") | {"X-TC-Action": CANARY}
    assert response_in(await service.http.get("/", headers=headers))["Error"]["Code"] == UNKNOWN_ACTION


async def test_only_what_is_signed_is_answered(service: Service) -> None:
    client = await client_at_a_door(service)
    assert client.door.credentials["secret_id"][:4] == "AKID"
    assert client.door.credentials["group"] == "gatepass"
    assert {name: len(each) for name, each in client.door.credentials.items()} == {
        "secret_id": 36,
        "secret_key": 32,
        "group": 8,
    }
    assert "GroupInfos" in await client.post("GetGroupList", b"{}", path="/tencent/")
    long_ago = datetime.fromtimestamp(service.clock.now() / 1_000_000 - 301, UTC)
    for code, changes in {
        "AuthFailure.InvalidAuthorization": {"Authorization": CANARY},
        "AuthFailure.SignatureFailure": {"X-TC-Content-SHA256": "UNSIGNED-PAYLOAD"},
        "AuthFailure.SignatureExpire": client.signed(b"{}", int(long_ago.timestamp()), f"{long_ago:%Y-%m-%d}"),
        "NoSuchVersion": {"X-TC-Version": "2018-03-01"},
    }.items():
        refused = await client.post("GetGroupList", b"{}", **changes)
        assert refused["Error"]["Code"] == code
    right = client.door.credentials
    client.door.credentials = right | {"secret_key": right["secret_key"][::-1]}
    assert await client.refusal("GetGroupList") == "AuthFailure.SignatureFailure"
    client.door.credentials = right | {"secret_id": CANARY}
    assert await client.refusal("GetGroupList") == "AuthFailure.SecretIdNotFound"
    client.door.credentials = right
    await service.call("DELETE", f"/v1/connections/{client.door.id}")
    assert await client.refusal("GetGroupList") == "AuthFailure.SecretIdNotFound"
