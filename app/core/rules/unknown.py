"""`unknown`: well-formed, but not issued here.

Without the network: the bundle does not hold its pass. A wrong code, a holder number that nobody has and another
tenant's code are all this, and look alike. A card whose holder has no pass is this too.
"""

from ..model import Claims, Facts
from ..rule import rule


@rule("unknown", offline=True, timeless=True, ends_repeat=True, overridable=False)
def unknown(facts: Facts) -> bool:
    """Refuse a token that the store does not hold, or holds for another pass than the one that was signed."""
    if facts.token is None or facts.pass_ is None:
        return True
    claims = facts.presented
    return isinstance(claims, Claims) and claims.idx is not None and claims.idx != facts.pass_.idx
