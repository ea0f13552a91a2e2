"""Whom a connection enrolled: collections, the subjects in them, and the ids that each enrolment was answered."""

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, select

from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.records import EnrolmentRecord, SubjectRecord
from app.storage.tables import collections, enrolments, holders, subjects

from .repository import Repository

_OF_HOLDER = {"ref": holders.c.ref, "name": holders.c.name}
_SUBJECT = tuple(_OF_HOLDER[name] if name in _OF_HOLDER else subjects.c[name] for name in SubjectRecord._fields)
_ENROLMENT = tuple(_OF_HOLDER[name] if name in _OF_HOLDER else enrolments.c[name] for name in EnrolmentRecord._fields)


class SubjectFilter(NamedTuple):
    """Which subjects; None asks for all. `after` is a ref. `empty` asks for those without enrolments."""

    collection: str | None = None
    refs: Collection[str] | None = None
    holders: Collection[bytes] | None = None
    lasting: bool | None = None
    after: str | None = None
    empty: bool = False


class EnrolmentFilter(NamedTuple):
    """Which enrolments; None asks for all. `after` is an id."""

    collection: str | None = None
    holder: bytes | None = None
    ids: Collection[bytes] | None = None
    after: bytes | None = None


class Enrolments(Repository):
    """All of it hangs on one connection, named by tenant and id in every call. A `limit` below 0 is none."""

    def add_collection(self, tenant: str, connection: bytes, name: str, at: int) -> bool:
        """Whether the name was free."""
        values = {"tenant": tenant, "connection": connection, "name": name, "created_at": at}
        return self._insert(collections, values)

    def collection(self, tenant: str, connection: bytes, name: str) -> int | None:
        """When the collection was made; None where there is none."""
        where = (*_of(collections, tenant, connection), collections.c.name == name)
        at: int | None = self._connection.scalar(select(collections.c.created_at).where(*where))
        return at

    def collections(self, tenant: str, connection: bytes) -> list[str]:
        """By name."""
        where = _of(collections, tenant, connection)
        return list(self._connection.scalars(select(collections.c.name).where(*where).order_by(collections.c.name)))

    def delete_collection(self, tenant: str, connection: bytes, name: str) -> bool:
        """Whether there was such a collection. What is in it has to be gone."""
        where = (*_of(collections, tenant, connection), collections.c.name == name)
        return bool(self._connection.execute(delete(collections).where(*where)).rowcount)

    def add_subject(self, tenant: str, connection: bytes, subject: SubjectRecord) -> bool:
        """Whether the holder was not in the collection."""
        values = {name: value for name, value in subject._asdict().items() if name not in _OF_HOLDER}
        return self._insert(subjects, values | {"tenant": tenant, "connection": connection})

    def subjects(self, tenant: str, connection: bytes, wanted: SubjectFilter, limit: int = -1) -> list[SubjectRecord]:
        """By ref."""
        statement = (
            select(*_SUBJECT)
            .join(holders, and_(holders.c.tenant == subjects.c.tenant, holders.c.id == subjects.c.holder))
            .where(*_subjects(tenant, connection, wanted))
            .order_by(holders.c.ref, subjects.c.collection)
        )
        if wanted.refs is not None:
            statement = statement.where(holders.c.ref.in_(wanted.refs))
        if wanted.after is not None:
            statement = statement.where(holders.c.ref > wanted.after)
        if limit >= 0:
            statement = statement.limit(limit)
        return [SubjectRecord(*row) for row in self._connection.execute(statement)]

    def subjects_of(self, tenant: str, connection: bytes, holders: Collection[bytes]) -> list[SubjectRecord]:
        """The subjects that these holders are, in any collection."""
        asked = [(tenant, connection, holder) for holder in holders]
        rows = _subjects_of(self._engine).rows(self._connection, asked)
        return [SubjectRecord._make((*row[:5], bool(row[5]), row[6])) for row in rows]

    def count_subjects(self, tenant: str, connection: bytes, collection: str) -> int:
        where = _subjects(tenant, connection, SubjectFilter(collection, lasting=True))
        return self._connection.scalar(select(func.count()).select_from(subjects).where(*where)) or 0

    def make_lasting(self, tenant: str, connection: bytes, collection: str, holder: bytes) -> None:
        """Have the subject stay when its last enrolment goes."""
        where = and_(*_subjects(tenant, connection, SubjectFilter(collection, holders=(holder,))))
        self._update(subjects, where, {"lasting": True})

    def delete_subjects(self, tenant: str, connection: bytes, collection: str, holders: Collection[bytes]) -> None:
        """Their enrolments go with them."""
        theirs = (*_enrolments(tenant, connection, EnrolmentFilter(collection)), enrolments.c.holder.in_(holders))
        self._connection.execute(delete(enrolments).where(*theirs))
        where = _subjects(tenant, connection, SubjectFilter(collection, holders=holders))
        self._connection.execute(delete(subjects).where(*where))

    def known_elsewhere(self, tenant: str, connection: bytes, holder: bytes) -> bool:
        """Whether another connection has the holder among its subjects."""
        where = (subjects.c.tenant == tenant, subjects.c.holder == holder, subjects.c.connection != connection)
        return self._connection.execute(select(subjects.c.holder).where(*where).limit(1)).first() is not None

    def add(self, tenant: str, connection: bytes, enrolment: EnrolmentRecord) -> bool:
        """Whether the id was free."""
        values = {name: value for name, value in enrolment._asdict().items() if name != "ref"}
        return self._insert(enrolments, values | {"tenant": tenant, "connection": connection})

    def page(
        self, tenant: str, connection: bytes, wanted: EnrolmentFilter, limit: int = -1, *, skip: int = 0
    ) -> list[EnrolmentRecord]:
        """Oldest first, but the first `skip`."""
        same = and_(holders.c.tenant == enrolments.c.tenant, holders.c.id == enrolments.c.holder)
        statement = select(*_ENROLMENT).outerjoin(holders, same).where(*_enrolments(tenant, connection, wanted))
        statement = statement.order_by(enrolments.c.id)
        if limit >= 0:
            statement = statement.limit(limit).offset(skip)
        return [EnrolmentRecord(*row) for row in self._connection.execute(statement)]

    def count(self, tenant: str, connection: bytes, wanted: EnrolmentFilter) -> int:
        where = _enrolments(tenant, connection, wanted)
        return self._connection.scalar(select(func.count()).select_from(enrolments).where(*where)) or 0

    def assign(self, tenant: str, connection: bytes, wanted: EnrolmentFilter, holder: bytes) -> None:
        """Have these enrolments be of that holder."""
        self._update(enrolments, and_(*_enrolments(tenant, connection, wanted)), {"holder": holder})

    def delete(self, tenant: str, connection: bytes, wanted: EnrolmentFilter) -> None:
        self._connection.execute(delete(enrolments).where(*_enrolments(tenant, connection, wanted)))


