"""AWS Rekognition: one address, the operation in `X-Amz-Target`, signed with SigV4, errors named in `__type`.

An SDK that hears nothing calls again under the same `amz-sdk-invocation-id`, three times in all. A code admits once, so
that the first answer has to be given again: it is kept for a minute, and the id is the request id of what is settled.
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
from app.faces.compat.signatures import SIGV4, Refused, SignedRequest, check, read_claim
from app.faces.dialect import Dialect, context_of
from app.faces.problems import Problem
from app.services import lately
from app.services.connected import Kind, drawn
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
_CLASHES = {
    "collection_exists": "ResourceAlreadyExistsException",
    "request_id_reused": "InvalidParameterException",
}
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
    if call.request_id is None or operation.only_reads:
        answered = await operation.answer(call, asked)
    else:
        digest = hashlib.sha256(target.encode() + b"\0" + body).hexdigest()
        answered = await _once(call, f"{call.request_id} {digest}", operation, asked)
    return JSONResponse(answered, media_type=MEDIA_TYPE)


async def _signed(request: Request, body: bytes) -> Call:
    """Whose call it is. Raises `Told` where that is not shown by its signature."""
    app, scope = context_of(request), request.scope
    sent = SignedRequest(request.method, scope["raw_path"], scope["query_string"], scope["headers"], body)
    try:
        claim = read_claim(SIGV4, sent)
        connection = await app.connections.by_key(KIND.name, claim.key_id)
        if connection is None:
            raise error("UnrecognizedClientException", "The security token included in the request is invalid.")
        secret, hosts = connection.secret.encode(), app.network.hosts
        check(claim, sent, secret, service="rekognition", now=app.clock.now(), public_hosts=hosts)
    except Refused as refused:
        raise error(_UNSIGNED[refused.code], refused.message) from None
    invocation = request.headers.get("amz-sdk-invocation-id", "")
    return Call(app, connection, claim.region, invocation if _INVOCATION.fullmatch(invocation) else None)


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
)
