"""Credentials: what holders carry already, enrolled by hand."""

import asyncio
import hashlib
from typing import Any

import httpx
import pytest

from app.core.token_format import Pepper
from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.faces.http.endpoints import stored
from tests.service import Service

VALUE = "4006381333931"


async def enrol(
    service: Service, holder: dict[str, Any], value: Any = VALUE, kind: Any = "barcode", **arguments: Any
) -> httpx.Response:
    body = {"kind": kind, "value": value}
    return await service.call("POST", f"/v1/holders/{holder['id']}/credentials", json=body, **arguments)


async def enrolled(service: Service, holder: dict[str, Any], value: str = VALUE, kind: str = "barcode") -> Any:
    answer = await enrol(service, holder, value, kind)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def cards(service: Service, holder: dict[str, Any], **query: str) -> Any:
    answer = await service.call("GET", f"/v1/holders/{holder['id']}/credentials", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_card_is_given_back_without_what_is_read_from_it(service: Service) -> None:
    ada = await service.create("/v1/holders", ref="ada")
    answer = await enrol(service, ada)
    assert answer.status_code == 201
    assert VALUE not in answer.text
    made = answer.json()
    assert await cards(service, ada) == {"items": [made], "next": None}
    assert shown_id("cred").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {"holder": "ada", "kind": "barcode", "blocked": None}


@pytest.mark.parametrize(("kind", "value"), [("barcode", VALUE), ("nfc", "04:A2:B3:C4:D5:E6:F7")])
async def test_what_is_read_from_a_card_is_never_stored(service: Service, kind: str, value: str) -> None:
    ada = await service.create("/v1/holders", ref="ada")
    answer = await enrol(service, ada, value, kind, headers={"Idempotency-Key": "order-1"})
    assert answer.status_code == 201
    rows = repr(stored(service))
    for spelling in (value, value.replace(":", ""), value.lower(), value.replace(":", "").lower()):
        assert spelling not in rows


async def test_a_retry_is_told_by_no_plain_hash_of_the_card(service: Service) -> None:
    """A few million barcodes are hashed in seconds."""
    ada = await service.create("/v1/holders", ref="ada")
    body = {"kind": "barcode", "value": VALUE}
    contents = []
    for path, sent in ((f"/v1/holders/{ada['id']}/credentials", body), ("/v1/holders", {"ref": "bob"})):
        request = await service.call("POST", path, json=sent, headers={"Idempotency-Key": path[-20:]})
        assert request.status_code == 201
        contents.append(plain_hash(path, request.request.content))
    rows = "".join(stored(service)["idempotency_keys"])
    assert [repr(content) in rows for content in contents] == [False, True]


def plain_hash(path: str, body: bytes) -> bytes:
    return hashlib.sha256(f"POST {path}\n".encode() + body).digest()


async def test_a_card_is_enrolled_once_in_a_tenant(service: Service) -> None:
    ada, bob = [await service.create("/v1/holders", ref=ref) for ref in ("ada", "bob")]
    await enrolled(service, ada)
    before = stored(service)
    for holder in (ada, bob):
        problem = assert_problem(await enrol(service, holder), 409, "credential_exists")
        assert "ada" not in problem["detail"]
        assert VALUE not in repr(problem)
    assert stored(service) == before
    other = await service.tenant(f"{service.key[-12:].lower()}-cards")
    await enrolled(other, await other.create("/v1/holders", ref="ada"))


@pytest.mark.parametrize(
    ("kind", "first", "same"),
    [
        ("barcode", VALUE, f" {VALUE}\r\n"),
        ("barcode", VALUE, f"\t{VALUE}\t"),
        ("nfc", "04a2b3c4", "04:A2:B3:C4"),
        ("nfc", "04-A2-B3-C4-D5-E6-F7", "04 a2 b3 c4 d5 e6 f7\n"),
    ],
)
async def test_a_card_is_the_same_in_every_spelling(service: Service, kind: str, first: str, same: str) -> None:
    ada = await service.create("/v1/holders", ref="ada")
    await enrolled(service, ada, first, kind)
    assert_problem(await enrol(service, ada, same, kind), 409, "credential_exists")
    assert_problem(await enrol(service, ada, same, "barcode"), 409, "credential_exists")


@pytest.mark.parametrize("value", ["1234", "a" * 128, "é" * 64, "10001234567890", "gp-1042"])
async def test_what_a_barcode_may_be(still_service: Service, value: str) -> None:
    holder = await still_service.create("/v1/holders", ref=f"barcode {value}"[:128])
    await enrolled(still_service, holder, value)


@pytest.mark.parametrize("value", ["", "   ", "123", "a" * 129, "a" * 513, "1234\x005678", "12\n34", "GP1:ABC", "GP0AAAA", 1234, None, True, []], ids=ascii)  # fmt: skip
async def test_what_a_barcode_may_not_be(still_service: Service, value: Any) -> None:
    holder = {"id": "hold_0000000000000000000000"}
    answer = await enrol(still_service, holder, value)
    if isinstance(value, str) and "\x00" in value:
        assert_problem(answer, 400)
    else:
        assert_problem(answer, 422, field="value")
    if isinstance(value, str) and value.strip():
        assert value not in answer.text


@pytest.mark.parametrize("value", ["04A2B3", "04A2B3C", "04:A2:B3:C4:", "04A2B3CG", "0" * 22, "04::A2:B3:C4", "04.A2.B3.C4", VALUE])  # fmt: skip
async def test_the_number_of_a_tag_is_4_to_10_bytes(still_service: Service, value: str) -> None:
    answer = await enrol(still_service, {"id": "hold_0000000000000000000000"}, value, "nfc")
    assert_problem(answer, 422, field="value")
    assert value not in answer.text


@pytest.mark.parametrize("kind", ["qr", "NFC", "", None, 1])
async def test_a_card_is_of_a_kind_that_is_known(still_service: Service, kind: Any) -> None:
    assert_problem(await enrol(still_service, {"id": "hold_0000000000000000000000"}, VALUE, kind), 422, field="kind")


async def test_a_card_is_for_a_holder_who_is_there(service: Service) -> None:
    for id_ in ("hold_0000000000000000000000", "ada", "%00"):
        assert_problem(await enrol(service, {"id": id_}), 404)
        assert_problem(await service.call("GET", f"/v1/holders/{id_}/credentials"), 404)
    assert stored(service)["credentials"] == []


async def test_a_holders_cards_are_listed_newest_first(service: Service) -> None:
    ada, bob = [await service.create("/v1/holders", ref=ref) for ref in ("ada", "bob")]
    made = [await enrolled(service, ada, f"card {n}") for n in range(3)]
    theirs = [await enrolled(service, bob, f"bobs {n}") for n in range(2)]
    assert await cards(service, ada) == {"items": made[::-1], "next": None}
    first = await cards(service, ada, limit="2")
    assert first["items"] == made[:0:-1]
    assert (await cards(service, ada, limit="2", cursor=first["next"]))["items"] == made[:1]
    assert (await cards(service, bob))["items"] == theirs[::-1]
    answer = await service.call("GET", f"/v1/holders/{bob['id']}/credentials", params={"cursor": first["next"]})
    assert_problem(answer, 422, field="cursor")


async def test_a_deleted_card_is_gone_and_may_be_anothers(service: Service) -> None:
    ada, bob = [await service.create("/v1/holders", ref=ref) for ref in ("ada", "bob")]
    card = await enrolled(service, ada)
    deleted = await service.call("DELETE", f"/v1/credentials/{card['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await cards(service, ada))["items"] == []
    assert_problem(await service.call("DELETE", f"/v1/credentials/{card['id']}"), 404)
    (event,) = (await service.call("GET", "/v1/audit-events")).json()["items"]
    assert (event["action"], event["holder"], event["subject"]) == ("credential_deleted", "ada", card["id"])
    assert (await enrolled(service, bob))["id"] != card["id"]


async def test_another_tenants_card_cannot_be_deleted(service: Service) -> None:
    other = await service.tenant(f"{service.key[-12:].lower()}-cards")
    theirs = await other.create("/v1/holders", ref="ada")
    card = await enrolled(other, theirs)
    assert_problem(await service.call("DELETE", f"/v1/credentials/{card['id']}"), 404)
    assert_problem(await service.call("GET", f"/v1/holders/{theirs['id']}/credentials"), 404)
    assert (await cards(other, theirs))["items"] == [card]


async def test_a_card_stays_enrolled_under_a_newer_pepper(sqlite_service: Service) -> None:
    ada = await sqlite_service.create("/v1/holders", ref="ada")
    await enrolled(sqlite_service, ada)
    keychain = sqlite_service.context.keychain
    keychain.keyring = keychain.keyring._replace(peppers=(Pepper(2, b"2" * 32), *keychain.keyring.peppers))
    assert_problem(await enrol(sqlite_service, ada), 409, "credential_exists")
    await enrolled(sqlite_service, ada, "another")
    assert_problem(await enrol(sqlite_service, ada, "another"), 409, "credential_exists")


async def test_of_many_at_once_one_gets_the_card(service: Service) -> None:
    holders = [await service.create("/v1/holders", ref=f"emp-{n}") for n in range(6)]
    answers = await asyncio.gather(*(enrol(service, holder) for holder in holders))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert len(stored(service)["credentials"]) == 1


async def test_a_card_that_is_sent_again_is_enrolled_once(service: Service) -> None:
    ada = await service.create("/v1/holders", ref="ada")
    answers = await asyncio.gather(*(enrol(service, ada, headers={"Idempotency-Key": "order-1"}) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [201] * 6, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    again = await enrol(service, ada, "another", headers={"Idempotency-Key": "order-1"})
    assert_problem(again, 409, "idempotency_key_reused")
