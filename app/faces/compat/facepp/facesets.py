"""Facesets, and the faces in them, as Face++ has them: a faceset is a collection, a face is enrolled by its token.

A face may be in several facesets, so it is enrolled under an id that is made of both. Whose it is may be said before it
is in any: until then it stands in a collection that no client sees.
"""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any

from app.services import enrol
from app.services.connected import Connection
from app.services.identify import Person
from app.services.mistakes import Clash
from app.storage.records import EnrolmentRecord
from app.storage.repositories.enrolments import EnrolmentFilter

from .requests import Asked, error

_NOWHERE = ""
_UNNAMED = "@"
"""Begins the name of a faceset that was made without an `outer_id`, which no `outer_id` can have in it."""

_NOT_IN_OUTER_ID = frozenset("^@,&=*'\"")
_MOST_FACESETS = 1000
_MOST_ADDED = 5
_MOST_REMOVED = 1000
_PAGE = 100

Answer = dict[str, Any]


async def create_faceset(asked: Asked) -> Answer:
    """Make a faceset. Its display name, tags and user data are not kept."""
    outer_id, names = asked.fields.text("outer_id"), await _names(asked)
    tokens = asked.face_tokens("face_tokens", _MOST_ADDED) if asked.fields.has("face_tokens") else ()
    if outer_id and _NOT_IN_OUTER_ID.intersection(outer_id):
        raise error(400, "BAD_ARGUMENTS: outer_id")
    name = outer_id or _UNNAMED + asked.app.entropy.bytes(16).hex()
    if name not in names:
        if len(names) >= _MOST_FACESETS:
            raise error(400, "FACESET_QUOTA_EXCEEDED")
        await enrol.add_collection(asked.app, asked.connection, name)
    elif asked.fields.number("force_merge", 0) != 1:
        raise error(400, "FACESET_EXIST")
    return await _with_added(asked, name, tokens)


async def add_faces(asked: Asked) -> Answer:
    """Enrol faces that `detect` found. Whose they are may be said before or after."""
    tokens = asked.face_tokens("face_tokens", _MOST_ADDED)
    return await _with_added(asked, await the_faceset(asked), tokens)


async def remove_faces(asked: Asked) -> Answer:
    """Take faces out of a faceset. The pass of whom no face is left in any is revoked."""
    in_one = asked.fields.has("face_token") and not asked.fields.has("face_tokens")  # python-facepp's word for it
    field = "face_token" if in_one else "face_tokens"
    tokens: Sequence[bytes] = ()
    if asked.fields.text(field) != "RemoveAllFaceTokens":
        tokens = asked.face_tokens(field, _MOST_REMOVED)
    faceset = await the_faceset(asked)
    wanted = EnrolmentFilter(faceset, ids=[_place(token, faceset) for token in tokens] if tokens else None)
    removed = {each.label for each in await enrol.delete_enrolments(asked.app, asked.connection, wanted)}
    failures = [_invalid(token) for token in tokens if token.hex() not in removed]
    return await _counted(asked, faceset, {"face_removed": len(removed), "failure_detail": failures})


async def list_facesets(asked: Asked) -> Answer:
    """The facesets by name, a page at a time."""
    start, names = _start(asked), await _names(asked)
    page = names[start - 1 : start - 1 + _PAGE]
    facesets = [{**_shown(asked.connection, name), "display_name": "", "tags": ""} for name in page]
    return {"facesets": facesets, **_next(start, len(names))}


async def get_faceset(asked: Asked) -> Answer:
    """What is in a faceset, a page at a time."""
    start, faceset = _start(asked), await the_faceset(asked)
    wanted = EnrolmentFilter(faceset)
    page = await enrol.enrolments(asked.app, asked.connection, wanted, _PAGE, skip=start - 1)
    answer = {"display_name": "", "user_data": "", "tags": "", "face_tokens": [each.label for each in page]}
    counted = await _counted(asked, faceset, answer)
    return {**counted, **_next(start, counted["face_count"])}


async def update_faceset(asked: Asked) -> Answer:
    """Change nothing: a faceset keeps its `outer_id`, and nothing else of it is kept."""
    faceset = await the_faceset(asked)
    if asked.fields.has("new_outer_id"):
        raise error(400, "BAD_ARGUMENTS: new_outer_id")
    return _shown(asked.connection, faceset)


async def delete_faceset(asked: Asked) -> Answer:
    """Take a faceset away; one with faces in it only where `check_empty` is 0."""
    faceset, check = await the_faceset(asked), asked.fields.number("check_empty", 1)
    if check and await enrol.count_enrolments(asked.app, asked.connection, EnrolmentFilter(faceset)):
        raise error(400, "FACESET_NOT_EMPTY")
    await enrol.delete_collection(asked.app, asked.connection, faceset)
    return _shown(asked.connection, faceset)


