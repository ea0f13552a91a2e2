"""The vectors of `short` and `code`."""

import base64
import hmac

from tests.vectors.parts import TENANT, VERSION, Json, as_entries, dumps

PEPPERS = [(2, bytes(range(32, 64))), (1, bytes(range(32)))]


def peppers() -> list[Json]:
    return [{"version": version, "secret": secret.hex()} for version, secret in PEPPERS]


def hashes(content: list[object]) -> list[str]:
    return [hmac.digest(secret, dumps(content), "sha256").hex() for _, secret in PEPPERS]


def short_text(secret: bytes) -> str:
    return "GP0" + base64.b32encode(secret).decode().rstrip("=")


def short() -> Json:
    secret = bytes.fromhex("0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    text = short_text(secret)

    def entry(name: str, secret: bytes, before: str = "", after: str = "") -> Json:
        expected = {"secret": secret.hex(), "hashes": hashes(["GP0", TENANT, secret])}
        return {"name": name, "text": before + short_text(secret) + after, **expected}

    bad = [
        ("unrecognised", text.lower(), "lower case"),
        ("unrecognised", "gp0" + text[3:], "the prefix in lower case"),
        ("unrecognised", text[3:], "no prefix"),
        ("unrecognised", "GPO" + text[3:], "the letter O in the prefix"),
        ("malformed", "GP0", "nothing behind the prefix"),
        ("malformed", "GP0" + text[3:].lower(), "lower case behind the prefix"),
        ("malformed", text[:-1], "25 characters"),
        ("malformed", text + "A", "27 characters"),
        ("malformed", text + "======", "padding"),
        ("malformed", text[:-1] + "B", "the two bits that are left over are 01 (they are 00 in A, its last character)"),
        ("malformed", text[:-1] + "C", "the two bits that are left over are 10"),
        ("malformed", text[:-1] + "D", "the two bits that are left over are 11"),
        ("malformed", text[:10] + "0" + text[11:], "the digit 0, which base32 has not"),
        ("malformed", text[:10] + "1" + text[11:], "the digit 1, which base32 has not"),
        ("malformed", text[:10] + "8" + text[11:], "the digit 8, which base32 has not"),
        ("malformed", text[:10] + "9" + text[11:], "the digit 9, which base32 has not"),
        ("malformed", "GP0:" + text[3:], "a colon behind the prefix"),
        ("malformed", text[:10] + " " + text[11:], "a space in it"),
        ("malformed", text[:10] + "-" + text[10:], "a hyphen in it"),
        ("malformed", text[:10] + "\u0410" + text[11:], "a Cyrillic letter that looks like A"),
        ("malformed", text[:10] + "\uff21" + text[11:], "a full-width letter"),
        ("malformed", text[:10] + "\x00" + text[11:], "a NUL in it"),
        ("malformed", text + text, "twice in one text"),
    ]
    return {
        "format": "short",
        "version": VERSION,
        "how_to_run": [
            "Open each `text` as docs/tokens.md says, for the tenant and with the peppers given here, newest first.",
            "Each of `good` gives its `hashes`, one for each pepper in their order: what the store is asked for.",
            "Each of `bad` is refused with its `reason`; `wrong` says what is wrong with it.",
        ],
        "peppers": peppers(),
        "tenant": TENANT,
        "good": [
            entry("a token", secret),
            entry("zeros", bytes(16)),
            entry("ones", b"\xff" * 16),
            entry("with an Enter behind it", secret, after="\r\n"),
            entry("with an ECI mark before it", secret, before="\\000026"),
        ],
        "bad": as_entries(bad),
    }


DAMM = [
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
]


def code_text(number: int, draw: int) -> str:
    digits, interim = f"{number}{draw:07}", 0
    for digit in digits:
        interim = int(DAMM[interim][int(digit)])
    return digits + str(interim)


def code() -> Json:
    text = code_text(1042, 8392017)

    def entry(name: str, number: int, draw: int, text: str | None = None) -> Json:
        plain = code_text(number, draw)
        expected = {"number": number, "hashes": hashes(["code", TENANT, number, plain[-8:]])}
        return {"name": name, "text": text or plain, **expected}

    def in_groups(text: str, space: str = " ") -> str:
        return space.join((text[:-8], text[-8:-4], text[-4:]))

    def in_digits_from(zero: int) -> str:
        return "".join(chr(zero + int(digit)) for digit in text)

    wrong_check = text[:-1] + str((int(text[-1]) + 1) % 10)
    swapped = text[:4] + text[5] + text[4] + text[6:]
    leading_zero = code_text(0, 0)[:-8].rjust(4, "0") + code_text(0, 1234567)[1:]
    bad = [
        ("malformed", wrong_check, "a wrong check digit"),
        ("malformed", in_groups(wrong_check), "a wrong check digit, in groups"),
        ("malformed", swapped, "two neighbours swapped"),
        ("malformed", "0" + text, "a 0 before it, though the check digit is still right"),
        ("malformed", leading_zero, "the number 0000"),
        ("unrecognised", text[1:], "11 digits"),
        ("unrecognised", "1" * 21, "21 digits"),
        ("unrecognised", text[:6] + " " + text[6:], "two groups of six"),
        ("unrecognised", " ".join(text[place : place + 3] for place in range(0, 12, 3)), "groups of three"),
        ("unrecognised", text[:4] + " " + text[4:], "one space only"),
        ("unrecognised", in_groups(text, "  "), "two spaces between the groups"),
        ("unrecognised", in_groups(text, "-"), "hyphens between the groups"),
        ("unrecognised", in_groups(text, "\t"), "tabs between the groups"),
        ("unrecognised", in_groups(text, "\u00a0"), "no-break spaces between the groups"),
        ("unrecognised", in_groups(text, "\n"), "line feeds between the groups"),
        ("unrecognised", in_digits_from(0xFF10), "full-width digits"),
        ("unrecognised", in_digits_from(0x0660), "Arabic-Indic digits"),
        ("unrecognised", in_digits_from(0x1D7CE), "mathematical bold digits"),
        ("unrecognised", text[:-1] + "\uff14", "one full-width digit"),
        ("unrecognised", text[:-1] + "\u00b2", "one superscript digit"),
        ("unrecognised", text[:-1] + "\u2461", "one circled digit"),
        ("unrecognised", text[:-1] + "O", "a letter O"),
        ("unrecognised", "+" + text, "a sign before it"),
        ("unrecognised", text + ".0", "a decimal point"),
        ("unrecognised", "0x" + text, "as if hexadecimal"),
        ("unrecognised", text[:6] + "\x00" + text[6:], "a NUL in it"),
        ("unrecognised", text[:6] + "_" + text[6:], "an underscore, which some languages allow in numbers"),
    ]
    return {
        "format": "code",
        "version": VERSION,
        "how_to_run": [
            "Open each `text` as docs/tokens.md says, for the tenant and with the peppers given here, newest first.",
            "Each of `good` gives the holder's `number` and its `hashes`, one for each pepper in their order.",
            "Each of `bad` is refused with its `reason`; `wrong` says what is wrong with it.",
        ],
        "peppers": peppers(),
        "tenant": TENANT,
        "good": [
            entry("a code", 1042, 8392017),
            entry("the same in groups", 1042, 8392017, in_groups(text)),
            entry("with an Enter behind it", 1042, 8392017, in_groups(text) + "\r\n"),
            entry("with spaces around it", 1042, 8392017, "  " + text + " "),
            entry("with an ECI mark before it", 1042, 8392017, "\\000026" + text),
            entry("zeros drawn, for the first number", 1000, 0),
            entry("nines drawn", 1000, 9_999_999),
            entry("a number of five digits", 10_427, 52),
            entry("a number of five digits, in groups", 10_427, 52, in_groups(code_text(10_427, 52))),
            entry("a number of twelve digits", 999_999_999_999, 1234567),
        ],
        "bad": as_entries(bad),
    }
