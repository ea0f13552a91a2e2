"""The vectors of each rule: both sides of its boundary, and what its refusal comes to elsewhere."""

from typing import Any

from app.core.model import (
    ANYWHERE,
    DAY,
    MINUTE,
    SECOND,
    AntiPassback,
    Budget,
    Claims,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    OfflinePolicy,
    PassStatus,
    Refused,
    Scope,
    Zone,
    ZoneLimit,
)
from app.core.rule import LEEWAY
from app.core.rules.throttled import TRICKLE
from tests.core.facts import (
    GATE_BUDGET,
    IDX,
    NOW,
    NUMBER_BUDGET,
    OTHER_TOKEN_ID,
    PASS_ID,
    TODAY,
    a_card,
    a_code,
    a_gate,
    a_hard_zone,
    a_holder,
    a_limited_pass,
    a_pass,
    a_presence,
    a_reservation,
    a_token,
    a_use,
    a_zone,
    card_claims,
    code_claims,
    facts,
    offline,
    signed_claims,
)
from tests.vectors.expected import Vector, admitted, denied, everywhere

IN = ("redeem", "move", "occupy")
AGAIN = ("redeem", "move")
COUNTED = ("redeem", "count_entry")
LIMITED = ("redeem", "count_limited")
SPENT = ("spend_budget", "spend_budget")
FIRST = ("redeem", "reserve")


def at(**other: Any) -> Facts:
    """The base attempt at a site where nobody is counted, but for what is otherwise."""
    return facts(site_day=TODAY)._replace(**other)


def off(**bundle: Any) -> Facts:
    """The base attempt without the network, by such a bundle."""
    return at(offline=offline(**bundle))


def clock_behind() -> list[Vector]:
    no = "clock_behind"
    return [
        admitted("the latest time known is a second ago", off()),
        admitted("the latest time known is now", off(last_good=NOW)),
        admitted("the clock is behind by the leeway", off(last_good=NOW + LEEWAY)),
        denied("the clock is behind by a microsecond more", off(last_good=NOW + LEEWAY + 1), no),
        denied("the clock is a day behind", off(last_good=NOW + DAY), no),
        admitted("the bundle was made ahead by the leeway", off(issued_at=NOW + LEEWAY)),
        denied("the bundle was made ahead by a microsecond more", off(issued_at=NOW + LEEWAY + 1), no),
        denied("the bundle is from tomorrow and no time is known", off(issued_at=NOW + DAY, last_good=0), no),
        admitted("with the network it is the service's clock that counts", at()),
        *everywhere("a clock that is behind", no, off(last_good=NOW + DAY), overridable=False, ends_repeat=True),
    ]


def stale_bundle() -> list[Vector]:
    no = "stale_bundle"
    hour = 3600 * SECOND
    return [
        admitted("a bundle of a minute ago", off()),
        admitted("made now", off(issued_at=NOW)),
        admitted("it is too old in a microsecond", off(issued_at=NOW - hour + 1, max_stale=hour)),
        denied("it is too old now", off(issued_at=NOW - hour, max_stale=hour), no),
        denied("it is too old since a microsecond", off(issued_at=NOW - hour - 1, max_stale=hour), no),
        denied("it is a year old", off(issued_at=NOW - 365 * DAY), no),
        admitted("a gate that allows a week", off(issued_at=NOW - 6 * DAY, max_stale=7 * DAY)),
        denied("said after the clock", off(issued_at=NOW - DAY, last_good=NOW + DAY), "clock_behind"),
        *everywhere("a bundle that is too old", no, off(issued_at=NOW - DAY), overridable=False, ends_repeat=True),
    ]


