"""Blocking holders and tokens."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.faces.http.answers import TIME, assert_problem
from tests.faces.http.endpoints import stored
from tests.service import Service

NOUNS = ["holders", "tokens", "credentials"]


async def made(service: Service, noun: str) -> dict[str, Any]:
    """Something that can be blocked, of the holder `ada`, as it is answered when it is not."""
    if noun == "tokens":
        token = await service.token(await service.pass_("ada"))
        return {name: value for name, value in token.items() if name not in ("token", "display", "picture")}
    holder = await service.create("/v1/holders", ref="ada")
    if noun == "holders":
        return holder
    return await service.create(f"/v1/holders/{holder['id']}/credentials", kind="barcode", value="4006381333931")


async def tell(service: Service, noun: str, id_: str, verb: str, **body: Any) -> httpx.Response:
    return await service.call("POST", f"/v1/{noun}/{id_}/{verb}", **body)


async def told(service: Service, noun: str, id_: str, verb: str, **body: Any) -> dict[str, Any]:
    answer = await tell(service, noun, id_, verb, **({"json": body} if body else {}))
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json()
    return given


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_is_blocked_says_since_when_and_why(service: Service, noun: str) -> None:
    before = await made(service, noun)
    assert before["blocked"] is None
    blocked = await told(service, noun, before["id"], "block", reason="lost badge")
    assert TIME.fullmatch(blocked["blocked"]["at"])
    assert blocked == {**before, "blocked": {"at": blocked["blocked"]["at"], "reason": "lost badge"}}
    assert await told(service, noun, before["id"], "unblock", reason="found it") == before
    assert await told(service, noun, before["id"], "unblock") == before


@pytest.mark.parametrize("noun", NOUNS)
async def test_the_first_block_stays(service: Service, noun: str) -> None:
    id_ = (await made(service, noun))["id"]
    first = await told(service, noun, id_, "block", reason="lost badge")
    service.clock.advance(60)
    assert await told(service, noun, id_, "block", reason="something else") == first
    await told(service, noun, id_, "unblock")
    again = await told(service, noun, id_, "block", reason="something else")
    assert again["blocked"]["reason"] == "something else"
    assert again["blocked"]["at"] > first["blocked"]["at"]


@pytest.mark.parametrize("noun", NOUNS)
async def test_each_block_is_recorded_once(service: Service, noun: str) -> None:
    id_ = (await made(service, noun))["id"]
    for verb, body in (("unblock", {}), ("block", {"reason": "a"}), ("block", {"reason": "b"})):
        await told(service, noun, id_, verb, **body)
    for body in ({"reason": "c"}, {}):
        await told(service, noun, id_, "unblock", **body)
    events = (await service.call("GET", "/v1/audit-events?holder=ada")).json()["items"]
    one = noun.removesuffix("s")
    subject = None if noun == "holders" else id_
    assert [(each["action"], each["reason"], each["subject"]) for each in events] == [
        (f"{one}_unblocked", "c", subject),
        (f"{one}_blocked", "a", subject),
    ]


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_block_needs_a_reason(service: Service, noun: str) -> None:
    id_ = (await made(service, noun))["id"]
    before = stored(service)
    for reason in ("", "a" * 501, None, 1, "a\nb"):
        assert_problem(await tell(service, noun, id_, "block", json={"reason": reason}), 422, field="reason")
    assert_problem(await tell(service, noun, id_, "block", json={}), 422, field="reason")
    assert_problem(await tell(service, noun, id_, "unblock", json={"reason": "a" * 501}), 422, field="reason")
    assert stored(service) == before


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_is_not_there_cannot_be_blocked(service: Service, noun: str) -> None:
    other = await service.tenant(f"{service.key[-12:].lower()}-blocks")
    theirs = await made(other, noun)
    prefix = theirs["id"].partition("_")[0]
    for id_ in (theirs["id"], f"{prefix}_0000000000000000000000", "x"):
        assert_problem(await tell(service, noun, id_, "block", json={"reason": "x"}), 404)
        assert_problem(await tell(service, noun, id_, "unblock"), 404)
    assert await told(other, noun, theirs["id"], "unblock") == theirs
    assert (await other.call("GET", "/v1/audit-events")).json()["items"] == []


@pytest.mark.parametrize("noun", NOUNS)
async def test_of_blocks_at_once_one_is_the_first(service: Service, noun: str) -> None:
    id_ = (await made(service, noun))["id"]
    for _ in range(3):
        await service.pass_("ada")
    blocked = await asyncio.gather(*(told(service, noun, id_, "block", reason=str(n)) for n in range(6)))
    assert len({repr(each) for each in blocked}) == 1
    (event,) = (await service.call("GET", "/v1/audit-events")).json()["items"]
    assert event["reason"] == blocked[0]["blocked"]["reason"]


async def test_a_token_may_be_blocked_and_revoked(service: Service) -> None:
    id_ = (await made(service, "tokens"))["id"]
    await told(service, "tokens", id_, "block", reason="lost badge")
    revoked = await told(service, "tokens", id_, "revoke")
    assert (revoked["blocked"]["reason"], revoked["revoked_at"] is None) == ("lost badge", False)
    unblocked = await told(service, "tokens", id_, "unblock")
    assert (unblocked["blocked"], unblocked["revoked_at"]) == (None, revoked["revoked_at"])
