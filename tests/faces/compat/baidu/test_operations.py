"""What a code is worth behind Baidu's operations, and what a client can do with those whom it enrols."""

from base64 import b64encode
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from tests.effects.frames import code, encoded
from tests.faces.compat.baidu_client import FACE, NOBODYS, Client, client_at, enrolled, shown
from tests.service import Service


@pytest_asyncio.fixture(loop_scope="session")
async def client(service: Service) -> Client:
    return await client_at(service)


async def test_who_was_enrolled_is_found_by_a_code_with_what_is_shown_at_the_door(client: Client) -> None:
    await client.enrol("emp-1042", user_info="Ada Lovelace")
    asked = {**shown(await client.token("emp-1042")), "group_id_list": "visitors,staff", "max_user_num": 5}
    found = await client.result("search", {**asked, "liveness_control": "HIGH", "quality_control": "HIGH"})
    assert found["user_list"] == [
        {"group_id": "staff", "user_id": "emp-1042", "user_info": "Ada Lovelace", "score": 100}
    ]
    assert (await client.result("search", asked))["face_token"] == found["face_token"]
    assert await client.settled() == [("admit", "ok")]


async def test_a_visitor_whom_the_client_never_enrolled_is_found_in_the_first_group_that_there_is(
    client: Client,
) -> None:
    await client.service.pass_("visitor-7")
    asked = shown(await client.token("visitor-7"))
    nobody = await client.result("multi-search", {**asked, "group_id_list": "nowhere"})
    assert [face["user_list"] for face in nobody["face_list"]] == [[]]
    assert await client.refused("search", {**asked, "group_id_list": "nowhere,elsewhere"}) == 222207
    assert await client.settled() == []
    (user,) = (await client.result("search", {**asked, "group_id_list": "nowhere,gatepass"}))["user_list"]
    assert user == {"group_id": "gatepass", "user_id": "visitor-7", "user_info": "", "score": 100}
    assert await client.result("faceset/group/getlist", {}) == {"group_id_list": ["gatepass"]}


SEARCHED = (
    {"group_id_list": None}, {"group_id_list": ""}, {"group_id_list": "a,,b"}, {"group_id_list": "<b>staff</b>"},
    {"group_id_list": ["staff"]}, {"group_id_list": ",".join("abcdefghijk")}, {"user_id": ["emp-1"]},
    {"image_type": "X"}, {"image_type": None},
)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ("search", SEARCHED),
        ("multi-search", (*SEARCHED, *({"max_face_num": each} for each in (0, 11, "x", [1], True)))),
        ("match", ({"image_type": "X"}, {"image_type": None}, {"image": "!"}, {"image": "0" * 32, "image_type": "FACE_TOKEN"})),
    ],
)  # fmt: skip
async def test_a_code_is_still_good_after_a_call_with_a_wrong_parameter(
    client: Client, call: str, wrong: tuple[dict[str, Any], ...]
) -> None:
    await client.enrol("emp-1")
    asked = {**shown(await client.token("emp-1")), "group_id_list": "staff"}
    for each in wrong:
        assert await client.refused(call, [asked, asked | each] if call == "match" else asked | each) > 222000, each
    assert await client.settled() == []
    assert str(await client.result(call, [asked, asked] if call == "match" else asked)).count("'score': 100") == 1
    assert await client.settled() == [("admit", "ok")]


async def test_who_was_enrolled_in_other_groups_is_not_found_and_nothing_of_theirs_is_used(client: Client) -> None:
    await client.enrol("emp-1", "staff")
    await client.enrol("emp-2", "visitors")
    token = await client.token("emp-1")
    assert await client.search(token, groups="visitors") == 222207
    assert await client.settled() == []
    assert await client.search(token, groups="visitors, staff") == ["emp-1"]


async def test_a_refused_code_is_222207_and_no_code_222202(client: Client) -> None:
    stranger = await client_at(await client.service.another_tenant())
    for each, user in ((client, "deleted"), (client, "used"), (stranger, "theirs")):
        await each.enrol(user)
    deleted, used, theirs = await client.token("deleted"), await client.token("used"), await stranger.token("theirs")
    await client.result("faceset/user/delete", {"group_id": "staff", "user_id": "deleted"})
    assert [await client.search(used) for _ in range(2)] == [["used"]] * 2
    client.service.clock.advance(10)
    for token in (NOBODYS, "https://example.org/poster", theirs, deleted, used):
        assert await client.search(token) == 222207
    for picture in (shown(), FACE):
        asked = {**picture, "group_id_list": "staff"}
        code = 222202 if picture is not FACE else 222203
        for call in ("search", "multi-search", "detect"):
            assert await client.refused(call, asked) == code
        assert await client.refused("faceverify", [picture]) == code
        assert await client.refused("match", [picture, shown(used)]) == code


