"""AWS Rekognition: one address, the operation in `X-Amz-Target`, signed with SigV4, errors named in `__type`.

An SDK that hears nothing calls again under the same `amz-sdk-invocation-id`, three times in all, within seconds. What
enrols or deletes is not done twice: its first answer is kept for a minute. What settles is settled again: within the
gate's repeat window, which is 5 seconds unless the operator says otherwise, a code gets its first answer from every
process, and not once its token or pass was taken back. Kept under the id, a name would outlive that. At a gate whose
window is 0 a code whose answer was lost is a used one.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from typing import Any

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

from .operations import OPERATIONS, Call, Operation
from .requests import MEDIA_TYPE, Asked, error, read

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
    if operation.once and _INVOCATION.fullmatch(invocation):
        digest = hashlib.sha256(target.encode() + b"\0" + body).hexdigest()
        answered = await _once(call, f"{invocation} {digest}", operation, asked)
    else:
        answered = await operation.answer(call, asked)
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


async def _once(call: Call, id_: str, operation: Operation, asked: Asked) -> Any:  # noqa: ANN401  JSON
    """The answer to a call that may come again: the first one, even while that is still being found.

    Whoever goes away does not end the work that others may wait for. What failed is tried anew.
    """
    key, answers = lately.Call(call.connection.id, id_), call.app.lately.answers

    def forget_failure(task: asyncio.Task[Any]) -> None:
        if task.cancelled() or task.exception() is not None:
            answers.pop(key, None)

    task = answers.get(key)
    if task is None:
        task = answers[key] = asyncio.ensure_future(operation.answer(call, asked))
        task.add_done_callback(forget_failure)
    return await asyncio.shield(task)


REKOGNITION = Dialect(
    KIND,
    (Route("/{mount:path}", answer, methods=["POST"]),),
    tell,
    prefixes=("/rekognition",),
    header=b"x-amz-target",
    id_header=b"x-amzn-requestid",
    before_body=_caller,
)
