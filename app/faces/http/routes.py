"""All routes of the core API."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.faces.problems import FAULT, MEDIA_TYPE, Problem, problem_of
from app.services.mistakes import Mistake
from app.storage.failures import Unavailable

from . import (
    api_keys,
    audit_events,
    bundles,
    connections,
    credentials,
    devices,
    gates,
    health,
    holders,
    occupancy,
    passes,
    schedules,
    simulations,
    sync,
    tokens,
    verifications,
    zones,
)
from .openapi import openapi, operation_id

_NOUNS = (
    zones,
    occupancy,
    gates,
    bundles,
    holders,
    credentials,
    passes,
    schedules,
    simulations,
    tokens,
    sync,
    verifications,
    audit_events,
    api_keys,
    connections,
    devices,
    health,
)


def make_routes(version: str, lifespan: Any, public_url: str | None = None) -> FastAPI:  # noqa: ANN401  Starlette's Lifespan
    """The FastAPI application, with its reference at `/docs`, which needs nothing from another host."""
    app = FastAPIOffline(
        redoc_url=None,
        title="Gatepass",
        version=version,
        summary="Signed QR codes and one-time codes at the door, in place of face scanning.",
        generate_unique_id_function=operation_id,
        lifespan=lifespan,
        servers=None if public_url is None else [{"url": public_url}],
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
    problem = _of_the_framework(request, fault) if isinstance(fault, HTTPException) else problem_of(fault)
    problem = problem or Problem(500, FAULT)
    request_id = request.scope["state"]["request_id"]
    return Response(problem.body(request_id), problem.status, headers=dict(problem.headers), media_type=MEDIA_TYPE)


def _of_the_framework(request: Request, fault: HTTPException) -> Problem:
    """What FastAPI itself refuses: no such route, no such method."""
    details = {404: "There is nothing at this address.", 405: "This address has not this method."}
    headers = tuple((name.lower(), value) for name, value in (fault.headers or {}).items() if name.lower() != "allow")
    if fault.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers += (("allow", ", ".join(_allowed(request))),)
    return Problem(fault.status_code, details.get(fault.status_code, "The request was refused."), headers=headers)


def _allowed(request: Request) -> list[str]:
    """Every method of the address: the framework names only those of the first route it finds there."""
    found = [
        method
        for method in ("GET", "POST", "PATCH", "DELETE")
        if (method, request.scope["path"]) == ("POST", verifications.PATH)
        or any(route.matches({**request.scope, "method": method})[0] == Match.FULL for route in request.app.routes)
    ]
    return ["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found
