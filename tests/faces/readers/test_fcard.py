"""An FCARD terminal asks before it opens; photos are dropped, and a record that comes twice is settled once."""

import asyncio
import gzip
import json
import zlib
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.faces.readers.fcard import read_sent
from tests.faces.readers.golden import NAME, Placed, place
from tests.service import Service

TYPE = "multipart/form-data; boundary=between"
RECORD = {"RecordID": 1718616771001, "RecordType": 49, "RecordDate": 1718616771, "CardNum": "0", "IsEntry": 1}
PHOTO = b"\xff\xd8 no picture at all"


def form(record: bytes | None, serial: str = "FC-1", **more: bytes) -> bytes:
    parts = {"SN": serial.encode(), **({} if record is None else {"RecordDetail": record}), **more}
    written = [
        b'--between\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), content)
        for name, content in parts.items()
    ]
    return b"".join(written) + b"--between--\r\n"


def record(**fields: Any) -> bytes:
    return json.dumps(RECORD | fields).encode()


async def post(
    service: Service, placed: Placed, body: bytes, call: str = "Device/RequestAuthorization"
) -> httpx.Response:
    path = f"/readers/fcard/{placed.values['key']}/{call}"
    return await service.http.post(path, content=body, headers={"Content-Type": TYPE})


async def asked(service: Service, placed: Placed, body: bytes) -> dict[str, Any]:
    answer = await post(service, placed, body)
    assert answer.status_code == 200, answer.text
    assert NAME not in answer.text
    told: dict[str, Any] = answer.json()
    return told


def photos_dropped(service: Service) -> float:
    exposed = service.context.metrics.render()[0].decode()
    line = 'gatepass_face_fields_discarded_total{kind="fcard"} '
    return sum(float(each.removeprefix(line)) for each in exposed.splitlines() if each.startswith(line))


async def test_a_request_sent_again_and_again_is_settled_once(service: Service) -> None:
    placed = await place(service, "fcard", {})
    body = form(record(QRCode=placed.values["token"]))
    answers = await asyncio.gather(*(asked(service, placed, body) for _ in range(4)))
    assert answers == [{"Success": 1, "Message": "Welcome"}] * 4
    (only,) = (await service.call("GET", "/v1/verifications")).json()["items"]
    assert only["request_id"] == "FC-1.1718616771001.1.1718616771"


async def test_the_number_of_a_record_is_one_terminals_own(service: Service) -> None:
    placed = await place(service, "fcard", {})
    code = record(QRCode=placed.values["token"])
    assert (await asked(service, placed, form(code, "FC-1")))["Success"] == 1
    assert (await asked(service, placed, form(code, "FC-2"))) == {"Success": 0, "Message": "Code used already"}


async def test_the_number_of_a_record_used_again_for_another_code_opens_nothing(service: Service) -> None:
    placed = await place(service, "fcard", {})
    assert (await asked(service, placed, form(record(QRCode="somebody's"))))["Success"] == 0
    assert (await asked(service, placed, form(record(QRCode=placed.values["token"]))))["Success"] == 0


async def test_the_number_of_a_record_at_another_time_is_another_record(service: Service) -> None:
    placed = await place(service, "fcard", {})
    assert (await asked(service, placed, form(record(QRCode="somebody's"))))["Success"] == 0
    later = form(record(QRCode=placed.values["token"], RecordDate=RECORD["RecordDate"] + 1))
    assert (await asked(service, placed, later))["Success"] == 1


async def test_a_number_may_be_written_with_a_point(service: Service) -> None:
    placed = await place(service, "fcard", {})
    whole = form(record(QRCode=placed.values["token"]))
    for body in (whole, whole.replace(b"1718616771001,", b"1718616771001.0,")):
        assert (await asked(service, placed, body))["Success"] == 1
    assert len((await service.call("GET", "/v1/verifications")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({"RecordType": 3, "UserID": "7"}, 0),
        ({"RecordType": 3, "UserID": "0"}, 0),
        ({"RecordType": 2}, 0),
        ({"RecordType": 36, "UserID": "7"}, 0),
        ({"RecordType": 36, "UserID": [7]}, 0),
        ({"RecordType": 36, "UserID": ""}, 1),
        ({"RecordType": None}, 1),
        ({"RecordType": 19, "UserID": 0}, 1),
        ({"RecordType": 32, "UserID": "7"}, 1),
        ({"RecordType": 48}, 1),
    ],
)
async def test_a_code_counts_unless_the_terminal_recognised_somebody(
    service: Service, fields: dict[str, Any], opens: int
) -> None:
    placed = await place(service, "fcard", {})
    assert (await asked(service, placed, form(record(QRCode=placed.values["token"], **fields))))["Success"] == opens
    assert len((await service.call("GET", "/v1/verifications")).json()["items"]) == opens


