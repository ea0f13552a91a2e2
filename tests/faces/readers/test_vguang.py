"""A Vguang reader opens for a good code at its gate, and whatever else happens it gets one constant."""

import re
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.faces.readers import vguang
from app.faces.readers.vguang import HEARTBEAT, OPEN, REFUSE, Frame, read_frame
from app.settings import Settings
from tests.faces.readers.golden import REF, Placed, place
from tests.service import Service

FIRMWARE_TIMEOUT_S = 2.0

texts = st.text(st.characters(codec="utf-8"), max_size=60)
numbers = st.text("0123456789ABCDEFabcdef", min_size=1, max_size=12)


async def send(service: Service, placed: Placed, body: bytes, method: str = "POST", query: str = "") -> str:
    path = f"/readers/vguang/{placed.values['key']}{query}"
    answer = await service.http.request(method, path, content=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text


async def decided(service: Service) -> list[tuple[str, str]]:
    """What was decided at the gate, the newest first."""
    items = (await service.call("GET", "/v1/verifications")).json()["items"]
    return [(each["decision"], each["reason"]) for each in items]


def test_the_only_answers_are_one_code_that_opens_and_one_that_does_not() -> None:
    assert (OPEN, REFUSE) == ("code=0000", "code=1000")
    refusal = int(REFUSE.removeprefix("code="), 16)
    assert refusal > 8, "0001 to 0008 open, and play a sound"
    assert refusal not in {0x00FF, 0x01FF, 0x02FF, 0x03FF}


def test_a_decision_is_given_up_before_the_reader_gives_up() -> None:
    assert Settings().settle_timeout_s < FIRMWARE_TIMEOUT_S


@pytest.mark.asyncio(loop_scope="session")
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=80) | texts.map(str.encode), st.sampled_from(["POST", "GET", "PUT", "DELETE", "PATCH"]))
@example(b'{"vgdecoderesult": "\\ud800\\u0000"}', "POST")
@example(b'{"vgdecoderesult": NaN, "devicenumber": [1]}', "POST")
@example(b'["vgdecoderesult"]', "POST")
@example(b"vgdecoderesult=" + b"9" * 33_000, "POST")
@example("vgdecoderesult=\uff11\uff12&&devicenumber=\uff12".encode(), "POST")
@example(b"vgdecoderesult=\x00\xff\xfe&&devicenumber=\x00", "POST")
async def test_whatever_is_sent_the_answer_is_the_refusal(golden_service: Service, body: bytes, method: str) -> None:
    placed = await _one_reader(golden_service)
    assert await send(golden_service, placed, body, method) == REFUSE
    assert await send(golden_service, placed, b"", method, "?" + quote(body, safe="&=+/")) == REFUSE


_readers: dict[int, Placed] = {}


async def _one_reader(service: Service) -> Placed:
    """A reader that all examples share: to make one takes longer than to ask it."""
    if id(service) not in _readers:
        _readers[id(service)] = await place(await service.another_tenant(), "vguang", {})
    return _readers[id(service)]


@pytest.mark.asyncio(loop_scope="session")
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(texts, texts)
async def test_whatever_stands_around_a_good_code_the_answer_is_one_of_the_two(
    golden_service: Service, before: str, behind: str
) -> None:
    placed = await _one_reader(golden_service)
    body = f"{before}{placed.values['token']}&&devicenumber={behind}"
    assert await send(golden_service, placed, body.encode()) in {OPEN, REFUSE}


