"""Face++'s own shapes and names of errors, and what a code is worth behind them."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.faces.compat.facepp import ROUTES, facesets
from app.faces.compat.facepp.requests import Asked
from app.faces.dialect import Told
from app.faces.fields import Fields
from app.faces.problems import Problem
from tests.effects.frames import encoded
from tests.faces.compat.door import CANARY, HEIGHT, NOBODYS, WIDTH, Door, door_of, seen
from tests.service import Service

FACE = seen()
CODE = seen(NOBODYS)
UNKNOWN = "0" * 32


class FacePP:
    """A client with its keys, which sees that every answer has what all have."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def send(self, call: str, **arguments: Any) -> httpx.Response:
        return await self.door.service.http.post(f"/facepp/v3/{call}", **arguments)

    async def ask(self, call: str, *, _picture: bytes | None = None, **fields: Any) -> httpx.Response:
        """A call as clients send it: a form, with files in it where there is a picture."""
        pictures = {name: ("p.jpg", fields.pop(name)) for name in list(fields) if isinstance(fields[name], bytes)}
        if _picture is not None:
            pictures["image_file"] = ("p.jpg", _picture)
        return await self.send(call, data={**self.door.credentials, **fields}, files=pictures or None)

    async def call(self, call: str, *, _picture: bytes | None = None, **fields: Any) -> dict[str, Any]:
        answer = await self.ask(call, _picture=_picture, **fields)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        assert content.pop("request_id").startswith("req_")
        assert isinstance(content.pop("time_used"), int)
        return content

    async def refusal(self, call: str, *, _picture: bytes | None = None, **fields: Any) -> tuple[int, str]:
        return refusal_in(await self.ask(call, _picture=_picture, **fields))

    async def detect(self) -> str:
        """The face token of a picture of a face."""
        (face,) = (await self.call("detect", _picture=FACE))["faces"]
        token: str = face["face_token"]
        return token

    async def enrol(self, user_id: str, outer_id: str = "gatepass") -> str:
        token = await self.detect()
        await self.call("faceset/addface", outer_id=outer_id, face_tokens=token)
        await self.call("face/setuserid", face_token=token, user_id=user_id)
        return token

    async def found(self, picture: bytes, outer_id: str = "gatepass") -> dict[str, Any]:
        """The one candidate: somebody beyond every threshold, or nobody below every threshold."""
        answer = await self.call("search", _picture=picture, outer_id=outer_id)
        assert answer.keys() == {"image_id", "faces", "thresholds", "results"}
        (candidate,) = answer["results"]
        assert candidate.keys() == {"confidence", "user_id", "face_token"}
        beyond = [candidate["confidence"] > threshold for threshold in answer["thresholds"].values()]
        assert beyond == [candidate["user_id"] != ""] * 3
        assert (candidate["face_token"] == answer["faces"][0]["face_token"]) is (candidate["user_id"] == "")
        return cast(dict[str, Any], candidate)

    async def named(self, picture: bytes, outer_id: str = "gatepass") -> str:
        return str((await self.found(picture, outer_id))["user_id"])


def refusal_in(answer: httpx.Response) -> tuple[int, str]:
    said = answer.json()
    assert said.keys() == {"error_message", "request_id", "time_used"}
    assert said["request_id"].startswith("req_")
    assert CANARY not in answer.text
    return answer.status_code, said["error_message"]


async def client_at_a_door(service: Service) -> FacePP:
    return FacePP(await door_of(service, "facepp"))


async def test_who_was_enrolled_is_found_by_a_code(service: Service) -> None:
    client = await client_at_a_door(service)
    token = await client.enrol("emp-1042")
    answer = await client.call("search", _picture=seen(await client.door.token("emp-1042")), outer_id="gatepass")
    assert answer["results"] == [{"confidence": 100.0, "user_id": "emp-1042", "face_token": token}]
    (face,) = answer["faces"]
    box = face["face_rectangle"]
    assert abs(2 * box["left"] + box["width"] - WIDTH) < 8
    assert abs(2 * box["top"] + box["height"] - HEIGHT) < 8
    assert face["face_token"] != token
    assert await client.door.settled() == [("admit", "ok")]


