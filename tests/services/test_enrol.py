"""Enrolling: subjects become holders with a pass, and the pass goes when they do."""

import asyncio
from typing import Any

import pytest

from app.services import enrol
from app.services.connected import Connection
from app.services.enrol import Enrolling
from app.services.identify import admitted
from app.services.mistakes import Clash, Invalid, NotFound
from app.storage.repositories.enrolments import EnrolmentFilter, SubjectFilter
from tests.faces.http.endpoints import stored
from tests.service import Service
from tests.services.connecting import connect, sight, token
from tests.shared import on_each_engine, service, shared_service, shared_url

__all__ = ["service", "shared_service", "shared_url"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_each_engine(metafunc)


class Client:
    """A connection with the collections `""` and `staff`, and what its client may do."""

    def __init__(self, service: Service, connection: Connection) -> None:
        self._service = service
        self.connection = connection

    async def enrol(self, ref: str | None, collection: str = "", **other: Any) -> bytes:
        wish = Enrolling(collection, ref, **other)
        return (await enrol.enrol(self._service.context, self.connection, wish)).id

    async def add(self, ref: str, collection: str = "", **other: Any) -> None:
        await enrol.add_subject(self._service.context, self.connection, collection, ref, **other)

    async def rename(self, old: str, new: str) -> None:
        await enrol.rename_subject(self._service.context, self.connection, "", old, new)

    async def delete(self, *refs: str, collection: str | None = "") -> list[str]:
        wanted = SubjectFilter(collection, refs)
        deleted = await enrol.delete_subjects(self._service.context, self.connection, wanted)
        return [each.ref for each in deleted]

    async def delete_enrolments(self, *ids: bytes) -> list[bytes]:
        wanted = EnrolmentFilter(ids=ids)
        return [each.id for each in await enrol.delete_enrolments(self._service.context, self.connection, wanted)]

    async def subjects(self) -> list[tuple[str, str]]:
        found = await enrol.subjects(self._service.context, self.connection, SubjectFilter())
        return [(each.ref, each.collection) for each in found]

    async def enrolled(self, collection: str | None = None) -> list[tuple[bytes, str | None]]:
        found = await enrol.enrolments(self._service.context, self.connection, EnrolmentFilter(collection))
        return [(each.id, each.ref) for each in found]


async def client(service: Service, **body: Any) -> Client:
    connection = await connect(service, **body)
    await enrol.add_collection(service.context, connection, "staff")
    return Client(service, connection)


async def passes(service: Service, holder: str) -> list[str]:
    """The states of the holder's passes, the newest first."""
    listed = await service.call("GET", "/v1/passes", params={"holder": holder})
    return [each["status"] for each in listed.json()["items"]]


async def holders(service: Service) -> list[tuple[str, str | None]]:
    listed = (await service.call("GET", "/v1/holders")).json()["items"]
    return sorted((each["ref"], each["name"]) for each in listed)


async def test_whoever_is_enrolled_is_a_holder_with_a_pass_for_the_connections_gate(service: Service) -> None:
    here = await client(service)
    id_ = await here.enrol("emp-1042", name="Ada", label="a.jpg")
    assert len(id_) == 16
    assert await here.enrolled() == [(id_, "emp-1042")]
    assert await here.subjects() == [("emp-1042", "")]
    assert await holders(service) == [("emp-1042", "Ada")]
    (made,) = (await service.call("GET", "/v1/passes", params={"holder": "emp-1042"})).json()["items"]
    assert (made["gates"], made["status"]) == (["main-door"], "active")
    text = (await service.token(made))["token"]
    assert (await service.verify(text))["decision"] == "admit"


async def test_the_pass_is_what_the_connection_grants(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="HQ")
    await service.create("/v1/schedules", id="always", name="Always")
    template = {
        "gates": "all", "zones": ["hq"], "valid_until": "2100-01-01T00:00:00Z", "max_entries": 9, "party_size": 3,
        "schedule": "always", "max_entries_per_day": 4, "min_interval_s": 60,
        "zone_limits": [{"zone": "hq", "max_entries": 5, "max_entries_per_day": 2}],
    }  # fmt: skip
    here = await client(service, pass_template=template)
    for ref in ("emp-1", "emp-2"):
        await here.enrol(ref)
        (made,) = (await service.call("GET", "/v1/passes", params={"holder": ref})).json()["items"]
        assert {name: made[name] for name in template} == template


async def test_who_is_enrolled_again_has_one_pass(service: Service) -> None:
    here = await client(service)
    ids = [await here.enrol("emp-1"), await here.enrol("emp-1"), await here.enrol("emp-1", "staff")]
    assert len(set(ids)) == 3
    assert await here.subjects() == [("emp-1", ""), ("emp-1", "staff")]
    assert await passes(service, "emp-1") == ["active"]


async def test_a_holder_who_is_there_gets_a_pass_more_and_loses_that_alone(service: Service) -> None:
    here = await client(service)
    await service.pass_("emp-1")
    await here.enrol("emp-1")
    assert await passes(service, "emp-1") == ["active", "active"]
    assert await here.delete("emp-1") == ["emp-1"]
    assert await passes(service, "emp-1") == ["revoked", "active"]


async def test_the_pass_goes_with_the_last_collection(service: Service) -> None:
    here = await client(service)
    for collection in ("", "staff"):
        await here.enrol("emp-1", collection)
    await here.delete("emp-1")
    assert await passes(service, "emp-1") == ["active"]
    await here.delete("emp-1", collection="staff")
    assert await passes(service, "emp-1") == ["revoked"]
    assert await here.enrolled() == []
    await here.enrol("emp-1")
    assert await passes(service, "emp-1") == ["active", "revoked"]


async def test_who_was_deleted_is_not_let_in_by_a_token_that_they_have(service: Service) -> None:
    here = await client(service)
    await here.enrol("emp-1")
    text = await token(service, "emp-1")
    await here.delete("emp-1")
    assert await admitted(service.context, here.connection, await sight(service, here.connection, text)) is None
    assert (await service.verify(text))["reason"] == "pass_revoked"


async def test_a_pass_that_somebody_suspended_is_revoked_and_one_revoked_before_keeps_its_reason(
    service: Service,
) -> None:
    here = await client(service)
    for ref, word in (("emp-1", "suspend"), ("emp-2", "revoke")):
        await here.enrol(ref)
        (made,) = (await service.call("GET", "/v1/passes", params={"holder": ref})).json()["items"]
        await service.call("POST", f"/v1/passes/{made['id']}/{word}", json={"reason": "by hand"})
        await here.delete(ref)
        assert await passes(service, ref) == ["revoked"]
    reasons = repr(stored(service)["passes"])
    assert reasons.count("deleted by the client") == reasons.count("by hand") == 1


async def test_who_has_no_enrolment_left_goes_unless_they_are_to_stay(service: Service) -> None:
    here = await client(service)
    first, second, stays = await here.enrol("emp-1"), await here.enrol("emp-1"), await here.enrol("emp-2", lasting=True)
    await here.add("emp-3")
    assert await here.delete_enrolments(first, stays, b"nobody's") == [first, stays]
    assert await here.subjects() == [("emp-1", ""), ("emp-2", ""), ("emp-3", "")]
    assert await here.delete_enrolments(first, second) == [second]
    assert await here.subjects() == [("emp-2", ""), ("emp-3", "")]
    assert [await passes(service, f"emp-{n}") for n in (1, 2, 3)] == [["revoked"], ["active"], ["active"]]


async def test_a_subject_made_by_itself_is_made_once_and_stays(service: Service) -> None:
    here = await client(service)
    await here.enrol("emp-1")
    await here.add("emp-1", name="Ada")
    with pytest.raises(Clash):
        await here.add("emp-1")
    await here.add("emp-1", "staff")
    await here.delete_enrolments(*[id_ for id_, _ in await here.enrolled()])
    assert await here.subjects() == [("emp-1", ""), ("emp-1", "staff")]
    assert await holders(service) == [("emp-1", "Ada")]


async def test_an_id_that_is_taken_enrols_nobody(service: Service) -> None:
    here = await client(service)
    id_ = await here.enrol("emp-1", id=b"sixteen bytes ..")
    before = stored(service)
    with pytest.raises(Clash):
        await here.enrol("emp-2", id=id_)
    assert stored(service) == before


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"ref": ""}, "subject"),
        ({"ref": "x" * 129}, "subject"),
        ({"ref": "a\nb"}, "subject"),
        ({"ref": "a\x7fb"}, "subject"),
        ({"name": "x" * 256}, "name"),
        ({"name": "A\0da"}, "name"),
        ({"label": "x" * 4097}, "label"),
    ],
)
async def test_what_cannot_be_stored_is_refused(service: Service, wish: dict[str, Any], field: str) -> None:
    here = await client(service)
    before = stored(service)
    with pytest.raises(Invalid) as refused:
        await here.enrol(**{"ref": "emp-1", **wish})
    assert refused.value.field == field
    assert stored(service) == before
    await here.enrol("李" * 128, name="李" * 255, label="{\n}" + "李" * 4093)


