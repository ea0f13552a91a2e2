"""What Tencent's face recognition (IAI) is asked with, and how a request is refused: always with HTTP status 200."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request

from app.faces.compat.signatures import TC3, Claim, Refused, SignedRequest, check, read_claim
from app.faces.dialect import Numbered, Told, clean, context_of
from app.faces.fields import Fields, read_fields
from app.services.connected import Connection, Kind, drawn
from app.services.context import Context
from app.services.identify import Sight, look

_SERVICE = "iai"
_UNSIGNED = {
    "missing": "AuthFailure.InvalidAuthorization",
    "incomplete": "AuthFailure.InvalidAuthorization",
    "expired": "AuthFailure.SignatureExpire",
    "bad_signature": "AuthFailure.SignatureFailure",
}

_rest_of_key, _new_secret = drawn(32), drawn(32)

GROUP = "gatepass"
"""The group that there is to begin with."""

KIND = Kind(
    "tencent",
    key=lambda entropy: "AKID" + _rest_of_key(entropy),
    secret=_new_secret,
    credentials=lambda key, secret: {"secret_id": key, "secret_key": secret, "group": GROUP},
    collection=GROUP,
)


def error(code: str, message: str) -> Told:
    """An error with one of Tencent's own codes. The message repeats nothing of the request."""
    said = {"Code": code, "Message": message}
    return Told(Numbered(lambda id_: {"Response": {"Error": said, "RequestId": id_}}))


class Asked(NamedTuple):
    """Who asks, and with what."""

    app: Context
    connection: Connection
    fields: Fields

    def text(self, name: str) -> str:
        """A text that has to be there. Raises `Told`."""
        text = self.fields.text(name)
        if not text:
            raise error("MissingParameter.ErrorParameterEmpty", f"{name} is missing.")
        return text

    def texts(self, name: str) -> Sequence[str]:
        """A list of texts, each once. Raises `Told` where there are none, or one is empty."""
        texts = list(dict.fromkeys(map(clean, self.fields.listed(name) if self.fields.has(name) else ())))
        if not texts or "" in texts:
            raise error("MissingParameter.ErrorParameterEmpty", f"{name} is missing, or a member of it is empty.")
        return texts

    def page(self, most: int) -> slice:
        """Which of a list are asked for. Raises `Told`."""
        offset, limit = self.fields.number("Offset", 0), self.fields.number("Limit", 10)
        if offset < 0:
            raise error("InvalidParameterValue.OffsetExceed", "Offset is out of range.")
        if not 0 < limit <= most:
            raise error("InvalidParameterValue.LimitExceed", f"Limit is at most {most}.")
        return slice(offset, offset + limit)

    async def look(self, name: str = "Image") -> Sight:
        """The codes in a picture; its address is not followed. Raises `Told`, and what `tell` can tell."""
        if self.fields.has(name):
            return await look(self.app, self.connection, self.fields.picture(name))
        if self.fields.has(name.replace("Image", "Url")):
            raise error("FailedOperation.ImageDownloadError", f"Pictures are not fetched: send the picture in {name}.")
        raise error("InvalidParameterValue.ImageEmpty", f"{name} is missing.")


async def read(request: Request) -> Asked:
    """The request, whose signature is good. Raises `Told` and `Problem`."""
    app, (claim, connection) = context_of(request), await caller(request)
    signed, now, hosts = _signed(request, await request.body()), app.clock.now(), app.network.hosts
    try:
        check(claim, signed, connection.secret.encode(), service=_SERVICE, now=now, public_hosts=hosts)
    except Refused as refused:
        raise _unsigned(refused) from None
    return Asked(app, connection, await read_fields(request))


async def caller(request: Request) -> tuple[Claim, Connection]:
    """Whose key a request says it is signed with, before its body is there to check that. Raises `Told`."""
    try:
        claim = read_claim(TC3, _signed(request, b""))
    except Refused as refused:
        raise _unsigned(refused) from None
    connection = await context_of(request).connections.by_key(KIND.name, claim.key_id)
    if connection is None:
        raise error("AuthFailure.SecretIdNotFound", "This is no SecretId of a connection.")
    return claim, connection


def _signed(request: Request, body: bytes) -> SignedRequest:
    return SignedRequest(request.method, b"/", request.scope["query_string"], request.scope["headers"], body)


def _unsigned(refused: Refused) -> Told:
    return error(_UNSIGNED[refused.code], refused.message)
