"""What a Baidu client asks for: its parameters, and the error codes that say what is wrong with them.

Codes are those of Baidu's table as public code repeats it; 222200 and 222304 are not in it, and from memory. The
service itself could not be asked.
"""

import re
from collections.abc import Mapping, Sequence

from app.faces.fields import Fields
from app.faces.problems import Problem
from app.services.identify import NoCode
from app.services.mistakes import Clash, Invalid, Mistake, NotFound, TooManyPictures
from app.services.sight import UnreadablePicture

_GROUP = re.compile(r"[0-9A-Za-z_]{1,48}")
_FACE_TOKEN = re.compile(r"[0-9a-f]{32}")
_MOST_GROUPS = 10
_IMAGE_TYPES = ("BASE64", "URL", "FACE_TOKEN")
_MESSAGES: Mapping[int, str] = {
    1: "Unknown error",
    2: "Service temporarily unavailable",
    3: "Unsupported openapi method",
    18: "Open api qps request limit reached",
    110: "Access token invalid or no longer valid",
    111: "Access token expired",
    222202: "pic not has face",
    222203: "image check fail",
    222204: "image_url_download_fail",
    222207: "match user is not found",
    222208: "the number of image is incorrect",
    222209: "face token not exist",
    222304: "image size is too large",
    223100: "group is not exist",
    223101: "group is already exist",
    223103: "user is not exist",
    223104: "group_list is too large",
    223106: "face is not exist",
    223111: "dst group is not exist",
}
_MALFORMED_BODY = 222200
_OF_STATUS = {401: 110, 404: 3, 413: 222304, 503: 2}
_MALFORMED: Mapping[str, int] = {
    "start": 222002,
    "length": 222003,
    "group_id_list": 222005,
    "group_id": 222006,
    "src_group_id": 222006,
    "dst_group_id": 222006,
    "user_info": 222010,
    "image": 222013,
    "image_type": 222015,
    "max_face_num": 222016,
    "user_id": 222018,
    "face_token": 222025,
}
_PARAMETERS = {"collection": "group_id", "subject": "user_id", "name": "user_info"}
"""What services call a field, and Baidu a parameter."""


class Refused(Exception):
    """An error of Baidu's table."""

    def __init__(self, code: int, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or _MESSAGES[code]


def refused(fault: Exception) -> Refused:
    """The error of Baidu's that says what went wrong."""
    match fault:
        case Refused():
            return fault
        case Problem(code="not_base64"):
            return Refused(222203)
        case Problem(status=status) if status in _OF_STATUS:
            return Refused(_OF_STATUS[status])
        case Problem(status=status) if status < 500:
            return Refused(_MALFORMED_BODY, fault.detail)
        case Mistake():
            return _of_mistake(fault)
    return Refused(1)


def _of_mistake(mistake: Mistake) -> Refused:
    match mistake:
        case NoCode():
            code = 222202
        case UnreadablePicture():
            code = 222203 if mistake.refusal == "not_a_picture" else 222304
        case TooManyPictures():
            code = 18
        case NotFound(noun="collection"):
            code = 223100
        case Clash(code="collection_exists"):
            code = 223101
        case Invalid(field=field) if field in _PARAMETERS:
            return malformed(_PARAMETERS[field])
        case _:
            return Refused(_MALFORMED_BODY, mistake.message)
    return Refused(code)


def missing(name: str) -> Refused:
    """The parameter is not there."""
    return Refused(222001, f"param[{name}] is null")


def malformed(name: str) -> Refused:
    """The parameter is not what it has to be."""
    return Refused(_MALFORMED.get(name, _MALFORMED_BODY), f"param[{name}] format error")


def given(fields: Fields, name: str) -> str | None:
    """The parameter, None where it is not there."""
    try:
        return fields.text(name)
    except Problem:
        raise malformed(name) from None


def needed(fields: Fields, name: str) -> str:
    """The parameter, which has to be there."""
    text = given(fields, name)
    if not text:
        raise missing(name)
    return text


def number(fields: Fields, name: str, otherwise: int, *, least: int, most: int) -> int:
    """The number, from `least` to `most`."""
    try:
        found = fields.number(name, otherwise)
    except Problem:
        raise malformed(name) from None
    if not least <= found <= most:
        raise malformed(name)
    return found


def part_of(fields: Fields) -> slice:
    """Which part of a list is asked for."""
    start = number(fields, "start", 0, least=0, most=1_000_000)
    return slice(start, start + number(fields, "length", 100, least=1, most=1000))


def groups_of(fields: Fields) -> Sequence[str]:
    """The groups in which to search, which there may be or not."""
    named = [group.strip() for group in needed(fields, "group_id_list").split(",", _MOST_GROUPS)]
    if len(named) > _MOST_GROUPS:
        raise Refused(223104)
    if not all(map(_GROUP.fullmatch, named)):
        raise malformed("group_id_list")
    return named


def pictures_of(fields: Fields, *, least: int, most: int) -> Sequence[Fields]:
    """The parameters of each picture: the body is a list of them."""
    pictures = [Fields(each, {}) for each in fields.listed()]
    if not least <= len(pictures) <= most:
        raise Refused(222208)
    return pictures


def new_group(fields: Fields) -> str:
    """A group that may have to be made: letters, digits and underscores."""
    group = needed(fields, "group_id")
    if not _GROUP.fullmatch(group):
        raise malformed("group_id")
    return group


def image_type(fields: Fields) -> str:
    """What `image` is, which has to be there: BASE64, URL or FACE_TOKEN."""
    if not fields.has("image"):
        raise missing("image")
    kind = needed(fields, "image_type").upper()
    if kind not in _IMAGE_TYPES:
        raise malformed("image_type")
    return kind


def enrolment(fields: Fields, name: str) -> bytes:
    """The id of the enrolment whose face token it is."""
    token = needed(fields, name)
    if not _FACE_TOKEN.fullmatch(token):
        raise malformed(name)
    return bytes.fromhex(token)
