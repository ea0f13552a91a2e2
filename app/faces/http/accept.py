"""What a caller would like the answer to be: the `Accept` header (RFC 9110 section 12.5.1)."""

import re
from collections.abc import Sequence

_LONGEST = 1024
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The media type of those offered that `accept` likes best; the first one where it likes none, or all alike."""
    ranges = [_parsed(each) for each in accept[:_LONGEST].lower().split(",")]
    ranks = [(_rank(media_type, ranges), -place, media_type) for place, media_type in enumerate(offered)]
    return max(ranks)[2]


def _rank(media_type: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int, int]:
    """How well it is liked: the quality, how closely the range that gives it fits, and how early that range comes."""
    fitting = ("*/*", media_type.partition("/")[0] + "/*", media_type)
    found = [
        (fitting.index(media_range), -place, quality)
        for place, (media_range, quality) in enumerate(ranges)
        if media_range in fitting
    ]
    closeness, earliness, quality = max(found, default=(0, 0, 0.0))
    return (quality, closeness, earliness) if quality > 0 else (0.0, 0, 0)


def _parsed(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip() for part in text.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            return media_range, float(parameter[2:]) if _QUALITY.fullmatch(parameter, 2) else 0.0
    return media_range, 1.0
