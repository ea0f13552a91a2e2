"""The life of signing keys: next, active, retiring, gone; and tokens all the while."""

import asyncio
from base64 import urlsafe_b64decode

import pytest

from app.core.cose import kid_in
from app.core.keys import LONGEST_TOKEN, PUBLISHED_BEFORE_USE
from app.core.model import SECOND
from app.core.tokens.signed import _envelope
from app.services.keys import list_signing_keys, retire, rotate
from app.services.mistakes import Clash, NotFound
from app.wiring import running
from tests.conftest import make_settings
from tests.service import Service

HOURS_72 = PUBLISHED_BEFORE_USE / SECOND


async def states(service: Service) -> list[str]:
    """The keys' states, oldest first; and every part of the service knows them."""
    await service.context.keychain.refresh()
    return [state for _, state in await list_signing_keys(service.context)]


async def published(service: Service) -> list[bytes]:
    keys = (await service.http.get("/.well-known/jwks.json")).json()["keys"]
    return [urlsafe_b64decode(key["kid"] + "==") for key in keys]


def signed_by(text: str) -> bytes:
    return kid_in(_envelope(text)[0])


async def issue(service: Service, **body: object) -> str:
    text: str = (await service.token(await service.pass_(), **body))["token"]
    return text


async def test_the_first_start_makes_one_active_key(service: Service) -> None:
    assert await states(service) == ["active"]
    assert await published(service) == [signed_by(await issue(service))]


async def test_a_rotated_key_is_published_at_once_and_signs_after_72_hours(service: Service) -> None:
    await service.gate()
    before = await issue(service, reusable=True, ttl_s=30 * 86_400)
    new = await rotate(service.context)
    assert await states(service) == ["active", "next"]
    assert await published(service) == [signed_by(before), new.kid]
    assert signed_by(await issue(service)) == signed_by(before)

    service.clock.advance(HOURS_72 - 60)
    assert await states(service) == ["active", "next"]
    assert signed_by(await issue(service)) == signed_by(before)

    service.clock.advance(61)
    assert await states(service) == ["retiring", "active"]
    after = await issue(service)
    assert signed_by(after) == new.kid
    assert await published(service) == [signed_by(before), new.kid]
    for text in (before, after):
        assert (await service.verify(text))["decision"] == "admit"

    service.clock.advance(LONGEST_TOKEN / SECOND)
    assert await states(service) == ["gone", "active"]
    assert await published(service) == [new.kid]


async def test_a_key_rotated_at_once_signs_at_once(service: Service) -> None:
    await service.gate()
    before = await issue(service)
    new = await rotate(service.context, at_once=True)
    assert await states(service) == ["retiring", "active"]
    after = await issue(service)
    assert signed_by(after) == new.kid
    for text in (before, after):
        assert (await service.verify(text))["decision"] == "admit"


async def test_there_is_a_key_that_signs_at_every_moment_of_a_rotation(service: Service) -> None:
    await rotate(service.context)
    service.clock.advance(86_400)
    await rotate(service.context)
    await rotate(service.context, at_once=True)
    for _ in range(40):
        service.clock.advance(6 * 3600)
        assert (await states(service)).count("active") >= 1
        service.context.keychain.signer()


async def test_a_retired_key_verifies_until_its_last_token_has_expired(service: Service) -> None:
    await service.gate()
    badge = await issue(service, reusable=True, ttl_s=10 * 86_400)
    await rotate(service.context, at_once=True)
    await retire(service.context, signed_by(badge))
    assert await states(service) == ["retiring", "active"]
    service.clock.advance(9 * 86_400)
    await states(service)
    assert (await service.verify(badge))["decision"] == "admit"
    service.clock.advance(86_400 + 31)
    await states(service)
    assert (await service.verify(badge))["reason"] == "expired"
    service.clock.advance(86_400)  # what another process may have signed with it meanwhile has expired too
    assert await states(service) == ["gone", "active"]
    assert (await service.verify(badge))["reason"] == "unknown"


async def test_the_tokens_of_a_key_retired_at_once_are_refused(service: Service) -> None:
    await service.gate()
    text = await issue(service)
    await rotate(service.context, at_once=True)
    await retire(service.context, signed_by(text), at_once=True)
    assert await states(service) == ["gone", "active"]
    assert signed_by(text) not in await published(service)
    assert (await service.verify(text))["reason"] == "unknown"


async def test_a_key_that_is_gone_does_not_come_back(service: Service) -> None:
    await service.gate()
    badge = await issue(service, reusable=True, ttl_s=10 * 86_400)
    await rotate(service.context, at_once=True)
    await retire(service.context, signed_by(badge), at_once=True)
    await retire(service.context, signed_by(badge))
    await rotate(service.context, at_once=True)
    assert (await states(service))[0] == "gone"
    assert (await service.verify(badge))["reason"] == "unknown"


async def test_the_only_key_that_signs_cannot_be_retired(service: Service) -> None:
    [(only, _)] = await list_signing_keys(service.context)
    with pytest.raises(Clash, match="Rotate first"):
        await retire(service.context, only.kid)
    await rotate(service.context)
    with pytest.raises(Clash, match="Rotate first"):
        await retire(service.context, only.kid, at_once=True)


async def test_the_next_key_cannot_be_retired_while_the_one_before_it_is_to_stop(service: Service) -> None:
    following = await rotate(service.context)
    with pytest.raises(Clash, match="Rotate first"):
        await retire(service.context, following.kid, at_once=True)
    instead = await rotate(service.context)
    await retire(service.context, following.kid, at_once=True)
    service.clock.advance(HOURS_72 + 1)
    assert await states(service) == ["retiring", "gone", "active"]
    assert signed_by(await issue(service)) == instead.kid


async def test_a_key_that_is_not_there_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound):
        await retire(service.context, b"none")


async def test_a_rotation_in_another_process_becomes_known_by_itself(service: Service, database_url: str) -> None:
    settings = make_settings(database_url)
    async with running(settings) as elsewhere:
        await rotate(elsewhere, at_once=True)
    for _ in range(100):  # every second the keys are read again
        if len(await published(service)) == 2:
            break
        await asyncio.sleep(0.05)
    assert len(await published(service)) == 2