async def set_user_id(asked: Asked) -> Answer:
    """Say whose face it is: they become a holder with a pass."""
    token, user_id = asked.face_token(), asked.fields.text("user_id")
    if not user_id:
        raise error(400, "MISSING_ARGUMENTS: user_id")
    ids = await _places(asked, token)
    if not await enrol.assign(asked.app, asked.connection, None, ids, user_id):
        with suppress(Clash):
            await enrol.add_collection(asked.app, asked.connection, _NOWHERE)
        await _enrol(asked, _NOWHERE, token, user_id)
    return {"face_token": token.hex(), "user_id": user_id}


async def get_face(asked: Asked) -> Answer:
    """Whose face it is, and in which facesets. Where it was in its picture is not kept."""
    token = asked.face_token()
    known = await faces_of(asked, token)
    return {
        "face_token": token.hex(),
        "user_id": _user_id(known) or "",
        "image_id": "",
        "face_rectangle": dict.fromkeys(("top", "left", "width", "height"), 0),
        "facesets": [_shown(asked.connection, each.collection) for each in known if each.collection != _NOWHERE],
    }


async def the_faceset(asked: Asked) -> str:
    """The name of the faceset that is asked for. Raises `Told`."""
    outer_id, token = asked.fields.text("outer_id"), asked.fields.text("faceset_token")
    if outer_id and token:
        raise error(400, "COEXISTENCE_ARGUMENTS")
    if not outer_id and not token:
        raise error(400, "MISSING_ARGUMENTS: outer_id, faceset_token")
    wanted = {"outer_id": outer_id} if outer_id else {"faceset_token": token}
    for name in await _names(asked):
        if wanted.items() <= _shown(asked.connection, name).items():
            return name
    raise error(400, "INVALID_OUTER_ID" if outer_id else "INVALID_FACESET_TOKEN")


async def faces_of(asked: Asked, token: bytes) -> list[EnrolmentRecord]:
    """The enrolments of a face: one in each faceset that it is in."""
    wanted = EnrolmentFilter(ids=await _places(asked, token))
    return await enrol.enrolments(asked.app, asked.connection, wanted)


async def face_token_of(asked: Asked, faceset: str, person: Person) -> str:
    """The face token by which somebody is found in a faceset: the same every time, whether they are enrolled or not."""
    wanted = EnrolmentFilter(faceset, person.holder)
    enrolled = await enrol.enrolments(asked.app, asked.connection, wanted, 1)
    return enrolled[0].label or "" if enrolled else _digest(asked.connection.id, person.holder).hex()


async def _with_added(asked: Asked, faceset: str, tokens: Sequence[bytes]) -> Answer:
    """Enrol the faces. One that is there already is not counted."""
    added, failures = 0, []
    for token in tokens:
        if not asked.enrols(token):
            failures.append(_invalid(token))
            continue
        known = await faces_of(asked, token)
        with suppress(Clash):
            await _enrol(asked, faceset, token, _user_id(known))
            added += 1
        if any(each.collection == _NOWHERE for each in known):
            waiting = EnrolmentFilter(_NOWHERE, ids=[_place(token, _NOWHERE)])
            await enrol.delete_enrolments(asked.app, asked.connection, waiting)
    return await _counted(asked, faceset, {"face_added": added, "failure_detail": failures})


async def _enrol(asked: Asked, faceset: str, token: bytes, user_id: str | None) -> None:
    wish = enrol.Enrolling(faceset, user_id, label=token.hex(), id=_place(token, faceset))
    await enrol.enrol(asked.app, asked.connection, wish)


async def _counted(asked: Asked, faceset: str, answer: Answer) -> Answer:
    count = await enrol.count_enrolments(asked.app, asked.connection, EnrolmentFilter(faceset))
    return {**_shown(asked.connection, faceset), **answer, "face_count": count}


async def _names(asked: Asked) -> list[str]:
    """The names of the facesets."""
    return [name for name in await enrol.collections(asked.app, asked.connection) if name != _NOWHERE]


async def _places(asked: Asked, token: bytes) -> list[bytes]:
    """The ids under which a face may be enrolled."""
    return [_place(token, name) for name in (_NOWHERE, *await _names(asked))]


def _place(token: bytes, faceset: str) -> bytes:
    return _digest(token, faceset.encode())


def _digest(one: bytes, other: bytes) -> bytes:
    return sha256(one + other).digest()[:16]


def _shown(connection: Connection, faceset: str) -> dict[str, str]:
    """A faceset by its token, which is made of its name, and by its `outer_id` if it was given one."""
    outer_id = "" if faceset.startswith(_UNNAMED) else faceset
    return {"faceset_token": _digest(connection.id, faceset.encode()).hex(), "outer_id": outer_id}


def _user_id(known: Sequence[EnrolmentRecord]) -> str | None:
    return next((each.ref for each in known if each.ref), None)


def _invalid(token: bytes) -> dict[str, str]:
    return {"face_token": token.hex(), "reason": "INVALID_FACE_TOKEN"}


def _start(asked: Asked) -> int:
    """From which of the list the page begins, counted from 1."""
    start = asked.fields.number("start", 1)
    if not 0 < start <= 10_000:
        raise error(400, "BAD_ARGUMENTS: start")
    return start


def _next(start: int, count: int) -> dict[str, int]:
    return {"next": start + _PAGE} if start - 1 + _PAGE < count else {}
