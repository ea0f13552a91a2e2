"""Taking an admission back: what stood before stands again, or the difference is taken away."""

import pytest

from app.core.changes import Change, CountLimited, Move, Occupy
from app.core.decision import decide
from app.core.model import ANYWHERE, MINUTE, CountKey, Direction, EntryCount, Gate, Presence, Scope
from app.core.undo import UNDO_WITHIN, undo
from tests.core.facts import (
    CARD_ID,
    HOLDER_ID,
    NOW,
    PASS_ID,
    TODAY,
    a_card,
    a_gate,
    a_limited_pass,
    a_pass,
    a_zone,
    zone_facts,
)
from tests.core.world import Attempt, World, verification

OUTSIDE = Presence(0, 0)
EARLIER, LATER = NOW - MINUTE, NOW + MINUTE
ENTRY = Move(HOLDER_ID, "hq", OUTSIDE, Presence(1, NOW))
EXIT = Move(HOLDER_ID, "hq", Presence(1, EARLIER), Presence(0, EARLIER))
TODAYS = CountKey(PASS_ID, ANYWHERE)


def moved_back(
    change: Move, stands: Presence, people: int = 5, undone: dict[str, int] | None = None
) -> tuple[Change, ...]:
    return undo([change], now=LATER, inside={"hq": stands}, people={"hq": people}, counts={}, undone=undone or {})


def counted_back(before: EntryCount, after: EntryCount, stands: EntryCount | None) -> EntryCount:
    counts = {} if stands is None else {TODAYS: stands}
    (back,) = undo([CountLimited(TODAYS, before, after)], now=LATER, inside={}, people={}, counts=counts, undone={})
    assert isinstance(back, CountLimited)
    assert back.before == (stands or EntryCount())
    return back.after


def test_it_is_possible_for_a_quarter_of_an_hour() -> None:
    assert UNDO_WITHIN == 15 * MINUTE


def test_nothing_is_put_back_where_nothing_changed() -> None:
    assert undo([], now=LATER, inside={"hq": Presence(1, NOW)}, people={"hq": 1}, counts={}, undone={"hq": 1}) == ()


def test_an_entry_is_taken_back() -> None:
    assert moved_back(ENTRY, Presence(1, NOW)) == (
        Move(HOLDER_ID, "hq", Presence(1, NOW), OUTSIDE),
        Occupy("hq", 4),
    )


def test_an_exit_is_taken_back_and_who_left_is_inside_since_they_came() -> None:
    assert moved_back(EXIT, Presence(0, EARLIER)) == (
        Move(HOLDER_ID, "hq", Presence(0, EARLIER), Presence(1, EARLIER)),
        Occupy("hq", 6),
    )


def test_an_entry_that_counted_nobody_again_gives_back_since_when_they_were_inside() -> None:
    again = Move(HOLDER_ID, "hq", Presence(1, EARLIER), Presence(1, NOW))
    assert moved_back(again, Presence(1, NOW)) == (Move(HOLDER_ID, "hq", Presence(1, NOW), Presence(1, EARLIER)),)


def test_who_has_gone_out_since_does_not_go_out_twice() -> None:
    assert moved_back(ENTRY, Presence(0, NOW)) == (Move(HOLDER_ID, "hq", Presence(0, NOW), Presence(0, NOW)),)


def test_whom_the_desk_has_taken_out_does_not_go_out_twice() -> None:
    assert moved_back(ENTRY, OUTSIDE) == (Move(HOLDER_ID, "hq", OUTSIDE, Presence(0, LATER)),)


def test_of_a_party_only_those_who_came_with_that_entry_are_taken_back() -> None:
    second = Presence(3, LATER - 1)
    assert moved_back(ENTRY, second) == (Move(HOLDER_ID, "hq", second, Presence(2, LATER - 1)), Occupy("hq", 4))


def test_who_comes_back_to_where_nobody_was_is_inside_since_now() -> None:
    assert moved_back(EXIT, OUTSIDE)[0] == Move(HOLDER_ID, "hq", OUTSIDE, Presence(1, LATER))


def test_no_count_of_people_falls_below_nothing() -> None:
    assert moved_back(ENTRY, Presence(1, NOW), people=0)[1] == Occupy("hq", 0)


def test_a_zone_whose_people_are_no_longer_counted_is_left_alone() -> None:
    back = undo([ENTRY], now=LATER, inside={"hq": Presence(1, NOW)}, people={}, counts={}, undone={})
    assert [type(change) for change in back] == [Move]


# --- where an earlier admission was taken back before -----------------------------------------------------------------


def test_nobody_comes_back_inside_whose_entry_was_taken_back_since() -> None:
    """In and out; then the entry is taken back, then the exit."""
    gone = Presence(0, NOW)
    left = Move(HOLDER_ID, "hq", Presence(1, NOW), gone)
    assert moved_back(ENTRY, gone) == (Move(HOLDER_ID, "hq", gone, gone),)
    assert moved_back(left, gone, undone={"hq": 1}) == (Move(HOLDER_ID, "hq", gone, Presence(0, NOW)),)
    assert moved_back(left, gone, undone={"yard": 1})[0] == Move(HOLDER_ID, "hq", gone, Presence(1, NOW))


