"""Pictures with codes in them, drawn by segno, and the three ways in which they are sent."""

import json
from base64 import b64encode
from typing import Any

import httpx
from PIL import Image

from tests.effects.frames import code, encoded
from tests.service import Service

WAYS = ("base64", "data uri", "multipart")


def photo(*texts: str, form: str = "JPEG") -> bytes:
    """A picture file with the texts' codes side by side on white."""
    drawn = [code(text) for text in texts]
    width = sum(each.width for each in drawn) or 200
    ground = Image.new("RGB", (width, max((each.height for each in drawn), default=200)), "white")
    left = 0
    for each in drawn:
        ground.paste(each, (left, 0))
        left += each.width
    return encoded(ground, form)


async def show(
    service: Service,
    picture: bytes,
    way: str = "base64",
    *,
    key: str | None = None,
    part_type: str | None = None,
    **fields: Any,
) -> httpx.Response:
    """Send a picture to be verified at `main-door`."""
    fields = {"gate": "main-door", **fields}
    if way == "multipart":
        return await service.call(
            "POST", "/v1/verifications", key=key, **multipart(picture, fields, part_type=part_type)
        )
    text = b64encode(picture).decode()
    if way == "data uri":
        text = f"data:{part_type or 'image/jpeg'};base64,{text}"
    return await service.call("POST", "/v1/verifications", key=key, json={"picture": text, **fields})


def multipart(picture: bytes, fields: dict[str, Any], *, part_type: str | None = None) -> dict[str, Any]:
    """A form by hand, with the picture first, so that nothing is added which a plain client would leave out."""
    boundary = b"a-line-between-parts"
    typed = b"" if part_type is None else b"\r\nContent-Type: " + part_type.encode()
    head = b'Content-Disposition: form-data; name="picture"; filename="p.jpg"' + typed
    parts = [head + b"\r\n\r\n" + picture]
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode())
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    return {"content": body, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}}
