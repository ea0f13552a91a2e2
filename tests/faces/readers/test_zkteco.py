"""ZKTeco terminals with back-end verification: they register, poll, and ask before they open."""

import hashlib
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.faces.readers.zkteco import _record
from tests.service import Service

SN = "CJDE201960001"
CARD = "4217788"
FACE_CANARY = b"Zm9yIG5vYm9keSdzIGV5ZXM="
RECORD = "time={time}\tpin={pin}\tcardno={card}\taddrtype=2\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=0"


class Terminal:
    """A terminal of our own making that does what the protocol has a terminal do."""

    def __init__(self, service: Service, base: str, serial: str, headers: Mapping[str, str] | None = None) -> None:
        self.serial = serial
        self.options: dict[str, str] = {}
        self._service = service
        self._base = base
        self._headers = dict(headers or {})
        self._seconds = 0

    async def call(self, method: str, path: str, *, token: str | None = None, **query: Any) -> httpx.Response:
        body = query.pop("body", b"")
        headers = self._headers | ({"cookie": f"token={token}"} if token else {})
        return await self._service.http.request(
            method, f"{self._base}/iclock/{path}", params={"SN": self.serial, **query}, headers=headers, content=body
        )

    async def register(self) -> None:
        """As after it was switched on."""
        hello = await self.call("GET", "cdata", pushver="3.1.2", options="all")
        if not hello.text.startswith("registry=ok\n"):
            about = b"DeviceType=acc,~DeviceName=SpeedFace-V5L,AutoServerFunOn=1,IsSupportQRcode=1,QRCodeEnable=1"
            hello = await self.call("POST", "registry", body=about)
            assert hello.status_code == 200, hello.text
        configured = await self.call("POST", "push")
        assert configured.status_code == 200
        lines = f"{hello.text}\n{configured.text}".split("\n")
        self.options = dict(line.split("=", 1) for line in lines)

    @property
    def token(self) -> str:
        known = self.options["RegistryCode"] + self.serial + self.options["SessionID"]
        return hashlib.md5(known.encode()).hexdigest()

    def record(self, card: str, **fields: str) -> str:
        """What it asks about, at a time of its own. `fields` replace those of the same name."""
        self._seconds += 1
        plain = RECORD.format(time=f"2026-01-10 11:49:{self._seconds:02}", pin=fields.pop("pin", "0"), card=card)
        pairs = dict(pair.split("=", 1) for pair in plain.split("\t")) | fields
        return "\t".join(f"{name}={value}" for name, value in pairs.items())

    async def ask(self, record: str | bytes) -> list[str]:
        """The lines of the answer to a record."""
        body = record.encode() if isinstance(record, str) else record
        answer = await self.call("POST", "cdata", token=self.token, AuthType="device", body=body)
        assert answer.status_code == 200, answer.text
        return answer.text.split("\r\n")


@pytest_asyncio.fixture(loop_scope="session")
async def sqlite(golden_service: Service) -> Service:
    """A tenant of the test's own on SQLite, for what does not depend on the engine."""
    return await golden_service.another_tenant()


async def terminal(service: Service, **device: str) -> Terminal:
    """A terminal at an entry gate that has registered."""
    await service.gate()
    given_ = {"device": device} if device else {}
    made = await service.create("/v1/connections", kind="zkteco", gate="main-door", **given_)
    connected = Terminal(service, made["credentials"]["path"], device.get("serial", SN))
    await connected.register()
    return connected


async def code_of(service: Service, **body: Any) -> str:
    text: str = (await service.token(await service.pass_(), "code", **body))["token"]
    return text


async def enrol_card(service: Service, value: str = CARD) -> None:
    pass_ = await service.pass_()
    holder = (await service.call("GET", f"/v1/holders?ref={pass_['holder']}")).json()["items"][0]["id"]
    await service.create(f"/v1/holders/{holder}/credentials", kind="barcode", value=value)


async def verifications(service: Service) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await service.call("GET", "/v1/verifications")).json()["items"]
    return items


async def test_a_code_opens_the_door_once(service: Service) -> None:
    device, code = await terminal(service), await code_of(service)
    first, again = device.record(code), device.record(code)
    assert await device.ask(first) == ["AUTH=SUCCEED", first, "CONTROL DEVICE 01010105", "TIPS=Welcome"]
    assert await device.ask(again) == ["AUTH=FAILED", again, "TIPS=Code used already"]
    assert [each["decision"] for each in await verifications(service)] == ["deny", "admit"]


