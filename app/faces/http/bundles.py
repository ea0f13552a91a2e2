"""A gate's bundle: `/v1/gates/{id}/bundle`, and its chunks. Bytes, as docs/offline.md has them."""

from typing import Annotated

import cbor2
from fastapi import APIRouter, Header, Query, Response

from app.services.credentials import Caller
from app.services.mistakes import Forbidden

from .caller import App, allowed
from .fields import text_id_of

router = APIRouter(prefix="/v1/gates", tags=["gates"])

MANIFEST_TYPE = 'application/cose; cose-type="cose-sign1"'
CHUNKS_TYPE = "application/cbor"

_MAY_CHANGE = {"Cache-Control": "private, no-cache"}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_ETAG = {"ETag": {"description": "Names these bytes, for `If-None-Match`.", "schema": {"type": "string"}}}

Reader = Annotated[Caller, allowed("bundles:read")]
Hashes = Annotated[
    str,
    Query(
        pattern=r"^[0-9a-f]{32}(,[0-9a-f]{32}){0,63}$",
        description="1 to 64 hashes as the manifest has them, in hexadecimal, with commas in between.",
    ),
]


@router.get(
    "/{id}/bundle",
    summary="Retrieve a gate's bundle",
    response_description="The signed manifest",
    response_class=Response,
    responses={
        200: {"content": {MANIFEST_TYPE: _BYTES}, "headers": _ETAG},
        304: {"description": "It is the one that `If-None-Match` names", "headers": _ETAG},
    },
)
async def get(
    app: App,
    caller: Reader,
    id: str,  # noqa: A002
    if_none_match: Annotated[str, Header(alias="If-None-Match", description="The `ETag` of the bundle there is.")] = "",
) -> Response:
    """All that a kiosk at this gate needs to verify signed tokens without the network: a COSE_Sign1 that names chunks.

    Only what changed is to be fetched again. A key that is bound to a gate gets no other gate's.
    """
    issued = await app.bundles.bundle(caller.tenant, _own_gate(caller, id))
    headers = {**_MAY_CHANGE, "ETag": issued.etag}
    if _names(if_none_match, issued.etag):
        return Response(status_code=304, headers=headers)
    return Response(issued.body, headers=headers, media_type=MANIFEST_TYPE)


@router.get(
    "/{id}/bundle/chunks",
    summary="Retrieve chunks of a gate's bundle",
    response_description="An array of byte strings, in the order asked for",
    response_class=Response,
    responses={200: {"content": {CHUNKS_TYPE: _BYTES}}},
)
async def chunks(app: App, caller: Reader, id: str, of: Hashes) -> Response:  # noqa: A002
    """Chunks of this bundle, or of those of the last minute, as a CBOR array. Null stands for what is there no longer.

    Then the manifest is to be fetched again.
    """
    hashes = [bytes.fromhex(each) for each in of.split(",")]
    found = await app.bundles.chunks(caller.tenant, _own_gate(caller, id), hashes)
    return Response(cbor2.dumps(found, canonical=True), headers=_MAY_CHANGE, media_type=CHUNKS_TYPE)


def _own_gate(caller: Caller, id_: str) -> str:
    if caller.gate not in (None, id_):
        raise Forbidden("This key is bound to another gate.")
    return text_id_of("gate", id_)


def _names(if_none_match: str, etag: str) -> bool:
    """Whether it is among those that the caller has (RFC 9110 section 13.1.2: compared weakly)."""
    named = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return etag in named or named == ["*"]
