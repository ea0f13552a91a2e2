"""Lists, a page at a time."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

Record = TypeVar("Record")


class Page(NamedTuple, Generic[Record]):
    """Some records, and the key behind which the next page begins, None at the end."""

    items: Sequence[Record]
    next: Any | None


def page(read: Callable[[int], list[Record]], key: Callable[[Record], Any], limit: int) -> Page[Record]:
    """The page that `read` gives when asked for one record more than `limit`."""
    records = read(limit + 1)
    if len(records) <= limit:
        return Page(records, None)
    return Page(records[:limit], key(records[limit - 1]))