async def test_a_face_is_of_nobody_until_it_is_said_whose_it_is(service: Service) -> None:
    client = await client_at_a_door(service)
    token = await client.detect()
    added = await client.call("faceset/addface", outer_id="gatepass", face_tokens=token)
    assert (added["face_added"], added["face_count"], added["failure_detail"]) == (1, 1, [])
    assert (await service.call("GET", "/v1/holders")).json()["items"] == []
    assert (await client.call("face/getdetail", face_token=token))["user_id"] == ""
    named = await client.call("face/setuserid", face_token=token, user_id="emp-1042")
    assert named == {"face_token": token, "user_id": "emp-1042"}
    assert await client.door.has_pass("emp-1042")
    await client.call("face/setuserid", face_token=token, user_id="emp-1043")
    assert not await client.door.has_pass("emp-1042")
    assert await client.named(seen(await client.door.token("emp-1043"))) == "emp-1043"


async def test_a_face_may_be_named_before_it_is_in_a_faceset(service: Service) -> None:
    client = await client_at_a_door(service)
    token = await client.detect()
    for user_id in ("emp-1041", "emp-1042"):
        await client.call("face/setuserid", face_token=token, user_id=user_id)
    assert not await client.door.has_pass("emp-1041")
    assert (await client.call("face/getdetail", face_token=token))["facesets"] == []
    assert [each["outer_id"] for each in (await client.call("faceset/getfacesets"))["facesets"]] == ["gatepass"]
    code = seen(await client.door.token("emp-1042"))
    assert await client.named(code) == ""
    await client.call("faceset/addface", outer_id="gatepass", face_tokens=token)
    assert (await client.found(code)) == {"confidence": 100.0, "user_id": "emp-1042", "face_token": token}
    await client.call("faceset/removeface", outer_id="gatepass", face_tokens=token)
    assert not await client.door.has_pass("emp-1042")
    assert (await client.call("face/getdetail", face_token=token))["user_id"] == ""


async def test_a_face_is_in_as_many_facesets_as_it_is_put_into(service: Service) -> None:
    client = await client_at_a_door(service)
    token = await client.enrol("emp-1042")
    made = await client.call("faceset/create", outer_id="night", face_tokens=token)
    assert (made["face_added"], made["face_count"]) == (1, 1)
    again = await client.call("faceset/addface", faceset_token=made["faceset_token"], face_tokens=token)
    assert (again["face_added"], again["face_count"], again["failure_detail"]) == (0, 1, [])
    detail = await client.call("face/getdetail", face_token=token)
    assert [each["outer_id"] for each in detail["facesets"]] in (["gatepass", "night"], ["night", "gatepass"])
    assert (await client.found(seen(await client.door.token("emp-1042")), "night"))["face_token"] == token
    gone = await client.call("faceset/removeface", outer_id="gatepass", face_tokens=f"{token},{UNKNOWN}")
    failures = [{"face_token": UNKNOWN, "reason": "INVALID_FACE_TOKEN"}]
    assert (gone["face_removed"], gone["face_count"], gone["failure_detail"]) == (1, 0, failures)
    assert await client.door.has_pass("emp-1042")
    assert await client.named(seen(await client.door.token("emp-1042"))) == ""
    await client.call("faceset/removeface", outer_id="night", face_tokens="RemoveAllFaceTokens")
    assert not await client.door.has_pass("emp-1042")


