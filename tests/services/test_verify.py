"""What settling means at a gate: retries, repeats, revocation, exits."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.services.api_keys import add_key
from app.services.purge import purge
from app.services.tenants import raise_epoch
from app.storage.tables import api_keys, redemptions, request_ids, verifications
from app.storage.transaction import Transaction
from tests.service import Service
from tests.storage.conftest import opened

Json = dict[str, Any]


def stored(service_url: str, *columns: Any) -> list[tuple[Any, ...]]:
    with opened(service_url) as database:
        return database.rows(select(*columns))


def short(answer: Json) -> tuple[str, str, str | None]:
    return answer["decision"], answer["reason"], answer["repeated"]


async def test_the_same_request_id_gets_the_first_answer_again(service: Service, database_url: str) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    first = await service.verify(token["token"], request_id="r-1")
    again = [await service.verify(token["token"], request_id="r-1") for _ in range(3)]
    assert short(first) == ("admit", "ok", None)
    assert again == [first | {"repeated": "request_id"}] * 3
    assert stored(database_url, request_ids.c.replays) == [(3,)]
    assert stored(database_url, func.count(verifications.c.id)) == [(1,)]


async def test_a_denial_is_given_again_too(service: Service, database_url: str) -> None:
    await service.gate()
    pass_ = await service.pass_()
    token = await service.token(pass_)
    await service.call("POST", f"/v1/passes/{pass_['id']}/suspend")
    first = await service.verify(token["token"], request_id="r-1")
    await service.call("POST", f"/v1/passes/{pass_['id']}/resume")
    assert short(first) == ("deny", "pass_suspended", None)
    assert await service.verify(token["token"], request_id="r-1") == first | {"repeated": "request_id"}
    assert short(await service.verify(token["token"], request_id="r-2")) == ("admit", "ok", None)


async def test_a_request_id_is_found_before_the_rules_are_asked(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    token = await service.token(pass_, ttl_s=60)
    first = await service.verify(token["token"], request_id="r-1")
    await service.call("POST", f"/v1/passes/{pass_['id']}/revoke")
    await service.call("POST", f"/v1/tokens/{token['id']}/revoke")
    service.clock.advance(3600)
    assert await service.verify(token["token"], request_id="r-1") == first | {"repeated": "request_id"}
    assert short(await service.verify(token["token"], request_id="r-2")) == ("deny", "token_revoked", None)


@pytest.mark.parametrize("otherwise", ["token", "gate", "direction"])
async def test_a_request_id_with_other_content_is_refused(service: Service, otherwise: str) -> None:
    await service.gate("hall", direction="both")
    await service.gate("back", direction="both")
    pass_ = await service.pass_()
    one, other = [(await service.token(pass_))["token"] for _ in range(2)]
    asked = {"token": one, "gate": "hall", "direction": "entry", "request_id": "r-1"}
    changed = (
        asked | {"token": {"token": other}, "gate": {"gate": "back"}, "direction": {"direction": "exit"}}[otherwise]
    )
    assert (await service.call("POST", "/v1/verifications", json=asked)).status_code == 200
    refused = await service.call("POST", "/v1/verifications", json=changed)
    assert (refused.status_code, refused.json()["code"]) == (409, "request_id_reused")
    assert (await service.call("POST", "/v1/verifications", json=asked)).json()["repeated"] == "request_id"


async def test_a_token_in_another_dress_is_the_same_content(service: Service) -> None:
    await service.gate()
    code = await service.token(await service.pass_(), "code")
    first = await service.verify(code["token"], request_id="r-1")
    assert code["display"] != code["token"]
    assert await service.verify(f"{code['display']}\r\n", request_id="r-1") == first | {"repeated": "request_id"}


async def test_request_ids_of_two_keys_are_two(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    kiosks = [await service.api_key("verifications:create", gate="main-door") for _ in range(2)]
    answers = [await service.verify(token["token"], key=key, request_id="r-1") for key in kiosks]
    assert [short(answer) for answer in answers] == [("admit", "ok", None), ("deny", "already_used", None)]


async def test_request_ids_of_a_rolled_key_are_those_of_the_key_before_it(service: Service, database_url: str) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    before = await service.create("/v1/api-keys", name="kiosk", scopes=["verifications:create"])

    def roll(tx: Transaction) -> str | None:
        return add_key(service.context, tx, "acme", name="rolled", scopes=["verifications:create"]).secret

    rolled = await service.context.store.write(roll)
    with opened(database_url) as database:
        root = select(api_keys.c.id).where(api_keys.c.name == "kiosk").scalar_subquery()
        database.execute(update(api_keys).where(api_keys.c.name == "rolled").values(root=root))
    first = await service.verify(token["token"], key=before["secret"], request_id="r-1")
    again = await service.verify(token["token"], key=rolled, request_id="r-1")
    assert again == first | {"repeated": "request_id"}


async def test_request_ids_are_forgotten_after_thirty_days(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_(), reusable=True, ttl_s=400 * 86_400)
    first = await service.verify(token["token"], request_id="r-1")
    service.clock.advance(29 * 86_400)
    await purge(service.context)
    assert (await service.verify(token["token"], request_id="r-1"))["id"] == first["id"]
    service.clock.advance(2 * 86_400)
    await purge(service.context)
    fresh = await service.verify(token["token"], request_id="r-1")
    assert short(fresh) == ("admit", "ok", None)
    assert fresh["id"] != first["id"]


async def test_within_the_window_the_same_token_is_let_in_again_without_a_second_record(
    service: Service, database_url: str
) -> None:
    await service.gate(repeat_window_s=5)
    token = await service.token(await service.pass_(), ttl_s=5)
    first = await service.verify(token["token"])
    service.clock.advance(3)
    again = await service.verify(token["token"])
    assert again == first | {"repeated": "window"}
    assert stored(database_url, func.count(verifications.c.id)) == [(1,)]
    assert stored(database_url, redemptions.c.repeats) == [(1,)]
    service.clock.advance(3)
    assert short(await service.verify(token["token"])) == ("deny", "already_used", None)


async def test_expiry_does_not_end_the_window(service: Service) -> None:
    await service.gate(repeat_window_s=600)
    token = await service.token(await service.pass_(max_entries=1), ttl_s=5)
    assert short(await service.verify(token["token"])) == ("admit", "ok", None)
    service.clock.advance(120)
    assert short(await service.verify(token["token"])) == ("admit", "ok", "window")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("passes/{pass}/revoke", "pass_revoked"),
        ("passes/{pass}/suspend", "pass_suspended"),
        ("tokens/{id}/revoke", "token_revoked"),
    ],
)
async def test_revocation_and_suspension_end_the_window(service: Service, path: str, reason: str) -> None:
    await service.gate(repeat_window_s=60)
    token = await service.token(await service.pass_())
    await service.verify(token["token"])
    assert (await service.call("POST", "/v1/" + path.format(**token))).status_code == 200
    assert short(await service.verify(token["token"])) == ("deny", reason, None)


async def test_the_window_is_of_one_gate_one_credential_and_one_direction(service: Service) -> None:
    await service.gate("hall", direction="both", repeat_window_s=60)
    await service.gate("back", repeat_window_s=60)
    kiosk = await service.api_key("verifications:create")
    token = (await service.token(await service.pass_()))["token"]
    assert short(await service.verify(token, "hall", direction="entry")) == ("admit", "ok", None)
    assert short(await service.verify(token, "back")) == ("deny", "already_used", None)
    assert short(await service.verify(token, "hall", direction="exit")) == ("deny", "already_used", None)
    assert short(await service.verify(token, "hall", direction="entry", key=kiosk)) == ("deny", "already_used", None)
    assert short(await service.verify(token, "hall", direction="entry")) == ("admit", "ok", "window")


async def test_a_window_repeat_under_a_request_id_can_be_retried(service: Service) -> None:
    await service.gate(repeat_window_s=60)
    token = (await service.token(await service.pass_()))["token"]
    first = await service.verify(token)
    repeat = await service.verify(token, request_id="r-1")
    assert repeat == first | {"repeated": "window", "request_id": "r-1"}
    for _ in range(2):  # the relay was moved for the first: what the window gave again does not move it now
        assert await service.verify(token, request_id="r-1") == repeat


async def test_a_revoked_pass_is_refused_from_the_moment_of_the_answer(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    badge = (await service.token(pass_, reusable=True))["token"]
    answered: list[tuple[bool, str]] = []
    revoked = False

    async def at_the_gate() -> None:
        for _ in range(25):
            asked_after = revoked
            answered.append((asked_after, (await service.verify(badge))["reason"]))

    async def at_the_desk() -> None:
        nonlocal revoked
        await asyncio.sleep(0.05)
        assert (await service.call("POST", f"/v1/passes/{pass_['id']}/revoke")).status_code == 200
        revoked = True

    await asyncio.gather(at_the_desk(), *(at_the_gate() for _ in range(8)))
    assert {reason for asked_after, reason in answered if asked_after} == {"pass_revoked"}
    assert {reason for asked_after, reason in answered if not asked_after} >= {"ok"}


async def test_at_an_exit_everybody_is_let_out_and_told_what_was_wrong(service: Service) -> None:
    await service.gate("way-out", direction="exit")
    await service.gate()
    pass_ = await service.pass_(max_entries=1)
    token = (await service.token(pass_))["token"]
    await service.verify(token)
    other = (await service.token(await service.pass_("other")))["token"]

    used = await service.verify(token, "way-out")
    assert (used["decision"], used["reason"], used["flags"]) == ("admit", "ok", ["already_used"])
    assert (used["direction"], used["pass"]) == ("exit", pass_["id"])
    good = await service.verify(other, "way-out")
    assert (good["decision"], good["flags"]) == ("admit", [])
    assert short(await service.verify(other)) == ("admit", "ok", None)  # going out used nothing up
    nonsense = await service.verify("nonsense", "way-out")
    assert (nonsense["decision"], nonsense["flags"], nonsense["pass"]) == ("admit", ["unrecognised"], None)
    await service.call("POST", f"/v1/passes/{pass_['id']}/revoke")
    revoked = await service.verify(token, "way-out")
    assert (revoked["decision"], revoked["flags"]) == ("admit", ["pass_revoked"])
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 1


async def test_a_key_bound_to_the_exit_side_lets_everybody_out_and_nobody_in(service: Service) -> None:
    await service.gate("hall", direction="both")
    outside = await service.api_key("verifications:create", gate="hall", side="exit")
    inside = await service.api_key("verifications:create", gate="hall", side="entry")
    token = (await service.token(await service.pass_()))["token"]
    out = await service.verify("nonsense", "hall", key=outside)
    assert (out["decision"], out["direction"], out["flags"]) == ("admit", "exit", ["unrecognised"])
    out = await service.verify(token, "hall", key=outside, direction="entry")
    assert (out["decision"], out["direction"]) == ("admit", "exit")
    entry = await service.verify(token, "hall", key=inside, direction="entry")
    assert (entry["decision"], entry["direction"]) == ("admit", "entry")


async def test_at_a_gate_for_both_directions_the_direction_has_to_be_said(service: Service, database_url: str) -> None:
    await service.gate("hall", direction="both")
    token = (await service.token(await service.pass_()))["token"]
    answer = await service.call("POST", "/v1/verifications", json={"token": token, "gate": "hall"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["direction"]
    assert stored(database_url, verifications.c.id) == []
    denied = await service.verify("nonsense", "hall", direction="exit")
    assert short(denied) == ("deny", "unrecognised", None)  # decided like an entry: the key is not bound to the exit
    assert short(await service.verify(token, "hall", direction="exit")) == ("admit", "ok", None)


async def test_a_gate_that_is_not_there_is_a_mistake(service: Service) -> None:
    token = (await service.token(await service.pass_()))["token"]
    answer = await service.call("POST", "/v1/verifications", json={"token": token, "gate": "nowhere"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_another_tenants_token_is_unknown_and_not_used_up(service: Service) -> None:
    other = await service.tenant("umbrella")
    await service.gate()
    await other.gate()
    pass_ = await service.pass_()
    for kind in ("short", "code"):
        token = (await service.token(pass_, kind))["token"]
        denied = await other.verify(token)
        assert (denied["reason"], denied["pass"], denied["holder"]) == ("unknown", None, None)
        assert (await service.verify(token))["decision"] == "admit"
    signed = (await service.token(pass_))["token"]
    assert (await other.verify(signed))["reason"] == "bad_signature"
    assert (await service.verify(signed))["decision"] == "admit"


async def test_a_raised_epoch_refuses_every_token_issued_before(service: Service) -> None:
    await service.gate(repeat_window_s=60)
    pass_ = await service.pass_()
    before = [(await service.token(pass_, kind))["token"] for kind in ("signed", "short", "code")]
    await service.verify(before[0])
    assert await raise_epoch(service.context, "acme") == 1
    assert {(await service.verify(text))["reason"] for text in before} == {"token_revoked"}
    assert (await service.verify((await service.token(pass_))["token"]))["decision"] == "admit"


async def test_what_was_decided_is_listed_newest_first(service: Service) -> None:
    await service.gate()
    tokens = [
        (await service.token(await service.pass_(f"emp-{n}"), kind))["token"]
        for n, kind in enumerate(("signed", "short", "code"))
    ]
    answers = [await service.verify(text) for text in [*tokens, "nonsense", tokens[0]]]
    listed = (await service.call("GET", "/v1/verifications")).json()["items"]
    assert listed == answers[::-1]


async def test_on_the_way_out_a_picture_that_cannot_be_read_holds_nobody_back(service: Service) -> None:
    await service.gate("way-out", direction="exit")
    await service.gate("way-in")
    picture = {"picture": "bm8gcGljdHVyZQ==", "gate": "way-out"}
    await service.verify("GP0", "way-out")  # the gate has been seen
    out = await service.call("POST", "/v1/verifications", json=picture)
    assert (out.json()["decision"], out.json()["flags"]) == ("admit", ["no_code_in_picture"])
    way_in = await service.call("POST", "/v1/verifications", json=picture | {"gate": "way-in"})
    assert way_in.status_code == 422
