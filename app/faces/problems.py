"""Errors as the caller sees them: RFC 9457 problem details. They never repeat what was sent."""

from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json

from app.services.mistakes import Clash, Forbidden, Invalid, Mistake, NotFound, TooManyPictures
from app.storage.failures import Unavailable

MEDIA_TYPE = "application/problem+json"
FAULT = "Something went wrong here. The request_id finds it in the log."

_CODES = {
    400: "malformed_body",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "timeout",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
_WHERE = ("body", "query", "path", "header")
_STATUS = {Invalid: 422, NotFound: 404, Forbidden: 403, Clash: 409, TooManyPictures: 429}


class FieldError(BaseModel):
    """One field that is wrong. The field's place is dotted; the message repeats no value."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """What went wrong. `code` is stable, the words are not."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None


class Problem(Exception):
    """An error to be told to the caller."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        errors: list[dict[str, str]] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code or _CODES[status]
        self.errors = errors
        self.headers = headers

    def body(self, request_id: str) -> bytes:
        """The problem as JSON."""
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors is not None:
            problem["errors"] = self.errors
        return to_json(problem)


def problem_of(fault: Exception) -> Problem | None:
    """The problem that an exception is to the caller; None for a fault of ours."""
    if isinstance(fault, Problem):
        return fault
    if isinstance(fault, Invalid):
        return Problem(422, "A field is invalid.", errors=[{"field": fault.field, "message": fault.message}])
    if isinstance(fault, Mistake):
        status = _STATUS.get(type(fault), 422)
        retry = (("retry-after", "1"),) if status == HTTPStatus.TOO_MANY_REQUESTS else ()
        return Problem(status, fault.message, code=fault.code, headers=retry)
    if isinstance(fault, RequestValidationError | ValidationError):
        return invalid(fault.errors())
    if isinstance(fault, Unavailable):
        return Problem(503, "The service cannot answer just now. Try again.", headers=(("retry-after", "1"),))
    return None


def invalid(errors: list[ErrorDetails] | Any) -> Problem:  # noqa: ANN401  FastAPI types its errors loosely
    """The problem for pydantic's errors."""
    return Problem(422, "A field is missing or invalid.", errors=[_field_error(each) for each in errors])


def _field_error(error: ErrorDetails) -> dict[str, str]:
    # Where a field may be of two types, pydantic puts the type that it tried into the place: literal['all'].
    place = [str(part) for part in error["loc"] if part not in _WHERE and "[" not in str(part)]
    if error["type"] == "extra_forbidden":
        # The field's name is the caller's own text, which errors do not repeat.
        return {"field": ".".join(place[:-1]), "message": "There is a field here that is not known."}
    return {"field": ".".join(place), "message": error["msg"]}