def offline_not_allowed() -> list[Vector]:
    no = "offline_not_allowed"
    refuse, bound, admit = (off(policy=policy) for policy in OfflinePolicy)
    mine, both = a_token(gate="main-door"), a_gate(direction=Direction.BOTH, second_proof=30 * SECOND)
    return [
        denied("a gate that refuses without the network", refuse, no),
        denied("a gate that refuses, a token that is bound to it", refuse._replace(token=mine), no),
        admitted("a gate for bound tokens, a token that is bound to it", bound._replace(token=mine)),
        denied("a gate for bound tokens, a token for every gate", bound, no),
        denied(
            "a gate for bound tokens, a token that is bound to another",
            bound._replace(token=a_token(gate="back-door")),
            "wrong_gate",
        ),
        denied(
            "a gate for bound tokens, a bound token that was used",
            bound._replace(token=mine, last_use=a_use()),
            "already_used",
        ),
        admitted("a gate for all that verify, a token for every gate", admit),
        admitted("a gate for all that verify, a token that is bound to it", admit._replace(token=mine)),
        denied("a gate that wants two proofs", admit._replace(gate=a_gate(second_proof=30 * SECOND)), no),
        admitted("going out of a gate that wants two proofs", admit._replace(gate=both, direction=Direction.EXIT)),
        denied("said after the bundle's age", off(policy=OfflinePolicy.REFUSE, max_stale=1), "stale_bundle"),
        *everywhere("a gate that refuses", no, refuse, overridable=False),
    ]


def needs_network() -> list[Vector]:
    no = "needs_network"

    def shown(presented: Claims, policy: OfflinePolicy = OfflinePolicy.ADMIT_AND_RECONCILE) -> Facts:
        return at(offline=offline(policy=policy), presented=presented, token=None, pass_=None)

    code, card, short = code_claims(), card_claims(otherwise=None), Claims("short", ())
    out = {"gate": a_gate(direction=Direction.EXIT), "direction": Direction.EXIT, "exit_side": True}
    return [
        denied("a typed code", shown(code), no),
        denied("a short token", shown(short), no),
        denied("a card", shown(card), no),
        denied("a code at a gate for bound tokens", shown(code, OfflinePolicy.BOUND_TOKENS), no),
        denied("a code at a gate that refuses", shown(code, OfflinePolicy.REFUSE), no),
        denied("nobody at the desk can admit", shown(code)._replace(override=True), no),
        denied("a signed token whose pass is not in the bundle", off()._replace(pass_=None), "unknown"),
        admitted("a signed token whose pass is", off()),
        denied("what is no token is said first", shown(code)._replace(presented=Refused("malformed")), "malformed"),
        admitted("on the way out nobody is held back", shown(code)._replace(**out), no, changes=()),
        admitted("with the network a code is known", at(presented=code, token=a_code())),
    ]


def throttled() -> list[Vector]:
    code = at(presented=code_claims(), token=a_code())

    def number(spent: int, day: int = TODAY, last_at: int = NOW - 1) -> Facts:
        return code._replace(budgets={NUMBER_BUDGET: Budget(day, spent, last_at), GATE_BUDGET: Budget()})

    def gate(spent: int, last_at: int = NOW - 1, day: int = TODAY) -> Facts:
        return code._replace(budgets={NUMBER_BUDGET: Budget(), GATE_BUDGET: Budget(day, spent, last_at)})

    no = "throttled"
    return [
        admitted("the tenth guess for a number may be right", number(9)),
        denied("the eleventh is not looked at, right or not", number(10), no),
        denied("a number stays throttled for the whole day", number(10, last_at=NOW - 20 * 3600 * SECOND), no),
        admitted("yesterday's guesses for a number do not count", number(70, TODAY - 1)),
        admitted("the hundredth guess at a gate may be right", gate(99)),
        denied("the next one at the gate is not looked at", gate(100), no),
        denied("a microsecond before ten minutes are over it is not", gate(150, NOW - TRICKLE + 1), no),
        admitted("when ten minutes are over the next one is", gate(150, NOW - TRICKLE)),
        admitted("a microsecond later it is too", gate(150, NOW - TRICKLE - 1)),
        admitted("yesterday's guesses at a gate do not count", gate(150, NOW - 1, TODAY - 1)),
        admitted("a card that looks like a code is not throttled", number(10)._replace(token=a_card())),
        denied("a wrong code is throttled like a right one", number(10)._replace(token=None, pass_=None), no),
        *everywhere("throttled", no, number(10), overridable=False),
    ]


