"""Lists: a limit, an opaque cursor, and pages."""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated, Any

import cbor2
from pydantic import BaseModel, ConfigDict, Field

from app.services.mistakes import Invalid
from app.services.pages import Page

from .fields import TEXT_ID

ID_BYTES = 16
_DIGEST_BYTES = 8


class ListQuery(BaseModel):
    """What every list takes. `cursor` is the `next` of an earlier page of the same list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=512)] | None = None

    def after(self, list_name: str, key_type: type) -> Any:  # noqa: ANN401  of `key_type`, or None
        """The key behind which the wanted page begins. Raises `Invalid` for a cursor of another list or filter."""
        if self.cursor is None:
            return None
        try:
            digest, key = cbor2.loads(urlsafe_b64decode(self.cursor.encode("ascii") + b"=="))
        except (ValueError, TypeError, binascii.Error, cbor2.CBORError):
            digest = key = None
        if digest != self._filter_digest(list_name) or type(key) is not key_type or not _is_an_id(key):
            raise Invalid("cursor", "The cursor is of another list or filter. Begin without one.")
        return key

    def answer(self, list_name: str, page: Page[Any], show: Callable[[Any], Any]) -> dict[str, Any]:
        """The page as the caller sees it."""
        following = None
        if page.next is not None:
            packed = cbor2.dumps([self._filter_digest(list_name), page.next])
            following = urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")
        return {"items": [show(each) for each in page.items], "next": following}

    def _filter_digest(self, list_name: str) -> bytes:
        wanted = self.model_dump(exclude={"limit", "cursor"})
        return hashlib.sha256(repr((list_name, sorted(wanted.items()))).encode()).digest()[:_DIGEST_BYTES]


def _is_an_id(key: object) -> bool:
    """Whether a list could have come to `key`. Cursors are not signed: whoever makes one up reads their own list."""
    if isinstance(key, bytes):
        return len(key) == ID_BYTES
    return isinstance(key, str) and TEXT_ID.fullmatch(key) is not None
