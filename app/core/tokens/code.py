"""`code`: typed by hand. The holder's number, then 7 random digits and a Damm check digit: `1042 8392 0170`.

The check digit is over all the digits before it, so a slip of the fingers is told from a guess and costs nothing.
Only a keyed hash is ever stored. How guessing is kept hopeless stands in `rules/throttled.py`.
"""

import re
from typing import NamedTuple

from .. import damm
from ..model import Claims, Presented, Refused
from ..token_format import MALFORMED, Keyring, Pepper, keyed_hash

RANDOM_DIGITS = 7
CODES = 10**RANDOM_DIGITS
"""How many codes a holder could have: what one guess is up against."""

_DIGITS = re.compile(r"[0-9]{12,20}|[0-9]{4,12} [0-9]{4} [0-9]{4}")  # not \d, which knows other scripts' digits


class CodeFormat(NamedTuple):
    """The `code` kind."""

    kind: str = "code"

    def mint(self, number: int, draw: int) -> str:
        """The code for a holder's number (1000 or more) and a random draw below `CODES`."""
        if number < 1000 or not 0 <= draw < CODES:
            raise ValueError("a number starts at 1000, a draw has 7 digits")
        digits = f"{number}{draw:0{RANDOM_DIGITS}}"
        return digits + damm.check_digit(digits)

    def display(self, text: str) -> str:
        """The code in groups, as a person reads it. It may be typed in so."""
        return f"{text[:-8]} {text[-8:-4]} {text[-4:]}"

    def keyed_hash(self, text: str, tenant: str, pepper: Pepper) -> bytes:
        """What is stored: HMAC-SHA-256 under the pepper of CBOR ["code", tenant, number, the 8 digits after it]."""
        return keyed_hash(pepper, ["code", tenant, int(text[:-8]), text[-8:]])

    def open(self, text: str, tenant: str, keyring: Keyring) -> Presented | None:
        """Its claims: the hashes by which the store knows it, and the holder's number that it names."""
        if not _DIGITS.fullmatch(text):
            return None
        text = text.replace(" ", "")
        if text[0] == "0" or damm.check_digit(text[:-1]) != text[-1]:
            return Refused(MALFORMED)
        hashes = tuple(self.keyed_hash(text, tenant, pepper) for pepper in keyring.peppers)
        return Claims("code", hashes, number=int(text[:-8]))


CODE = CodeFormat()
