"""The vectors of what no single rule says: their order, exits, overrides, repeats, parties, two proofs and cards."""

from typing import Any

from app.core.changes import CountEntry, CountLimited, Move, Occupy, Redeem, Reserve, SpendBudget
from app.core.model import (
    ANYWHERE,
    SECOND,
    Budget,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    Limits,
    PassStatus,
    Presence,
    Refused,
    Reservation,
    Scope,
    Use,
    Zone,
    ZoneLimit,
)
from tests.core.facts import (
    CREDENTIAL,
    GATE_BUDGET,
    HOLDER_ID,
    NOW,
    NUMBER_BUDGET,
    OTHER_PASS_ID,
    OTHER_TOKEN_ID,
    PASS_ID,
    TODAY,
    TOKEN_ID,
    VERIFICATION,
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
    an_id,
    card_claims,
    code_claims,
    facts,
    signed_claims,
)
from tests.vectors.expected import Vector, admitted, denied, repeated

USE = Use(1, VERIFICATION, NOW, "main-door", CREDENTIAL, Direction.ENTRY, pass_=PASS_ID)
EVERYWHERE = Scope(every_gate=True)
BUILDING, FLOOR, YARD = ("building", "site"), ("floor", "building", "site"), ("yard", "site")
COUNTED = {path[0]: Zone(path[0], path, 5) for path in (("site",), BUILDING, FLOOR, YARD)}


def at(**other: Any) -> Facts:
    return facts(site_day=TODAY)._replace(**other)


def decision() -> list[Vector]:
    return [*_order(), *_entries(), *_exits(), *_overrides(), *_repeats(), *_parties(), *_two_proofs(), *_cards()]


def _order() -> list[Vector]:
    """Each of these has what the ones before it had, but for the reason that was given last."""
    pass_: dict[str, Any] = {"status": PassStatus.REVOKED, "holder": a_holder(blocked=True), "valid_from": NOW + 1}
    pass_ |= {"valid_until": NOW, "scope": Scope(), "hours": (), "max_entries": 0}
    pass_["limits"] = Limits(1, 0, 60 * SECOND, (ZoneLimit("hq", 0),))
    token: dict[str, Any] = {"kind": "code", "blocked": True, "revoked": True}
    token |= {"issued_at": NOW + 60 * SECOND, "expires_at": NOW - 60 * SECOND}
    rest: dict[str, Any] = {
        "gate": a_gate(second_proof=30 * SECOND),
        "presented": code_claims(idx=1),
        "budgets": {NUMBER_BUDGET: Budget(TODAY, 10, NOW)},
        "last_use": a_use(reserved_until=NOW + 1, let_in=0),
        "people": 2,
        "zones": {"hq": a_hard_zone(people=9, capacity=9)},
        "inside": {"hq": a_presence()},
        "counts": {CountKey(PASS_ID, ANYWHERE): EntryCount(1, TODAY, 1, NOW)},
    }
    steps: list[tuple[str, dict[str, Any], int | None]] = [
        ("throttled", {"budgets": {}}, None),
        ("unknown", {"presented": code_claims()}, None),
        ("holder_blocked", {"holder": a_holder()}, None),
        ("token_blocked", {"blocked": False}, None),
        ("token_revoked", {"revoked": False}, None),
        ("pass_revoked", {"status": PassStatus.SUSPENDED}, None),
        ("pass_suspended", {"status": PassStatus.ACTIVE}, None),
        ("not_yet_valid", {"issued_at": NOW - 90 * SECOND}, None),
        ("expired", {"expires_at": NOW + SECOND}, None),
        ("pass_not_yet_valid", {"valid_from": None}, NOW + 1),
        ("pass_expired", {"valid_until": None}, None),
        ("wrong_gate", {"scope": EVERYWHERE}, None),
        ("outside_schedule", {"hours": None}, None),
        ("no_entries_left", {"max_entries": None}, None),
        ("no_entries_left_today", {"limits": Limits(1, None, 60 * SECOND, (ZoneLimit("hq", 0),))}, None),
        ("no_entries_left_in_zone", {"limits": Limits(1, None, 60 * SECOND)}, None),
        ("already_used", {"last_use": None}, None),
        ("too_many_people", {"people": 1}, None),
        ("too_soon", {"counts": {}}, NOW + 60 * SECOND),
        ("anti_passback", {"inside": {}}, None),
        ("zone_full", {"zones": {}}, None),
        ("needs_second_proof", {}, None),
    ]
    vectors = [
        denied(
            "what is no token is said before any rule",
            at(presented=Refused("malformed"), token=a_token(**token), pass_=a_pass(**pass_))._replace(
                **{name: part for name, part in rest.items() if name != "presented"}
            ),
            "malformed",
        )
    ]
    for place, (reason, without, not_before) in enumerate(steps):
        changes = ("redeem", "reserve") if reason == "needs_second_proof" else ()
        name = f"of all that is wrong from the rule at place {place} on, it is said first"
        seen = at(token=a_token(**token), pass_=a_pass(**pass_))._replace(**rest)
        vectors.append(denied(name, seen, reason, not_before=not_before, changes=changes))
        for part in (pass_, token, rest):
            part |= {key: value for key, value in without.items() if key in part}
    return vectors


