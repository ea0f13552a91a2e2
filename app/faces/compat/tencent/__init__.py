"""Tencent Cloud's face recognition (IAI 2020-03-03): one address, the action in `X-TC-Action`, signed with TC3.

A group is a collection. Everything is answered with HTTP status 200, errors too. A code that is refused is a result
without candidates, as one is for a face that is like nobody's in the groups. `FaceNum` counts the people that were
searched, each of whom has a face at least.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.effects.read_pictures import Code
from app.faces.dialect import Dialect, Numbered
from app.faces.problems import Problem
from app.services import enrol
from app.services.identify import Identified, Sight, compare, identify
from app.services.mistakes import Invalid, Mistake, NotFound
from app.services.sight import UnreadablePicture

from . import people
from .people import VERSION
from .requests import KIND, Asked, caller, error, read

_API_VERSION = "2020-03-03"
_MOST_GROUPS = 100
_MOST_RESULTS = 10
_MOST_DETECTED = 120
_UNREADABLE = {
    "not_a_picture": "FailedOperation.ImageDecodeFailed",
    "too_large": "FailedOperation.ImageSizeExceed",
    "too_many_pixels": "FailedOperation.ImageResolutionExceed",
}
_NOT_THERE = {
    "collection": "InvalidParameterValue.GroupIdNotExist",
    "subject": "InvalidParameterValue.PersonIdNotExist",
}
_INVALID = {
    "subject": "InvalidParameterValue.PersonIdIllegal",
    "name": "InvalidParameterValue.PersonNameIllegal",
}
_CODES = {
    "collection_exists": "InvalidParameterValue.GroupIdAlreadyExist",
    "internal_error": "InternalError",
    "no_code": "InvalidParameterValue.NoFaceInPhoto",
    "not_base64": "FailedOperation.ImageDecodeFailed",
    "not_found": "UnsupportedOperation.UnknowMethod",
    "too_large": "RequestSizeLimitExceeded",
    "too_many_requests": "RequestLimitExceeded",
    "unavailable": "InternalError",
}
_OTHERWISE = "InvalidParameter.InvalidParameter"

Answer = dict[str, Any]


def tell(fault: Exception) -> Response:
    """What went wrong, as Tencent says it."""
    match fault:
        case UnreadablePicture(refusal=refusal):
            code = _UNREADABLE[refusal]
        case NotFound(noun=noun):
            code = _NOT_THERE.get(noun, _OTHERWISE)
        case Invalid(field=field):
            code = _INVALID.get(field, _OTHERWISE)
        case Mistake(code=own) | Problem(code=own):
            code = _CODES.get(own, _OTHERWISE)
        case _:
            code = _CODES["internal_error"]
    return error(code, str(fault)).response


class _Search(NamedTuple):
    """What a search saw, and whom it found.

    `size` is how many people are in the groups. `codes` are those to be answered. `with_person` is whether the client
    wants to know more of a person than their id.
    """

    groups: Sequence[str]
    size: int
    sight: Sight
    codes: Sequence[Code]
    found: Identified | None
    face: str
    with_person: bool

    def candidates(self, code: Code, group: str | None = None) -> list[Answer]:
        """Who shows the code, if they are in the group."""
        found = self.found
        if found is None or found.code != code or (group is not None and not found.person.is_among(group)):
            return []
        candidate = {"PersonId": found.ref, "FaceId": self.face, "Score": 100.0}
        if not self.with_person:
            return [{**candidate, "PersonName": None, "Gender": None, "PersonGroupInfos": None}]
        known = {"PersonName": found.name or "", "Gender": 0, "PersonGroupInfos": people.groups_of(found.person)}
        return [{**candidate, **known}]


async def search_faces(asked: Asked) -> Answer:
    """Who shows a code, among those in the groups, with the id of a face."""
    search = await _search(asked)
    return {"Results": _results(search), "FaceNum": search.size, **VERSION}


async def search_people(asked: Asked) -> Answer:
    """Who shows a code, among those in the groups."""
    search = (await _search(asked))._replace(face="")
    return {"Results": _results(search), "PersonNum": search.size, **VERSION}


async def search_faces_by_group(asked: Asked) -> Answer:
    """Who shows a code, for each of the groups that they are in, with the id of a face."""
    search = await _search(asked)
    return {"FaceNum": search.size, "ResultsReturnsByGroup": _results_by_group(search), **VERSION}


async def search_people_by_group(asked: Asked) -> Answer:
    """Who shows a code, for each of the groups that they are in."""
    search = (await _search(asked))._replace(face="")
    return {"PersonNum": search.size, "ResultsReturnsByGroup": _results_by_group(search), **VERSION}


async def verify(asked: Asked) -> Answer:
    """Whether the code is that of a person. Somebody else's is left as it was."""
    holder = await people.holder_of(asked)
    sight = await asked.look()
    found = await identify(asked.app, asked.connection, sight, wanted=lambda person: person.holder == holder)
    return {"Score": 100.0 if found else 0.0, "IsMatch": found is not None, **VERSION}


