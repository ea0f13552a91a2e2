"""Pictures as requests carry them: in base64, as a data URI, or as a file of a form."""

import binascii
import re
from base64 import b64decode

MAX_PICTURE = 5 * 1024 * 1024
"""The largest picture, in bytes."""

MAX_BASE64 = MAX_PICTURE * 4 // 3 + 4
"""The same in base64, in characters."""

_DATA_URI = re.compile(r"data:image/[a-z+.-]{1,32};base64,")


def from_base64(text: str) -> bytes:
    """The picture in base64 or a data URI. Raises ValueError where it is neither."""
    prefix = _DATA_URI.match(text)
    try:
        return b64decode(text[prefix.end() if prefix else 0 :], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("The picture is neither base64 nor a data URI of an image.") from None
