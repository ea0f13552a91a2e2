"""docs/tokens.md says what is so: its example is the first good vector, its numbers are those of the code."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core import base45
from app.core.rule import LEEWAY
from app.core.tokens import FORMATS
from app.core.tokens.signed import MAX_LENGTH, MAX_LIFETIME_S
from tests.vectors import make

PAGE = (Path(__file__).parents[3] / "docs" / "tokens.md").read_text("utf-8")
SIGNED = json.loads((make.FOLDER / "signed.json").read_text("ascii"))
FIRST = SIGNED["good"][0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def bytes_of(block: str) -> bytes:
    return bytes.fromhex("".join(line.partition("#")[0] for line in block.splitlines()))


def test_the_text_is_that_of_the_first_good_vector() -> None:
    assert blocks("text") == [FIRST["text"] + "\n"]


def test_the_bytes_are_those_of_the_first_good_vector() -> None:
    token, to_be_signed = map(bytes_of, blocks("hex"))
    assert token == base45.decode(FIRST["text"][4:])
    protected, _, payload, _ = cbor2.loads(token)
    external_aad = bytes.fromhex(SIGNED["external_aad"])
    assert cbor2.loads(to_be_signed) == ["Signature1", protected, external_aad, payload]
    assert cbor2.loads(external_aad) == ["GP1", SIGNED["tenant"]]


def test_the_signature_on_the_page_holds() -> None:
    token, to_be_signed = map(bytes_of, blocks("hex"))
    private = bytes.fromhex(SIGNED["keys"]["private"])
    assert Ed25519PrivateKey.from_private_bytes(private).sign(to_be_signed) == token[-64:]


def test_the_claims_on_the_page_are_those_of_the_vector() -> None:
    claims = FIRST["claims"]
    assert f"# -65537: [{claims['class']}, {claims['idx']}, {claims['epoch']}]" in PAGE
    for name in ("exp", "iat"):
        shown = datetime.fromtimestamp(claims[name], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert f"# {name}: {shown}" in PAGE


@pytest.mark.parametrize(
    "said",
    [
        f"at most {MAX_LENGTH} characters",
        f"at most {MAX_LIFETIME_S[False]:,} for class 0 and {MAX_LIFETIME_S[True]:,} (400 days) for class 1",
        f"number = 0..{2**53 - 1}",
        f"Clocks may differ by {LEEWAY // 1_000_000} seconds",
        "length-first order (RFC 8949 section 4.2.3)",
        "canonical CBOR of RFC 7049 section 3.9",
        "10 * 1e-7 = 1e-6 a day",
        "244 * 1e-7 = 2.44e-5 a day, under 3e-5",
        *(f"## `{token_format.kind}`" for token_format in FORMATS),
    ],
)
def test_the_numbers_on_the_page_are_those_of_the_code(said: str) -> None:
    assert said in re.sub(r"\s+", " ", PAGE)


def test_every_reason_in_the_vectors_is_explained() -> None:
    for name in ("signed", "short", "code"):
        for entry in json.loads((make.FOLDER / f"{name}.json").read_text("ascii"))["bad"]:
            assert f"| `{entry['reason']}` |" in PAGE


def test_the_page_is_short() -> None:
    assert len(PAGE.splitlines()) <= 210
