"""What readers have in common."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.faces import fields
from app.faces.readers import hikvision
from app.faces.readers.reading import (
    LONGEST_JSON,
    Method,
    Read,
    is_nobody,
    number_in,
    read_of,
    request_id_of,
    words,
    written,
)
from tests.faces.readers.golden import place
from tests.service import Service

texts = st.none() | st.text(max_size=80)


@settings(deadline=None, derandomize=True)
@given(texts, st.text(min_size=1, max_size=80), texts, texts)
def test_the_record_of_a_device_has_a_request_id_that_the_api_would_take(
    serial: str | None, record: str, way: str | None, date: str | None
) -> None:
    numbered = record + "1"
    request_id = request_id_of(serial, numbered, way, date)
    assert request_id is not None
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", request_id)
    assert request_id == request_id_of(serial, numbered, way, date)
    others = (request_id_of(serial, record + "11", way, date), request_id_of(serial, numbered, way, (date or "") + "1"))
    assert request_id not in others


@pytest.mark.parametrize("record", [None, "", "0", "00", "00000000-0000-0000-0000-000000000000"])
def test_a_record_without_a_number_has_none(record: str | None) -> None:
    assert request_id_of("FC-1", record, "1718616771") is None


def test_what_tells_records_apart_does_not_run_together() -> None:
    assert request_id_of("A", "1", None, "2") == "A.1.-.2"
    ids = {request_id_of(*parts) for parts in (("A.1", "2"), ("A", "1.2"), ("A", "1", "2"), (None, "1", "2"))}
    assert len(ids) == 4


def test_where_nothing_could_be_decided_the_screen_says_no_more_than_that() -> None:
    assert words(None) == "Not admitted"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("7", "7"),
        (7, "7"),
        (7.0, "7"),
        (1718616771001.0, "1718616771001"),
        (7.5, ""),
        (2.0**53, ""),
        (1e300, ""),
        (float("inf"), ""),
        (float("nan"), ""),
        (True, ""),
        (None, ""),
        ([7], ""),
        (" ", ""),
    ],
)
def test_a_whole_number_is_written_so_however_json_has_it(value: Any, text: str) -> None:
    assert written(value) == text


@pytest.mark.parametrize("value", ["0", 0, 0.0, "000", "", None, {}])
def test_zero_is_no_number(value: Any) -> None:
    assert number_in(value) == ""


def test_who_is_named_is_somebody() -> None:
    assert is_nobody()
    assert is_nobody(None, "", "0", 0, "000")
    for somebody in ("7", 7, [0], {}, 7.5, "emp-1042"):
        assert not is_nobody(None, somebody)


@pytest.mark.parametrize(
    ("code", "card", "method", "nobody", "counts"),
    [
        ("", "7", Method.CARD, False, Read("7", Method.CARD)),
        ("GP", "7", Method.CARD, False, Read("GP", Method.CODE)),
        ("GP", "7", Method.CODE, False, Read("GP", Method.CODE)),
        ("", "7", Method.CODE, True, Read("7", Method.CODE)),
        ("GP", "7", Method.RECOGNISED, True, None),
        ("", "7", Method.UNSAID, True, Read("7", Method.UNSAID)),
        ("GP", "", Method.UNSAID, False, None),
        ("", "", Method.CARD, True, None),
    ],
)
def test_what_counts_hangs_on_how_the_device_says_that_it_was_read(
    code: str, card: str, method: Method, counts: Read | None, *, nobody: bool
) -> None:
    assert read_of(code, card, method, nobody=nobody) == counts


STRANGERS = (
    "/readers/hikvision/nobodys",
    "/readers/controlid/nobodys/new_qrcode.fcgi",
    "/readers/zkteco/nobodys/iclock/cdata",
    "/readers/fcard/nobodys/Device/RequestAuthorization",
)


@pytest.mark.parametrize("path", STRANGERS)
async def test_what_a_stranger_sends_is_not_looked_at(golden_service: Service, path: str) -> None:
    json = {"content-type": "application/json"}
    for body in (b"[" + b"[]," * 200_000 + b"1]", b"{", b"\xff"):
        answer = await golden_service.http.post(path, content=body, headers=json)
        assert answer.status_code == 401
    assert len(b"[]," * 200_000) > LONGEST_JSON


async def test_what_is_too_long_to_be_an_event_is_not_looked_at_either(
    golden_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (hikvision, fields):
        monkeypatch.setattr(module, "read_json", None)
    for path, host in (("/", "hikvision.test"), ("/new_qrcode.fcgi", "controlid.test")):
        answer = await golden_service.http.post(path, content=b"[" * (LONGEST_JSON + 1), headers={"host": host})
        assert answer.status_code in (200, 413)


async def ask(service: Service, key: str, number: Any, code: str) -> bool:
    """Whether an FCARD terminal opens at a code, by a record of that number."""
    record = f'{{"RecordID": {number}, "RecordType": 49, "QRCode": "{code}"}}'
    path = f"/readers/fcard/{key}/Device/RequestAuthorization"
    answer = await service.http.post(path, files={"SN": (None, "FC-1"), "RecordDetail": (None, record)})
    assert answer.status_code == 200
    return bool(answer.json()["Success"])


async def test_a_lost_answer_is_given_again_for_half_a_minute(service: Service) -> None:
    placed = await place(service, "fcard", {})
    key, code = placed.values["key"], placed.values["token"]
    assert await ask(service, key, 7, code)
    service.clock.advance(25)
    assert await ask(service, key, 7, code)
    service.clock.advance(6)
    assert not await ask(service, key, 7, code)


async def test_on_the_way_out_it_is_given_for_ever(service: Service) -> None:
    placed = await place(service, "fcard", {"gate": "exit"})
    key, code = placed.values["key"], placed.values["token"]
    assert await ask(service, key, 7, code)
    service.clock.advance(20 * 86_400)
    assert await ask(service, key, 7, code)


async def test_nobody_is_held_back_on_the_way_out_by_a_number_that_was_used(service: Service) -> None:
    placed = await place(service, "fcard", {"gate": "exit"})
    assert await ask(service, placed.values["key"], 7, "somebody's")
    assert await ask(service, placed.values["key"], 7, placed.values["token"])
    items = (await service.call("GET", "/v1/verifications")).json()["items"]
    assert [each["request_id"] for each in items] == [None, "FC-1.7.-.-"]


async def test_the_number_0_is_no_ones_own(service: Service) -> None:
    placed = await place(service, "fcard", {})
    key, one = placed.values["key"], placed.values["token"]
    other = (await service.token(await service.pass_("emp-2"), "signed"))["token"]
    assert [await ask(service, key, 0, code) for code in (one, other, one)] == [True, True, False]
