"""One-time passwords: the library against its standards, and why digits are checked before it is asked."""

import re

import pyotp
import pytest

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32 of 12345678901234567890, the secret of both RFCs
RFC_4226_APPENDIX_D = [755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489]
RFC_6238_APPENDIX_B = [  # the rows for SHA-1
    (59, "94287082"),
    (1_111_111_109, "07081804"),
    (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
]
VALUE = RFC_6238_APPENDIX_B[0][1]
OTHER_DIGITS = {
    "full-width": "".join(chr(0xFF10 + int(digit)) for digit in VALUE),
    "mathematical bold": "".join(chr(0x1D7CE + int(digit)) for digit in VALUE),
    "superscript": "\u2079\u2074\u00b2\u2078\u2077\u2070\u2078\u00b2",
    "circled": "\u2468\u2463\u2461\u2467\u2466\u24ea\u2467\u2461",
    "one of them full-width": VALUE[:-1] + "\uff12",
}


@pytest.mark.parametrize("count", range(10))
def test_rfc_4226_appendix_d(count: int) -> None:
    assert pyotp.HOTP(SECRET, digits=6).at(count) == f"{RFC_4226_APPENDIX_D[count]:06}"


@pytest.mark.parametrize(("at", "value"), RFC_6238_APPENDIX_B)
def test_rfc_6238_appendix_b(at: int, value: str) -> None:
    totp = pyotp.TOTP(SECRET, digits=8)
    assert totp.at(at) == value
    assert totp.verify(value, for_time=at)
    assert not totp.verify(value, for_time=at + 30)


@pytest.mark.parametrize("value", OTHER_DIGITS.values(), ids=OTHER_DIGITS)
def test_digits_that_are_not_ascii_must_be_refused_before_the_library_which_accepts_them(value: str) -> None:
    assert pyotp.TOTP(SECRET, digits=8).verify(value, for_time=59)
    assert not re.fullmatch(r"[0-9]{8}", value)


def test_the_usual_ways_to_ask_for_digits_are_no_check() -> None:
    assert OTHER_DIGITS["full-width"].isdigit()
    assert re.fullmatch(r"\d{8}", OTHER_DIGITS["full-width"])
    assert OTHER_DIGITS["superscript"].isdigit()