def unknown() -> list[Vector]:
    wrong = at(
        presented=code_claims(), token=None, pass_=None, budgets={NUMBER_BUDGET: Budget(), GATE_BUDGET: Budget()}
    )
    no = "unknown"
    return [
        denied("a signed token that the store does not hold", at(token=None, pass_=None), no),
        denied("a token without its pass", at(pass_=None), no),
        denied("a token that was signed for the next pass", at(presented=signed_claims(idx=IDX + 1)), no),
        denied("a token that was signed for the pass before", at(presented=signed_claims(idx=IDX - 1)), no),
        denied("a token that was signed for pass 0", at(presented=signed_claims(idx=0)), no),
        admitted("a token that was signed for its pass", at()),
        admitted("a code names no pass and is known", at(presented=code_claims(), token=a_code())),
        denied("a wrong code spends a guess on each budget", wrong, no, changes=SPENT),
        denied(
            "a card that looks like a code spends none though its holder has no pass",
            wrong._replace(token=a_card()),
            no,
        ),
        denied("a card whose holder has no pass", at(presented=card_claims(), token=a_card(), pass_=None), no),
        denied(
            "a card that is not known is what it would be without cards",
            at(presented=card_claims(), token=None, pass_=None),
            "unrecognised",
        ),
        *everywhere(
            "a wrong code",
            no,
            wrong,
            overridable=False,
            ends_repeat=True,
            out_changes=SPENT,
            denied_changes=SPENT,
        ),
    ]


def _of_the_pass_or_token(phrase: str, code: str, bad: Facts, *, overridable: bool) -> list[Vector]:
    """What holds of all that is said of a pass or token and ends a repeat window."""
    return [
        denied(f"{phrase}: refused", bad, code),
        denied(f"{phrase}: refused though it was used before", bad._replace(last_use=a_use()), code),
        denied(f"{phrase}: refused for a whole party", bad._replace(people=3), code),
        denied(f"{phrase}: said before the gate", bad._replace(gate=a_gate(id="back-door")), code),
        *everywhere(phrase, code, bad, overridable=overridable, ends_repeat=True),
    ]


def holder_blocked() -> list[Vector]:
    blocked = a_pass(holder=a_holder(blocked=True))
    card = at(presented=card_claims(), token=a_card(), pass_=blocked)
    return [
        admitted("a holder who is not blocked", at()),
        denied("a card of a blocked holder", card, "holder_blocked"),
        denied("a blocked holder with a blocked card", card._replace(token=a_card(blocked=True)), "holder_blocked"),
        *_of_the_pass_or_token("a blocked holder", "holder_blocked", at(pass_=blocked), overridable=False),
    ]


def token_blocked() -> list[Vector]:
    blocked = at(token=a_token(blocked=True))
    return [
        admitted("a token that is not blocked", at()),
        admitted("a card that is not blocked", at(presented=card_claims(), token=a_card())),
        denied("a lost card", at(presented=card_claims(), token=a_card(blocked=True)), "token_blocked"),
        denied("blocked and revoked", blocked._replace(token=a_token(blocked=True, revoked=True)), "token_blocked"),
        *_of_the_pass_or_token("a blocked token", "token_blocked", blocked, overridable=False),
    ]


def token_revoked() -> list[Vector]:
    revoked = at(token=a_token(revoked=True))
    return [
        admitted("a token of the epoch of now", at(epoch=3, token=a_token(epoch=3))),
        admitted("a token of an epoch that was not heard of yet", at(epoch=3, token=a_token(epoch=4))),
        denied("a token of the epoch before", at(epoch=3, token=a_token(epoch=2)), "token_revoked"),
        denied("a token of the first epoch", at(epoch=1), "token_revoked"),
        *_of_the_pass_or_token("a revoked token", "token_revoked", revoked, overridable=True),
    ]


def _status(status: PassStatus, other: PassStatus) -> list[Vector]:
    code, others = f"pass_{status.value}", f"pass_{other.value}"
    bad = at(pass_=a_pass(status=status))
    return [
        admitted("an active pass", at(pass_=a_pass(status=PassStatus.ACTIVE))),
        denied("the other status has its own reason", at(pass_=a_pass(status=other)), others),
        denied("a card on such a pass", bad._replace(presented=card_claims(), token=a_card()), code),
        *_of_the_pass_or_token(f"a {status.value} pass", code, bad, overridable=True),
    ]


