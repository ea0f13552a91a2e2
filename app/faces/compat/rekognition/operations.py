"""What Rekognition's operations do here. A face is an enrolment, a user a subject that stays without any.

The picture with which somebody is indexed is dropped undecoded: as far as the answer goes, the face fills all of it.
A holder who was never indexed has a face all the same once admitted, with an id of their own that does not change.
"""

import re
import uuid
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from app.core.model import SECOND
from app.effects.read_pictures import Code
from app.services import enrol
from app.services.connected import Connection
from app.services.context import Context
from app.services.identify import Identified, NoCode, Person, Sight, compare, identify, look
from app.services.mistakes import NotFound
from app.storage.records import EnrolmentRecord, SubjectRecord
from app.storage.repositories.enrolments import EnrolmentFilter, SubjectFilter

from . import requests as asked_for
from .requests import Asked, Image, error

_MODEL = {"FaceModelVersion": "7.0"}
_SURE = 100.0
_WHOLE = {"Width": 1.0, "Height": 1.0, "Left": 0.0, "Top": 0.0}
_PAGE = 1000
_PAGE_OF_USERS = 500

Answer = Mapping[str, Any]
Item = TypeVar("Item")


class Call(NamedTuple):
    """Who calls, and from where they say; and the client's own id of what it may ask again, if there is one."""

    app: Context
    connection: Connection
    region: str
    id: str | None = None


async def create_collection(call: Call, asked: asked_for.InCollection) -> Answer:
    """Make a collection."""
    await enrol.add_collection(call.app, call.connection, asked.collection_id)
    return {"StatusCode": 200, "CollectionArn": _arn(call, asked.collection_id), **_MODEL}


async def describe_collection(call: Call, asked: asked_for.InCollection) -> Answer:
    """How much is in a collection, and since when there is one."""
    size = await enrol.collection(call.app, call.connection, asked.collection_id)
    return {
        "FaceCount": size.enrolments,
        "UserCount": size.subjects,
        "CollectionARN": "arn:" + _arn(call, asked.collection_id),
        "CreationTimestamp": size.created_at / SECOND,
        **_MODEL,
    }


async def delete_collection(call: Call, asked: asked_for.InCollection) -> Answer:
    """Take a collection away with all that is in it."""
    await enrol.delete_collection(call.app, call.connection, asked.collection_id)
    return {"StatusCode": 200}


async def list_collections(call: Call, asked: asked_for.ListCollections) -> Answer:
    """The ids of the collections, in order."""
    every = sorted(await enrol.collections(call.app, call.connection))
    names, following = _page([name for name in every if name > (asked.next_token or "")], asked.max_results or _PAGE)
    return {"CollectionIds": names, "FaceModelVersions": list(_MODEL.values()) * len(names), **following}


async def index_faces(call: Call, asked: asked_for.IndexFaces) -> Answer:
    """Enrol: the external id becomes a holder with a pass, or the face's own id where there is none."""
    asked.image.text()
    id_, label = call.app.new_id(), asked.external_image_id
    wish = enrol.Enrolling(asked.collection_id, label or _shown(id_), label=label, id=id_)
    await enrol.enrol(call.app, call.connection, wish)
    call.app.metrics.discarded(call.connection.kind)
    record = {"Face": _face(id_, label, None), "FaceDetail": {"BoundingBox": _WHOLE, "Confidence": _SURE}}
    return {"FaceRecords": [record], "UnindexedFaces": [], **_MODEL}


async def list_faces(call: Call, asked: asked_for.ListFaces) -> Answer:
    """The faces of a collection, or those of a user or of a list, oldest first."""
    await _check_collection(call, asked.collection_id)
    holder = None if asked.user_id is None else (await _user(call, asked.collection_id, asked.user_id)).holder
    after = None if asked.next_token is None else _id(asked.next_token)
    ids = None if asked.face_ids is None else [_id(each) for each in asked.face_ids]
    limit = asked.max_results or _PAGE
    wanted = EnrolmentFilter(asked.collection_id, holder, ids, after)
    found, following = _page(
        await enrol.enrolments(call.app, call.connection, wanted, limit + 1), limit, lambda each: _shown(each.id)
    )
    users = await _users_among(call, asked.collection_id, found)
    return {"Faces": [_face(each.id, each.label, users.get(each.holder)) for each in found], **following, **_MODEL}


