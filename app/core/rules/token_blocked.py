"""`token_blocked`: the token or card is on the deny list, lost for example. A block is lifted, not overridden."""

from ..model import Facts
from ..rule import rule


@rule("token_blocked", offline=True, timeless=True, ends_repeat=True, overridable=False)
def token_blocked(facts: Facts) -> bool:
    """Refuse a blocked token or card."""
    return facts.token is not None and facts.token.blocked