def test_nobody_stays_inside_whose_entries_were_both_taken_back_though_they_were_counted_once() -> None:
    """In and in again; then the first is taken back, then the second."""
    inside = Presence(1, LATER)
    again = Move(HOLDER_ID, "hq", Presence(1, NOW), inside)
    assert moved_back(ENTRY, inside) == (Move(HOLDER_ID, "hq", inside, inside),)
    assert moved_back(again, inside, undone={"hq": 1}) == (
        Move(HOLDER_ID, "hq", inside, Presence(0, NOW)),
        Occupy("hq", 4),
    )


def test_of_a_party_those_whose_entry_was_taken_back_since_do_not_come_back_with_the_others() -> None:
    left = Move(HOLDER_ID, "hq", Presence(3, NOW), Presence(0, NOW))
    back = moved_back(left, Presence(0, NOW), undone={"hq": 2})
    assert back == (Move(HOLDER_ID, "hq", Presence(0, NOW), Presence(1, NOW)), Occupy("hq", 6))


def test_of_a_party_that_came_in_three_parts_the_last_is_inside_where_the_others_were_taken_back() -> None:
    second = Move(HOLDER_ID, "hq", Presence(1, EARLIER), Presence(3, NOW))
    stands = Presence(4, NOW + 1)
    back = moved_back(second, stands, undone={"hq": 1})
    assert back == (Move(HOLDER_ID, "hq", stands, Presence(2, NOW + 1)), Occupy("hq", 3))


def test_no_fewer_than_none_come_back_however_many_were_taken_back() -> None:
    assert moved_back(EXIT, Presence(0, EARLIER), undone={"hq": 2})[0] == Move(
        HOLDER_ID, "hq", Presence(0, EARLIER), Presence(0, EARLIER)
    )


IN = a_gate(id="way-in")
OUT = a_gate(id="way-out", direction=Direction.EXIT, from_zones=("hq",), into_zones=())


@pytest.mark.parametrize(
    "gates", [(IN, OUT), (IN, IN), (IN, IN, OUT), (IN, OUT, IN)], ids=lambda gates: " ".join(gate.id for gate in gates)
)
def test_nobody_is_inside_where_all_was_taken_back_the_earliest_first(gates: tuple[Gate, ...]) -> None:
    pass_ = a_pass(scope=Scope(every_gate=True))
    world = World({CARD_ID: (a_card(), (pass_,))}, [a_zone()])
    for n, gate in enumerate(gates):
        world.settle(Attempt(NOW + n, verification(n), gate, CARD_ID))
    for n in range(len(gates)):
        world.undo(verification(n), LATER + n)
    assert world.presences[HOLDER_ID, "hq"].people == 0
    assert world.zones["hq"].people == 0


# --- counts -----------------------------------------------------------------------------------------------------------


def test_a_count_is_put_back_as_it_was_where_nothing_happened_since() -> None:
    yesterday = EntryCount(7, TODAY - 1, 2, EARLIER)
    first_today = EntryCount(8, TODAY, 1, NOW)
    assert counted_back(yesterday, first_today, first_today) == yesterday


@pytest.mark.parametrize(
    ("stands", "left"),
    [
        (EntryCount(9, TODAY, 3, LATER), EntryCount(7, TODAY, 1, LATER)),
        (EntryCount(9, TODAY + 1, 1, LATER), EntryCount(7, TODAY + 1, 1, LATER)),
        (EntryCount(7, TODAY, 1, NOW), EntryCount(5, TODAY, 0, EARLIER)),
        (EntryCount(1, TODAY, 1, LATER), EntryCount(0, TODAY, 0, LATER)),
        (None, EntryCount(0, 0, 0, 0)),
    ],
    ids=["another entry", "the next day", "an earlier one taken back", "set by hand", "gone"],
)
def test_otherwise_only_the_difference_is_taken_away(stands: EntryCount | None, left: EntryCount) -> None:
    assert counted_back(EntryCount(6, TODAY, 1, EARLIER), EntryCount(8, TODAY, 3, NOW), stands) == left


def test_all_that_an_entry_changed_is_put_back() -> None:
    seen = zone_facts(pass_=a_limited_pass(per_day=2))
    changed = [change for change in decide(seen).changes if isinstance(change, Move | CountLimited)]
    assert [type(change) for change in changed] == [CountLimited, Move]
    back = undo(
        changed,
        now=LATER,
        inside={"hq": Presence(1, NOW)},
        people={"hq": 1},
        counts={changed[0].count_key: changed[0].after},
        undone={},
    )
    assert [type(change) for change in back] == [CountLimited, Move, Occupy]
    assert (back[0].after, back[1].after, back[2].people) == (EntryCount(), OUTSIDE, 0)