def _entries() -> list[Vector]:
    limits = a_limited_pass(per_day=5, zones=(ZoneLimit("hq", total=9),))._replace(max_entries=7, entries=2)
    once = EntryCount(1, TODAY, 1, NOW)
    lift = Gate("lift", Direction.BOTH, (), FLOOR)
    site = Zone("site", ("site",), 5)
    two = a_limited_pass(party_size=2)
    return [
        admitted("an entry uses the token", at(), changes=(Redeem(TOKEN_ID, USE),)),
        admitted(
            "an entry is counted where the pass limits it",
            at(pass_=limits),
            changes=(
                Redeem(TOKEN_ID, USE),
                CountEntry(PASS_ID, 3, 1),
                CountLimited(CountKey(PASS_ID, ANYWHERE), EntryCount(), once),
                CountLimited(CountKey(PASS_ID, "hq"), EntryCount(), once),
            ),
        ),
        admitted(
            "yesterday's entries begin at nothing today and count in all",
            at(
                pass_=a_limited_pass(per_day=5),
                counts={CountKey(PASS_ID, ANYWHERE): EntryCount(8, TODAY - 1, 5, NOW - 9)},
            ),
            changes=(
                Redeem(TOKEN_ID, USE),
                CountLimited(
                    CountKey(PASS_ID, ANYWHERE), EntryCount(8, TODAY - 1, 5, NOW - 9), EntryCount(9, TODAY, 1, NOW)
                ),
            ),
        ),
        admitted(
            "an entry into nested zones is counted in each",
            at(gate=lift, pass_=a_pass(scope=EVERYWHERE), zones={"floor": COUNTED["floor"], "site": site}),
            changes=(
                Redeem(TOKEN_ID, USE._replace(gate="lift")),
                Move(HOLDER_ID, "floor", Presence(0, 0), Presence(1, NOW)),
                Occupy("floor", 6),
                Move(HOLDER_ID, "site", Presence(0, 0), Presence(1, NOW)),
                Occupy("site", 6),
            ),
        ),
        admitted(
            "who enters again is counted once, and inside since now",
            at(zones={"hq": Zone("hq", ("hq",), 5)}, inside={"hq": a_presence()}),
            changes=(Redeem(TOKEN_ID, USE), Move(HOLDER_ID, "hq", a_presence(), Presence(1, NOW))),
        ),
        admitted(
            "one of two is inside and both enter",
            at(pass_=two, people=2, zones={"hq": Zone("hq", ("hq",), 5)}, inside={"hq": a_presence()}),
            changes=(
                Redeem(TOKEN_ID, USE._replace(let_in=2, people=2)),
                Move(HOLDER_ID, "hq", a_presence(), Presence(2, NOW)),
                Occupy("hq", 6),
            ),
        ),
        admitted(
            "after a use was given back the next has the next number",
            at(last_use=a_use(number=4, voided=True, let_in=0)),
            changes=(Redeem(TOKEN_ID, USE._replace(number=5)),),
        ),
    ]


