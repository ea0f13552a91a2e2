"""`already_used`: the token was good once, and has been used."""

from ..admission import waits_here
from ..model import Facts
from ..rule import Need, rule


@rule("already_used", needs=(Need.TOKEN, Need.RESERVATION), offline=True)
def already_used(facts: Facts) -> bool:
    """Refuse a token whose party is in, unless it is reusable. The arbiter is the unique redemption itself.

    A first proof that waits for the second at another gate is used as long as it waits.
    """
    token, use = facts.token, facts.last_use
    if token is None or token.reusable or use is None:
        return False
    if use.reserved_until is not None and not use.voided and facts.now < use.reserved_until:
        return not waits_here(facts)
    return use.let_in >= (facts.pass_.limits.party_size if facts.pass_ else 1)
