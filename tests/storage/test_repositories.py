"""The repositories: what was inserted is found and listed, in order, and a taken key is told."""

from collections.abc import Callable
from typing import Any

import pytest

from app.core.model import PassStatus
from app.storage.records import GateRecord, IdempotencyRecord, PepperRecord, SigningKeyRecord, ZoneRecord
from app.storage.repositories.tokens import OwnedToken
from app.storage.repositories.verifications import VerificationFilter
from app.storage.transaction import Transaction
from tests.storage.database import Database
from tests.storage.records import ACME, a_holder, a_pass, a_token, an_api_key
from tests.storage.world import KIOSK, NOW, World, an_id


def pages(read: Callable[[Any], list[Any]], key: Callable[[Any], Any]) -> list[Any]:
    """All records, read two at a time."""
    found: list[Any] = []
    while page := read(key(found[-1]) if found else None):
        assert len(page) <= 2
        found += page
        assert len(found) < 100
    return found


def test_tenants(tx: Transaction) -> None:
    assert tx.tenants.get("acme") == ACME
    assert tx.tenants.get("nobody") is None
    assert not tx.tenants.insert(ACME._replace(time_zone="UTC"))
    assert tx.tenants.get("acme") == ACME
    assert (tx.tenants.raise_epoch("acme"), tx.tenants.raise_epoch("acme")) == (1, 2)
    assert tx.tenants.raise_epoch("nobody") is None
    assert tx.tenants.get("umbrella") == ACME._replace(id="umbrella")


def test_numbers_are_counted_out_within_each_tenant(tx: Transaction) -> None:
    assert [tx.tenants.next_number("acme") for _ in range(3)] == [1000, 1001, 1002]
    assert tx.tenants.next_number("umbrella") == 1000


def test_places_in_the_status_list_are_never_given_twice(tx: Transaction) -> None:
    drawn = [tx.tenants.draw_idx("acme", 2_654_435_761 * n) for n in range(300)]
    assert len(set(drawn)) == 300
    assert all(0 <= idx < 4096 for idx in drawn)
    assert drawn != sorted(drawn)


def test_zones(tx: Transaction) -> None:
    zones = [ZoneRecord(id_, "a zone", None, f'["{id_}"]', None, NOW, id_) for id_ in ("a", "b", "c")]
    assert all(tx.zones.insert("acme", zone) for zone in reversed(zones))
    assert not tx.zones.insert("acme", zones[0]._replace(name="another"))
    assert tx.zones.insert("umbrella", zones[0]._replace(name="another"))
    assert tx.zones.get("acme", "a") == zones[0]
    assert tx.zones.get("umbrella", "b") is None
    assert pages(lambda after: tx.zones.page("acme", after, 2), lambda zone: zone.id) == zones


def test_gates(tx: Transaction) -> None:
    gates = [GateRecord(id_, "a gate", "entry", None, None, 0, NOW) for id_ in ("a", "b", "c", "d", "e")]
    assert all(tx.gates.insert("acme", gate) for gate in reversed(gates))
    assert not tx.gates.insert("acme", gates[0])
    assert tx.gates.insert("umbrella", gates[0])
    assert pages(lambda after: tx.gates.page("acme", after, 2), lambda gate: gate.id) == gates
    assert tx.gates.change("acme", "a", {"name": "renamed", "repeat_window_s": 5})
    assert tx.gates.get("acme", "a") == gates[0]._replace(name="renamed", repeat_window_s=5)
    assert tx.gates.get("umbrella", "a") == gates[0]
    assert not tx.gates.change("acme", "z", {"name": "renamed"})
    assert tx.gates.delete("acme", "a")
    assert not tx.gates.delete("acme", "a")
    assert tx.gates.get("acme", "a") is None
    assert tx.gates.get("umbrella", "a") == gates[0]


def test_holders(tx: Transaction) -> None:
    holders = [a_holder(n, name="李" if n else None) for n in range(5)]
    assert all(tx.holders.insert("acme", holder) for holder in holders)
    assert not tx.holders.insert("acme", a_holder(9, ref="emp-0"))
    assert not tx.holders.insert("acme", a_holder(9, number=1000))
    assert not tx.holders.insert("acme", a_holder(9, id=holders[0].id))
    assert tx.holders.insert("umbrella", holders[0])
    assert tx.holders.get("acme", holders[1].id) == tx.holders.by_ref("acme", "emp-1") == holders[1]
    assert tx.holders.get("umbrella", holders[1].id) is None
    assert tx.holders.by_ref("umbrella", "emp-1") is None
    listed = pages(lambda after: tx.holders.page("acme", after, 2, ref=None), lambda holder: holder.id)
    assert listed == holders[::-1]
    assert tx.holders.page("acme", None, 2, ref="emp-3") == [holders[3]]
    assert tx.holders.page("umbrella", None, 2, ref="emp-3") == []


