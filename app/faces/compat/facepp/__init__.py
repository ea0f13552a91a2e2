"""Face++ 3.0: `api_key` and `api_secret` in every form, `error_message` in every refusal.

Enrolling takes several calls there, and takes the same here. `detect` finds one face in a picture without a code and
answers a face token for it; `faceset/addface` enrols that, `face/setuserid` says whose it is, which makes holder and
pass. `detect` locates codes too, and answers for them face tokens that cannot be enrolled.

A search always has a candidate, as Face++ answers the nearest face however far it is: clients read `results[0]` and
compare its confidence, and would fall over an empty list. The candidate for a refused code has a confidence of 0, which
is below every threshold, no `user_id`, and a face token that is nobody's. A face token shows a code for a few seconds
after its detection, since many clients detect first and then search by what they were answered; later it is nobody's.
It shows its own code and no other that was in the picture.
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.effects.read_pictures import Code
from app.faces.dialect import Dialect, Numbered, calls
from app.faces.problems import Problem
from app.services.context import Context
from app.services.identify import Identified, NoCode, Sight, compare, identify
from app.services.mistakes import Clash, Invalid, NotFound, TooManyPictures

from . import facesets
from .requests import KIND, Asked, error, read

_BASE = "/facepp/v3"
_THRESHOLDS = {"1e-3": 62.327, "1e-4": 69.101, "1e-5": 73.975}

Answer = dict[str, Any]


def tell(fault: Exception) -> Response:
    """What went wrong, as Face++ says it."""
    match fault:
        case Invalid(field="subject"):
            told = error(400, "BAD_ARGUMENTS: user_id")
        case Invalid(field="collection"):
            told = error(400, "BAD_ARGUMENTS: outer_id")
        case Clash(code="collection_exists"):
            told = error(400, "FACESET_EXIST")
        case NotFound(noun="collection"):
            told = error(400, "INVALID_OUTER_ID")
        case TooManyPictures():
            told = error(403, "CONCURRENCY_LIMIT_EXCEEDED")
        case Problem(status=401):
            told = error(401, "AUTHENTICATION_ERROR")
        case Problem(status=404):
            told = error(404, "API_NOT_FOUND")
        case Problem(status=413):
            told = error(413, "REQUEST_ENTITY_TOO_LARGE")
        case Problem(status=status) if status >= 500:
            told = error(500, "INTERNAL_ERROR")
        case _:
            told = error(400, "BAD_ARGUMENTS")
    return told.response


async def detect(asked: Asked) -> Answer:
    """Where the codes are, or one face for the whole of a picture without any; nothing is settled."""
    try:
        sight = await asked.look()
        faces = _faces(asked.app, sight, sight.codes)
        for face, code in zip(faces, sight.codes, strict=True):
            asked.remember(face["face_token"], sight, code)
    except NoCode as none:
        width, height = none.size or (0, 0)
        whole = {"top": 0, "left": 0, "width": width, "height": height}
        faces = [{"face_token": asked.new_face_token(), "face_rectangle": whole}] if none.size else []
    return {"image_id": _image_id(asked.app), "faces": faces, "face_num": len(faces)}


async def search(asked: Asked) -> Answer:
    """Who shows a code, among those of a faceset. The face that was searched by comes first, then the largest."""
    faceset = await facesets.the_faceset(asked)
    if asked.has_only_a_face_token():
        (token,) = asked.face_tokens("face_token", 1)
        detected = asked.detected(token)
        found = await _identified(asked, detected[0], faceset, detected[1]) if detected else None
        best = await _best(asked, faceset, found, _nobodys_token(asked.app))
        return {"thresholds": _THRESHOLDS, "results": [best]}
    seen = {"image_id": _image_id(asked.app)}
    try:
        sight = await asked.look()
    except NoCode:
        return {**seen, "faces": []}
    found = await _identified(asked, sight, faceset)
    faces = _faces(asked.app, sight, sorted(sight.codes, key=lambda code: found is None or code != found.code))
    best = await _best(asked, faceset, found, faces[0]["face_token"])
    return {**seen, "faces": faces, "thresholds": _THRESHOLDS, "results": [best]}


async def compare_faces(asked: Asked) -> Answer:
    """Whether both pictures show a code of the same holder, or one picture a code of whose face the other is.

    Of two face tokens neither shows a code, unless it was detected a moment ago: they are not alike. The face token of
    a code shows that code alone.
    """
    answer: Answer = {}
    sights: list[Sight | None] = []
    holder: bytes | None = None
    code: Code | None = None
    for side in ("1", "2"):
        if asked.has_only_a_face_token(side):
            (token,) = asked.face_tokens(f"face_token{side}", 1)
            if (detected := asked.detected(token)) is not None:
                whole, code = detected
                sights.append(whole._replace(codes=(code,), shown={code.text: whole.shown[code.text]}))
                continue
            known = await facesets.faces_of(asked, asked.face_token(f"face_token{side}"))
            holder = next((each.holder for each in known if each.holder), None)
            continue
        try:
            sight = await asked.look(side)
        except NoCode:
            sight = None
        sights.append(sight)
        faces = _faces(asked.app, sight, sight.codes) if sight else []
        answer |= {f"image_id{side}": _image_id(asked.app), f"faces{side}": faces}
    found = None
    match sights:
        case [Sight() as one, Sight() as other]:
            found = await compare(asked.app, asked.connection, one, other)
        case [Sight() as one]:
            found = await identify(
                asked.app, asked.connection, one, wanted=lambda person: person.holder == holder, code=code
            )
    if None not in sights:
        answer |= {"confidence": 100.0 if found else 0.0, "thresholds": _THRESHOLDS}
    return answer


def _faces(app: Context, sight: Sight, codes: Sequence[Code]) -> list[Answer]:
    """The codes as faces."""
    faces = []
    for code in codes:
        box = code.box.grown(sight.width, sight.height)
        where = {"top": box.top, "left": box.left, "width": box.right - box.left, "height": box.bottom - box.top}
        faces.append({"face_token": _nobodys_token(app), "face_rectangle": where})
    return faces


async def _identified(asked: Asked, sight: Sight, faceset: str, code: Code | None = None) -> Identified | None:
    return await identify(asked.app, asked.connection, sight, wanted=lambda person: person.is_among(faceset), code=code)


async def _best(asked: Asked, faceset: str, found: Identified | None, nobodys_token: str) -> Answer:
    """The one candidate: who was admitted, or nobody."""
    if found is None:
        return {"confidence": 0.0, "user_id": "", "face_token": nobodys_token}
    token = await facesets.face_token_of(asked, faceset, found.person)
    return {"confidence": 100.0, "user_id": found.ref, "face_token": token}


def _nobodys_token(app: Context) -> str:
    return app.entropy.bytes(16).hex()


def _image_id(app: Context) -> str:
    return b64encode(app.entropy.bytes(16)).decode()


def _call(path: str, perform: Callable[[Asked], Awaitable[Answer]]) -> tuple[Route, Route]:
    async def endpoint(request: Request) -> Response:
        content = await perform(await read(request))
        return Numbered(lambda id_: {"request_id": id_, "time_used": 0, **content})

    return calls(_BASE + path, ["POST"], endpoint)


ROUTES: Sequence[Route] = (
    *_call("/detect", detect),
    *_call("/search", search),
    *_call("/compare", compare_faces),
    *_call("/faceset/create", facesets.create_faceset),
    *_call("/faceset/addface", facesets.add_faces),
    *_call("/faceset/removeface", facesets.remove_faces),
    *_call("/faceset/getfacesets", facesets.list_facesets),
    *_call("/faceset/getdetail", facesets.get_faceset),
    *_call("/faceset/update", facesets.update_faceset),
    *_call("/faceset/delete", facesets.delete_faceset),
    *_call("/face/setuserid", facesets.set_user_id),
    *_call("/face/getdetail", facesets.get_face),
)

FACEPP = Dialect(KIND, ROUTES, tell, prefixes=("/facepp/",))
