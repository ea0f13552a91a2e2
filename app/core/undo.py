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
    undone: Mapping[str, int],
) -> tuple[Change, ...]:
    """The changes that take back what an admission changed.

    `inside` is where its holder is now, by zone, `people` how many there are in those zones, `counts` what stands now.
    `undone` is how many of the holder's party came into a zone (less those who left) by earlier admissions that were
    undone since: what stood before counts them still.
    """
    back: list[Change] = []
    for change in changed:
        if isinstance(change, CountLimited):
            stands = counts.get(change.count_key, EntryCount())
            back.append(CountLimited(change.count_key, stands, _uncounted(change, stands)))
        else:
            stood = inside.get(change.zone, OUTSIDE)
            after = _moved_back(change, stood, now, undone.get(change.zone, 0))
            back.append(Move(change.holder, change.zone, stood, after))
            if change.zone in people and after.people != stood.people:
                back.append(Occupy(change.zone, max(0, people[change.zone] + after.people - stood.people)))
    return tuple(back)


def _moved_back(change: Move, stands: Presence, now: int, undone: int) -> Presence:
    """Where they are without the change. Who was moved since is where the later move says.

    So no more come back inside than there ever were, and of those who entered again since one is inside at least.
    """
    before, after = change.before, change.after
    before = Presence(max(0, before.people - undone), before.since)
    if stands == after:
        return before
    most = max(before.people, stands.people)
    least = 1 if stands.people > 0 and stands.since > after.since else 0
    moved = after.people - change.before.people
    return Presence(max(least, min(most, stands.people - moved)), stands.since or now)


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
