"""What a Baidu client can ask for, behind the envelope: each operation gives the `result`.

Only searches and comparisons settle. No URL is fetched, and no picture is kept under a face token: where a picture has
to be looked at, it has to come with the request. A visitor, whom the client never enrolled, is found in every group
that there is.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from app.core.model import SECOND, Claims
from app.effects.calendar import zone_named
from app.effects.read_pictures import Code
from app.faces.fields import Fields
from app.services import enrol
from app.services.connected import Connection, Kind, drawn
from app.services.context import Context
from app.services.holders import list_holders
from app.services.identify import Identified, Sight, Wanted, compare, identify, look
from app.services.mistakes import Clash, NotFound
from app.storage.records import SubjectRecord
from app.storage.repositories.enrolments import EnrolmentFilter, SubjectFilter

from .requests import (
    Refused,
    enrolment,
    given,
    groups_of,
    image_type,
    needed,
    new_group,
    number,
    part_of,
    pictures_of,
)

_GROUP = "gatepass"
_EVERY_GROUP = "@ALL"
_SCORE = 100

KIND = Kind(
    "baidu",
    key=drawn(24),
    secret=drawn(32),
    credentials=lambda key, secret: {"api_key": key, "secret_key": secret, "group": _GROUP},
    collection=_GROUP,
)

Result = dict[str, Any] | None
Operation = Callable[[Context, Connection, Fields], Awaitable[Result]]


async def search(app: Context, connection: Connection, fields: Fields) -> Result:
    """Who shows a code; with a `user_id`, whether it is theirs: somebody else's is then left as it was."""
    _, found, users = await _search(app, connection, fields, groups_of(fields))
    if found is None:
        raise Refused(222207)
    return {"face_token": _face_token(connection, found.code), "user_list": users}


async def multi_search(app: Context, connection: Connection, fields: Fields) -> Result:
    """Who shows a code: a face for each code, first that of whoever was admitted, then the others by size."""
    groups, most = groups_of(fields), number(fields, "max_face_num", 1, least=1, most=10)
    sight, found, users = await _search(app, connection, fields, groups)
    named = (found.code,) if found else ()
    faces = [
        {**_face(connection, sight, code), "user_list": users if code in named else []}
        for code in sorted(sight.codes, key=lambda code: code not in named)[:most]
    ]
    return {"face_num": len(faces), "face_list": faces}


async def match(app: Context, connection: Connection, fields: Fields) -> Result:
    """Compare two pictures, or one with an enrolment: 100 where both are one holder's, and a live code shows it."""
    pictures = pictures_of(fields, least=2, most=2)
    ids = [enrolment(picture, "image") if image_type(picture) == "FACE_TOKEN" else None for picture in pictures]
    sights = [await _look(app, connection, picture) for picture, id_ in zip(pictures, ids, strict=True) if not id_]
    match sights, [id_ for id_ in ids if id_]:
        case [one, other], []:
            found = await compare(app, connection, one, other)
        case [sight], [id_]:
            found = await _verify(app, connection, sight, id_)
        case _:
            raise Refused(222202)
    tokens = [id_.hex() if id_ else _face_token(connection, sights.pop(0).codes[0]) for id_ in ids]
    return {"score": _SCORE if found else 0, "face_list": [{"face_token": token} for token in tokens]}


async def detect(app: Context, connection: Connection, fields: Fields) -> Result:
    """Where the codes are, the largest first; nothing is settled. No attribute of a face is told."""
    most = number(fields, "max_face_num", 1, least=1, most=120)
    sight = await _look(app, connection, fields)
    faces = [_face(connection, sight, code) for code in sight.codes[:most]]
    return {"face_num": len(faces), "face_list": faces}


async def faceverify(app: Context, connection: Connection, fields: Fields) -> Result:
    """Liveness: 1 where a picture shows what could be a token, 0 where not; nothing is settled.

    Whether it is one, and was not used before, is for the search that follows to find out.
    """
    faces, liveness = [], 0
    for picture in pictures_of(fields, least=1, most=8):
        sight = await _look(app, connection, picture)
        live = int(any(isinstance(presented, Claims) for presented in sight.shown.values()))
        faces.append({**_face(connection, sight, sight.codes[0]), "liveness": {"livemapscore": live}})
        liveness = max(liveness, live)
    thresholds = {"frr_1e-4": 0.05, "frr_1e-3": 0.3, "frr_1e-2": 0.9}
    return {"thresholds": thresholds, "face_liveness": liveness, "face_list": faces}


