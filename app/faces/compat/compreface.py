"""CompreFace 1.2: `x-api-key`, multipart or JSON in, snake case out, every error a `message` and a `code`.

One key is one collection of subjects. A refused code is a result with its box and no subjects; no code in the picture
is what a polling camera gets while nobody is there, error 28. Embeddings are biometric templates and are refused.
"""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.effects.entropy import Entropy
from app.effects.read_pictures import Code
from app.faces.dialect import Dialect, Told, calls, check_short, clean, connection_of, context_of, query_of
from app.faces.fields import Fields, read_fields, whole_number
from app.faces.problems import Problem
from app.services import enrol
from app.services.connected import Connection, Kind
from app.services.identify import Admitted, NoCode, Sight, admitted, compare, identify, look
from app.services.mistakes import Clash, Invalid, NotFound, TooManyPictures
from app.services.sight import UnreadablePicture
from app.storage.repositories.enrolments import EnrolmentFilter, SubjectFilter

_SERVICES = {"recognition": "Recognition", "verification": "Verification", "detection": "Detection"}
_BASE = "/api/v1/recognition"
_STATIC = "/api/v1/static/"
_ALL = SubjectFilter("")
_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST_PAGE = 10_000
_TRY_AGAIN = "Something went wrong, please try again"


def _new_key(entropy: Entropy) -> str:
    return str(uuid.UUID(bytes=entropy.bytes(16), version=4))


KIND = Kind("compreface", key=_new_key, credentials=lambda key, _secret: {"api_key": key})


def error(status: int, code: int, message: str) -> Told:
    """An error with one of CompreFace's own codes."""
    return Told(JSONResponse({"message": message, "code": code}, status))


def tell(fault: Exception) -> Response:
    """What went wrong, as CompreFace says it."""
    match fault:
        case NoCode() | UnreadablePicture(refusal="not_a_picture"):
            told = error(400, 28, "No face is found in the given image")
        case UnreadablePicture() | Problem(code="not_base64"):
            told = error(400, 21, str(fault))
        case NotFound(noun="enrolment"):
            told = error(404, 44, "Image not found")
        case NotFound(noun="subject"):
            told = error(404, 42, "Subject not found")
        case Clash():
            told = error(400, 43, "Subject already exists")
        case Invalid():
            told = error(400, 26, fault.message)
        case TooManyPictures():
            told = error(429, 0, _TRY_AGAIN)
        case Problem(status=status) if status < 500:
            told = error(status, 0, fault.detail)
        case Problem(status=status):
            told = error(status, 0, _TRY_AGAIN)
        case _:
            told = error(400, 0, _TRY_AGAIN)
    return told.response


async def recognize(request: Request) -> Response:
    """Who shows a code: one result for each code, the largest first, and at most one of them with a subject."""
    connection, query = await _connection(request), query_of(request)
    limit, predictions = _limit(query), whole_number(query.get("prediction_count", "1"))
    if predictions < -1 or predictions == 0:
        raise error(404, 400, "Prediction count should be any positive number or -1")
    sight = await _look(request, connection, await _fields(request), "file")
    found = await admitted(context_of(request), connection, sight)
    shown = _largest(sight, limit, [found.code] if found else [])
    return _results(query, [_face(sight, code) | {"subjects": _subjects(found, code)} for code in shown])


async def add_face(request: Request) -> Response:
    """Enrol: the subject becomes a holder with a pass. The picture is dropped undecoded."""
    connection, fields = await _connection(request), await _fields(request)
    subject = query_of(request).get("subject", fields.text("subject"))
    if subject is None:
        raise error(400, 33, "Required request parameter 'subject' is not present")
    _check_name(subject)
    _check_part(fields, "file")
    fields.discard(context_of(request), KIND, "file")
    made = await enrol.enrol(context_of(request), connection, enrol.Enrolling("", subject, lasting=True))
    return JSONResponse({"image_id": _shown(made.id), "subject": subject}, 201)


