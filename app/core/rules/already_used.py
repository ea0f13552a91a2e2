"""`already_used`: the token was good once, and has been used."""

from ..model import Facts
from ..rule import rule


@rule("already_used", offline=True)
def already_used(facts: Facts) -> bool:
    """Refuse a token whose latest use stands, unless it is reusable. The arbiter is the unique redemption itself."""
    if facts.token is None or facts.token.reusable:
        return False
    return facts.last_use is not None and not facts.last_use.voided
