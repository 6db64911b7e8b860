"""Whether a publication is believed: each reason to hold one, and when a hold ends by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.checks import plausibility
from monitor.checks.plausibility import Doubt, Limits, emptied
from monitor.matching.matcher import match
from monitor.model import Cells, HeldPublication, Hold, Kind, ListName, Matching, Outcome
from monitor.normalize import STATES
from tests.monitor import hostile
from tests.monitor.builders import NOON, PARTICIPATING, PENDING, Service, cells, listings
from tests.monitor.hostile import listed
from tests.monitor.matching.test_matcher import standings
from tests.monitor.workbooks.lists import many

LIMITS = Limits()
STATE_NAMES = [name.upper() for name in STATES.values()]
HOUR = timedelta(hours=1)


def agencies(count: int, **others: str) -> list[Cells]:
    """So many different agencies, each in a county and signed on a day of its own, five to a state."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        cells(
            f"{letters[i % 26]}{letters[i // 26 % 26]}ldermoor Police Department".title(),
            **(
                {
                    "state": STATE_NAMES[i // 5 % len(STATE_NAMES)],
                    "signed": f"{2000 + i // 336}-{i // 28 % 12 + 1:02}-{i % 28 + 1:02}",
                    "county": "",
                }
                | others
            ),
        )
        for i in range(count)
    ]


def judged(old: Sequence[Cells], new: Sequence[Cells], *, served_before: bool = False) -> Hold | None:
    return plausibility.plausibility(matching_of(old, new), len(old), served_before=served_before, limits=LIMITS)


def matching_of(old: Sequence[Cells], new: Sequence[Cells]) -> Matching:
    return match(standings(listings(*old)), listings(*new))


# --- structure ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "columns_of"), [(PARTICIPATING, PENDING), (PENDING, PARTICIPATING)])
def test_a_workbook_with_the_other_lists_columns_is_held(asked: ListName, columns_of: ListName) -> None:
    """Sept. 22, 2025: ICE linked each list as the other."""
    hold = plausibility.structure(asked, columns_of, listings(cells()))
    assert hold == Hold(
        (f"The workbook linked as the {asked} list has the columns of the {columns_of} list.",), structural=True
    )


def test_an_empty_participating_list_is_held() -> None:
    assert plausibility.structure(PARTICIPATING, PARTICIPATING, ()) == Hold(
        ("The participating list is empty.",), structural=True
    )


def test_an_empty_pending_list_is_normal() -> None:
    assert plausibility.structure(PENDING, PENDING, ()) is None


def test_a_list_that_is_what_it_was_linked_as_is_not_held() -> None:
    assert plausibility.structure(PARTICIPATING, PARTICIPATING, listings(cells())) is None


# --- plausibility ------------------------------------------------------------------------------------------


def said(hold: Hold | None) -> tuple[str, ...]:
    """The reasons of a hold, without the codes that stand for rows."""
    return tuple(re.sub(r" \[[0-9a-f]{8}\]", "", reason) for reason in hold.reasons) if hold else ()


@pytest.mark.parametrize(
    ("before", "gone", "reasons"),
    [
        (600, 0, ()),
        (600, 6, ()),  # the most that ever left at once in 2025
        (600, 14, ()),  # fewer than fifteen
        (600, 15, ("Too many rows gone: 15 of 600.",)),
        (600, 30, ("Too many rows gone: 30 of 600.",)),  # a twentieth, not more
        (600, 31, ("Far too many rows gone: 31 of 600.",)),
        (600, 300, ("Far too many rows gone: 300 of 600.",)),
        (30, 14, ()),
        (30, 15, ("Far too many rows gone: 15 of 30.",)),
    ],
)
def test_more_rows_gone_than_ever_left_at_once_are_doubtful(before: int, gone: int, reasons: tuple[str, ...]) -> None:
    """In 2025 at most 6 rows left at once; 140 of 1,560 might have vanished unheld by the first limits."""
    rows = agencies(before)
    step = before // gone if gone else 1
    left = set(range(0, before, step)[:gone])
    assert said(judged(rows, [row for i, row in enumerate(rows) if i not in left])) == reasons


