"""Lists: limits, cursors, order."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.faces.http.lists import ListQuery
from app.services.mistakes import Invalid
from tests.faces.http.answers import assert_problem
from tests.service import Service

LISTS = ["zones", "gates", "holders", "passes", "schedules", "verifications", "audit-events", "api-keys", "connections"]


async def filled(service: Service, count: int = 5) -> None:
    """`count` of everything that can be listed."""
    await service.gate("gate-0")
    for n in range(count):
        if n:
            await service.gate(f"gate-{n}")
        await service.create("/v1/zones", id=f"zone-{n}", name="A zone")
        await service.pass_(f"emp-{n}")
        await service.create("/v1/schedules", id=f"schedule-{n}", name="A schedule")
        await service.create("/v1/connections", kind="vguang", gate="gate-0")
        await service.verify("nonsense", "gate-0")
        (holder,) = (await service.call("GET", f"/v1/holders?ref=emp-{n}")).json()["items"]
        await service.call("POST", f"/v1/holders/{holder['id']}/block", json={"reason": "a reason"})
        if n:
            await service.api_key("gates:read", name=f"key {n}")


async def pages(service: Service, path: str, limit: int, **asked: str) -> list[Any]:
    """All items, a page at a time."""
    items: list[Any] = []
    cursor: dict[str, str] = {}
    for _ in range(20):
        answer = await service.call("GET", f"/v1/{path}", params={"limit": str(limit), **asked, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next"] is None:
            return items
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next"]}
    raise AssertionError("the list does not end")


async def test_pages_put_together_are_the_list(service: Service) -> None:
    await filled(service)
    for path in LISTS:
        whole = (await service.call("GET", f"/v1/{path}")).json()
        assert len(whole["items"]) == 5
        assert whole["next"] is None
        for limit in (1, 2, 5, 200):
            assert await pages(service, path, limit) == whole["items"]


async def test_what_comes_in_meanwhile_shifts_no_page(service: Service) -> None:
    await filled(service, 4)
    for path, more in (
        ("passes", service.pass_("late")),
        ("zones", service.create("/v1/zones", id="zone-00", name="Z")),
    ):
        first = (await service.call("GET", f"/v1/{path}?limit=2")).json()
        await more
        rest = (await service.call("GET", f"/v1/{path}", params={"cursor": first["next"]})).json()
        known = {item["id"] for item in first["items"]}
        assert known.isdisjoint(item["id"] for item in rest["items"])


async def test_a_cursor_keeps_to_its_filter(service: Service) -> None:
    await service.gate("gate-0")
    await service.gate("gate-1")
    for _ in range(3):
        for gate in ("gate-0", "gate-1"):
            await service.verify("nonsense", gate)
    items = await pages(service, "verifications", 1, gate="gate-1")
    assert [item["gate"] for item in items] == ["gate-1"] * 3


async def test_a_cursor_of_another_list_or_filter_is_refused(service: Service) -> None:
    await filled(service, 3)
    cursors = {path: (await service.call("GET", f"/v1/{path}?limit=1")).json()["next"] for path in LISTS}
    for path in LISTS:
        for other, cursor in cursors.items():
            answer = await service.call("GET", f"/v1/{path}", params={"cursor": cursor})
            if other == path:
                assert answer.status_code == 200
            else:
                assert_problem(answer, 422, field="cursor")
    for filter_ in ({"gate": "gate-0"}, {"decision": "deny"}, {"since": "2020-01-01T00:00:00Z"}, {"holder": "emp-1"}):
        answer = await service.call("GET", "/v1/verifications", params={"cursor": cursors["verifications"], **filter_})
        assert_problem(answer, 422, field="cursor")


async def test_a_cursor_may_be_used_with_another_limit(service: Service) -> None:
    await filled(service, 4)
    first = (await service.call("GET", "/v1/gates?limit=1")).json()
    rest = (await service.call("GET", "/v1/gates", params={"cursor": first["next"], "limit": "3"})).json()
    assert [gate["id"] for gate in rest["items"]] == ["gate-1", "gate-2", "gate-3"]


@pytest.mark.parametrize("path", LISTS)
async def test_a_garbled_cursor_is_refused(still_service: Service, path: str) -> None:
    for cursor in ("", "x", "AAAA", "gA", "é", "%00", "\U0001f6aa", "'; --", "a" * 512, "a" * 513):
        assert_problem(await still_service.call("GET", f"/v1/{path}", params={"cursor": cursor}), 422, field="cursor")


TAMPERED: dict[str, list[Any]] = {
    "gates": ["a\0b", "", "A/B", "x" * 65, "\u202e", 1, None, b"gate-0", ["gate-0"]],
    "passes": [b"", b"x" * 15, b"x" * 17, "x" * 16, 1, None, [b"x" * 16]],
}


async def test_a_cursor_that_was_tampered_with_is_refused(service: Service) -> None:
    await filled(service, 2)
    for path, keys in TAMPERED.items():
        good = (await service.call("GET", f"/v1/{path}?limit=1")).json()["next"]
        digest, _ = cbor2.loads(urlsafe_b64decode(good + "=="))
        for key in keys:
            bad = urlsafe_b64encode(cbor2.dumps([digest, key])).rstrip(b"=").decode()
            assert_problem(await service.call("GET", f"/v1/{path}", params={"cursor": bad}), 422, field="cursor")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"\x82" + tail))
def test_any_bytes_are_a_cursor_or_are_refused(packed: bytes) -> None:
    query = ListQuery(cursor=urlsafe_b64encode(packed).rstrip(b"=").decode())
    with pytest.raises(Invalid):
        query.after("gates", str)


@pytest.mark.parametrize(
    "packed",
    [
        bytes.fromhex("c5821b7fffffffffffffff03"),  # bigfloat with an exponent beyond all bounds
        bytes.fromhex("c4821b7fffffffffffffff03"),  # decimal fraction
        bytes.fromhex("d81e820100"),  # 1/0
        bytes.fromhex("9bffffffffffffffff"),  # an array of 2**64 - 1
        bytes.fromhex("5bffffffffffffffff"),  # as many bytes
        b"\x81" * 380 + b"\x00",
        b"\xc1" * 380 + b"\x00",
        bytes.fromhex("d81c81d81d00"),  # an array in itself
        bytes.fromhex("d82361") + b"(",  # a regular expression
        bytes.fromhex("c11bffffffffffffffff"),  # a time beyond all times
        bytes.fromhex("82a10000f6"),
    ],
    ids=bytes.hex,
)
def test_a_cbor_bomb_is_refused(packed: bytes) -> None:
    query = ListQuery(cursor=urlsafe_b64encode(packed).rstrip(b"=").decode())
    with pytest.raises(Invalid):
        query.after("gates", str)


@pytest.mark.parametrize("path", LISTS)
async def test_a_limit_is_from_1_to_200(still_service: Service, path: str) -> None:
    for limit in ("1", "200"):
        assert (await still_service.call("GET", f"/v1/{path}", params={"limit": limit})).status_code == 200
    for limit in ("0", "-1", "201", "1e2", "", "x", "\uff11\uff10", "9" * 5000, "1.5"):
        assert_problem(await still_service.call("GET", f"/v1/{path}", params={"limit": limit}), 422, field="limit")


@pytest.mark.parametrize("path", LISTS)
async def test_a_parameter_that_is_not_known_is_refused(still_service: Service, path: str) -> None:
    answer = await still_service.call("GET", f"/v1/{path}", params={"Canary7f3a": "Canary7f3b"})
    assert_problem(answer, 422, field="")
    assert "Canary" not in answer.text


async def test_fifty_are_given_unless_more_are_asked_for(sqlite_service: Service) -> None:
    await asyncio.gather(*(sqlite_service.create("/v1/holders", ref=f"emp-{n}") for n in range(51)))
    first = (await sqlite_service.call("GET", "/v1/holders")).json()
    assert len(first["items"]) == 50
    rest = (await sqlite_service.call("GET", "/v1/holders", params={"cursor": first["next"]})).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert len({item["id"] for item in first["items"] + rest["items"]}) == 51
