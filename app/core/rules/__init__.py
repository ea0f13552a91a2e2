"""The rules, in the order in which they are asked: the first that refuses gives the reason.

The order is the one that operators understand: too many guesses, is it ours, was it taken back, is it the time, is it
the place, has it been used. Earlier rules say less about the holder than later ones, so a stranger learns least.
"""

from .already_used import already_used
from .expired import expired
from .no_entries_left import no_entries_left
from .not_yet_valid import not_yet_valid
from .pass_expired import pass_expired
from .pass_not_yet_valid import pass_not_yet_valid
from .pass_revoked import pass_revoked
from .pass_suspended import pass_suspended
from .throttled import throttled
from .token_revoked import token_revoked
from .unknown import unknown
from .wrong_gate import wrong_gate

RULES = (
    throttled,
    unknown,
    token_revoked,
    pass_revoked,
    pass_suspended,
    not_yet_valid,
    expired,
    pass_not_yet_valid,
    pass_expired,
    wrong_gate,
    no_entries_left,
    already_used,
)