async def delete_faces(call: Call, asked: asked_for.DeleteFaces) -> Answer:
    """Take faces away; whom nothing is left of goes too."""
    await _check_collection(call, asked.collection_id)
    wanted = EnrolmentFilter(asked.collection_id, ids=[_id(each) for each in asked.face_ids])
    deleted = {_shown(each.id) for each in await enrol.delete_enrolments(call.app, call.connection, wanted)}
    each_once = dict.fromkeys(asked.face_ids)
    return {
        "DeletedFaces": [id_ for id_ in each_once if id_ in deleted],
        "UnsuccessfulFaceDeletions": [
            {"FaceId": id_, "Reasons": ["FACE_NOT_FOUND"]} for id_ in each_once if id_ not in deleted
        ],
    }


async def search_faces(call: Call, asked: asked_for.SearchFaces) -> Answer:
    """Nobody: there is nothing in which one face could be like another."""
    await _check_collection(call, asked.collection_id)
    return {"SearchedFaceId": asked.face_id, "FaceMatches": [], **_MODEL}


async def search_faces_by_image(call: Call, asked: asked_for.SearchFacesByImage) -> Answer:
    """Who shows a code and is admitted: the faces that they have in the collection."""
    name = asked.collection_id
    sight, found = await _search(call, name, asked.image, lambda person: person.is_among(name))
    faces = [] if found is None else await _faces_of(call, name, found, asked.max_faces)
    return {
        "SearchedFaceBoundingBox": _box(sight, found.code if found else sight.codes[0]),
        "SearchedFaceConfidence": _SURE,
        "FaceMatches": [{"Similarity": _SURE, "Face": face} for face in faces],
        **_MODEL,
    }


async def search_users_by_image(call: Call, asked: asked_for.SearchUsersByImage) -> Answer:
    """Who shows a code and is admitted, if they are a user of the collection or were never enrolled here."""
    name = asked.collection_id

    def is_user(person: Person) -> bool:
        return not person.subjects or any(each.collection == name and each.lasting for each in person.subjects)

    sight, found = await _search(call, name, asked.image, is_user)
    matches = []
    if found is not None:
        user = {"UserId": _fitting(found, asked_for.USER_ID), "UserStatus": "ACTIVE"}
        matches = [{"Similarity": _SURE, "User": user}]
    searched = _detail(sight, found.code if found else sight.codes[0])
    return {"UserMatches": matches, "SearchedFace": {"FaceDetail": searched}, "UnsearchedFaces": [], **_MODEL}


async def compare_faces(call: Call, asked: asked_for.CompareFaces) -> Answer:
    """Whether both pictures show a code of the same holder, one of which is live."""
    try:
        source = await look(call.app, call.connection, asked.source_image.picture())
        target = await look(call.app, call.connection, asked.target_image.picture())
    except NoCode:
        raise error("InvalidParameterException", "Request has invalid parameters") from None
    found = await compare(call.app, call.connection, source, target, call_id=call.id)
    matched = found.matched if found else ()
    return {
        "SourceImageFace": _detail(source, source.codes[0]),
        "FaceMatches": [{"Similarity": _SURE, "Face": _detail(target, code)} for code in matched],
        "UnmatchedFaces": [_detail(target, code) for code in target.codes if code not in matched],
    }


async def detect_faces(call: Call, asked: asked_for.DetectFaces) -> Answer:
    """Where the codes are; nothing is settled."""
    try:
        sight = await look(call.app, call.connection, asked.image.picture())
    except NoCode:
        return {"FaceDetails": []}
    return {"FaceDetails": [_detail(sight, code) for code in sight.codes]}


async def create_user(call: Call, asked: asked_for.OfUser) -> Answer:
    """Make a user: a holder with a pass."""
    await enrol.add_subject(call.app, call.connection, asked.collection_id, asked.user_id)
    return {}


async def delete_user(call: Call, asked: asked_for.OfUser) -> Answer:
    """Take a user away; their pass is revoked. Their faces stay, and are nobody's but their own again."""
    user = await _user(call, asked.collection_id, asked.user_id)
    theirs = EnrolmentFilter(asked.collection_id, user.holder)
    await _part(call, user, await enrol.enrolments(call.app, call.connection, theirs))
    await enrol.delete_subjects(call.app, call.connection, SubjectFilter(asked.collection_id, {user.ref}))
    return {}


