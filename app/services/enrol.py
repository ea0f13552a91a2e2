"""Enrolling, as clients know it from face recognition: what they call a subject becomes a holder with a pass.

A client sends pictures of faces with it. They are dropped before they reach here, undecoded; what is kept is who was
enrolled and the id that was answered. The pass is made from the connection's `grants`, once for all of its collections,
and revoked when the client has deleted the subject from the last of them.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, TypeVar

from app.core.model import PassStatus
from app.storage.records import EnrolmentRecord, SubjectRecord
from app.storage.repositories.enrolments import EnrolmentFilter, SubjectFilter
from app.storage.transaction import Transaction

from .connected import Connection
from .connections import granted
from .context import Context
from .holders import is_ref
from .mistakes import Clash, Invalid, NotFound
from .passes import add_pass

LONGEST_NAME = 255
"""Of a collection or a person, in characters."""

LONGEST_LABEL = 4096

_AT_ONCE = 500
_DELETED = "deleted by the client that enrolled the holder"

Result = TypeVar("Result")


class Enrolling(NamedTuple):
    """Somebody to enrol in a collection. `ref` None: the client will say later who it is (`assign`).

    `lasting`: stays when the last enrolment goes. `id` is one that the client was told before; else one is made.
    """

    collection: str
    ref: str | None
    name: str | None = None
    label: str | None = None
    lasting: bool = False
    id: bytes | None = None


async def enrol(app: Context, connection: Connection, wish: Enrolling) -> EnrolmentRecord:
    """Enrol somebody; who is new becomes a holder with a pass.

    Raises `NotFound` where there is no such collection, `Clash` where the id is taken, `Invalid` for a ref, a name or
    a label that cannot be.
    """
    if wish.label is not None and len(wish.label) > LONGEST_LABEL:
        raise Invalid("label", f"A label has at most {LONGEST_LABEL} characters.")

    def work(tx: Transaction) -> EnrolmentRecord:
        subject = None
        if wish.ref is None:
            _check_collection(tx, connection, wish.collection)
        else:
            subject = _subject(app, tx, connection, wish.collection, wish.ref, name=wish.name, lasting=wish.lasting)
        enrolment = EnrolmentRecord(
            id=wish.id or app.new_id(),
            collection=wish.collection,
            holder=subject and subject.holder,
            ref=wish.ref,
            label=wish.label,
            created_at=app.clock.now(),
        )
        if not tx.enrolments.add(connection.tenant, connection.id, enrolment):
            raise Clash("enrolment_exists", "There is an enrolment with that id.")
        return enrolment

    return await _write(app, connection, work)


async def add_subject(
    app: Context, connection: Connection, collection: str, ref: str, *, name: str | None = None
) -> SubjectRecord:
    """Make a subject that stays without enrolments.

    Raises `NotFound` where there is no such collection, `Clash` where there is such a subject.
    """

    def work(tx: Transaction) -> SubjectRecord:
        there = tx.enrolments.subjects(connection.tenant, connection.id, SubjectFilter(collection, {ref}))
        if there and there[0].lasting:
            raise Clash("subject_exists", "There is a subject of that name.")
        return _subject(app, tx, connection, collection, ref, name=name, lasting=True)

    return await _write(app, connection, work)


async def name_subject(app: Context, connection: Connection, ref: str, name: str) -> None:
    """Write down another name for the holder. Raises `NotFound`, and `Invalid` for a name that cannot be."""

    def work(tx: Transaction) -> None:
        _check_name("name", name)
        found = tx.enrolments.subjects(connection.tenant, connection.id, SubjectFilter(refs={ref}))
        if not found:
            raise NotFound("subject")
        _name(tx, connection.tenant, found[0].holder, name, found[0].name)

    await _write(app, connection, work)


async def rename_subject(app: Context, connection: Connection, collection: str, old: str, new: str) -> None:
    """Give a subject another name. Where there is a holder of that name, the two become one. Raises `NotFound`.

    The holder gets the new ref, unless they are known by the old one elsewhere too: to another connection, or by a pass
    that was made otherwise. Then the enrolments go to a holder of the new name, and the pass made here with them.
    """

    def work(tx: Transaction) -> None:
        tenant, id_ = connection.tenant, connection.id
        subject = _the_subject(tx, connection, collection, old)
        if new == old:
            return
        tx.tenants.hold(tenant)  # nobody else takes the name, or makes the holder known elsewhere, meanwhile
        taken = not is_ref(new) or tx.holders.by_ref(tenant, new) is not None
        if not taken and not _known_elsewhere(tx, connection, subject):
            tx.holders.rename(tenant, subject.holder, new)
            return
        name = None if taken else subject.name
        other = _subject(app, tx, connection, collection, new, name=name, lasting=subject.lasting)
        tx.enrolments.assign(tenant, id_, EnrolmentFilter(collection, subject.holder), other.holder)
        _delete(app, tx, connection, [subject])

    await _write(app, connection, work)


async def assign(
    app: Context, connection: Connection, collection: str | None, ids: Collection[bytes], ref: str
) -> list[EnrolmentRecord]:
    """Say whose these enrolments are; those that there are. Whom nothing is left of goes, as `delete_enrolments` says.

    The ref becomes a holder with a pass in each of the collections.
    """

    def work(tx: Transaction) -> list[EnrolmentRecord]:
        wanted = EnrolmentFilter(collection, ids=ids)
        found = tx.enrolments.page(connection.tenant, connection.id, wanted)
        for each in found:
            subject = _subject(app, tx, connection, each.collection, ref, name=None, lasting=False)
            tx.enrolments.assign(connection.tenant, connection.id, EnrolmentFilter(ids=(each.id,)), subject.holder)
        _drop_if_empty(app, tx, connection, found)
        return tx.enrolments.page(connection.tenant, connection.id, wanted)

    return await _write(app, connection, work)


async def subjects(app: Context, connection: Connection, wanted: SubjectFilter, limit: int = -1) -> list[SubjectRecord]:
    """The subjects of the connection, by ref."""
    return await app.store.read(lambda tx: tx.enrolments.subjects(connection.tenant, connection.id, wanted, limit))


async def delete_subjects(app: Context, connection: Connection, wanted: SubjectFilter) -> list[SubjectRecord]:
    """Take subjects and their enrolments away; those that there were.

    The pass that was made for a holder is revoked with the last of them.
    """

    def work(tx: Transaction) -> list[SubjectRecord]:
        found = tx.enrolments.subjects(connection.tenant, connection.id, wanted)
        _delete(app, tx, connection, found)
        return found

    return await _write(app, connection, work)


async def enrolments(
    app: Context, connection: Connection, wanted: EnrolmentFilter, limit: int = -1, *, skip: int = 0
) -> list[EnrolmentRecord]:
    """The enrolments of the connection, oldest first."""
    return await app.store.read(
        lambda tx: tx.enrolments.page(connection.tenant, connection.id, wanted, limit, skip=skip)
    )


async def count_enrolments(app: Context, connection: Connection, wanted: EnrolmentFilter) -> int:
    """How many there are."""
    return await app.store.read(lambda tx: tx.enrolments.count(connection.tenant, connection.id, wanted))


async def delete_enrolments(app: Context, connection: Connection, wanted: EnrolmentFilter) -> list[EnrolmentRecord]:
    """Take enrolments away; those that there were. A subject with none left goes too, unless it is `lasting`."""

    def work(tx: Transaction) -> list[EnrolmentRecord]:
        found = tx.enrolments.page(connection.tenant, connection.id, wanted)
        tx.enrolments.delete(connection.tenant, connection.id, wanted)
        _drop_if_empty(app, tx, connection, found)
        return found

    return await _write(app, connection, work)


async def add_collection(app: Context, connection: Connection, name: str) -> None:
    """Make a collection. Raises `Clash` where there is one of that name, `Invalid` for a name that cannot be."""
    _check_name("collection", name)
    now = app.clock.now()

    def work(tx: Transaction) -> None:
        if not tx.enrolments.add_collection(connection.tenant, connection.id, name, now):
            raise Clash("collection_exists", "There is a collection of that name.")

    await _write(app, connection, work)


async def collections(app: Context, connection: Connection) -> list[str]:
    """The names of the connection's collections."""
    return await app.store.read(lambda tx: tx.enrolments.collections(connection.tenant, connection.id))