def _exits() -> list[Vector]:
    way_out = Gate("way-out", Direction.EXIT, BUILDING, YARD)
    door = Gate("door", Direction.BOTH, YARD, BUILDING)
    in_ = a_presence()

    def out(gate: Gate = way_out, *, exit_side: bool = True, **other: Any) -> Facts:
        seen = at(gate=gate, direction=Direction.EXIT, exit_side=exit_side, pass_=a_pass(scope=EVERYWHERE))
        return seen._replace(zones=COUNTED, inside={"building": in_, "floor": in_})._replace(**other)

    gone, came = Presence(0, in_.since), Presence(1, NOW)
    through = (
        Move(HOLDER_ID, "building", in_, gone),
        Occupy("building", 4),
        Move(HOLDER_ID, "floor", in_, gone),
        Occupy("floor", 4),
        Move(HOLDER_ID, "yard", Presence(0, 0), came),
        Occupy("yard", 6),
    )
    party = a_limited_pass(party_size=3)._replace(scope=EVERYWHERE)
    wrong = out(
        presented=code_claims(), token=None, pass_=None, budgets={NUMBER_BUDGET: Budget(), GATE_BUDGET: Budget()}
    )
    spent = tuple(SpendBudget(key, Budget(TODAY, 1, NOW)) for key in (NUMBER_BUDGET, GATE_BUDGET))
    missing, noted = ("not_inside",), ("move", "move")
    return [
        admitted("out of a building every zone in it is left, and the token is not used", out(), changes=through),
        admitted(
            "a used token takes its holder out and is flagged", out(last_use=a_use()), "already_used", changes=through
        ),
        admitted("so does a revoked one", out(token=a_token(revoked=True)), "token_revoked", changes=through),
        admitted("so does a blocked one", out(token=a_token(blocked=True)), "token_blocked", changes=through),
        admitted("who is not inside is flagged, and has left all the same", out(inside={}), *missing, changes=noted),
        admitted("who has left is not inside", out(inside={"building": gone, "floor": gone}), *missing, changes=noted),
        admitted(
            "what was wrong and not inside are both flagged",
            out(inside={}, token=a_token(revoked=True)),
            "token_revoked",
            *missing,
            changes=noted,
        ),
        admitted(
            "what is no token takes nobody out",
            out(presented=Refused("malformed"), token=None, pass_=None),
            "malformed",
            changes=(),
        ),
        admitted("a wrong code takes nobody out and is counted", wrong, "unknown", changes=spent),
        admitted("where nobody is counted nobody is missed", out(zones={}, inside={}), changes=()),
        admitted("a device at the exit side of a gate for both goes the other way", out(door), changes=through),
        admitted(
            "at a gate for both, going out uses the token",
            out(door, exit_side=False),
            changes=(Redeem(TOKEN_ID, USE._replace(gate="door", direction=Direction.EXIT)), *through),
        ),
        denied(
            "at a gate for both, going out may be refused", out(door, exit_side=False, last_use=a_use()), "already_used"
        ),
        admitted(
            "at a gate for both, who is not inside is flagged",
            out(door, exit_side=False, inside={}),
            *missing,
            changes=("redeem", *noted, "move", "occupy"),
        ),
        admitted(
            "part of a party goes out",
            out(Gate("way-out", Direction.EXIT, BUILDING), pass_=party, people=2, inside={"building": Presence(3, 9)}),
            changes=(Move(HOLDER_ID, "building", Presence(3, 9), Presence(1, 9)), Occupy("building", 3)),
        ),
        admitted(
            "more than are inside go out as they are",
            out(Gate("way-out", Direction.EXIT, BUILDING), pass_=party, people=3, inside={"building": Presence(2, 9)}),
            changes=(Move(HOLDER_ID, "building", Presence(2, 9), Presence(0, 9)), Occupy("building", 3)),
        ),
        admitted("no more than the party come into the zone outside", out(people=4), changes=through),
        admitted(
            "a full zone outside keeps nobody in",
            out(zones={**COUNTED, "yard": COUNTED["yard"]._replace(capacity=5)}),
            changes=through,
        ),
    ]


