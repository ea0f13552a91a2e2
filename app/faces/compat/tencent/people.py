"""People and groups, as Tencent has them: a person is of the whole account and has faces; groups have persons in them.

A group is a collection. The faces of everybody are enrolled in one more, which no client sees, so that a person keeps
them in whatever groups they are. Nothing else that Tencent keeps of people and groups is kept: neither gender and
descriptions nor the name and the remark of a group, whose name is its id.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

from app.services import enrol
from app.services.identify import Person
from app.services.mistakes import Clash, NotFound
from app.storage.records import SubjectRecord
from app.storage.repositories.enrolments import EnrolmentFilter, SubjectFilter

from .requests import KIND, Asked, error

_EVERYBODY = ""
_GROUP_ID = re.compile(r"[A-Za-z0-9%@#&_-]*")
_FACE_ID = re.compile(r"[0-9]{1,39}")
_LONGEST_GROUP_ID = 64
_LONGEST_NAME = 60
_MOST_FACES_AT_ONCE = 4
_MOST_FACES = 5
_AT_ONCE = 1000
_NOT_SEEN = {"X": 0, "Y": 0, "Width": 0, "Height": 0}
"""Where the face in a picture is that nobody has looked at."""

VERSION = {"FaceModelVersion": "3.0"}

Answer = dict[str, Any]


async def create_group(asked: Asked) -> Answer:
    """Make a group."""
    group, _ = asked.text("GroupId"), _name(asked, "GroupName")
    if len(group) > _LONGEST_GROUP_ID:
        raise error("InvalidParameterValue.GroupIdTooLong", f"A GroupId has at most {_LONGEST_GROUP_ID} characters.")
    if not _GROUP_ID.fullmatch(group):
        raise error("InvalidParameterValue.GroupIdIllegal", "A GroupId has letters, digits and -%@#&_ only.")
    await enrol.add_collection(asked.app, asked.connection, group)
    return VERSION


async def modify_group(asked: Asked) -> Answer:
    """Change nothing: of what could be changed, nothing is kept."""
    await enrol.collection(asked.app, asked.connection, asked.text("GroupId"))
    return {}


async def delete_group(asked: Asked) -> Answer:
    """Take a group away, and those who are in no other."""
    group = asked.text("GroupId")
    await enrol.collection(asked.app, asked.connection, group)
    everywhere = await enrol.subjects(asked.app, asked.connection, SubjectFilter())
    groups = Counter(each.holder for each in everywhere if each.collection != _EVERYBODY)
    only_here = [each.holder for each in everywhere if each.collection == group and groups[each.holder] == 1]
    for start in range(0, len(only_here), _AT_ONCE):
        going = SubjectFilter(holders=only_here[start : start + _AT_ONCE])
        await enrol.delete_subjects(asked.app, asked.connection, going)
    await enrol.delete_collection(asked.app, asked.connection, group)
    return {}


async def list_groups(asked: Asked) -> Answer:
    """The groups by id, a page at a time."""
    page = asked.page(1000)
    names = [name for name in await enrol.collections(asked.app, asked.connection) if name != _EVERYBODY]
    groups = [await _group(asked, name) for name in names[page]]
    return {"GroupInfos": [{**each, "UpdateTimestamp": each["CreationTimestamp"]} for each in groups]} | {
        "GroupNum": len(names)
    }


async def get_group(asked: Asked) -> Answer:
    """What is known of a group."""
    return await _group(asked, asked.text("GroupId"))


async def create_person(asked: Asked) -> Answer:
    """Enrol somebody new in a group. The picture is dropped undecoded, and its address is not followed."""
    group, ref, name = asked.text("GroupId"), asked.text("PersonId"), _name(asked, "PersonName")
    if not asked.fields.has("Image") and not asked.fields.has("Url"):
        raise error("InvalidParameterValue.ImageEmpty", "Image is missing.")
    await enrol.collection(asked.app, asked.connection, group)
    if await _found(asked, ref, _EVERYBODY):
        raise error("InvalidParameterValue.PersonIdAlreadyExist", "There is a person with that id.")
    asked.fields.discard(asked.app, KIND, "Image")
    with suppress(Clash):  # left by a call that was cut short, before there was a face
        await enrol.add_subject(asked.app, asked.connection, group, ref, name=name)
    return {"FaceId": await _add_face(asked, ref), "FaceRect": _NOT_SEEN, "SimilarPersonId": "", **VERSION}


async def delete_person(asked: Asked) -> Answer:
    """Take a person away from all groups; their pass is revoked."""
    wanted = SubjectFilter(refs={asked.text("PersonId")})
    if not await enrol.delete_subjects(asked.app, asked.connection, wanted):
        raise NotFound("subject")
    return {}


async def delete_person_from_group(asked: Asked) -> Answer:
    """Take a person out of a group; who was in no other is taken away."""
    group, ref = asked.text("GroupId"), asked.text("PersonId")
    await enrol.collection(asked.app, asked.connection, group)
    groups = [each.collection for each in await _the_person(asked, ref) if each.collection != _EVERYBODY]
    if group not in groups:
        raise error("FailedOperation.GroupPersonMapNotExist", "The person is not in the group.")
    wanted = SubjectFilter(group if len(groups) > 1 else None, {ref})
    await enrol.delete_subjects(asked.app, asked.connection, wanted)
    return {}


async def copy_person(asked: Asked) -> Answer:
    """Put a person into more groups."""
    ref, groups = asked.text("PersonId"), asked.texts("GroupIds")
    await _the_person(asked, ref)
    for group in groups:
        await enrol.collection(asked.app, asked.connection, group)
    new = []
    for group in groups:
        with suppress(Clash):
            await enrol.add_subject(asked.app, asked.connection, group, ref)
            new.append(group)
    return {"SucGroupNum": len(new), "SucGroupIds": new}


async def create_face(asked: Asked) -> Answer:
    """Enrol a person once more for each picture. They are dropped undecoded, and no address is followed."""
    ref = asked.text("PersonId")
    pictures = asked.texts("Images" if asked.fields.has("Images") else "Urls")
    (person, *_) = await _the_person(asked, ref)
    if len(pictures) > _MOST_FACES_AT_ONCE:
        raise error("InvalidParameterValue.UploadFaceNumExceed", f"At most {_MOST_FACES_AT_ONCE} pictures at a time.")
    if len(await _faces_of(asked, person.holder)) + len(pictures) > _MOST_FACES:
        raise error("InvalidParameterValue.PersonFaceNumExceed", f"A person has at most {_MOST_FACES} faces.")
    asked.app.metrics.discarded(KIND.name, len(pictures) if asked.fields.has("Images") else 0)
    faces = [await _add_face(asked, ref) for _ in pictures]
    return {
        "SucFaceNum": len(faces),
        "SucFaceIds": faces,
        "RetCode": [0] * len(faces),
        "SucIndexes": list(range(len(faces))),
        "SucFaceRects": [_NOT_SEEN] * len(faces),
        **VERSION,
    }


async def delete_face(asked: Asked) -> Answer:
    """Take faces of a person away, but not the last one."""
    (person, *_) = await _the_person(asked, asked.text("PersonId"))
    wanted = {id_ for text in asked.texts("FaceIds") if (id_ := _id(text)) is not None}
    theirs = await _faces_of(asked, person.holder)
    going = wanted.intersection(theirs)
    if len(going) == len(theirs):
        raise error("InvalidParameterValue.DeleteFaceNumExceed", "A person keeps one face at least.")
    wish = EnrolmentFilter(_EVERYBODY, person.holder, ids=going)
    deleted = await enrol.delete_enrolments(asked.app, asked.connection, wish)
    return {"SucDeletedNum": len(deleted), "SucFaceIds": [_shown(each.id) for each in deleted]}


async def list_people(asked: Asked) -> Answer:
    """Who is in a group, by id, a page at a time."""
    page, counts = asked.page(1000), await count_people(asked)
    people = await enrol.subjects(asked.app, asked.connection, SubjectFilter(asked.text("GroupId")))
    faces = await _faces_by_holder(asked)
    infos = [
        {
            "PersonName": each.name or "",
            "PersonId": each.ref,
            "Gender": 0,
            "PersonExDescriptions": [],
            "FaceIds": list(map(_shown, faces[each.holder])),
            "CreationTimestamp": each.created_at // 1000,
        }
        for each in people[page]
    ]
    return {"PersonInfos": infos, **counts, **VERSION}


async def count_people(asked: Asked) -> Answer:
    """How many people are in a group, and how many faces they have."""
    group = asked.text("GroupId")
    await enrol.collection(asked.app, asked.connection, group)
    people = await enrol.subjects(asked.app, asked.connection, SubjectFilter(group))
    faces = await _faces_by_holder(asked)
    return {"PersonNum": len(people), "FaceNum": sum(len(faces[each.holder]) for each in people)}


async def get_person(asked: Asked) -> Answer:
    """The name of a person, and their faces."""
    (person, *_) = await _the_person(asked, asked.text("PersonId"))
    faces = await _faces_of(asked, person.holder)
    return {"PersonName": person.name or "", "Gender": 0, "FaceIds": list(map(_shown, faces))}


async def list_groups_of_person(asked: Asked) -> Answer:
    """The groups that a person is in, a page at a time."""
    page = asked.page(100)
    person = Person(b"", tuple(await _the_person(asked, asked.text("PersonId"))))
    groups = groups_of(person)
    return {"PersonGroupInfos": groups[page], "GroupNum": len(groups), **VERSION}


async def modify_person(asked: Asked) -> Answer:
    """Give a person another name."""
    ref, name = asked.text("PersonId"), asked.fields.text("PersonName")
    await _the_person(asked, ref)
    if name:
        await enrol.name_subject(asked.app, asked.connection, ref, _name(asked, "PersonName"))
    return {}


async def holder_of(asked: Asked) -> bytes:
    """Whose `PersonId` it is. Raises `NotFound`."""
    (person, *_) = await _the_person(asked, asked.text("PersonId"))
    return person.holder


async def face_id_of(asked: Asked, person: Person) -> str:
    """The `FaceId` by which somebody is found: the same every time, whether they are enrolled or not."""
    theirs = await _faces_of(asked, person.holder)
    return _shown(theirs[0] if theirs else sha256(asked.connection.id + person.holder).digest()[:16])


def groups_of(person: Person) -> list[Answer]:
    """The groups that somebody is in."""
    groups = (each.collection for each in person.subjects if each.collection != _EVERYBODY)
    return [{"GroupId": group, "PersonExDescriptions": []} for group in groups]


async def _group(asked: Asked, group: str) -> Answer:
    size = await enrol.collection(asked.app, asked.connection, group)
    known = {"GroupName": group, "GroupId": group, "GroupExDescriptions": [], "Tag": ""}
    return {**known, **VERSION, "CreationTimestamp": size.created_at // 1000}


async def _found(asked: Asked, ref: str, group: str | None = None) -> list[SubjectRecord]:
    return await enrol.subjects(asked.app, asked.connection, SubjectFilter(group, {ref}))


async def _the_person(asked: Asked, ref: str) -> list[SubjectRecord]:
    """The person in each of their groups. Raises `NotFound`."""
    found = await _found(asked, ref)
    if not found:
        raise NotFound("subject")
    return found


async def _add_face(asked: Asked, ref: str) -> str:
    wish = enrol.Enrolling(_EVERYBODY, ref, lasting=True)
    try:
        made = await enrol.enrol(asked.app, asked.connection, wish)
    except NotFound:
        with suppress(Clash):
            await enrol.add_collection(asked.app, asked.connection, _EVERYBODY)
        made = await enrol.enrol(asked.app, asked.connection, wish)
    return _shown(made.id)


async def _faces_of(asked: Asked, holder: bytes) -> list[bytes]:
    wanted = EnrolmentFilter(_EVERYBODY, holder)
    return [each.id for each in await enrol.enrolments(asked.app, asked.connection, wanted)]


async def _faces_by_holder(asked: Asked) -> Mapping[bytes, list[bytes]]:
    faces: dict[bytes, list[bytes]] = defaultdict(list)
    for each in await enrol.enrolments(asked.app, asked.connection, EnrolmentFilter(_EVERYBODY)):
        if each.holder is not None:
            faces[each.holder].append(each.id)
    return faces


def _name(asked: Asked, field: str) -> str:
    name = asked.text(field)
    if len(name) > _LONGEST_NAME:
        raise error(f"InvalidParameterValue.{field}TooLong", f"{field} has at most {_LONGEST_NAME} characters.")
    return name


def _shown(id_: bytes) -> str:
    """A face id has digits only, as Tencent's have."""
    return str(int.from_bytes(id_, "big"))


def _id(text: str) -> bytes | None:
    if not _FACE_ID.fullmatch(text) or int(text) >= 1 << 128:
        return None
    return int(text).to_bytes(16, "big")
