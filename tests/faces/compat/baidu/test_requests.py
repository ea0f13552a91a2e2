"""The parameters of Baidu's calls: each that is missing or malformed is named in an error of Baidu's table."""

import json
import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.faces.compat.baidu.requests import Refused, groups_of
from app.faces.fields import Fields
from tests.faces.compat.baidu_client import CANARY, client_at, shown
from tests.service import Service

NEEDED = {
    "search": ("image", "image_type", "group_id_list"),
    "multi-search": ("image", "image_type", "group_id_list"),
    "detect": ("image", "image_type"),
    "faceset/user/add": ("image", "image_type", "group_id", "user_id"),
    "faceset/user/update": ("image", "image_type", "group_id", "user_id"),
    "faceset/user/delete": ("group_id", "user_id"),
    "faceset/user/get": ("group_id", "user_id"),
    "faceset/user/copy": ("user_id", "src_group_id", "dst_group_id"),
    "faceset/face/getlist": ("group_id", "user_id"),
    "faceset/face/delete": ("group_id", "user_id", "face_token"),
    "faceset/group/add": ("group_id",),
    "faceset/group/delete": ("group_id",),
    "faceset/group/getusers": ("group_id",),
}
GIVEN = {
    **shown("a poster"), "group_id_list": "staff", "group_id": "staff", "user_id": "emp-1", "src_group_id": "staff",
    "dst_group_id": "staff", "face_token": "0" * 32,
}  # fmt: skip


async def test_a_missing_or_malformed_parameter_has_its_name_in_the_error(sqlite_service: Service) -> None:
    client = await client_at(sqlite_service)
    await client.enrol("emp-1")
    for call, names in NEEDED.items():
        for name in names:
            for nothing in (None, ""):
                told = (await client.send(call, json={**GIVEN, name: nothing})).json()
                assert (told["error_code"], told["error_msg"]) == (222001, f"param[{name}] is null"), call
            if name == "image" and call.startswith("faceset"):
                continue  # it is dropped, whatever it is
            for odd in ([CANARY], {"a": CANARY}, True):
                told = (await client.send(call, json={**GIVEN, name: odd})).json()
                assert 222001 < told["error_code"] <= 222203, (call, name, told)
                assert CANARY not in json.dumps(told)
    for call, more, code in (
        ("search", {"group_id_list": ",".join("abcdefghijk")}, 223104),
        ("search", {"group_id_list": "a,,b"}, 222005),
        ("search", {"group_id_list": f"staff,<{CANARY}>"}, 222005),
        ("multi-search", {"group_id_list": "x" * 49}, 222005),
        ("search", {"image_type": CANARY}, 222015),
        ("search", {"image": "!*?"}, 222203),
        ("search", {"image": b64encode(b"x" * 5_300_000).decode()}, 222304),
        ("search", {"user_id": [CANARY]}, 222018),
        ("multi-search", {"max_face_num": 11}, 222016),
        ("detect", {"max_face_num": "\uff11"}, 222016),
        ("detect", {"max_face_num": 1.5}, 222016),
        ("faceset/user/add", {"group_id": "with-hyphen"}, 222006),
        ("faceset/user/add", {"group_id": "\uff11"}, 222006),
        ("faceset/user/add", {"group_id": "@ALL"}, 222006),
        ("faceset/group/add", {"group_id": "x" * 49}, 222006),
        ("faceset/user/add", {"user_id": "x" * 129}, 222018),
        ("faceset/user/add", {"user_id": "a\nb"}, 222018),
        ("faceset/user/add", {"user_info": "x" * 300}, 222010),
        ("faceset/user/add", {"user_info": "a\x7fb"}, 222010),
        ("faceset/user/add", {"action_type": [CANARY]}, 222200),
        ("faceset/user/add", {"image": CANARY, "image_type": "FACE_TOKEN"}, 222013),
        ("faceset/face/delete", {"face_token": CANARY}, 222025),
        ("faceset/group/getusers", {"start": -1}, 222002),
        ("faceset/group/getusers", {"length": 1001}, 222003),
        ("faceset/group/getlist", {"length": "1e3"}, 222003),
    ):
        assert await client.refused(call, {**GIVEN, **more}) == code, (call, more)
    assert (await client.result("faceset/group/getusers", GIVEN)) == {"user_id_list": ["emp-1"]}
    assert await client.settled() == []


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
    | st.lists(st.text("aZ0_ \uff11", max_size=3), max_size=12).map(",".join)
    | st.text("a", min_size=47, max_size=49)
)
def test_groups_are_letters_digits_and_underscores_between_commas_or_an_error(text: str) -> None:
    fields, names = Fields({"group_id_list": text}, {}), [name.strip() for name in text.split(",")]
    if all(re.fullmatch("[a-zA-Z0-9_]{1,48}", name) for name in names) and len(names) <= 10:
        assert groups_of(fields) == names
    else:
        with pytest.raises(Refused):
            groups_of(fields)