def _overrides() -> list[Vector]:
    def desk(**other: Any) -> Facts:
        return at(override=True)._replace(**other)

    used, over = a_use(), a_pass(valid_until=NOW)
    return [
        admitted("an override where nothing is wrong", desk()),
        admitted("an override of a used token", desk(last_use=used), "already_used", overridden="already_used", changes=(Redeem(TOKEN_ID, USE._replace(number=2, let_in=2)),)),
        admitted("of two reasons the first is overridden, and both are flagged", desk(last_use=used, pass_=over), "pass_expired", "already_used", overridden="pass_expired"),
        admitted("an override fills a zone beyond its capacity", desk(zones={"hq": Zone("hq", ("hq",), 9, 9)}), "zone_full", overridden="zone_full", changes=("redeem", "move", Occupy("hq", 10))),
        denied("an override of a block", desk(token=a_token(blocked=True)), "token_blocked"),
        denied("an override of what is no token", desk(presented=Refused("unrecognised"), token=None, pass_=None), "unrecognised"),
        admitted("more than the party by hand", desk(people=3), "too_many_people", overridden="too_many_people", changes=(Redeem(TOKEN_ID, USE._replace(let_in=3, people=3)),)),
        admitted("an override on a pass that is used up counts on", desk(pass_=a_pass(max_entries=1, entries=1)), "no_entries_left", overridden="no_entries_left", changes=("redeem", CountEntry(PASS_ID, 2, 1))),
    ]  # fmt: skip


def _repeats() -> list[Vector]:
    camera = a_gate(repeat_window=5 * SECOND)

    def again(**use: Any) -> Facts:
        return at(gate=camera, last_use=a_use(**use))

    no = "already_used"
    return [
        repeated("the same token a second later", again()),
        repeated("in the same microsecond", again(at=NOW)),
        repeated("a microsecond before the window ends", again(at=NOW - 5 * SECOND + 1)),
        denied("when the window ends", again(at=NOW - 5 * SECOND), no),
        denied("a use in the future, after a clock was set back", again(at=NOW + 1), no),
        denied("another gate", again(gate="back-door"), no),
        denied("another caller", again(credential=an_id(77)), no),
        denied("the other direction", again(direction=Direction.EXIT), no),
        denied("a gate without a window", again()._replace(gate=a_gate()), no),
        admitted("a use that was given back", again(voided=True, let_in=0)),
        denied("a first proof that waits", again(reserved_until=NOW + 1, let_in=0), no),
        repeated("a repeat takes no entry", again()._replace(pass_=a_pass(max_entries=1, entries=1))),
        admitted("an override within the window is no repeat", again()._replace(override=True), no, overridden=no, changes=(Redeem(TOKEN_ID, USE._replace(number=2, let_in=2)),)),
        denied("another pass of the holder's", again(pass_=OTHER_PASS_ID), no),
        repeated("a use of which nobody knows the pass", again(pass_=None)),
        admitted("nothing repeats on the way out", again(direction=Direction.EXIT)._replace(direction=Direction.EXIT, exit_side=True), "already_used", changes=()),
    ]  # fmt: skip