def pass_revoked() -> list[Vector]:
    return _status(PassStatus.REVOKED, PassStatus.SUSPENDED)


def pass_suspended() -> list[Vector]:
    return _status(PassStatus.SUSPENDED, PassStatus.REVOKED)


def not_yet_valid() -> list[Vector]:
    def issued(when: int) -> Facts:
        return at(token=a_token(issued_at=when, expires_at=NOW + DAY))

    no = "not_yet_valid"
    return [
        admitted("issued a microsecond ago", issued(NOW - 1)),
        admitted("issued now", issued(NOW)),
        admitted("issued a microsecond ahead", issued(NOW + 1)),
        admitted("issued ahead by less than the leeway", issued(NOW + LEEWAY - 1)),
        admitted("issued ahead by the leeway", issued(NOW + LEEWAY)),
        denied("issued ahead by a microsecond more", issued(NOW + LEEWAY + 1), no),
        denied("issued tomorrow", issued(NOW + DAY), no),
        *everywhere("issued ahead", no, issued(NOW + DAY)),
    ]


def expired() -> list[Vector]:
    def expires(when: int) -> Facts:
        return at(token=a_token(issued_at=NOW - DAY, expires_at=when))

    no = "expired"
    return [
        admitted("it expires in a microsecond", expires(NOW + 1)),
        admitted("it expires now", expires(NOW)),
        admitted("it expired a microsecond ago", expires(NOW - 1)),
        admitted("the leeway ends in a microsecond", expires(NOW - LEEWAY + 1)),
        denied("the leeway ends now", expires(NOW - LEEWAY), no),
        denied("the leeway ended a microsecond ago", expires(NOW - LEEWAY - 1), no),
        denied("it expired yesterday", expires(NOW - DAY), no),
        *everywhere("expired", no, expires(NOW - DAY)),
    ]


def pass_not_yet_valid() -> list[Vector]:
    def begins(when: int | None) -> Facts:
        return at(pass_=a_pass(valid_from=when))

    no = "pass_not_yet_valid"
    return [
        admitted("a pass without a beginning", begins(None)),
        admitted("a pass that began a microsecond ago", begins(NOW - 1)),
        admitted("a pass that begins now", begins(NOW)),
        denied("a pass that begins in a microsecond", begins(NOW + 1), no, not_before=NOW + 1),
        denied("a pass that begins within the leeway of tokens", begins(NOW + LEEWAY), no, not_before=NOW + LEEWAY),
        denied("a pass that begins tomorrow", begins(NOW + DAY), no, not_before=NOW + DAY),
        *everywhere("a pass that begins later", no, begins(NOW + 1)),
    ]


def pass_expired() -> list[Vector]:
    def ends(when: int | None) -> Facts:
        return at(pass_=a_pass(valid_until=when))

    no = "pass_expired"
    return [
        admitted("a pass without an end", ends(None)),
        admitted("a pass that ends in a microsecond", ends(NOW + 1)),
        denied("a pass that ends now", ends(NOW), no),
        denied("a pass that ended a microsecond ago", ends(NOW - 1), no),
        denied("a pass that ended within the leeway of tokens", ends(NOW - LEEWAY), no),
        admitted("a pass for this microsecond", at(pass_=a_pass(valid_from=NOW, valid_until=NOW + 1))),
        *everywhere("a pass that is over", no, ends(NOW)),
    ]


