"""AWS Rekognition: one address, the operation in `X-Amz-Target`, signed with SigV4, errors named in `__type`.

An SDK that hears nothing calls again under the same `amz-sdk-invocation-id`, three times in all, within seconds. What
enrols or deletes is not done twice: its first answer is kept for a minute. Who was admitted is named again under the id
for as long, also at a gate that repeats nothing, unless the token or its pass was taken back in between. Both are kept
by the process that answered; between several the gate's repeat window of 5 seconds does it.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.effects.entropy import Entropy
from app.faces.compat.signatures import SIGV4, Claim, Refused, SignedRequest, check, read_claim
from app.faces.dialect import Dialect, Told, context_of
from app.faces.problems import Problem
from app.services import lately
from app.services.connected import Connection, Kind, drawn
from app.services.identify import NoCode
from app.services.mistakes import Clash, Mistake, NotFound, TooManyPictures
from app.services.sight import UnreadablePicture

from .operations import OPERATIONS, Call
from .requests import MEDIA_TYPE, error, read

_SERVICE = "RekognitionService."
_COLLECTION = "gatepass"
_INVOCATION = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UNSIGNED = {
    "missing": "MissingAuthenticationTokenException",
    "incomplete": "IncompleteSignatureException",
    "expired": "InvalidSignatureException",
    "bad_signature": "InvalidSignatureException",
}
_CLASHES = {"collection_exists": "ResourceAlreadyExistsException"}
_PROBLEMS = {
    404: "UnknownOperationException",
    408: "RequestTimeoutException",
    413: "ImageTooLargeException",
    429: "ThrottlingException",
}
_NOT_THERE = {"collection": "The collection id does not exist", "subject": "The user id does not exist"}

_sixteen = drawn(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def _new_key(entropy: Entropy) -> str:
    return "AKIA" + _sixteen(entropy)


def _credentials(key: str, secret: str) -> Mapping[str, str]:
    return {
        "access_key_id": key,
        "secret_access_key": secret,
        "region": "us-east-1",
        "collection": _COLLECTION,
    }


KIND = Kind("rekognition", key=_new_key, secret=drawn(40), credentials=_credentials, collection=_COLLECTION)


def tell(fault: Exception) -> Response:
    """What went wrong, as Rekognition says it."""
    match fault:
        case NoCode():
            told = error("InvalidParameterException", "There are no faces in the image. Should be at least 1.")
        case UnreadablePicture(refusal="not_a_picture"):
            told = error("InvalidImageFormatException", "Request has invalid image format")
        case UnreadablePicture():
            told = error("ImageTooLargeException", fault.message)
        case NotFound(noun=noun):
            told = error("ResourceNotFoundException", _NOT_THERE.get(noun, fault.message))
        case Clash(code=code):
            told = error(_CLASHES.get(code, "ConflictException"), fault.message)
        case TooManyPictures():
            told = error("ThrottlingException", fault.message)
        case Mistake():
            told = error("InvalidParameterException", fault.message)
        case Problem(status=status) if status < 500:
            told = error(_PROBLEMS.get(status, "ValidationException"), fault.detail)
        case Problem():
            told = error("InternalServerError", fault.detail, 500)
        case _:
            told = error("InternalServerError", "Something went wrong here.", 500)
    return told.response


async def answer(request: Request) -> Response:
    """Have the operation answered that the target names."""
    body, target = await request.body(), request.headers.get("x-amz-target", "")
    call = await _signed(request, body)
    operation = OPERATIONS.get(target.removeprefix(_SERVICE)) if target.startswith(_SERVICE) else None
    if operation is None:
        raise error("UnknownOperationException", "There is no such operation here.")
    asked = read(operation.asked, body)
    invocation = request.headers.get("amz-sdk-invocation-id", "")
    if _INVOCATION.fullmatch(invocation):
        call = call._replace(id=f"{invocation} {hashlib.sha256(target.encode() + body).hexdigest()}")
    work = partial(operation.answer, call, asked)
    if operation.once and call.id is not None:
        answered = await call.app.lately.once(lately.Call(call.connection.id, call.id), work, lambda _: True)
    else:
        answered = await work()
    return JSONResponse(answered, media_type=MEDIA_TYPE)


async def _caller(request: Request) -> tuple[Claim, Connection]:
    """Whose key a request says it is signed with, before its body is there to check that. Raises `Told`."""
    try:
        claim = read_claim(SIGV4, _sent(request, b""))
    except Refused as refused:
        raise _unsigned(refused) from None
    connection = await context_of(request).connections.by_key(KIND.name, claim.key_id)
    if connection is None:
        raise error("UnrecognizedClientException", "The security token included in the request is invalid.")
    return claim, connection


async def _signed(request: Request, body: bytes) -> Call:
    """Whose call it is. Raises `Told` where that is not shown by its signature."""
    app, (claim, connection) = context_of(request), await _caller(request)
    secret, now, hosts = connection.secret.encode(), app.clock.now(), app.network.hosts
    try:
        check(claim, _sent(request, body), secret, service="rekognition", now=now, public_hosts=hosts)
    except Refused as refused:
        raise _unsigned(refused) from None
    return Call(app, connection, claim.region)


def _sent(request: Request, body: bytes) -> SignedRequest:
    scope = request.scope
    return SignedRequest(request.method, scope["raw_path"], scope["query_string"], scope["headers"], body)


def _unsigned(refused: Refused) -> Told:
    return error(_UNSIGNED[refused.code], refused.message)


REKOGNITION = Dialect(
    KIND,
    (Route("/{mount:path}", answer, methods=["POST"]),),
    tell,
    prefixes=("/rekognition",),
    header=b"x-amz-target",
    id_header=b"x-amzn-requestid",
    before_body=_caller,
)