async def test_a_collection_is_the_connections_own(service: Service) -> None:
    here, there = await client(service), await client(service, gate="back-door")
    app = service.context
    with pytest.raises(Clash):
        await enrol.add_collection(app, here.connection, "staff")
    for name in ("x" * 256, "a\tb"):
        with pytest.raises(Invalid):
            await enrol.add_collection(app, here.connection, name)
    await enrol.add_collection(app, there.connection, "李" * 255)
    for wrong in (here.enrol("emp-1", "李" * 255), here.enrol(None, "nowhere"), here.add("emp-1", "nowhere")):
        with pytest.raises(NotFound):
            await wrong
    await there.enrol("emp-1", "staff")
    assert await here.subjects() == await here.enrolled() == []
    assert await here.delete("emp-1", collection=None) == []
    assert await passes(service, "emp-1") == ["active"]


async def test_a_deleted_collection_takes_all_that_is_in_it_away(service: Service) -> None:
    here = await client(service)
    app = service.context
    for ref, collection in (("emp-1", "staff"), ("emp-2", "staff"), ("emp-2", ""), (None, "staff")):
        await here.enrol(ref, collection)
    await here.add("emp-3", "staff")
    size = await enrol.collection(app, here.connection, "staff")
    assert (size.enrolments, size.subjects) == (3, 1)
    await enrol.delete_collection(app, here.connection, "staff")
    assert await enrol.collections(app, here.connection) == [""]
    assert await here.subjects() == [("emp-2", "")]
    assert [await passes(service, f"emp-{n}") for n in (1, 2, 3)] == [["revoked"], ["active"], ["revoked"]]
    for gone in (
        enrol.delete_collection(app, here.connection, "staff"),
        enrol.collection(app, here.connection, "staff"),
        here.enrol("emp-1", "staff"),
    ):
        with pytest.raises(NotFound):
            await gone