def test_fifteen_rows_are_no_great_departure_from_a_longer_list() -> None:
    gone = len(matching_of(agencies(15), []).gone)
    for before, reasons in ((1499, ("Too many rows gone: 15 of 1499.",)), (1500, ())):
        hold = plausibility.plausibility(matching_of(agencies(15), []), before, served_before=False, limits=LIMITS)
        assert (gone, said(hold)) == (15, reasons)


@pytest.mark.parametrize(
    ("in_state", "gone", "reasons"),
    [
        (5, 5, ()),  # too few to tell
        (6, 2, ()),
        (6, 3, ("Half of a state gone: 3 of 6 in NE.",)),
        (9, 3, ()),  # Dec. 5, 2025, Nebraska: true
        (9, 4, ()),
        (9, 9, ("Half of a state gone: 9 of 9 in NE.",)),
    ],
)
def test_half_of_a_state_gone_is_doubtful(in_state: int, gone: int, reasons: tuple[str, ...]) -> None:
    """A whole state could vanish without a doubt, as long as it was a tenth of the list at most."""
    rows = agencies(200)
    nebraska = [replace(row, state="NEBRASKA") for row in rows[:in_state]]
    others = [row for row in rows[in_state:] if row.state != "NEBRASKA"]
    assert said(judged([*nebraska, *others], [*nebraska[gone:], *others])) == reasons


def test_every_state_that_lost_half_is_named() -> None:
    rows = agencies(200, state="OHIO")
    rows[:6] = [replace(row, state="TEXAS") for row in rows[:6]]
    rows[6:14] = [replace(row, state="IOWA") for row in rows[6:14]]
    assert said(judged(rows, [*rows[3:6], *rows[10:]])) == ("Half of a state gone: 4 of 8 in IA, 3 of 6 in TX.",)


@pytest.mark.parametrize(
    ("before", "changed", "reasons"),
    [
        (400, 13, ()),  # the most that ever changed at once in 2025
        (400, 14, ()),
        (400, 15, ("Too many rows changed: 15 of 400 in substance.",)),
        (500, 15, ()),  # three in a hundred, not more
        (500, 16, ("Too many rows changed: 16 of 500 in substance.",)),
        (30, 14, ()),
    ],
)
def test_more_rows_changed_in_substance_than_ever_at_once_are_doubtful(
    before: int, changed: int, reasons: tuple[str, ...]
) -> None:
    rows = agencies(before)
    redated = [replace(row, signed=f"1999-{row.signed[5:]}") for row in rows[:changed]]
    assert said(judged(rows, [*redated, *rows[changed:]])) == reasons


def test_documents_and_spellings_may_change_on_every_row() -> None:
    """Aug. 18, 2025: 77 documents turned into "Link Pending" at once."""
    rows = agencies(100)
    assert judged(rows, [replace(row, moa="Link Pending", agency=row.agency.upper()) for row in rows]) is None


@pytest.mark.parametrize(
    ("field", "unreadable", "called"),
    [
        ("signed", "see note", "signed dates"),
        ("support_type", "see note", "support types"),
    ],
)
@pytest.mark.parametrize(
    ("before", "rows_lost", "doubtful"), [(600, 14, False), (600, 15, True), (600, 600, True), (15, 15, True)]
)
def test_cells_that_were_readable_and_are_not_are_doubtful_in_bulk(
    field: str, unreadable: str, called: str, before: int, rows_lost: int, doubtful: bool
) -> None:
    """Dates written as text, "March 5, 2025", would have been 1,560 changes of a signed date."""
    rows = agencies(before, moa_address="")
    rows = [replace(row, moa="link", moa_address=f"https://ice.test/{i}.pdf") for i, row in enumerate(rows)]
    lost = [replace(row, **{field: unreadable}) for row in rows[:rows_lost]]
    reasons = said(judged(rows, [*lost, *rows[rows_lost:]]))
    reason = f"Cells that were readable are not: {rows_lost} of {before} {called}."
    assert (reason in reasons) is doubtful


