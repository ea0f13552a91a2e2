"""The rules, in the order in which they are asked: the first that refuses gives the reason.

First what only a verifier without the network asks: whether it may decide at all. Then the order that operators
understand: too many guesses, is it ours, is it blocked, was it taken back, is it the time, is it the place, is it used
up; then what passes by itself: too soon, already inside, full. The second proof is asked for last, when nothing else
stands in the way. Earlier rules say less about the holder than later ones, so a stranger learns least. Every rule is
asked at every gate; what a site has not configured refuses nobody.
"""

from .already_used import already_used
from .anti_passback import anti_passback
from .clock_behind import clock_behind
from .expired import expired
from .holder_blocked import holder_blocked
from .needs_network import needs_network
from .needs_second_proof import needs_second_proof
from .no_entries_left import no_entries_left
from .no_entries_left_in_zone import no_entries_left_in_zone
from .no_entries_left_today import no_entries_left_today
from .not_yet_valid import not_yet_valid
from .offline_not_allowed import offline_not_allowed
from .outside_schedule import outside_schedule
from .pass_expired import pass_expired
from .pass_not_yet_valid import pass_not_yet_valid
from .pass_revoked import pass_revoked
from .pass_suspended import pass_suspended
from .stale_bundle import stale_bundle
from .throttled import throttled
from .token_blocked import token_blocked
from .token_revoked import token_revoked
from .too_many_people import too_many_people
from .too_soon import too_soon
from .unknown import unknown
from .wrong_gate import wrong_gate
from .zone_full import zone_full

RULES = (
    clock_behind,
    stale_bundle,
    needs_network,
    offline_not_allowed,
    throttled,
    unknown,
    holder_blocked,
    token_blocked,
    token_revoked,
    pass_revoked,
    pass_suspended,
    not_yet_valid,
    expired,
    pass_not_yet_valid,
    pass_expired,
    wrong_gate,
    outside_schedule,
    no_entries_left,
    no_entries_left_today,
    no_entries_left_in_zone,
    already_used,
    too_many_people,
    too_soon,
    anti_passback,
    zone_full,
    needs_second_proof,
)
