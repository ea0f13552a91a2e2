"""The repositories of connections, and of whom their clients enrolled."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy

from app.storage.repositories.enrolments import EnrolmentFilter, SubjectFilter
from app.storage.tables import passes
from app.storage.transaction import Transaction
from tests.storage.conftest import build, opened
from tests.storage.records import a_connection, a_holder, a_pass, a_subject, an_enrolment
from tests.storage.world import NOW, an_id

HERE, THERE = an_id("conn", 0), an_id("conn", 1)
FIRST, SECOND = an_id("holder", 0), an_id("holder", 1)


@pytest.fixture
def enrolled(tx: Transaction) -> Transaction:
    """Two connections with a collection `staff` each, the first with one `guests` too, and three holders."""
    for n in range(2):
        assert tx.connections.insert(a_connection(n))
        assert tx.enrolments.add_collection("acme", an_id("conn", n), "staff", NOW)
    assert tx.enrolments.add_collection("acme", HERE, "guests", NOW + 1)
    for n in range(3):
        assert tx.holders.insert("acme", a_holder(n))
        tx.passes.insert("acme", a_pass(n, holder=an_id("holder", n)))
    return tx


def subjects(tx: Transaction, wanted: SubjectFilter, limit: int = -1) -> list[tuple[str, str]]:
    return [(each.ref, each.collection) for each in tx.enrolments.subjects("acme", HERE, wanted, limit)]


def numbers(tx: Transaction, wanted: EnrolmentFilter, limit: int = -1, skip: int = 0) -> list[int]:
    return [int(each.id[6:]) for each in tx.enrolments.page("acme", HERE, wanted, limit, skip=skip)]


def add(tx: Transaction, *enrolments: int, holder: int | None = 0, collection: str = "staff") -> None:
    for n in enrolments:
        assert tx.enrolments.add("acme", HERE, an_enrolment(n, holder, collection=collection))


def test_a_connection_is_found_by_its_key_and_by_its_devices_serial_number(tx: Transaction) -> None:
    with_device, other = a_connection(0, serial_lookup=b"serial"), a_connection(1)
    assert tx.connections.insert(with_device)
    assert tx.connections.insert(other)
    assert tx.connections.get("acme", other.id) == other
    assert tx.connections.get("umbrella", other.id) is None
    assert tx.connections.by_lookups([with_device.lookup]) == tx.connections.by_lookups([b"serial"]) == [with_device]
    assert sorted(tx.connections.by_lookups([b"serial", with_device.lookup, other.lookup])) == [with_device, other]
    assert tx.connections.by_lookups([b"none", b""]) == tx.connections.by_lookups([]) == []
    assert sorted(tx.connections.every()) == [with_device, other]


def test_a_key_and_a_serial_number_are_one_connections_over_all_tenants(tx: Transaction) -> None:
    assert tx.connections.insert(a_connection(0, serial_lookup=b"serial"))
    assert not tx.connections.insert(a_connection(1, tenant="umbrella", lookup=an_id("key", 0)))
    assert not tx.connections.insert(a_connection(1, tenant="umbrella", serial_lookup=b"serial"))
    assert tx.connections.insert(a_connection(1))
    assert tx.connections.insert(a_connection(2))  # as many without a serial number as there are


def test_a_revoked_connection_lets_another_have_its_serial_number(tx: Transaction) -> None:
    assert tx.connections.insert(a_connection(0, serial_lookup=b"serial"))
    tx.connections.revoke("umbrella", HERE, NOW)
    assert tx.connections.page("acme", None, 9) == [a_connection(0, serial_lookup=b"serial")]
    for at in (NOW + 1, NOW + 2):
        tx.connections.revoke("acme", HERE, at)
    assert tx.connections.get("acme", HERE) == a_connection(0, revoked_at=NOW + 1)
    assert tx.connections.insert(a_connection(1, serial_lookup=b"serial"))
    assert tx.connections.page("acme", None, 9) == [a_connection(1, serial_lookup=b"serial")]


def test_connections_are_listed_newest_first(tx: Transaction) -> None:
    assert all(tx.connections.insert(a_connection(n)) for n in range(5))
    assert tx.connections.insert(a_connection(5, tenant="umbrella"))
    first = tx.connections.page("acme", None, 2)
    assert first == [a_connection(4), a_connection(3)]
    assert tx.connections.page("acme", first[-1].id, 9) == [a_connection(n) for n in (2, 1, 0)]


def test_a_secret_sealed_anew_takes_the_place_of_the_one_before(tx: Transaction) -> None:
    assert all(tx.connections.insert(a_connection(n, sealed=b"sealed")) for n in range(2))
    tx.connections.seal("acme", HERE, b"anew")
    assert [tx.connections.get("acme", each) for each in (HERE, THERE)] == [
        a_connection(0, sealed=b"anew"),
        a_connection(1, sealed=b"sealed"),
    ]


def test_collections_have_names_of_their_own_within_a_connection(enrolled: Transaction) -> None:
    assert not enrolled.enrolments.add_collection("acme", HERE, "staff", NOW + 9)
    assert enrolled.enrolments.collections("acme", HERE) == ["guests", "staff"]
    assert enrolled.enrolments.collections("acme", THERE) == ["staff"]
    assert enrolled.enrolments.collections("umbrella", HERE) == []
    assert enrolled.enrolments.collection("acme", HERE, "guests") == NOW + 1
    assert enrolled.enrolments.collection("acme", THERE, "guests") is None
    assert enrolled.enrolments.delete_collection("acme", HERE, "guests")
    assert not enrolled.enrolments.delete_collection("acme", HERE, "guests")
    assert not enrolled.enrolments.delete_collection("umbrella", HERE, "staff")
    assert enrolled.enrolments.collections("acme", HERE) == ["staff"]


def test_a_collection_with_somebody_in_it_stays(enrolled: Transaction) -> None:
    assert enrolled.enrolments.add_subject("acme", HERE, a_subject(0))
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        enrolled.enrolments.delete_collection("acme", HERE, "staff")


def test_a_subject_is_in_a_collection_once(enrolled: Transaction) -> None:
    assert enrolled.enrolments.add_subject("acme", HERE, a_subject(0))
    assert not enrolled.enrolments.add_subject("acme", HERE, a_subject(0, lasting=True))
    assert enrolled.enrolments.add_subject("acme", HERE, a_subject(0, "guests"))
    assert enrolled.enrolments.add_subject("acme", THERE, a_subject(0))
    assert enrolled.enrolments.subjects("acme", HERE, SubjectFilter("staff")) == [a_subject(0)]


def test_subjects_have_the_ref_and_the_name_of_their_holder(enrolled: Transaction) -> None:
    assert enrolled.enrolments.add_subject("acme", HERE, a_subject(0))
    enrolled.holders.name("acme", FIRST, "李")
    enrolled.holders.rename("acme", FIRST, "emp-77")
    renamed = a_subject(0, ref="emp-77", name="李")
    assert enrolled.enrolments.subjects("acme", HERE, SubjectFilter()) == [renamed]


def test_subjects_are_listed_by_ref_and_filtered(enrolled: Transaction) -> None:
    for n, collection in ((1, "staff"), (0, "guests"), (0, "staff"), (2, "staff")):
        assert enrolled.enrolments.add_subject("acme", HERE, a_subject(n, collection, lasting=n == 2))
    assert enrolled.enrolments.add_subject("acme", THERE, a_subject(0))
    everybody = [("emp-0", "guests"), ("emp-0", "staff"), ("emp-1", "staff"), ("emp-2", "staff")]
    assert subjects(enrolled, SubjectFilter()) == everybody
    assert subjects(enrolled, SubjectFilter(), 2) == everybody[:2]
    assert subjects(enrolled, SubjectFilter(), 0) == []
    assert subjects(enrolled, SubjectFilter("staff", after="emp-0")) == everybody[2:]
    assert subjects(enrolled, SubjectFilter(refs={"emp-0", "emp-9"})) == everybody[:2]
    assert subjects(enrolled, SubjectFilter("staff", holders=[FIRST, SECOND])) == everybody[1:3]
    assert subjects(enrolled, SubjectFilter(lasting=True)) == everybody[3:]
    assert subjects(enrolled, SubjectFilter(lasting=False)) == everybody[:3]
    for nobody in (SubjectFilter(refs=()), SubjectFilter(holders=()), SubjectFilter("nowhere")):
        assert subjects(enrolled, nobody) == []
    assert enrolled.enrolments.subjects("umbrella", HERE, SubjectFilter()) == []
    assert enrolled.enrolments.count_subjects("acme", HERE, "staff") == 1
    enrolled.enrolments.make_lasting("acme", HERE, "staff", FIRST)
    assert enrolled.enrolments.count_subjects("acme", HERE, "staff") == 2
    assert enrolled.enrolments.count_subjects("acme", HERE, "guests") == 0


def test_a_deleted_subjects_enrolments_go_with_it(enrolled: Transaction) -> None:
    for n, collection in ((0, "staff"), (1, "staff"), (0, "guests")):
        assert enrolled.enrolments.add_subject("acme", HERE, a_subject(n, collection))
    add(enrolled, 0, 1)
    add(enrolled, 2, holder=1)
    add(enrolled, 3, collection="guests")
    enrolled.enrolments.delete_subjects("acme", HERE, "staff", [FIRST, b"nobody"])
    assert numbers(enrolled, EnrolmentFilter()) == [2, 3]
    assert subjects(enrolled, SubjectFilter()) == [("emp-0", "guests"), ("emp-1", "staff")]


def test_a_subject_is_empty_without_enrolments_in_its_collection(enrolled: Transaction) -> None:
    for n, collection in ((0, "staff"), (1, "staff"), (0, "guests"), (2, "staff")):
        assert enrolled.enrolments.add_subject("acme", HERE, a_subject(n, collection, lasting=n == 2))
    add(enrolled, 0)
    assert subjects(enrolled, SubjectFilter(empty=True)) == [
        ("emp-0", "guests"),
        ("emp-1", "staff"),
        ("emp-2", "staff"),
    ]
    assert subjects(enrolled, SubjectFilter("staff", lasting=False, empty=True)) == [("emp-1", "staff")]


def test_a_holder_is_known_elsewhere_by_being_another_connections_subject(enrolled: Transaction) -> None:
    assert enrolled.enrolments.add_subject("acme", HERE, a_subject(0))
    assert not enrolled.enrolments.known_elsewhere("acme", HERE, FIRST)
    assert enrolled.enrolments.known_elsewhere("acme", THERE, FIRST)
    assert not enrolled.enrolments.known_elsewhere("umbrella", THERE, FIRST)


def test_enrolments_are_listed_oldest_first_and_filtered(enrolled: Transaction) -> None:
    add(enrolled, 3, 1)
    add(enrolled, 2, holder=1)
    add(enrolled, 4, holder=None)
    add(enrolled, 5, collection="guests")
    assert not enrolled.enrolments.add("acme", HERE, an_enrolment(5, 1))
    assert enrolled.enrolments.add("acme", THERE, an_enrolment(5, 1))
    assert numbers(enrolled, EnrolmentFilter()) == [1, 2, 3, 4, 5]
    assert numbers(enrolled, EnrolmentFilter("staff"), 2, 1) == [2, 3]
    assert numbers(enrolled, EnrolmentFilter("staff", FIRST)) == [1, 3]
    assert numbers(enrolled, EnrolmentFilter(ids=[an_id("enrol", n) for n in (5, 1, 9)])) == [1, 5]
    assert numbers(enrolled, EnrolmentFilter(after=an_id("enrol", 3))) == [4, 5]
    assert numbers(enrolled, EnrolmentFilter(), 0) == numbers(enrolled, EnrolmentFilter(ids=())) == []
    assert enrolled.enrolments.count("acme", HERE, EnrolmentFilter("staff")) == 4
    assert enrolled.enrolments.count("umbrella", HERE, EnrolmentFilter()) == 0
    assert enrolled.enrolments.page("acme", HERE, EnrolmentFilter("staff"))[-1] == an_enrolment(4, None)


def test_enrolments_are_assigned_and_deleted_as_they_are_found(enrolled: Transaction) -> None:
    add(enrolled, 1, 2, holder=None)
    add(enrolled, 3)
    enrolled.enrolments.assign("acme", HERE, EnrolmentFilter(ids=ids(1, 9)), SECOND)
    assert [each.ref for each in enrolled.enrolments.page("acme", HERE, EnrolmentFilter())] == ["emp-1", None, "emp-0"]
    enrolled.enrolments.delete("umbrella", HERE, EnrolmentFilter())
    enrolled.enrolments.delete("acme", THERE, EnrolmentFilter())
    enrolled.enrolments.delete("acme", HERE, EnrolmentFilter("staff", ids=ids(1, 3)))
    assert numbers(enrolled, EnrolmentFilter()) == [2]


def test_passes_that_are_revoked_together_are_held_in_the_order_in_which_attempts_hold_them(
    postgresql_url: str,
) -> None:
    """While somebody holds the last of them, the first is held already."""
    with opened(postgresql_url) as database, ThreadPoolExecutor(1) as another:
        build(database, "acme")
        first, last = an_id("pass", 0), an_id("pass", 5)

        def revoke() -> None:
            with database.writing() as connection:
                tx = Transaction(connection, database.engine)
                tx.passes.revoke("acme", [an_id("pass", n) for n in (5, 3, 0)], NOW, "deleted")

        with database.connections.connect() as connection, connection.begin():
            tx = Transaction(connection, database.engine)
            tx.passes.lock("acme", last)
            revoking = another.submit(revoke)
            while not database.column("SELECT 1 FROM pg_locks WHERE NOT granted"):
                time.sleep(0.01)
            held = sqlalchemy.select(passes.c.id).where(passes.c.id == first).with_for_update(nowait=True)
            with pytest.raises(sqlalchemy.exc.OperationalError, match="could not obtain lock"):
                connection.execute(held)
        revoking.result(10)
        statement = sqlalchemy.select(passes.c.id).where(passes.c.status == "revoked").order_by(passes.c.id)
        assert database.column(statement) == [first, an_id("pass", 3), last]


def ids(*of: int) -> Iterable[bytes]:
    return [an_id("enrol", n) for n in of]