@settings(deadline=None, derandomize=True)
@given(texts, numbers, st.sampled_from(["vgdecoderesult=", "VgDecoderResult =  ", ""]), st.sampled_from(["&&", "&"]))
@example("a&&devicenumber=7", "8", "vgdecoderesult=", "&&")
@example("code=0000&&desc=json&&{}", "8", "vgdecoderesult=", "&&")
def test_the_text_ends_at_the_last_device_number(text: str, number: str, label: str, joint: str) -> None:
    if not label and re.match(r"\s*[{]|\s*vgdecoder?result\s*=", text, re.IGNORECASE):
        text = "x" + text
    if text.endswith("&"):
        text += "x"
    assert read_frame(f"{label}{text}{joint}devicenumber={number}".encode()) == Frame(_stripped(text), number)
    assert read_frame(f"{label}{text}{joint} DeviceNumber = {number}&&otherparams=x".encode()).number == number


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=60) | st.binary(max_size=20).map(lambda tail: b'{"vgdecoderesult"' + tail))
def test_a_frame_is_read_of_any_bytes(raw: bytes) -> None:
    frame = read_frame(raw)
    assert isinstance(frame.text, str)
    assert frame.number is None or frame.number


@pytest.mark.parametrize(
    ("raw", "frame"),
    [
        (b"", Frame("", None)),
        (b"ABC", Frame("ABC", None)),
        (b"devicenumber=5", Frame("devicenumber=5", None)),
        (b"&&devicenumber=5", Frame("", "5")),
        (b"vgdecoderesult=A&&devicenumber=", Frame("A", None)),
        (b"vgdecoderesult=A&&devicenumber", Frame("A&&devicenumber", None)),
        (b'{"Vgdecoderresult":"A","deviceNumber":22110001}', Frame("A", "22110001")),
        (b'{"vgdecoderesult":5,"devicenumber":true}', Frame("", None)),
    ],
)
def test_a_frame_has_these_parts(raw: bytes, frame: Frame) -> None:
    assert read_frame(raw) == frame


def test_a_frame_of_white_space_takes_no_time() -> None:
    frame = b" " * 16_000 + b"&" + b" " * 16_000
    assert read_frame(frame).number is None


async def test_a_good_code_opens_once_and_the_record_says_why(service: Service) -> None:
    placed = await place(service, "vguang", {})
    frame = f"vgdecoderesult={placed.values['token']}&&devicenumber=1".encode()
    assert [await send(service, placed, frame) for _ in range(2)] == [OPEN, REFUSE]
    assert await decided(service) == [("deny", "already_used"), ("admit", "ok")]


async def test_the_number_of_a_card_opens_nothing_since_a_reader_does_not_say_that_it_read_one(
    service: Service,
) -> None:
    placed = await place(service, "vguang", {"card": "0417203991"})
    assert await send(service, placed, b"vgdecoderesult=0417203991&&devicenumber=1") == REFUSE
    assert [decision for decision, _ in await decided(service)] == ["deny"]


async def test_a_heartbeat_is_no_attempt(service: Service) -> None:
    placed = await place(service, "vguang", {"gate": "exit"})
    assert await send(service, placed, f"vgdecoderesult={HEARTBEAT}&&devicenumber=1".encode()) == REFUSE
    assert await decided(service) == []


@pytest.mark.parametrize(
    "encode",
    [quote_plus, lambda text: quote(text, safe=":/$+*"), lambda text: text.encode().hex()],
    ids=["as forms do", "as some URLs do", "in hexadecimal"],
)
async def test_a_code_that_was_encoded_on_the_way_opens(service: Service, encode: Any) -> None:
    placed = await place(service, "vguang", {})
    frame = f"vgdecoderesult={encode(placed.values['token'])}&&devicenumber=1"
    assert await send(service, placed, frame.encode()) == OPEN


async def test_of_a_revoked_connection_the_reader_is_refused(service: Service) -> None:
    placed = await place(service, "vguang", {})
    await service.call("DELETE", f"/v1/connections/{placed.connection['id']}")
    assert await send(service, placed, placed.values["token"].encode()) == REFUSE
    assert await decided(service) == []


async def test_a_fault_is_the_refusal_too(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError(REF)

    placed = await place(service, "vguang", {})
    monkeypatch.setattr(vguang, "decide", broken)
    assert await send(service, placed, placed.values["token"].encode()) == REFUSE


def _stripped(text: str) -> str:
    """As bytes are stripped: of ASCII white space only."""
    return text.encode().strip().decode()