async def list_faces(request: Request) -> Response:
    """The enrolments, a page at a time."""
    app, connection, query = context_of(request), await _connection(request), query_of(request)
    page, size = whole_number(query.get("page", "0")), whole_number(query.get("size", "20"))
    if page < 0 or not 0 < size <= _LONGEST_PAGE:
        raise error(400, 26, f"A page has 1 to {_LONGEST_PAGE} faces, and the first page is 0")
    wanted = await _of_subject(request, connection, query.get("subject") or None)
    found = [] if wanted is None else await enrol.enrolments(app, connection, wanted, size, skip=page * size)
    total = 0 if wanted is None else await enrol.count_enrolments(app, connection, wanted)
    faces = [{"image_id": _shown(each.id), "subject": each.ref} for each in found]
    pages = {"page_number": page, "page_size": size, "total_pages": -(-total // size), "total_elements": total}
    return JSONResponse({"faces": faces, **pages})


async def delete_faces(request: Request) -> Response:
    """Take the enrolments of a subject away, or all; the subjects stay."""
    connection, subject = await _connection(request), query_of(request).get("subject")
    if subject is not None:
        _check_name(subject)  # a name that was left empty by mistake deletes nobody
    wanted = await _of_subject(request, connection, subject)
    deleted = [] if wanted is None else await enrol.delete_enrolments(context_of(request), connection, wanted)
    return JSONResponse({"deleted": len(deleted)})


async def delete_some_faces(request: Request) -> Response:
    """Take enrolments away by their ids; unknown ones are passed over."""
    connection, texts = await _connection(request), (await _fields(request)).listed()
    wanted = EnrolmentFilter("", ids=[id_ for text in texts if (id_ := _id(text)) is not None])
    deleted = await enrol.delete_enrolments(context_of(request), connection, wanted)
    return JSONResponse([{"image_id": _shown(each.id), "subject": each.ref} for each in deleted])


async def delete_face(request: Request) -> Response:
    """Take one enrolment away."""
    connection = await _connection(request)
    deleted = await enrol.delete_enrolments(context_of(request), connection, _of_path(request))
    if not deleted:
        raise NotFound("enrolment")
    return JSONResponse({"image_id": _shown(deleted[0].id), "subject": deleted[0].ref})


async def no_image(request: Request) -> Response:  # noqa: ARG001  the same for everybody
    """Nothing: there never is a picture to show."""
    return Response(b"", 200, media_type="image/jpeg")


async def verify_face(request: Request) -> Response:
    """Whether the code shown is the subject's of an enrolment. Somebody else's is left as it was."""
    app, connection, query = context_of(request), await _connection(request), query_of(request)
    enrolled = await enrol.enrolments(app, connection, _of_path(request))
    if not enrolled:
        raise NotFound("enrolment")
    subject, holder = enrolled[0].ref, enrolled[0].holder
    sight = await _look(request, connection, await _fields(request), "file")
    found = await identify(app, connection, sight, wanted=lambda person: person.holder == holder)
    similar = found is not None and found.person.holder == holder
    code = found.code if found else sight.codes[0]
    result = _face(sight, code) | {"subject": subject, "similarity": float(similar)}
    return _results(query, [result])


async def add_subject(request: Request) -> Response:
    """Make a subject: a holder with a pass."""
    connection, name = await _connection(request), (await _fields(request)).text("subject") or ""
    _check_name(name)
    await enrol.add_subject(context_of(request), connection, "", name)
    return JSONResponse({"subject": name}, 201)


async def list_subjects(request: Request) -> Response:
    """The names of all subjects."""
    found = await enrol.subjects(context_of(request), await _connection(request), _ALL)
    return JSONResponse({"subjects": [subject.ref for subject in found]})


async def rename_subject(request: Request) -> Response:
    """Give a subject another name; where there is one of that name, the two become one."""
    connection, name = await _connection(request), (await _fields(request)).text("subject") or ""
    _check_name(name)
    await enrol.rename_subject(context_of(request), connection, "", clean(request.path_params["subject"]), name)
    return JSONResponse({"updated": True})


async def delete_subject(request: Request) -> Response:
    """Take a subject away; its pass is revoked."""
    name = clean(request.path_params["subject"])
    wanted = _ALL._replace(refs={name})
    if not await enrol.delete_subjects(context_of(request), await _connection(request), wanted):
        raise NotFound("subject")
    return JSONResponse({"subject": name})


async def delete_all_subjects(request: Request) -> Response:
    """Take all subjects away."""
    deleted = await enrol.delete_subjects(context_of(request), await _connection(request), _ALL)
    return JSONResponse({"deleted": len(deleted)})


async def verify(request: Request) -> Response:
    """Compare: whether both pictures show a code of the same holder, one of which is live."""
    connection, fields, limit = await _connection(request), await _fields(request), _limit(query_of(request))
    source = await _look(request, connection, fields, "source_image")
    if len(source.codes) > 1:
        raise error(400, 31, "More than one face in the source image")
    target = await _look(request, connection, fields, "target_image")
    found = await compare(context_of(request), connection, source, target)
    matched = found.matched if found else ()
    shown = _largest(target, limit, matched)
    matches = [_face(target, code) | {"similarity": float(code in matched)} for code in shown]
    return JSONResponse({"result": [{"source_image_face": _face(source, source.codes[0]), "face_matches": matches}]})


async def detect(request: Request) -> Response:
    """Where the codes are; nothing is settled."""
    connection, query = await _connection(request), query_of(request)
    limit = _limit(query)
    sight = await _look(request, connection, await _fields(request), "file")
    return _results(query, [_face(sight, code) for code in _largest(sight, limit)])


async def refuse_embeddings(request: Request) -> Response:
    """Refuse: an embedding is a biometric template, and none is taken, made or stored."""
    await _connection(request)
    raise error(400, 37, "Embeddings are biometric templates; they are neither taken nor given")


async def _before_body(request: Request) -> None:
    """See that a connection calls. Browsers ask for pictures without its key, and are sent none."""
    if request.scope["path"].startswith(_STATIC):
        check_short(request)
    else:
        await _connection(request)


async def _connection(request: Request) -> Connection:
    key = request.headers.get("x-api-key")
    if key is None:
        raise error(400, 20, "Missing header: x-api-key")
    if not _UUID.fullmatch(key):
        raise error(400, 26, "Service API key should be UUID")
    try:
        return await connection_of(request, KIND, key.lower())
    except Problem:
        path = request.scope["path"]
        service = next((name for part, name in _SERVICES.items() if f"/{part}/" in path), "Recognition")
        raise error(404, 10, f"{service} service with this API Key not found") from None


async def _fields(request: Request) -> Fields:
    return await read_fields(request, files=("file", "source_image", "target_image"))


async def _look(request: Request, connection: Connection, fields: Fields, name: str) -> Sight:
    _check_part(fields, name)
    return await look(context_of(request), connection, fields.picture(name))


async def _of_subject(request: Request, connection: Connection, ref: str | None) -> EnrolmentFilter | None:
    """Those of the subject, or all; None where there is no such subject."""
    if ref is None:
        return EnrolmentFilter("")
    found = await enrol.subjects(context_of(request), connection, _ALL._replace(refs={ref}))
    return EnrolmentFilter("", found[0].holder) if found else None


def _of_path(request: Request) -> EnrolmentFilter:
    """The one that the path names; none where that is no id."""
    return EnrolmentFilter("", ids=[_id(request.path_params["id"]) or b""])


def _check_name(subject: str) -> None:
    if not subject.strip():
        raise error(400, 26, "Subject name is empty")


def _check_part(fields: Fields, name: str) -> None:
    if not fields.has(name):
        raise error(400, 34, f"Required request part '{name}' is not present")


def _limit(query: Mapping[str, str]) -> int | None:
    """How many codes are asked for at most; None for all."""
    limit = whole_number(query.get("limit", "0"))
    if limit < 0:
        raise error(400, 26, "Limit should be equal or greater than 0")
    return limit or None


def _largest(sight: Sight, limit: int | None, found: Collection[Code] = ()) -> list[Code]:
    """The largest codes, as many as are asked for. One that was found is not left out for a larger one."""
    kept = sorted(sight.codes, key=lambda code: code not in found)[:limit]
    return [code for code in sight.codes if code in kept]


def _results(query: Mapping[str, str], results: list[dict[str, Any]]) -> Response:
    if query.get("status", "").lower() != "true":
        return JSONResponse({"result": results})
    timed = [result | {"execution_time": {"detector": 0.0, "calculator": 0.0}} for result in results]
    return JSONResponse({"result": timed, "plugins_versions": {"detector": "qr", "calculator": "gatepass"}})


def _face(sight: Sight, code: Code) -> dict[str, Any]:
    box = code.box.grown(sight.width, sight.height)
    corners = {"x_max": box.right, "y_max": box.bottom, "x_min": box.left, "y_min": box.top}
    return {"box": {"probability": 1.0, **corners}}


def _subjects(found: Admitted | None, code: Code) -> list[dict[str, Any]]:
    return [{"subject": found.ref, "similarity": 1.0}] if found is not None and found.code == code else []


def _shown(id_: bytes) -> str:
    return str(uuid.UUID(bytes=id_))


def _id(text: object) -> bytes | None:
    return uuid.UUID(text).bytes if isinstance(text, str) and _UUID.fullmatch(text) else None


ROUTES: Sequence[Route] = (
    *calls(f"{_BASE}/recognize", ["POST"], recognize),
    *calls(f"{_BASE}/faces", ["POST"], add_face),
    *calls(f"{_BASE}/faces", ["GET"], list_faces),
    *calls(f"{_BASE}/faces", ["DELETE"], delete_faces),
    *calls(f"{_BASE}/faces/delete", ["POST"], delete_some_faces),
    *calls(f"{_BASE}/faces/{{id}}", ["DELETE"], delete_face),
    *calls(f"{_BASE}/faces/{{id}}/img", ["GET"], no_image),
    *calls(_STATIC + "{key}/images/{id}", ["GET"], no_image),
    *calls(f"{_BASE}/faces/{{id}}/verify", ["POST"], verify_face),
    *calls(f"{_BASE}/subjects", ["POST"], add_subject),
    *calls(f"{_BASE}/subjects", ["GET"], list_subjects),
    *calls(f"{_BASE}/subjects", ["DELETE"], delete_all_subjects),
    *calls(f"{_BASE}/subjects/{{subject}}", ["PUT"], rename_subject),
    *calls(f"{_BASE}/subjects/{{subject}}", ["DELETE"], delete_subject),
    *calls("/api/v1/verification/verify", ["POST"], verify),
    *calls("/api/v1/detection/detect", ["POST"], detect),
    *calls("/api/v1/{service}/embeddings/{rest:path}", ["POST"], refuse_embeddings),
)

COMPREFACE = Dialect(KIND, ROUTES, tell, prefixes=("/api/v1/",), before_body=_before_body)
