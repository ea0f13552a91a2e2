"""Simulation: what would be decided, without deciding it."""

from typing import Any

import pytest

from app.core.rule import Need
from app.core.rules import RULES
from app.core.tokens.code import CODE
from tests.faces.http.endpoints import stored
from tests.service import Service


async def simulate(service: Service, **body: Any) -> dict[str, Any]:
    answer = await service.call("POST", "/v1/verifications/simulate", json={"gate": "main-door", **body})
    assert answer.status_code == 200, answer.text
    simulated: dict[str, Any] = answer.json()
    return simulated


async def site(service: Service) -> dict[str, Any]:
    await service.create("/v1/zones", id="hq", name="hq", capacity=1, anti_passback="soft")
    await service.gate(into_zone="hq")
    return await service.pass_(max_entries=2, max_entries_per_day=2, min_interval_s=60)


async def test_it_says_what_the_gate_says_and_changes_nothing(service: Service) -> None:
    pass_ = await site(service)
    token = await service.token(pass_, "short")
    same = ("decision", "reason", "flags", "gate", "direction", "pass", "holder", "people", "people_left", "not_before")
    for reason in ("ok", "already_used"):
        before = stored(service)
        simulated = await simulate(service, token=token["token"])
        assert simulated["reason"] == reason
        assert simulated["rule"] == (None if reason == "ok" else reason)
        assert stored(service) == before
        real = await service.verify(token["token"])
        assert {name: real[name] for name in same} == {name: simulated[name] for name in same}


async def test_every_rule_says_what_it_thinks(service: Service) -> None:
    pass_ = await site(service)
    token = await service.token(pass_)
    await service.verify(token["token"])
    simulated = await simulate(service, token=token["token"])
    assert [each["rule"] for each in simulated["rules"]] == [
        rule.code for rule in RULES if Need.OFFLINE not in rule.needs
    ]
    refuse = {each["rule"]: each["not_before"] for each in simulated["rules"] if each["refuses"]}
    assert set(refuse) == {"already_used", "too_soon"}
    assert refuse["too_soon"] is not None
    assert [each["rule"] for each in simulated["rules"] if each["flags"]] == ["anti_passback"]


async def test_a_pass_can_be_tried_at_any_time(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_(valid_from="2030-06-01T00:00:00Z", valid_until="2030-07-01T00:00:00Z")
    too_soon = await simulate(service, **{"pass": pass_["id"]})
    assert (too_soon["reason"], too_soon["not_before"]) == ("pass_not_yet_valid", "2030-06-01T00:00:00Z")
    then = await simulate(service, **{"pass": pass_["id"], "at": "2030-06-15T09:30:00Z"})
    assert (then["decision"], then["at"], then["pass"]) == ("admit", "2030-06-15T09:30:00.000000Z", pass_["id"])
    assert (await simulate(service, **{"pass": pass_["id"], "at": "2031-01-01T00:00:00Z"}))["reason"] == "pass_expired"


async def test_what_is_no_token_is_refused_before_any_rule(service: Service) -> None:
    await service.gate()
    simulated = await simulate(service, token="GP1:NOTHING")
    assert (simulated["reason"], simulated["rule"], simulated["rules"]) == ("malformed", None, [])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"token": "a", "pass": "pass_1"}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"token": "a", "gate": "nowhere"}, 404, "not_found"),
        ({"pass": "pass_0352LaERscjMMYF4Q7FAgG"}, 404, "not_found"),
        ({"token": CODE.mint(1000, 1234567)}, 422, "invalid"),
        ({"token": "a", "gate": "hall"}, 422, "invalid"),
        ({"token": "a", "at": "yesterday"}, 422, "invalid"),
    ],
)
async def test_what_cannot_be_simulated_is_refused(
    sqlite_service: Service, body: dict[str, Any], status: int, code: str
) -> None:
    await sqlite_service.gate()
    await sqlite_service.gate("hall", direction="both")
    body = {"gate": "main-door", **body}
    answer = await sqlite_service.call("POST", "/v1/verifications/simulate", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_it_takes_the_scope(sqlite_service: Service) -> None:
    key = await sqlite_service.api_key("verifications:create")
    answer = await sqlite_service.call("POST", "/v1/verifications/simulate", key=key, json={"gate": "a", "token": "b"})
    assert answer.status_code == 403