async def test_enrolments_are_listed_oldest_first_a_page_at_a_time(service: Service) -> None:
    here = await client(service)
    ids = [await here.enrol(f"emp-{n % 2}") for n in range(5)]
    app, everything = service.context, EnrolmentFilter("")
    paged = [
        [each.id for each in await enrol.enrolments(app, here.connection, everything, 2, skip=skip)]
        for skip in (0, 2, 4, 6)
    ]
    assert paged == [ids[:2], ids[2:4], ids[4:], []]
    assert await enrol.count_enrolments(app, here.connection, everything) == 5
    assert await enrol.count_enrolments(app, here.connection, EnrolmentFilter("staff")) == 0
    after = await enrol.enrolments(app, here.connection, EnrolmentFilter(after=ids[2]), 9)
    assert [each.id for each in after] == ids[3:]


async def test_a_renamed_subject_keeps_its_pass_and_its_enrolments(service: Service) -> None:
    here = await client(service)
    id_ = await here.enrol("emp-1", name="Ada")
    text = await token(service, "emp-1")
    await here.rename("emp-1", "emp-9")
    await here.rename("emp-9", "emp-9")
    assert await here.enrolled() == [(id_, "emp-9")]
    assert await holders(service) == [("emp-9", "Ada")]
    found = await admitted(service.context, here.connection, await sight(service, here.connection, text))
    assert found is not None
    assert (found.ref, found.name) == ("emp-9", "Ada")


async def test_who_is_known_elsewhere_keeps_the_ref_there(service: Service) -> None:
    here, there = await client(service), await client(service, gate="back-door")
    for ref, other in (("emp-1", service.pass_("emp-1")), ("emp-2", there.enrol("emp-2"))):
        id_ = await here.enrol(ref, name="Ada")
        await other
        await here.rename(ref, f"new-{ref}")
        assert await here.subjects() == [(f"new-{ref}", "")]
        assert await here.enrolled() == [(id_, f"new-{ref}")]
        assert sorted(await passes(service, ref)) == ["active", "revoked"]
        assert await passes(service, f"new-{ref}") == ["active"]
        await here.delete(f"new-{ref}")
    assert await there.subjects() == [("emp-2", "")]
    assert await holders(service) == [(ref, "Ada") for ref in ("emp-1", "emp-2", "new-emp-1", "new-emp-2")]