def test_a_new_code_takes_the_place_of_the_last(tx: Transaction) -> None:
    tx.holders.insert("acme", a_holder(0))
    assert tx.holders.replace_live_code("acme", an_id("holder", 0), b"first") is None
    assert tx.holders.replace_live_code("acme", an_id("holder", 0), b"second") == b"first"
    assert tx.holders.get("acme", an_id("holder", 0)) == a_holder(0, live_code=b"second")


def test_passes(tx: Transaction) -> None:
    tx.holders.insert("acme", a_holder(0))
    tx.holders.insert("acme", a_holder(1))
    passes = [a_pass(n) for n in range(4)]
    others = a_pass(4, holder=an_id("holder", 1), ref="emp-1", number=1001, max_entries=3)
    for pass_ in (*passes, others):
        tx.passes.insert("acme", pass_)
    assert tx.passes.get("acme", others.id) == tx.passes.lock("acme", others.id) == others
    assert tx.passes.get("umbrella", others.id) is None
    everyones = pages(lambda after: tx.passes.page("acme", after, 2, holder=None), lambda pass_: pass_.id)
    assert everyones == [others, *passes[::-1]]
    one_holders = pages(
        lambda after: tx.passes.page("acme", after, 2, holder=an_id("holder", 0)), lambda pass_: pass_.id
    )
    assert one_holders == passes[::-1]
    tx.passes.change("acme", others.id, {"valid_until": NOW, "status": PassStatus.SUSPENDED}, NOW)
    changed = others._replace(valid_until=NOW, status=PassStatus.SUSPENDED)
    assert tx.passes.get("acme", others.id) == changed
    assert tx.passes.count_entries("acme", others.id) == 0
    tx.passes.revoke("umbrella", [others.id], NOW, "a mistake")
    for reason in ("the first", "the second"):
        tx.passes.revoke("acme", [others.id, passes[0].id, b"none"], NOW + 1, reason)
    revoked = [tx.passes.get("acme", each.id) for each in (others, passes[0], passes[1])]
    assert [each and each.status for each in revoked] == ["revoked", "revoked", "active"]


def test_tokens(tx: Transaction) -> None:
    tx.holders.insert("acme", a_holder(0))
    tx.passes.insert("acme", a_pass(0))
    short, signed = a_token(1), a_token(2, kind="signed", lookup=None, pepper=None, kid=b"kid1", reusable=True)
    assert tx.tokens.insert("acme", short)
    assert tx.tokens.insert("acme", signed)
    assert tx.tokens.insert("acme", a_token(3, lookup=None))  # as many without a lookup as there are
    assert not tx.tokens.insert("acme", a_token(4, lookup=short.lookup))
    assert not tx.tokens.insert("acme", a_token(1, lookup=b"another"))
    assert tx.tokens.get("acme", signed.id) == signed
    assert tx.tokens.get("umbrella", signed.id) is None
    tx.tokens.revoke("acme", signed.id, NOW + 1)
    tx.tokens.revoke("acme", signed.id, NOW + 2)
    assert tx.tokens.get("acme", signed.id) == signed._replace(revoked_at=NOW + 1)
    assert tx.tokens.get("acme", short.id) == short
    owned = [
        OwnedToken(signed.id, signed.id, an_id("holder", 0), NOW, signed.expires_at, reusable=True, refused=True),
        OwnedToken(short.lookup or b"", short.id, an_id("holder", 0), NOW, short.expires_at, False, refused=False),
    ]
    keys = [signed.id, short.lookup or b"", b"none", b""]
    assert sorted(tx.tokens.owned("acme", keys)) == sorted(owned)
    assert tx.tokens.owned("umbrella", keys) == tx.tokens.owned("acme", []) == []
    for refuse, forgive in (
        (lambda: tx.tokens.block("acme", short.id, NOW, "lost"), lambda: tx.tokens.unblock("acme", short.id)),
        (
            lambda: tx.holders.block("acme", owned[1].holder, NOW, "gone"),
            lambda: tx.holders.unblock("acme", owned[1].holder),
        ),
        (lambda: tx.passes.change("acme", short.pass_, {"status": "suspended"}, NOW), lambda: None),
    ):
        assert tx.tokens.owned("acme", keys[1:2]) == [owned[1]]
        refuse()
        assert tx.tokens.owned("acme", keys[1:2]) == [owned[1]._replace(refused=True)]
        forgive()


def test_a_token_of_no_pass_is_refused(tx: Transaction) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        tx.tokens.insert("acme", a_token(1))