def wrong_gate() -> list[Vector]:
    lift = Gate("lift-2", Direction.BOTH, ("lobby", "hq"), ("floor-2", "hq"))

    def scope(gate: Gate = lift, direction: Direction = Direction.ENTRY, **parts: Any) -> Facts:
        parts = {name: frozenset(part) if name != "every_gate" else part for name, part in parts.items()}
        return at(gate=gate, direction=direction, pass_=a_pass(scope=Scope(**parts)))

    no = "wrong_gate"
    bound = at(token=a_token(gate="back-door"), pass_=a_pass(scope=Scope(every_gate=True)))
    exit_gate = Gate("way-out", Direction.EXIT, ("floor-2", "hq"), ("lobby",))
    return [
        admitted("a gate that the pass names", scope(gates=["lift-1", "lift-2"])),
        denied("a gate that it does not name", scope(gates=["lift-1"]), no),
        admitted("a pass for every gate", scope(every_gate=True)),
        denied("a pass for nowhere", scope(), no),
        admitted("the zone behind the gate", scope(zones=["floor-2"])),
        admitted("a zone around the one behind the gate", scope(zones=["hq"])),
        denied("the zone before the gate", scope(zones=["lobby"]), no),
        denied("a zone of the gate's name", scope(zones=["lift-2"]), no),
        admitted(
            "going out at a gate for both, the zone that is left", scope(direction=Direction.EXIT, zones=["floor-2"])
        ),
        denied(
            "going out at a gate for both, the zone outside",
            scope(Gate("lift-2", Direction.BOTH, ("lobby",), ("floor-2",)), Direction.EXIT, zones=["lobby"]),
            no,
        ),
        admitted(
            "at an exit gate, the zone that is left",
            scope(exit_gate, Direction.EXIT, zones=["hq"])._replace(exit_side=True),
            changes=(),
        ),
        admitted(
            "at an exit gate, the zone outside",
            scope(exit_gate, Direction.EXIT, zones=["lobby"])._replace(exit_side=True),
            no,
            changes=(),
        ),
        denied("a gate without zones is not opened by a zone", scope(Gate("x", Direction.ENTRY), zones=["hq"]), no),
        admitted("a token that is bound to this gate", at(token=a_token(gate="main-door"))),
        denied("a token that is bound to another gate, though the pass is for every gate", bound, no),
        denied(
            "a token that is bound to this gate, which the pass does not name",
            at(token=a_token(gate="main-door"), pass_=a_pass(scope=Scope())),
            no,
        ),
        *everywhere("another gate", no, at(pass_=a_pass(scope=Scope()))),
    ]


def outside_schedule() -> list[Vector]:
    hour = 3600 * SECOND

    def hours(*intervals: tuple[int, int]) -> Facts:
        return at(pass_=a_pass(hours=intervals))

    no = "outside_schedule"
    out = at(gate=a_gate(direction=Direction.BOTH), direction=Direction.EXIT, pass_=a_pass(hours=()))
    return [
        denied("it opens in a microsecond", hours((NOW + 1, NOW + hour)), no, not_before=NOW + 1),
        admitted("it opens now", hours((NOW, NOW + hour))),
        admitted("it opened a microsecond ago", hours((NOW - 1, NOW + hour))),
        admitted("it closes in a microsecond", hours((NOW - hour, NOW + 1))),
        denied("it closes now", hours((NOW - hour, NOW)), no),
        denied("it closed a microsecond ago", hours((NOW - hour, NOW - 1)), no),
        denied(
            "between two openings", hours((NOW - hour, NOW), (NOW + hour, NOW + 2 * hour)), no, not_before=NOW + hour
        ),
        admitted("in the second opening", hours((NOW - 2 * hour, NOW - hour), (NOW - 1, NOW + 1))),
        denied("a schedule that is never open", hours(), no),
        admitted("a pass without a schedule", at()),
        admitted("going out while it is closed", out._replace(pass_=a_pass(hours=(), scope=Scope(every_gate=True)))),
        *everywhere("a schedule that is closed", no, hours(), out=()),
    ]


