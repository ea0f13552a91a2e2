"""The counts of entries on a limited pass, as the JSON that its row holds: {zone: [total, day, on_day, last_at]}.

They stand in the row of the pass, which is read with its token anyway and held while its entries change.
"""

import json
from collections.abc import Mapping

from app.core.model import CountKey, EntryCount


def counts_text(counts: Mapping[CountKey, EntryCount]) -> str:
    """The counts of one pass as they are stored. Written by hand, at every gate: ids of zones need no escape."""
    return "{" + ",".join(f'"{key.zone}":{[*count]}' for key, count in counts.items()) + "}"


def counts_of(pass_: bytes, text: str | None) -> dict[CountKey, EntryCount]:
    """What `counts_text` wrote for the pass."""
    if text is None:
        return {}
    return {CountKey(pass_, zone): EntryCount(*count) for zone, count in json.loads(text).items()}
