"""What is read from an object that a holder carries already: the barcode of a card, the number of an NFC tag.

Such a number is no secret and can be copied, which is why it is enrolled by hand, can be blocked when lost, and can be
asked for together with a code (`rules/needs_second_proof.py`). Only a keyed hash of it is ever stored.
"""

import re

from .model import Claims, Presented
from .token_format import Keyring, Pepper, keyed_hash

MIN_LENGTH = 4
MAX_LENGTH = 128
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:[:\- ]?[0-9A-Fa-f]{2}){3,15}")
_OURS = "GP"


def canonical(text: str) -> str:
    """One spelling for each number: readers write the bytes of a tag as `04:a2:b3:c4` or `04A2B3C4`."""
    if _HEX_PAIRS.fullmatch(text):
        return re.sub(r"[:\- ]", "", text).upper()
    return text


def could_be_a_card(text: str) -> bool:
    """Whether `text` could be enrolled: 4 to 128 printable characters, and not the look of a Gatepass token."""
    return MIN_LENGTH <= len(text) <= MAX_LENGTH and text.isprintable() and not text.startswith(_OURS)


def card_hash(text: str, tenant: str, pepper: Pepper) -> bytes:
    """What is stored: HMAC-SHA-256 under the pepper of CBOR ["card", tenant, the canonical text]."""
    return keyed_hash(pepper, ["card", tenant, canonical(text)])


def with_card(presented: Presented, text: str, tenant: str, keyring: Keyring) -> Presented:
    """What was presented, with the hashes by which the store would know a card.

    Codes and cards are digits both: a card whose number looks like a code, right or misspelt, is still found. Where no
    card is known either, it stays what it was without.
    """
    if isinstance(presented, Claims):
        if presented.number is None or not could_be_a_card(text):
            return presented
        return presented._replace(cards=_hashes(text, tenant, keyring))
    if not could_be_a_card(text):
        return presented
    return Claims("card", (), cards=_hashes(text, tenant, keyring), otherwise=presented.reason)


def _hashes(text: str, tenant: str, keyring: Keyring) -> tuple[bytes, ...]:
    return tuple(card_hash(text, tenant, pepper) for pepper in keyring.peppers)