@pytest.mark.parametrize(("filled", "left", "doubtful"), [(40, 0, True), (20, 0, True), (19, 0, False), (40, 2, False)])
def test_a_column_that_empties_is_doubtful(filled: int, left: int, doubtful: bool) -> None:
    """COUNTY under another header would have been 1,560 blanked counties."""
    counties = agencies(40)
    rows = [replace(row, county="Wexmoor County" if i < filled else "") for i, row in enumerate(counties)]
    emptied = [replace(row, county=row.county if i < left else "") for i, row in enumerate(rows)]
    reason = f"A column is empty now: COUNTY, filled in {filled} of 40 rows before and in {left} now."
    assert (reason in said(judged(rows, emptied))) is doubtful


def test_the_documents_and_the_signed_dates_may_not_vanish_either() -> None:
    rows = [replace(row, moa="link", moa_address=f"https://ice.test/{i}.pdf") for i, row in enumerate(agencies(40))]
    hold = judged(rows, [replace(row, moa="", moa_address="", signed="") for row in rows])
    assert {
        "A column is empty now: SIGNED, filled in 40 of 40 rows before and in 0 now.",
        "A column is empty now: MOA, filled in 40 of 40 rows before and in 0 now.",
    } <= set(said(hold))


def test_a_column_that_fills_is_not_doubtful() -> None:
    """March 17, 2025: COUNTY was filled in for all rows at once."""
    rows = agencies(40)
    assert judged(rows, [replace(row, county="Wexmoor County") for row in rows]) is None


@pytest.mark.parametrize(("before", "now", "doubtful"), [(14, 0, False), (19, 0, False), (20, 0, True), (60, 1, False)])
def test_an_empty_pending_list_is_doubtful_after_a_long_one(before: int, now: int, doubtful: bool) -> None:
    """A header alone would have dropped 60 applications; on Nov. 6, 2025, 14 left at once and none remained."""
    rows = agencies(before)
    hold = plausibility.pending(matching_of(rows, rows[:now]), before, LIMITS)
    assert said(hold) == ((f"Every application gone: {before} of {before}.",) if doubtful else ())


def test_rows_that_are_rewritten_are_not_gone() -> None:
    rows = agencies(60)
    rewritten = [replace(row, agency=row.agency.replace("moor", "mor"), moa="Link Pending") for row in rows]
    assert judged(rows, rewritten) is None


def test_any_number_of_rows_may_come() -> None:
    assert judged(agencies(10), agencies(400)) is None


def test_too_many_unknown_states_are_held() -> None:
    rows = agencies(100)
    unknown = [replace(row, state="#N/A") for row in rows[:10]]
    assert said(judged(rows, [*unknown, *rows[10:]])) == ("Too many unknown states: 10 of 100 rows.",)


@pytest.mark.parametrize(("rows", "unknown"), [(100, 1), (100, 9), (200, 10)])
def test_a_few_unknown_states_hold_nothing(rows: int, unknown: int) -> None:
    known = agencies(rows)
    odd = [replace(row, state="#N/A") for row in known[:unknown]]
    assert judged(known, [*odd, *known[unknown:]]) is None


def test_a_misspelt_state_that_can_be_repaired_is_not_unknown() -> None:
    rows = agencies(100, state="GEORGIA")
    assert judged(rows, [replace(row, state="GEORGAI") for row in rows]) is None


def test_too_many_repeated_rows_are_held() -> None:
    rows = agencies(100)
    assert said(judged(rows, [*rows, *rows[:10]])) == (
        "Too many repeated rows: 10 of 110 rows list an agreement a second time.",
    )


def test_rows_that_come_repeated_count_as_repeated() -> None:
    rows = agencies(100)
    assert said(judged([], [*rows, *rows[:10]])) == (
        "Too many repeated rows: 10 of 110 rows list an agreement a second time.",
    )


