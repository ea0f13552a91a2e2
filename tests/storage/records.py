"""Records for the tests of the repositories, alike but for their number."""

from typing import Any

from app.core.model import DAY, PassStatus
from app.storage.records import (
    ApiKeyRecord,
    ConnectionRecord,
    EnrolmentRecord,
    HolderRecord,
    PassRecord,
    SubjectRecord,
    TenantRecord,
    TokenRecord,
)
from tests.storage.world import NOW, an_id

ACME = TenantRecord("acme", "Asia/Shanghai", 0, NOW)


def a_holder(n: int, **other: Any) -> HolderRecord:
    return HolderRecord(an_id("holder", n), f"emp-{n}", 1000 + n, None, None, NOW)._replace(**other)


def a_pass(n: int, **other: Any) -> PassRecord:
    scope = '{"gates": "all", "zones": []}'
    record = PassRecord(
        an_id("pass", n), n, an_id("holder", 0), "emp-0", 1000, scope, None, None, None, 0, PassStatus.ACTIVE, NOW
    )
    return record._replace(**other)


def a_token(n: int, **other: Any) -> TokenRecord:
    record = TokenRecord(
        an_id("token", n), "short", an_id("pass", 0), an_id("look", n), 1, None, NOW, NOW + DAY, None, False, 0, None
    )
    return record._replace(**other)


def an_api_key(n: int, **other: Any) -> ApiKeyRecord:
    id_ = an_id("key", n)
    return ApiKeyRecord("acme", id_, id_, an_id("hash", n), "a key", "admin", None, None, NOW, None, None)._replace(
        **other
    )


def a_connection(n: int, **other: Any) -> ConnectionRecord:
    id_, lookup = an_id("conn", n), an_id("key", n)
    return ConnectionRecord(
        "acme", id_, "compreface", "door", None, lookup, None, None, None, "{}", NOW, None
    )._replace(**other)


def a_subject(n: int, collection: str = "staff", **other: Any) -> SubjectRecord:
    holder = a_holder(n)
    return SubjectRecord(collection, holder.id, holder.ref, None, an_id("pass", n), False, NOW)._replace(**other)


def an_enrolment(n: int, holder: int | None = 0, **other: Any) -> EnrolmentRecord:
    whose = (None, None) if holder is None else (an_id("holder", holder), f"emp-{holder}")
    return EnrolmentRecord(an_id("enrol", n), "staff", *whose, None, NOW)._replace(**other)
