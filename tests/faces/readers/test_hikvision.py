"""Hikvision terminals with remote verification: they post an event, and are called with the verdict."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.core.model import SECOND
from app.effects.devices import Delivery
from app.faces.problems import Problem
from app.faces.readers.hikvision import _asked, _taken
from app.storage.failures import Unavailable
from tests.conftest import make_settings
from tests.faces.readers.hikvision_device import FACE_CANARY, Terminal, Verdict, multipart, terminal
from tests.service import Service, running_service
from tests.services.serving import served

OK = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
CARD = "0004217788"
NOW = 1_767_225_600_000_000


@pytest_asyncio.fixture(loop_scope="session")
async def sqlite(golden_service: Service) -> Service:
    """A tenant of the test's own on SQLite, for what does not depend on the engine."""
    return await golden_service.another_tenant()


@pytest.fixture
def device() -> Iterator[Terminal]:
    with terminal() as made:
        yield made


async def connect(service: Service, device: Terminal, **changes: Any) -> str:
    """The secret path of the terminal at an entry gate. Its clock is the service's, which other tests may put ahead."""
    now = datetime.fromtimestamp(service.clock.now() / SECOND, UTC)
    device.ahead = now - datetime.now(UTC)
    await service.gate()
    made = await service.create(
        "/v1/connections", kind="hikvision", gate="main-door", device={**device.device, **changes}
    )
    path: str = made["credentials"]["path"]
    return path


async def code_of(service: Service, kind: str = "code") -> str:
    text: str = (await service.token(await service.pass_(), kind))["token"]
    return text


async def enrol_card(service: Service) -> None:
    pass_ = await service.pass_()
    holder = (await service.call("GET", f"/v1/holders?ref={pass_['holder']}")).json()["items"][0]["id"]
    await service.create(f"/v1/holders/{holder}/credentials", kind="barcode", value=CARD)


async def post(service: Service, path: str, event: dict[str, Any]) -> httpx.Response:
    answer = await service.http.post(path, json=event)
    assert (answer.status_code, answer.json()) == (200, OK)
    return answer


async def verifications(service: Service) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await service.call("GET", "/v1/verifications")).json()["items"]
    return items


async def taken_back(service: Service) -> bool:
    """Whether the one admission is taken back, shortly."""
    for _ in range(100):
        (only,) = await verifications(service) or [{"undone_at": None}]
        if only["undone_at"] is not None:
            return True
        await asyncio.sleep(0.05)
    return False


def serial_of(event: dict[str, Any]) -> int:
    serial: int = event["AccessControllerEvent"]["serialNo"]
    return serial


async def test_a_code_opens_the_door_once(service: Service, device: Terminal) -> None:
    path, code = await connect(service, device), await code_of(service)
    first, again = device.event(code), device.event(code)
    await post(service, path, first)
    assert await device.verdict() == Verdict(serial_of(first), "success", "Welcome")
    await post(service, path, again)
    assert await device.verdict() == Verdict(serial_of(again), "failed", "Code used already")
    assert [each["decision"] for each in await verifications(service)] == ["deny", "admit"]


async def test_a_code_for_another_gate_and_a_strangers_are_refused(sqlite: Service, device: Terminal) -> None:
    path = await connect(sqlite, device)
    await sqlite.gate("other-door")
    elsewhere = (await sqlite.token(await sqlite.pass_(), "code", gate="other-door"))["token"]
    stranger = await sqlite.another_tenant()
    for code in (elsewhere, await code_of(stranger)):
        await post(sqlite, path, device.event(code))
        assert (await device.verdict()).result == "failed"


