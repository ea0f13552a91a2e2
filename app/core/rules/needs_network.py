"""`needs_network`: a token of a kind that only the service can verify: what proves it is not in its text."""

from ..model import Claims, Facts
from ..rule import Need, rule


@rule("needs_network", needs=(Need.OFFLINE, Need.TOKEN), offline=True, overridable=False)
def needs_network(facts: Facts) -> bool:
    """Refuse short tokens and typed codes without the network, where only what is signed makes a token."""
    return facts.offline is not None and isinstance(facts.presented, Claims) and facts.token is None