class CollectionSize(NamedTuple):
    """What is in a collection, and when it was made (microseconds UTC). Subjects are those made by themselves."""

    created_at: int
    enrolments: int
    subjects: int


async def collection(app: Context, connection: Connection, name: str) -> CollectionSize:
    """What is in it. Raises `NotFound`."""

    def work(tx: Transaction) -> CollectionSize:
        tenant, id_ = connection.tenant, connection.id
        return CollectionSize(
            _check_collection(tx, connection, name),
            tx.enrolments.count(tenant, id_, EnrolmentFilter(name)),
            tx.enrolments.count_subjects(tenant, id_, name),
        )

    return await app.store.read(work)


async def delete_collection(app: Context, connection: Connection, name: str) -> None:
    """Take a collection away with all that is in it. Raises `NotFound`."""

    def work(tx: Transaction) -> None:
        _check_collection(tx, connection, name)
        _delete(app, tx, connection, tx.enrolments.subjects(connection.tenant, connection.id, SubjectFilter(name)))
        tx.enrolments.delete(connection.tenant, connection.id, EnrolmentFilter(name))
        tx.enrolments.delete_collection(connection.tenant, connection.id, name)

    await _write(app, connection, work)


async def _write(app: Context, connection: Connection, work: Callable[[Transaction], Result]) -> Result:
    """Do the work while nobody else enrols or deletes at the connection, so that what it looks up stays so."""

    def alone(tx: Transaction) -> Result:
        tx.connections.hold(connection.tenant, connection.id)
        return work(tx)

    return await app.store.write(alone)


