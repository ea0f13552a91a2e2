"""`/v1/verifications`: what is presented as text. Pictures have a file of their own."""

import asyncio
from typing import Any

import pytest

from app.core import base45
from app.core.damm import check_digit
from tests.faces.http.answers import TIME_US, assert_problem, shown_id
from tests.faces.http.endpoints import stored
from tests.service import Service

KINDS = ["signed", "short", "code"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_admits_once(service: Service, kind: str) -> None:
    await service.gate()
    token = await service.token(await service.pass_(), kind)
    first = await service.verify(token["token"])
    second = await service.verify(token["token"])
    assert (first["decision"], first["reason"]) == ("admit", "ok")
    assert (second["decision"], second["reason"]) == ("deny", "already_used")
    assert first["id"] != second["id"]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_admission_says_all_there_is(service: Service, kind: str) -> None:
    await service.gate()
    await service.create("/v1/holders", ref="emp-1042", name="Ada Lovelace")
    pass_ = await service.pass_()
    token = await service.token(pass_, kind)
    answer = await service.verify(token["token"], request_id="kiosk-1.000_7")
    listed = (await service.call("GET", "/v1/verifications")).json()
    assert listed == {"items": [answer], "next": None}
    assert shown_id("ver").fullmatch(answer.pop("id"))
    assert TIME_US.fullmatch(answer.pop("at"))
    assert answer == {
        "decision": "admit",
        "reason": "ok",
        "flags": [],
        "gate": "main-door",
        "direction": "entry",
        "pass": pass_["id"],
        "holder": {"ref": "emp-1042", "name": "Ada Lovelace"},
        "token_kind": kind,
        "repeated": None,
        "request_id": "kiosk-1.000_7",
        "people": 1,
        "people_left": 0,
        "not_before": None,
        "override": None,
        "undone_at": None,
    }


async def test_a_refusal_of_what_is_not_genuine_names_nobody(service: Service) -> None:
    await service.gate()
    answer = await service.verify("anything else")
    assert shown_id("ver").fullmatch(answer.pop("id"))
    assert TIME_US.fullmatch(answer.pop("at"))
    assert answer == {
        "decision": "deny",
        "reason": "unrecognised",
        "flags": [],
        "gate": "main-door",
        "direction": "entry",
        "pass": None,
        "holder": None,
        "token_kind": None,
        "repeated": None,
        "request_id": None,
        "people": 0,
        "people_left": 0,
        "not_before": None,
        "override": None,
        "undone_at": None,
    }


def forged(token: str) -> str:
    """The same token with another signature."""
    sealed = bytearray(base45.decode(token.removeprefix("GP1:")))
    sealed[-1] ^= 1
    return "GP1:" + base45.encode(bytes(sealed))


def another_code(code: str, away: int = 1) -> str:
    """Another code of the same holder, with its right check digit."""
    number, drawn = code[:-8], (int(code[-8:-1]) + away) % 10_000_000
    digits = f"{number}{drawn:07}"
    return digits + str(check_digit(digits))


async def assert_denied(
    service: Service, token: str, reason: str, *, genuine: bool, gate: str = "main-door"
) -> dict[str, Any]:
    answer = await service.verify(token, gate)
    assert (answer["decision"], answer["reason"], answer["flags"]) == ("deny", reason, [])
    assert (answer["pass"] is not None, answer["holder"] is not None) == (genuine, genuine)
    (kept,) = (await service.call("GET", "/v1/verifications?limit=1")).json()["items"]
    assert kept == answer
    return answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://example.com/",
        "gp1:",
        "GP2:x",
        "1042",
        "10428392017",
        "\uff11\uff10\uff10\uff10 \uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff14",
        "1042 83920174",
        "1042-8392-0174",
        "'; DROP TABLE tokens; --",
        "<script>alert(1)</script>",
        "\u202e1042",
        "x" * 7089,
    ],
)
async def test_what_is_no_token_is_unrecognised(still_service: Service, text: str) -> None:
    await assert_denied(still_service, text, "unrecognised", genuine=False)


