"""`/v1/devices`: set up by a token that is good once, moved, revoked; and what a device asks for itself."""

from base64 import b64decode
from typing import Any

import httpx

from app.core.ids import show
from app.effects.read_pictures import read_picture
from app.services.credentials import SCOPES
from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.faces.http.endpoints import ENDPOINTS, seed, stored
from tests.service import Service

PATH = "/v1/devices"
CANARY = "Canary7f3a"
OF_A_DEVICE = ["bundles:read", "devices:report", "verifications:create", "verifications:sync"]
Json = dict[str, Any]


async def shown(service: Service, token: object, **body: Any) -> httpx.Response:
    """A set-up token, shown by somebody who has no key."""
    return await service.http.post(f"{PATH}/initialize", json={"handshake_version": 1, "token": token, **body})


async def exchanged(service: Service, made: Json, **body: Any) -> str:
    """The key of a device that was set up."""
    answer = await shown(service, made["setup"]["token"], **body)
    assert answer.status_code == 200, answer.text
    key: str = answer.json()["api_key"]
    return key


async def kiosk(service: Service, gate: str = "main-door", **body: Any) -> tuple[Json, str]:
    """A new device and its key."""
    made = await service.create(PATH, **{"name": "A kiosk", "gate": gate, **body})
    return made, await exchanged(service, made)


async def reported(service: Service, key: str, **body: Any) -> httpx.Response:
    return await service.call("POST", f"{PATH}/report", key=key, json=body)


async def test_a_device_is_set_up_and_admits_at_its_gate(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, name="Tablet at the door", gate="main-door")
    answer = await shown(service, made["setup"]["token"], software="kiosk 1.0")
    assert answer.status_code == 200
    key = answer.json().pop("api_key")
    assert answer.json() == {"device": made["id"], "gate": "main-door", "api_key": key}
    token = await service.token(await service.pass_())
    assert (await service.verify(token["token"], key=key))["decision"] == "admit"
    device = (await service.call("GET", f"{PATH}/{made['id']}")).json()
    assert (device["software"], device["name"]) == ("kiosk 1.0", "Tablet at the door")
    assert TIME.fullmatch(device["initialized_at"])
    setup = made["setup"]["token"]
    assert not [secret for secret in (setup, key) if secret in repr(stored(service)) + repr(device)]


async def test_a_new_device_and_how_it_is_set_up(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, name="Tablet", gate="main-door")
    setup = made.pop("setup")
    assert (await service.call("GET", f"{PATH}/{made['id']}")).json() == made
    assert (await service.call("GET", PATH)).json() == {"items": [made], "next": None}
    assert shown_id("dev").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {
        "name": "Tablet", "gate": "main-door", "side": None, "software": None, "battery": None, "last_seen_at": None,
        "initialized_at": None,
    }  # fmt: skip
    assert setup["handshake_version"] == 1
    assert setup["url"] == f"http://gatepass.test/kiosk#setup={setup['token']}&v=1"
    kind, _, picture = setup["qr"].partition(",")
    assert kind == "data:image/png;base64"
    assert read_picture(b64decode(picture)) == [setup["url"]]


async def test_a_repeated_create_gives_the_device_without_its_set_up_token(service: Service) -> None:
    await service.gate()
    headers, body = {"Idempotency-Key": "order-1"}, {"name": "Tablet", "gate": "main-door"}
    first = (await service.call("POST", PATH, json=body, headers=headers)).json()
    again = await service.call("POST", PATH, json=body, headers=headers)
    assert again.status_code == 201
    assert again.json() == {**first, "setup": {**first["setup"], "url": None, "token": None, "qr": None}}
    await exchanged(service, first)


async def test_a_device_may_verify_at_its_gate_and_nothing_else(sqlite_service: Service) -> None:
    service = sqlite_service
    made = await seed(service)
    key = made["device_key"]
    before = stored(service)
    for endpoint in ENDPOINTS:
        if endpoint.scope in OF_A_DEVICE or endpoint.scope is None:
            continue
        arguments = {} if endpoint.body is None else {"json": endpoint.filled(made)}
        answer = await service.call(endpoint.method, endpoint.at(made), key=key, **arguments)
        assert_problem(answer, 403)
    undo = f"/v1/verifications/{made['verification']}/undo"
    assert_problem(await service.call("POST", undo, key=key), 403)
    for gate in (made["spare_gate"], "nowhere"):
        body = {"gate": gate, "token": made["text"]}
        assert_problem(await service.call("POST", "/v1/verifications", key=key, json=body), 403)
    body = {"gate": made["gate"], "token": made["text"], "override": {"reason": "let me in"}}
    assert_problem(await service.call("POST", "/v1/verifications", key=key, json=body), 403)
    assert stored(service) == before
    decided = await service.verify(made["text"], made["gate"], key=key)
    assert decided["decision"] == "admit"
    assert (await service.call("POST", f"/v1/verifications/{decided['id']}/undo", key=key)).status_code == 200