async def test_codes_of_several_holders_name_nobody_and_use_nothing(client: Client) -> None:
    for user in ("emp-1", "emp-2"):
        await client.enrol(user)
    tokens = [await client.token(user) for user in ("emp-1", "emp-2")]
    assert await client.search(*tokens) == 222207
    faces = await client.result("multi-search", {**shown(*tokens), "group_id_list": "staff", "max_face_num": 10})
    assert [face["user_list"] for face in faces["face_list"]] == [[], []]
    assert await client.search(tokens[0]) == ["emp-1"]


async def test_one_to_one_leaves_somebody_elses_code_as_it_was(client: Client) -> None:
    for user in ("emp-1", "emp-2"):
        await client.enrol(user)
    await client.service.pass_("visitor-7")
    token, visitors = await client.token("emp-1"), await client.token("visitor-7")
    assert await client.search(token, user_id="emp-2") == 222207
    assert await client.search(token, user_id="nobody") == 222207
    assert await client.search(token, user_id="emp-1", groups="visitors") == 222207
    assert await client.search(visitors, user_id="emp-1") == 222207
    assert await client.settled() == []
    assert await client.search(token, user_id="emp-1") == ["emp-1"]
    assert await client.search(visitors, user_id="visitor-7") == ["visitor-7"]


async def test_a_search_for_several_puts_who_was_admitted_first_and_shows_as_many_as_are_asked_for(
    client: Client,
) -> None:
    await client.enrol("emp-1")
    picture = Image.new("L", (640, 480), 140)
    picture.paste(code("https://example.org/poster", 6), (20, 20))
    picture.paste(code(await client.token("emp-1"), 4), (400, 250))
    asked = {"image": b64encode(encoded(picture)).decode(), "image_type": "BASE64", "group_id_list": "staff"}
    one = await client.result("multi-search", asked)
    two = await client.result("multi-search", {**asked, "max_face_num": "2"})
    assert (one["face_num"], two["face_num"]) == (1, 2)
    assert one["face_list"] == two["face_list"][:1]
    named, poster = two["face_list"]
    assert [user["user_id"] for user in named["user_list"]] == ["emp-1"]
    assert poster["user_list"] == []
    assert named["location"]["left"] > 320 > poster["location"]["left"]
    detected = await client.result("detect", {**asked, "max_face_num": 2, "face_field": "age,beauty,quality"})
    assert [face["location"] for face in detected["face_list"]] == [poster["location"], named["location"]]
    assert detected["face_list"][0].keys() == {"face_token", "location", "face_probability", "angle"}
    assert await client.settled() == [("admit", "ok")]


async def test_detecting_and_liveness_use_nothing(client: Client) -> None:
    await client.enrol("emp-1")
    token = await client.token("emp-1")
    box = (await client.result("detect", shown(token)))["face_list"][0]["location"]
    assert box.keys() == {"left", "top", "width", "height", "rotation"}
    assert min(box["width"], box["height"]) >= 120
    live = await client.result("faceverify", [shown(token)])
    assert (live["face_liveness"], live["face_list"][0]["liveness"]) == (1, {"livemapscore": 1})
    assert live["face_liveness"] > max(live["thresholds"].values())
    for text in ("https://example.org/poster", "GP1:" + "0" * 190):
        assert (await client.result("faceverify", [shown(text)]))["face_liveness"] == 0
    assert (await client.result("faceverify", [shown("a poster"), shown(token)]))["face_liveness"] == 1
    assert await client.refused("faceverify", []) == 222208
    assert await client.settled() == []
    assert await client.search(token) == ["emp-1"]