def _subject(
    app: Context,
    tx: Transaction,
    connection: Connection,
    collection: str,
    ref: str,
    *,
    name: str | None,
    lasting: bool,
) -> SubjectRecord:
    """The subject of that name in the collection; made, with holder and pass, where there is none."""
    tenant, id_ = connection.tenant, connection.id
    if not is_ref(ref):
        raise Invalid("subject", "A subject has 1 to 128 characters, none of them a control character.")
    _check_name("name", name or "")
    _check_collection(tx, connection, collection)
    theirs = tx.enrolments.subjects(tenant, id_, SubjectFilter(refs={ref}))
    for subject in theirs:
        if subject.collection == collection:
            if lasting and not subject.lasting:
                tx.enrolments.make_lasting(tenant, id_, collection, subject.holder)
            _name(tx, tenant, subject.holder, name, subject.name)
            return subject._replace(lasting=lasting or subject.lasting)
    if theirs:
        holder, pass_ = theirs[0].holder, theirs[0].pass_
    else:
        made = add_pass(app, tx, tenant, granted(connection.grants, ref))
        holder, pass_ = made.holder, made.id
    _name(tx, tenant, holder, name, theirs[0].name if theirs else None)
    subject = SubjectRecord(collection, holder, ref, name, pass_, lasting, app.clock.now())
    tx.enrolments.add_subject(tenant, id_, subject)
    return subject


def _name(tx: Transaction, tenant: str, holder: bytes, name: str | None, before: str | None) -> None:
    if name and name != before:
        tx.holders.name(tenant, holder, name)


def _check_name(field: str, text: str) -> None:
    if len(text) > LONGEST_NAME or any(ord(each) < 32 or ord(each) == 127 for each in text):
        raise Invalid(field, f"It has at most {LONGEST_NAME} characters, none of them a control character.")


def _the_subject(tx: Transaction, connection: Connection, collection: str, ref: str) -> SubjectRecord:
    found = tx.enrolments.subjects(connection.tenant, connection.id, SubjectFilter(collection, {ref}))
    if not found:
        raise NotFound("subject")
    return found[0]


def _check_collection(tx: Transaction, connection: Connection, name: str) -> int:
    """When the collection was made. Raises `NotFound`."""
    made_at = tx.enrolments.collection(connection.tenant, connection.id, name)
    if made_at is None:
        raise NotFound("collection")
    return made_at


def _known_elsewhere(tx: Transaction, connection: Connection, subject: SubjectRecord) -> bool:
    passes = tx.passes.page(connection.tenant, None, _AT_ONCE, holder=subject.holder)
    others = [each for each in passes if each.id != subject.pass_ and each.status != PassStatus.REVOKED]
    return bool(others) or tx.enrolments.known_elsewhere(connection.tenant, connection.id, subject.holder)


def _drop_if_empty(app: Context, tx: Transaction, connection: Connection, moved: Sequence[EnrolmentRecord]) -> None:
    """Take those subjects away of whom no enrolment is left, but the lasting ones."""
    empty: list[SubjectRecord] = []
    for collection in {each.collection for each in moved}:
        holders = {each.holder for each in moved if each.collection == collection and each.holder is not None}
        for some in _some(holders):
            wanted = SubjectFilter(collection, holders=some, lasting=False, empty=True)
            empty += tx.enrolments.subjects(connection.tenant, connection.id, wanted)
    _delete(app, tx, connection, empty)


def _delete(app: Context, tx: Transaction, connection: Connection, going: Sequence[SubjectRecord]) -> None:
    """Take subjects away with their enrolments, and revoke the passes that are for no collection any more.

    Passes are held in the order in which a batch of attempts holds them.
    """
    tenant, id_ = connection.tenant, connection.id
    for collection in {each.collection for each in going}:
        for some in _some({each.holder for each in going if each.collection == collection}):
            tx.enrolments.delete_subjects(tenant, id_, collection, some)
    gone = {each.pass_ for each in going}
    for some in _some({each.holder for each in going}):
        gone -= {each.pass_ for each in tx.enrolments.subjects(tenant, id_, SubjectFilter(holders=some))}
    for some in _some(gone):
        tx.passes.revoke(tenant, some, app.clock.now(), _DELETED)


def _some(ids: Collection[bytes]) -> Iterator[Sequence[bytes]]:
    """As many of them at a time as a statement takes, in order."""
    in_order = sorted(ids)
    for start in range(0, len(in_order), _AT_ONCE):
        yield in_order[start : start + _AT_ONCE]