def _parties() -> list[Vector]:
    three = a_limited_pass(party_size=3)
    hard = {"hq": a_hard_zone(people=5)}
    return [
        admitted("one of three, and two are left", at(pass_=three), people_left=2),
        admitted("two of three, and one is left", at(pass_=three, people=2), people_left=1, changes=(Redeem(TOKEN_ID, USE._replace(let_in=2, people=2)),)),
        admitted("the last of three", at(pass_=three, last_use=a_use(let_in=2))),
        admitted("no more are left than the pass has entries", at(pass_=three._replace(max_entries=2)), people_left=1, changes=("redeem", CountEntry(PASS_ID, 1, 1))),
        admitted("no more are left than there are places", at(pass_=three, zones={"hq": Zone("hq", ("hq",), 7, 9)}), people_left=1, changes=("redeem", "move", "occupy")),
        admitted("the rest of a party is not passed back", at(pass_=three, people=2, zones=hard, inside={"hq": a_presence()}, last_use=a_use()), changes=("redeem", "move", "occupy")),
        denied("the refusal of a party says how many could come in", at(pass_=three._replace(max_entries=2), people=3), "no_entries_left", people_left=2),
        admitted("a part that was given back may come again", at(pass_=three, people=2, last_use=a_use(number=2, voided=True, let_in=1))),
    ]  # fmt: skip


def _two_proofs() -> list[Vector]:
    gate = a_gate(second_proof=30 * SECOND)
    until = NOW + 30 * SECOND
    second = at(gate=gate, presented=code_claims(), token=a_code(), reservation=a_reservation())
    code_use, first_use = Redeem(OTHER_TOKEN_ID, USE), Redeem(TOKEN_ID, USE._replace(number=2))
    over = Reserve("main-door", HOLDER_ID, None)
    both_ways = Gate("main-door", Direction.BOTH, (), ("hq",), 0, 30 * SECOND)
    waits = Redeem(TOKEN_ID, USE._replace(reserved_until=until, let_in=0))
    reserved = Reserve("main-door", HOLDER_ID, Reservation(TOKEN_ID, 1, "signed", until))
    no = "needs_second_proof"
    return [
        denied("the first proof is used and reserved until its time is over", at(gate=gate), no, changes=(waits, reserved)),
        admitted("the second proof uses both", second, changes=(code_use, first_use, over)),
        admitted("the first proof had been used before", second._replace(pass_=a_limited_pass(party_size=3), reservation=a_reservation(number=4, let_in=1)), people_left=2, changes=(code_use, Redeem(TOKEN_ID, USE._replace(number=5, let_in=2)), over)),
        denied("the first proof of a token that let in some of a party", at(gate=gate, pass_=a_limited_pass(party_size=3), last_use=a_use()), no, changes=(Redeem(TOKEN_ID, USE._replace(number=2, reserved_until=until)), Reserve("main-door", HOLDER_ID, Reservation(TOKEN_ID, 2, "signed", until, let_in=1)))),
        admitted("an entry by two proofs is counted once", second._replace(pass_=a_pass(max_entries=2)), changes=(code_use, first_use, over, CountEntry(PASS_ID, 1, 1))),
        denied("more people by the second proof than by the first", second._replace(pass_=a_limited_pass(party_size=3), people=2), no, changes=(Redeem(OTHER_TOKEN_ID, USE._replace(reserved_until=until, let_in=0, people=2)), Reserve("main-door", HOLDER_ID, Reservation(OTHER_TOKEN_ID, 1, "code", until, 2)))),
        admitted("a party by two proofs", second._replace(pass_=a_limited_pass(party_size=3), people=2, reservation=a_reservation(people=2)), people_left=1, changes=(Redeem(OTHER_TOKEN_ID, USE._replace(let_in=2, people=2)), Redeem(TOKEN_ID, USE._replace(number=2, let_in=2, people=2)), over)),
        denied("a first proof that no gate would take is not reserved", at(gate=gate, pass_=a_pass(scope=Scope())), "wrong_gate"),
        admitted("going out uses no first proof that waits", second._replace(gate=both_ways, direction=Direction.EXIT), changes=(Redeem(OTHER_TOKEN_ID, USE._replace(direction=Direction.EXIT)),)),
        admitted("an override uses no first proof whose time is over", second._replace(override=True, reservation=a_reservation(until=NOW)), no, overridden=no, changes=(code_use,)),
        admitted("an override of the first proof itself", at(gate=gate, override=True, last_use=a_use(reserved_until=NOW + 10 * SECOND, let_in=0), reservation=a_reservation()), no, overridden=no, changes=(Redeem(TOKEN_ID, USE._replace(number=2)), over)),
    ]  # fmt: skip


