"""`stale_bundle`: without the network, what the verifier knows is too old."""

from ..model import Facts
from ..rule import Need, rule


@rule("stale_bundle", needs=(Need.OFFLINE,), offline=True, ends_repeat=True, overridable=False)
def stale_bundle(facts: Facts) -> bool:
    """Refuse from the bundle's greatest age on: what was revoked since is not known."""
    offline = facts.offline
    return offline is not None and facts.now >= offline.issued_at + offline.max_stale