async def test_a_comparison_of_pictures_settles_the_live_token(client: Client) -> None:
    for user in ("emp-1", "emp-2"):
        await client.enrol(user)
    one, other = await client.token("emp-1"), await client.token("emp-2")
    assert await client.match(shown(one), shown(other)) == 0
    assert await client.match(shown(one), shown(NOBODYS)) == 0
    assert await client.settled() == []
    same = await client.result("match", [shown(one), shown(one)])
    assert (same["score"], [face.keys() for face in same["face_list"]]) == (100, [{"face_token"}] * 2)
    client.service.clock.advance(10)
    assert await client.match(shown(one), shown(one)) == 0
    assert await client.settled() == [("admit", "ok"), ("deny", "already_used")]
    assert await client.search(other) == ["emp-2"]


async def test_a_comparison_with_an_enrolment_asks_whether_the_code_is_theirs(client: Client) -> None:
    first, second = [await client.enrol(user) for user in ("emp-1", "emp-2")]
    token = await client.token("emp-1")
    assert await client.match(enrolled(second), shown(token)) == 0
    assert await client.refused("match", [enrolled("0" * 32), shown(token)]) == 222209
    assert await client.refused("match", [enrolled(first), enrolled(first)]) == 222202
    assert await client.settled() == []
    for pair in ((enrolled(first), shown(token)), (shown(token), enrolled(first))):
        result = await client.result("match", list(pair))
        assert result["score"] == 100
        assert result["face_list"][pair.index(enrolled(first))] == {"face_token": first}
    for pictures in ([], [shown(token)], [shown(token)] * 3, [{}, {}]):
        assert await client.refused("match", pictures) == (222208 if pictures != [{}, {}] else 222001)


async def test_no_picture_is_fetched_or_kept_so_it_has_to_come_with_the_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr("httpx.AsyncClient.get", never)
    url = {"image": "http://127.0.0.1:9/face.jpg", "image_type": "URL", "group_id_list": "staff"}
    token = {**enrolled(await client.enrol("emp-1")), "group_id_list": "staff"}
    for call in ("search", "multi-search", "detect"):
        assert await client.refused(call, url) == 222204
        assert await client.refused(call, token) == 222209
    assert await client.refused("match", [url, shown("a poster")]) == 222204
    assert await client.refused("faceverify", [url]) == 222204


async def test_pictures_that_enrol_are_dropped_unseen_whatever_they_are_and_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        raise AssertionError("the picture was read")

    async def discarded() -> float:
        lines = (await client.service.http.get("/metrics")).text.splitlines()
        name = 'gatepass_face_fields_discarded_total{kind="baidu"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    monkeypatch.setattr(type(client.service.context.pictures), "codes", never)
    monkeypatch.setattr("app.faces.fields.from_base64", never)
    before = await discarded()
    first = await client.enrol("emp-1")
    for more in ({"image": "!*? no base64"}, {"image": "http://127.0.0.1:9/", "image_type": "URL"}, enrolled(first)):
        again = await client.enrol("emp-1", **more)
        assert again != first
    assert await discarded() == before + 4
    faces = await client.result("faceset/face/getlist", {"group_id": "staff", "user_id": "emp-1"})
    assert len(faces["face_list"]) == 4
    assert faces["face_list"][0]["face_token"] == first


async def test_the_whole_life_of_a_user(client: Client) -> None:
    who = {"group_id": "staff", "user_id": "emp-1"}
    first = await client.enrol("emp-1", user_info="Ada")
    second = await client.enrol("emp-1")
    assert await client.result("faceset/user/get", who) == {"user_list": [{"user_info": "Ada", "group_id": "staff"}]}
    assert await client.result("faceset/group/getusers", {"group_id": "staff"}) == {"user_id_list": ["emp-1"]}
    faces = (await client.result("faceset/face/getlist", who))["face_list"]
    assert [face["face_token"] for face in faces] == [first, second]
    assert all(len(face["ctime"]) == len("2026-11-25 13:06:00") for face in faces)
    token = await client.token("emp-1")
    third = (await client.result("faceset/user/update", {**FACE, **who, "user_info": "Ada L."}))["face_token"]
    assert [face["face_token"] for face in (await client.result("faceset/face/getlist", who))["face_list"]] == [third]
    assert (await client.result("faceset/user/get", who))["user_list"][0]["user_info"] == "Ada L."
    fourth = await client.enrol("emp-1", action_type="replace")
    assert [face["face_token"] for face in (await client.result("faceset/face/getlist", who))["face_list"]] == [fourth]
    # Nothing of it touched the pass.
    assert await client.search(token) == ["emp-1"]
    assert await client.refused("faceset/face/delete", {**who, "face_token": third}) == 223106
    assert await client.result("faceset/face/delete", {**who, "face_token": fourth}) is None
    assert await client.refused("faceset/user/get", who) == 223103
    assert not await client.has_pass("emp-1")


