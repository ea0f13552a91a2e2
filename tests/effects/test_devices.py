"""Devices that are called: real ones over a real socket, which are slow, dead, strict or hostile."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.effects import devices as effect
from app.effects.devices import Delivery, Devices, Message, read_address
from tests.faces.readers.hikvision_device import PASSWORD, PATH, USERNAME, Terminal, terminal

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
def device() -> Iterator[Terminal]:
    with terminal() as made:
        yield made


def message(device: Terminal, **changes: Any) -> Message:
    serial = device.event("1")["AccessControllerEvent"]["serialNo"]
    body = json.dumps({"RemoteCheck": {"serialNo": serial, "checkResult": "success", "info": ""}}).encode()
    return Message(device.url, PATH, body, USERNAME, PASSWORD, lambda _answer: Delivery.DELIVERED)._replace(**changes)


async def put(device: Terminal, *, within_s: float = 4.0, networks: Any = LOOPBACK, **changes: Any) -> Delivery:
    devices = Devices(networks)
    try:
        return await devices.put(message(device, **changes), asyncio.get_running_loop().time() + within_s)
    finally:
        await devices.close()


async def test_a_message_is_delivered_with_digest_authentication(device: Terminal) -> None:
    assert await put(device) is Delivery.DELIVERED
    assert (await device.verdict()).result == "success"
    assert [status for _, _, status in device.calls] == [401, 200]


@pytest.mark.parametrize(
    "mishaps",
    [["stale"], ["busy"], ["hang up"], ["flood"], ["stale", "busy"]],
    ids=", then ".join,
)
async def test_what_goes_wrong_once_is_tried_again(device: Terminal, mishaps: list[str]) -> None:
    device.mishaps = mishaps
    assert await put(device) is Delivery.DELIVERED
    assert (await device.verdict()).result == "success"


@pytest.mark.parametrize("mishap", ["busy", "hang up", "flood"])
async def test_where_every_try_goes_wrong_it_is_unknown_whether_the_device_did_it(
    device: Terminal, mishap: str
) -> None:
    device.mishaps = [mishap] * effect.TRIES
    assert await put(device) is Delivery.UNKNOWN
    assert device.mishaps == []


async def test_a_refusal_after_a_lost_answer_leaves_it_unknown(device: Terminal) -> None:
    device.mishaps = ["hang up after"]
    assert await put(device) is Delivery.UNKNOWN
    assert (await device.verdict()).result == "success"
    assert device.calls[-1][2] == 400


@pytest.mark.parametrize(("mishap", "status"), [("refuse", 400), ("move", 307)])
async def test_a_refusal_is_no_delivery_and_not_tried_again(device: Terminal, mishap: str, status: int) -> None:
    device.mishaps = [mishap]
    assert await put(device) is Delivery.NOT_DELIVERED
    assert [each[1:] for each in device.calls] == [(PATH, 401), (PATH, status)]


async def test_what_the_device_says_in_a_good_answer_counts_too(device: Terminal) -> None:
    for outcome in Delivery:
        assert await put(device, taken=lambda _answer, outcome=outcome: outcome) is outcome
    assert [status for _, _, status in device.calls] == [401, 200] * 3, "none is tried again"


@pytest.mark.parametrize("username", ["a\r\nX: y", "a\0"])
async def test_what_cannot_be_sent_is_no_delivery_and_not_tried_again(device: Terminal, username: str) -> None:
    assert await put(device, username=username) is Delivery.NOT_DELIVERED
    assert [status for _, _, status in device.calls] == [401]


async def test_what_waited_for_a_connection_in_vain_is_no_delivery(
    device: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effect, "MAX_IN_FLIGHT", 1)
    monkeypatch.setattr(effect, "_TIMEOUT", httpx.Timeout(5.0, pool=0.05))
    devices, until = Devices(LOOPBACK), asyncio.get_running_loop().time() + 3
    with device.posting:
        first = asyncio.create_task(devices.put(message(device), until))
        await asyncio.sleep(0.1)
        assert await devices.put(message(device), until) is Delivery.NOT_DELIVERED
    assert await first is Delivery.DELIVERED
    await devices.close()


async def test_an_address_that_is_none_is_no_delivery(device: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Devices, "may_call", lambda *_: True)
    for url in ("http://[::1].evil.com", "http://evil.com[::1]", "gopher://127.0.0.1", "http://"):
        assert await put(device, url=url) is Delivery.NOT_DELIVERED
    assert device.calls == []


async def test_a_wrong_password_is_tried_once_since_devices_lock_out(device: Terminal) -> None:
    assert await put(device, password="gate-password") is Delivery.NOT_DELIVERED
    assert [status for _, _, status in device.calls] == [401, 401]


@pytest.mark.parametrize(
    "challenge", ["", 'Digest qop="auth"', 'Digest realm="r", nonce="n", algorithm=ROT13', "Basic"]
)
async def test_a_challenge_that_cannot_be_met_is_no_delivery(device: Terminal, challenge: str) -> None:
    device.challenge = challenge
    assert await put(device) is not Delivery.DELIVERED
    assert not any("Basic" in each for each in device.authorizations)


async def test_a_dead_device_gets_nothing() -> None:
    with terminal() as device:
        wanted = message(device)
    devices = Devices(LOOPBACK)
    assert await devices.put(wanted, asyncio.get_running_loop().time() + 4) is Delivery.NOT_DELIVERED
    await devices.close()


async def test_a_slow_device_has_its_time_and_no_more(device: Terminal) -> None:
    device.slow_s = 0.6
    began = asyncio.get_running_loop().time()
    assert await put(device, within_s=0.3) is Delivery.UNKNOWN
    assert asyncio.get_running_loop().time() - began < 0.55


async def test_a_device_that_no_longer_waits_is_not_called(device: Terminal) -> None:
    assert await put(device, within_s=-0.1) is Delivery.NOT_DELIVERED
    assert device.calls == []


@pytest.mark.parametrize("networks", [[], [ip_network("192.0.2.0/24")], [ip_network("::1/128")]])
async def test_a_device_outside_of_the_networks_is_not_called(device: Terminal, networks: Any) -> None:
    assert await put(device, networks=networks) is Delivery.NOT_DELIVERED
    assert device.calls == []


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:80", "http://127.1", "http://[::ffff:127.0.0.1]", "http://", "http://[127.0.0.1]",
        "http://[::1].evil.com", "http://evil.com[::1]", "http://[::1]x:80", "http://127.0.0.1.evil.com", "http://[::1%25lo]",
    ],
)  # fmt: skip
def test_only_an_address_in_the_networks_may_be_called(url: str) -> None:
    assert not Devices([*LOOPBACK, ip_network("::1/128")]).may_call(url)


@pytest.mark.parametrize(
    ("url", "understood"),
    [
        ("http://192.0.2.10", "http://192.0.2.10"),
        ("https://192.0.2.10:00443/", "https://192.0.2.10:443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[2001:0DB8::0001]/", "http://[2001:db8::1]"),
    ],
)
def test_an_address_is_written_from_what_was_understood(url: str, understood: str) -> None:
    assert read_address(url).url == understood
    assert read_address(understood) == read_address(url)


@given(st.text() | st.from_regex(r"https?://[\[\]0-9a-fA-F:.%x@/?#]{0,24}", fullmatch=True))
def test_no_other_text_is_an_address(url: str) -> None:
    with suppress(ValueError):
        address = read_address(url)
        assert httpx.URL(address.url).host == str(address.ip)


async def test_neither_proxies_nor_cookies_come_between(device: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert await put(device) is Delivery.DELIVERED
    assert device.cookies == []


async def test_a_device_has_its_own_few_places(device: Terminal) -> None:
    devices, over = Devices(LOOPBACK), asyncio.Event()

    async def work(_until: float) -> None:
        await over.wait()

    begun = [devices.start(device.url, work) for _ in range(effect.MAX_PER_DEVICE + 1)]
    assert begun == [True] * effect.MAX_PER_DEVICE + [False]
    assert devices.start("http://127.0.0.2", work)
    assert not devices.start("http://192.0.2.1", work)
    over.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert devices.start(device.url, work)
    await devices.close()
    assert not devices.start(device.url, work)


async def test_all_devices_together_have_so_many_places() -> None:
    devices, over = Devices(LOOPBACK), asyncio.Event()

    async def work(_until: float) -> None:
        await over.wait()

    begun = [devices.start(f"http://127.0.1.{number}", work) for number in range(effect.MAX_IN_FLIGHT + 1)]
    assert begun == [True] * effect.MAX_IN_FLIGHT + [False]
    over.set()
    await devices.close()


async def test_closing_waits_for_a_while_and_then_ends_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    devices, ends = Devices(LOOPBACK), []

    async def work(_until: float, takes_s: float) -> None:
        try:
            await asyncio.sleep(takes_s)
            ends.append("done")
        except asyncio.CancelledError:
            ends.append("ended")
            raise

    monkeypatch.setattr(effect, "WINDOW_S", 0.2)
    for takes_s in (0.05, 60):
        devices.start("http://127.0.0.1", lambda until, takes_s=takes_s: work(until, takes_s))  # type: ignore[misc]
    await devices.close()
    assert ends == ["done", "ended"]


async def test_work_that_fails_frees_its_place_and_is_one_line_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    devices = Devices(LOOPBACK)

    async def work(_until: float) -> None:
        raise RuntimeError("what it was about")

    for _ in range(effect.MAX_PER_DEVICE * 2):
        assert devices.start("http://127.0.0.1", work)
        await asyncio.sleep(0.01)
    assert '"fault"' in (logged := capsys.readouterr().out)
    assert "what it was about" not in logged
    await devices.close()
