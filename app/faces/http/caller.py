"""Who may call what: dependencies of the routes."""

import hashlib
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from app.faces.problems import Problem
from app.services.context import Context
from app.services.credentials import Caller
from app.services.idempotency import Retry

_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="An API key: `Authorization: Bearer gp_...`")


async def _app(request: Request) -> Context:
    context: Context = request.scope["state"]["context"]
    return context


def allowed(scope: str) -> Any:  # noqa: ANN401  a dependency
    """The caller, who must have the scope."""

    async def caller(request: Request, _bearer: Annotated[object, Security(_bearer)]) -> Caller:
        caller: Caller = request.scope["state"]["caller"]
        if not caller.may(scope):
            raise Problem(403, f"This key has not the scope {scope}.")
        return caller

    return Depends(caller)


async def _retry(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=128,
            pattern=r"^[!-~]+$",
            description="Makes a repeated create safe: within 30 days the same key gives the same resource.",
        ),
    ] = None,
) -> Retry | None:
    if idempotency_key is None:
        return None
    content = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body())
    return Retry(idempotency_key, content.digest())


App = Annotated[Context, Depends(_app)]
RetryKey = Annotated[Retry | None, Depends(_retry)]
