"""Reading JSON that means one thing only (RFC 8259, narrowed as I-JSON, RFC 7493, narrows it).

Refused: another encoding than UTF-8, a byte-order mark, NaN and Infinity, the same key twice, lone surrogates, NUL in a
string, nesting deeper than 16, more than 20,000 commas outside of strings.
"""

import json
import re
from typing import Any, NoReturn

from .text import is_clean

MAX_DEPTH = 16
MAX_COMMAS = 20_000
"""More members than any call has, and few enough to be read at once by who serves others too."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # gives nothing back and needs no end: linear in any body


def read_json(body: bytes) -> Any:  # noqa: ANN401  what comes out is checked against a model
    """The value in `body`. Raises ValueError with a sentence that repeats nothing of it."""
    if body.count(b",") > MAX_COMMAS and _STRING.sub(b"", body).count(b",") > MAX_COMMAS:
        raise ValueError("The body has too many members.")
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8.") from None
    except json.JSONDecodeError:
        raise ValueError("The body is not JSON.") from None
    except RecursionError:
        raise ValueError(f"The body is nested deeper than {MAX_DEPTH}.") from None
    # Only an escape can make a NUL or a lone surrogate, and only many brackets can make depth: look further only then.
    if b"\\u" in body or body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _inspect(value, 1)
    return value


def _inspect(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"The body is nested deeper than {MAX_DEPTH}.")
    if isinstance(value, str):
        if not is_clean(value):
            raise ValueError("The body has a character that no text may have: NUL, or half of a surrogate pair.")
    elif isinstance(value, list):
        for each in value:
            _inspect(each, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            _inspect(key, depth)
            _inspect(each, depth + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("The body has the same key twice.")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("The body has a number that JSON does not have.")


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("The body has a number that is too long.")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError("The body has a number that is too large.")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer, parse_float=_float
)