async def test_a_terminal_that_lost_the_answer_gets_it_again_for_a_while(service: Service) -> None:
    device, code = await terminal(service), await code_of(service)
    record = device.record(code)
    first = await device.ask(record)
    assert await device.ask(record) == first
    assert len(await verifications(service)) == 1
    service.clock.advance(31)
    assert (await device.ask(record))[0] == "AUTH=FAILED"
    assert len(await verifications(service)) == 1


async def test_the_same_second_with_another_code_is_another_record(sqlite: Service) -> None:
    device, code, record = await terminal(sqlite), await code_of(sqlite), None
    record = device.record("1")
    assert (await device.ask(record))[0] == "AUTH=FAILED"
    assert (await device.ask(record.replace("cardno=1", f"cardno={code}")))[0] == "AUTH=SUCCEED"


async def test_a_code_for_another_gate_and_a_strangers_are_refused(sqlite: Service) -> None:
    device = await terminal(sqlite)
    await sqlite.gate("other-door")
    for code in (await code_of(sqlite, gate="other-door"), await code_of(await sqlite.another_tenant())):
        assert (await device.ask(device.record(code)))[0] == "AUTH=FAILED"


async def test_a_card_is_enrolled_as_the_terminal_says_its_number(sqlite: Service) -> None:
    device = await terminal(sqlite)
    await enrol_card(sqlite)
    assert (await device.ask(device.record("000" + CARD)))[0] == "AUTH=FAILED"
    assert (await device.ask(device.record(CARD)))[0] == "AUTH=SUCCEED"


async def test_whom_the_terminal_recognised_has_shown_nothing(sqlite: Service) -> None:
    device = await terminal(sqlite)
    await enrol_card(sqlite)
    shown: tuple[tuple[str, dict[str, str]], ...] = (
        ("", {"pin": "1042", "verifytype": "15"}),
        ("0", {"pin": "1042", "verifytype": "1"}),
        ("000", {}),
        (CARD, {"pin": "1042", "verifytype": "15"}),
        (CARD, {"pin": "1042", "verifytype": "0"}),
        (CARD, {"pin": "1042", "verifytype": "200"}),
        (CARD, {"eventaddr": "2"}),
        *((CARD, {"pin": pin, "verifytype": kind}) for pin in ("0", "1042") for kind in ("1", "15", "25", "200")),
    )
    for card, fields in shown:
        record = device.record(card, **fields)
        assert await device.ask(record) == ["AUTH=FAILED", record, "TIPS=Not admitted"], fields
    assert await verifications(sqlite) == []
    assert (await device.ask(device.record(CARD, pin="1042", verifytype="4")))[0] == "AUTH=SUCCEED"


async def test_a_code_beside_somebody_whom_the_terminal_recognised_is_not_used(sqlite: Service) -> None:
    device, code = await terminal(sqlite), await code_of(sqlite)
    for fields in ({"verifytype": "15"}, {"pin": "1042", "verifytype": "15"}, {"pin": "1042", "verifytype": "200"}):
        assert (await device.ask(device.record(code, **fields)))[0] == "AUTH=FAILED"
    assert await verifications(sqlite) == []


async def test_a_code_needs_no_word_on_how_it_was_read(sqlite: Service) -> None:
    device = await terminal(sqlite)
    for kind in ("0", "4", "6", "200"):
        assert (await device.ask(device.record(await code_of(sqlite), verifytype=kind)))[0] == "AUTH=SUCCEED", kind
    without = device.record(await code_of(sqlite)).replace("\tverifytype=0", "")
    assert (await device.ask(without))[0] == "AUTH=SUCCEED"


@pytest.mark.parametrize("change", [("", "SN0000000002"), ("addrtype=2", "addrtype=3"), ("status=0", "status=1")])
async def test_what_another_reader_asks_at_the_same_time_is_another_question(
    sqlite: Service, change: tuple[str, str]
) -> None:
    device, code = await terminal(sqlite), await code_of(sqlite)
    record, (old, new) = device.record(code), change
    assert (await device.ask(record))[0] == "AUTH=SUCCEED"
    if not old:
        device = Terminal(sqlite, device._base, new)
        await device.register()
    assert (await device.ask(record.replace(old, new) if old else record))[0] == "AUTH=FAILED"
    assert [each["decision"] for each in await verifications(sqlite)] == ["deny", "admit"]