async def test_who_was_deleted_and_enrolled_again_is_still_renamed(service: Service) -> None:
    here = await client(service)
    await here.enrol("emp-1")
    await here.delete("emp-1")
    await here.enrol("emp-1")
    await here.rename("emp-1", "emp-9")
    assert [ref for ref, _ in await holders(service)] == ["emp-9"]
    assert sorted(await passes(service, "emp-9")) == ["active", "revoked"]


async def test_two_subjects_of_one_name_become_one_who_keeps_their_own(service: Service) -> None:
    here = await client(service)
    ids = [await here.enrol("emp-1", name="Ada"), await here.enrol("emp-2", name="Grace", lasting=True)]
    await here.rename("emp-1", "emp-2")
    assert await here.enrolled() == [(id_, "emp-2") for id_ in ids]
    assert await here.subjects() == [("emp-2", "")]
    assert await holders(service) == [("emp-1", "Ada"), ("emp-2", "Grace")]
    assert await passes(service, "emp-1") == ["revoked"]
    assert await passes(service, "emp-2") == ["active"]


async def test_a_subject_cannot_be_renamed_to_what_is_no_name(service: Service) -> None:
    here = await client(service)
    await here.enrol("emp-1")
    before = stored(service)
    with pytest.raises(Invalid):
        await here.rename("emp-1", "a\nb")
    with pytest.raises(NotFound):
        await here.rename("emp-2", "emp-3")
    assert stored(service) == before


async def test_enrolments_without_a_name_are_assigned_later(service: Service) -> None:
    here = await client(service)
    ids = [await here.enrol(None), await here.enrol(None, "staff"), await here.enrol("emp-2")]
    assert await here.subjects() == [("emp-2", "")]
    app = service.context
    assigned = await enrol.assign(app, here.connection, None, [*ids, b"nobody's"], "emp-1")
    assert [(each.id, each.ref) for each in assigned] == await here.enrolled() == [(id_, "emp-1") for id_ in ids]
    assert await here.subjects() == [("emp-1", ""), ("emp-1", "staff")]
    assert [await passes(service, f"emp-{n}") for n in (1, 2)] == [["active"], ["revoked"]]
    assert await enrol.assign(app, here.connection, "", [ids[1]], "emp-3") == []
    assert await enrol.assign(app, here.connection, None, [], "emp-3") == []
    assert await passes(service, "emp-3") == []


async def test_when_its_gate_is_gone_nobody_is_enrolled(service: Service) -> None:
    here = await client(service)
    await service.call("DELETE", "/v1/gates/main-door")
    before = stored(service)
    with pytest.raises(NotFound):
        await here.enrol("emp-1")
    assert stored(service) == before


async def test_of_many_who_enrol_one_new_subject_at_once_one_makes_the_holder_and_the_pass(service: Service) -> None:
    here = await client(service)
    ids = await asyncio.gather(*(here.enrol("emp-1", ("", "staff")[n % 2]) for n in range(16)))
    assert len(set(ids)) == 16
    assert await here.subjects() == [("emp-1", ""), ("emp-1", "staff")]
    assert await passes(service, "emp-1") == ["active"]
    assert len(stored(service)["passes"]) == 1


async def test_of_many_who_make_one_subject_at_once_one_does(service: Service) -> None:
    here = await client(service)
    made = await asyncio.gather(*(here.add("emp-1") for _ in range(8)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in made) == ["Clash"] * 7 + ["NoneType"]
    assert len(stored(service)["passes"]) == 1


async def test_of_many_who_take_one_name_at_once_all_end_with_it(service: Service) -> None:
    here, there = await client(service), await client(service, gate="back-door")
    for n in range(4):
        await (here, there)[n % 2].enrol(f"emp-{n}")
    await asyncio.gather(
        *((here, there)[n % 2].rename(f"emp-{n}", "emp-9") for n in range(4)),
        service.call("POST", "/v1/holders", json={"ref": "emp-9"}),
    )
    assert await here.subjects() == await there.subjects() == [("emp-9", "")]
    assert [ref for ref, _ in await holders(service)].count("emp-9") == 1


async def test_one_ref_is_two_holders_in_two_tenants(service: Service) -> None:
    here, elsewhere = await client(service), await client(await service.another_tenant())
    await here.enrol("emp-1")
    await elsewhere.enrol("emp-1")
    assert await elsewhere.delete("emp-1") == ["emp-1"]
    assert await passes(service, "emp-1") == ["active"]
