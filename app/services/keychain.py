"""The service's own keys in memory: what tokens are signed with, and what they are opened with."""

from app.core.keys import KeyTimes, key_id
from app.core.token_format import Keyring, Pepper, PublicKey
from app.effects.clock import Clock
from app.effects.ed25519 import SodiumKey, SodiumSigner
from app.effects.entropy import Entropy
from app.effects.sealing import MasterKey, WrongMasterKey
from app.storage.records import PepperRecord, SigningKeyRecord
from app.storage.store import Store
from app.storage.transaction import Transaction

from .connected import seal_anew

PRIVATE_KEY_BYTES = 32
PEPPER_BYTES = 32
_PROOF = b"gatepass"


class Keychain:
    """Opened signing keys and peppers. Read again every second, so that a rotation reaches every process."""

    def __init__(self, store: Store, clock: Clock, master_key: MasterKey) -> None:
        self._store = store
        self._clock = clock
        self._master_key = master_key
        self._records: tuple[list[SigningKeyRecord], list[PepperRecord]] = ([], [])
        self._signers: dict[bytes, SodiumSigner] = {}
        self._peppers: tuple[Pepper, ...] = ()
        self._opens_until = 0
        self.keyring = Keyring({}, ())
        self.ever = Keyring({}, ())
        """With keys that are gone too: for what was verified while they were not."""

    async def refresh(self) -> None:
        """Read the keys again. Raises `WrongMasterKey`, and `Unavailable`, which leaves them as they were."""
        records = await self._store.read(lambda tx: (tx.secrets.signing_keys(), tx.secrets.peppers()))
        now = self._clock.now()
        if records == self._records and now < self._opens_until:
            return
        signing_keys, peppers = records
        self._signers = {
            each.kid: self._signers.get(each.kid)
            or SodiumSigner(self._master_key.open(each.sealed, signing_key_place(each.kid)))
            for each in signing_keys
        }
        self._peppers = tuple(
            Pepper(each.version, self._master_key.open(each.sealed, pepper_place(each.version))) for each in peppers
        )
        keys: dict[bytes, PublicKey] = {
            each.kid: SodiumKey(each.public) for each in signing_keys if times(each).state(now) != "gone"
        }
        self.keyring = Keyring(keys, self._peppers)
        gone: dict[bytes, PublicKey] = {
            each.kid: SodiumKey(each.public) for each in signing_keys if each.kid not in keys
        }
        self.ever = Keyring({**gone, **keys}, self._peppers)
        self._records = records
        self._opens_until = min((at for each in signing_keys if (at := each.gone_at) and at > now), default=1 << 62)

    def signer(self) -> SodiumSigner:
        """The newest active key."""
        now = self._clock.now()
        active = [each for each in self._records[0] if times(each).state(now) == "active"]
        return self._signers[max(active, key=lambda each: each.active_from).kid]

    def published(self) -> list[SigningKeyRecord]:
        """The keys that verifiers should know: all but those gone, oldest first."""
        now = self._clock.now()
        return [each for each in self._records[0] if times(each).state(now) != "gone"]


def times(key: SigningKeyRecord) -> KeyTimes:
    """When the key signs and verifies."""
    return KeyTimes(key.active_from, key.retired_at, key.gone_at)


def signing_key_place(kid: bytes) -> tuple[str, str, str]:
    """Where a signing key is sealed for."""
    return "signing_keys", "", kid.hex()


def pepper_place(version: int) -> tuple[str, str, str]:
    """Where a pepper is sealed for."""
    return "peppers", "", str(version)


def prove_master_key(tx: Transaction, master_key: MasterKey, clock: Clock, entropy: Entropy) -> None:
    """See that the master key is the one this database was sealed under; the first start makes the first secrets.

    Raises `WrongMasterKey`.
    """
    place = ("service", "", "master_key_proof")
    proof = tx.secrets.service_value("master_key_proof")
    if proof is None:
        fresh = master_key.seal(_PROOF, place, entropy)
        if tx.secrets.insert_service_value("master_key_proof", fresh):
            now = clock.now()
            add_signing_key(tx, master_key, entropy, created_at=now, active_from=now)
            sealed = master_key.seal(entropy.bytes(PEPPER_BYTES), pepper_place(1), entropy)
            tx.secrets.insert_pepper(PepperRecord(1, sealed, now))
            return
        proof = tx.secrets.service_value("master_key_proof")  # another process made it just now
    if proof is None or master_key.open(proof, place) != _PROOF:
        raise WrongMasterKey


def add_signing_key(
    tx: Transaction, master_key: MasterKey, entropy: Entropy, *, created_at: int, active_from: int
) -> SigningKeyRecord:
    """A new signing key, sealed and stored. One whose kid is taken is thrown away for another."""
    while True:
        private = entropy.bytes(PRIVATE_KEY_BYTES)
        public = SodiumSigner(private).public
        kid = key_id(public)
        sealed = master_key.seal(private, signing_key_place(kid), entropy)
        record = SigningKeyRecord(kid, public, sealed, created_at, active_from, None, None)
        if tx.secrets.insert_signing_key(record):
            return record


def rewrap(tx: Transaction, old: MasterKey, new: MasterKey, entropy: Entropy) -> None:
    """Seal every secret under another master key. Raises `WrongMasterKey`."""
    for key in tx.secrets.signing_keys():
        place = signing_key_place(key.kid)
        sealed = new.seal(old.open(key.sealed, place), place, entropy)
        tx.secrets.change_signing_key(key.kid, {"sealed": sealed})
    for pepper in tx.secrets.peppers():
        place = pepper_place(pepper.version)
        tx.secrets.change_pepper(pepper.version, new.seal(old.open(pepper.sealed, place), place, entropy))
    seal_anew(tx, old, new, entropy)
    place = ("service", "", "master_key_proof")
    tx.secrets.change_service_value("master_key_proof", new.seal(_PROOF, place, entropy))