async def compare_faces(asked: Asked) -> Answer:
    """Whether both pictures show a code of the same holder."""
    one, other = await asked.look("ImageA"), await asked.look("ImageB")
    found = await compare(asked.app, asked.connection, one, other)
    return {"Score": 100.0 if found else 0.0, **VERSION}


async def detect(asked: Asked) -> Answer:
    """Where the codes are; nothing is settled, and nothing is said of faces."""
    most = _number(asked, "MaxFaceNum", _MOST_DETECTED)
    sight = await asked.look()
    nothing = {"FaceAttributesInfo": None, "FaceQualityInfo": None}
    faces = [{**_rect(sight, code), **nothing} for code in sight.codes[:most]]
    return {"ImageWidth": sight.width, "ImageHeight": sight.height, "FaceInfos": faces, **VERSION}


async def _search(asked: Asked) -> _Search:
    """Identify. Of several codes the one that counts is answered first, then the largest."""
    groups, most = asked.texts("GroupIds"), _number(asked, "MaxFaceNum", _MOST_RESULTS)
    with_person = asked.fields.text("NeedPersonInfo") == "1"
    if len(groups) > _MOST_GROUPS:
        raise error("InvalidParameterValue.GroupIdsExceed", f"At most {_MOST_GROUPS} groups can be searched.")
    sizes = [await enrol.collection(asked.app, asked.connection, group) for group in groups]
    sight = await asked.look()
    found = await identify(asked.app, asked.connection, sight, wanted=lambda person: person.is_among(*groups))
    codes = sorted(sight.codes, key=lambda code: found is None or code != found.code)[:most]
    face = await people.face_id_of(asked, found.person) if found else ""
    return _Search(groups, sum(size.subjects for size in sizes), sight, codes, found, face, with_person)


def _results(search: _Search) -> list[Answer]:
    return [
        {"Candidates": search.candidates(code), "FaceRect": _rect(search.sight, code), "RetCode": 0}
        for code in search.codes
    ]


def _results_by_group(search: _Search) -> list[Answer]:
    return [
        {
            "FaceRect": _rect(search.sight, code),
            "GroupCandidates": [
                {"GroupId": group, "Candidates": search.candidates(code, group)} for group in search.groups
            ],
            "RetCode": 0,
        }
        for code in search.codes
    ]


def _rect(sight: Sight, code: Code) -> Answer:
    box = code.box.grown(sight.width, sight.height)
    return {"X": box.left, "Y": box.top, "Width": box.right - box.left, "Height": box.bottom - box.top}


def _number(asked: Asked, name: str, most: int) -> int:
    number = asked.fields.number(name, 1)
    if not 0 < number <= most:
        raise error("LimitExceeded.ErrorFaceNumExceed", f"{name} is at most {most}.")
    return number


ACTIONS: Mapping[str, Callable[[Asked], Awaitable[Answer]]] = {
    "CreateGroup": people.create_group,
    "DeleteGroup": people.delete_group,
    "GetGroupList": people.list_groups,
    "GetGroupInfo": people.get_group,
    "ModifyGroup": people.modify_group,
    "CreatePerson": people.create_person,
    "DeletePerson": people.delete_person,
    "DeletePersonFromGroup": people.delete_person_from_group,
    "CopyPerson": people.copy_person,
    "CreateFace": people.create_face,
    "DeleteFace": people.delete_face,
    "GetPersonList": people.list_people,
    "GetPersonListNum": people.count_people,
    "GetPersonBaseInfo": people.get_person,
    "GetPersonGroupInfo": people.list_groups_of_person,
    "ModifyPersonBaseInfo": people.modify_person,
    "SearchFaces": search_faces,
    "SearchPersons": search_people,
    "SearchFacesReturnsByGroup": search_faces_by_group,
    "SearchPersonsReturnsByGroup": search_people_by_group,
    "VerifyFace": verify,
    "VerifyPerson": verify,
    "CompareFace": compare_faces,
    "DetectFace": detect,
}


async def act(request: Request) -> Response:
    """Do what the action says. Those that analyse faces are refused: nothing is said of faces here."""
    asked = await read(request)
    if request.headers.get("x-tc-version") != _API_VERSION:
        raise error("NoSuchVersion", f"The version that is spoken here is {_API_VERSION}.")
    perform = ACTIONS.get(request.headers.get("x-tc-action", ""))
    if perform is None:
        raise error("UnsupportedOperation.UnknowMethod", "There is no such action here.")
    content = await perform(asked)
    return Numbered(lambda id_: {"Response": {**content, "RequestId": id_}})


ROUTES: Sequence[Route] = (
    Route("/", act, methods=["POST"]),
    Route("/tencent/", act, methods=["POST"]),
)

TENCENT = Dialect(KIND, ROUTES, tell, prefixes=("/tencent/",), header=b"x-tc-action", before_body=caller)