async def list_users(call: Call, asked: asked_for.ListUsers) -> Answer:
    """The users of a collection, by id."""
    await _check_collection(call, asked.collection_id)
    limit = asked.max_results or _PAGE_OF_USERS
    wanted = SubjectFilter(asked.collection_id, lasting=True, after=asked.next_token)
    found = [each.ref for each in await enrol.subjects(call.app, call.connection, wanted, limit + 1)]
    ids, following = _page(found, limit)
    return {"Users": [{"UserId": id_, "UserStatus": "ACTIVE"} for id_ in ids], **following}


async def associate_faces(call: Call, asked: asked_for.OfUserAndFaces) -> Answer:
    """Say whose faces these are, but for those that are another user's."""
    user, faces, refused = await _user_and_faces(call, asked, free=True)
    await enrol.assign(call.app, call.connection, asked.collection_id, [face.id for face in faces], user.ref)
    associated = [{"FaceId": _shown(face.id)} for face in faces]
    return {"AssociatedFaces": associated, "UnsuccessfulFaceAssociations": refused, "UserStatus": "ACTIVE"}


async def disassociate_faces(call: Call, asked: asked_for.OfUserAndFaces) -> Answer:
    """Take faces from a user, who stays."""
    user, faces, refused = await _user_and_faces(call, asked, free=False)
    await _part(call, user, faces)
    parted = [{"FaceId": _shown(face.id)} for face in faces]
    return {"DisassociatedFaces": parted, "UnsuccessfulFaceDisassociations": refused, "UserStatus": "ACTIVE"}


class Operation(NamedTuple):
    """One operation: what it is asked with, what answers it, and whether a call that comes again is done once."""

    asked: type[Asked]
    answer: Callable[[Call, Any], Coroutine[Any, Any, Answer]]
    once: bool = True


OPERATIONS: Mapping[str, Operation] = {
    "CreateCollection": Operation(asked_for.InCollection, create_collection),
    "DescribeCollection": Operation(asked_for.InCollection, describe_collection, once=False),
    "DeleteCollection": Operation(asked_for.InCollection, delete_collection),
    "ListCollections": Operation(asked_for.ListCollections, list_collections, once=False),
    "IndexFaces": Operation(asked_for.IndexFaces, index_faces),
    "ListFaces": Operation(asked_for.ListFaces, list_faces, once=False),
    "DeleteFaces": Operation(asked_for.DeleteFaces, delete_faces),
    "SearchFaces": Operation(asked_for.SearchFaces, search_faces, once=False),
    "SearchFacesByImage": Operation(asked_for.SearchFacesByImage, search_faces_by_image, once=False),
    "SearchUsersByImage": Operation(asked_for.SearchUsersByImage, search_users_by_image, once=False),
    "CompareFaces": Operation(asked_for.CompareFaces, compare_faces, once=False),
    "DetectFaces": Operation(asked_for.DetectFaces, detect_faces, once=False),
    "CreateUser": Operation(asked_for.OfUser, create_user),
    "DeleteUser": Operation(asked_for.OfUser, delete_user),
    "ListUsers": Operation(asked_for.ListUsers, list_users, once=False),
    "AssociateFaces": Operation(asked_for.OfUserAndFaces, associate_faces),
    "DisassociateFaces": Operation(asked_for.OfUserAndFaces, disassociate_faces),
}


async def _check_collection(call: Call, name: str) -> None:
    if name not in await enrol.collections(call.app, call.connection):
        raise NotFound("collection")


async def _search(
    call: Call, collection: str, image: Image, wanted: Callable[[Person], bool]
) -> tuple[Sight, Identified | None]:
    await _check_collection(call, collection)
    sight = await look(call.app, call.connection, image.picture())
    return sight, await identify(call.app, call.connection, sight, wanted=wanted, call_id=call.id)


async def _faces_of(call: Call, collection: str, found: Identified, limit: int) -> list[dict[str, Any]]:
    """The faces that a holder has in a collection; the one of their own for whom none was indexed there."""
    user, enrolled = None, []
    for subject in found.person.subjects:
        if subject.collection == collection:
            user = subject.ref if subject.lasting else None
            wanted = EnrolmentFilter(collection, subject.holder)
            enrolled = await enrol.enrolments(call.app, call.connection, wanted, limit)
    if not enrolled:
        return [_face(found.person.holder, _fitting(found, asked_for.EXTERNAL_IMAGE_ID), user)]
    return [_face(each.id, each.label, user) for each in enrolled]


