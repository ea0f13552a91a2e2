"""`not_yet_valid`: the token was issued in the future, as this clock sees it."""

from ..model import Facts
from ..rule import LEEWAY, rule


@rule("not_yet_valid", offline=True, timeless=True)
def not_yet_valid(facts: Facts) -> bool:
    """Refuse a token whose issue time lies ahead by more than the leeway."""
    return facts.token is not None and facts.token.issued_at > facts.now + LEEWAY