async def add_user(app: Context, connection: Connection, fields: Fields) -> Result:
    """Enrol: the user becomes a holder with a pass. The picture is dropped undecoded; a new group is made."""
    return await _enrol(app, connection, fields, replaces=_replaces(fields))


async def update_user(app: Context, connection: Connection, fields: Fields) -> Result:
    """Put one enrolment in place of all that a user has in the group; with REPLACE also for a new user."""
    if not _replaces(fields):
        await _user(app, connection, fields)
    return await _enrol(app, connection, fields, replaces=True)


async def delete_user(app: Context, connection: Connection, fields: Fields) -> Result:
    """Take a user out of a group, or out of all; the pass is revoked with the last."""
    found = await _user_in_groups(app, connection, fields)
    for user in found:
        await enrol.delete_subjects(app, connection, SubjectFilter(user.collection, {user.ref}))
    return None


async def get_user(app: Context, connection: Connection, fields: Fields) -> Result:
    """What is known of a user in a group, or in all."""
    found = await _user_in_groups(app, connection, fields)
    return {"user_list": [{"user_info": user.name or "", "group_id": user.collection} for user in found]}


async def copy_user(app: Context, connection: Connection, fields: Fields) -> Result:
    """Enrol a user of one group in another too. Who is there already stays there as they are."""
    user, group = await _user(app, connection, fields, "src_group_id"), needed(fields, "dst_group_id")
    if group not in await enrol.collections(app, connection):
        raise Refused(223111)
    if not await enrol.subjects(app, connection, SubjectFilter(group, {user.ref})):
        for _ in await enrol.enrolments(app, connection, EnrolmentFilter(user.collection, user.holder)):
            await enrol.enrol(app, connection, enrol.Enrolling(group, user.ref))
    return None


