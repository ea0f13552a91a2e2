"""Whose code a camera sees: identify, verify and compare, as clients know them from face recognition.

A client sends what its camera sees, and asks who that is. Here that is an attempt at the connection's gate, settled
like any other (`verify.py`): who is admitted is named, who is refused is nobody. `look` only finds the codes;
`admitted`, `identify` and `compare` settle the one that counts. Nothing else does.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from app.core.decision import UNAVAILABLE, Outcome
from app.core.model import Presented
from app.core.rule import LEEWAY, never
from app.core.rules import RULES
from app.effects.read_pictures import Box, Code, PictureRefused
from app.storage.attempt import Settled
from app.storage.failures import Unavailable
from app.storage.records import SubjectRecord
from app.storage.repositories.tokens import OwnedToken
from app.storage.transaction import Transaction

from .connected import Connection
from .context import Context
from .lately import Call, Shown
from .mistakes import Mistake
from .sight import genuine, opened, refused_as, the_one
from .verify import Presentation, settle

_REFUSED = frozenset(rule.code for rule in RULES if rule.flags is never)
"""Flags of somebody who goes out, where nobody is held back, with a token that was refused."""


class NoCode(Mistake):
    """There is no code in the picture: what a camera sees while nobody is there.

    `size` is the picture's width and height in pixels; None where it could not be read in time.
    """

    code = "no_code"

    def __init__(self, size: tuple[int, int] | None = None) -> None:
        super().__init__("There is no code in the picture.")
        self.size = size


class Sight(NamedTuple):
    """A picture's size in pixels, the codes in it, the largest first, and what each presents."""

    width: int
    height: int
    codes: tuple[Code, ...]
    shown: Mapping[str, Presented]


class Person(NamedTuple):
    """A holder, as a client's connection knows them: in those of its collections where it enrolled them."""

    holder: bytes
    subjects: tuple[SubjectRecord, ...]

    def is_among(self, *collections: str) -> bool:
        """Whether the client should find them there: whom it enrolled in others only, it should not.

        Whom it never enrolled, a visitor with a pass made elsewhere, it finds in all.
        """
        return not self.subjects or any(subject.collection in collections for subject in self.subjects)


class Admitted(NamedTuple):
    """Who was admitted, and the code that showed it. `ref` is the holder's, `name` their name if there is one."""

    code: Code
    ref: str
    name: str | None
    settled: Settled


class Identified(NamedTuple):
    """Who was admitted, as the client's connection knows them.

    In a comparison, `matched` are the codes of the other picture that are theirs, and `code` may be in either.
    """

    code: Code
    ref: str
    name: str | None
    settled: Settled
    person: Person
    matched: tuple[Code, ...] = ()


Wanted = Callable[[Person], bool]
"""Whom a client asks for: anybody else is not named, and nothing of theirs is used."""


async def look(app: Context, connection: Connection, picture: bytes) -> Sight:
    """The codes in a picture; nothing is settled. Raises `NoCode`, `UnreadablePicture`, `TooManyPictures`."""
    try:
        seen = await app.pictures.codes(picture)
    except PictureRefused as refused:
        raise refused_as(refused) or NoCode() from None
    if not seen.codes:
        raise NoCode((seen.width, seen.height))
    largest_first = sorted(seen.codes, key=lambda code: -_area(code.box))
    shown = opened(app, connection.tenant, [code.text for code in largest_first])
    return Sight(seen.width, seen.height, tuple(largest_first), shown)


async def admitted(app: Context, connection: Connection, sight: Sight) -> Admitted | None:
    """Who shows a code and is admitted at the connection's gate, whoever that is; None for nobody.

    Codes of several holders are nobody's. Of a single code it need not be known whose it is: nothing is looked up.
    """
    known = {} if len(sight.shown) == 1 else (await _known(app, connection, sight.shown))[0]
    if known is None:
        return None  # nobody could be named, so nothing is used
    text, presented = the_one(sight.shown, known)
    return _named(sight, text, await _settle(app, connection, text, presented))