def no_entries_left() -> list[Vector]:
    def entries(used: int, most: int | None = 3, **other: Any) -> Facts:
        return at(pass_=a_pass(max_entries=most, entries=used), **other)

    def party(used: int) -> Facts:
        return at(pass_=a_limited_pass(party_size=3)._replace(max_entries=5, entries=used), people=3)

    no = "no_entries_left"
    out = entries(3, gate=a_gate(direction=Direction.BOTH), direction=Direction.EXIT)
    return [
        admitted("the first entry", entries(0), changes=COUNTED),
        admitted("the last entry", entries(2), changes=COUNTED),
        denied("one after the last", entries(3), no),
        denied("far beyond the last", entries(9), no),
        denied("a pass for no entry", entries(0, 0), no),
        admitted("a pass without a limit", entries(70, None)),
        admitted("entries for all of a party", party(2), changes=COUNTED),
        denied("entries for part of a party", party(3), no, people_left=2),
        denied("said before the token is said to be used", entries(3, last_use=a_use()), no),
        admitted("going out is no entry", out),
        *everywhere("a pass that is used up", no, entries(3), out=(), override_changes=COUNTED),
    ]


def _counted(on_day: int, total: int = 9, day: int = TODAY, zone: str = ANYWHERE) -> dict[CountKey, EntryCount]:
    return {CountKey(PASS_ID, zone): EntryCount(total, day, on_day, NOW - MINUTE)}


def no_entries_left_today() -> list[Vector]:
    def today(on_day: int, day: int = TODAY, **other: Any) -> Facts:
        return at(pass_=a_limited_pass(per_day=2), counts=_counted(on_day, day=day), **other)

    no = "no_entries_left_today"
    return [
        admitted("the first entry ever", today(0)._replace(counts={}), changes=LIMITED),
        admitted("the last entry of the day", today(1), changes=LIMITED),
        denied("one after the last", today(2), no),
        denied("far beyond the last", today(7), no),
        admitted("yesterday's entries do not count", today(2, TODAY - 1), changes=LIMITED),
        denied("the day is the site's: it is still the same there", today(2, TODAY)._replace(today=TODAY + 1), no),
        admitted(
            "the day is the site's: it is another there", today(2, TODAY)._replace(site_day=TODAY + 1), changes=LIMITED
        ),
        denied("a pass for no entry a day", today(0)._replace(pass_=a_limited_pass(per_day=0)), no),
        *everywhere("no entry left today", no, today(2), out=(), override_changes=LIMITED),
    ]


def no_entries_left_in_zone() -> list[Vector]:
    door = Gate("main-door", Direction.BOTH, ("hq",), ("pool", "hq"))

    def pool(on_day: int, total: int, day: int = TODAY, zone: str = "pool", **other: Any) -> Facts:
        limit = ZoneLimit(zone, 10, 1)
        return at(gate=door, pass_=a_limited_pass(zones=(limit,)), counts=_counted(on_day, total, day, zone), **other)

    no = "no_entries_left_in_zone"
    return [
        admitted("the last entry in all and of the day", pool(0, 9), changes=LIMITED),
        denied("none left of the day", pool(1, 9), no),
        denied("none left in all", pool(0, 10), no),
        admitted("yesterday's entries do not count for the day", pool(1, 9, TODAY - 1), changes=LIMITED),
        denied("yesterday's entries count in all", pool(1, 10, TODAY - 1), no),
        admitted("another zone is not concerned", pool(1, 10, zone="canteen")),
        admitted("moving within a zone is no entry into it", pool(1, 10, zone="hq")),
        denied(
            "a zone around the one behind the gate is entered too",
            pool(1, 10, zone="hq")._replace(gate=door._replace(from_zones=())),
            no,
        ),
        *everywhere("no entry left in the zone", no, pool(1, 10), out=(), override_changes=LIMITED),
    ]


def already_used() -> list[Vector]:
    no = "already_used"
    waiting = a_use(reserved_until=NOW + 1, let_in=0)
    three = a_limited_pass(party_size=3)
    return [
        admitted("a token that was never used", at()),
        denied("a token that was used", at(last_use=a_use()), no),
        denied("a token that was used at another gate", at(last_use=a_use(gate="back-door")), no),
        admitted("a use that was given back", at(last_use=a_use(voided=True, let_in=0))),
        denied("of two uses the later was given back", at(last_use=a_use(number=2, voided=True, let_in=1)), no),
        admitted("a reusable token", at(token=a_token(reusable=True), last_use=a_use(number=70))),
        denied("it waits for a second proof elsewhere, for a microsecond more", at(last_use=waiting), no),
        admitted("it waited for a second proof until now", at(last_use=waiting._replace(reserved_until=NOW))),
        admitted("it waited until a microsecond ago", at(last_use=waiting._replace(reserved_until=NOW - 1))),
        admitted("one of a party is left", at(pass_=three, last_use=a_use(let_in=2))),
        denied("none of a party is left", at(pass_=three, last_use=a_use(let_in=3)), no),
        *everywhere("used", no, at(last_use=a_use())),
    ]


