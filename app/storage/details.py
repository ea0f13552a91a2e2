"""What few answers have beside the columns of their record, as JSON."""

import json
from typing import Any, NamedTuple

from .attempt import Override


class Details(NamedTuple):
    """See `Settled`. An ordinary answer has none of these."""

    people_left: int = 0
    not_before: int | None = None
    override: Override | None = None

    def packed(self) -> str | None:
        """As it is stored."""
        return json.dumps(self._asdict()) if self != _NONE else None


_NONE = Details()


def unpacked_details(text: str | None) -> Details:
    """What `Details.packed` packed."""
    if text is None:
        return _NONE
    values: dict[str, Any] = json.loads(text)
    override = values["override"]
    return Details(values["people_left"], values["not_before"], None if override is None else Override(*override))
