"""What a check decides to record, from facts and rows alone: no database and no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.checks.check import meaning
from monitor.checks.decide import Decision, ListedRow, Opened, Rules, decide, time_seen
from monitor.checks.facts import Facts, Reading
from monitor.matching.matcher import key
from monitor.model import (
    Application,
    Cells,
    Current,
    Departure,
    HeldPublication,
    Hold,
    Kind,
    Listing,
    ListName,
    Outcome,
    Publication,
    Standing,
)
from monitor.normalize import listing
from tests.monitor.builders import NOON, PARTICIPATING, PENDING, kinds_of, listings
from tests.monitor.checks.test_check import MERE, QUILL, TIDE, many
from tests.monitor.checks.test_decisions import CAME, LEFT, STAYS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OTHER_MODEL = replace(QUILL, support_type="Jail Enforcement Model", signed="2026-02-27")
WRONG_LIST = Hold(("The workbook linked as the participating list has the columns of the pending list.",), True)


def standings(*rows: Cells | tuple[int, Cells]) -> tuple[Standing, ...]:
    """Rows of a list that are agreements 1, 2, …, or of the number that comes with a row."""
    numbered = [row if isinstance(row, tuple) else (number, row) for number, row in enumerate(rows, start=1)]
    return tuple(Standing(number, listing(place, row)) for place, (number, row) in enumerate(numbered, start=2))


def current(*rows: Cells | tuple[int, Cells], publication: int = 1, announce: bool = True) -> Current:
    """What a list held when it was last believed."""
    listed = standings(*rows)
    return Current(publication, meaning([s.listing for s in listed]), NOON - 10 * DAY, announce, listed)


def departure(row: Cells, agreement: int, *, ago: timedelta = HOUR, confirmed: bool = False) -> Departure:
    """An agreement that left a list some time before noon; entry c-1 said so of agreement 1."""
    return Departure(Standing(agreement, listing(2, row)), f"c-{agreement}", NOON - ago, confirmed)


def held(
    sha256: str = "held", hold: Hold = WRONG_LIST, *, publication: int = 7, ago: timedelta = HOUR
) -> HeldPublication:
    """A publication that was held some time before noon."""
    return HeldPublication(publication, f"p-{publication}", sha256, "other rows", NOON - ago, hold, announce=True)


def facts(was: Current | None, *, list_: ListName = PARTICIPATING, **others: Any) -> Facts:
    """What is on record of a list."""
    return replace(Facts(list_, announce=True, current=was), **others)


def reading(*rows: Cells, list_: ListName = PARTICIPATING, sha256: str = "new", hold: Hold | None = None) -> Reading:
    """What was read of a workbook at noon."""
    said = listings(*rows)
    publication = Publication(list_, sha256, "https://ice.test/list.xlsx", "list.xlsx", NOON, None, said)
    return Reading(publication, meaning(said), hold)


def decided(on_record: Facts, *rows: Cells, sha256: str = "new", rules: Rules | None = None) -> Decision:
    """What is decided at noon of a list with these rows."""
    return decide(on_record, reading(*rows, list_=on_record.list, sha256=sha256), rules or Rules(), NOON)


def agreements(decision: Decision) -> list[int | Opened]:
    """The agreements of the rows, in the order of the sheet."""
    return [row.agreement for row in decision.rows]


# --- what a publication says -----------------------------------------------------------------------------------


def test_a_baseline_opens_an_agreement_a_row_and_says_nothing() -> None:
    decision = decided(facts(None), QUILL, TIDE)
    assert (decision.outcome, decision.publication, decision.previous) == (Outcome.CHANGED, None, None)
    assert agreements(decision) == [Opened(2), Opened(3)]
    assert decision.changes == ()


def test_a_row_that_continues_no_other_opens_an_agreement_and_is_new() -> None:
    decision = decided(facts(current(QUILL)), QUILL, TIDE)
    assert agreements(decision) == [1, Opened(3)]
    (new,) = decision.changes
    assert (new.kind, new.agreement, new.after) == (Kind.NEW, None, listing(3, TIDE))
    assert (decision.previous, decision.observed_at) == (1, NOON)


def test_an_agreement_with_another_cell_has_changed() -> None:
    decision = decided(facts(current(QUILL)), replace(QUILL, signed="2025-02-15"))
    (changed,) = decision.changes
    assert (changed.kind, changed.agreement) == (Kind.CHANGED, 1)
    assert [(f.name, f.before, f.after) for f in changed.fields] == [("signed", "2025-02-14", "2025-02-15")]


def test_an_agreement_whose_row_is_gone_has_left() -> None:
    decision = decided(facts(current(QUILL, TIDE)), TIDE)
    assert agreements(decision) == [2]
    assert kinds_of(decision.changes) == [(Kind.TERMINATED, 1)]
    assert decision.confirmations == ()


def test_an_agreement_that_is_back_has_returned_and_its_departure_is_withdrawn() -> None:
    on_record = facts(current((2, TIDE)), departures=(departure(QUILL, 1),))
    decision = decided(on_record, QUILL, TIDE)
    assert agreements(decision) == [1, 2]
    assert kinds_of(decision.changes) == [(Kind.WITHDRAWN, 1), (Kind.RETURNED, 1)]
    assert decision.changes[0].about == "c-1"


def test_a_confirmed_departure_stays_when_its_agreement_returns() -> None:
    on_record = facts(current((2, TIDE)), departures=(departure(QUILL, 1, ago=9 * DAY, confirmed=True),))
    assert kinds_of(decided(on_record, QUILL, TIDE).changes) == [(Kind.RETURNED, 1)]


def test_a_second_row_of_an_agreement_is_spare_and_no_news() -> None:
    decision = decided(facts(current(QUILL, TIDE)), QUILL, TIDE, TIDE)
    assert decision.changes == ()
    assert sorted((row.agreement, row.spare) for row in decision.rows) == [(1, False), (2, False), (2, True)]


def test_an_agreement_that_comes_twice_is_opened_once() -> None:
    decision = decided(facts(current(QUILL)), QUILL, TIDE, TIDE)
    assert kinds_of(decision.changes) == [(Kind.NEW, None)]
    (first, second) = decision.rows[1:]
    assert first.agreement == second.agreement
    assert {first.spare, second.spare} == {False, True}


def test_two_agreements_that_come_under_one_key_are_merged() -> None:
    city = replace(MERE, agency="City of Thistlemere Police Department")
    on_record = facts(current(MERE, city), arrivals={2: "c-city"})
    decision = decided(on_record, MERE, MERE)
    (merge,) = decision.merges
    assert (merge.younger, merge.older) == (2, 1)
    assert (merge.note.kind, merge.note.agreement, merge.note.about) == (Kind.MERGED, 1, "c-city")
    assert sorted((row.agreement, row.spare) for row in decision.rows) == [(1, False), (1, True)]


def test_a_pair_that_may_be_one_is_put_to_a_person() -> None:
    decision = decided(facts(current(LEFT, STAYS)), CAME, STAYS)
    (pair,) = decision.doubtful
    assert isinstance(pair.departure, int)
    assert decision.changes[pair.departure].kind is Kind.TERMINATED
    assert decision.changes[pair.arrival].kind is Kind.NEW


def test_a_pair_with_an_earlier_departure_names_its_entry() -> None:
    on_record = facts(current((2, STAYS)), departures=(departure(LEFT, 1),))
    (pair,) = decided(on_record, CAME, STAYS).doubtful
    assert pair.departure == "c-1"


# --- the other list --------------------------------------------------------------------------------------------


def application(row: Cells, agreement: int, dropped: Departure | None = None) -> Application:
    return Application(Standing(agreement, listing(2, row)), NOON - 5 * DAY, dropped=dropped)


def test_a_pending_application_becomes_the_agreement_that_is_listed() -> None:
    on_record = facts(current(QUILL), applications=(application(replace(TIDE, signed=""), 9),))
    decision = decided(on_record, QUILL, TIDE)
    assert agreements(decision) == [1, 9]
    (new,) = decision.changes
    assert (new.kind, new.agreement, new.pending_since) == (Kind.NEW, 9, NOON - 5 * DAY)


def test_an_application_that_left_is_approved_when_its_agreement_is_listed() -> None:
    dropped = departure(replace(TIDE, signed=""), 9)
    on_record = facts(
        current(QUILL),
        applications=(application(dropped.standing.listing.cells, 9, dropped),),
        other_departures=(dropped,),
    )
    decision = decided(on_record, QUILL, TIDE)
    assert kinds_of(decision.changes) == [(Kind.APPROVED, 9), (Kind.NEW, 9)]
    assert decision.changes[0].about == "c-9"


def test_an_application_that_goes_while_its_agreement_is_listed_has_not_been_dropped() -> None:
    on_record = facts(
        current((9, replace(TIDE, signed=""))), list_=PENDING, participating=current((9, TIDE), publication=2)
    )
    assert decided(on_record).changes == ()


def test_an_application_for_an_agreement_that_is_listed_is_of_that_agreement() -> None:
    on_record = facts(current((9, MERE)), list_=PENDING, participating=current((4, TIDE), publication=2))
    decision = decided(on_record, MERE, replace(TIDE, signed=""))
    assert agreements(decision) == [9, 4]
    assert kinds_of(decision.changes) == [(Kind.APPLIED, 4)]


def test_of_two_that_were_listed_side_by_side_one_returns_and_the_other_leaves() -> None:
    one, other = (replace(MERE, agency=f"{name} Police Department") for name in ("Harl", "City of Harl"))
    on_record = facts(
        current((2, other)),
        departures=(departure(one, 1, ago=9 * DAY, confirmed=True),),
        listed_beside={key(listing(2, one).values): frozenset({2})},
    )
    assert kinds_of(decided(on_record, one).changes) == [(Kind.TERMINATED, 2), (Kind.RETURNED, 1)]


# --- confirmed -------------------------------------------------------------------------------------------------


def after(hours: float, **others: Any) -> Facts:
    """A list that agreement 1 left that many hours before noon, seen then and not since."""
    left = departure(QUILL, 1, ago=hours * HOUR)
    seen = ((left.observed_at, Outcome.CHANGED),)
    return facts(current((2, TIDE)), departures=(left,), **{"earlier_checks": seen, **others})


@pytest.mark.parametrize(("hours", "confirmed"), [(47, []), (48, ["c-1"]), (72, ["c-1"])])
def test_a_departure_is_confirmed_once_checks_have_seen_it_for_48_hours(hours: int, confirmed: list[str]) -> None:
    decision = decide(after(hours), None, Rules(), NOON)
    assert decision.outcome is Outcome.UNCHANGED
    assert [note.about for note in decision.confirmations] == confirmed


def test_a_changed_list_confirms_too() -> None:
    decision = decided(after(48), TIDE, MERE)
    assert kinds_of(decision.changes) == [(Kind.NEW, None)]
    assert kinds_of(decision.confirmations) == [(Kind.CONFIRMED, 1)]


def test_what_is_back_is_not_confirmed() -> None:
    decision = decided(after(72), QUILL, TIDE)
    assert decision.confirmations == ()


def test_a_departure_that_a_person_is_asked_about_waits_for_the_answer_however_long() -> None:
    asked = (("c-1", "c-arrival"),)
    assert decide(after(70 * 24, open_reviews=asked), None, Rules(), NOON).confirmations == ()
    assert len(decide(after(70 * 24), None, Rules(), NOON).confirmations) == 1


def test_hours_around_a_check_that_was_held_do_not_count() -> None:
    checks = [
        (NOON, Outcome.CHANGED),
        (NOON + 10 * HOUR, Outcome.UNCHANGED),
        (NOON + 20 * HOUR, Outcome.HELD),
        (NOON + 30 * HOUR, Outcome.UNCHANGED),
        (NOON + 35 * HOUR, Outcome.UNCHANGED),
    ]
    assert time_seen(checks, NOON, NOON + 35 * HOUR) == 15 * HOUR
    assert time_seen(checks, NOON + HOUR, NOON + 30 * HOUR) == timedelta()


# --- held ------------------------------------------------------------------------------------------------------

ROWS = many(600)
FEWER = ROWS[25:]
GONE = Hold(("Too many rows gone: 25 of 600 [4550c05c].",), structural=False)


def test_the_wrong_workbook_is_held_and_nothing_of_it_is_recorded() -> None:
    decision = decide(facts(current(QUILL)), reading(TIDE, hold=WRONG_LIST), Rules(), NOON)
    assert (decision.outcome, decision.hold, decision.detail) == (Outcome.HELD, WRONG_LIST, WRONG_LIST.reasons[0])
    assert (decision.rows, decision.changes) == ((), ())


def test_a_list_that_lost_too_many_rows_is_held() -> None:
    decision = decided(facts(current(*ROWS)), *FEWER)
    assert (decision.outcome, decision.hold) == (Outcome.HELD, GONE)


def test_what_is_held_already_is_not_held_again() -> None:
    decision = decided(facts(current(*ROWS), held=(held("same", GONE),)), *FEWER, sha256="same")
    assert (decision.outcome, decision.hold, decision.publication) == (Outcome.HELD, None, 7)


def test_a_hold_is_released_after_two_days_as_of_when_it_was_first_seen() -> None:
    waits = held("same", GONE, ago=2 * DAY)
    decision = decided(facts(current(*ROWS), held=(waits,)), *FEWER, sha256="same")
    assert (decision.outcome, decision.publication) == (Outcome.CHANGED, 7)
    assert decision.observed_at == NOON - 2 * DAY
    assert {change.kind for change in decision.changes} == {Kind.TERMINATED}
    assert decision.moot == ()


def test_half_a_list_waits_for_an_operator_however_long_ice_stands_by_it() -> None:
    """Half a list released itself after three days: 780 false departures."""
    half = held("same", Hold(("Far too many rows gone: 300 of 600.",), structural=False), ago=30 * DAY)
    decision = decided(facts(current(*ROWS), held=(half,)), *ROWS[300:], sha256="same")
    assert (decision.outcome, decision.changes) == (Outcome.HELD, ())


def test_three_lists_that_contradict_each_other_are_all_held() -> None:
    """Florida alone, Texas alone, Georgia alone within an hour: the third was believed."""
    was = current(*ROWS)
    waiting: tuple[HeldPublication, ...] = ()
    for number, state in enumerate(("FLORIDA", "TEXAS", "GEORGIA")):
        alone = [row for row in ROWS if row.state == state]
        decision = decided(facts(was, held=waiting), *alone, sha256=state)
        assert decision.outcome is Outcome.HELD
        assert decision.hold
        waiting = (*waiting, held(state, decision.hold, publication=7 + number))


def test_three_short_lists_that_lack_different_rows_are_all_held() -> None:
    was = current(*ROWS)
    waiting: tuple[HeldPublication, ...] = ()
    for number in range(3):
        lacking = {*ROWS[number * 20 : number * 20 + 20]}
        decision = decided(facts(was, held=waiting), *[row for row in ROWS if row not in lacking], sha256=str(number))
        assert decision.outcome is Outcome.HELD
        assert decision.hold
        waiting = (*waiting, held(str(number), decision.hold, publication=7 + number, ago=(90 - number) * HOUR))


def test_the_whole_list_is_believed_at_once_after_half_of_it_was() -> None:
    gone = tuple(departure(row, number, confirmed=True) for number, row in enumerate(ROWS[:300], start=1))
    was = current(*enumerate(ROWS[300:], start=301))
    decision = decided(facts(was, departures=gone, served_before=True), *ROWS)
    assert decision.outcome is Outcome.CHANGED
    assert {change.kind for change in decision.changes} == {Kind.RETURNED}


def test_the_whole_list_is_believed_at_once_after_a_sheet_of_other_rows_was() -> None:
    """A sheet "Terminated" of 30 rows, placed first, ended 1,530 agreements."""
    gone = tuple(departure(row, number) for number, row in enumerate(ROWS[30:], start=31))
    decision = decided(facts(current(*ROWS[:30]), departures=gone), *ROWS[30:])
    assert decision.outcome is Outcome.CHANGED
    assert [kinds_of(decision.changes).count((Kind.TERMINATED, number)) for number in range(1, 31)] == [1] * 30


def test_corrections_that_ice_undoes_are_believed_at_once() -> None:
    """7, 8 and Aug. 11, 2025: a batch was corrected, undone, and corrected again."""
    redated = [replace(row, signed=f"2019-{row.signed[5:]}") for row in ROWS]
    assert decided(facts(current(*redated)), *ROWS).outcome is Outcome.HELD
    undone = decided(facts(current(*redated), rows_believed_before=True), *ROWS)
    assert undone.outcome is Outcome.CHANGED
    assert len(undone.changes) == len(ROWS)


def test_an_old_list_served_again_is_held_though_its_rows_were_believed() -> None:
    on_record = facts(current(QUILL, TIDE, MERE), served_before=True, rows_believed_before=True)
    assert decided(on_record, QUILL, TIDE).outcome is Outcome.HELD


@pytest.mark.parametrize(("applications", "outcome"), [(14, Outcome.CHANGED), (60, Outcome.HELD)])
def test_a_pending_list_of_a_header_alone_is_held_after_a_long_one(applications: int, outcome: Outcome) -> None:
    """60 applications left the log at once; in truth at most 14 ever left none behind."""
    was = current(*(replace(row, signed="") for row in ROWS[:applications]))
    assert decided(facts(was, list_=PENDING)).outcome is outcome


def test_there_is_nothing_more_to_decide_about_what_was_held_once_the_believed_rows_are_back() -> None:
    decision = decided(facts(current(QUILL), held=(held(),)), QUILL)
    assert (decision.outcome, decision.moot) == (Outcome.UNCHANGED, (7,))


def test_a_believed_publication_leaves_nothing_to_decide_about_those_held_before_it() -> None:
    assert decided(facts(current(QUILL), held=(held(),)), QUILL, TIDE).moot == (7,)


def test_what_an_operator_rejected_stays_held() -> None:
    decision = decided(facts(current(QUILL), rejected=held()), TIDE)
    assert (decision.outcome, decision.publication, decision.hold) == (Outcome.HELD, 7, None)
    assert "An operator rejected this workbook (p-7)" in decision.detail


def test_on_an_operators_word_a_held_publication_is_believed_as_of_when_it_was_seen() -> None:
    waits, later = held("same", GONE, ago=5 * HOUR), held("later", publication=8)
    decision = decided(facts(current(*ROWS), held=(waits, later), accepting=waits), *FEWER, sha256="same")
    assert (decision.outcome, decision.publication, decision.observed_at) == (Outcome.CHANGED, 7, NOON - 5 * HOUR)
    assert len(decision.changes) == 25
    assert decision.moot == ()


def test_where_checks_went_on_meanwhile_what_is_accepted_may_be_confirmed_at_once() -> None:
    seen: datetime = NOON - 3 * DAY
    on_record = facts(
        current(QUILL, TIDE),
        accepting=held("rejected", ago=3 * DAY),
        earlier_checks=((seen, Outcome.UNCHANGED), (NOON, Outcome.UNCHANGED)),
    )
    decision = decided(on_record, TIDE, sha256="rejected")
    assert kinds_of(decision.changes) == [(Kind.TERMINATED, 1)]
    assert [(note.agreement, note.about) for note in decision.confirmations] == [(1, None)]


def test_deciding_does_not_depend_on_the_order_of_rows() -> None:
    on_record = facts(current(QUILL, TIDE))
    one, other = decided(on_record, TIDE, MERE, OTHER_MODEL), decided(on_record, OTHER_MODEL, MERE, TIDE)

    def by_cells(rows: tuple[ListedRow, ...]) -> set[tuple[Cells, bool]]:
        return {(row.listing.cells, isinstance(row.agreement, Opened)) for row in rows}

    def said(row: Listing | None) -> Cells | None:
        return row.cells if row else None

    assert by_cells(one.rows) == by_cells(other.rows)
    assert [(c.kind, said(c.before), said(c.after)) for c in one.changes] == [
        (c.kind, said(c.before), said(c.after)) for c in other.changes
    ]
