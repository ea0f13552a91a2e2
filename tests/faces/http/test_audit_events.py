"""`/v1/audit-events`."""

from typing import Any, get_args

import pytest

from app.services.audit import Action, record
from app.storage.transaction import Transaction
from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.service import Service

ACTIONS: tuple[Action, ...] = get_args(Action)


async def recorded(service: Service, *actions: Action, **values: Any) -> None:
    """Have the actions recorded, as if they had been done with the service's key."""
    caller = await service.context.credentials.authenticate(service.key)
    assert caller is not None

    def work(tx: Transaction) -> None:
        for action in actions:
            record(service.context, tx, caller, action, **values)

    await service.context.store.write(work)


async def listed(service: Service, **query: str) -> list[dict[str, Any]]:
    answer = await service.call("GET", "/v1/audit-events", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_what_is_done_by_hand_is_listed_newest_first(service: Service) -> None:
    await service.create("/v1/zones", id="hall", name="Hall", counted=True)
    holder = await service.create("/v1/holders", ref="emp-1042")
    await service.call("POST", "/v1/zones/hall/occupancy", json={"people": 42, "reason": "counted at 14:00"})
    await service.call("POST", f"/v1/holders/{holder['id']}/block", json={"reason": "lost badge"})
    (blocked, corrected) = await listed(service)
    (key,) = (await service.call("GET", "/v1/api-keys")).json()["items"]
    for event in (blocked, corrected):
        assert shown_id("evt").fullmatch(event.pop("id"))
        assert TIME.fullmatch(event.pop("at"))
        assert event.pop("key") == key["id"]
    assert corrected == {
        "action": "occupancy_corrected", "reason": "counted at 14:00", "holder": None, "zone": "hall",
        "subject": None, "before": 0, "after": 42,
    }  # fmt: skip
    assert blocked == {
        "action": "holder_blocked", "reason": "lost badge", "holder": "emp-1042", "zone": None,
        "subject": None, "before": None, "after": None,
    }  # fmt: skip


async def test_an_event_names_the_key_that_did_it(service: Service) -> None:
    desk = await service.create("/v1/api-keys", name="desk", scopes=["holders:write"])
    holder = await service.create("/v1/holders", ref="emp-1042")
    await service.call("POST", f"/v1/holders/{holder['id']}/block", key=desk["secret"], json={"reason": "x"})
    (event,) = await listed(service)
    assert event["key"] == desk["id"]


async def test_events_are_found_by_holder_zone_and_action(service: Service) -> None:
    for ref in ("ada", "bob"):
        holder = await service.create("/v1/holders", ref=ref)
        await service.call("POST", f"/v1/holders/{holder['id']}/block", json={"reason": ref})
        await service.call("POST", f"/v1/holders/{holder['id']}/unblock")
    for zone in ("hall", "annex"):
        await service.create("/v1/zones", id=zone, name=zone, counted=True)
        await service.call("POST", f"/v1/zones/{zone}/occupancy", json={"people": 1, "reason": zone})
    found = {
        name: [event["action"] for event in await listed(service, **query)]
        for name, query in {
            "holder": {"holder": "ada"}, "zone": {"zone": "hall"}, "action": {"action": "holder_blocked"},
            "both": {"holder": "bob", "action": "holder_blocked"}, "nobody": {"holder": "nobody"},
            "nowhere": {"zone": "nowhere"}, "neither": {"holder": "ada", "zone": "hall"},
        }.items()
    }  # fmt: skip
    assert found == {
        "holder": ["holder_unblocked", "holder_blocked"], "zone": ["occupancy_corrected"],
        "action": ["holder_blocked"] * 2, "both": ["holder_blocked"], "nobody": [], "nowhere": [], "neither": [],
    }  # fmt: skip


async def test_events_come_in_pages_of_one_filter(service: Service) -> None:
    for _ in range(3):
        await recorded(service, "holder_blocked", "token_blocked")
    first = (await service.call("GET", "/v1/audit-events?limit=2&action=holder_blocked")).json()
    query = {"action": "holder_blocked", "cursor": first["next"]}
    rest = (await service.call("GET", "/v1/audit-events", params=query)).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    for other in ({"cursor": first["next"]}, {"cursor": first["next"], "action": "token_blocked"}):
        assert_problem(await service.call("GET", "/v1/audit-events", params=other), 422, field="cursor")


async def test_a_subject_is_shown_as_what_it_is(service: Service) -> None:
    await recorded(service, *ACTIONS, subject=b"\x01" * 16)
    shown = {
        event["action"]: event["subject"] and event["subject"].partition("_")[0] for event in await listed(service)
    }
    assert shown == {
        "holder_blocked": None, "holder_unblocked": None, "token_blocked": "tok", "token_unblocked": "tok",
        "credential_blocked": "cred", "credential_unblocked": "cred", "credential_deleted": "cred",
        "anti_passback_reset": None, "occupancy_corrected": None,
    }  # fmt: skip


@pytest.mark.parametrize("query", ["action=opened", "action=", "zone=%00", "zone=", "holder=", "holder=%0a"])
async def test_what_no_event_can_be_is_refused(still_service: Service, query: str) -> None:
    answer = await still_service.call("GET", f"/v1/audit-events?{query}")
    assert_problem(answer, 422, field=query.partition("=")[0])


async def test_events_are_the_tenants_own(service: Service) -> None:
    other = await service.tenant(f"{service.key[-12:].lower()}-audit")
    for each in (service, other):
        holder = await each.create("/v1/holders", ref="emp-1042")
        await each.call("POST", f"/v1/holders/{holder['id']}/block", json={"reason": each.key[-4:]})
    for each in (service, other):
        for query in ({}, {"holder": "emp-1042"}):
            (event,) = await listed(each, **query)
            assert event["reason"] == each.key[-4:]