async def test_updating_is_of_who_is_there_unless_it_replaces(client: Client) -> None:
    await client.enrol("emp-1")
    asked = {**FACE, "group_id": "staff", "user_id": "emp-2"}
    assert await client.refused("faceset/user/update", asked) == 223103
    assert await client.refused("faceset/user/update", {**asked, "group_id": "nowhere"}) == 223100
    await client.result("faceset/user/update", {**asked, "action_type": "REPLACE"})
    assert await client.search(await client.token("emp-2")) == ["emp-2"]


async def test_groups_are_made_listed_and_deleted_with_their_users(client: Client) -> None:
    assert await client.result("faceset/group/add", {"group_id": "night_shift"}) is None
    assert await client.refused("faceset/group/add", {"group_id": "night_shift"}) == 223101
    await client.enrol("emp-1", "staff")
    listed = {"group_id_list": ["gatepass", "night_shift", "staff"]}
    assert await client.result("faceset/group/getlist", {"start": 0, "length": 100}) == listed
    assert await client.result("faceset/group/getlist", {"start": 1, "length": "1"}) == {
        "group_id_list": ["night_shift"]
    }
    assert await client.result("faceset/group/delete", {"group_id": "staff"}) is None
    assert not await client.has_pass("emp-1")
    for call in ("group/delete", "group/getusers", "user/get", "user/delete", "face/getlist"):
        assert await client.refused(f"faceset/{call}", {"group_id": "staff", "user_id": "emp-1"}) == 223100


async def test_users_of_a_group_come_in_parts(client: Client) -> None:
    for number in range(5):
        await client.enrol(f"emp-{number}")
    asked = {"group_id": "staff", "length": 2}
    parts = [(await client.result("faceset/group/getusers", {**asked, "start": start})) for start in (0, 2, 4, 6)]
    assert [part["user_id_list"] for part in parts] == [["emp-0", "emp-1"], ["emp-2", "emp-3"], ["emp-4"], []]


async def test_a_copied_user_is_in_both_groups_on_one_pass_and_gone_with_the_last(client: Client) -> None:
    await client.enrol("emp-1", user_info="Ada")
    await client.result("faceset/group/add", {"group_id": "lesson"})
    copy = {"user_id": "emp-1", "src_group_id": "staff", "dst_group_id": "lesson"}
    for _ in range(2):
        assert await client.result("faceset/user/copy", copy) is None
    assert await client.refused("faceset/user/copy", {**copy, "dst_group_id": "nowhere"}) == 223111
    assert await client.refused("faceset/user/copy", {**copy, "src_group_id": "nowhere"}) == 223100
    assert await client.refused("faceset/user/copy", {**copy, "user_id": "nobody"}) == 223103
    assert (
        len((await client.result("faceset/face/getlist", {"group_id": "lesson", "user_id": "emp-1"}))["face_list"]) == 1
    )
    everywhere = {"group_id": "@ALL", "user_id": "emp-1"}
    assert (await client.result("faceset/user/get", everywhere))["user_list"] == [
        {"user_info": "Ada", "group_id": "lesson"},
        {"user_info": "Ada", "group_id": "staff"},
    ]
    await client.result("faceset/user/delete", {"group_id": "staff", "user_id": "emp-1"})
    assert await client.search(await client.token("emp-1"), groups="lesson") == ["emp-1"]
    assert await client.result("faceset/user/delete", everywhere) is None
    assert await client.refused("faceset/user/get", everywhere) == 223103
    assert not await client.has_pass("emp-1")


async def test_one_client_knows_nothing_of_what_another_enrolled(client: Client) -> None:
    other = await client_at(client.service, "side-door")
    theirs = await other.enrol("theirs")
    who = {"group_id": "staff", "user_id": "theirs"}
    assert await client.refused("faceset/user/get", who) == 223100
    await client.enrol("mine")
    for call in ("user/get", "user/delete", "face/getlist", "face/delete"):
        assert await client.refused(f"faceset/{call}", {**who, "face_token": theirs}) == 223103
    assert await client.refused("match", [enrolled(theirs), shown("a poster")]) == 222209
    assert await other.result("faceset/user/get", who)
