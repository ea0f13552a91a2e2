"""Reads and makes `signed` tokens with the `cwt` package. Run in an environment of its own (see conftest.py).

On stdin: `{"public", "private", "kid", "external_aad": hex, "read": [hex of COSE_Sign1, ...], "make": [hex of claims]}`.
On stdout: `{"read": [{"header", "claims"} or {"error"}, ...], "made": [hex of COSE_Sign1, ...]}`.

What it checks of each token: that it is a COSE_Sign1 with those headers, that the signature holds over the
Sig_structure with that external_aad under an OKP key for alg -19, and that the claims are CWT claims. `cwt.CWT` itself
knows no external_aad, so `cwt.COSE` opens the message and `cwt.Claims` the claims. It wants the tag 18, which our
tokens leave out; it is put before them here. It does not ask the clock, nor whether anything is in its one spelling.
"""

import json
import sys
from typing import Any

import cbor2
from cwt import COSE, Claims, COSEKey

TAG_18 = b"\xd2"
KTY, KID, ALG, CRV, X, D = 1, 2, 3, -1, -2, -4


def shown(value: Any) -> Any:
    """CBOR as JSON: labels as text, bytes in hexadecimal."""
    if isinstance(value, dict):
        return {str(label): shown(item) for label, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


def read(message: bytes, key: Any, external_aad: bytes) -> dict[str, Any]:
    protected, unprotected, payload = COSE.new().decode_with_headers(TAG_18 + message, key, external_aad=external_aad)
    if unprotected:
        raise ValueError("unprotected header")
    claims = Claims.new(cbor2.loads(payload))
    return {"header": shown(protected), "claims": shown(claims.to_dict())}


def main() -> None:
    asked = json.load(sys.stdin)
    public, private, kid, external_aad = (
        bytes.fromhex(asked[name]) for name in ("public", "private", "kid", "external_aad")
    )
    parameters = {KTY: 1, KID: kid, ALG: -19, CRV: 6, X: public}
    key, signing_key = COSEKey.new(parameters), COSEKey.new({**parameters, D: private})
    answers: list[dict[str, Any]] = []
    for text in asked["read"]:
        try:
            answers.append(read(bytes.fromhex(text), key, external_aad))
        except Exception as error:  # noqa: BLE001  whatever it is, it has not accepted
            answers.append({"error": type(error).__name__})
    made = [
        COSE.new().encode_and_sign(
            bytes.fromhex(claims), signing_key, protected={1: -19, 4: kid}, external_aad=external_aad
        )[1:]
        for claims in asked["make"]
    ]
    json.dump({"read": answers, "made": [message.hex() for message in made]}, sys.stdout)


if __name__ == "__main__":
    main()