async def identify(
    app: Context,
    connection: Connection,
    sight: Sight,
    *,
    wanted: Wanted,
    code: Code | None = None,
    call_id: str | None = None,
) -> Identified | None:
    """Who shows a code, is `wanted`, and is admitted at the connection's gate; None for nobody.

    Codes of several holders are nobody's. A code of somebody who is not wanted is left as it was. Where one `code` of
    the picture is asked for, nothing is used unless it is a token, and the one that counts.

    `call_id` is the client's own id of the call: under it who was admitted is named again for a minute, if the client
    calls again for want of an answer; unless the token was taken back, or its pass.
    """
    known, people = await _known(app, connection, sight.shown)
    if known is None:
        return None  # nobody could be named, so nothing is used
    text, presented = the_one(sight.shown, known)
    owner = known.get(text)
    if code is not None and (owner is None or text != code.text):
        return None
    if owner is not None and not wanted(people[owner.holder]):
        return None
    repeats = None if owner is None or owner.refused else call_id
    found = _named(sight, text, await _settle(app, connection, text, presented, repeats))
    return Identified(*found, people[owner.holder]) if found and owner else None


async def compare(
    app: Context, connection: Connection, one: Sight, other: Sight, *, call_id: str | None = None
) -> Identified | None:
    """Who shows a code in both pictures and is admitted; None where they are not the same, or refused.

    `call_id`: see `identify`.

    One of the tokens is the live one, and it alone is settled: one that is good once rather than a reusable badge, and
    of several the one issued last. What the other picture shows may be the same token again. Else it vouches only if it
    has not expired and was not taken back, and its pass neither. Where the gate holds nobody back a live token is asked
    for all the same.
    """
    known, people = await _known(app, connection, {**one.shown, **other.shown})
    if not known or len({each.holder for each in known.values()}) > 1:
        return None
    if not all(any(code.text in known for code in sight.codes) for sight in (one, other)):
        return None
    now = app.clock.now()
    if any(each.refused or each.expires_at + LEEWAY < now for each in known.values()):
        return None
    live = max(known, key=lambda text: (not known[text].reusable, known[text].issued_at, text in other.shown))
    sight = other if live in other.shown else one
    settled = await _settle(app, connection, live, sight.shown[live], call_id)
    if settled is None or not _REFUSED.isdisjoint(settled.flags):
        return None
    found = _named(sight, live, settled)
    matched = tuple(code for code in other.codes if code.text in known)
    return Identified(*found, people[known[live].holder], matched) if found else None


async def _settle(
    app: Context, connection: Connection, text: str, presented: Presented, call_id: str | None = None
) -> Settled | None:
    """What was decided of the token, or was a moment ago; None where nobody is to be named."""
    digest = hashlib.sha256(text.encode()).digest()
    shown = Shown(connection.id, digest)
    if shown in app.lately.refusals:
        return None
    presentation = Presentation(connection.gate, token=text)
    work = partial(settle, app, connection.caller, presentation, presented, text)
    if call_id is None:
        settled = await work()
    else:
        settled = await app.lately.once(Call(connection.id, f"{call_id} {digest.hex()}"), work, _admits)
    if settled.outcome is Outcome.DENY and settled.reason != UNAVAILABLE:
        app.lately.refusals[shown] = None
    return settled if _admits(settled) else None


def _admits(settled: Settled) -> bool:
    return settled.outcome is Outcome.ADMIT


def _named(sight: Sight, text: str, settled: Settled | None) -> Admitted | None:
    if settled is None or settled.ref is None:
        return None
    code = next(code for code in sight.codes if code.text == text)
    return Admitted(code, settled.ref, settled.name, settled)


async def _known(
    app: Context, connection: Connection, shown: Mapping[str, Presented]
) -> tuple[Mapping[str, OwnedToken] | None, Mapping[bytes, Person]]:
    """Which of the texts are stored tokens, and whose; None where the database does not answer."""

    def work(tx: Transaction) -> tuple[Mapping[str, OwnedToken], Mapping[bytes, Person]]:
        known = genuine(tx, connection.tenant, shown)
        holders = {each.holder for each in known.values()}
        subjects = tx.enrolments.subjects_of(connection.tenant, connection.id, holders)
        people = {
            holder: Person(holder, tuple(subject for subject in subjects if subject.holder == holder))
            for holder in holders
        }
        return known, people

    try:
        return await app.store.read(work)
    except Unavailable:
        return None, {}


def _area(box: Box) -> int:
    return (box.right - box.left) * (box.bottom - box.top)
