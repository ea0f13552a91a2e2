"""API keys: refused once revoked, here at once and in every other process within two seconds."""

import asyncio
import time

from tests.conftest import make_settings
from tests.service import Service, running_service


async def status(service: Service, key: str) -> int:
    answer = await service.call("GET", "/v1/gates", key=key)
    return answer.status_code


async def test_a_revoked_key_is_refused_by_another_process_within_two_seconds(postgresql_url: str) -> None:
    async with (
        running_service(make_settings(postgresql_url)) as one,
        running_service(make_settings(postgresql_url), key=one.key) as other,
    ):
        made = await one.create("/v1/api-keys", name="kiosk", scopes=["gates:read"])
        assert [await status(each, made["secret"]) for each in (one, other)] == [200, 200]
        assert (await one.call("DELETE", f"/v1/api-keys/{made['id']}")).status_code == 204
        revoked = time.monotonic()
        assert await status(one, made["secret"]) == 401
        while await status(other, made["secret"]) == 200:
            assert time.monotonic() - revoked < 2.0
            await asyncio.sleep(0.02)
        assert time.monotonic() - revoked < 2.0
        assert await status(other, made["secret"]) == 401


async def test_a_process_that_cannot_read_keys_again_asks_for_each(service: Service, database_url: str) -> None:
    made = await service.create("/v1/api-keys", name="kiosk", scopes=["gates:read"])
    assert await status(service, made["secret"]) == 200
    service.clock.advance(2.5)  # longer than a key is trusted without having been read again
    async with running_service(make_settings(database_url), key=service.key) as other:
        await other.call("DELETE", f"/v1/api-keys/{made['id']}")
    assert await status(service, made["secret"]) == 401


async def test_an_expired_key_is_refused_from_its_expiry_on(service: Service) -> None:
    key = await service.api_key("gates:read", expires_at="2100-01-01T00:00:00Z")
    assert await status(service, key) == 200
    service.clock.advance(80 * 366 * 86_400)
    assert await status(service, key) == 401


async def test_a_typing_error_and_an_unknown_key_are_refused_alike(service: Service) -> None:
    stranger = "gp_admin_" + "0" * 27
    for key in (service.key[:-1], service.key[:-1] + ("0" if service.key[-1] != "0" else "1"), stranger):
        assert await status(service, key) == 401


async def test_a_key_of_one_tenant_sees_nothing_of_another(service: Service) -> None:
    other = await service.tenant("umbrella")
    await service.gate()
    assert (await other.call("GET", "/v1/gates")).json()["items"] == []
    assert (await other.call("GET", "/v1/gates/main-door")).status_code == 404


async def test_a_created_resource_is_made_once_however_often_and_wherever_it_is_asked_for(postgresql_url: str) -> None:
    async with (
        running_service(make_settings(postgresql_url)) as one,
        running_service(make_settings(postgresql_url), key=one.key) as other,
    ):
        headers = {"Idempotency-Key": "k-1"}
        body = {"holder": "emp-1042", "gates": "all"}
        answers = await asyncio.gather(
            *(each.call("POST", "/v1/passes", json=body, headers=headers) for each in (one, other) for _ in range(4))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len((await one.call("GET", "/v1/passes")).json()["items"]) == 1


async def test_of_many_who_make_one_gate_one_makes_it(service: Service) -> None:
    body = {"id": "main-door", "name": "Main door"}
    answers = await asyncio.gather(*(service.call("POST", "/v1/gates", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_many_passes_of_one_new_holder_make_one_holder(service: Service) -> None:
    passes = await asyncio.gather(*(service.pass_("emp-1042") for _ in range(8)))
    assert len({pass_["id"] for pass_ in passes}) == 8
    assert len((await service.call("GET", "/v1/holders")).json()["items"]) == 1
