"""`signed` (GP1): `GP1:` and the base45 of an untagged COSE_Sign1 with CWT claims. For verifying offline.

Layout (RFC 9052 section 4.2, RFC 8392 section 3, RFC 9864 section 2.2, RFC 9679):

    [ << {1: -19, 4: kid} >>, {}, << {4: exp, 6: iat, 7: cti, -65537: [class, idx, epoch], ? 3: aud} >>, signature ]

`external_aad` is CBOR ["GP1", tenant]: a token of one tenant does not verify for another. docs/tokens.md has the rest.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import cbor2

from .. import base45
from ..cose import ED25519, Signer, enclose, envelope, kid_in, labelled, sig_structure
from ..model import SECOND, Claims, Presented, Refused, Token
from ..strict_cbor import MAX_INT
from ..token_format import BAD_SIGNATURE, MALFORMED, Keyring

PREFIX = "GP1:"
MAX_LENGTH = 600
MAX_LIFETIME_S = {False: 86_400, True: 400 * 86_400}
"""The longest `exp - iat` in seconds, by whether the token is reusable."""

_AUD, _EXP, _IAT, _CTI, _GATEPASS = 3, 4, 6, 7, -65537
_ONCE, _REUSABLE = 0, 1
_GATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_UNKNOWN = "unknown"


class SignedFormat(NamedTuple):
    """The `signed` kind."""

    kind: str = "signed"

    def mint(self, token: Token, idx: int, tenant: str, signer: Signer) -> str:
        """The text of `token` for the pass at place `idx`. Its times are cut to whole seconds."""
        return PREFIX + base45.encode(enclose(encode_claims(token, idx), _external_aad(tenant), signer))

    def open(self, text: str, tenant: str, keyring: Keyring) -> Presented | None:
        """Its claims, once the signature holds. Nothing that the token says is looked at before that but its `kid`."""
        if not text.startswith(PREFIX):
            return None
        try:
            protected, payload, signature = _envelope(text)
            kid = kid_in(protected)
            key = keyring.keys.get(kid)
            if key is None:
                return Refused(_UNKNOWN)
            if key.algorithm != ED25519 or not key.verify(
                signature, sig_structure(protected, _external_aad(tenant), payload)
            ):
                return Refused(BAD_SIGNATURE)
            return _claims(payload)
        except ValueError:
            return Refused(MALFORMED)


def encode_claims(token: Token, idx: int) -> bytes:
    """The claims of `token`: deterministic CBOR, keys length-first (RFC 8949 section 4.2.3, RFC 7049 section 3.9)."""
    claims: dict[int, object] = {
        _EXP: token.expires_at // SECOND,
        _IAT: token.issued_at // SECOND,
        _CTI: token.id,
        _GATEPASS: [_REUSABLE if token.reusable else _ONCE, idx, token.epoch],
    }
    if token.gate is not None:
        claims[_AUD] = token.gate
    return cbor2.dumps(claims, canonical=True)


def _envelope(text: str) -> tuple[bytes, bytes, bytes]:
    if len(text) > MAX_LENGTH:
        raise ValueError("too long")
    return envelope(base45.decode(text[len(PREFIX) :]))


def _claims(payload: bytes) -> Claims:
    claims = labelled(payload)
    if claims.keys() - {_AUD} != {_EXP, _IAT, _CTI, _GATEPASS}:
        raise ValueError("unexpected claims")
    ours = claims[_GATEPASS]
    if type(ours) is not list or len(ours) != 3:
        raise ValueError("unexpected claims")
    kind, idx, epoch = ours
    exp, iat, cti, aud = claims[_EXP], claims[_IAT], claims[_CTI], claims.get(_AUD)
    for number in (exp, iat, kind, idx, epoch):
        if type(number) is not int or not 0 <= number <= MAX_INT:
            raise ValueError("not an integer in range")
    if kind not in (_ONCE, _REUSABLE) or not 0 < exp - iat <= MAX_LIFETIME_S[kind == _REUSABLE]:
        raise ValueError("no such class, or lives too long")
    if type(cti) is not bytes or len(cti) != 16 or cti[6] >> 4 != 7 or cti[8] >> 6 != 2:
        raise ValueError("not a UUIDv7")
    if _AUD in claims and (type(aud) is not str or not _GATE.fullmatch(aud)):
        raise ValueError("not a gate")
    token = Token(cti, "signed", iat * SECOND, exp * SECOND, aud, kind == _REUSABLE, epoch)
    return Claims("signed", (cti,), token, idx)


@lru_cache(maxsize=1024)
def _external_aad(tenant: str) -> bytes:
    return cbor2.dumps(["GP1", tenant], canonical=True)


SIGNED = SignedFormat()
