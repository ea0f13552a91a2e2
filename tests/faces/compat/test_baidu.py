"""Baidu's access tokens, its envelope, and what is not understood."""

import json

import pytest
import pytest_asyncio

from app.faces.compat.baidu.operations import OPERATIONS
from app.storage.failures import Unavailable
from tests.faces.compat.baidu_client import BASE, CANARY, GRANT, MONTH, Client, client_at, shown
from tests.service import Service


@pytest_asyncio.fixture(loop_scope="session")
async def client(service: Service) -> Client:
    return await client_at(service)


async def test_a_connection_has_the_credentials_that_baidu_gives(client: Client) -> None:
    assert {name: len(text) for name, text in client.credentials.items()} == {
        "api_key": 24, "secret_key": 32, "group": 8
    }  # fmt: skip
    assert await client.result("faceset/group/getlist", {}) == {"group_id_list": [client.credentials["group"]]}


async def test_an_access_token_is_given_to_who_has_both_keys_by_query_or_form(client: Client) -> None:
    both = {"client_id": client.credentials["api_key"], "client_secret": client.credentials["secret_key"]}
    for method, sent in (("GET", {"params": {**GRANT, **both}}), ("POST", {"params": {**GRANT, **both}}), ("POST", {"data": {**GRANT, **both}})):  # fmt: skip
        answer = await client.service.http.request(method, "/oauth/2.0/token", **sent)
        told = answer.json()
        assert (answer.status_code, told["expires_in"]) == (200, MONTH)
        assert "brain_all_scope" in told["scope"].split()
        assert told.keys() >= {"refresh_token", "session_key", "session_secret"}
        kind, mac, life, expires, owner = told["access_token"].split(".")
        assert (kind, len(mac), life) == ("24", 32, str(MONTH))
        assert owner == f"282335-{both['client_id']}"
        assert abs(int(expires) - client.service.clock.now() // 1_000_000 - MONTH) < 60
        assert both["client_secret"] not in answer.text


async def test_a_wrong_key_is_refused_an_access_token_as_oauth_does(client: Client) -> None:
    secret = client.credentials["secret_key"]
    unknown = {"error": "invalid_client", "error_description": "unknown client id"}
    wrong = {"error": "invalid_client", "error_description": "Client authentication failed"}
    for instead, told in (
        ({"client_id": "0" * 24}, unknown),
        ({"client_id": ""}, unknown),
        ({"client_id": client.service.key}, unknown),
        ({"client_secret": secret[:-1]}, wrong),
        ({"client_secret": ""}, wrong),
        ({"client_secret": secret + "\u00e9"}, wrong),
    ):
        answer = await client.grant(**instead)
        assert (answer.status_code, answer.json()) == (401, told)
    for instead, error in (
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": f"{CANARY}\0"}, "invalid_request"),
    ):
        answer = await client.grant(**instead)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert CANARY not in answer.text
    answer = await client.service.http.post("/oauth/2.0/token", json={**GRANT, "client_id": [CANARY]})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_without_a_database_who_asks_for_an_access_token_gets_no_json_and_so_asks_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(type(client.service.context.connections), "by_key", gone)
    answer = await client.grant()
    assert answer.status_code == 503
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()
    told = (await client.send("search", json={})).json()
    assert told == {"error_code": 2, "error_msg": "Service temporarily unavailable"}


async def test_an_access_token_that_is_not_one_is_error_110(client: Client) -> None:
    other = await client_at(client.service, "side-door")
    kind, mac, life, expires, owner = client.access_token.split(".")
    stranger = (await client_at(await client.service.another_tenant())).access_token
    for token in (
        "",
        CANARY,
        client.credentials["api_key"],
        client.access_token + "0",
        client.access_token[:-1],
        f"{kind}.{mac}.{life}.{int(expires) + 1}.{owner}",
        f"{kind}.{mac[::-1]}.{life}.{expires}.{owner}",
        f"{kind}.{mac}.{life}.{expires}.282335-{other.credentials['api_key']}",
        f"{kind}.{stranger.split('.')[1]}.{life}.{expires}.{owner}",
        f"{kind}.{mac}.{life}.\uff11{expires[1:]}.{owner}",
        "%ED%A0%80",
        "%00",
    ):
        answer = await client.send("faceset/group/getlist", f"access_token={token}", json={})
        assert answer.status_code == 200
        assert answer.json() == {"error_code": 110, "error_msg": "Access token invalid or no longer valid"}
    assert (await client.send("faceset/group/getlist", "", json={})).json()["error_code"] == 110


async def test_an_access_token_ends_after_a_month_and_with_its_connection(client: Client) -> None:
    client.service.clock.advance(MONTH + 1)
    answer = await client.send("faceset/group/getlist", json={})
    assert answer.json() == {"error_code": 111, "error_msg": "Access token expired"}
    await client.authorise()
    assert await client.refused("faceset/group/getlist", {}) == 0
    (connection,) = (await client.service.call("GET", "/v1/connections")).json()["items"]
    await client.service.call("DELETE", f"/v1/connections/{connection['id']}")
    assert (await client.send("faceset/group/getlist", json={})).json()["error_code"] == 110
    assert (await client.grant()).status_code == 401


async def test_a_call_is_understood_however_its_body_and_its_query_are_written(client: Client) -> None:
    await client.enrol("emp-1")
    asked = {**shown(await client.token("emp-1")), "group_id_list": "staff", "max_user_num": 1}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    token = client.access_token
    for query, sent in (
        (f"access_token={token}&aipSdk=python&aipVersion=4_16_13", {"json": asked}),
        (f"access_token={token}?aipSdk=node", {"content": json.dumps(asked), "headers": form}),
        (f"aipSdk=node&access_token={token}", {"content": json.dumps(asked)}),
        (f"access_token={token}", {"data": asked}),
        (f"access_token={token}", {"files": {name: (None, str(text)) for name, text in asked.items()}}),
    ):
        told = (await client.send("search", query, **sent)).json()
        assert told["result"]["user_list"][0]["user_id"] == "emp-1", told
    assert await client.settled() == [("admit", "ok")]


async def test_a_body_that_is_none_is_told_in_the_envelope(sqlite_service: Service) -> None:
    client = await client_at(sqlite_service)
    for call in OPERATIONS:
        for body in (
            b"{", b"\xff", b'{"image": NaN}', b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a": 1, "a": 2}',
            b"[" * 20 + b"]" * 20, b"null", b"7", b"a=1&a=2", b"%00=1", b"", b"[]", b"[[]]", b'["x", null]',
        ):  # fmt: skip
            for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
                answer = await client.send(call, content=body, headers={"Content-Type": kind})
                told = answer.json()
                assert answer.status_code == 200, (call, body)
                assert told["error_code"] in {0, 222001, 222200, 222208}, (call, body, told)
                assert told["error_code"] != 0 or call == "faceset/group/getlist"


async def test_what_there_is_not_is_an_unsupported_method_and_too_much_is_too_large(service: Service) -> None:
    client = await client_at(service)
    for path in (f"{BASE}/person/verify", "/rest/2.0/face/v4/mingjing/match", "/rest/2.0/ocr/v1/general", BASE):
        answer = await service.http.post(f"{path}?access_token={client.access_token}", json={})
        assert (answer.status_code, answer.json()) == (
            200, {"error_code": 3, "error_msg": "Unsupported openapi method"}
        )  # fmt: skip
    query = f"access_token={client.access_token}"
    assert (await service.http.get(f"{BASE}/search?{query}")).json()["error_code"] == 3
    assert (await service.http.get(f"{BASE}/search")).json()["error_code"] == 110
    answer = await client.send("search", content=b"x" * 15_000_000)
    assert (answer.status_code, answer.json()["error_code"]) == (200, 222304)
    answer = await service.http.post("/oauth/2.0/token", content=b"x" * 65_537)
    assert (answer.status_code, answer.json()["error_code"]) == (200, 222304)


async def test_no_metric_names_a_key_a_token_or_a_person(client: Client) -> None:
    token = await client.enrol("CanaryUser", "CanaryGroup", user_info="CanaryName")
    await client.service.http.post(f"{BASE}/CanaryPath?access_token={client.access_token}")
    metrics = (await client.service.http.get("/metrics")).text
    assert f'route="baidu {BASE}/faceset/user/add"' in metrics
    secrets = ("Canary", token, client.access_token, *client.credentials.values())
    assert not [secret for secret in secrets if secret in metrics and secret != "gatepass"]