def _cards() -> list[Vector]:
    here = a_pass(id=an_id(20), scope=EVERYWHERE)
    also = here._replace(id=OTHER_PASS_ID)
    elsewhere = a_pass(id=an_id(22), scope=Scope())
    over = here._replace(id=an_id(23), valid_until=NOW)

    def card(*passes: Any, **other: Any) -> Facts:
        seen = at(presented=card_claims(), token=a_card(), pass_=passes[0], other_passes=passes[1:])
        return seen._replace(**other)

    camera = a_gate(repeat_window=5 * SECOND)
    used_up = here._replace(max_entries=1, entries=1)
    moment_ago = a_use(pass_=here.id)
    out = Gate("way-out", Direction.EXIT, ("hq",))
    both_ways = a_gate(direction=Direction.BOTH)
    return [
        admitted("a card whose holder has one pass", card(here)),
        admitted("the one good pass of two is the first", card(here, elsewhere)),
        admitted("the one good pass of two is the second", card(elsewhere, here)),
        admitted("the entry is counted on the good pass", card(elsewhere, also._replace(max_entries=5, entries=2)), changes=("redeem", CountEntry(OTHER_PASS_ID, 3, 1))),
        denied("two good passes", card(here, also), "ambiguous"),
        denied("two good passes, by hand", card(here, also, override=True), "ambiguous"),
        admitted("two good passes on the way out", card(here, also, gate=out, direction=Direction.EXIT, exit_side=True), changes=()),
        admitted("two good passes on the way out at a gate for both", card(here, also, gate=both_ways, direction=Direction.EXIT), changes=(Redeem(a_card().id, USE._replace(direction=Direction.EXIT, pass_=here.id)),)),
        denied("none is good, and the one that came furthest says why", card(over, elsewhere), "wrong_gate"),
        denied("in the other order too", card(elsewhere, over), "wrong_gate"),
        admitted("an override of the one that came furthest", card(over, elsewhere, override=True), "wrong_gate", overridden="wrong_gate"),
        repeated("let in a moment ago on the one good pass", card(here, elsewhere, gate=camera, last_use=moment_ago)),
        repeated("let in a moment ago on one of two good passes", card(also, here, gate=camera, last_use=moment_ago)),
        repeated("let in a moment ago on a pass that is used up now", card(elsewhere, used_up, gate=camera, last_use=moment_ago)),
        denied("let in a moment ago on a pass that is revoked now, and the other is over", card(over, here._replace(status=PassStatus.REVOKED), gate=camera, last_use=moment_ago), "pass_expired"),
        denied("let in a moment ago on a pass that is suspended now, and the other is for another gate", card(elsewhere, here._replace(status=PassStatus.SUSPENDED), gate=camera, last_use=moment_ago), "wrong_gate"),
        admitted("let in a moment ago on a pass that is no longer there", card(also, gate=camera, last_use=moment_ago), changes=(Redeem(a_card().id, USE._replace(number=2, pass_=OTHER_PASS_ID)),)),
        denied("a blocked card with two good passes", card(here, also, token=a_card(blocked=True)), "token_blocked"),
        denied("a signed token names its pass", at(presented=signed_claims(idx=1)), "unknown"),
    ]  # fmt: skip
