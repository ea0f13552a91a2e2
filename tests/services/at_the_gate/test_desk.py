"""A person at the desk: overrides, and the deny list at the gate."""

import pytest

from tests.service import Service

WHY = {"reason": "The visitor's host vouches for them."}


async def test_an_override_admits_against_the_rules_and_says_who_and_what_for(service: Service) -> None:
    await service.gate()
    key = await service.api_key("verifications:create", "verifications:override")
    key_id = (await service.call("GET", "/v1/api-keys")).json()["items"][0]["id"]
    token = await service.token(await service.pass_(max_entries=1))
    await service.verify(token["token"])
    answer = await service.verify(token["token"], key=key, override=WHY)
    assert (answer["decision"], answer["reason"], answer["flags"]) == (
        "admit",
        "ok",
        ["no_entries_left", "already_used"],
    )
    assert answer["override"] == {**WHY, "needed": "no_entries_left", "key": key_id}
    listed = (await service.call("GET", "/v1/verifications")).json()["items"][0]
    assert listed["override"] == answer["override"]


async def test_an_override_that_was_not_needed_says_so(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    answer = await service.verify(token["token"], override=WHY, request_id="r1")
    assert (answer["decision"], answer["flags"], answer["override"]["needed"]) == ("admit", [], None)
    again = await service.verify(token["token"], override=WHY, request_id="r1")
    assert again == {**answer, "repeated": "request_id"}


async def test_it_takes_the_scope(service: Service) -> None:
    await service.gate()
    key = await service.api_key("verifications:create")
    body = {"token": "GP1:X", "gate": "main-door", "override": WHY}
    answer = await service.call("POST", "/v1/verifications", key=key, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("token", ["GP1:NOTHING", "GP0" + "A" * 26, "100010000005"])
async def test_nothing_unknown_is_let_in(service: Service, token: str) -> None:
    await service.gate()
    answer = await service.verify(token, override=WHY)
    assert (answer["decision"], answer["override"]["needed"]) == ("deny", None)


async def test_undoing_an_override_does_not_make_a_used_token_good(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    await service.verify(token["token"])
    forced = await service.verify(token["token"], override=WHY)
    assert (await service.call("POST", f"/v1/verifications/{forced['id']}/undo")).status_code == 200
    assert (await service.verify(token["token"]))["reason"] == "already_used"


async def test_a_blocked_holder_is_refused_until_unblocked_and_cannot_be_overridden(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_("ada")
    holder = (await service.call("GET", "/v1/holders?ref=ada")).json()["items"][0]
    blocked = await service.call("POST", f"/v1/holders/{holder['id']}/block", json={"reason": "house ban"})
    assert blocked.json()["blocked"]["reason"] == "house ban"
    token = await service.token(pass_)
    for body in ({}, {"override": WHY}):
        answer = await service.verify(token["token"], **body)
        assert (answer["decision"], answer["reason"], answer["holder"]["ref"]) == ("deny", "holder_blocked", "ada")
    await service.call("POST", f"/v1/holders/{holder['id']}/unblock")
    assert (await service.verify(token["token"]))["reason"] == "ok"


async def test_a_blocked_token_is_refused_until_unblocked_also_within_a_repeat_window(service: Service) -> None:
    await service.gate(repeat_window_s=60)
    token = await service.token(await service.pass_())
    await service.verify(token["token"])
    await service.call("POST", f"/v1/tokens/{token['id']}/block", json={"reason": "seen on a forum"})
    assert (await service.verify(token["token"]))["reason"] == "token_blocked"
    await service.call("POST", f"/v1/tokens/{token['id']}/unblock")
    assert (await service.verify(token["token"]))["repeated"] == "window"


async def test_an_override_within_a_repeat_window_is_on_record(service: Service) -> None:
    await service.gate(repeat_window_s=60)
    token = await service.token(await service.pass_())
    first = await service.verify(token["token"])
    answer = await service.verify(token["token"], override=WHY)
    assert (answer["decision"], answer["repeated"], answer["flags"]) == ("admit", None, ["already_used"])
    assert answer["id"] != first["id"]
    recorded = await service.call("GET", f"/v1/verifications/{answer['id']}")
    assert recorded.json()["override"] == answer["override"]
