"""The kinds of fields that requests and answers share."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.core.ids import CALLERS_OWN, parse
from app.core.model import SECOND
from app.services.holders import LONGEST_REF
from app.services.mistakes import NotFound

_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
TEXT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""A gate's or zone's id: the caller's own, or one that was made up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Body(BaseModel):
    """A request's body: no field but those named, and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """A body without fields. It may be left out."""


class Answer(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(populate_by_name=True)


def _read_time(value: object) -> int:
    """Microseconds UTC from an RFC 3339 time."""
    try:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise ValueError
        moment = datetime.fromisoformat(value)
        if not _EPOCH <= moment < _LAST:
            raise ValueError
    except (ValueError, OverflowError):
        raise PydanticCustomError("time", "Input should be an RFC 3339 time like 2026-11-22T09:30:00Z") from None
    return (moment - _EPOCH) // _MICROSECOND


def show_time(at: int) -> str:
    """An RFC 3339 time in UTC; the fraction is left out where there is none."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat()[:-6] + "Z"


def show_time_us(at: int) -> str:
    """An RFC 3339 time in UTC with six digits of fraction, always."""
    seconds, fraction = divmod(at, SECOND)
    return f"{_second(seconds)}.{fraction:06}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:-6]


def maybe_time(at: int | None) -> str | None:
    """The time, or None."""
    return None if at is None else show_time(at)


def _no_control_characters(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise PydanticCustomError("control_character", "Input should have no control characters")
    return value


Time = Annotated[
    int,
    BeforeValidator(_read_time),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
]
ShownTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
OwnId = Annotated[str, Field(pattern=CALLERS_OWN)]
GateId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Ref = Annotated[str, Field(min_length=1, max_length=LONGEST_REF), AfterValidator(_no_control_characters)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_control_characters)]
Reason = Annotated[str, Field(max_length=500), AfterValidator(_no_control_characters)]
GivenReason = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_no_control_characters)]
Direction = Literal["entry", "exit", "both"]
Side = Literal["entry", "exit"]


def id_of(prefix: str, noun: str, text: str) -> bytes:
    """The 16 bytes of an id in a path or body. One that cannot be an id is one that is not there."""
    id_ = parse(prefix, text)
    if id_ is None:
        raise NotFound(noun)
    return id_


def text_id_of(noun: str, text: str) -> str:
    """A gate's or zone's id in a path. One that cannot be an id is one that is not there."""
    if not TEXT_ID.fullmatch(text):
        raise NotFound(noun)
    return text
