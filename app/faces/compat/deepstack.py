"""DeepStack, and CodeProject.AI, which took its API over: forms in, JSON out, and a person is a `userid`.

Its clients poll, and most raise on whatever is not a 200. So no code in the picture is a 200 without predictions, and
a refused code is a prediction with its box, the userid "unknown" and confidence 0. Only a request that is wrong in
itself has another status, the one that DeepStack gives it. A confidence is 1 or 0, whatever `min_confidence` asks.
Sources: DeepStack's own server (`server.go`, `middlewares.go`); exercised with deepstack-python 0.9.
"""

import re
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.effects.read_pictures import Code
from app.faces.dialect import Dialect, Told, calls, connection_of, context_of
from app.faces.fields import Fields, read_fields
from app.faces.problems import Problem
from app.services import enrol
from app.services.connected import Connection, Kind, drawn
from app.services.identify import Admitted, NoCode, Sight, admitted, compare, look
from app.services.mistakes import Clash, Mistake, TooManyPictures
from app.services.sight import UnreadablePicture
from app.storage.repositories.enrolments import SubjectFilter

_BASE = "/v1/vision/face"
_ALL = SubjectFilter("")
_NO_IMAGE = "No valid image file found"
_PICTURES = ("image", *(f"image{number}" for number in range(1, 10)))
_CONFIDENCE = re.compile(r"(?=\.?[0-9])[0-9]{0,3}\.?[0-9]{0,20}(?:[eE]-?[0-9]{1,2})?")

KIND = Kind("deepstack", key=drawn(32), credentials=lambda key, _secret: {"api_key": key})


def error(status: int, message: str) -> Told:
    """An error in DeepStack's shape."""
    return Told(JSONResponse({"success": False, "error": message, "duration": 0}, status))


def tell(fault: Exception) -> Response:
    """What went wrong, as DeepStack says it. No code in the picture is nothing wrong."""
    match fault:
        case NoCode():
            return _answer(predictions=[])
        case UnreadablePicture(refusal="not_a_picture"):
            told = error(400, "invalid image")
        case Problem(status=401):
            told = error(401, "Incorrect api key")
        case Problem(status=status):
            told = error(status, fault.detail)
        case TooManyPictures():
            told = error(429, fault.message)
        case Mistake():
            told = error(400, fault.message)
        case _:
            told = error(500, "Something went wrong here.")
    return told.response


async def recognize(request: Request) -> Response:
    """Who shows a code: one prediction for each code, the largest first, and at most one of them with a name."""
    app, (connection, fields) = context_of(request), await _asked(request)
    sight = await _look(request, connection, fields)
    found = await admitted(app, connection, sight)
    return _answer(predictions=[{**_who(found, code), **_box(sight, code)} for code in sight.codes])


async def detect(request: Request) -> Response:
    """Where the codes are; nothing is settled."""
    sight = await _look(request, *await _asked(request))
    return _answer(predictions=[{"confidence": 1.0, **_box(sight, code)} for code in sight.codes])


async def register(request: Request) -> Response:
    """Enrol: the userid becomes a holder with a pass. Pictures, under whatever names, are dropped undecoded."""
    app, (connection, fields) = context_of(request), await _asked(request)
    pictures = fields.files or ("image",)
    if not any(fields.has(name) for name in pictures):
        raise error(400, _NO_IMAGE)
    userid = _userid(fields)
    fields.discard(app, KIND, *pictures)
    try:
        await enrol.add_subject(app, connection, "", userid)
    except Clash:
        return _answer(message="face updated")
    return _answer(message="face added")


async def list_faces(request: Request) -> Response:
    """The userids of all whom this client registered."""
    connection, _ = await _asked(request)
    return _answer(faces=[subject.ref for subject in await enrol.subjects(context_of(request), connection, _ALL)])


async def delete_face(request: Request) -> Response:
    """Take a userid away; its pass is revoked. One that is not there is answered alike."""
    connection, fields = await _asked(request)
    await enrol.delete_subjects(context_of(request), connection, _ALL._replace(refs={_userid(fields)}))
    return _answer()


async def match(request: Request) -> Response:
    """Compare: whether both pictures show a code of the same holder, one of which is live."""
    app, (connection, fields) = context_of(request), await _asked(request)
    pictures = fields.files or ("image1", "image2")
    given = sum(fields.has(name) for name in pictures)
    if given != 2 or len(pictures) != 2:
        raise error(400, "only two images allowed" if given > 2 else "expected two image files")
    try:
        one, other = [await look(app, connection, fields.picture(name)) for name in pictures]
    except NoCode:
        raise error(200, "no face found") from None
    return _answer(similarity=float(await compare(app, connection, one, other) is not None))


async def _asked(request: Request) -> tuple[Connection, Fields]:
    """Whose request it is, and its fields, of which the key is one."""
    fields = await read_fields(request, files=_PICTURES, forms_only=True)
    return await connection_of(request, KIND, fields.text("api_key")), fields


def _userid(fields: Fields) -> str:
    userid = fields.text("userid")
    if not userid:
        raise error(400, "userid not specified")
    return userid


async def _look(request: Request, connection: Connection, fields: Fields) -> Sight:
    confidence = fields.text("min_confidence") or "0"
    if not fields.has("image"):
        raise error(400, _NO_IMAGE)
    if not _CONFIDENCE.fullmatch(confidence):
        raise error(400, "Invalid value for min_confidence")
    if float(confidence) > 1:
        raise error(400, "min_confidence cannot be greater than 1")
    return await look(context_of(request), connection, fields.picture("image"))


def _answer(**what: Any) -> Response:  # noqa: ANN401  as DeepStack names it
    return JSONResponse({"success": True, **what, "duration": 0})


def _who(found: Admitted | None, code: Code) -> dict[str, Any]:
    if found is not None and found.code == code:
        return {"userid": found.ref, "confidence": 1.0}
    return {"userid": "unknown", "confidence": 0}


def _box(sight: Sight, code: Code) -> dict[str, int]:
    box = code.box.grown(sight.width, sight.height)
    return {"x_min": box.left, "y_min": box.top, "x_max": box.right, "y_max": box.bottom}


ROUTES: Sequence[Route] = (
    *calls(_BASE, ["POST"], detect),
    *calls(f"{_BASE}/recognize", ["POST"], recognize),
    *calls(f"{_BASE}/register", ["POST"], register),
    *calls(f"{_BASE}/list", ["POST"], list_faces),
    *calls(f"{_BASE}/delete", ["POST"], delete_face),
    *calls(f"{_BASE}/match", ["POST"], match),
)

DEEPSTACK = Dialect(KIND, ROUTES, tell, prefixes=("/v1/vision/",))
