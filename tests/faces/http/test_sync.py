"""What was decided without the network, told afterwards: recorded once, and held against everything else."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from app.services import keys as signing_keys
from tests.faces.http.answers import assert_problem, shown_id
from tests.service import Service

_numbers = itertools.count(1)


def queued(service: Service, token: str | None, *, ago: float = 18, **other: Any) -> dict[str, Any]:
    """An admission so many seconds ago, as a device sends it."""
    at = datetime.fromtimestamp(service.clock.now() / 1_000_000, UTC) - timedelta(seconds=ago)
    sent = {"request_id": f"k-{next(_numbers)}", "gate": "main-door", "at": at.isoformat().replace("+00:00", "Z")}
    return sent | {"decision": "admit", "reason": "ok", "token": token} | other


async def issued(service: Service, pass_: dict[str, Any] | None = None) -> str:
    """A signed token that was issued just now: within the leeway of clocks, so it was good half a minute ago too."""
    token: str = (await service.token(pass_ or await service.pass_(), ttl_s=3600))["token"]
    return token


async def sync(service: Service, *items: dict[str, Any], key: str | None = None) -> list[dict[str, Any]]:
    answer = await service.call("POST", "/v1/verifications/sync", key=key, json={"verifications": list(items)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def conflicts(service: Service, **query: Any) -> list[dict[str, Any]]:
    answer = await service.call("GET", "/v1/conflicts", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def verification(service: Service, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = (await service.call("GET", f"/v1/verifications/{id_}")).json()
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def site(service: Service) -> Service:
    """A tenant of the test's own with two gates."""
    tenant = await service.another_tenant()
    for gate in ("main-door", "back-door"):
        await tenant.gate(gate)
    return tenant


async def test_an_admission_is_recorded_with_the_devices_time(site: Service) -> None:
    token = await issued(site)
    item = queued(site, token, ago=9)
    (result,) = await sync(site, item)
    assert shown_id("ver").fullmatch(result["verification"])
    assert result == {
        "request_id": item["request_id"], "status": "recorded", "error": None, "verification": result["verification"],
        "decision": "admit", "conflicts": [],
    }  # fmt: skip
    record = await verification(site, result["verification"])
    assert (record["decision"], record["reason"], record["flags"]) == ("admit", "ok", ["offline"])
    assert record["at"] == item["at"]
    assert record["request_id"] == item["request_id"]
    assert record["holder"] == {"ref": "emp-1042", "name": None}


async def test_it_uses_the_token_up(site: Service) -> None:
    token = await issued(site)
    await sync(site, queued(site, token))
    assert (await site.verify(token))["reason"] == "already_used"