async def test_whatever_text_stands_beside_a_face_it_opens_no_exit(service: Service) -> None:
    placed = await place(service, "fcard", {"gate": "exit"})
    for kind in (3, 36):
        assert (await asked(service, placed, form(record(RecordType=kind, UserID="7", QRCode="x"))))["Success"] == 0
        assert (await asked(service, placed, form(record(RecordType=kind, QRCode="x"))))["Success"] == 0


async def test_the_number_of_a_card_in_a_code_opens_nothing(service: Service) -> None:
    placed = await place(service, "fcard", {"card": "0417203991"})
    for fields in ({"QRCode": "0417203991"}, {"QRCode": "0417203991", "RecordType": 48, "RecordID": 2}):
        assert (await asked(service, placed, form(record(**fields))))["Success"] == 0


async def test_a_record_has_so_much_room_and_no_more(service: Service) -> None:
    placed = await place(service, "fcard", {})
    long = record(QRCode=placed.values["token"], Name="x" * 65_536)
    assert (await asked(service, placed, form(long)))["Success"] == 0
    assert (await asked(service, placed, form(record(QRCode=placed.values["token"]))))["Success"] == 1


async def test_a_record_without_a_number_is_an_attempt_of_its_own(service: Service) -> None:
    placed = await place(service, "fcard", {})
    body = form(record(QRCode=placed.values["token"], RecordID=None))
    assert [(await asked(service, placed, body))["Success"] for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("name", ["Photo", "pic"])
async def test_a_photo_is_dropped_unread_and_counted(service: Service, name: str) -> None:
    placed = await place(service, "fcard", {})
    before = photos_dropped(service)
    body = form(record(QRCode=placed.values["token"], PhotoLen=len(PHOTO)), **{name: PHOTO})
    assert (await asked(service, placed, body))["Success"] == 1
    kept = await post(service, placed, form(record(RecordType=3), **{name: PHOTO}), "Record/UploadIdentifyRecord")
    assert (kept.status_code, kept.json()) == (200, {"Success": 1})
    assert photos_dropped(service) == before + 2


async def test_the_photo_of_a_stranger_is_not_counted(service: Service) -> None:
    placed = await place(service, "fcard", {"device": {"serial": "FC-2"}})
    before = photos_dropped(service)
    assert (await post(service, placed, form(record(), Photo=PHOTO))).status_code == 401
    assert photos_dropped(service) == before
    await service.call("DELETE", f"/v1/connections/{placed.connection['id']}")


@pytest.mark.parametrize("kind", [2, 3, 5, 6, 10, 12, 19, 32, 36, None, "1", True, [1]])
async def test_a_card_number_beside_what_is_no_card_admits_nobody(service: Service, kind: Any) -> None:
    placed = await place(service, "fcard", {"card": "0417203991"})
    body = form(record(RecordType=kind, CardNum="0417203991", UserID="1"))
    assert (await asked(service, placed, body))["Success"] == 0


async def test_a_card_number_may_be_a_number(service: Service) -> None:
    placed = await place(service, "fcard", {"card": "417203991"})
    assert (await asked(service, placed, form(record(RecordType=1, CardNum=417203991))))["Success"] == 1


async def test_what_is_compressed_too_well_is_refused(service: Service) -> None:
    placed = await place(service, "fcard", {})
    long = json.dumps(RECORD | {"QRCode": placed.values["token"], "Name": "x" * 10_000_000}).encode()
    assert (await asked(service, placed, form(gzip.compress(long))))["Success"] == 0
    cut = gzip.compress(record(QRCode=placed.values["token"]))[:-9]
    assert (await asked(service, placed, form(cut)))["Success"] == 0
    whole = gzip.compress(record(QRCode=placed.values["token"]))
    assert (await asked(service, placed, form(whole)))["Success"] == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_readers: dict[int, Placed] = {}


@pytest.mark.asyncio(loop_scope="session")
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from([*RECORD, "QRCode"]), json_values), st.binary(max_size=40))
@example({"QRCode": "\ud800", "CardNum": "\0", "RecordType": 1}, b'{"QRCode": NaN}')
@example({"QRCode": 1, "CardNum": "\uff11", "RecordType": 48, "RecordID": 10**30}, b"[]")
async def test_whatever_the_record_is_nothing_opens_and_nothing_breaks(
    golden_service: Service, fields: dict[str, Any], raw: bytes
) -> None:
    if id(golden_service) not in _readers:
        _readers[id(golden_service)] = await place(await golden_service.another_tenant(), "fcard", {})
    placed = _readers[id(golden_service)]
    for body in (form(json.dumps(RECORD | fields).encode()), form(raw), raw):
        assert (await asked(golden_service, placed, body)) == {"Success": 0, "Message": "Not admitted"}


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=100), st.sampled_from([TYPE, "application/json", "", "multipart/mixed"]))
@example(form(zlib.compress(b"x" * 100)), TYPE)
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    for each in (body, form(body), form(b"\x1f\x8b" + body)):
        try:
            sent = read_sent(content_type, each)
        except ValueError:
            continue
        assert sent.serial != ""