@pytest.mark.parametrize("text", ["GP1:", "GP1:AAAA", "GP1:é", "GP0", "GP0" + "1" * 26, "GP0" + "A" * 25, "1" * 12])
async def test_a_broken_token_is_malformed(still_service: Service, text: str) -> None:
    await assert_denied(still_service, text, "malformed", genuine=False)


async def test_a_forged_token_has_a_bad_signature(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    await assert_denied(service, forged(token["token"]), "bad_signature", genuine=False)
    assert (await service.verify(token["token"]))["decision"] == "admit"


@pytest.mark.parametrize("kind", KINDS)
async def test_another_tenants_token_is_a_strangers(service: Service, kind: str) -> None:
    await service.gate()
    other = await service.tenant(f"globex-{kind}-{service.key[-9:].lower()}")
    token = await other.token(await other.pass_(), kind)
    reason = "bad_signature" if kind == "signed" else "unknown"
    await assert_denied(service, token["token"], reason, genuine=False)


async def test_a_wrong_code_is_unknown_whether_its_holder_exists_or_not(service: Service) -> None:
    await service.gate()
    code = (await service.token(await service.pass_(), "code"))["token"]
    await assert_denied(service, another_code(code), "unknown", genuine=False)
    digits = "4711" + code[4:-1]
    await assert_denied(service, digits + str(check_digit(digits)), "unknown", genuine=False)
    await assert_denied(service, "GP0" + "A" * 26, "unknown", genuine=False)


async def test_ten_wrong_codes_throttle_a_holder_until_the_desk_clears_it(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    code = (await service.token(pass_, "code"))["token"]
    for away in range(1, 11):
        await assert_denied(service, another_code(code, away), "unknown", genuine=False)
    await assert_denied(service, code, "throttled", genuine=False)
    (holder,) = (await service.call("GET", "/v1/holders")).json()["items"]
    cleared = await service.call("POST", f"/v1/holders/{holder['id']}/clear-budget")
    assert (cleared.status_code, cleared.json()) == (200, holder)
    assert (await service.verify(code))["decision"] == "admit"


async def test_a_slip_of_the_fingers_costs_nothing(sqlite_service: Service) -> None:
    await sqlite_service.gate()
    code = (await sqlite_service.token(await sqlite_service.pass_(), "code"))["token"]
    slip = code[:-1] + str((int(code[-1]) + 1) % 10)
    for _ in range(11):
        await assert_denied(sqlite_service, slip, "malformed", genuine=False)
    assert (await sqlite_service.verify(code))["decision"] == "admit"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_expires(service: Service, kind: str) -> None:
    await service.gate()
    pass_ = await service.pass_()
    token = await service.token(pass_, kind, ttl_s=60)
    service.clock.advance(92)
    answer = await assert_denied(service, token["token"], "expired", genuine=True)
    assert (answer["pass"], answer["holder"]) == (pass_["id"], {"ref": "emp-1042", "name": None})


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_from_a_clock_that_was_ahead_is_not_yet_valid(service: Service, kind: str) -> None:
    await service.gate()
    pass_ = await service.pass_()
    service.clock.advance(3600)
    token = await service.token(pass_, kind)
    service.clock.advance(-3600)
    await assert_denied(service, token["token"], "not_yet_valid", genuine=True)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_pass_has_its_window(service: Service, kind: str) -> None:
    await service.gate()
    pass_ = await service.pass_(valid_from="2030-01-01T00:00:00Z", valid_until="2031-01-01T00:00:00Z")
    token = await service.token(pass_, kind)
    await assert_denied(service, token["token"], "pass_not_yet_valid", genuine=True)
    window = {"valid_from": None, "valid_until": "2020-01-01T00:00:00Z"}
    await service.call("PATCH", f"/v1/passes/{pass_['id']}", json=window)
    await assert_denied(service, token["token"], "pass_expired", genuine=True)
    await service.call("PATCH", f"/v1/passes/{pass_['id']}", json={"valid_until": None})
    assert (await service.verify(token["token"]))["decision"] == "admit"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_pass_is_refused_while_suspended_and_once_revoked(service: Service, kind: str) -> None:
    await service.gate()
    pass_ = await service.pass_()
    token = await service.token(pass_, kind)
    for verb, reason in (("suspend", "pass_suspended"), ("revoke", "pass_revoked")):
        await service.call("POST", f"/v1/passes/{pass_['id']}/{verb}")
        await assert_denied(service, token["token"], reason, genuine=True)


async def test_a_resumed_pass_admits_again(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    token = await service.token(pass_)
    for verb in ("suspend", "resume"):
        await service.call("POST", f"/v1/passes/{pass_['id']}/{verb}")
    assert (await service.verify(token["token"]))["decision"] == "admit"


async def test_a_pass_admits_where_it_says(service: Service) -> None:
    await service.gate("a")
    await service.gate("b")
    token = await service.token(await service.pass_(gates=["a"]))
    await assert_denied(service, token["token"], "wrong_gate", genuine=True, gate="b")
    assert (await service.verify(token["token"], "a"))["decision"] == "admit"


async def test_a_pass_for_a_zone_opens_the_gates_of_the_zones_within(service: Service) -> None:
    for zone, within in (("site", None), ("hq", "site"), ("lab", "hq"), ("depot", "site")):
        await service.create("/v1/zones", id=zone, name=zone, within=within)
        await service.gate(f"into-{zone}", into_zone=zone)
    await service.gate("into-nothing")
    pass_ = await service.pass_(gates=[], zones=["hq"])
    reasons = {}
    for gate in ("into-site", "into-hq", "into-lab", "into-depot", "into-nothing"):
        reasons[gate] = (await service.verify((await service.token(pass_))["token"], gate))["reason"]
    assert reasons == {
        "into-site": "wrong_gate",
        "into-hq": "ok",
        "into-lab": "ok",
        "into-depot": "wrong_gate",
        "into-nothing": "wrong_gate",
    }


async def test_a_pass_has_its_entries(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_(max_entries=1)
    tokens = [await service.token(pass_) for _ in range(2)]
    assert (await service.verify(tokens[0]["token"]))["decision"] == "admit"
    await assert_denied(service, tokens[1]["token"], "no_entries_left", genuine=True)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_scanners_put_around_a_token_is_taken_off(service: Service, kind: str) -> None:
    await service.gate()
    for around in ("\\000026{}", "{}\r\n", "{}\t", " {} ", "\\000026{}\r"):
        token = await service.token(await service.pass_(), kind)
        assert (await service.verify(around.format(token["token"])))["decision"] == "admit"


async def test_nothing_else_of_a_token_is_repaired(still_service: Service) -> None:
    token = (await still_service.token(await still_service.pass_(), "short"))["token"]
    for spelling in (token.lower(), token + "=", f"\u00a0{token}", f"{token[:9]} {token[9:]}", f"\ufeff{token}"):
        assert (await still_service.verify(spelling))["decision"] == "deny"
    assert (await still_service.verify(token))["decision"] == "admit"


async def test_a_gate_that_is_not_there_is_not_found_and_burns_nothing(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    before = stored(service)
    for gate in ("nowhere", "Main-Door", "gate_0000000000000000000000"):
        body = {"token": token["token"], "gate": gate, "request_id": "r-1"}
        assert_problem(await service.call("POST", "/v1/verifications", json=body), 404)
    assert stored(service) == before
    assert (await service.verify(token["token"], request_id="r-1"))["decision"] == "admit"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_retry_gets_the_first_answer_again(service: Service, kind: str) -> None:
    await service.gate()
    token = await service.token(await service.pass_(), kind)
    first = await service.verify(token["token"], request_id="r-1")
    again = await service.verify(token["token"], request_id="r-1")
    assert first["repeated"] is None
    assert again == {**first, "repeated": "request_id"}
    listed = (await service.call("GET", "/v1/verifications")).json()["items"]
    assert listed == [first]


async def test_a_retry_of_a_refusal_gets_the_refusal_again(service: Service) -> None:
    await service.gate()
    first = await service.verify("nonsense", request_id="r-1")
    assert await service.verify("nonsense", request_id="r-1") == {**first, "repeated": "request_id"}


async def test_a_retry_is_looked_up_before_the_rules_are_asked(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    token = await service.token(pass_)
    await service.verify(token["token"], request_id="r-1")
    await service.call("POST", f"/v1/passes/{pass_['id']}/revoke")
    again = await service.verify(token["token"], request_id="r-1")
    assert (again["decision"], again["repeated"]) == ("admit", "request_id")


async def test_a_request_id_with_other_content_is_refused(service: Service) -> None:
    await service.gate()
    await service.gate("other")
    pass_ = await service.pass_()
    tokens = [(await service.token(pass_))["token"] for _ in range(2)]
    await service.verify(tokens[0], request_id="r-1")
    before = stored(service)
    for body in ({"token": tokens[1], "gate": "main-door"}, {"token": tokens[0], "gate": "other"}):
        answer = await service.call("POST", "/v1/verifications", json={**body, "request_id": "r-1"})
        assert_problem(answer, 409, "request_id_reused")
    assert stored(service) == before


async def test_a_request_id_counts_within_its_key(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    await service.verify(token["token"], request_id="r-1")
    other = await service.api_key("verifications:create")
    assert (await service.verify(token["token"], request_id="r-1", key=other))["reason"] == "already_used"


@pytest.mark.parametrize("request_id", ["", "a" * 65, "a b", "é", "a/b", "a\n", 1, True])
async def test_a_request_id_is_up_to_64_plain_characters(still_service: Service, request_id: Any) -> None:
    body = {"token": "x", "gate": "main-door", "request_id": request_id}
    assert_problem(await still_service.call("POST", "/v1/verifications", json=body), 422, field="request_id")


async def test_at_a_gate_for_both_directions_the_direction_is_said(service: Service) -> None:
    await service.gate(direction="both")
    token = await service.token(await service.pass_())
    answer = await service.call("POST", "/v1/verifications", json={"token": token["token"], "gate": "main-door"})
    assert_problem(answer, 422, field="direction")
    assert (await service.verify(token["token"], direction="entry"))["direction"] == "entry"
    out = await service.verify(token["token"], direction="exit")
    assert (out["decision"], out["reason"], out["direction"]) == ("deny", "already_used", "exit")


async def test_at_an_exit_nobody_is_held_back(service: Service) -> None:
    await service.gate("out", direction="exit")
    pass_ = await service.pass_()
    token = await service.token(pass_)
    await service.call("POST", f"/v1/passes/{pass_['id']}/revoke")
    for text, flag, holder in (
        (token["token"], "pass_revoked", {"ref": "emp-1042", "name": None}),
        ("nonsense", "unrecognised", None),
        ("GP1:x", "malformed", None),
        (forged(token["token"]), "bad_signature", None),
    ):
        answer = await service.verify(text, "out")
        assert (answer["decision"], answer["reason"], answer["flags"]) == ("admit", "ok", [flag])
        assert (answer["direction"], answer["holder"]) == ("exit", holder)


async def test_a_key_bound_to_the_exit_side_holds_nobody_back(service: Service) -> None:
    await service.gate(direction="both")
    key = await service.api_key("verifications:create", gate="main-door", side="exit")
    answer = await service.verify("nonsense", key=key)
    assert (answer["decision"], answer["flags"], answer["direction"]) == ("admit", ["unrecognised"], "exit")


async def test_a_key_bound_to_the_entry_side_need_not_say_so(service: Service) -> None:
    await service.gate(direction="both")
    key = await service.api_key("verifications:create", gate="main-door", side="entry")
    token = await service.token(await service.pass_())
    answer = await service.verify(token["token"], key=key)
    assert (answer["decision"], answer["direction"]) == ("admit", "entry")


async def test_a_polling_camera_gets_its_admission_again_for_a_while(service: Service) -> None:
    await service.gate(repeat_window_s=5)
    token = await service.token(await service.pass_())
    first = await service.verify(token["token"])
    again = await service.verify(token["token"])
    assert again == {**first, "repeated": "window"}
    assert len((await service.call("GET", "/v1/verifications")).json()["items"]) == 1
    other = await service.api_key("verifications:create")
    assert (await service.verify(token["token"], key=other))["reason"] == "already_used"
    service.clock.advance(6)
    assert (await service.verify(token["token"]))["reason"] == "already_used"


async def test_of_many_at_once_one_gets_in(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    answers = await asyncio.gather(*(service.verify(token["token"]) for _ in range(12)))
    assert sorted(answer["reason"] for answer in answers) == ["already_used"] * 11 + ["ok"]


async def test_of_many_at_once_with_one_request_id_all_get_the_same_answer(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    answers = await asyncio.gather(*(service.verify(token["token"], request_id="r-1") for _ in range(12)))
    assert {answer["id"] for answer in answers} == {answers[0]["id"]}
    assert sorted(str(answer["repeated"]) for answer in answers) == ["None"] + ["request_id"] * 11


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"gate": "main-door"},
        {"token": "x"},
        {"gate": "main-door", "token": None},
        {"gate": "main-door", "token": "x", "picture": "eA=="},
        {"gate": "main-door", "token": "x" * 7090},
        {"gate": "main-door", "token": "x", "direction": "both"},
        {"gate": "", "token": "x"},
        {"gate": ["main-door"], "token": "x"},
        {"gate": "main-door", "token": 1},
    ],
    ids=str,
)
async def test_a_token_or_a_picture_and_a_gate_are_needed(still_service: Service, body: dict[str, Any]) -> None:
    before = stored(still_service)
    assert_problem(await still_service.call("POST", "/v1/verifications", json=body), 422)
    assert stored(still_service) == before


async def test_verifications_are_listed_newest_first_by_what_is_asked_for(service: Service) -> None:
    await service.gate("a")
    await service.gate("b")
    passes = [await service.pass_("x"), await service.pass_("y")]
    tokens = [await service.token(pass_) for pass_ in passes]
    made = []
    for gate, token in (("a", tokens[0]), ("b", tokens[0]), ("b", tokens[1])):
        made.append(await service.verify(token["token"], gate))
        service.clock.advance(10)

    async def listed(**asked: str) -> Any:
        answer = await service.call("GET", "/v1/verifications", params=asked)
        assert answer.status_code == 200, answer.text
        assert answer.json()["next"] is None
        return [made.index(each) for each in answer.json()["items"]]

    assert await listed() == [2, 1, 0]
    assert await listed(gate="a") == [0]
    assert await listed(gate="nowhere") == []
    assert await listed(**{"pass": passes[0]["id"]}) == [1, 0]
    assert await listed(holder="y") == [2]
    assert await listed(holder="nobody") == []
    assert await listed(decision="deny") == [1]
    assert await listed(decision="admit", gate="b") == [2]
    assert await listed(since=made[1]["at"]) == [2, 1]
    assert await listed(until=made[1]["at"]) == [0]
    assert await listed(since=made[1]["at"], until=made[2]["at"]) == [1]
    assert await listed(holder="x", decision="deny", gate="b", since=made[0]["at"]) == [1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pass", "x"),
        ("pass", "hold_0000000000000000000000"),
        ("decision", "maybe"),
        ("since", "yesterday"),
        ("gate", ""),
        ("until", "2026-11-22"),
        ("holder", ""),
        ("limit", "x"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(still_service: Service, name: str, value: str) -> None:
    answer = await still_service.call("GET", "/v1/verifications", params={name: value})
    assert_problem(answer, 422, field=name)
