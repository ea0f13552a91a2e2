"""The keychain: one set of secrets a database, however many processes start at once."""

import threading

import pytest
from sqlalchemy import select

from app.effects.clock import SystemClock
from app.effects.entropy import SystemEntropy
from app.effects.sealing import MasterKey, WrongMasterKey
from app.services.keychain import prove_master_key
from app.storage.tables import peppers, signing_keys
from app.storage.transaction import Transaction
from tests.storage.conftest import opened

CLOCK, ENTROPY = SystemClock(), SystemEntropy()
OURS, ANOTHER = MasterKey(b"\x01" * 32), MasterKey(b"\x02" * 32)


@pytest.mark.parametrize("second", [OURS, ANOTHER], ids=["the same master key", "another master key"])
def test_of_two_first_starts_at_once_one_makes_the_secrets(postgresql_url: str, second: MasterKey) -> None:
    with opened(postgresql_url) as database:
        faults: list[Exception] = []

        def start_too() -> None:
            with database.connections.begin() as connection:
                try:
                    prove_master_key(Transaction(connection, database.engine), second, CLOCK, ENTROPY)
                except WrongMasterKey as fault:
                    faults.append(fault)

        with database.connections.begin() as connection:
            prove_master_key(Transaction(connection, database.engine), OURS, CLOCK, ENTROPY)
            starting = threading.Thread(target=start_too)
            starting.start()
            starting.join(0.3)
            assert starting.is_alive()  # it waits for the first
        starting.join(5)
        assert len(faults) == (second is ANOTHER)
        assert len(database.rows(select(signing_keys.c.kid))) == 1
        assert len(database.rows(select(peppers.c.version))) == 1


def test_a_later_start_makes_nothing_more(database_url: str) -> None:
    with opened(database_url) as database:
        for _ in range(2):
            with database.writing() as connection:
                prove_master_key(Transaction(connection, database.engine), OURS, CLOCK, ENTROPY)
        with pytest.raises(WrongMasterKey), database.connections.begin() as connection:
            prove_master_key(Transaction(connection, database.engine), ANOTHER, CLOCK, ENTROPY)
        assert len(database.rows(select(signing_keys.c.kid))) == 1
