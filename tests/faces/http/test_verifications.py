"""`POST /v1/verifications` over HTTP, on both engines."""

import pytest
from tests.service import Service


@pytest.mark.parametrize("kind", ["signed", "short", "code"])
async def test_a_token_admits_once(service: Service, kind: str) -> None:
    await service.gate()
    token = await service.token(await service.pass_(), kind)
    first = await service.verify(token["token"])
    second = await service.verify(token["token"])
    assert (first["decision"], first["reason"]) == ("admit", "ok")
    assert (second["decision"], second["reason"]) == ("deny", "already_used")
