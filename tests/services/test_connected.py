"""What connections are known by, as it is drawn and stored."""

import json
import math

import pytest

from app.core.model import ZoneLimit
from app.effects.entropy import SystemEntropy
from app.faces.dialects import DIALECTS
from app.services.connected import drawn, key_lookup, serial_lookup
from app.services.connections import granted
from app.services.passes import PassWish


def test_what_is_drawn_is_of_its_alphabet_and_its_length() -> None:
    texts = {drawn(40, "AB7")(SystemEntropy()) for _ in range(50)}
    assert len(texts) == 50
    assert {len(text) for text in texts} == {40}
    assert set("".join(texts)) == set("AB7")


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_what_a_client_proves_itself_with_cannot_be_guessed(kind: str) -> None:
    made, entropy = DIALECTS[kind].kind, SystemEntropy()
    proofs, keys = [(made.secret or made.key)(entropy) for _ in range(500)], {made.key(entropy) for _ in range(500)}
    drawn_at = [{text[place] for text in proofs} for place in range(len(proofs[0]))]
    assert {len(text) for text in proofs} == {len(drawn_at)}
    assert sum(math.log2(len(characters)) for characters in drawn_at) > 120
    assert len(keys) == 500
    assert all(text.isascii() and text.isprintable() for text in (*keys, *proofs))


@pytest.mark.parametrize("kind", list(DIALECTS))
def test_a_client_is_shown_all_that_it_needs_under_names_of_its_own(kind: str) -> None:
    shown = DIALECTS[kind].kind.credentials("a key of it", "a secret of it")
    assert "a key of it" in "".join(shown.values())
    assert DIALECTS[kind].kind.secret is not None or "a secret of it" not in "".join(shown.values())
    assert all(name.isidentifier() for name in shown)


def test_a_key_and_a_serial_number_of_one_text_are_told_apart_and_so_are_kinds() -> None:
    lookups = {made(kind, "123") for made in (key_lookup, serial_lookup) for kind in ("a", "b")}
    assert len(lookups) == 4
    assert {len(each) for each in lookups} == {32}
    assert len(key_lookup("a", "\ud800")) == 32


def test_what_a_connection_grants_comes_back_as_it_was_wished() -> None:
    limits = [ZoneLimit("hq", 5, None)]
    wish = PassWish("emp-1", False, ["main-door"], ["hq"], 1, 2, 3, "always", 4, limits, 5, 6)
    grants = wish._asdict()
    del grants["holder"]
    assert granted(json.dumps(grants), "emp-1") == wish._replace(zone_limits=tuple(limits))
