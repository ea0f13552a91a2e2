"""A Control iD terminal is told to open for a code that it read, in whatever it says of it, and never for a face."""

import io
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.faces.readers.controlid import as_file, typed_code
from tests.effects.frames import code, encoded
from tests.faces.readers.golden import NAME, Placed, place
from tests.service import Service

PICTURE = "new_biometric_image.fcgi"
OCTETS = {"Content-Type": "application/octet-stream"}
UUID = "0d5f7a2e-51a6-4c0e-9a53-2f4c1c1f2b11"


async def post(service: Service, placed: Placed, call: str, **arguments: Any) -> httpx.Response:
    return await service.http.post(f"/readers/controlid/{placed.values['key']}/{call}", **arguments)


async def result(service: Service, placed: Placed, call: str, **arguments: Any) -> dict[str, Any]:
    answer = await post(service, placed, call, **arguments)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"result"}
    told: dict[str, Any] = answer.json()["result"]
    assert type(told["user_id"]) is int
    assert told["user_image"] is False
    assert bool(told["actions"]) == (told["event"] == 7)
    assert told["event"] == 7 or (told["user_name"], told["user_id"]) == ("", 0)
    return told


def seen(*texts: str, width: int = 640) -> Image.Image:
    """What a camera sees: the texts' codes side by side."""
    picture = Image.new("L", (width, 480), 140)
    for place_, text in enumerate(texts):
        drawn = code(text, 4)
        picture.paste(drawn, (width * (2 * place_ + 1) // (2 * len(texts)) - drawn.width // 2, 100))
    return picture


async def decided(service: Service) -> list[tuple[str, str]]:
    items = (await service.call("GET", "/v1/verifications")).json()["items"]
    return [(each["decision"], each["reason"]) for each in items]


def dropped(service: Service) -> float:
    exposed = service.context.metrics.render()[0].decode()
    line = 'gatepass_face_fields_discarded_total{kind="controlid"} '
    return sum(float(each.removeprefix(line)) for each in exposed.splitlines() if each.startswith(line))


async def test_a_code_in_a_picture_opens_once_and_names_its_holder(service: Service) -> None:
    placed = await place(service, "controlid", {"token_kind": "short"})
    picture = encoded(seen(placed.values["token"]))
    query = f"{PICTURE}?device_id=1&identifier_id=1&width=640&height=480&portal_id=3&uuid="
    first = await result(service, placed, query + "a", content=picture, headers=OCTETS)
    assert (first["event"], first["user_name"], first["portal_id"]) == (7, NAME, 3)
    assert first["user_id"] == int(placed.values["number"])
    assert await result(service, placed, query + "a", content=picture, headers=OCTETS) == first
    again = await result(service, placed, query + "b", content=picture, headers=OCTETS)
    assert (again["event"], again["message"]) == (6, "Code used already")
    assert await decided(service) == [("deny", "already_used"), ("admit", "ok")]


async def test_the_gray_of_each_pixel_is_a_picture_too(service: Service) -> None:
    placed = await place(service, "controlid", {"token_kind": "short"})
    gray = seen(placed.values["token"], width=637)
    query = f"{PICTURE}?device_id=1&width=637&height=480"
    assert (await result(service, placed, query, content=gray.tobytes(), headers=OCTETS))["event"] == 7


async def test_codes_of_two_holders_in_a_picture_open_nothing(service: Service) -> None:
    placed = await place(service, "controlid", {"token_kind": "short"})
    other = (await service.token(await service.pass_("emp-2"), "short"))["token"]
    picture = encoded(seen(placed.values["token"], other))
    assert (await result(service, placed, PICTURE, content=picture, headers=OCTETS))["event"] == 3
    assert (await service.verify(other))["decision"] == "admit", "nothing of either was used"


async def test_nobody_is_held_back_at_an_exit_for_a_picture_without_a_code(service: Service) -> None:
    placed = await place(service, "controlid", {"gate": "exit"})
    told = await result(service, placed, PICTURE, content=encoded(seen()), headers=OCTETS)
    assert (told["event"], told["user_id"], told["user_name"], told["message"]) == (7, 0, "", "Goodbye")


async def test_the_number_of_a_card_counts_where_a_card_was_read_and_cannot_be_typed_or_drawn(service: Service) -> None:
    number = "429496741945"
    placed = await place(service, "controlid", {"card": number})
    for call, fields in (
        ("new_user_id_and_password.fcgi", {"user_id": number[:-8], "password": number[-8:]}),
        ("new_user_id_and_password.fcgi", {"user_id": "0", "password": number}),
        ("new_qrcode.fcgi", {"qrcode_value": number}),
    ):
        assert (await result(service, placed, call, data=fields))["event"] == 3
    assert (await result(service, placed, "new_card.fcgi", data={"card_value": number}))["event"] == 7


@pytest.mark.parametrize("field", ["device_id", "identifier_id", "portal_id", "time"])
async def test_an_event_is_another_ones_where_anything_that_tells_it_differs(service: Service, field: str) -> None:
    placed = await place(service, "controlid", {})
    event = {"device_id": 1, "identifier_id": 1, "portal_id": 1, "time": 1718616771, "uuid": UUID}
    event |= {"qrcode_value": placed.values["token"]}
    for number, event_code in ((1, 7), (1, 7), (2, 6)):
        told = await result(service, placed, "new_qrcode.fcgi", json=event | {field: number})
        assert told["event"] == event_code


async def test_a_terminal_that_lost_the_answer_gets_it_again_for_a_while(service: Service) -> None:
    placed = await place(service, "controlid", {})
    event = {"device_id": 1, "uuid": UUID, "qrcode_value": placed.values["token"]}
    assert (await result(service, placed, "new_qrcode.fcgi", json=event))["event"] == 7
    service.clock.advance(20 * 86_400)
    assert (await result(service, placed, "new_qrcode.fcgi", json=event))["event"] == 3


async def test_an_event_has_so_much_room_and_a_photograph_is_taken_unread(service: Service) -> None:
    serial = f"9{int.from_bytes(service.key[-6:].encode()):015d}"
    placed = await place(service, "controlid", {"device": {"serial": serial}})
    code = {"device_id": serial, "qrcode_value": placed.values["token"]}
    assert (await result(service, placed, "new_qrcode.fcgi", json=code | {"log": "x" * 65_536}))["event"] == 3
    before, photo = dropped(service), {"user_id": 1, "image": "A" * 100_000, "device_id": int(serial)}
    assert (await post(service, placed, "api/notifications/user_image", json=photo)).status_code == 200
    here = {"Host": "controlid.test"}
    answer = await service.http.post("/api/notifications/user_image", json=photo, headers=here)
    assert answer.status_code == 200
    stranger = await service.http.post("/api/notifications/user_image", json=photo | {"device_id": 123}, headers=here)
    assert stranger.status_code == 401
    assert dropped(service) == before + 2
    assert (await result(service, placed, "new_qrcode.fcgi", json=code))["event"] == 7
    await service.call("DELETE", f"/v1/connections/{placed.connection['id']}")


async def test_a_face_that_the_terminal_recognised_is_no_attempt(service: Service) -> None:
    placed = await place(service, "controlid", {"card": "0417203991"})
    event = {"device_id": 1, "user_id": 1, "card_value": "0417203991", "confidence": 1300, "uuid": UUID}
    assert (await result(service, placed, "new_user_identified.fcgi", json=event))["event"] == 6
    assert await decided(service) == []


@pytest.mark.parametrize(
    "call",
    [
        "new_biometric_template.fcgi",
        "face_create.fcgi",
        "fingerprint_create.fcgi",
        "template_create.fcgi",
        "api/notifications/user_image",
        "api/notifications/template",
    ],
)
async def test_what_is_enrolled_at_the_terminal_is_dropped_and_counted(service: Service, call: str) -> None:
    placed = await place(service, "controlid", {})
    before = dropped(service)
    assert (await post(service, placed, call, content=b"\xff\xd8{", headers=OCTETS)).status_code == 200
    assert (await post(service, placed, call, content=b'{"image":')).status_code == 200
    assert dropped(service) == before + 2


@pytest.mark.parametrize("kind", ["controlid", "vguang"])
async def test_an_output_that_no_device_of_the_kind_has_is_refused(service: Service, kind: str) -> None:
    await service.gate()
    body = {"kind": kind, "gate": "main-door", "device": {"output": "trapdoor"}}
    answer = await service.call("POST", "/v1/connections", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "device.output")
    assert "trapdoor" not in answer.text


@pytest.mark.parametrize(
    ("user", "password", "typed"),
    [
        ("1042", "83920170", "104283920170"),
        ("0", "104283920170", "104283920170"),
        ("", "104283920170", "104283920170"),
        ("1042", "8392017", ""),
        ("1042", "839201700", ""),
        ("0", "83920170", ""),
        ("", "", ""),
        ("\uff11042", "83920170", ""),
        ("1042", "8392 170", ""),
        ("1" * 13, "83920170", ""),
    ],
)
def test_what_is_typed_is_a_code_or_nothing(user: str, password: str, typed: str) -> None:
    assert typed_code(user, password) == typed


@settings(deadline=None, derandomize=True)
@given(st.integers(21, 29), st.integers(21, 29), st.data())
def test_the_file_of_gray_pixels_has_just_these_pixels(width: int, height: int, data: st.DataObject) -> None:
    octets = data.draw(st.binary(min_size=width * height, max_size=width * height))
    with Image.open(io.BytesIO(as_file(octets, str(width), str(height)))) as picture:
        assert picture.format == "BMP"
        assert (picture.size, picture.convert("L").tobytes()) == ((width, height), octets)


@pytest.mark.parametrize(
    ("width", "height"), [("", ""), ("2", "2"), ("-2", "-3"), ("\uff12", "3"), ("6", "x"), ("0", "0")]
)
def test_octets_that_are_no_pixels_are_left_alone(width: str, height: str) -> None:
    assert as_file(b"\xff\xd8 six", width, height) == b"\xff\xd8 six"


@pytest.mark.parametrize(("width", "height"), [(1, 40_000), (40_000, 1), (20, 2_000), (10_001, 21), (0, 0)])
def test_a_picture_that_can_have_no_code_in_it_is_not_made_a_file(width: int, height: int) -> None:
    octets = bytes(width * height)
    assert as_file(octets, str(width), str(height)) is octets


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers())
fields = st.dictionaries(
    st.sampled_from(["device_id", "qrcode_value", "card_value", "user_id", "password", "uuid", "portal_id"]), values
)
_readers: dict[int, Placed] = {}


@pytest.mark.asyncio(loop_scope="session")
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["new_qrcode.fcgi", "new_card.fcgi", "new_user_id_and_password.fcgi", "new_user_identified.fcgi"]),
    fields,
    st.binary(max_size=40),
)
@example("new_qrcode.fcgi", {"qrcode_value": "\ud800", "uuid": "\0"}, b"qrcode_value=%00&device_id=%ff")
@example("new_card.fcgi", {"card_value": 10**40, "portal_id": "\uff11"}, b"a=1&a=2")
async def test_whatever_the_event_is_nothing_opens_and_nothing_breaks(
    golden_service: Service, call: str, event: dict[str, Any], raw: bytes
) -> None:
    if id(golden_service) not in _readers:
        _readers[id(golden_service)] = await place(await golden_service.another_tenant(), "controlid", {})
    placed = _readers[id(golden_service)]
    try:
        content = httpx.Request("POST", "http://gatepass.test", json=event).content
    except ValueError:  # httpx sends no NaN and no half of a surrogate pair
        content = repr(event).encode("utf-8", "surrogatepass")
    for body in (content, raw):
        told = await result(golden_service, placed, call, content=body)
        assert told["event"] in {3, 6}