def test_api_keys(tx: Transaction) -> None:
    keys = [an_api_key(n) for n in range(5)]
    assert all(tx.api_keys.insert(key) for key in keys)
    assert not tx.api_keys.insert(an_api_key(9, hash=keys[0].hash))
    assert not tx.api_keys.insert(an_api_key(9, hash=keys[0].hash, tenant="umbrella"))
    assert sorted(tx.api_keys.by_hashes([keys[0].hash, keys[1].hash, b"none"])) == keys[:2]
    tx.api_keys.revoke("acme", keys[1].id, NOW + 1)
    tx.api_keys.revoke("acme", keys[1].id, NOW + 2)
    tx.api_keys.revoke("umbrella", keys[0].id, NOW + 1)
    revoked = keys[1]._replace(revoked_at=NOW + 1)
    assert tx.api_keys.get("acme", keys[1].id) == revoked
    assert tx.api_keys.by_hashes([keys[1].hash]) == [revoked]
    listed = pages(lambda after: tx.api_keys.page("acme", after, 2), lambda key: key.id)
    assert listed == [key for key in keys[::-1] if key is not keys[1]]


def test_secrets(tx: Transaction) -> None:
    keys = [SigningKeyRecord(f"kid{n}".encode(), b"public", b"sealed", NOW + n, NOW, None, None) for n in (2, 1)]
    assert all(tx.secrets.insert_signing_key(key) for key in keys)
    assert not tx.secrets.insert_signing_key(keys[0]._replace(sealed=b"another"))
    assert tx.secrets.signing_keys() == keys[::-1]
    tx.secrets.change_signing_key(b"kid1", {"retired_at": NOW, "gone_at": NOW + 1})
    assert tx.secrets.signing_keys()[0] == keys[1]._replace(retired_at=NOW, gone_at=NOW + 1)
    peppers = [PepperRecord(version, b"sealed", NOW) for version in (1, 2)]
    assert all(tx.secrets.insert_pepper(pepper) for pepper in peppers)
    assert not tx.secrets.insert_pepper(peppers[0])
    tx.secrets.change_pepper(1, b"sealed anew")
    assert tx.secrets.peppers() == [peppers[1], peppers[0]._replace(sealed=b"sealed anew")]
    assert tx.secrets.service_value("proof") is None
    assert tx.secrets.insert_service_value("proof", b"one")
    assert not tx.secrets.insert_service_value("proof", b"two")
    tx.secrets.change_service_value("proof", b"three")
    assert tx.secrets.service_value("proof") == b"three"


def test_the_last_expiry_of_a_key_is_that_of_the_last_token_it_signed(tx: Transaction) -> None:
    tx.holders.insert("acme", a_holder(0))
    tx.passes.insert("acme", a_pass(0))
    for n in (1, 3, 2):
        tx.tokens.insert("acme", a_token(n, kind="signed", lookup=None, kid=b"kid1", expires_at=NOW + n))
    assert tx.secrets.last_expiry(b"kid1") == NOW + 3
    assert tx.secrets.last_expiry(b"kid2") is None


def test_idempotency_keys(tx: Transaction) -> None:
    record = IdempotencyRecord(b"content", "resource")
    assert tx.idempotency_keys.insert("acme", KIOSK, "k-1", record, NOW)
    assert not tx.idempotency_keys.insert("acme", KIOSK, "k-1", IdempotencyRecord(b"other", "other"), NOW)
    assert tx.idempotency_keys.insert("acme", b"another credential", "k-1", record, NOW + 1)
    assert tx.idempotency_keys.get("acme", KIOSK, "k-1") == record
    assert tx.idempotency_keys.get("umbrella", KIOSK, "k-1") is None
    tx.idempotency_keys.purge(NOW + 1)
    assert tx.idempotency_keys.get("acme", KIOSK, "k-1") is None
    assert tx.idempotency_keys.get("acme", b"another credential", "k-1") == record


def test_verifications_are_listed_newest_first_and_filtered(database: Database, settle: Any, world: World) -> None:
    attempts = [
        world.attempt(token.presented, gate, now=NOW + n)
        for n, (token, gate) in enumerate(zip(world.tokens[:12], ("door", "side") * 6, strict=True))
    ]
    settled = settle(attempts)
    with database.connections.connect() as connection:
        verifications = Transaction(connection, database.engine).verifications

        def listed(**wanted: Any) -> list[bytes]:
            def read(after: Any) -> list[Any]:
                return verifications.page("acme", after, 2, VerificationFilter(**wanted))

            return [record.id for record in pages(read, lambda record: record.id)]

        everything = [attempt.verification for attempt in attempts][::-1]
        assert listed() == everything
        assert listed(gate="side") == [attempt.verification for attempt in attempts if attempt.gate == "side"][::-1]
        assert (
            listed(pass_=an_id("pass", 1))
            == [each.verification for each in settled if each.pass_ == an_id("pass", 1)][::-1]
        )
        assert listed(holder=an_id("holder", 2)) == [each.verification for each in settled if each.ref == "emp-2"][::-1]
        assert listed(decision="deny") == [each.verification for each in settled if each.outcome == "deny"][::-1]
        assert listed(since=NOW + 2, until=NOW + 5) == [attempt.verification for attempt in attempts[2:5]][::-1]
        assert listed(gate="nowhere") == []
        assert verifications.page("umbrella", None, 2, VerificationFilter()) == []
