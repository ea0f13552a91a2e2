"""One format takes each text, or none does; what scanners add is taken off the edges and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.keys import Ed25519Key
from app.core.model import Claims, Refused
from app.core.token_format import Keyring, Pepper
from app.core.tokens import FORMATS, recognise
from tests.core.facts import TENANT
from tests.vectors import make

GOOD = {
    name: json.loads((make.FOLDER / f"{name}.json").read_text("ascii"))["good"][0]["text"]
    for name in ("signed", "short", "code")
}
KEYS = json.loads((make.FOLDER / "signed.json").read_text("ascii"))["keys"]
KEYRING = Keyring({bytes.fromhex(KEYS["kid"]): Ed25519Key(bytes.fromhex(KEYS["public"]))}, (Pepper(1, b"\x07" * 32),))
each_kind = pytest.mark.parametrize("kind", GOOD)


@each_kind
def test_each_format_takes_its_own_texts_and_no_others(kind: str) -> None:
    takers = [each.kind for each in FORMATS if each.open(GOOD[kind], TENANT, KEYRING) is not None]
    assert takers == [kind]


@each_kind
@pytest.mark.parametrize("before", ["", " ", "\t", "\\000026", "\\000026 ", "\\000003"], ids=repr)
@pytest.mark.parametrize("after", ["", "\r", "\n", "\r\n", "\t", " ", " \r\n"], ids=repr)
def test_what_scanners_add_is_taken_off(kind: str, before: str, after: str) -> None:
    plain = recognise(GOOD[kind], TENANT, KEYRING)
    assert isinstance(plain, Claims)
    assert recognise(before + GOOD[kind] + after, TENANT, KEYRING) == plain


@each_kind
@pytest.mark.parametrize(
    "added",
    [
        "\x00",
        "\x1d",
        "\x04",
        "\u00a0",
        "\u2003",
        "\u3000",
        "\ufeff",
        "\x0b",
        "\x0c",
        "\x85",
        "]Q1",
        "]Q3",
        "'",
        '"',
        ".",
    ],
    ids=ascii,
)
def test_nothing_else_is(kind: str, added: str) -> None:
    assert isinstance(recognise(added + GOOD[kind], TENANT, KEYRING), Refused)
    assert isinstance(recognise(GOOD[kind] + added, TENANT, KEYRING), Refused)


@each_kind
@pytest.mark.parametrize(
    "mark", ["\\0026", "\\0000026", "\\00002", "/000026", "\\000026\\000026", " \\000026"], ids=repr
)
def test_an_eci_mark_has_a_backslash_and_six_digits_and_stands_first(kind: str, mark: str) -> None:
    assert isinstance(recognise(mark + GOOD[kind], TENANT, KEYRING), Refused)


@each_kind
def test_an_eci_mark_in_other_scripts_digits_is_none(kind: str) -> None:
    assert recognise("\\\u0660\u0660\u0660\u0660\u0662\u0666" + GOOD[kind], TENANT, KEYRING) == Refused("unrecognised")


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    presented = recognise(text, TENANT, KEYRING)
    assert presented == Refused("unrecognised") or isinstance(presented, Claims | Refused)


@given(st.sampled_from(["GP0", "GP1:", "1042", "1042 8392 ", "\\000026GP1:"]), st.text(max_size=30))
def test_any_text_behind_a_prefix_is_answered(prefix: str, text: str) -> None:
    assert isinstance(recognise(prefix + text, TENANT, KEYRING), Claims | Refused)


@pytest.mark.parametrize(
    "text", ["\ud800", "GP1:\ud800", "GP0\udfff", "1042\ud8008392017", "\x00", "GP1:\x00"], ids=ascii
)
def test_lone_surrogates_and_nul_are_refused_and_never_raise(text: str) -> None:
    assert isinstance(recognise(text, TENANT, KEYRING), Refused)


@pytest.mark.parametrize("text", ["https://example.com", "HC1:6BF", "WIFI:S:net;;", "hello", "GP2:h.12345678.12345678"])
def test_other_peoples_codes_are_unrecognised(text: str) -> None:
    assert recognise(text, TENANT, KEYRING) == Refused("unrecognised")


def test_a_megabyte_is_refused_at_once() -> None:
    for prefix in ("", "GP0", "GP1:", "1", "1 "):
        assert isinstance(recognise(prefix + "1" * 1_000_000, TENANT, KEYRING), Refused)