async def test_the_face_token_of_a_code_cannot_be_enrolled(service: Service) -> None:
    client = await client_at_a_door(service)
    await service.pass_("visitor-7")
    code = seen(await client.door.token("visitor-7"))
    detected = await client.call("detect", _picture=code)
    searched = await client.call("search", _picture=code, outer_id="gatepass")
    tokens = [detected["faces"][0]["face_token"], searched["faces"][0]["face_token"]]
    tokens += [searched["results"][0]["face_token"], UNKNOWN]
    added = await client.call("faceset/addface", outer_id="gatepass", face_tokens=",".join(tokens))
    assert (added["face_added"], added["face_count"]) == (0, 0)
    assert [each["face_token"] for each in added["failure_detail"]] == tokens
    for token in tokens:
        for call in ("face/setuserid", "face/getdetail"):
            refused = await client.refusal(call, face_token=token, user_id="emp-1042")
            assert refused == (400, "INVALID_FACE_TOKEN: face_token")
    stranger = await client_at_a_door(await service.another_tenant())
    added = await stranger.call("faceset/addface", outer_id="gatepass", face_tokens=await client.detect())
    assert added["face_added"] == 0


async def test_detect_finds_codes_or_one_face_and_settles_nothing(service: Service) -> None:
    client = await client_at_a_door(service)
    detected = await client.call("detect", _picture=FACE, return_attributes="gender,age")
    whole = {"top": 0, "left": 0, "width": WIDTH, "height": HEIGHT}
    assert [each["face_rectangle"] for each in detected["faces"]] == [whole]
    assert detected["face_num"] == 1
    detected = await client.call("detect", _picture=seen(NOBODYS, "a poster", scales=(3, 8)))
    widths = [each["face_rectangle"]["width"] for each in detected["faces"]]
    assert widths[0] > widths[1] >= 120
    assert await client.door.settled() == []


async def test_a_refused_code_has_a_candidate_who_is_nobody(service: Service) -> None:
    client = await client_at_a_door(service)
    stranger = await client_at_a_door(await service.another_tenant())
    await stranger.enrol("theirs")
    for holder in ("used", "one", "another", "revoked"):
        await client.enrol(holder)
    await service.pass_("elsewhere", gates=["other-door"])
    used, revoked = seen(await client.door.token("used")), seen(await client.door.token("revoked"))
    assert await client.named(used) == "used"
    (pass_,) = (await service.call("GET", "/v1/passes", params={"holder": "revoked"})).json()["items"]
    assert (await service.call("POST", f"/v1/passes/{pass_['id']}/revoke", json={})).is_success
    refused = {
        "used": used,
        "revoked": revoked,
        "for another gate": seen(await client.door.token("elsewhere")),
        "of another tenant": seen(await stranger.door.token("theirs")),
        "of two holders": seen(await client.door.token("one"), await client.door.token("another")),
        "no token": CODE,
    }
    for why, picture in refused.items():
        assert await client.named(picture) == "", why
    assert [decision for decision, _ in await client.door.settled()] == ["admit"] + ["deny"] * len(refused)


async def test_nobody_in_sight_is_a_search_without_faces(service: Service) -> None:
    client = await client_at_a_door(service)
    assert await client.call("search", _picture=FACE, outer_id="gatepass", image_id="x") | {"image_id": ""} == {
        "image_id": "",
        "faces": [],
    }


