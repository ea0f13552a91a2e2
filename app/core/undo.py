"""Taking an admission back: the turnstile did not turn.

What stood before is put back, where nothing has happened since; otherwise only the difference is taken away. The use of
the token itself is voided by the store, which knows it by its verification.
"""

from collections.abc import Iterable, Mapping

from .changes import Change, CountLimited, Move, Occupy
from .crossing import OUTSIDE
from .model import MINUTE, CountKey, EntryCount, Presence

UNDO_WITHIN = 15 * MINUTE
"""How long an admission can be taken back."""


def undo(
    changed: Iterable[Move | CountLimited],
    *,
    now: int,
    inside: Mapping[str, Presence],
    people: Mapping[str, int],
    counts: Mapping[CountKey, EntryCount],
) -> tuple[Change, ...]:
    """The changes that take back what an admission changed.

    `inside` is where its holder is now, by zone, `people` how many there are in those zones, `counts` what stands now.
    """
    back: list[Change] = []
    for change in changed:
        if isinstance(change, CountLimited):
            stands = counts.get(change.count_key, EntryCount())
            back.append(CountLimited(change.count_key, stands, _uncounted(change, stands)))
        else:
            stood = inside.get(change.zone, OUTSIDE)
            after = _moved_back(change, stood, now)
            back.append(Move(change.holder, change.zone, stood, after))
            if change.zone in people and after.people != stood.people:
                back.append(Occupy(change.zone, max(0, people[change.zone] + after.people - stood.people)))
    return tuple(back)


def _moved_back(change: Move, stands: Presence, now: int) -> Presence:
    if stands == change.after:
        return change.before
    people = max(0, stands.people - (change.after.people - change.before.people))
    return Presence(people, stands.since or now)


def _uncounted(change: CountLimited, stands: EntryCount) -> EntryCount:
    before, after = change.before, change.after
    if stands == after:
        return before
    people = after.total - before.total
    return EntryCount(
        max(0, stands.total - people),
        stands.day,
        max(0, stands.on_day - people) if stands.day == after.day else stands.on_day,
        before.last_at if stands.last_at == after.last_at else stands.last_at,
    )