async def test_only_a_device_reports_and_rolls(service: Service) -> None:
    await service.gate()
    keys = [service.key, await service.api_key("devices:report"), await service.api_key(*SCOPES)]
    before = stored(service)
    for key in keys:
        for call in ("report", "roll"):
            problem = assert_problem(await service.call("POST", f"{PATH}/{call}", key=key, json={}), 403)
            assert "device" in problem["detail"]
    assert stored(service) == before


async def test_the_keys_of_devices_are_not_among_the_api_keys(service: Service) -> None:
    await service.gate()
    _, key = await kiosk(service)
    listed = (await service.call("GET", "/v1/api-keys")).json()["items"]
    assert [each["scopes"] for each in listed] == [["admin"]]
    caller = await service.context.credentials.authenticate(key)
    assert caller is not None
    assert_problem(await service.call("DELETE", f"/v1/api-keys/{show('key', caller.id)}"), 404)
    assert (await reported(service, key)).status_code == 200


async def test_a_device_says_how_it_is_and_learns_what_it_is(service: Service) -> None:
    await service.gate()
    made, key = await kiosk(service)
    first = (await reported(service, key, software="kiosk 1.0", battery=80)).json()
    assert TIME.fullmatch(first["last_seen_at"])
    assert (first["software"], first["battery"], first["gate"]) == ("kiosk 1.0", 80, "main-door")
    await service.call("PATCH", f"{PATH}/{made['id']}", json={"name": "By the lift"})
    second = (await reported(service, key)).json()
    assert (second["name"], second["software"], second["battery"]) == ("By the lift", "kiosk 1.0", 80)
    third = (await reported(service, key, battery=None)).json()
    assert (third["battery"], third["software"]) == (None, "kiosk 1.0")
    assert first["last_seen_at"] < second["last_seen_at"] < third["last_seen_at"]
    seen = (await service.call("GET", f"{PATH}/{made['id']}")).json()
    assert seen["last_seen_at"] >= third["last_seen_at"]
    for battery in (-1, 101, 50.5, "50", True):
        assert_problem(await reported(service, key, battery=battery), 422, field="battery")


async def test_a_device_whose_gate_is_gone_is_told_so_until_it_is_moved(service: Service) -> None:
    for gate in ("main-door", "back-door"):
        await service.gate(gate)
    made, key = await kiosk(service)
    await service.call("DELETE", "/v1/gates/main-door")
    problem = assert_problem(await reported(service, key, battery=70), 404)
    assert "no such gate" in problem["detail"]
    device = (await service.call("GET", f"{PATH}/{made['id']}")).json()
    assert (device["gate"], device["battery"]) == ("main-door", 70)
    body = {"gate": "main-door", "token": "GP1:X"}
    assert_problem(await service.call("POST", "/v1/verifications", key=key, json=body), 404)
    renamed = await service.call("PATCH", f"{PATH}/{made['id']}", json={"name": "Still here"})
    assert renamed.status_code == 200
    moved = await service.call("PATCH", f"{PATH}/{made['id']}", json={"gate": "back-door"})
    assert moved.status_code == 200
    assert (await reported(service, key)).json()["gate"] == "back-door"


async def test_a_device_that_is_moved_verifies_at_its_new_gate_only(service: Service) -> None:
    for gate in ("main-door", "back-door"):
        await service.gate(gate)
    made, key = await kiosk(service)
    moved = await service.call("PATCH", f"{PATH}/{made['id']}", json={"gate": "back-door"})
    assert moved.json()["gate"] == "back-door"
    tokens = [(await service.token(await service.pass_()))["token"] for _ in range(2)]
    assert (await service.verify(tokens[0], "back-door", key=key))["decision"] == "admit"
    body = {"gate": "main-door", "token": tokens[1]}
    assert_problem(await service.call("POST", "/v1/verifications", key=key, json=body), 403)
    assert (await reported(service, key)).json()["gate"] == "back-door"


async def test_a_device_has_a_side_that_its_gate_has(service: Service) -> None:
    for gate, direction in (("in", "entry"), ("out", "exit"), ("hall", "both")):
        await service.gate(gate, direction=direction)
    before = stored(service)
    for gate, side in (("in", "exit"), ("out", "entry")):
        body = {"name": "Tablet", "gate": gate, "side": side}
        assert_problem(await service.call("POST", PATH, json=body), 422, field="side")
    assert stored(service) == before
    made, key = await kiosk(service, "hall", side="exit")
    assert_problem(await service.call("PATCH", f"{PATH}/{made['id']}", json={"gate": "in"}), 422, field="side")
    token = (await service.token(await service.pass_()))["token"]
    decided = await service.verify(token, "hall", key=key)
    assert (decided["decision"], decided["direction"]) == ("admit", "exit")
    moved = await service.call("PATCH", f"{PATH}/{made['id']}", json={"gate": "in", "side": None})
    assert (moved.json()["gate"], moved.json()["side"]) == ("in", None)


