"""`/v1/tokens`."""

import re
from base64 import b64decode
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from app.effects.read_pictures import read_picture
from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.faces.http.endpoints import stored
from tests.service import Service

SHAPES = {
    "signed": r"GP1:[0-9A-Z $%*+./:-]{150,250}",
    "short": r"GP0[A-Z2-7]{26}",
    "code": r"1000[0-9]{8}",
}
LIFETIMES = {"signed": 60, "short": 60, "code": 300}
LONGEST = {"signed": 86_400, "short": 86_400, "code": 900}
KINDS = sorted(SHAPES)


def lifetime(token: dict[str, Any]) -> float:
    issued, expires = (datetime.fromisoformat(token[name]) for name in ("issued_at", "expires_at"))
    return (expires - issued).total_seconds()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_is_shown_once(service: Service, kind: str) -> None:
    pass_ = await service.pass_()
    made = await service.token(pass_, kind)
    assert lifetime(made) == LIFETIMES[kind]
    assert shown_id("tok").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("issued_at"))
    assert TIME.fullmatch(made.pop("expires_at"))
    text, display = made.pop("token"), made.pop("display")
    assert re.fullmatch(SHAPES[kind], text)
    assert display == (f"{text[:4]} {text[4:8]} {text[8:]}" if kind == "code" else None)
    assert made == {
        "kind": kind, "pass": pass_["id"], "gate": None, "reusable": False, "revoked_at": None, "blocked": None,
        "picture": None,
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_the_text_of_a_token_is_never_stored(service: Service, kind: str) -> None:
    token = await service.token(await service.pass_(), kind)
    rows = repr(stored(service))
    assert token["token"] not in rows
    assert token["token"][4:] not in rows


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_lives_from_5_seconds_to_its_kinds_longest(service: Service, kind: str) -> None:
    pass_ = await service.pass_()
    for ttl_s in (5, LONGEST[kind]):
        assert lifetime(await service.token(pass_, kind, ttl_s=ttl_s)) == ttl_s
    for wrong in (4, 0, -1, LONGEST[kind] + 1, 10**19, 60.0, "60", True):
        answer = await service.call("POST", "/v1/tokens", json={"pass": pass_["id"], "kind": kind, "ttl_s": wrong})
        assert_problem(answer, 422, field="ttl_s")


@pytest.mark.parametrize("kind", ["signed", "short"])
async def test_a_badge_lives_up_to_400_days_and_admits_again_and_again(service: Service, kind: str) -> None:
    await service.gate()
    pass_ = await service.pass_(max_entries=3)
    badge = await service.token(pass_, kind, reusable=True, ttl_s=400 * 86_400)
    assert (badge["reusable"], lifetime(badge)) == (True, 400 * 86_400)
    body = {"pass": pass_["id"], "kind": kind, "reusable": True, "ttl_s": 400 * 86_400 + 1}
    assert_problem(await service.call("POST", "/v1/tokens", json=body), 422, field="ttl_s")
    assert [(await service.verify(badge["token"]))["reason"] for _ in range(4)] == ["ok"] * 3 + ["no_entries_left"]


async def test_a_code_is_good_once(still_service: Service) -> None:
    body = {"pass": (await still_service.pass_())["id"], "kind": "code", "reusable": True}
    assert_problem(await still_service.call("POST", "/v1/tokens", json=body), 422, field="reusable")


async def test_a_holder_has_one_live_code(service: Service) -> None:
    await service.gate()
    passes = [await service.pass_() for _ in range(2)]
    codes = [await service.token(pass_, "code") for pass_ in passes]
    assert (await service.verify(codes[0]["token"]))["reason"] == "token_revoked"
    assert (await service.verify(codes[1]["display"]))["reason"] == "ok"


async def test_a_token_ends_with_its_pass(service: Service) -> None:
    now = datetime.fromtimestamp(service.clock.now() // 1_000_000, UTC)
    until = datetime.fromtimestamp(now.timestamp() + 30, UTC).isoformat().replace("+00:00", "Z")
    pass_ = await service.pass_(valid_until=until)
    assert (await service.token(pass_, ttl_s=3600))["expires_at"] == until
    service.clock.advance(31)
    answer = await service.call("POST", "/v1/tokens", json={"pass": pass_["id"], "kind": "signed"})
    assert_problem(answer, 409, "pass_not_active")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_pass_that_is_not_active_gets_no_token(service: Service, kind: str) -> None:
    pass_ = await service.pass_()
    for verb in ("suspend", "revoke"):
        await service.call("POST", f"/v1/passes/{pass_['id']}/{verb}")
        answer = await service.call("POST", "/v1/tokens", json={"pass": pass_["id"], "kind": kind})
        assert_problem(answer, 409, "pass_not_active")


async def test_a_token_is_for_a_pass_and_a_gate_that_are_there(service: Service) -> None:
    pass_ = await service.pass_()
    for body in ({"pass": "pass_0000000000000000000000"}, {"pass": "x"}, {"pass": pass_["id"], "gate": "nowhere"}):
        assert_problem(await service.call("POST", "/v1/tokens", json={"kind": "short", **body}), 404)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_can_be_bound_to_one_gate(service: Service, kind: str) -> None:
    await service.gate("a")
    await service.gate("b")
    token = await service.token(await service.pass_(), kind, gate="a")
    assert token["gate"] == "a"
    assert (await service.verify(token["token"], "b"))["reason"] == "wrong_gate"
    assert (await service.verify(token["token"], "a"))["reason"] == "ok"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_revoked_token_is_refused_from_the_answer_on(service: Service, kind: str) -> None:
    await service.gate()
    token = await service.token(await service.pass_(), kind)
    answers = [await service.call("POST", f"/v1/tokens/{token['id']}/revoke") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    revoked = answers[0].json()
    assert answers[1].json() == revoked
    assert TIME.fullmatch(revoked["revoked_at"])
    kept = ("id", "kind", "pass", "issued_at", "expires_at", "gate", "reusable", "blocked")
    assert revoked == {name: token[name] for name in kept} | {"revoked_at": revoked["revoked_at"]}
    assert (await service.verify(token["token"]))["reason"] == "token_revoked"


async def test_a_token_that_is_not_there_cannot_be_revoked(service: Service) -> None:
    for id_ in ("tok_0000000000000000000000", "x"):
        assert_problem(await service.call("POST", f"/v1/tokens/{id_}/revoke"), 404)


@pytest.mark.parametrize(("form", "media_type"), [("png", "image/png"), ("svg", "image/svg+xml")])
async def test_a_picture_comes_as_a_data_uri(still_service: Service, form: str, media_type: str) -> None:
    token = await still_service.token(await still_service.pass_(), picture=form)
    head, _, encoded = token["picture"].partition(",")
    assert head == f"data:{media_type};base64"
    picture = b64decode(encoded, validate=True)
    if form == "png":
        assert read_picture(picture) == [token["token"]]
    else:
        assert picture.startswith(b"<svg ")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("image/png", "image/png"),
        ("IMAGE/PNG", "image/png"),
        ("image/svg+xml", "image/svg+xml"),
        ("image/png, image/svg+xml", "image/png"),
        ("image/png;q=0.5, image/svg+xml;q=0.9", "image/svg+xml"),
        ("image/svg+xml, */*;q=0.1", "image/svg+xml"),
        ("image/png;q=0, */*", "application/json"),
        ("application/json, image/png;q=0.5", "application/json"),
        ("*/*", "application/json"),
        ("image/*", "image/png"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "application/json"),
        ("nonsense;q=x,,;;", "application/json"),
        ("image/png;q=nan", "application/json"),
        ("text/plain, " * 100 + "*/*", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_answer_is_what_accept_prefers(still_service: Service, accept: str, media_type: str) -> None:
    pass_ = await still_service.pass_()
    answer = await still_service.call(
        "POST", "/v1/tokens", json={"pass": pass_["id"], "kind": "short"}, headers={"Accept": accept}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (201, media_type)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_picture_by_itself_says_its_tokens_id_and_its_end(service: Service, kind: str) -> None:
    await service.gate()
    pass_ = await service.pass_()
    wish = {"pass": pass_["id"], "kind": kind, "ttl_s": 120}
    before = service.clock.now() // 1_000_000
    answer = await service.call("POST", "/v1/tokens", json=wish, headers={"Accept": "image/png"})
    after = service.clock.now() // 1_000_000
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert before + 120 <= parsedate_to_datetime(answer.headers["expires"]).timestamp() <= after + 120
    assert answer.headers["expires"].endswith(" GMT")
    (text,) = read_picture(answer.content)
    assert (await service.verify(text))["decision"] == "admit"
    revoked = await service.call("POST", f"/v1/tokens/{answer.headers['gatepass-token-id']}/revoke")
    assert revoked.status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "rotating"),
        ("kind", "SIGNED"),
        ("kind", None),
        ("pass", 1),
        ("pass", None),
        ("pass", "a" * 65),
        ("reusable", 1),
        ("reusable", "true"),
        ("reusable", None),
        ("picture", "gif"),
        ("picture", True),
        ("gate", ""),
    ],
)
async def test_what_a_token_cannot_be_is_refused(still_service: Service, field: str, value: Any) -> None:
    body = {"pass": (await still_service.pass_())["id"], "kind": "signed", field: value}
    assert_problem(await still_service.call("POST", "/v1/tokens", json=body), 422, field=field)