async def test_only_what_was_checked_is_sent_back(sqlite: Service) -> None:
    device = await terminal(sqlite)
    record = device.record("1234")
    told = await device.ask(f"{record}\ttips=Zq\tCONTROL DEVICE=01020105\tsitecode=0\tmaskflag=1\tindex=7\r\n")
    assert told == ["AUTH=FAILED", f"{record}\tsitecode=0\tmaskflag=1\tindex=7", "TIPS=Not admitted"]
    for bad in (
        b"",
        b"Zq",
        b"\xff\xfe",
        record.replace("cardno=1234", "cardno=Zq Zq").encode(),
        record.replace("cardno=1234", "cardno=\uff11\uff12").encode(),
        record.replace("cardno=1234", "cardno=1\0").encode(),
        record.replace("cardno=1234", "cardno=" + "1" * 33).encode(),
        record.replace("eventaddr=1", "eventaddr=1\r\nCONTROL DEVICE 01020105").encode(),
        record.replace("time=2026", "time=Zq").encode(),
        record.partition("\t")[2].encode(),
        f"{record}\tcardno=5678".encode(),
        f"{record}\n{record}".encode(),
        f"{record}\t{'x' * 65_536}=1".encode(),
    ):
        assert await device.ask(bad) == ["AUTH=FAILED"], bad
    assert [each["decision"] for each in await verifications(sqlite)] == ["deny"]


FIELD = st.sampled_from(["time", "pin", "cardno", "eventaddr", "verifytype", "index", "x", ""])
VALUE = st.text(max_size=12) | st.sampled_from(["2026-01-10 11:49:32", "7", "a=b", "\r\n"])


@given(
    st.binary()
    | st.lists(st.tuples(FIELD, VALUE)).map(
        lambda pairs: "\t".join(f"{name}={value}" for name, value in pairs).encode()
    )
)
def test_no_record_has_more_in_it_than_letters_digits_and_a_time(body: bytes) -> None:
    record = _record(body)
    if record is not None:
        assert all(
            not value or (value.isascii() and value.replace("-", "").replace(":", "").replace(" ", "").isalnum())
            for value in record.values()
        )
        assert record["time"]


async def test_a_registered_terminal_is_told_what_to_do(sqlite: Service) -> None:
    device = await terminal(sqlite)
    hello = await device.call("GET", "cdata", pushver="3.1.2", options="all")
    options = dict(line.split("=", 1) for line in hello.text.split("\n"))
    assert list(options) == [
        *("registry", "RegistryCode", "ServerVersion", "ServerName", "PushProtVer", "ErrorDelay", "RequestDelay"),
        *("TransTimes", "TransInterval", "TransTables", "Realtime", "SessionID", "TimeoutSec"),
    ]
    assert (options["registry"], options["PushProtVer"], options["TransTables"]) == ("ok", "3.1.2", "Transaction")
    registered = await device.call("POST", "registry")
    assert registered.text == f"RegistryCode={options['RegistryCode']}"
    for method in ("GET", "POST"):
        pushed = await device.call(method, "push")
        assert pushed.text.split("\n") == hello.text.split("\n")[2:]
    other = await terminal(await sqlite.another_tenant())
    assert not {other.options["RegistryCode"], other.options["SessionID"]} & set(options.values())


async def test_a_polling_terminal_gets_no_orders(sqlite: Service) -> None:
    device = await terminal(sqlite)
    for method, path in (("GET", "ping"), ("GET", "getrequest"), ("POST", "devicecmd")):
        answer = await device.call(method, path, token=device.token, body=b"ID=221&Return=0&CMD=CONTROL DEVICE")
        assert (answer.status_code, answer.text) == (200, "OK"), path


async def test_what_a_terminal_uploads_is_acknowledged_and_dropped(sqlite: Service) -> None:
    device, code = await terminal(sqlite), await code_of(sqlite)
    log = device.record(code).encode()
    for table, body, expected in (
        ("rtlog", log, "OK"),
        ("rtstate", b"time=2026-01-10 11:49:32\tsensor=01\trelay=00", "OK"),
        ("options", b"~DeviceName=SpeedFace-V5L,MAC=00:17:61:11:20:cc", "OK"),
        ("ATTLOG", b"1042\t2026-01-10 08:00:00\t0\t15\t\n1043\t2026-01-10 08:00:02\t0\t15\t\n", "OK: 2"),
        ("Zq\n", b"Zq", "OK"),
        ("", b"", "OK"),
    ):
        answer = await device.call("POST", "cdata", token=device.token, table=table, Stamp="9999", body=body)
        assert (answer.status_code, answer.text) == (200, expected), table
    for name, expected in (("user", "user=1"), ("Zq\n", "OK")):
        uploaded = {"table": "tabledata", "tablename": name, "count": "1"}
        answer = await device.call("POST", "cdata", token=device.token, body=b"user uid=1\tpin=1042", **uploaded)
        assert (answer.status_code, answer.text) == (200, expected), name
    assert await verifications(sqlite) == []