async def test_at_a_gate_for_both_directions_a_device_without_a_side_says_the_direction(service: Service) -> None:
    await service.gate("hall", direction="both")
    made, key = await kiosk(service, "hall")
    token = (await service.token(await service.pass_()))["token"]
    body = {"gate": "hall", "token": token}
    assert_problem(await service.call("POST", "/v1/verifications", key=key, json=body), 422, field="direction")
    assert (await service.verify(token, "hall", key=key, direction="entry"))["decision"] == "admit"
    assert (await service.call("PATCH", f"{PATH}/{made['id']}", json={"side": "entry"})).json()["side"] == "entry"
    token = (await service.token(await service.pass_()))["token"]
    assert (await service.verify(token, "hall", key=key))["direction"] == "entry"


IMPOSSIBLE: list[tuple[Json, int, str]] = [
    ({"name": ""}, 422, "name"),
    ({"name": None}, 422, "name"),
    ({"name": "a\tb"}, 422, "name"),
    ({"gate": ""}, 422, "gate"),
    ({"gate": None}, 422, "gate"),
    ({"gate": "../x"}, 422, "gate"),
    ({"gate": "nowhere"}, 404, ""),
    ({"side": "both"}, 422, "side"),
    ({"side": "exit"}, 422, "side"),
    ({"battery": 5}, 422, ""),
]


async def test_a_device_that_cannot_be_is_neither_made_nor_changed(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, name="Tablet", gate="main-door")
    before = stored(service)
    for change, status, field in IMPOSSIBLE:
        for method, path, body in (
            ("POST", PATH, {"name": "Tablet", "gate": "main-door", **change}),
            ("PATCH", f"{PATH}/{made['id']}", change),
        ):
            answer = await service.call(method, path, json=body)
            assert_problem(answer, status, field=field if status == 422 else None)
    assert stored(service) == before
    assert (await service.call("PATCH", f"{PATH}/{made['id']}", json={})).status_code == 200
    assert stored(service) == before


async def test_a_revoked_device_is_gone_and_refused_at_once(service: Service) -> None:
    await service.gate()
    made, key = await kiosk(service)
    again = (await service.call("POST", f"{PATH}/{made['id']}/setup")).json()
    assert (await reported(service, key)).status_code == 200
    for _ in range(2):
        revoked = await service.call("DELETE", f"{PATH}/{made['id']}")
        assert (revoked.status_code, revoked.content) == (204, b"")
    assert_problem(await reported(service, key), 401)
    assert_problem(await shown(service, again["setup"]["token"]), 404)
    assert (await service.call("GET", PATH)).json()["items"] == []
    for method, path, body in (("GET", "", None), ("PATCH", "", {"name": "x"}), ("POST", "/setup", None)):
        arguments = {} if body is None else {"json": body}
        assert_problem(await service.call(method, f"{PATH}/{made['id']}{path}", **arguments), 404)


async def test_what_a_device_asked_before_a_new_set_up_is_its_own_after_it(service: Service) -> None:
    await service.gate()
    made, key = await kiosk(service)
    token = (await service.token(await service.pass_()))["token"]
    first = await service.verify(token, key=key, request_id="k-1")
    rolled = (await service.call("POST", f"{PATH}/roll", key=key)).json()["api_key"]
    replayed = await service.verify(token, key=rolled, request_id="k-1")
    assert (replayed["id"], replayed["repeated"]) == (first["id"], "request_id")
    later = await exchanged(service, (await service.call("POST", f"{PATH}/{made['id']}/setup")).json())
    replayed = await service.verify(token, key=later, request_id="k-1")
    assert (replayed["id"], replayed["repeated"]) == (first["id"], "request_id")
    undone = await service.call("POST", f"/v1/verifications/{first['id']}/undo", key=later)
    assert undone.status_code == 200


async def test_another_tenants_devices_are_not_there(service: Service) -> None:
    other = await service.another_tenant()
    await other.gate()
    theirs = await other.create(PATH, name="Tablet", gate="main-door")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/setup")):
        for id_ in (theirs["id"], "dev_0000000000000000000000", "x", theirs["id"].replace("dev", "key")):
            assert_problem(await service.call(method, f"{PATH}/{id_}{path}"), 404)
    assert (await service.call("GET", PATH)).json()["items"] == []
    await exchanged(other, theirs)


async def test_devices_are_listed_a_page_at_a_time_newest_first(service: Service) -> None:
    await service.gate()
    ids = [(await service.create(PATH, name="Tablet", gate="main-door"))["id"] for _ in range(3)]
    first = (await service.call("GET", PATH, params={"limit": "2"})).json()
    rest = (await service.call("GET", PATH, params={"limit": "2", "cursor": first["next"]})).json()
    assert [each["id"] for each in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next"] is None