async def _user(call: Call, collection: str, ref: str) -> SubjectRecord:
    """The user. Raises `NotFound`, also for a subject that is none."""
    await _check_collection(call, collection)
    found = await enrol.subjects(call.app, call.connection, SubjectFilter(collection, {ref}, lasting=True))
    if not found:
        raise NotFound("subject")
    return found[0]


async def _users_among(call: Call, collection: str, faces: Iterable[EnrolmentRecord]) -> Mapping[bytes | None, str]:
    """The users whose faces are among these, by holder."""
    holders: Collection[bytes] = {face.holder for face in faces if face.holder is not None}
    wanted = SubjectFilter(collection, holders=holders, lasting=True)
    return {user.holder: user.ref for user in await enrol.subjects(call.app, call.connection, wanted)}


async def _user_and_faces(
    call: Call, asked: asked_for.OfUserAndFaces, *, free: bool
) -> tuple[SubjectRecord, list[EnrolmentRecord], list[dict[str, Any]]]:
    """The user, those of the faces that are theirs (or, where `free`, no user's), and why the others are not."""
    user = await _user(call, asked.collection_id, asked.user_id)
    wanted = EnrolmentFilter(asked.collection_id, ids=[_id(each) for each in asked.face_ids])
    there = {_shown(each.id): each for each in await enrol.enrolments(call.app, call.connection, wanted)}
    users = await _users_among(call, asked.collection_id, there.values())
    faces, refused = [], []
    for id_ in dict.fromkeys(asked.face_ids):
        owner = users.get(there[id_].holder) if id_ in there else None
        if owner == user.ref or (owner is None and free and id_ in there):
            faces.append(there[id_])
        elif owner is None:
            refused.append({"FaceId": id_, "Reasons": ["FACE_NOT_FOUND"]})
        else:
            refused.append({"FaceId": id_, "UserId": owner, "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]})
    return user, faces, refused


async def _part(call: Call, user: SubjectRecord, faces: Iterable[EnrolmentRecord]) -> None:
    """Have the user's faces be whose they were when they were indexed, or their own where that was the user."""
    before: dict[str, list[bytes]] = {}
    for face in faces:
        origin = face.label if face.label and face.label != user.ref else _shown(face.id)
        before.setdefault(origin, []).append(face.id)
    for ref, ids in before.items():
        await enrol.assign(call.app, call.connection, user.collection, ids, ref)


def _page(found: Sequence[Item], limit: int, key: Callable[[Item], str] = str) -> tuple[Sequence[Item], dict[str, str]]:
    """The first `limit`, and where the next page begins if there are more."""
    here = found[:limit]
    return here, {"NextToken": key(here[-1])} if len(found) > limit else {}


def _arn(call: Call, collection: str) -> str:
    """The name of a collection; the account in it is made of the connection's id."""
    account = int.from_bytes(call.connection.id, "big") % 10**12
    return f"aws:rekognition:{call.region}:{account:012}:collection/{collection}"


def _face(id_: bytes, label: str | None, user: str | None) -> dict[str, Any]:
    ids = {"FaceId": _shown(id_), "ImageId": _shown(id_)}
    names = {name: text for name, text in (("ExternalImageId", label), ("UserId", user)) if text is not None}
    return {**ids, **names, "BoundingBox": _WHOLE, "Confidence": _SURE, "IndexFacesModelVersion": "7.0"}


def _fitting(found: Identified, pattern: str) -> str:
    """The holder's ref, or the id of their own face where the service has no place for such a text."""
    return found.ref if re.fullmatch(pattern, found.ref) else _shown(found.person.holder)


def _detail(sight: Sight, code: Code) -> dict[str, Any]:
    return {"BoundingBox": _box(sight, code), "Confidence": _SURE}


def _box(sight: Sight, code: Code) -> dict[str, float]:
    """Where the code is, in shares of the picture's width and height."""
    box = code.box.grown(sight.width, sight.height)
    return {
        "Width": (box.right - box.left) / sight.width,
        "Height": (box.bottom - box.top) / sight.height,
        "Left": box.left / sight.width,
        "Top": box.top / sight.height,
    }


def _shown(id_: bytes) -> str:
    return str(uuid.UUID(bytes=id_))


def _id(text: str) -> bytes:
    return uuid.UUID(text).bytes
