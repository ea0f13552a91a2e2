"""What Face++ is asked with: a form with the keys in it, pictures, and face tokens; and how a request is refused."""

import hmac
import re
from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request

from app.effects.read_pictures import Code
from app.faces.dialect import Numbered, Told, connection_of, context_of
from app.faces.fields import Fields, read_fields
from app.faces.problems import Problem
from app.services.connected import Connection, Kind, drawn
from app.services.context import Context
from app.services.identify import Sight, look
from app.services.lately import Call
from app.services.sight import UnreadablePicture

_FILES = ("image_file", "image_file1", "image_file2")
_UNREADABLE = {
    "not_a_picture": "IMAGE_ERROR_UNSUPPORTED_FORMAT",
    "too_large": "IMAGE_FILE_TOO_LARGE",
    "too_many_pixels": "INVALID_IMAGE_SIZE",
}
_FACE_TOKEN = re.compile(r"[0-9a-f]{32}")
_RANDOM = 10
"""Bytes of a face token that are drawn; by the other six it is known again."""

FACESET = "gatepass"
"""The faceset that there is to begin with."""

KIND = Kind(
    "facepp",
    key=drawn(32),
    secret=drawn(32),
    credentials=lambda key, secret: {"api_key": key, "api_secret": secret, "faceset": FACESET},
    collection=FACESET,
)


def error(status: int, message: str) -> Told:
    """An error by one of Face++'s own names."""
    return Told(Numbered(lambda id_: {"time_used": 0, "error_message": message, "request_id": id_}, status))


class Asked(NamedTuple):
    """Who asks, and with what."""

    app: Context
    connection: Connection
    fields: Fields

    async def look(self, side: str = "") -> Sight:
        """The codes in a picture; its address is not followed. Raises `Told`, `NoCode` and `TooManyPictures`."""
        for name in _pictures(side):
            if self.fields.has(name):
                try:
                    return await look(self.app, self.connection, self.fields.picture(name))
                except UnreadablePicture as fault:
                    raise error(400, f"{_UNREADABLE[fault.refusal]}: {name}") from None
                except Problem:
                    raise error(400, f"IMAGE_ERROR_UNSUPPORTED_FORMAT: {name}") from None
        if self.fields.has(f"image_url{side}"):
            raise error(400, f"INVALID_IMAGE_URL: image_url{side}")
        raise error(400, f"MISSING_ARGUMENTS: {', '.join(_pictures(side))}")

    def remember(self, face_token: str, sight: Sight, code: Code) -> None:
        """Have a search find what was detected, for the few seconds until a client asks for the face token."""
        self.app.lately.sights[Call(self.connection.id, face_token)] = sight, code

    def detected(self, face_token: bytes) -> tuple[Sight, Code] | None:
        """What was seen when the face token was answered, and the code whose it is, if that was a moment ago."""
        return self.app.lately.sights.get(Call(self.connection.id, face_token.hex()))

    def has_only_a_face_token(self, side: str = "") -> bool:
        """Whether a face is named there, and no picture shown."""
        pictures = (*_pictures(side), f"image_url{side}")
        return self.fields.has(f"face_token{side}") and not any(map(self.fields.has, pictures))

    def face_token(self, name: str = "face_token") -> bytes:
        """The face token in a field, which can be enrolled. Raises `Told`."""
        (token,) = self.face_tokens(name, 1)
        if not self.enrols(token):
            raise error(400, f"INVALID_FACE_TOKEN: {name}")
        return token

    def face_tokens(self, name: str, most: int) -> Sequence[bytes]:
        """The face tokens in a field, each once, with commas between them. Raises `Told`."""
        texts = (self.fields.text(name) or "").split(",", most)
        if texts == [""]:
            raise error(400, f"MISSING_ARGUMENTS: {name}")
        if len(texts) > most:
            raise error(400, "INVALID_FACE_TOKENS_SIZE")
        texts = [text.strip() for text in texts]
        if not all(map(_FACE_TOKEN.fullmatch, texts)):
            raise error(400, f"BAD_ARGUMENTS: {name}")
        return [bytes.fromhex(text) for text in dict.fromkeys(texts)]

    def new_face_token(self) -> str:
        """A face token that can be enrolled. Nothing of it is kept until then: its last bytes show that it is ours."""
        random = self.app.entropy.bytes(_RANDOM)
        return (random + self._mark(random)).hex()

    def enrols(self, token: bytes) -> bool:
        """Whether a face token can be enrolled: `detect` answered it for a picture without a code."""
        return hmac.compare_digest(self._mark(token[:_RANDOM]), token[_RANDOM:])

    def _mark(self, random: bytes) -> bytes:
        return hmac.digest(self.connection.secret.encode(), b"face_token\0" + random, "sha256")[: 16 - _RANDOM]


async def read(request: Request) -> Asked:
    """The request. Raises `Told` and `Problem`."""
    fields = await read_fields(request, files=_FILES, forms_only=True)
    key, secret = fields.text("api_key"), fields.text("api_secret")
    if not key or not secret:
        raise error(400, f"MISSING_ARGUMENTS: {'api_secret' if key else 'api_key'}")
    connection = await connection_of(request, KIND, key)
    if not connection.proves(secret):
        raise error(401, "AUTHENTICATION_ERROR")
    return Asked(context_of(request), connection, fields)


def _pictures(side: str) -> tuple[str, str]:
    """The fields in which the picture of a side may be: as a file, and in base64."""
    return f"image_file{side}", f"image_base64_{side}" if side else "image_base64"