@pytest.mark.parametrize(("rows", "repeated"), [(100, 1), (100, 9), (190, 10)])  # the last: a twentieth, not more
def test_a_few_repeated_rows_hold_nothing(rows: int, repeated: int) -> None:
    once = agencies(rows)
    assert judged(once, [*once, *once[:repeated]]) is None


def test_shares_are_of_what_they_are_shares_of() -> None:
    """Rows gone of the rows before; unknown states and repeated rows of the rows now."""
    rows = agencies(220)
    assert said(judged(rows[:199], rows[20:])) == ("Far too many rows gone: 20 of 199.",)
    odd = [replace(row, state="#N/A") for row in rows[:10]]
    assert judged(rows[:10], [*odd, *rows[10:200]]) is None
    assert said(judged(rows[:10], [*odd, *rows[10:199]])) == ("Too many unknown states: 10 of 199 rows.",)
    assert judged(rows[:10], [*rows[:10], *rows[:189]]) is not None


def test_the_bytes_of_an_earlier_publication_served_again_are_held() -> None:
    rows = agencies(5)
    assert judged(rows, rows, served_before=True) == Hold(
        ("An earlier workbook served again: its bytes were published before, and replaced since.",), structural=False
    )


def test_every_reason_is_said() -> None:
    rows = agencies(150)
    hold = judged(rows, [replace(row, state="#N/A") for row in rows[30:]], served_before=True)
    assert hold
    assert {Doubt.SERVED_AGAIN, Doubt.FAR_TOO_MANY_GONE, Doubt.UNKNOWN_STATES} <= plausibility.doubts(hold)


# --- what ICE repairs --------------------------------------------------------------------------------------

GONE = Hold(("Too many rows gone: 20 of 1000 [0a1b2c3d].",), structural=False)
MOST_GONE = Hold(("Far too many rows gone: 780 of 1560.",), structural=False)
SERVED_AGAIN = Hold((f"{Doubt.SERVED_AGAIN}: its bytes were published before, and replaced since.",), structural=False)
STRUCTURAL = Hold(("The participating list is empty.",), structural=True)
CHANGED = Hold(("Too many rows changed: 60 of 1000 in substance [4e5f6a7b].",), structural=False)


def repaired(hold: Hold, *, gone: int, returned: int, believed_before: bool = False) -> Hold | None:
    """What is left of a doubt about a list from which so many rows are gone, and to which so many return."""
    return plausibility.unless_repair(
        hold, matching_of(agencies(gone), []), returned=returned, believed_before=believed_before
    )


def both(*holds: Hold) -> Hold:
    return Hold(tuple(reason for hold in holds for reason in hold.reasons), structural=False)


@pytest.mark.parametrize(
    ("gone", "returned", "left"),
    [
        (30, 1530, None),  # the whole list after a sheet of 30 rows was believed
        (30, 300, None),
        (30, 299, MOST_GONE),
        (20, 20, MOST_GONE),  # an old list served again
        (20, 0, MOST_GONE),
    ],
)
def test_what_brings_back_ten_times_what_it_removes_is_no_doubt(gone: int, returned: int, left: Hold | None) -> None:
    assert repaired(MOST_GONE, gone=gone, returned=returned) == left


def test_an_earlier_workbook_that_only_brings_rows_back_is_believed_at_once() -> None:
    assert repaired(SERVED_AGAIN, gone=0, returned=1) is None
    assert repaired(SERVED_AGAIN, gone=0, returned=0, believed_before=True) == SERVED_AGAIN
    assert repaired(SERVED_AGAIN, gone=1, returned=1, believed_before=True) == SERVED_AGAIN


def test_rows_that_were_all_believed_before_raise_no_other_doubt() -> None:
    """Aug. 8, 2025: a batch of corrections was undone by the next publication."""
    assert repaired(both(CHANGED, GONE), gone=20, returned=20, believed_before=True) is None
    assert repaired(both(CHANGED, GONE), gone=20, returned=19, believed_before=True) == both(CHANGED, GONE)
    assert repaired(both(CHANGED, GONE), gone=1, returned=20) == CHANGED