def _of(table: Table, tenant: str, connection: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.tenant == tenant, table.c.connection == connection


def _subjects(tenant: str, connection: bytes, wanted: SubjectFilter) -> list[ColumnElement[bool]]:
    where = [*_of(subjects, tenant, connection)]
    if wanted.collection is not None:
        where.append(subjects.c.collection == wanted.collection)
    if wanted.holders is not None:
        where.append(subjects.c.holder.in_(wanted.holders))
    if wanted.lasting is not None:
        where.append(subjects.c.lasting.is_(wanted.lasting))
    if wanted.empty:
        same = (enrolments.c[name] == subjects.c[name] for name in ("tenant", "connection", "collection", "holder"))
        where.append(~exists().where(*same))
    return where


def _enrolments(tenant: str, connection: bytes, wanted: EnrolmentFilter) -> list[ColumnElement[bool]]:
    where = [*_of(enrolments, tenant, connection)]
    if wanted.collection is not None:
        where.append(enrolments.c.collection == wanted.collection)
    if wanted.holder is not None:
        where.append(enrolments.c.holder == wanted.holder)
    if wanted.ids is not None:
        where.append(enrolments.c.id.in_(wanted.ids))
    if wanted.after is not None:
        where.append(enrolments.c.id > wanted.after)
    return where


@lru_cache
def _subjects_of(engine: Engine) -> BulkRead:
    """Compiled once: a camera asks for it at every look."""
    asked = incoming(subjects.c.tenant, subjects.c.connection, subjects.c.holder)
    same = and_(*(subjects.c[column.name] == column for column in asked.c))
    return BulkRead(
        engine,
        asked,
        select(*_SUBJECT)
        .select_from(asked)
        .join(subjects, same)
        .join(holders, and_(holders.c.tenant == subjects.c.tenant, holders.c.id == subjects.c.holder))
        .order_by(subjects.c.collection),
    )
