"""`/v1/api-keys`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from app.core.ids import show
from app.services.api_keys import KeyWish, create_key, list_keys, revoke_key
from app.services.credentials import Caller
from app.storage.records import ApiKeyRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GateId, Name, ShownTime, Side, Time, id_of, maybe_time, show_time
from .lists import ListQuery

router = APIRouter(prefix="/v1/api-keys", tags=["api-keys"])


class NewApiKey(Body):
    """A key to make. With `gate` it may verify there and nothing else; `side` binds it to one direction."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Kiosk at the main door", "scopes": ["verifications:create"], "gate": "main-door"}]
        }
    )

    name: Name
    scopes: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=40)]
    gate: GateId | None = None
    side: Side | None = None
    expires_at: Time | None = None


class ApiKey(Answer):
    """A caller's credential, without its secret."""

    id: str
    name: str
    scopes: list[str]
    gate: str | None
    side: Side | None
    created_at: ShownTime
    expires_at: ShownTime | None


class CreatedApiKey(ApiKey):
    """A new key. `secret` is shown here only; null where an earlier request with this Idempotency-Key got it."""

    secret: str | None


class ApiKeyList(Answer):
    """A page of keys that are not revoked, newest first."""

    items: list[ApiKey]
    next: str | None


Admin = Annotated[Caller, allowed("admin")]


@router.post(
    "", status_code=201, summary="Create an API key", response_description="The key and its secret, shown this once"
)
async def create(app: App, caller: Admin, body: NewApiKey, retry: RetryKey) -> CreatedApiKey:
    """Make a key. Its secret is in this answer and nowhere else."""
    wish = KeyWish(body.name, body.scopes, body.gate, body.side, body.expires_at)
    key = await create_key(app, caller, wish, retry)
    return CreatedApiKey(**_show(key.record).model_dump(), secret=key.secret)


@router.get("", summary="List API keys", response_description="A page of keys", response_model=ApiKeyList)
async def list_(app: App, caller: Admin, query: Annotated[ListQuery, Query()]) -> object:
    """The tenant's keys, newest first, without their secrets."""
    page = await list_keys(app, caller, query.after("api-keys", bytes), query.limit)
    return query.answer("api-keys", page, _show)


@router.delete("/{id}", status_code=204, summary="Revoke an API key", response_description="It is refused from now on")
async def revoke(app: App, caller: Admin, id: str) -> None:  # noqa: A002
    """Refuse the key: within two seconds everywhere."""
    await revoke_key(app, caller, id_of("key", "API key", id))


def _show(key: ApiKeyRecord) -> ApiKey:
    return ApiKey.model_validate(
        {
            "id": show("key", key.id),
            "name": key.name,
            "scopes": key.scopes.split(),
            "gate": key.gate,
            "side": key.side,
            "created_at": show_time(key.created_at),
            "expires_at": maybe_time(key.expires_at),
        }
    )
