"""The COSE_Sign1 around whatever the service signs (RFC 9052 section 4.2), and what in it is allowed.

    [ << {1: -19, 4: kid} >>, {}, << payload >>, signature ]

Untagged, signed with Ed25519 (RFC 9864 section 2.2). Each kind of content has an `external_aad` of its own.
"""

from functools import lru_cache
from typing import Any, Protocol

import cbor2

from .strict_cbor import strict

ED25519 = -19
_ALG, _KID = 1, 4


class Signer(Protocol):
    """A private key, as issuing uses it."""

    @property
    def kid(self) -> bytes:
        """The first 4 bytes of the key's RFC 9679 thumbprint."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) over `message`."""


def enclose(payload: bytes, external_aad: bytes, signer: Signer) -> bytes:
    """The signed envelope around `payload`."""
    protected = cbor2.dumps({_ALG: ED25519, _KID: signer.kid}, canonical=True)
    signature = signer.sign(sig_structure(protected, external_aad, payload))
    return cbor2.dumps([protected, {}, payload, signature], canonical=True)


def envelope(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Its protected header, payload and signature. Nothing of it is believed yet. Raises ValueError."""
    parts = strict(data)
    if type(parts) is not list or len(parts) != 4:
        raise ValueError("not a COSE_Sign1")
    protected, unprotected, payload, signature = parts
    if type(protected) is not bytes or type(payload) is not bytes or type(signature) is not bytes:
        raise ValueError("not a COSE_Sign1")
    if type(unprotected) is not dict or unprotected or len(signature) != 64:
        raise ValueError("not ours")
    return protected, payload, signature


@lru_cache(maxsize=64)  # there are as many headers as keys
def kid_in(protected: bytes) -> bytes:
    """Whose signature it says it is. Only these two headers: no `crit`, no key within, no other algorithm."""
    header = labelled(protected)
    if header.keys() != {_ALG, _KID}:
        raise ValueError("unexpected header")
    alg, kid = header[_ALG], header[_KID]
    if type(alg) is not int or alg != ED25519 or type(kid) is not bytes or len(kid) != 4:
        raise ValueError("unexpected header")
    return kid


def labelled(data: bytes) -> dict[int, Any]:
    """A map whose labels are integers and nothing that merely equals one: in Python, True and 1.0 are equal to 1."""
    value = strict(data)
    if type(value) is not dict or any(type(label) is not int for label in value):
        raise ValueError("not a map under integers")
    return value


def sig_structure(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """What a COSE_Sign1 signs: the Sig_structure of RFC 9052 section 4.4."""
    return cbor2.dumps(["Signature1", protected, external_aad, payload], canonical=True)