async def test_the_same_queue_again_changes_nothing(site: Service) -> None:
    pass_ = await site.pass_(max_entries=5)
    tokens = [await issued(site, pass_) for _ in range(3)]
    queue = [queued(site, token) for token in tokens]
    first = await sync(site, *queue)
    again = await sync(site, *reversed(queue))
    assert {each["status"] for each in first} == {"recorded"}
    assert [each | {"status": "recorded"} for each in reversed(again)] == first
    assert {each["status"] for each in again} == {"known"}
    assert (await site.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 3


async def test_one_row_twice_in_a_queue_is_recorded_once(site: Service) -> None:
    item = queued(site, await issued(site))
    first, second = await sync(site, item, item)
    assert (first["status"], second["status"]) == ("recorded", "known")
    assert first["verification"] == second["verification"]


async def test_one_queue_sent_many_times_at_once_is_recorded_once(site: Service) -> None:
    pass_ = await site.pass_(max_entries=50)
    queue = [queued(site, await issued(site, pass_)) for _ in range(5)]
    answers = await asyncio.gather(*(sync(site, *queue) for _ in range(8)))
    assert {each["verification"] for answer in answers for each in answer} == {
        each["verification"] for each in answers[0]
    }
    assert sorted(each["status"] for answer in answers for each in answer) == ["known"] * 35 + ["recorded"] * 5
    assert (await site.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 5


async def test_at_the_gate_and_in_a_queue_at_once_one_token_is_let_in_once_or_found_out(site: Service) -> None:
    for _ in range(10):
        token = await issued(site)
        online, (result,) = await asyncio.gather(site.verify(token), sync(site, queued(site, token, ago=9)))
        assert result["decision"] == "admit"
        found = [each for each in await conflicts(site) if each["other"] == result["verification"]]
        assert len(found) == (online["decision"] == "admit")


async def test_a_refusal_is_recorded_with_its_reason(site: Service) -> None:
    token = await issued(site)
    (result,) = await sync(site, queued(site, token, decision="deny", reason="stale_bundle"))
    record = await verification(site, result["verification"])
    assert (record["decision"], record["reason"], record["people"]) == ("deny", "stale_bundle", 0)
    assert record["holder"]["ref"] == "emp-1042"
    assert (await site.verify(token))["decision"] == "admit"


async def test_a_refusal_of_what_is_no_token_needs_no_text(site: Service) -> None:
    (result,) = await sync(site, queued(site, None, decision="deny", reason="unrecognised"))
    record = await verification(site, result["verification"])
    assert (record["reason"], record["pass"], record["token_kind"]) == ("unrecognised", None, None)


async def test_a_code_is_not_looked_up_where_nothing_counts_guesses(site: Service) -> None:
    """Else a queue would be where to try codes."""
    code = (await site.token(await site.pass_(), "code"))["token"]
    admit, deny = await sync(site, queued(site, code), queued(site, code, decision="deny", reason="needs_network"))
    assert (admit["status"], admit["error"]) == ("rejected", "invalid")
    record = await verification(site, deny["verification"])
    assert (record["reason"], record["token_kind"], record["holder"]) == ("needs_network", "code", None)


async def test_a_verification_that_was_settled_online_is_known(site: Service) -> None:
    """The answer was lost on the way, and the device decided by itself under the same id."""
    token = await issued(site)
    item = queued(site, token)
    online = await site.verify(token, request_id=item["request_id"])
    (result,) = await sync(site, item)
    assert (result["status"], result["verification"], result["conflicts"]) == ("known", online["id"], [])
    listed = (await site.call("GET", "/v1/verifications")).json()["items"]
    assert [each["id"] for each in listed] == [online["id"]]


async def test_an_online_retry_after_the_sync_gets_what_was_recorded(site: Service) -> None:
    token = await issued(site)
    item = queued(site, token)
    (result,) = await sync(site, item)
    late = await site.verify(token, request_id=item["request_id"])
    assert (late["id"], late["decision"], late["repeated"]) == (result["verification"], "admit", "request_id")


async def test_who_was_refused_online_and_let_in_without_the_answer_is_on_record_as_both(site: Service) -> None:
    token = await issued(site)
    await site.verify(token)
    item = queued(site, token, ago=0)
    refused = await site.verify(token, request_id=item["request_id"])
    assert refused["reason"] == "already_used"
    (result,) = await sync(site, item)
    assert (result["status"], result["decision"], result["conflicts"]) == ("recorded", "admit", ["already_used"])
    assert result["verification"] != refused["id"]
    (again,) = await sync(site, item)
    assert again == result | {"status": "known"}


async def test_who_was_admitted_online_and_refused_without_the_answer_was_not_let_in(lone_service: Service) -> None:
    """However late that becomes known: the token is good again."""
    site = lone_service
    await site.gate()
    pass_ = await site.pass_(max_entries=1)
    token = await issued(site, pass_)
    item = queued(site, token, decision="deny", reason="offline_not_allowed")
    online = await site.verify(token, request_id=item["request_id"])
    site.clock.advance(1_800)
    (result,) = await sync(site, item)
    assert (result["status"], result["decision"], result["verification"]) == ("known", "deny", online["id"])
    assert (await verification(site, online["id"]))["undone_at"] is not None
    assert (await sync(site, item)) == [result]
    assert (await site.verify(token))["decision"] == "admit"


async def test_three_admissions_by_one_token_less_one_are_still_a_conflict(site: Service) -> None:
    token = await issued(site)
    first, second, third = await sync(
        site,
        *(
            queued(site, token, ago=ago, gate=gate)
            for ago, gate in ((20, "main-door"), (15, "back-door"), (9, "main-door"))
        ),
    )
    assert (await site.call("POST", f"/v1/verifications/{first['verification']}/undo")).status_code == 200
    (conflict,) = await conflicts(site)
    assert conflict["verification"]["id"] == third["verification"]
    assert conflict["other"] == second["verification"]


async def test_an_entry_that_was_one_too_many_is_none_once_another_was_taken_back(site: Service) -> None:
    pass_ = await site.pass_(max_entries=2)
    queue = [queued(site, await issued(site, pass_), ago=ago) for ago in (20, 15, 9)]
    first, _, third = await sync(site, *queue)
    assert third["conflicts"] == ["no_entries_left"]
    assert (await site.call("POST", f"/v1/verifications/{first['verification']}/undo")).status_code == 200
    assert await conflicts(site) == []


async def test_more_people_than_a_token_lets_in_are_a_conflict_at_once(site: Service) -> None:
    (result,) = await sync(site, queued(site, await issued(site), people=3))
    assert result["conflicts"] == ["too_many_people"]
    badge = (await site.token(await site.pass_(), reusable=True, ttl_s=3600))["token"]
    (result,) = await sync(site, queued(site, badge, people=3))
    assert result["conflicts"] == ["too_many_people"]


async def test_what_was_verified_under_a_key_that_is_gone_is_recorded(lone_service: Service) -> None:
    site = lone_service
    await site.gate()
    token = await issued(site)
    item = queued(site, token)
    (key, _), *_ = await signing_keys.list_signing_keys(site.context)
    await signing_keys.rotate(site.context, at_once=True)
    await signing_keys.retire(site.context, key.kid, at_once=True)
    site.clock.advance(1)
    await site.context.keychain.refresh()
    assert (await site.verify(token))["reason"] == "unknown"
    (result,) = await sync(site, item)
    assert (result["status"], result["decision"]) == ("recorded", "admit")


async def test_an_exit_stays_one_though_gate_and_device_are_others_now(site: Service) -> None:
    token = await issued(site, await site.pass_(max_entries=1))
    out = queued(site, token, exit=True, direction="exit")
    by_code = queued(site, None, exit=True, flags=["needs_network"])
    results = await sync(site, out, by_code)
    assert [each["status"] for each in results] == ["recorded", "recorded"]
    assert (await verification(site, results[0]["verification"]))["direction"] == "exit"
    assert (await site.verify(token))["decision"] == "admit"


async def test_an_entry_stays_one_though_the_gate_is_an_exit_now(site: Service) -> None:
    await site.gate("turned", direction="exit")
    token = await issued(site)
    (result,) = await sync(site, queued(site, token, gate="turned", exit=False))
    assert (await verification(site, result["verification"]))["direction"] == "entry"
    assert (await site.verify(token))["reason"] == "already_used"


async def test_one_token_let_in_at_two_gates_is_a_conflict(site: Service) -> None:
    token = await issued(site)
    first, second = queued(site, token, ago=18), queued(site, token, ago=9, gate="back-door")
    (earlier,) = await sync(site, first)
    (later,) = await sync(site, second)
    assert (earlier["conflicts"], later["conflicts"]) == ([], ["already_used"])
    (conflict,) = await conflicts(site)
    assert shown_id("con").fullmatch(conflict["id"])
    assert conflict["reason"] == "already_used"
    assert conflict["verification"] == await verification(site, later["verification"])
    assert conflict["other"] == earlier["verification"]


async def test_the_conflict_is_the_later_one_though_it_was_sent_first(site: Service) -> None:
    token = await issued(site)
    first, second = queued(site, token, ago=18), queued(site, token, ago=9, gate="back-door")
    (later,) = await sync(site, second)
    (earlier,) = await sync(site, first)
    (conflict,) = await conflicts(site)
    assert conflict["verification"]["id"] == later["verification"]
    assert conflict["other"] == earlier["verification"]
    assert (await sync(site, second))[0]["conflicts"] == ["already_used"]


async def test_an_online_admission_after_an_offline_one_turns_out_to_be_a_conflict(site: Service) -> None:
    token = await issued(site)
    online = await site.verify(token)
    (result,) = await sync(site, queued(site, token, ago=18, gate="back-door"))
    assert (result["status"], result["conflicts"]) == ("recorded", [])
    (conflict,) = await conflicts(site)
    assert (conflict["verification"]["id"], conflict["other"]) == (online["id"], result["verification"])


async def test_three_queues_in_any_order_come_to_the_same(site: Service) -> None:
    """What stands is compared by request ids: which verification has which id hangs on who came first."""
    outcomes = []
    for order in itertools.permutations(range(3)):
        tenant = await site.another_tenant()
        for gate in ("main-door", "back-door"):
            await tenant.gate(gate)
        pass_, other = await tenant.pass_(max_entries=2), await tenant.pass_(holder="emp-2", party_size=2)
        shared = [await issued(tenant, each) for each in (pass_, pass_, pass_, other)]
        queues = [
            [queued(tenant, shared[0], ago=27, request_id="a1"), queued(tenant, shared[3], ago=15, request_id="a2")],
            [
                queued(tenant, shared[0], ago=24, gate="back-door", request_id="b1"),
                queued(tenant, shared[1], ago=12, gate="back-door", request_id="b2"),
            ],
            [
                queued(tenant, shared[2], ago=21, request_id="c1"),
                queued(tenant, shared[3], ago=6, people=2, request_id="c2"),
            ],
        ]
        for place in order:
            await sync(tenant, *queues[place])
        found = await conflicts(tenant)
        by_id = {
            each["id"]: each["request_id"]
            for each in (await tenant.call("GET", "/v1/verifications", params={"limit": 200})).json()["items"]
        }
        entries = (await tenant.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"]
        outcomes.append(
            (
                {(each["reason"], by_id[each["verification"]["id"]], by_id.get(each["other"])) for each in found},
                entries,
            )
        )
    assert outcomes[0] == (
        {
            ("already_used", "b1", "a1"), ("too_many_people", "c2", "a2"),
            ("no_entries_left", "c1", "b1"), ("no_entries_left", "b2", "c1"),
        },
        4,
    )  # fmt: skip
    assert all(each == outcomes[0] for each in outcomes)


async def test_what_was_revoked_before_is_a_conflict_and_what_was_revoked_after_is_none(lone_service: Service) -> None:
    site = lone_service
    await site.gate()
    pass_ = await site.pass_()
    before, after = [await issued(site, pass_) for _ in range(2)]
    site.clock.advance(60)
    early = queued(site, before, ago=9)
    await site.call("POST", f"/v1/passes/{pass_['id']}/revoke")
    site.clock.advance(60)
    late = queued(site, after, ago=9)
    fine, conflict = await sync(site, early, late)
    assert (fine["conflicts"], conflict["conflicts"]) == ([], ["pass_revoked"])
    assert (fine["decision"], conflict["decision"]) == ("admit", "admit")
    assert (await verification(site, conflict["verification"]))["flags"] == ["offline", "pass_revoked"]


async def test_a_token_that_was_revoked_before_is_a_conflict(lone_service: Service) -> None:
    site = lone_service
    await site.gate()
    token = await site.token(await site.pass_(), ttl_s=3600)
    await site.call("POST", f"/v1/tokens/{token['id']}/revoke")
    site.clock.advance(60)
    (result,) = await sync(site, queued(site, token["token"], ago=9))
    assert result["conflicts"] == ["token_revoked"]


async def test_an_admission_outside_the_rules_is_a_conflict(lone_service: Service) -> None:
    site = lone_service
    for gate in ("main-door", "back-door"):
        await site.gate(gate)
    elsewhere = await site.create("/v1/passes", holder="emp-9", gates=["back-door"])
    token = await issued(site, elsewhere)
    (result,) = await sync(site, queued(site, token))
    assert result["conflicts"] == ["wrong_gate"]
    expired = (await site.token(elsewhere, ttl_s=5, gate="back-door"))["token"]
    site.clock.advance(120)
    (result,) = await sync(site, queued(site, expired, ago=6, gate="back-door"))
    assert result["conflicts"] == ["expired"]


async def test_more_entries_than_the_pass_has_are_a_conflict_of_the_last(site: Service) -> None:
    pass_ = await site.pass_(max_entries_per_day=1)
    tokens = [await issued(site, pass_) for _ in range(2)]
    first, second = await sync(site, queued(site, tokens[0], ago=2), queued(site, tokens[1], ago=1))
    assert (first["conflicts"], second["conflicts"]) == ([], ["no_entries_left_today"])


async def test_a_conflict_is_none_any_more_once_one_of_the_two_was_taken_back(site: Service) -> None:
    token = await issued(site)
    first, second = await sync(site, queued(site, token, ago=18), queued(site, token, ago=9, gate="back-door"))
    assert len(await conflicts(site)) == 1
    undone = await site.call("POST", f"/v1/verifications/{first['verification']}/undo")
    assert undone.status_code == 200, undone.text
    assert await conflicts(site) == []
    assert second["conflicts"] == ["already_used"]


async def test_conflicts_are_listed_newest_first_by_gate_and_reason(site: Service) -> None:
    pass_ = await site.pass_()
    for gate in ("main-door", "back-door"):
        token = await issued(site, pass_)
        await sync(site, queued(site, token, ago=18), queued(site, token, ago=9, gate=gate))
    assert [each["verification"]["gate"] for each in await conflicts(site)] == ["back-door", "main-door"]
    (only,) = await conflicts(site, gate="main-door")
    assert only["verification"]["gate"] == "main-door"
    assert await conflicts(site, reason="pass_revoked") == []
    page = (await site.call("GET", "/v1/conflicts", params={"limit": 1})).json()
    (following,) = await conflicts(site, limit=1, cursor=page["next"])
    assert following == only


async def test_a_devices_time_is_bounded_by_the_services(site: Service) -> None:
    pass_ = await site.pass_()
    ahead, long_ago = [queued(site, await issued(site, pass_), ago=ago) for ago in (-3600, 40 * 86_400)]
    before = site.clock.now()
    results = await sync(site, ahead, long_ago)
    first, second = [await verification(site, each["verification"]) for each in results]
    assert "time_bounded" in first["flags"]
    assert "time_bounded" in second["flags"]
    at = datetime.fromisoformat(first["at"]).timestamp()
    assert before / 1e6 - 1 <= at <= site.clock.now() / 1e6
    assert before / 1e6 - 30 * 86_400 - 1 <= datetime.fromisoformat(second["at"]).timestamp()


async def test_people_are_counted_where_they_went(service: Service) -> None:
    site = await service.another_tenant()
    await site.create("/v1/zones", id="hq", name="Headquarters", counted=True)
    await site.gate(into_zone="hq")
    await site.gate("way-out", direction="exit", from_zone="hq")
    token = await issued(site)

    async def people() -> int:
        inside: int = (await site.call("GET", "/v1/zones/hq/occupancy")).json()["people"]
        return inside

    await sync(site, queued(site, token, ago=18))
    assert await people() == 1
    await sync(site, queued(site, token, ago=9, gate="way-out"))
    assert await people() == 0


async def test_a_movement_elsewhere_since_does_not_matter(service: Service) -> None:
    site = await service.another_tenant()
    for zone in ("hq", "lab"):
        await site.create("/v1/zones", id=zone, name=zone, counted=True)
        await site.gate(f"into-{zone}", into_zone=zone)
    pass_ = await site.pass_()
    tokens = [await issued(site, pass_) for _ in range(2)]
    await sync(site, queued(site, tokens[0], ago=9, gate="into-lab"))
    await sync(site, queued(site, tokens[1], ago=20, gate="into-hq"))
    assert [(await site.call("GET", f"/v1/zones/{zone}/occupancy")).json()["people"] for zone in ("hq", "lab")] == [
        1,
        1,
    ]


async def test_whoever_tells_first_people_are_where_they_went_last(service: Service) -> None:
    """In, out, in, out: at once, or one after another in any order."""
    site = await service.another_tenant()
    await site.create("/v1/zones", id="hq", name="Headquarters", counted=True)
    await site.gate("in", into_zone="hq")
    await site.gate("out", direction="exit", from_zone="hq")
    for _ in range(8):
        pass_ = await site.pass_()
        ways = ((24, "in"), (20, "out"), (16, "in"), (12, "out"))
        rows = [queued(site, await issued(site, pass_), ago=ago, gate=gate) for ago, gate in ways]
        await asyncio.gather(*(sync(site, row) for row in reversed(rows)))
    for order in itertools.permutations(ways):
        pass_ = await site.pass_()
        for ago, gate in order:
            await sync(site, queued(site, await issued(site, pass_), ago=ago, gate=gate))
    assert (await site.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 0


async def test_who_was_counted_by_hand_is_not_counted_again(service: Service) -> None:
    site = await service.another_tenant()
    await site.create("/v1/zones", id="hq", name="Headquarters", counted=True)
    await site.gate("in", into_zone="hq")
    token = await issued(site)
    await site.call("POST", "/v1/zones/hq/occupancy", json={"people": 7, "reason": "counted"})
    await sync(site, queued(site, token, ago=20, gate="in"))
    assert (await site.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 7


async def test_an_entry_before_a_known_exit_moves_nobody_back_in(service: Service) -> None:
    site = await service.another_tenant()
    await site.create("/v1/zones", id="hq", name="Headquarters", counted=True)
    await site.gate(into_zone="hq")
    await site.gate("way-out", direction="exit", from_zone="hq")
    pass_ = await site.pass_()
    tokens = [await issued(site, pass_) for _ in range(2)]
    await sync(site, queued(site, tokens[0], ago=27))
    await site.verify(tokens[0], "way-out")
    await sync(site, queued(site, tokens[1], ago=18))
    assert (await site.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 0


async def test_on_the_way_out_anybody_may_have_been_let_out(site: Service) -> None:
    await site.gate("way-out", direction="exit")
    (result,) = await sync(site, queued(site, None, gate="way-out", flags=["unrecognised"]))
    assert (result["status"], result["conflicts"]) == ("recorded", [])
    record = await verification(site, result["verification"])
    assert record["decision"] == "admit"
    assert {"offline", "unrecognised"} <= set(record["flags"])


async def test_what_cannot_be_recorded_is_rejected_alone(site: Service) -> None:
    good = queued(site, await issued(site))
    wrong = [
        queued(site, good["token"], gate="no-such-gate"),
        queued(site, good["token"], decision="maybe"),
        queued(site, good["token"], decision="deny", reason="made_up"),
        queued(site, good["token"], decision="deny", reason="ok"),
        queued(site, good["token"], reason="expired"),
        queued(site, None),
        queued(site, good["token"], people=0),
        queued(site, good["token"]) | {"surprise": 1},
        queued(site, good["token"]) | {"request_id": "no spaces please"},
        "nonsense",
        None,
    ]
    results = await sync(site, *wrong, good)  # type: ignore[arg-type]
    assert [each["status"] for each in results] == ["rejected"] * len(wrong) + ["recorded"]
    assert [each["error"] for each in results[: len(wrong)]] == ["gate_not_found"] + ["invalid"] * (len(wrong) - 1)
    assert results[8]["request_id"] is None


async def test_a_request_id_of_something_else_is_rejected(site: Service) -> None:
    pass_ = await site.pass_()
    first, second = [queued(site, await issued(site, pass_)) for _ in range(2)]
    results = await sync(site, first, second | {"request_id": first["request_id"]})
    assert sorted(str(each["error"]) for each in results) == ["None", "request_id_reused"]


async def test_at_a_gate_for_both_directions_one_has_to_be_said(site: Service) -> None:
    await site.gate("lift", direction="both")
    token = await issued(site)
    without, said = await sync(
        site, queued(site, token, gate="lift"), queued(site, token, gate="lift", direction="entry")
    )
    assert (without["error"], said["status"]) == ("direction_needed", "recorded")


async def test_a_thousand_are_taken_and_one_more_is_not(site: Service) -> None:
    one = queued(site, None, decision="deny", reason="unrecognised")
    many = [one | {"request_id": f"r-{number}"} for number in range(1001)]
    assert len(await sync(site, *many[:1000])) == 1000
    answer = await site.call("POST", "/v1/verifications/sync", json={"verifications": many})
    assert_problem(answer, 422)
    assert_problem(await site.call("POST", "/v1/verifications/sync", json={"verifications": []}), 422)


async def test_another_tenants_token_is_not_theirs_to_sync(site: Service) -> None:
    token = await issued(site)
    other = await site.another_tenant()
    await other.gate()
    (result,) = await sync(other, queued(other, token))
    assert (result["status"], result["error"]) == ("rejected", "invalid")
    assert (await site.verify(token))["decision"] == "admit"
    assert await conflicts(other) == []