def too_many_people() -> list[Vector]:
    three = a_limited_pass(party_size=3)
    no = "too_many_people"
    reusable = a_token(reusable=True)
    return [
        admitted("one on a pass for one", at()),
        denied("two on a pass for one", at(people=2), no),
        admitted("one of a party of three", at(pass_=three), people_left=2),
        admitted("the whole party", at(pass_=three, people=3)),
        denied("one more than the party", at(pass_=three, people=4), no, people_left=3),
        admitted("the rest of the party", at(pass_=three, people=2, last_use=a_use(let_in=1))),
        denied("more than the rest", at(pass_=three, people=3, last_use=a_use(let_in=1)), no, people_left=2),
        admitted(
            "the whole party again with a reusable token",
            at(pass_=three, people=3, token=reusable, last_use=a_use(let_in=3)),
            people_left=3,
        ),
        denied(
            "one more than the party with a reusable token",
            at(pass_=three, people=4, token=reusable),
            no,
            people_left=3,
        ),
        admitted(
            "the whole party after it was given back", at(pass_=three, people=3, last_use=a_use(voided=True, let_in=0))
        ),
        *everywhere("too many", no, at(people=2), out=()),
    ]


def too_soon() -> list[Vector]:
    pass_ = a_limited_pass(min_interval=10 * MINUTE)

    def last(when: int, **other: Any) -> Facts:
        return at(pass_=pass_, counts={CountKey(PASS_ID, ANYWHERE): EntryCount(1, TODAY, 1, when)})._replace(**other)

    no = "too_soon"
    party = a_limited_pass(min_interval=10 * MINUTE, party_size=2)
    return [
        admitted("the first entry", last(NOW, counts={}), changes=LIMITED),
        denied("the last entry was now", last(NOW), no, not_before=NOW + 10 * MINUTE),
        denied("the interval ends in a microsecond", last(NOW - 10 * MINUTE + 1), no, not_before=NOW + 1),
        admitted("the interval ends now", last(NOW - 10 * MINUTE), changes=LIMITED),
        admitted("the interval ended a microsecond ago", last(NOW - 10 * MINUTE - 1), changes=LIMITED),
        admitted("the rest of a party", last(NOW, pass_=party, last_use=a_use()), changes=LIMITED),
        denied(
            "a reusable token that was used before",
            last(NOW, token=a_token(reusable=True), last_use=a_use()),
            no,
            not_before=NOW + 10 * MINUTE,
        ),
        admitted("a pass without an interval", last(NOW, pass_=a_pass())),
        *everywhere("too soon", no, last(NOW), out=(), override_changes=LIMITED),
    ]


def anti_passback() -> list[Vector]:
    def inside(zone: Zone, since: int = NOW - MINUTE, people: int = 1, **other: Any) -> Facts:
        return at(zones={"hq": zone}, inside={"hq": a_presence(people=people, since=since)})._replace(**other)

    hard, soft = a_hard_zone(), a_hard_zone(anti_passback=AntiPassback.SOFT)
    forgiving = a_hard_zone(forgive_after=10 * MINUTE)
    party = a_limited_pass(party_size=3)
    no = "anti_passback"
    return [
        admitted("outside of a hard zone", at(zones={"hq": hard}), changes=IN),
        denied("inside a hard zone", inside(hard), no),
        admitted("inside a soft zone", inside(soft), no, changes=AGAIN),
        admitted("inside a zone without it", inside(a_zone(people=1)), changes=AGAIN),
        admitted("gone out of a hard zone", inside(hard, people=0), changes=IN),
        denied("it forgives in a microsecond", inside(forgiving, NOW - 10 * MINUTE + 1), no, not_before=NOW + 1),
        admitted("it forgives now", inside(forgiving, NOW - 10 * MINUTE), changes=AGAIN),
        admitted("it forgave a microsecond ago", inside(forgiving, NOW - 10 * MINUTE - 1), changes=AGAIN),
        denied("it never forgives", inside(hard, 0), no),
        admitted("the rest of a party", inside(hard, pass_=party, people=1)._replace(people=2), changes=IN),
        denied("more than the rest", inside(hard, pass_=party)._replace(people=3), no, people_left=2),
        admitted("moving within the zone", inside(hard, gate=a_gate(from_zones=("hq",), into_zones=("floor", "hq")))),
        *everywhere("inside", no, inside(hard), out=(), override_changes=AGAIN),
    ]


