"""Request ids: what makes a retry safe. The first answer is found before any rule is asked."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, TableClause, and_, select, update

from app.core.decision import UNDONE, Outcome

from .attempt import Attempt, Settled
from .bulk import BulkRead, BulkWrite, all_of, incoming
from .details import unpacked_details
from .engine import Engine
from .tables import holders, request_ids, undos, verifications


class RequestKey(NamedTuple):
    """Whose request id: it counts within a tenant and a line of rolled credentials."""

    tenant: str
    credential: bytes
    request_id: str


class FirstAnswer(NamedTuple):
    """What was asked under a request id, as a keyed hash, and what was answered."""

    content: bytes | None
    settled: Settled


def request_key(attempt: Attempt) -> RequestKey | None:
    """The key of an attempt that carries a request id."""
    if attempt.request_id is None:
        return None
    return RequestKey(attempt.tenant, attempt.credential, attempt.request_id)


def key_of(attempt: Attempt, answers: Mapping[RequestKey, FirstAnswer]) -> RequestKey | None:
    """Under which key the attempt's answer stands, or is to be kept.

    A device that got no answer decides without the network, under the same id. Where the service had refused, and the
    device lets in, both happened: the admission has a key of its own, which no caller can choose.
    """
    key = request_key(attempt)
    if key is None or attempt.reported is None or attempt.reported.outcome is Outcome.DENY:
        return key
    first = answers.get(key)
    refused = first is not None and first.settled.outcome is Outcome.DENY and first.settled.undone_at is None
    return _afterwards(key) if refused and first is not None and first.content == attempt.content else key


def _afterwards(key: RequestKey) -> RequestKey:
    return key._replace(request_id=key.request_id + "+")


class RequestIds:
    """Loads and keeps first answers, a batch at a time."""

    def __init__(self, engine: Engine) -> None:
        key = (request_ids.c.tenant, request_ids.c.credential, request_ids.c.request_id)
        asked = incoming(*key)
        same = and_(*(column == asked.c[column.key] for column in key))
        self._load = BulkRead(engine, asked, _first_answers(asked, same))
        self._replayed = BulkWrite(
            engine, asked, update(request_ids).values(replays=request_ids.c.replays + 1).where(same)
        )
        kept = incoming(
            *key, request_ids.c.verification, request_ids.c.content, request_ids.c.at, request_ids.c.replays
        )
        self._keep = BulkWrite(
            engine,
            kept,
            engine.insert(request_ids)
            .from_select([column.key for column in kept.c], all_of(kept))
            .on_conflict_do_nothing(),
        )

    def first_answers(self, connection: Connection, attempts: Sequence[Attempt]) -> dict[RequestKey, FirstAnswer]:
        """The first answers under those request ids that were used before."""
        keys = {key: None for attempt in attempts if (key := request_key(attempt)) is not None}
        reported = [request_key(attempt) for attempt in attempts if attempt.reported is not None]
        keys |= {_afterwards(key): None for key in reported if key is not None}
        found = {}
        for tenant, credential, request_id, content, *columns in self._load.rows(connection, list(keys)):
            key = RequestKey(tenant, credential, request_id)
            found[key] = FirstAnswer(content, _settled(key, columns))
        return found

    def keep(self, connection: Connection, first: Sequence[tuple[RequestKey, FirstAnswer, int]]) -> bool:
        """Keep first answers and when they were given. False where another process was first with one of them."""
        rows = sorted((*key, answer.settled.verification, answer.content, at, 0) for key, answer, at in first)
        return self._keep.write(connection, rows) == len(rows)

    def replayed(self, connection: Connection, keys: Sequence[RequestKey]) -> None:
        """A small write for each replay, so that its commit shows that what it answers from is durable."""
        self._replayed.write(connection, sorted(set(keys)))


def _settled(key: RequestKey, columns: Sequence[Any]) -> Settled:
    """The first answer; or, where it was an admission and was taken back, the refusal that it is since.

    A verification that was made under another id, or under none, was given again within a gate's repeat window.
    """
    id_, own, decision, reason, flags, gate, direction, kind, at, pass_, people, details, ref, name, undone_at = columns
    settled = Settled(
        verification=id_,
        outcome=Outcome(decision),
        reason=reason,
        flags=tuple(flags.split()),
        gate=gate,
        direction=direction,
        kind=kind,
        at=at,
        pass_=pass_,
        ref=ref,
        name=name,
        repeated=None if own == key.request_id else "window",
        request_id=key.request_id,
        people=people,
        **unpacked_details(details)._asdict(),
        credential=key.credential,
        undone_at=undone_at,
    )
    if undone_at is None:
        return settled
    return settled._replace(outcome=Outcome.DENY, reason=UNDONE, flags=(), people=0, people_left=0)


def _first_answers(asked: TableClause, same: ColumnElement[bool]) -> Select[Any]:
    v = verifications.c
    return (
        select(
            *(
                request_ids.c.tenant,
                request_ids.c.credential,
                request_ids.c.request_id,
                request_ids.c.content,
            ),
            *(
                v.id,
                v.request_id,
                v.decision,
                v.reason,
                v.flags,
                v.gate,
                v.direction,
                v.kind,
                v.at,
                v.pass_,
                v.people,
                v.details,
            ),
            *(holders.c.ref, holders.c.name, undos.c.at),
        )
        .select_from(asked)
        .join(request_ids, same)
        .join(verifications, and_(v.tenant == request_ids.c.tenant, v.id == request_ids.c.verification))
        .outerjoin(holders, and_(holders.c.tenant == v.tenant, holders.c.id == v.holder))
        .outerjoin(undos, and_(undos.c.tenant == v.tenant, undos.c.verification == v.id))
    )
