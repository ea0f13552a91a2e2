"""Guessing codes is hopeless: the budgets are exact, durable, and tell nobody anything."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.core.model import DAY, SECOND
from app.core.rules.throttled import PER_GATE, PER_NUMBER, TRICKLE
from app.core.tokens.code import CODE
from tests.conftest import make_settings
from tests.service import Service, TestClock, running_service


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """A service on each engine, early in the morning: budgets begin anew at midnight."""
    async with running_service(make_settings(database_url), clock=in_the_morning()) as service:
        yield service


def in_the_morning() -> TestClock:
    clock = TestClock()
    clock.advance(((DAY - clock.now() % DAY) + 6 * 3600 * SECOND) / SECOND)
    return clock


def wrong(number: int, count: int, *, right: str = "0" * 8) -> list[str]:
    """Codes for a number with right check digits, none of them the right one."""
    drawn = int(right[-8:-1])
    return [CODE.mint(number, (drawn + n) % 10**7) for n in range(1, count + 1)]


async def reasons(service: Service, *texts: str, gate: str = "main-door") -> Counter[str]:
    """The reasons of attempts made at once."""
    answers = await asyncio.gather(*(service.verify(text, gate) for text in texts))
    return Counter(answer["reason"] for answer in answers)


async def a_code(service: Service, holder: str = "emp-1042") -> tuple[str, int, dict[str, Any]]:
    """A code, its holder's number, and the holder's pass."""
    pass_ = await service.pass_(holder)
    code = (await service.token(pass_, "code"))["token"]
    return code, int(code[:-8]), pass_


async def test_ten_wrong_codes_a_day_and_then_the_right_one_is_throttled_too(service: Service) -> None:
    await service.gate()
    code, number, _ = await a_code(service)
    assert await reasons(service, *wrong(number, 25, right=code)) == {"unknown": PER_NUMBER, "throttled": 15}
    assert await reasons(service, code) == {"throttled": 1}


async def test_nine_wrong_codes_do_not_shut_the_right_one_out(service: Service) -> None:
    await service.gate()
    code, number, _ = await a_code(service)
    assert await reasons(service, *wrong(number, 9, right=code)) == {"unknown": 9}
    assert await reasons(service, code) == {"ok": 1}


async def test_a_slip_of_the_fingers_costs_nothing(service: Service) -> None:
    await service.gate()
    code, number, _ = await a_code(service)
    slips = [text[:-1] + str((int(text[-1]) + 1) % 10) for text in wrong(number, 20, right=code)]
    assert await reasons(service, *slips) == {"malformed": 20}
    assert await reasons(service, code) == {"ok": 1}


async def test_the_desk_clears_a_budget(service: Service) -> None:
    await service.gate()
    code, number, _ = await a_code(service)
    other, other_number, _ = await a_code(service, "emp-7")
    await reasons(service, *wrong(number, 10, right=code), *wrong(other_number, 10, right=other))
    [holder] = (await service.call("GET", "/v1/holders?ref=emp-1042")).json()["items"]
    assert (await service.call("POST", f"/v1/holders/{holder['id']}/clear-budget")).status_code == 200
    assert await reasons(service, code) == {"ok": 1}
    assert await reasons(service, other) == {"throttled": 1}
    code, _, _ = await a_code(service)
    assert await reasons(service, *wrong(number, 12, right=code)) == {"unknown": PER_NUMBER, "throttled": 2}


async def test_the_next_day_begins_a_new_budget(service: Service) -> None:
    await service.gate()
    code, number, pass_ = await a_code(service)
    await reasons(service, *wrong(number, 10, right=code))
    service.clock.advance(17 * 3600)  # 23:00
    late = (await service.token(pass_, "code"))["token"]
    assert await reasons(service, late) == {"throttled": 1}
    service.clock.advance(2 * 3600)  # 01:00
    early = (await service.token(pass_, "code"))["token"]
    assert await reasons(service, early) == {"ok": 1}


async def test_a_new_code_does_not_fill_the_budget_up(service: Service) -> None:
    await service.gate()
    code, number, pass_ = await a_code(service)
    for _ in range(3):
        await reasons(service, *wrong(number, 3, right=code))
        code = (await service.token(pass_, "code"))["token"]
    assert await reasons(service, *wrong(number, 4, right=code)) == {"unknown": 1, "throttled": 3}
    assert await reasons(service, (await service.token(pass_, "code"))["token"]) == {"throttled": 1}


async def test_a_restart_does_not_fill_the_budget_up(database_url: str) -> None:
    clock = in_the_morning()
    async with running_service(make_settings(database_url), clock=clock) as service:
        await service.gate()
        code, number, _ = await a_code(service)
        assert await reasons(service, *wrong(number, 6, right=code)) == {"unknown": 6}
    async with running_service(make_settings(database_url), clock=clock, key=service.key) as again:
        assert await reasons(again, *wrong(number, 6, right=code)) == {"unknown": 4, "throttled": 2}
        assert await reasons(again, code) == {"throttled": 1}


async def test_a_gate_takes_a_hundred_wrong_codes_a_day_and_then_one_in_ten_minutes(service: Service) -> None:
    await service.gate()
    await service.gate("back-door")
    guesses = [text for number in range(5000, 5013) for text in wrong(number, 9)]
    assert await reasons(service, *guesses) == {"unknown": PER_GATE, "throttled": 13 * 9 - PER_GATE}
    assert await reasons(service, (await a_code(service))[0]) == {"throttled": 1}
    assert await reasons(service, (await a_code(service))[0], gate="back-door") == {"ok": 1}
    for _ in range(2):
        service.clock.advance(TRICKLE / SECOND)
        assert await reasons(service, *wrong(6000, 4)) == {"unknown": 1, "throttled": 3}
    service.clock.advance(TRICKLE / SECOND)
    assert await reasons(service, (await a_code(service))[0]) == {"ok": 1}


async def test_what_is_throttled_spends_nothing_more(service: Service) -> None:
    await service.gate()
    code, number, _ = await a_code(service)
    await reasons(service, *wrong(number, 100, right=code))
    assert await reasons(service, (await a_code(service, "emp-7"))[0]) == {"ok": 1}


async def test_other_kinds_of_token_are_not_held_up_by_guesses(service: Service) -> None:
    await service.gate()
    guesses = [text for number in range(5000, 5010) for text in wrong(number, 10)]
    assert await reasons(service, *guesses) == {"unknown": 100}
    pass_ = await service.pass_()
    for kind in ("signed", "short"):
        assert await reasons(service, (await service.token(pass_, kind))["token"]) == {"ok": 1}


async def test_a_number_that_nobody_has_answers_like_one_that_somebody_has(service: Service) -> None:
    await service.gate()
    code, number, _ = await a_code(service)
    stranger = await service.tenant("umbrella")
    await stranger.gate()
    theirs = await a_code(stranger)
    assert theirs[1] == number
    known, unknown = wrong(number, 11, right=code), wrong(987_654, 11)
    for mine, nobodys in zip(known, unknown, strict=True):
        answers = [await service.verify(text) for text in (mine, nobodys)]
        for each in answers:
            del each["id"], each["at"]
        assert answers[0] == answers[1]
    assert answers[0]["reason"] == "throttled"
    assert await reasons(stranger, theirs[0]) == {"ok": 1}


async def test_another_tenants_guesses_are_its_own(service: Service) -> None:
    stranger = await service.tenant("umbrella")
    await service.gate()
    await stranger.gate()
    code, number, _ = await a_code(service)
    assert await reasons(stranger, *wrong(number, 12, right=code)) == {"unknown": PER_NUMBER, "throttled": 2}
    assert await reasons(service, code) == {"ok": 1}


async def test_a_new_code_takes_the_place_of_the_one_before(service: Service) -> None:
    await service.gate()
    code, _, pass_ = await a_code(service)
    other = await service.pass_()  # the same holder
    newer = (await service.token(other, "code"))["token"]
    assert await reasons(service, code) == {"token_revoked": 1}
    assert await reasons(service, newer) == {"ok": 1}
    assert pass_["id"] != other["id"]
