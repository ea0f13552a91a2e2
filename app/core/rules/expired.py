"""`expired`: the token's time is over."""

from ..model import Facts
from ..rule import LEEWAY, rule


@rule("expired", offline=True, timeless=True)
def expired(facts: Facts) -> bool:
    """Refuse a token from its expiry and the leeway on."""
    return facts.token is not None and facts.now >= facts.token.expires_at + LEEWAY