@pytest.mark.parametrize("part", ["event_log", "AccessControllerEvent"])
async def test_the_picture_beside_an_event_is_dropped_and_counted(
    sqlite: Service, device: Terminal, part: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path, code = await connect(sqlite, device), await code_of(sqlite)
    before = await discarded(sqlite)
    answer = await sqlite.http.post(path, **multipart(device.event(code), part=part))
    assert (answer.status_code, answer.json()) == (200, OK)
    assert (await device.verdict()).result == "success"
    assert await discarded(sqlite) == before + 1
    assert code not in (logged := "".join(capfd.readouterr()))
    assert FACE_CANARY.decode("latin-1") not in logged


async def discarded(service: Service) -> float:
    lines = (await service.http.get("/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("gatepass_face_fields_discarded_total"))


@pytest.mark.parametrize(
    "event",
    [
        {"cardNo": CARD, "subEventType": 75, "employeeNoString": "7"},
        {"cardNo": CARD, "subEventType": 38, "employeeNoString": "7"},
        {"cardNo": CARD, "subEventType": 181, "employeeNo": 7},
        {"cardNo": CARD, "subEventType": [1], "employeeNoString": "7"},
        {"cardNo": CARD, "subEventType": 75},
        {"cardNo": CARD, "subEventType": 38, "employeeNoString": ""},
        {"cardNo": CARD, "subEventType": 181},
        {"cardNo": CARD, "subEventType": 76},
        {"cardNo": CARD, "subEventType": 9999},
        {"cardNo": CARD, "subEventType": None},
        {"cardNo": "0", "subEventType": 75, "QRCodeInfo": CARD},
        {"cardNo": "0", "subEventType": 9999, "QRCodeInfo": CARD},
        {"cardNo": "0", "subEventType": 1},
        {"cardNo": "", "subEventType": 1},
        {"cardNo": None, "subEventType": 75, "employeeNoString": "emp-1042"},
        {"cardNo": {"no": CARD}, "subEventType": 1},
    ],
)
async def test_whom_the_terminal_recognised_has_shown_nothing(
    sqlite: Service, device: Terminal, event: dict[str, Any]
) -> None:
    path = await connect(sqlite, device)
    await enrol_card(sqlite)
    await post(sqlite, path, device.event(None, **event))
    assert (await device.verdict()).result == "failed"
    assert await verifications(sqlite) == []


@pytest.mark.parametrize(
    "event",
    [
        {"cardNo": CARD, "subEventType": 1, "employeeNoString": "7"},
        {"cardNo": CARD, "subEventType": 60, "employeeNoString": "7"},
        {"cardNo": CARD, "subEventType": 9},
    ],
)
async def test_a_card_that_was_read_counts(sqlite: Service, device: Terminal, event: dict[str, Any]) -> None:
    path = await connect(sqlite, device)
    await enrol_card(sqlite)
    await post(sqlite, path, device.event(None, **event))
    assert (await device.verdict()).result == "success"


@pytest.mark.parametrize(
    ("event", "result"),
    [
        ({"cardNo": "{}", "subEventType": 1, "employeeNoString": "7"}, "success"),
        ({"cardNo": "{}", "subEventType": 156, "employeeNoString": "7"}, "success"),
        ({"cardNo": "{}", "subEventType": 9999}, "success"),
        ({"cardNo": "{}", "subEventType": None, "employeeNo": 0}, "success"),
        ({"cardNo": "0", "subEventType": 156, "QRCodeInfo": "{}"}, "success"),
        ({"cardNo": "0", "subEventType": 9999, "QRCodeInfo": "{}"}, "success"),
        ({"cardNo": "{}", "subEventType": 9999, "employeeNoString": "7"}, "failed"),
        ({"cardNo": "0", "subEventType": 9999, "employeeNoString": "7", "QRCodeInfo": "{}"}, "failed"),
        ({"cardNo": "{}", "subEventType": 75}, "failed"),
        ({"cardNo": "0", "subEventType": 75, "employeeNoString": "7", "QRCodeInfo": "{}"}, "failed"),
    ],
)
async def test_a_code_counts_unless_the_terminal_recognised_somebody(
    sqlite: Service, device: Terminal, event: dict[str, Any], result: str
) -> None:
    path, code = await connect(sqlite, device), await code_of(sqlite)
    shown = {name: each.format(code) if isinstance(each, str) else each for name, each in event.items()}
    await post(sqlite, path, device.event(None, **shown))
    assert (await device.verdict()).result == result
    assert len(await verifications(sqlite)) == (result == "success")


async def test_the_number_of_a_card_in_a_code_opens_nothing(sqlite: Service, device: Terminal) -> None:
    path = await connect(sqlite, device)
    await enrol_card(sqlite)
    for event in ({"cardNo": CARD, "subEventType": 156}, {"cardNo": "0", "subEventType": 156, "QRCodeInfo": CARD}):
        await post(sqlite, path, device.event(None, **event))
        assert (await device.verdict()).result == "failed"


async def test_what_somebody_else_is_recognised_by_opens_no_exit(sqlite: Service, device: Terminal) -> None:
    path = await connect(sqlite, device)
    await sqlite.gate("way-out", direction="exit")
    made = await sqlite.create("/v1/connections", kind="hikvision", gate="way-out", device=device.device)
    path = made["credentials"]["path"]
    for event in ({"subEventType": 75}, {"subEventType": 9999}, {"subEventType": 75, "QRCodeInfo": "x"}):
        await post(sqlite, path, device.event(CARD, **event))
        assert (await device.verdict()).result == "failed"


async def test_an_event_that_does_not_wait_settles_nothing(sqlite: Service, device: Terminal) -> None:
    path, code = await connect(sqlite, device), await code_of(sqlite)
    for changes in ({"remoteCheck": False}, {"remoteCheck": "true"}, {"frontSerialNo": 3}, {"currentEvent": False}):
        await post(sqlite, path, device.event(code, **changes))
    assert await device.hears_nothing()
    assert await verifications(sqlite) == []


async def test_an_event_that_the_terminal_had_stored_settles_nothing(sqlite: Service, device: Terminal) -> None:
    path, event = await connect(sqlite, device), device.event(await code_of(sqlite))
    six_minutes_ago = datetime.fromisoformat(event["dateTime"]) - timedelta(minutes=6)
    event["dateTime"] = six_minutes_ago.astimezone(timezone(timedelta(hours=8))).isoformat(timespec="seconds")
    await post(sqlite, path, event)
    assert await device.hears_nothing()
    assert await verifications(sqlite) == []


async def test_a_clock_that_is_four_minutes_off_still_counts(sqlite: Service, device: Terminal) -> None:
    path = await connect(sqlite, device)
    device.ahead -= timedelta(minutes=4)
    await post(sqlite, path, device.event(await code_of(sqlite)))
    assert (await device.verdict()).result == "success"


async def test_other_events_are_taken_and_dropped(sqlite: Service, device: Terminal) -> None:
    path = await connect(sqlite, device)
    for event in ({}, {"eventType": "heartBeat"}, {"AccessControllerEvent": [1]}):
        await post(sqlite, path, event)
    assert await device.hears_nothing(0.05)


async def test_a_repeated_event_settles_nothing_and_is_told_by_the_first_alone(
    service: Service, device: Terminal
) -> None:
    path, event = await connect(service, device), device.event(await code_of(service))
    device.mishaps = ["busy"]
    await asyncio.gather(*(post(service, path, event) for _ in range(3)))
    assert await device.verdict() == Verdict(serial_of(event), "success", "Welcome")
    assert await device.hears_nothing()
    assert [status for _, _, status in device.calls if status != 401] == [503, 200]
    assert [each["undone_at"] for each in await verifications(service)] == [None]


async def test_the_same_number_after_a_reset_is_another_event(sqlite: Service, device: Terminal) -> None:
    path, first, second = await connect(sqlite, device), device.event("123456789019"), device.event(None)
    await post(sqlite, path, first)
    assert (await device.verdict()).result == "failed"
    second["AccessControllerEvent"] |= {"serialNo": serial_of(first), "cardNo": await code_of(sqlite)}
    second["dateTime"] = (datetime.fromisoformat(first["dateTime"]) + timedelta(seconds=1)).isoformat()
    device.wait_for(serial_of(first))
    await post(sqlite, path, second)
    assert (await device.verdict()).result == "success"


@pytest.mark.parametrize("mishaps", [["stale"], ["busy"], ["hang up"]], ids=str)
async def test_a_verdict_that_gets_lost_is_told_again(sqlite: Service, device: Terminal, mishaps: list[str]) -> None:
    path, code = await connect(sqlite, device), await code_of(sqlite)
    device.mishaps = mishaps
    await post(sqlite, path, device.event(code))
    assert (await device.verdict()).result == "success"
    assert [each["undone_at"] for each in await verifications(sqlite)] == [None]


@pytest.mark.parametrize("code", [0, "0", "1", 1, 7, "7"])
async def test_a_terminal_that_took_the_verdict_is_believed(sqlite: Service, device: Terminal, code: int | str) -> None:
    path, event = await connect(sqlite, device), device.event(await code_of(sqlite))
    device.took = {"statusCode": code}
    before = (await deliveries(sqlite)).get("delivered", 0)
    await post(sqlite, path, event)
    assert (await device.verdict()).result == "success"
    assert (await deliveries(sqlite))["delivered"] == before + 1
    assert [each["undone_at"] for each in await verifications(sqlite)] == [None]


@pytest.mark.parametrize("took", [{"statusCode": 2}, {"statusCode": "3"}, {"statusCode": None}, {}, [1]])
async def test_an_admission_stands_where_the_terminal_does_not_say_that_it_found_it_wrong(
    sqlite: Service, device: Terminal, took: Any
) -> None:
    path, code = await connect(sqlite, device), await code_of(sqlite)
    device.took = took
    for result in ("success", "failed"):
        await post(sqlite, path, device.event(code))
        assert (await device.verdict()).result == result
    await all_told(sqlite)
    assert device.opened == 1, "once for one code"
    assert [each["undone_at"] for each in await verifications(sqlite)] == [None, None]


@pytest.mark.parametrize("code", [4, "5", 6])
async def test_an_admission_that_the_terminal_found_wrong_is_taken_back(
    sqlite: Service, device: Terminal, code: int | str
) -> None:
    path, event = await connect(sqlite, device), device.event(await code_of(sqlite))
    device.took = {"statusCode": code}
    await post(sqlite, path, event)
    assert await taken_back(sqlite)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_decision_that_comes_late_is_told_while_the_terminal_waits(
    service: Service, device: Terminal, monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> None:
    path, event = await connect(service, device), device.event(await code_of(service))
    settle, faults = service.context.store.settle, ["once"]

    async def late(attempt: Any) -> Any:
        settled = await settle(attempt) if committed or not faults else None
        if faults:
            faults.pop()
            raise Unavailable("too late")
        return settled

    monkeypatch.setattr(service.context.store, "settle", late)
    await post(service, path, event)
    assert await device.verdict() == Verdict(serial_of(event), "success", "Welcome")
    assert [(each["decision"], each["undone_at"]) for each in await verifications(service)] == [("admit", None)]
    await post(service, path, event)
    assert await device.hears_nothing()


async def test_without_a_decision_the_terminal_is_told_so_in_time(
    sqlite: Service, device: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_attempt: Any) -> Any:
        raise Unavailable

    path, event = await connect(sqlite, device), device.event(await code_of(sqlite))
    monkeypatch.setattr(sqlite.context.store, "settle", never)
    began = asyncio.get_running_loop().time()
    await post(sqlite, path, event)
    assert await device.verdict() == Verdict(serial_of(event), "failed", "Try again")
    assert 1.0 < asyncio.get_running_loop().time() - began < 4.0


async def test_an_event_that_is_repeated_much_later_opens_nothing(sqlite: Service, device: Terminal) -> None:
    path, event = await connect(sqlite, device), device.event(await code_of(sqlite))
    await post(sqlite, path, event)
    assert (await device.verdict()).result == "success"
    sqlite.clock.advance(40)
    device.wait_for(serial_of(event))
    await post(sqlite, path, event)
    assert (await device.verdict()).result == "failed"


async def test_an_event_has_so_much_room_and_a_picture_beside_it_more(sqlite: Service, device: Terminal) -> None:
    path, event = await connect(sqlite, device), device.event(await code_of(sqlite))
    long = {**event, "log": "x" * 65_536}
    for sent in ({"json": long}, multipart(long)):
        assert (await sqlite.http.post(path, **sent)).status_code == 413
    assert (await sqlite.http.post(path, **multipart(event, picture=b"x" * 1_000_000))).status_code == 200
    assert (await device.verdict()).result == "success"


@pytest.mark.parametrize("how", ["refused", "wrong password", "dead"])
async def test_an_admission_that_surely_did_not_arrive_is_taken_back(service: Service, how: str) -> None:
    with terminal() as device:
        path = await connect(service, device, **{"password": "another"} if how == "wrong password" else {})
        code, event = await code_of(service), device.event(None)
        event["AccessControllerEvent"]["cardNo"] = code
        device.mishaps = ["refuse"] if how == "refused" else []
        if how != "dead":
            await post(service, path, event)
            assert await taken_back(service)
    if how == "dead":
        await post(service, path, event)
        assert await taken_back(service)
    assert (await service.verify(code))["decision"] == "admit"


async def test_an_admission_that_may_have_arrived_stands(service: Service, device: Terminal) -> None:
    path, code = await connect(service, device), await code_of(service)
    device.mishaps = ["hang up after"]
    await post(service, path, device.event(code))
    assert (await device.verdict()).result == "success"
    await asyncio.sleep(0.6)  # the second try is refused
    assert device.calls[-1][2] == 400
    assert [each["undone_at"] for each in await verifications(service)] == [None]
    assert (await service.verify(code))["reason"] == "already_used"


async def test_an_undelivered_refusal_and_a_delivery_are_counted(sqlite: Service, device: Terminal) -> None:
    path = await connect(sqlite, device)
    before = await deliveries(sqlite)
    device.mishaps = ["refuse"]
    for code in ("123456789019", await code_of(sqlite)):
        await post(sqlite, path, device.event(code))
        await asyncio.sleep(0.2)
    assert (await device.verdict()).result == "success"
    counted = await deliveries(sqlite)
    for how in ("delivered", "not_delivered"):
        assert counted.get(how, 0) == before.get(how, 0) + 1


async def all_told(service: Service) -> None:
    """Wait until nothing is under way with any terminal."""
    if under_way := set(service.context.devices._tasks):
        await asyncio.wait(under_way)


async def deliveries(service: Service) -> dict[str, float]:
    await all_told(service)
    lines = (await service.http.get("/metrics")).text.splitlines()
    name = 'gatepass_device_verdicts_total{delivery="'
    return {line[len(name) :].partition('"')[0]: float(line.split()[-1]) for line in lines if line.startswith(name)}


async def test_what_there_is_no_room_for_is_not_settled(sqlite: Service, device: Terminal) -> None:
    path, code = await connect(sqlite, device), await code_of(sqlite)
    with device.posting:  # it answers nobody
        busy = [device.event("123456789019") for _ in range(4)]
        await asyncio.gather(*(post(sqlite, path, event) for event in busy))
        refused = await sqlite.http.post(path, json=device.event(code))
        assert (refused.status_code, refused.json()["subStatusCode"]) == (503, "deviceBusy")
        assert (await sqlite.http.get("/readyz")).status_code == 200
    for _ in busy:
        await device.verdict()
    assert (await sqlite.verify(code))["decision"] == "admit"


async def test_at_an_address_of_its_own_a_terminal_is_known_by_its_serial_number(
    sqlite: Service, device: Terminal
) -> None:
    number = f"SN{sqlite.key[-8:]}"
    path = await connect(sqlite, device, serial=number)
    here = {"host": "hikvision.test"}
    event = device.event(await code_of(sqlite))
    for serial, address, headers in (("SN000", "/", here), (None, "/", here), ("SN000", path, {}), (number, "/", {})):
        refused = await sqlite.http.post(address, json={**event, "shortSerialNumber": serial}, headers=headers)
        assert refused.status_code in (401, 404, 405)
    answer = await sqlite.http.post("/", json={**event, "shortSerialNumber": number}, headers=here)
    assert answer.status_code == 200
    assert (await device.verdict()).result == "success"


async def test_an_unknown_path_is_refused(sqlite: Service, device: Terminal) -> None:
    answer = await sqlite.http.post("/readers/hikvision/nobodys", json=device.event("1"))
    assert (answer.status_code, answer.json()["statusCode"]) == (401, 6)


BAD_EVENTS = (
    b"",
    b"{",
    b"[]",
    b"<EventNotificationAlert/>",
    b'{"AccessControllerEvent": {"remoteCheck": true, "serialNo": NaN}}',
    b'{"AccessControllerEvent": {"remoteCheck": true, "cardNo": "Zq\\ud800"}}',
    b'{"AccessControllerEvent": {"remoteCheck": true, "cardNo": "Zq\\u0000"}}',
    b'{"AccessControllerEvent": {"remoteCheck": true, "cardNo": "Zq"}}',
    b'{"AccessControllerEvent": {"remoteCheck": true, "cardNo": "Zq", "serialNo": "7"}}',
    b'{"AccessControllerEvent": {"remoteCheck": true, "cardNo": "Zq", "serialNo": true}}',
    b'{"AccessControllerEvent": {"remoteCheck": true, "cardNo": "Zq", "serialNo": -1}}',
    b'{"AccessControllerEvent": {"remoteCheck": true, "cardNo": "Zq", "serialNo": 9223372036854775808}}',
    '{"AccessControllerEvent": {"remoteCheck": true, "serialNo": \uff17}}'.encode(),
)


async def test_bad_events_are_refused_in_isapis_words(sqlite: Service, device: Terminal) -> None:
    path = await connect(sqlite, device)
    for body in BAD_EVENTS:
        refused = await sqlite.http.post(path, content=body, headers={"content-type": "application/json"})
        assert (refused.status_code, refused.json()["subStatusCode"]) == (400, "badParameters"), body
        assert "Zq" not in refused.text


async def test_broken_forms_are_refused(sqlite: Service, device: Terminal) -> None:
    path, sent = await connect(sqlite, device), multipart(device.event("1"))
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x", "multipart/mixed"):
        sent["headers"] = {"content-type": content_type}
        assert (await sqlite.http.post(path, **sent)).status_code == 400
    without = multipart(device.event("1"), part="something_else")
    assert (await sqlite.http.post(path, **without)).status_code == 400
    assert (await sqlite.http.post(path, content=b" " * (5 << 20))).status_code == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
DETAILS = st.fixed_dictionaries(
    {"remoteCheck": st.just(True)},
    optional=dict.fromkeys(
        ("serialNo", "cardNo", "subEventType", "QRCodeInfo", "employeeNoString", "employeeNo"), JSON
    ),
)
TIMES = JSON | st.datetimes(timezones=st.timezones() | st.none()).map(datetime.isoformat)


@given(st.fixed_dictionaries({"AccessControllerEvent": DETAILS | JSON}, optional={"dateTime": TIMES}))
def test_any_event_is_understood_or_refused(told: dict[str, Any]) -> None:
    with suppress(Problem):
        asked = _asked(told, NOW)
        assert asked is None or (asked.serial >= 0 and (asked.request_id is None) == (asked.serial == 0))
        assert asked is None or asked.read is None or asked.read.text != ""


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_answer_of_a_terminal_is_understood(answer: bytes) -> None:
    assert _taken(answer) in set(Delivery)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b'{"statusCode": 1}', Delivery.DELIVERED),
        (b'{"statusCode": "4"}', Delivery.NOT_DELIVERED),
        (b'{"statusCode": true}', Delivery.UNKNOWN),
        (b'{"statusCode": 99}', Delivery.UNKNOWN),
        (b"{}", Delivery.UNKNOWN),
        (b"<ok/>", Delivery.UNKNOWN),
        (b"[" * 9999, Delivery.UNKNOWN),
        (b"1" * 9999, Delivery.UNKNOWN),
    ],
)
def test_a_terminal_says_by_its_status_code_what_became_of_a_verdict(answer: bytes, outcome: Delivery) -> None:
    assert _taken(answer) is outcome


BAD_ADDRESSES = (
    "http://terminal.example", "http://localhost", "http://127.1", "http://2130706433", "http://0x7f000001",
    "http://192.0.2.10", "http://[::1]", "http://[::ffff:127.0.0.1]", "http://169.254.169.254",
    "http://admin@127.0.0.1", "http://admin:x@127.0.0.1", "http://127.0.0.1/ISAPI", "http://127.0.0.1?x=1",
    "http://127.0.0.1/?", "http://127.0.0.1#x", "http://127.0.0.1:0", "http://127.0.0.1:99999", "http://127.0.0.1:x",
    "ftp://127.0.0.1", "127.0.0.1", "//127.0.0.1", "http://", "http://127.0.0.1 ", "http://127.0.0.1\t",
    "http://\uff11\uff12\uff17.0.0.1", "http://127.0.0.1\\@192.0.2.1", "http://127.0.0.1:",
)  # fmt: skip


async def test_a_device_is_an_address_in_an_allowed_network_and_nothing_else(sqlite: Service) -> None:
    await sqlite.gate()
    for url in BAD_ADDRESSES:
        device = {"url": url, "username": "admin", "password": "secret"}
        wanted = {"kind": "hikvision", "gate": "main-door", "device": device}
        refused = await sqlite.call("POST", "/v1/connections", json=wanted)
        assert refused.status_code == 422, url
        assert refused.json()["errors"][0]["field"] == "device.url"


@pytest.mark.parametrize("missing", ["url", "username", "password", None])
async def test_a_device_that_is_called_has_an_address_and_a_password(sqlite: Service, missing: str | None) -> None:
    await sqlite.gate()
    device = {"url": "http://127.0.0.1", "username": "admin", "password": "secret"}
    given_ = {"device": {name: each for name, each in device.items() if name != missing}} if missing else {}
    refused = await sqlite.call("POST", "/v1/connections", json={"kind": "hikvision", "gate": "main-door", **given_})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "device")