def zone_full() -> list[Vector]:
    def full(are_in: int, capacity: int | None = 10, **other: Any) -> Facts:
        return at(zones={"hq": a_zone(people=are_in, capacity=capacity)})._replace(**other)

    party = a_limited_pass(party_size=3)
    no = "zone_full"
    return [
        admitted("the last place", full(9), changes=IN),
        denied("no place", full(10), no),
        denied("more people than places", full(11), no),
        denied("a zone for nobody", full(0, 0), no),
        admitted("a zone without a capacity", full(1_000_000, None), changes=IN),
        admitted("places for all of a party", full(7, pass_=party, people=3), changes=IN),
        denied("places for part of a party", full(8, pass_=party, people=3), no, people_left=2),
        admitted("who is counted inside takes no second place", full(10, inside={"hq": a_presence()}), changes=AGAIN),
        *everywhere("no place", no, full(10), out=(), override_changes=IN),
    ]


def needs_second_proof() -> list[Vector]:
    gate = a_gate(second_proof=30 * SECOND)
    first = at(gate=gate)
    no = "needs_second_proof"
    both = ("redeem", "redeem", "reserve")

    def second(until: int, kind: str = "signed", **other: Any) -> Facts:
        reservation = a_reservation(until=until, kind=kind)
        return at(gate=gate, presented=code_claims(), token=a_code(), reservation=reservation)._replace(**other)

    waiting = a_use(reserved_until=NOW + 1, let_in=0)
    return [
        denied("the first proof is reserved", first, no, changes=FIRST),
        admitted("the second proof, a microsecond before the first lapses", second(NOW + 1), changes=both),
        denied("the first proof lapses now", second(NOW), no, changes=FIRST),
        denied("the first proof lapsed a microsecond ago", second(NOW - 1), no, changes=FIRST),
        denied("two codes", second(NOW + 1, "code"), no, changes=FIRST),
        admitted("a code after a card", second(NOW + 1, "card"), changes=both),
        admitted(
            "a card after a code",
            second(NOW + 1, "code", presented=card_claims(), token=a_card()),
            changes=both,
        ),
        denied(
            "a card after a signed token",
            second(NOW + 1, presented=card_claims(), token=a_card()),
            no,
            changes=FIRST,
        ),
        denied(
            "the first proof again while it waits",
            first._replace(last_use=waiting, reservation=a_reservation(until=NOW + 1)),
            no,
        ),
        denied(
            "the first proof while it waits at another gate",
            first._replace(last_use=waiting, reservation=a_reservation(token=OTHER_TOKEN_ID)),
            "already_used",
        ),
        admitted("a gate for one proof", at(reservation=a_reservation())),
        *everywhere("the first proof", no, first, out=(), override_changes=("redeem",)),
    ]


RULE_VECTORS = {
    made.__name__: made
    for made in (
        *(clock_behind, stale_bundle, needs_network, offline_not_allowed),
        *(throttled, unknown, holder_blocked, token_blocked, token_revoked, pass_revoked, pass_suspended),
        *(not_yet_valid, expired, pass_not_yet_valid, pass_expired, wrong_gate, outside_schedule, no_entries_left),
        *(no_entries_left_today, no_entries_left_in_zone, already_used, too_many_people, too_soon, anti_passback),
        *(zone_full, needs_second_proof),
    )
}
"""By the code of the rule, in the order of asking."""