# --- releasing ---------------------------------------------------------------------------------------------


def released(hold: Hold, *waiting: HeldPublication, first_seen: timedelta = timedelta()) -> bool:
    """Whether a publication is believed at noon that was first seen so long before."""
    return plausibility.released(hold, waiting, NOON - first_seen, NOON, LIMITS)


def held(hold: Hold, before: timedelta) -> HeldPublication:
    return HeldPublication(1, "p-1", "", "", NOON - before, hold, announce=True)


def lacking_twenty(rows: Sequence[Cells], first: int) -> Hold:
    """The doubt about a list that lacks twenty of its rows: every tenth, beginning with this one."""
    hold = judged(rows, [row for i, row in enumerate(rows) if i not in range(first, 200, 10)])
    assert hold
    return hold


def test_a_doubtful_publication_waits() -> None:
    assert not released(GONE)


def test_a_doubtful_publication_is_believed_after_two_days() -> None:
    """ICE often publishes nothing for days, so that no further publication could speak for it."""
    assert not released(GONE, first_seen=timedelta(hours=47))
    assert released(GONE, first_seen=timedelta(hours=48))


def test_two_days_are_counted_from_the_first_publication_that_raised_the_doubt() -> None:
    assert released(GONE, held(GONE, timedelta(hours=48)), first_seen=HOUR)
    assert released(GONE, held(GONE, timedelta(hours=48)), held(GONE, 20 * HOUR), first_seen=HOUR)


def test_no_number_of_publications_releases_before_two_days() -> None:
    assert not released(GONE, *[held(GONE, n * HOUR) for n in (47, 30, 20, 10, 2)])


def test_lists_that_contradict_each_other_never_release() -> None:
    """Florida alone, Texas alone, Georgia alone within an hour: the third was believed."""
    rows = agencies(600)
    one, other, third = (lacking_twenty(rows, first) for first in range(3))
    assert [said(hold) for hold in (one, other, third)] == [("Too many rows gone: 20 of 600.",)] * 3
    assert not released(third, held(one, HOUR), held(other, HOUR / 2))
    assert not released(third, held(one, timedelta(hours=72)), held(other, timedelta(hours=49)), first_seen=HOUR)


def test_a_contradiction_starts_the_two_days_anew() -> None:
    rows = agencies(600)
    one, other = lacking_twenty(rows, 0), lacking_twenty(rows, 1)
    before = [held(one, timedelta(hours=90)), held(other, timedelta(hours=50))]
    assert not released(one, *before, held(one, timedelta(hours=47)), first_seen=HOUR)
    assert released(one, *before, held(one, timedelta(hours=48)), first_seen=HOUR)


def test_further_rows_that_come_do_not_contradict() -> None:
    rows = agencies(610)
    fewer, more = judged(rows[:600], rows[20:600]), judged(rows[:600], rows[20:])
    assert fewer
    assert more
    assert released(more, held(fewer, timedelta(hours=48)), first_seen=HOUR)


def test_publications_held_for_another_reason_do_not_agree() -> None:
    assert not released(GONE, held(CHANGED, timedelta(hours=60)), held(CHANGED, 2 * HOUR))
    assert not released(both(GONE, CHANGED), held(GONE, timedelta(hours=60)), first_seen=HOUR)
    assert released(GONE, held(both(GONE, CHANGED), timedelta(hours=60)), first_seen=HOUR)


def test_another_column_that_empties_does_not_agree() -> None:
    county, moa = (Hold((f"A column is empty now: {c}, filled in 40 of 40.",), False) for c in ("COUNTY", "MOA"))
    assert not released(county, held(moa, timedelta(hours=60)), first_seen=HOUR)
    assert released(county, held(county, timedelta(hours=60)), first_seen=HOUR)


def test_a_workbook_that_could_not_be_read_contradicts_nothing() -> None:
    assert released(GONE, held(GONE, timedelta(hours=48)), held(STRUCTURAL, 2 * HOUR), first_seen=HOUR)