async def test_a_loopback_device_is_refused_and_not_called_unless_the_operator_allows_it(
    sqlite_url: str, device: Terminal
) -> None:
    wanted = {"kind": "hikvision", "gate": "main-door", "device": device.device}
    async with running_service(make_settings(sqlite_url, device_networks="127.0.0.1/32")) as service:
        await service.gate()
        code = await code_of(service)
        path = (await service.create("/v1/connections", **wanted))["credentials"]["path"]
        key = service.key
    async with running_service(make_settings(sqlite_url, device_networks="192.0.2.0/24"), key=key) as service:
        assert (await service.call("POST", "/v1/connections", json=wanted)).status_code == 422
        assert (await service.http.post(path, json=device.event(code))).status_code == 503
        assert await verifications(service) == []
    assert device.calls == []


async def test_a_terminal_that_does_not_listen_while_it_posts_is_told_all_the_same(
    sqlite_url: str, tmp_path: Path, device: Terminal
) -> None:
    async with running_service(make_settings(sqlite_url, device_networks="127.0.0.1/32")) as service:
        path, code = await connect(service, device), await code_of(service)
    first, again = device.event(code), device.event(code)
    with served(sqlite_url, tmp_path, GATEPASS_DEVICE_NETWORKS="127.0.0.1/32") as server:
        for event in (first, again):
            answer = await asyncio.to_thread(device.post, server.url + path, event)
            assert (answer.status_code, answer.json()) == (200, OK)
        verdicts = [await device.verdict() for _ in range(2)]
    assert [each.result for each in verdicts] == ["success", "failed"]
    log = (tmp_path / "serve.log").read_text()
    assert code not in log
    assert device.device["password"] not in log
