"""All routes of the core API."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from app.services.mistakes import Mistake
from app.storage.failures import Unavailable

from . import api_keys, gates, health, holders, passes, tokens, verifications, zones
from .openapi import openapi
from .problems import FAULT, MEDIA_TYPE, Problem, problem_of

_NOUNS = (zones, gates, holders, passes, tokens, verifications, api_keys, health)


def make_routes(version: str, lifespan: Any) -> FastAPI:  # noqa: ANN401  Starlette's Lifespan
    """The FastAPI application, with its reference at `/docs`, which needs nothing from another host."""
    app = FastAPIOffline(
        redoc_url=None,
        title="Gatepass",
        version=version,
        summary="Signed QR codes and one-time codes at the door, in place of face scanning.",
        description="`docs/tour.md` walks through a verification; `docs/tokens.md` has the token formats.",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    for noun in _NOUNS:
        app.include_router(noun.router)
    for fault in (Problem, Mistake, Unavailable, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(fault, _tell)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


async def _tell(request: Request, fault: Exception) -> Response:
    """The problem as a response. A fault of ours goes on to `front.py`, which logs it."""
    problem = _of_the_framework(fault) if isinstance(fault, HTTPException) else problem_of(fault)
    problem = problem or Problem(500, FAULT)
    request_id = request.scope["state"]["request_id"]
    return Response(problem.body(request_id), problem.status, headers=dict(problem.headers), media_type=MEDIA_TYPE)


def _of_the_framework(fault: HTTPException) -> Problem:
    """What FastAPI itself refuses: no such route, no such method."""
    details = {404: "There is nothing at this address.", 405: "This address has not this method."}
    headers = tuple((name.lower(), value) for name, value in (fault.headers or {}).items())
    return Problem(fault.status_code, details.get(fault.status_code, "The request was refused."), headers=headers)