@pytest.mark.parametrize(
    "hold",
    [
        MOST_GONE,
        Hold(("Too many unknown states: 90 of 1000 rows.",), structural=False),
        both(GONE, MOST_GONE),
        STRUCTURAL,
    ],
)
def test_some_holds_only_an_operator_ends(hold: Hold) -> None:
    """Half a list released itself after three days: 780 false departures."""
    assert not released(hold, *[held(hold, timedelta(days=30))] * 5, first_seen=timedelta(days=365))


def test_what_was_served_again_is_believed_after_one_day() -> None:
    assert not released(SERVED_AGAIN, first_seen=timedelta(hours=23))
    assert released(SERVED_AGAIN, first_seen=timedelta(hours=24))


def test_no_further_publication_speaks_for_what_was_served_again() -> None:
    assert not released(SERVED_AGAIN, *[held(SERVED_AGAIN, timedelta(hours=60))] * 3, first_seen=HOUR)


def test_what_was_served_again_and_is_implausible_besides_waits_like_any_other() -> None:
    assert not released(both(SERVED_AGAIN, GONE), first_seen=timedelta(hours=24))
    assert released(both(SERVED_AGAIN, GONE), first_seen=timedelta(hours=48))


def test_what_was_only_served_again_does_not_agree_that_rows_are_gone() -> None:
    assert not released(both(SERVED_AGAIN, GONE), *[held(SERVED_AGAIN, timedelta(hours=60))] * 2)


def test_an_operator_may_set_how_long_a_hold_lasts() -> None:
    limits = replace(LIMITS, release_after=6 * HOUR)
    assert plausibility.released(GONE, (), NOON - 6 * HOUR, NOON, limits)


# --- columns that vanish --------------------------------------------------------------------------------------


def test_a_column_that_vanishes_or_empties_is_named() -> None:
    """COUNTY under a name that nobody knows blanked 1,560 counties."""
    full = [cells(f"Agency {n}") for n in range(20)]
    assert emptied(full, [cells(f"Agency {n}", county="", signed=" ") for n in range(20)]) == ("COUNTY", "SIGNED")


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([cells()] * 20, [cells()] * 20),
        ([cells()] * 20, [cells(county="")] * 10 + [cells()] * 10),
        ([cells(county="")] * 20, [cells(county="")] * 20),
        ([cells(addendum="link")] + [cells()] * 19, [cells()] * 20),
        ([cells()] * 20, []),
        ([], [cells()]),
    ],
)
def test_a_column_that_fades_or_was_never_full_has_not_vanished(before: list[Cells], now: list[Cells]) -> None:
    assert emptied(before, now) == ()


def test_a_document_without_words_is_no_empty_cell() -> None:
    before = [cells(moa="link", moa_address="https://docs.example/a.pdf")] * 20
    assert emptied(before, [cells(moa="", moa_address="https://docs.example/a.pdf")] * 20) == ()


def test_a_column_that_vanishes_holds_a_publication_until_an_operator_accepts_it(here: Service) -> None:
    """COUNTY under a name that nobody knew blanked 1,560 counties without a word."""
    full = [cells(f"Agency Number {n} Police") for n in range(20)]
    here.sees(*full)
    assert here.sees(*full, cells("Another Police")).outcome is Outcome.CHANGED
    result = here.sees(*(replace(row, county="") for row in full))
    assert result.outcome is Outcome.HELD
    assert "Columns that are gone or empty, where they were not: COUNTY." in result.detail


def test_a_small_sheet_in_front_of_the_list_ends_nothing(here: Service) -> None:
    """Thirty rows on a sheet "Terminated" in front made 1,530 agreements leave."""
    rows = many(200)
    here.gives(hostile.saved(listed(*rows)))
    here.check()
    book = listed(*rows[:3], title="Sheet1")
    hostile.fill(book.create_sheet("Sheet2"), [hostile.HEADER, *rows[3:]])
    here.gives(hostile.saved(book))
    here.check(after=timedelta(hours=1))
    assert [kind for kind, _ in here.told()] == [Kind.TERMINATED] * 3
