"""What is public: whether the service is well, what it counts, and its public keys."""

from base64 import urlsafe_b64encode
from typing import Literal

from fastapi import APIRouter, Request, Response

from app.services.context import Context

from .fields import Answer

router = APIRouter()


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]


class Readiness(Answer):
    """Whether verifications can be settled, and what is missing where not."""

    status: Literal["ready", "not_ready"]
    missing: list[str]


class JsonWebKey(Answer):
    """An Ed25519 public key (RFC 8037 section 2). `kid` is base64url of the 4 bytes that tokens carry."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["Ed25519"]
    use: Literal["sig"]
    kid: str
    x: str


class JsonWebKeySet(Answer):
    """The keys that tokens are verified with."""

    keys: list[JsonWebKey]


@router.get("/healthz", tags=["health"], summary="Is the process alive?", response_description="It is")
async def healthz() -> Health:
    """Answers as long as the process does."""
    return Health(status="ok")


@router.get(
    "/readyz",
    tags=["health"],
    summary="Can it serve?",
    response_description="It can",
    responses={503: {"model": Readiness, "description": "No"}},
)
async def readyz(request: Request, response: Response) -> Readiness:
    """Asks the database. 503 with what is missing, in words."""
    context: Context = request.app.state.context
    missing = await context.store.missing()
    if missing:
        response.status_code = 503
    return Readiness(status="not_ready" if missing else "ready", missing=missing)


@router.get(
    "/metrics",
    tags=["health"],
    summary="Prometheus metrics",
    response_description="The metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Counts and durations in the Prometheus text format. No token, no name."""
    context: Context = request.app.state.context
    body, content_type = context.metrics.render()
    return Response(body, headers={"content-type": content_type})


@router.get("/.well-known/jwks.json", tags=["keys"], summary="Public keys", response_description="The keys")
async def jwks(request: Request) -> JsonWebKeySet:
    """The keys of the service as a JSON Web Key Set (RFC 7517): next, active and retiring."""
    context: Context = request.app.state.context
    return JsonWebKeySet(
        keys=[
            JsonWebKey(
                kty="OKP",
                crv="Ed25519",
                alg="Ed25519",
                use="sig",
                kid=_base64url(key.kid),
                x=_base64url(key.public),
            )
            for key in context.keychain.published()
        ]
    )


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