async def list_faces(app: Context, connection: Connection, fields: Fields) -> Result:
    """A user's enrolments, each with its time on the tenant's clocks."""
    user, zone = await _user(app, connection, fields), zone_named(connection.caller.time_zone)
    found = await enrol.enrolments(app, connection, EnrolmentFilter(user.collection, user.holder))
    made = [(each.id.hex(), datetime.fromtimestamp(each.created_at // SECOND, zone)) for each in found]
    return {"face_list": [{"face_token": token, "ctime": f"{at:%Y-%m-%d %H:%M:%S}"} for token, at in made]}


async def delete_face(app: Context, connection: Connection, fields: Fields) -> Result:
    """Take one enrolment away; the user goes with the last."""
    id_, user = enrolment(fields, "face_token"), await _user(app, connection, fields)
    if not await enrol.delete_enrolments(app, connection, EnrolmentFilter(user.collection, user.holder, [id_])):
        raise Refused(223106)
    return None


async def add_group(app: Context, connection: Connection, fields: Fields) -> Result:
    """Make a group."""
    await enrol.add_collection(app, connection, new_group(fields))
    return None


async def delete_group(app: Context, connection: Connection, fields: Fields) -> Result:
    """Take a group away, with its users."""
    await enrol.delete_collection(app, connection, needed(fields, "group_id"))
    return None


async def list_groups(app: Context, connection: Connection, fields: Fields) -> Result:
    """The groups, by name."""
    part = part_of(fields)
    return {"group_id_list": (await enrol.collections(app, connection))[part]}


async def list_users(app: Context, connection: Connection, fields: Fields) -> Result:
    """The users of a group, by their ids."""
    group, part = needed(fields, "group_id"), part_of(fields)
    await enrol.collection(app, connection, group)
    found = await enrol.subjects(app, connection, SubjectFilter(group), part.stop)
    return {"user_id_list": [user.ref for user in found[part]]}


async def _look(app: Context, connection: Connection, fields: Fields) -> Sight:
    kind = image_type(fields)
    if kind != "BASE64":
        raise Refused(222204 if kind == "URL" else 222209)
    return await look(app, connection, fields.picture("image"))


async def _enrol(app: Context, connection: Connection, fields: Fields, *, replaces: bool) -> Result:
    group, user, name = new_group(fields), needed(fields, "user_id"), given(fields, "user_info")
    if image_type(fields) == "FACE_TOKEN":
        enrolment(fields, "image")
    fields.discard(app, KIND, "image")
    wish = enrol.Enrolling(group, user, name)
    try:
        made = await enrol.enrol(app, connection, wish)
    except NotFound:
        with suppress(Clash):
            await enrol.add_collection(app, connection, group)
        made = await enrol.enrol(app, connection, wish)
    if replaces:
        there = await enrol.enrolments(app, connection, EnrolmentFilter(group, made.holder))
        others = [each.id for each in there if each.id != made.id]
        await enrol.delete_enrolments(app, connection, EnrolmentFilter(group, ids=others))
    location = {"left": 0, "top": 0, "width": 0, "height": 0, "rotation": 0}
    return {"face_token": made.id.hex(), "location": location}


def _replaces(fields: Fields) -> bool:
    return (given(fields, "action_type") or "").upper() == "REPLACE"


async def _search(
    app: Context, connection: Connection, fields: Fields, groups: Sequence[str]
) -> tuple[Sight, Identified | None, list[dict[str, Any]]]:
    """What is seen, who is found in it, and as which user: in the first of the groups where they are.

    A visitor is found in the first group that there is; where there is none of them, nobody is, and nothing is used.
    """
    sight, wanted = await _look(app, connection, fields), await _wanted(app, connection, fields, groups)
    there = await enrol.collections(app, connection)
    groups = [group for group in groups if group in there]
    found = await identify(app, connection, sight, wanted=wanted) if groups else None
    if found is None:
        return sight, None, []
    theirs = {subject.collection for subject in found.person.subjects}
    group = next((group for group in groups if group in theirs), groups[0])
    return sight, found, [{"group_id": group, "user_id": found.ref, "user_info": found.name or "", "score": _SCORE}]


async def _wanted(app: Context, connection: Connection, fields: Fields, groups: Sequence[str]) -> Wanted:
    """Those in the groups, or of them the one whom the client asks for."""
    user = given(fields, "user_id")
    if not user:
        return lambda person: person.is_among(*groups)
    asked_for = [holder.id for holder in (await list_holders(app, connection.caller, None, 1, ref=user)).items]
    return lambda person: person.is_among(*groups) and person.holder in asked_for


async def _verify(app: Context, connection: Connection, sight: Sight, id_: bytes) -> Identified | None:
    """Whether the code is the user's of an enrolment. Somebody else's is left as it was."""
    enrolled = await enrol.enrolments(app, connection, EnrolmentFilter(ids=[id_]), 1)
    if not enrolled:
        raise Refused(222209)
    (only,) = enrolled
    return await identify(app, connection, sight, wanted=lambda person: person.holder == only.holder)


async def _user(app: Context, connection: Connection, fields: Fields, group: str = "group_id") -> SubjectRecord:
    """The user in the group, who has to be there."""
    wanted = SubjectFilter(needed(fields, group), {needed(fields, "user_id")})
    found = await enrol.subjects(app, connection, wanted)
    if not found:
        await enrol.collection(app, connection, wanted.collection or "")
        raise Refused(223103)
    return found[0]


async def _user_in_groups(app: Context, connection: Connection, fields: Fields) -> Sequence[SubjectRecord]:
    """The user in the group, or in each of all groups."""
    if needed(fields, "group_id") != _EVERY_GROUP:
        return [await _user(app, connection, fields)]
    found = await enrol.subjects(app, connection, SubjectFilter(refs={needed(fields, "user_id")}))
    if not found:
        raise Refused(223103)
    return found


def _face(connection: Connection, sight: Sight, code: Code) -> dict[str, Any]:
    box = code.box.grown(sight.width, sight.height)
    size = {"width": box.right - box.left, "height": box.bottom - box.top}
    return {
        "face_token": _face_token(connection, code),
        "location": {"left": box.left, "top": box.top, **size, "rotation": 0},
        "face_probability": 1,
        "angle": {"yaw": 0, "pitch": 0, "roll": 0},
    }


def _face_token(connection: Connection, code: Code) -> str:
    """The same for the same code, and of no use to who does not have its text."""
    return hmac.digest(connection.secret.encode(), b"face_token " + code.text.encode(), "sha256")[:16].hex()


OPERATIONS: Mapping[str, Operation] = {
    "search": search,
    "multi-search": multi_search,
    "match": match,
    "detect": detect,
    "faceverify": faceverify,
    "faceset/user/add": add_user,
    "faceset/user/update": update_user,
    "faceset/user/delete": delete_user,
    "faceset/user/get": get_user,
    "faceset/user/copy": copy_user,
    "faceset/face/getlist": list_faces,
    "faceset/face/delete": delete_face,
    "faceset/group/add": add_group,
    "faceset/group/delete": delete_group,
    "faceset/group/getlist": list_groups,
    "faceset/group/getusers": list_users,
}
