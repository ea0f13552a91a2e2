"""`signed` (GP1): `GP1:` and the base45 of an untagged COSE_Sign1 with CWT claims. For verifying offline.

Layout (RFC 9052 section 4.2, RFC 8392 section 3, RFC 9864 section 2.2, RFC 9679):

    [ << {1: -19, 4: kid} >>, {}, << {4: exp, 6: iat, 7: cti, -65537: [class, idx, epoch], ? 3: aud} >>, signature ]

`external_aad` is CBOR ["GP1", tenant]: a token of one tenant does not verify for another. docs/tokens.md has the rest.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import cbor2

from .. import base45
from ..model import SECOND, Claims, Presented, Refused, Token
from ..token_format import BAD_SIGNATURE, MALFORMED, Keyring

PREFIX = "GP1:"
MAX_LENGTH = 600
MAX_LIFETIME_S = {False: 86_400, True: 400 * 86_400}
"""The longest `exp - iat` in seconds, by whether the token is reusable."""

ED25519 = -19
_ALG, _KID = 1, 4
_AUD, _EXP, _IAT, _CTI, _GATEPASS = 3, 4, 6, 7, -65537
_ONCE, _REUSABLE = 0, 1
_MAX_INT = 2**53 - 1  # what JavaScript, and so a kiosk's page, holds exactly
_MAX_DEPTH = 4
_GATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_UNKNOWN = "unknown"


class Signer(Protocol):
    """A private key, as issuing uses it."""

    @property
    def kid(self) -> bytes:
        """The first 4 bytes of the key's RFC 9679 thumbprint."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) over `message`."""


class SignedFormat(NamedTuple):
    """The `signed` kind."""

    kind: str = "signed"

    def mint(self, token: Token, idx: int, tenant: str, signer: Signer) -> str:
        """The text of `token` for the pass at place `idx`. Its times are cut to whole seconds."""
        payload = encode_claims(token, idx)
        protected = cbor2.dumps({_ALG: ED25519, _KID: signer.kid}, canonical=True)
        signature = signer.sign(_to_be_signed(protected, payload, tenant))
        return PREFIX + base45.encode(cbor2.dumps([protected, {}, payload, signature], canonical=True))

    def open(self, text: str, tenant: str, keyring: Keyring) -> Presented | None:
        """Its claims, once the signature holds. Nothing that the token says is looked at before that but its `kid`."""
        if not text.startswith(PREFIX):
            return None
        try:
            protected, payload, signature = _envelope(text)
            kid = _kid(protected)
            key = keyring.keys.get(kid)
            if key is None:
                return Refused(_UNKNOWN)
            if key.algorithm != ED25519 or not key.verify(signature, _to_be_signed(protected, payload, tenant)):
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
    parts = _strict(base45.decode(text[len(PREFIX) :]))
    if type(parts) is not list or len(parts) != 4:
        raise ValueError("not a COSE_Sign1")
    protected, unprotected, payload, signature = parts
    if type(protected) is not bytes or type(payload) is not bytes or type(signature) is not bytes:
        raise ValueError("not a COSE_Sign1")
    if type(unprotected) is not dict or unprotected or len(signature) != 64:
        raise ValueError("not ours")
    return protected, payload, signature


@lru_cache(maxsize=64)  # there are as many headers as keys
def _kid(protected: bytes) -> bytes:
    """Only these two headers: no `crit`, no key in the token, no other algorithm."""
    header = _labelled(protected)
    if header.keys() != {_ALG, _KID}:
        raise ValueError("unexpected header")
    alg, kid = header[_ALG], header[_KID]
    if type(alg) is not int or alg != ED25519 or type(kid) is not bytes or len(kid) != 4:
        raise ValueError("unexpected header")
    return kid


def _claims(payload: bytes) -> Claims:
    claims = _labelled(payload)
    if claims.keys() - {_AUD} != {_EXP, _IAT, _CTI, _GATEPASS}:
        raise ValueError("unexpected claims")
    ours = claims[_GATEPASS]
    if type(ours) is not list or len(ours) != 3:
        raise ValueError("unexpected claims")
    kind, idx, epoch = ours
    exp, iat, cti, aud = claims[_EXP], claims[_IAT], claims[_CTI], claims.get(_AUD)
    for number in (exp, iat, kind, idx, epoch):
        if type(number) is not int or not 0 <= number <= _MAX_INT:
            raise ValueError("not an integer in range")
    if kind not in (_ONCE, _REUSABLE) or not 0 < exp - iat <= MAX_LIFETIME_S[kind == _REUSABLE]:
        raise ValueError("no such class, or lives too long")
    if type(cti) is not bytes or len(cti) != 16 or cti[6] >> 4 != 7 or cti[8] >> 6 != 2:
        raise ValueError("not a UUIDv7")
    if _AUD in claims and (type(aud) is not str or not _GATE.fullmatch(aud)):
        raise ValueError("not a gate")
    token = Token(cti, "signed", iat * SECOND, exp * SECOND, aud, kind == _REUSABLE, epoch)
    return Claims("signed", (cti,), token, idx)


def _labelled(data: bytes) -> dict[int, Any]:
    """A map whose labels are integers and nothing that merely equals one: in Python, True and 1.0 are equal to 1."""
    value = _strict(data)
    if type(value) is not dict or any(type(label) is not int for label in value):
        raise ValueError("not a map under integers")
    return value


def _strict(data: bytes) -> Any:  # noqa: ANN401  what comes out is checked where it is used
    """One CBOR item in its one spelling: encoding it again must give back the very bytes.

    That refuses trailing bytes, duplicate keys, indefinite lengths and longer spellings of a number.
    """
    try:
        value = cbor2.loads(data, max_depth=_MAX_DEPTH)
        same = cbor2.dumps(value, canonical=True) == data
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        raise ValueError("not CBOR") from None
    if not same:
        raise ValueError("not canonical CBOR")
    return value


def _to_be_signed(protected: bytes, payload: bytes, tenant: str) -> bytes:
    return sig_structure(protected, _external_aad(tenant), payload)


@lru_cache(maxsize=1024)
def _external_aad(tenant: str) -> bytes:
    return cbor2.dumps(["GP1", tenant], canonical=True)


def sig_structure(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """What a COSE_Sign1 signs: the Sig_structure of RFC 9052 section 4.4."""
    return cbor2.dumps(["Signature1", protected, external_aad, payload], canonical=True)


SIGNED = SignedFormat()