async def test_who_is_in_other_facesets_only_is_not_found_and_nothing_of_theirs_is_used(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.call("faceset/create", outer_id="night")
    await client.enrol("emp-1042", "night")
    await service.pass_("visitor-7")
    code = seen(await client.door.token("emp-1042"))
    assert await client.named(code) == ""
    assert await client.door.settled() == []
    assert await client.named(code, "night") == "emp-1042"
    found = [await client.found(seen(await client.door.token("visitor-7")), each) for each in ("gatepass", "night")]
    assert [each["user_id"] for each in found] == ["visitor-7"] * 2
    assert len({each["face_token"] for each in found}) == 1


async def test_the_code_that_was_searched_by_comes_first_then_the_largest(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.enrol("emp-1042")
    picture = seen("a poster", await client.door.token("emp-1042"), scales=(10, 4))
    answer = await client.call("search", _picture=picture, outer_id="gatepass")
    assert answer["results"][0]["user_id"] == "emp-1042"
    first, second = (each["face_rectangle"] for each in answer["faces"])
    assert first["left"] > second["left"]
    assert first["width"] < second["width"]


async def test_a_picture_may_come_in_every_way_that_clients_send_one(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.enrol("emp-1042")
    picture = seen(await client.door.token("emp-1042"))
    text, keys = b64encode(picture).decode(), {**client.door.credentials, "outer_id": "gatepass"}
    await service.call("PATCH", "/v1/gates/main-door", json={"repeat_window_s": 5})
    ways: dict[str, dict[str, Any]] = {
        "a file": {"data": keys, "files": {"image_file": ("p.jpg", picture)}},
        "base64 in a form": {"data": {**keys, "image_base64": text}},
        "base64 in multipart": {"files": {name: (None, each) for name, each in {**keys, "image_base64": text}.items()}},
        "a data URI": {"data": {**keys, "image_base64": f"data:image/jpeg;base64,{text}"}},
        "beside an address": {"data": {**keys, "image_base64": text, "image_url": "http://192.0.2.1/p.jpg"}},
        "beside a face token": {"data": {**keys, "image_base64": text, "face_token": UNKNOWN}},
    }
    for way, sent in ways.items():
        answer = await client.send("search", **sent)
        assert answer.json()["results"][0]["user_id"] == "emp-1042", way


async def test_a_face_token_shows_no_code_so_a_search_by_it_finds_nobody(service: Service) -> None:
    client = await client_at_a_door(service)
    token = await client.enrol("emp-1042")
    for each in (token, await client.detect(), UNKNOWN):
        answer = await client.call("search", face_token=each, outer_id="gatepass")
        (candidate,) = answer["results"]
        assert (candidate["confidence"], candidate["user_id"]) == (0.0, "")
        assert candidate["face_token"] != each
    assert await client.door.settled() == []


async def test_who_was_detected_a_moment_ago_is_found_by_the_face_token(service: Service) -> None:
    client = await client_at_a_door(service)
    enrolled = await client.enrol("emp-1042")
    assert client.door.credentials["faceset"] == "gatepass"
    (face,) = (await client.call("detect", _picture=seen(await client.door.token("emp-1042"))))["faces"]
    assert await client.door.settled() == []
    answer = await client.call("search", face_token=face["face_token"], outer_id="gatepass")
    assert answer.keys() == {"thresholds", "results"}
    assert answer["results"] == [{"confidence": 100.0, "user_id": "emp-1042", "face_token": enrolled}]
    assert await client.door.settled() == [("admit", "ok")]


async def test_the_face_token_of_a_code_finds_the_holder_of_that_very_code_alone(service: Service) -> None:
    client = await client_at_a_door(service)
    for holder in ("emp-1042", "emp-1043"):
        await client.enrol(holder)
    enrolled = await client.enrol("emp-1044")
    ours, own = seen(await client.door.token("emp-1042")), await client.door.token("emp-1044")

    async def detected(*texts: str, scales: tuple[int, ...] = (7, 4)) -> list[str]:
        faces = (await client.call("detect", _picture=seen(*texts, scales=scales)))["faces"]
        return [face["face_token"] for face in faces]

    for lookalike in ("a poster", NOBODYS):
        (alone,), (poster, person) = await detected(lookalike), await detected(lookalike, own)
        for token in (alone, poster):
            answer = await client.call("search", face_token=token, outer_id="gatepass")
            assert [each["user_id"] for each in answer["results"]] == [""]
            assert (await client.call("compare", face_token1=token, face_token2=person))["confidence"] == 0.0
            assert (await client.call("compare", face_token1=token, face_token2=enrolled))["confidence"] == 0.0
            assert (await client.call("compare", face_token1=token, image_file2=ours))["confidence"] == 0.0
    assert await client.door.settled() == []
    for token in await detected(own, await client.door.token("emp-1043")):  # two holders in one picture: neither
        answer = await client.call("search", face_token=token, outer_id="gatepass")
        assert [each["user_id"] for each in answer["results"]] == [""]
    assert await client.door.settled() == []
    answer = await client.call("search", face_token=person, outer_id="gatepass")
    assert answer["results"] == [{"confidence": 100.0, "user_id": "emp-1044", "face_token": enrolled}]
    assert await client.door.settled() == [("admit", "ok")]


async def test_the_face_token_of_a_code_is_like_that_of_whose_it_is(service: Service) -> None:
    client = await client_at_a_door(service)
    enrolled = await client.enrol("emp-1042")
    for other in ("the enrolled one", "itself"):
        (face,) = (await client.call("detect", _picture=seen(await client.door.token("emp-1042"))))["faces"]
        token = enrolled if other == "the enrolled one" else face["face_token"]
        answer = await client.call("compare", face_token1=token, face_token2=face["face_token"])
        assert answer["confidence"] == 100.0, other


WRONG: tuple[tuple[str, dict[str, Any], tuple[dict[str, Any], ...]], ...] = (
    (
        "search",
        {"outer_id": "gatepass", "image_file": b""},
        ({"outer_id": ""}, {"outer_id": CANARY}, {"faceset_token": UNKNOWN}, {"api_secret": UNKNOWN}),
    ),
    (
        "search",
        {"outer_id": "gatepass", "face_token": ""},
        ({"outer_id": ""}, {"outer_id": CANARY}, {"faceset_token": UNKNOWN}, {"api_secret": UNKNOWN}),
    ),
    (
        "compare",
        {"image_file1": b"", "image_file2": b""},
        ({"image_file2": b"no picture"}, {"image_file2": b""}, {"api_secret": UNKNOWN}),
    ),
    (
        "compare",
        {"image_file1": b"", "face_token2": ""},
        ({"face_token2": CANARY}, {"face_token2": UNKNOWN}, {"api_secret": UNKNOWN}),
    ),
)


@pytest.mark.parametrize(("call", "right", "wrong"), WRONG)
async def test_a_code_is_still_good_after_a_request_with_a_wrong_parameter(
    service: Service, call: str, right: dict[str, Any], wrong: tuple[dict[str, Any], ...]
) -> None:
    client = await client_at_a_door(service)
    enrolled = await client.enrol("emp-1042")
    code = seen(await client.door.token("emp-1042"))
    (face,) = (await client.call("detect", _picture=code))["faces"]
    shown = {"face_token": face["face_token"], "face_token2": enrolled}
    right = {name: value or shown.get(name, code) for name, value in right.items()}
    for each in wrong:
        await client.refusal(call, **right | each)
    assert await client.door.settled() == []
    assert "100.0" in (await client.ask(call, **right)).text
    assert await client.door.settled() == [("admit", "ok")]


async def test_json_is_refused_unread_since_the_keys_are_in_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await client_at_a_door(service)
    monkeypatch.setattr("app.faces.fields.read_json", None)
    for sent in (
        {"json": {**client.door.credentials, "outer_id": "gatepass"}},
        {"content": b"[[]]", "headers": {"content-type": "text/plain"}},
    ):
        assert refusal_in(await client.send("faceset/getdetail", **sent)) == (400, "BAD_ARGUMENTS")


async def test_what_was_detected_is_forgotten_and_nobody_elses_to_ask_for(service: Service) -> None:
    client = await client_at_a_door(service)
    await client.enrol("emp-1042")
    (face,) = (await client.call("detect", _picture=seen(await client.door.token("emp-1042"))))["faces"]
    another = await client_at_a_door(await service.another_tenant())
    for asking, later in ((another, 0), (client, 11)):
        service.clock.advance(later)
        answer = await asking.call("search", face_token=face["face_token"], outer_id="gatepass")
        assert [each["user_id"] for each in answer["results"]] == [""]
        assert await asking.door.settled() == []


async def test_two_pictures_are_alike_if_both_show_a_code_of_one_holder(service: Service) -> None:
    client = await client_at_a_door(service)
    for holder in ("emp-1042", "emp-1043"):
        await client.enrol(holder)
    one, other = [seen(await client.door.token(each)) for each in ("emp-1042", "emp-1043")]
    unlike = await client.call("compare", image_file1=one, image_file2=other)
    assert unlike["confidence"] == 0.0
    alike = await client.call("compare", image_base64_1=b64encode(one).decode(), image_file2=one)
    assert alike["confidence"] == 100.0
    assert alike.keys() == {"confidence", "thresholds", "image_id1", "image_id2", "faces1", "faces2"}
    assert (await client.call("compare", image_file1=one, image_file2=one))["confidence"] == 0.0
    nobody = await client.call("compare", image_file1=FACE, image_file2=other)
    assert nobody.keys() == {"image_id1", "image_id2", "faces1", "faces2"}
    assert (nobody["faces1"], len(nobody["faces2"])) == ([], 1)
    assert await client.door.settled() == [("admit", "ok"), ("deny", "already_used")]


async def test_a_picture_is_like_a_face_token_if_it_shows_a_code_of_whose_it_is(service: Service) -> None:
    client = await client_at_a_door(service)
    token, other = await client.enrol("emp-1042"), await client.enrol("emp-1043")
    code = seen(await client.door.token("emp-1042"))
    assert (await client.call("compare", face_token1=other, image_file2=code))["confidence"] == 0.0
    nobodys = await client.call("compare", image_file1=code, face_token2=await client.detect())
    assert nobodys["confidence"] == 0.0
    assert await client.door.settled() == []
    alike = await client.call("compare", image_file1=code, face_token2=token)
    assert (alike["confidence"], len(alike["faces1"])) == (100.0, 1)
    assert "faces2" not in alike
    assert (await client.call("compare", face_token1=token, image_file2=code))["confidence"] == 0.0
    assert (await client.call("compare", face_token1=token, face_token2=token))["confidence"] == 0.0
    refused = await client.refusal("compare", face_token1=UNKNOWN, image_file2=code)
    assert refused == (400, "INVALID_FACE_TOKEN: face_token1")


async def test_facesets_are_made_once_listed_and_deleted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await client_at_a_door(service)
    token = await client.enrol("emp-1042")
    assert await client.refusal("faceset/create", outer_id="gatepass") == (400, "FACESET_EXIST")
    merged = await client.call("faceset/create", outer_id="gatepass", force_merge=1, face_tokens=await client.detect())
    assert (merged["face_added"], merged["face_count"]) == (1, 2)
    unnamed = await client.call("faceset/create", display_name="Nameless")
    assert unnamed["outer_id"] == ""
    assert (await client.call("faceset/update", faceset_token=unnamed["faceset_token"], tags="a")).keys() == {
        "faceset_token",
        "outer_id",
    }
    monkeypatch.setattr(facesets, "_PAGE", 1)
    first = await client.call("faceset/getfacesets")
    second = await client.call("faceset/getfacesets", start=first["next"])
    assert [each["outer_id"] for each in first["facesets"] + second["facesets"]] in (["", "gatepass"], ["gatepass", ""])
    assert "next" not in second
    pages = [await client.call("faceset/getdetail", outer_id="gatepass", start=start) for start in (1, 2)]
    assert [(each["face_count"], each.get("next")) for each in pages] == [(2, 2), (2, None)]
    assert token in [each["face_tokens"][0] for each in pages]
    assert await client.refusal("faceset/delete", outer_id="gatepass") == (400, "FACESET_NOT_EMPTY")
    await client.call("faceset/delete", outer_id="gatepass", check_empty=0)
    await client.call("faceset/delete", faceset_token=unnamed["faceset_token"])
    assert (await client.call("faceset/getfacesets"))["facesets"] == []
    assert not await client.door.has_pass("emp-1042")
    monkeypatch.setattr(facesets, "_MOST_FACESETS", 0)
    assert await client.refusal("faceset/create", outer_id="one-more") == (400, "FACESET_QUOTA_EXCEEDED")


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("search", {}, 400, "MISSING_ARGUMENTS: outer_id, faceset_token"),
    ("search", {"outer_id": "gatepass"}, 400, "MISSING_ARGUMENTS: image_file, image_base64"),
    ("search", {"outer_id": CANARY, "image_file": CODE}, 400, "INVALID_OUTER_ID"),
    ("search", {"faceset_token": CANARY, "image_file": CODE}, 400, "INVALID_FACESET_TOKEN"),
    ("search", {"outer_id": "a", "faceset_token": "b", "image_file": CODE}, 400, "COEXISTENCE_ARGUMENTS"),
    ("search", {"outer_id": "gatepass", "face_token": CANARY}, 400, "BAD_ARGUMENTS: face_token"),
    ("detect", {"image_file": b"no picture"}, 400, "IMAGE_ERROR_UNSUPPORTED_FORMAT: image_file"),
    ("detect", {"image_file": CODE[:400]}, 400, "IMAGE_ERROR_UNSUPPORTED_FORMAT: image_file"),
    ("detect", {"image_file": bytes(6_000_000)}, 400, "IMAGE_FILE_TOO_LARGE: image_file"),
    ("detect", {"image_base64": "%%%"}, 400, "IMAGE_ERROR_UNSUPPORTED_FORMAT: image_base64"),
    ("detect", {"image_url": "http://192.0.2.1/p.jpg"}, 400, "INVALID_IMAGE_URL: image_url"),
    (
        "compare",
        {"image_file1": b"no picture", "image_file2": CODE},
        400,
        "IMAGE_ERROR_UNSUPPORTED_FORMAT: image_file1",
    ),
    ("compare", {"image_file1": CODE}, 400, "MISSING_ARGUMENTS: image_file2, image_base64_2"),
    ("compare", {"image_file1": CODE, "image_url2": "http://192.0.2.1"}, 400, "INVALID_IMAGE_URL: image_url2"),
    ("faceset/create", {"outer_id": "a,b"}, 400, "BAD_ARGUMENTS: outer_id"),
    ("faceset/create", {"outer_id": "\n"}, 400, "BAD_ARGUMENTS: outer_id"),
    ("faceset/create", {"outer_id": "a" * 256}, 400, "BAD_ARGUMENTS: outer_id"),
    ("faceset/create", {"outer_id": "gatepass", "force_merge": "\uff11"}, 400, "BAD_ARGUMENTS"),
    ("faceset/update", {"outer_id": "gatepass", "new_outer_id": "b"}, 400, "BAD_ARGUMENTS: new_outer_id"),
    ("faceset/addface", {"outer_id": "gatepass"}, 400, "MISSING_ARGUMENTS: face_tokens"),
    ("faceset/addface", {"outer_id": "gatepass", "face_tokens": CANARY}, 400, "BAD_ARGUMENTS: face_tokens"),
    ("faceset/addface", {"outer_id": "gatepass", "face_tokens": "A" * 32}, 400, "BAD_ARGUMENTS: face_tokens"),
    (
        "faceset/addface",
        {"outer_id": "gatepass", "face_tokens": ",".join(f"{each:032x}" for each in range(6))},
        400,
        "INVALID_FACE_TOKENS_SIZE",
    ),
    ("faceset/removeface", {"outer_id": "gatepass"}, 400, "MISSING_ARGUMENTS: face_tokens"),
    ("faceset/getdetail", {"outer_id": "gatepass", "start": "0"}, 400, "BAD_ARGUMENTS: start"),
    ("faceset/getdetail", {"outer_id": "gatepass", "start": "\u0665"}, 400, "BAD_ARGUMENTS"),
    ("faceset/getdetail", {"outer_id": "gatepass", "start": CANARY}, 400, "BAD_ARGUMENTS"),
    ("face/setuserid", {"user_id": "a"}, 400, "MISSING_ARGUMENTS: face_token"),
    ("face/getdetail", {"face_token": UNKNOWN}, 400, "INVALID_FACE_TOKEN: face_token"),
    ("face/analyze", {"face_tokens": UNKNOWN, "return_landmark": "1"}, 404, "API_NOT_FOUND"),
    ("../v1/face/thousandlandmark", {"image_file": CODE}, 404, "API_NOT_FOUND"),
]


async def test_bad_input_is_refused_by_name(service: Service) -> None:
    client = await client_at_a_door(service)
    for call, fields, status, message in REFUSED:
        assert await client.refusal(call, **fields) == (status, message), (call, fields.keys())
    token = await client.detect()
    for user_id, message in (("", "MISSING"), ("a" * 129, "BAD"), ("a\nb", "BAD")):
        refused = await client.refusal("face/setuserid", face_token=token, user_id=user_id)
        assert refused == (400, f"{message}_ARGUMENTS: user_id")
    assert await client.door.settled() == []
    assert (await client.call("faceset/getfacesets"))["facesets"][1:] == []


def broken_bodies(keys: dict[str, str]) -> Iterator[tuple[bytes, str]]:
    head = json.dumps(keys)[1:-1]
    yield b'{%s, "outer_id": "gatepass"}' % head.encode(), "application/json"
    yield b"{" + head.encode(), "application/json"
    yield b"[1]", "application/json"
    yield b"\xff\xfe", "application/json"
    yield b"api_key=a&api_key=Canary7f3a", "application/x-www-form-urlencoded"
    yield b"api_key=Canary7f3a%00", "application/x-www-form-urlencoded"
    yield b"api_key=%ff", "application/x-www-form-urlencoded"
    yield b"--x\r\nCanary7f3a", "multipart/form-data; boundary=x"
    yield b"Canary7f3a", "multipart/form-data"
    yield b"Canary7f3a", "text/plain"


async def test_broken_bodies_are_refused_and_not_repeated(service: Service) -> None:
    client = await client_at_a_door(service)
    for body, content_type in broken_bodies(client.door.credentials):
        answer = await client.send("search", content=body, headers={"content-type": content_type})
        status, message = refusal_in(answer)
        assert (status, message.split(":")[0].endswith("_ARGUMENTS")) == (400, True), body
    answer = await client.send("search", content=b"", headers={"content-length": "100000000"})
    assert refusal_in(answer) == (413, "REQUEST_ENTITY_TOO_LARGE")
    answer = await service.http.get("/facepp/v3/search")
    assert refusal_in(answer) == (404, "API_NOT_FOUND")


async def test_only_who_has_both_keys_is_answered(service: Service) -> None:
    client = await client_at_a_door(service)
    key, secret = client.door.credentials["api_key"], client.door.credentials["api_secret"]
    assert (len(key), len(secret)) == (32, 32)
    for route in ROUTES:
        for keys, status, message in (
            ({"api_key": key, "api_secret": secret[::-1]}, 401, "AUTHENTICATION_ERROR"),
            ({"api_key": CANARY, "api_secret": secret}, 401, "AUTHENTICATION_ERROR"),
            ({"api_key": secret, "api_secret": key}, 401, "AUTHENTICATION_ERROR"),
            ({"api_key": key}, 400, "MISSING_ARGUMENTS: api_secret"),
            ({"api_secret": secret}, 400, "MISSING_ARGUMENTS: api_key"),
        ):
            assert refusal_in(await service.http.post(route.path, data=keys)) == (status, message)
    await service.call("DELETE", f"/v1/connections/{client.door.id}")
    assert await client.refusal("detect", _picture=FACE) == (401, "AUTHENTICATION_ERROR")


async def test_a_picture_of_too_many_pixels_is_named(service: Service) -> None:
    client = await client_at_a_door(service)
    large = encoded(Image.new("1", (4000, 3001)), "PNG")
    assert await client.refusal("detect", _picture=large) == (400, "INVALID_IMAGE_SIZE: image_file")


@given(st.one_of(st.text(max_size=80), st.lists(st.text("0123456789abcdef", min_size=31, max_size=33)).map(",".join)))
def test_face_tokens_are_read_or_refused(text: str) -> None:
    asked = Asked(cast(Any, None), cast(Any, None), Fields({"face_tokens": text}, {}))
    try:
        tokens = asked.face_tokens("face_tokens", 5)
    except (Told, Problem):
        return
    assert 0 < len(tokens) <= 5
    assert all(len(token) == 16 for token in tokens)
    assert {token.hex() for token in tokens} == {each.strip() for each in text.split(",")}
