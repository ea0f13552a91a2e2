"""`offline_not_allowed`: the gate does not let anybody in by such a token while it has no network.

`refuse` lets nobody in. `bound_tokens` lets in by tokens that are bound to the gate: they are good nowhere else, so one
verifier can see that each is used once. `admit_and_reconcile` lets in by every token that verifies, and finds out later
what was used twice. Two proofs are never taken without the network, since a typed code cannot be verified there.
"""

from ..model import Direction, Facts, OfflinePolicy
from ..rule import Need, rule


@rule("offline_not_allowed", needs=(Need.OFFLINE, Need.TOKEN), offline=True, overridable=False)
def offline_not_allowed(facts: Facts) -> bool:
    """Refuse what the gate's policy leaves to the service."""
    if facts.offline is None:
        return False
    if facts.offline.policy == OfflinePolicy.REFUSE:
        return True
    if facts.gate.second_proof > 0 and facts.direction != Direction.EXIT:
        return True
    unbound = facts.token is not None and facts.token.gate is None
    return unbound and facts.offline.policy == OfflinePolicy.BOUND_TOKENS
