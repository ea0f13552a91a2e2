"""What is another tenant's is as if it did not exist."""

import itertools
from collections.abc import Mapping

import httpx

from app.faces.http.openapi import openapi
from app.faces.http.routes import make_routes
from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import ENDPOINTS, Endpoint, seed, stored
from tests.service import Service

_numbers = itertools.count(1)
FOREIGN = [(endpoint, name) for endpoint in ENDPOINTS for name in endpoint.foreign]


async def another_tenant(service: Service) -> Service:
    return await service.tenant(f"globex-{next(_numbers)}")


def test_every_endpoint_is_known_here() -> None:
    described = {
        (method.upper(), path)
        for path, operations in openapi(make_routes("0", None))["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    }
    assert {(endpoint.method, endpoint.template) for endpoint in ENDPOINTS} == described


async def test_another_tenants_ids_are_not_found_anywhere(service: Service) -> None:
    other = await another_tenant(service)
    ours, theirs = await seed(service), await seed(other)
    before = stored(service), stored(other)
    for endpoint, name in FOREIGN:
        prefix = theirs[name].partition("_")[0]
        foreign = await ask(service, endpoint, {**ours, name: theirs[name]})
        absent = await ask(service, endpoint, {**ours, name: f"{prefix}_0000000000000000000000"})
        problems = [{**assert_problem(answer, 404), "request_id": ""} for answer in (foreign, absent)]
        assert problems[0] == problems[1], endpoint
    assert (stored(service), stored(other)) == before


async def ask(service: Service, endpoint: Endpoint, made: Mapping[str, str]) -> httpx.Response:
    arguments = {} if endpoint.body is None else {"json": endpoint.filled(made)}
    return await service.call(endpoint.method, endpoint.at(made), key=endpoint.key(made), **arguments)


async def test_lists_hold_ones_own(service: Service) -> None:
    other = await another_tenant(service)
    theirs = await seed(other)
    await other.verify(theirs["text"], theirs["gate"])
    for path in ("zones", "gates", "holders", "passes", "verifications"):
        listed = (await service.call("GET", f"/v1/{path}")).json()
        assert listed == {"items": [], "next": None}
    assert len((await service.call("GET", "/v1/api-keys")).json()["items"]) == 1
    for query in ({"holder": "emp-1042"}, {"pass": theirs["pass_"]}, {"gate": theirs["gate"]}):
        listed = (await service.call("GET", "/v1/verifications", params=query)).json()
        assert listed == {"items": [], "next": None}


async def test_the_same_ids_refs_and_keys_may_be_used_in_two_tenants(service: Service) -> None:
    other = await another_tenant(service)
    for each in (service, other):
        await each.gate()
        answer = await each.call("POST", "/v1/holders", json={"ref": "emp-1042"}, headers={"Idempotency-Key": "same"})
        assert (answer.status_code, answer.json()["number"]) == (201, 1000)
        token = await each.token(await each.pass_())
        assert (await each.verify(token["token"], request_id="same"))["decision"] == "admit"