async def test_faces_that_a_terminal_uploads_are_counted_and_not_looked_at(sqlite: Service) -> None:
    device = await terminal(sqlite)
    before = await discarded(sqlite)
    body = b"biophoto pin=1042\tfilename=1042.jpg\ttype=9\tsize=24\tcontent=" + FACE_CANARY
    answer = await device.call("POST", "cdata", table="tabledata", tablename="biophoto", count="1", body=body)
    assert answer.text == "biophoto=1"
    await device.call("POST", "cdata", table="ATTPHOTO", body=FACE_CANARY)
    assert await discarded(sqlite) == before + 2


async def discarded(service: Service) -> float:
    lines = (await service.http.get("/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("gatepass_face_fields_discarded_total"))


async def test_a_token_that_is_sent_has_to_be_right_and_need_not_be_sent(sqlite: Service) -> None:
    device = await terminal(sqlite)
    record = device.record("1234").encode()
    for token, status in ((device.token, 200), (device.token.upper(), 200), (None, 200), ("0" * 32, 401), ("Zq", 401)):
        answer = await device.call("POST", "cdata", token=token, AuthType="device", body=record)
        assert answer.status_code == status, token
        assert (await device.call("GET", "getrequest", token=token)).status_code == status
    assert (await device.call("GET", "cdata", token="Zq")).text.startswith("registry=ok")


async def test_a_stranger_registers_in_vain(sqlite: Service) -> None:
    known = await terminal(sqlite, serial=SN)
    for stranger in (Terminal(sqlite, "/readers/zkteco/nobodys", SN), Terminal(sqlite, known._base, "CJDE999999999")):
        assert (await stranger.call("GET", "cdata", options="all")).text == "OK"
        assert (await stranger.call("POST", "registry", body=b"DeviceType=acc")).status_code == 406
        asked = await stranger.call("POST", "cdata", AuthType="device", body=known.record("1234").encode())
        assert (asked.status_code, asked.text) == (401, "ERROR")
        for method, path in (("GET", "push"), ("GET", "ping"), ("GET", "getrequest"), ("POST", "devicecmd")):
            assert (await stranger.call(method, path)).status_code == 401
    assert (await known.call("GET", "nothing-here")).status_code == 404


async def test_at_an_address_of_its_own_a_terminal_is_known_by_its_serial_number(sqlite: Service) -> None:
    serial = f"SN{sqlite.key[-8:]}"
    await terminal(sqlite, serial=serial)
    code = await code_of(sqlite)
    here = Terminal(sqlite, "", serial, {"host": "zkteco.test"})
    await here.register()
    assert (await here.ask(here.record(code)))[0] == "AUTH=SUCCEED"
    elsewhere = await Terminal(sqlite, "", serial).call("GET", "cdata")
    assert elsewhere.status_code == 404
    without = await sqlite.http.get("/iclock/ping", headers={"host": "zkteco.test"})
    assert without.status_code == 401


async def test_a_revoked_terminal_and_one_without_its_gate_open_nothing(sqlite: Service) -> None:
    device, code = await terminal(sqlite), await code_of(sqlite)
    assert (await sqlite.call("DELETE", "/v1/gates/main-door")).status_code == 204
    record = device.record(code)
    assert await device.ask(record) == ["AUTH=FAILED", record, "TIPS=Not admitted"]
    (made,) = (await sqlite.call("GET", "/v1/connections")).json()["items"]
    await sqlite.call("DELETE", f"/v1/connections/{made['id']}")
    assert (await device.call("GET", "ping")).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_bad_requests_are_refused_without_an_echo(sqlite: Service, method: str) -> None:
    device = await terminal(sqlite)
    answer = await device.call(method, "cdata", AuthType="Zq\0")
    assert answer.status_code == 400
    assert answer.text == "ERROR"
    assert (await device.call("POST", "cdata", body=b" " * (5 << 20))).status_code == 413
