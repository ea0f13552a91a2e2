"""What Rekognition's operations are asked with, and how a request that does not keep to it is refused.

Names, patterns and limits are those of the service's own model (API 2016-06-27). Other members are passed over.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal
from pydantic_core import ErrorDetails
from starlette.responses import JSONResponse

from app.faces.dialect import Told
from app.faces.pictures import MAX_BASE64, from_base64
from app.faces.strict_json import read_json

MEDIA_TYPE = "application/x-amz-json-1.1"

COLLECTION_ID = r"^[a-zA-Z0-9_.\-]{1,255}$"
EXTERNAL_IMAGE_ID = r"^[a-zA-Z0-9_.\-:]{1,255}$"
USER_ID = r"^[a-zA-Z0-9_.\-:]{1,128}$"
FACE_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
ATTRIBUTE = (
    "^(DEFAULT|ALL|AGE_RANGE|BEARD|EMOTIONS|EYE_DIRECTION|EYEGLASSES|EYES_OPEN|GENDER|MOUTH_OPEN|MUSTACHE|"
    "FACE_OCCLUDED|SMILE|SUNGLASSES)$"
)

_MOST_ERRORS = 10

Percent = Annotated[float, Field(ge=0, le=100)]
PageSize = Annotated[int, Field(ge=0, le=4096)]
FaceId = Annotated[str, Field(pattern=FACE_ID)]
UserId = Annotated[str, Field(pattern=USER_ID)]
UserFaceIds = Annotated[list[FaceId], Field(min_length=1, max_length=100)]
QualityFilter = Literal["NONE", "AUTO", "LOW", "MEDIUM", "HIGH"]
Attribute = Annotated[str, Field(pattern=ATTRIBUTE)]


def error(name: str, message: str, status: int = 400) -> Told:
    """An exception of the service's, by its name."""
    return Told(JSONResponse({"__type": name, "message": message}, status, media_type=MEDIA_TYPE))


class Asked(BaseModel):
    """The members of a request, whose names begin with a capital on the wire."""

    model_config = ConfigDict(strict=True, alias_generator=to_pascal)


class Image(Asked):
    """A picture in base64. One that lies in a bucket is refused: Gatepass fetches no pictures."""

    content: Annotated[str, Field(min_length=1)] | None = Field(None, alias="Bytes")
    s3_object: dict[str, Any] | None = None

    def text(self) -> str:
        """What was sent, undecoded. Raises `Told` where the picture did not come with the request."""
        if self.s3_object is not None:
            raise error("InvalidS3ObjectException", "Pictures are not fetched: send the picture itself, in Bytes.")
        if self.content is None:
            raise error("InvalidParameterException", "Request has invalid parameters")
        return self.content

    def picture(self) -> bytes:
        """The picture's bytes. Raises `Told` where there are none, or too many."""
        if len(self.text()) > MAX_BASE64:
            raise error("ImageTooLargeException", "The picture has more than 5 MiB.")
        try:
            return from_base64(self.text())
        except ValueError:
            raise error("SerializationException", "The Bytes are not base64.") from None


class ListCollections(Asked):
    """For `ListCollections`. `next_token` is the last id of the page before."""

    next_token: Annotated[str, Field(pattern=COLLECTION_ID)] | None = None
    max_results: PageSize | None = None


class InCollection(Asked):
    """For `CreateCollection`, `DescribeCollection` and `DeleteCollection`; the others add to it."""

    collection_id: Annotated[str, Field(pattern=COLLECTION_ID)]


class IndexFaces(InCollection):
    """For `IndexFaces`."""

    image: Image
    external_image_id: Annotated[str, Field(pattern=EXTERNAL_IMAGE_ID)] | None = None
    max_faces: Annotated[int, Field(ge=1)] | None = None
    quality_filter: QualityFilter | None = None
    detection_attributes: list[Attribute] | None = None


class SearchFacesByImage(InCollection):
    """For `SearchFacesByImage`."""

    image: Image
    max_faces: Annotated[int, Field(ge=1, le=4096)] = 80
    face_match_threshold: Percent = 80
    quality_filter: QualityFilter | None = None


class SearchFaces(InCollection):
    """For `SearchFaces`."""

    face_id: FaceId
    max_faces: Annotated[int, Field(ge=1, le=4096)] = 80
    face_match_threshold: Percent = 80


class ListFaces(InCollection):
    """For `ListFaces`. `next_token` is the last id of the page before."""

    next_token: FaceId | None = None
    max_results: PageSize | None = None
    user_id: UserId | None = None
    face_ids: Annotated[list[FaceId], Field(min_length=1, max_length=4096)] | None = None


class DeleteFaces(InCollection):
    """For `DeleteFaces`."""

    face_ids: Annotated[list[FaceId], Field(min_length=1, max_length=4096)]


class OfUser(InCollection):
    """For `CreateUser` and `DeleteUser`; `AssociateFaces` and `DisassociateFaces` add to it."""

    user_id: UserId
    client_request_token: Annotated[str, Field(pattern=r"^[a-zA-Z0-9\-_]{1,64}$")] | None = None


class OfUserAndFaces(OfUser):
    """For `AssociateFaces` and `DisassociateFaces`."""

    face_ids: UserFaceIds
    user_match_threshold: Percent = 75


class ListUsers(InCollection):
    """For `ListUsers`. `next_token` is the last id of the page before."""

    next_token: UserId | None = None
    max_results: Annotated[int, Field(ge=1, le=500)] | None = None


class SearchUsersByImage(InCollection):
    """For `SearchUsersByImage`."""

    image: Image
    max_users: Annotated[int, Field(ge=1, le=500)] | None = None
    user_match_threshold: Percent = 80
    quality_filter: QualityFilter | None = None


class CompareFaces(Asked):
    """For `CompareFaces`."""

    source_image: Image
    target_image: Image
    similarity_threshold: Percent = 80
    quality_filter: QualityFilter | None = None


class DetectFaces(Asked):
    """For `DetectFaces`."""

    image: Image
    attributes: list[Attribute] | None = None


AskedT = TypeVar("AskedT", bound=Asked)


def read(form: type[AskedT], body: bytes) -> AskedT:
    """The request in a body. Raises `Told`, with a message that repeats nothing of it."""
    try:
        members = read_json(body)
    except ValueError as fault:
        raise error("SerializationException", str(fault)) from None
    if not isinstance(members, dict):
        raise error("SerializationException", "The body is no JSON object.")
    try:
        return form.model_validate({name: value for name, value in members.items() if value is not None})
    except ValidationError as invalid:
        raise _refused(invalid.errors(include_url=False, include_context=False, include_input=False)) from None


def _refused(errors: list[ErrorDetails]) -> Told:
    """The service tells three things apart: another type, a page that is none, and a pattern or limit not kept to."""
    said = [f"'{'.'.join(map(str, each['loc']))}': {each['msg']}" for each in errors[:_MOST_ERRORS]]
    if any(each["type"].endswith("_type") for each in errors):
        return error("SerializationException", "; ".join(said))
    if any(each["loc"] == ("NextToken",) for each in errors):
        return error("InvalidPaginationTokenException", "The NextToken is of no page of this list.")
    count = f"{len(errors)} validation error{'s' if len(errors) > 1 else ''} detected"
    return error("ValidationException", f"{count}: {'; '.join(said)}")
