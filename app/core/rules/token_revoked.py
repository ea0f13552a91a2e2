"""`token_revoked`: the token was revoked, or all tokens of its epoch were.

The epoch goes up when a database is restored from a backup: what was redeemed after the backup was taken is forgotten,
so every token issued before the restore is refused.
"""

from ..model import Facts
from ..rule import rule


@rule("token_revoked", offline=True, timeless=True, ends_repeat=True)
def token_revoked(facts: Facts) -> bool:
    """Refuse a revoked token and one of an older epoch."""
    token = facts.token
    return token is not None and (token.revoked or token.epoch < facts.epoch)
