"""baidu-aip and baidu-aip-sdk at the gate, led here by what each has for that, and with their keys changed."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.clients.client import Client, baidu_aip, baidu_aip_sdk
from tests.clients.connect_proxy import connect_proxy
from tests.clients.served_site import Connected, Site

NO_MATCH, NO_FACE, NO_TOKEN = 222207, 222202, 110
NO_GROUP, GROUP_THERE, NO_USER = 223100, 223101, 223103


@contextmanager
def for_python(at: Connected) -> Iterator[Client]:
    with (
        connect_proxy(int(at.url.rpartition(":")[2])) as proxy,
        baidu_aip(proxy, at.credentials["api_key"], at.credentials["secret_key"]) as client,
    ):
        yield client


def for_node(at: Connected) -> AbstractContextManager[Client]:
    return baidu_aip_sdk(at.url, at.credentials["api_key"], at.credentials["secret_key"])


def result(client: Client, name: str, **arguments: Any) -> Any:
    answer = client.call(name, **arguments)
    assert (answer["error_code"], answer["error_msg"]) == (0, "SUCCESS")
    return answer["result"]


def refusal(client: Client, name: str, **arguments: Any) -> int:
    code: int = client.call(name, **arguments)["error_code"]
    return code


@pytest.mark.parametrize("client_at", [for_python, for_node])
def test_a_person_comes_enters_once_and_goes(
    client_at: Callable[[Connected], AbstractContextManager[Client]], site: Site
) -> None:
    site.gate("main-door", repeat_window_s=1)
    site.gate("side-door")
    main, side = site.connect("baidu", "main-door"), site.connect("baidu", "side-door")
    who = {"group_id": "staff", "user_id": "emp_1042"}
    with client_at(main) as client, client_at(side) as elsewhere:
        assert refusal(client, "getGroupUsers", group_id="staff") == NO_GROUP
        result(client, "groupAdd", group_id="staff")
        assert refusal(client, "groupAdd", group_id="staff") == GROUP_THERE
        first = result(client, "addUser", image=site.a_face(), user_info="Ada", **who)["face_token"]
        assert result(client, "getUser", **who)["user_list"] == [{"user_info": "Ada", "group_id": "staff"}]
        assert result(client, "getGroupUsers", group_id="staff") == {"user_id_list": ["emp_1042"]}
        assert [face["face_token"] for face in result(client, "faceGetlist", **who)["face_list"]] == [first]
        assert result(client, "updateUser", image=site.a_face(), **who)["face_token"] != first

        picture = site.code_of("emp_1042")
        assert result(client, "detect", image=picture)["face_num"] == 1
        assert refusal(client, "search", image=site.a_face(), group_id_list="staff") == NO_FACE
        assert refusal(elsewhere, "search", image=picture, group_id_list="staff") == NO_MATCH
        assert refusal(client, "search", image=picture, group_id_list="staff", user_id="somebody") == NO_MATCH
        for _ in range(2):  # it polls
            (found,) = result(client, "search", image=picture, group_id_list="visitors,staff")["user_list"]
            assert found == {"group_id": "staff", "user_id": "emp_1042", "user_info": "Ada", "score": 100}
        time.sleep(1.1)
        assert refusal(client, "search", image=picture, group_id_list="staff") == NO_MATCH
        assert site.entries("emp_1042") == 1

        site.visitor("visitor-7")
        another, visitors = site.code_of("emp_1042"), site.code_of("visitor-7")
        assert result(client, "match", images=[another, visitors])["score"] == 0
        assert result(client, "match", images=[another, another])["score"] == 100
        result(client, "groupAdd", group_id="lesson")
        result(client, "userCopy", user_id="emp_1042", src_group_id="staff", dst_group_id="lesson")
        assert "lesson" in result(client, "getGroupList")["group_id_list"]

        unused = site.code_of("emp_1042")
        assert result(client, "deleteUser", **who) is None
        assert refusal(client, "deleteUser", **who) == NO_USER
        assert refusal(client, "search", image=unused, group_id_list="staff") == NO_MATCH
        assert result(client, "groupDelete", group_id="lesson") is None
        assert not site.has_pass("emp_1042")
        assert refusal(client, "search", image=unused, group_id_list="staff") == NO_MATCH

        (visitor,) = result(client, "search", image=visitors, group_id_list="staff")["user_list"]
        assert visitor["user_id"] == "visitor-7"
        site.disconnect(main)
        assert refusal(client, "search", image=picture, group_id_list="staff") == NO_TOKEN
    with client_at(main) as client:  # its keys are refused, and what it falls back to is too
        assert refusal(client, "search", image=picture, group_id_list="staff") == NO_TOKEN
