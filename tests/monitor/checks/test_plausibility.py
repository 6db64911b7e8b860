"""Whether a publication is believed: each reason to hold one, and when a hold ends by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.checks import plausibility
from monitor.checks.plausibility import Doubt, Limits
from monitor.matching.matcher import match
from monitor.model import Cells, HeldPublication, Hold, ListName
from tests.monitor.builders import NOON, PARTICIPATING, PENDING, cells, listings
from tests.monitor.matching.test_matcher import standings

LIMITS = Limits()
HOUR = timedelta(hours=1)


def agencies(count: int, **others: str) -> list[Cells]:
    """So many different agencies, each in a county and signed on a day of its own."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        cells(
            f"{letters[i % 26]}{letters[i // 26 % 26]}ldermoor Police Department".title(),
            **({"signed": f"{2000 + i // 360}-{i // 30 % 12 + 1:02}-{i % 30 + 1:02}", "county": ""} | others),
        )
        for i in range(count)
    ]


def judged(old: Sequence[Cells], new: Sequence[Cells], *, served_before: bool = False) -> Hold | None:
    matching = match(standings(listings(*old)), listings(*new))
    return plausibility.plausibility(matching, len(old), served_before=served_before, limits=LIMITS)


# --- structure ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "columns_of"), [(PARTICIPATING, PENDING), (PENDING, PARTICIPATING)])
def test_a_workbook_with_the_other_lists_columns_is_held(asked: ListName, columns_of: ListName) -> None:
    """22 September 2025: ICE linked each list as the other."""
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


def test_more_than_a_tenth_and_twenty_rows_gone_is_held() -> None:
    rows = agencies(150)
    assert judged(rows, rows[20:]) == Hold(("Too many rows gone: 20 of 150.",), structural=False)


@pytest.mark.parametrize(
    ("before", "gone"),
    [
        (150, 19),  # fewer than twenty
        (200, 20),  # a tenth, not more
        (30, 19),  # most of a short list
        (150, 0),
    ],
)
def test_fewer_rows_gone_are_believed(before: int, gone: int) -> None:
    rows = agencies(before)
    assert judged(rows, rows[gone:]) is None


def test_rows_that_are_rewritten_are_not_gone() -> None:
    rows = agencies(60)
    rewritten = [replace(row, agency=row.agency.replace("moor", "mor"), moa="Link Pending") for row in rows]
    assert judged(rows, rewritten) is None


def test_any_number_of_rows_may_come() -> None:
    assert judged(agencies(10), agencies(400)) is None


def test_too_many_unknown_states_are_held() -> None:
    rows = agencies(100)
    unknown = [replace(row, state="#N/A") for row in rows[:10]]
    assert judged(rows, [*unknown, *rows[10:]]) == Hold(("Too many unknown states: 10 of 100 rows.",), structural=False)


@pytest.mark.parametrize(("rows", "unknown"), [(100, 1), (100, 9), (200, 10)])
def test_a_few_unknown_states_hold_nothing(rows: int, unknown: int) -> None:
    known = agencies(rows)
    odd = [replace(row, state="#N/A") for row in known[:unknown]]
    assert judged(known, [*odd, *known[unknown:]]) is None


def test_a_misspelt_state_that_can_be_repaired_is_not_unknown() -> None:
    rows = agencies(100)
    assert judged(rows, [replace(row, state="GEORGAI") for row in rows]) is None


def test_too_many_repeated_rows_are_held() -> None:
    rows = agencies(100)
    assert judged(rows, [*rows, *rows[:10]]) == Hold(
        ("Too many repeated rows: 10 of 110 rows list an agreement a second time.",), structural=False
    )


def test_rows_that_come_repeated_count_as_repeated() -> None:
    rows = agencies(100)
    assert judged([], [*rows, *rows[:10]]) == Hold(
        ("Too many repeated rows: 10 of 110 rows list an agreement a second time.",), structural=False
    )


@pytest.mark.parametrize(("rows", "repeated"), [(100, 1), (100, 9), (190, 10)])  # the last: a twentieth, not more
def test_a_few_repeated_rows_hold_nothing(rows: int, repeated: int) -> None:
    once = agencies(rows)
    assert judged(once, [*once, *once[:repeated]]) is None


def test_shares_are_of_what_they_are_shares_of() -> None:
    """Rows gone of the rows before; unknown states and repeated rows of the rows now."""
    rows = agencies(220)
    assert judged(rows[:199], rows[20:199]) == Hold(("Too many rows gone: 20 of 199.",), structural=False)
    assert judged(rows[:200], rows[20:]) is None
    odd = [replace(row, state="#N/A") for row in rows[:10]]
    assert judged(rows[:10], [*odd, *rows[10:200]]) is None
    assert judged(rows[:10], [*odd, *rows[10:199]]) == Hold(
        ("Too many unknown states: 10 of 199 rows.",), structural=False
    )
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
    assert plausibility.doubts(hold) == {Doubt.SERVED_AGAIN, Doubt.GONE, Doubt.UNKNOWN_STATES}


# --- releasing ---------------------------------------------------------------------------------------------

GONE = Hold(("Too many rows gone: 120 of 1000.",), structural=False)
SERVED_AGAIN = Hold((f"{Doubt.SERVED_AGAIN}: its bytes were published before, and replaced since.",), structural=False)
STRUCTURAL = Hold(("The participating list is empty.",), structural=True)


def released(hold: Hold, *waiting: HeldPublication, first_seen: timedelta = timedelta()) -> bool:
    """Whether a publication is believed at noon that was first seen so long before."""
    return plausibility.released(hold, waiting, NOON - first_seen, NOON, LIMITS)


def held(hold: Hold, before: timedelta) -> HeldPublication:
    return HeldPublication(1, "p-1", "", "", NOON - before, hold, announce=True)


def test_a_doubtful_publication_waits() -> None:
    assert not released(GONE)


def test_a_doubtful_publication_is_believed_after_two_days() -> None:
    assert not released(GONE, first_seen=timedelta(hours=47))
    assert released(GONE, first_seen=timedelta(hours=48))


def test_two_days_are_counted_from_the_first_publication_that_raised_the_doubt() -> None:
    assert released(GONE, held(GONE, timedelta(hours=48)), first_seen=HOUR)


def test_the_second_further_publication_that_agrees_releases() -> None:
    assert not released(GONE, held(GONE, 2 * HOUR))
    assert released(GONE, held(GONE, 3 * HOUR), held(GONE, 2 * HOUR))


def test_publications_held_for_another_reason_do_not_agree() -> None:
    other = Hold(("Too many unknown states: 90 of 1000 rows.",), structural=False)
    assert not released(GONE, held(other, timedelta(hours=60)), held(other, 2 * HOUR))


def test_the_wrong_workbook_agrees_with_nothing() -> None:
    wrong = held(replace(GONE, structural=True), timedelta(hours=60))
    assert not released(GONE, wrong, wrong)


def test_what_was_served_again_is_believed_after_one_day() -> None:
    assert not released(SERVED_AGAIN, first_seen=timedelta(hours=23))
    assert released(SERVED_AGAIN, first_seen=timedelta(hours=24))


def test_no_further_publication_speaks_for_what_was_served_again() -> None:
    assert not released(SERVED_AGAIN, *[held(SERVED_AGAIN, timedelta(hours=60))] * 3, first_seen=HOUR)


def test_what_was_served_again_and_is_implausible_besides_waits_like_any_other() -> None:
    both = Hold((*SERVED_AGAIN.reasons, *GONE.reasons), structural=False)
    assert not released(both, first_seen=timedelta(hours=24))
    assert released(both, first_seen=timedelta(hours=48))


def test_what_was_only_served_again_does_not_agree_that_rows_are_gone() -> None:
    both = Hold((*SERVED_AGAIN.reasons, *GONE.reasons), structural=False)
    assert not released(both, *[held(SERVED_AGAIN, timedelta(hours=60))] * 2)


def test_a_structural_hold_is_never_released_by_itself() -> None:
    assert not released(STRUCTURAL, *[held(STRUCTURAL, HOUR)] * 5, first_seen=timedelta(days=365))


def test_an_operator_may_set_how_long_a_hold_lasts() -> None:
    limits = replace(LIMITS, release_after=6 * HOUR, agreeing_publications=1)
    assert plausibility.released(GONE, (), NOON - 6 * HOUR, NOON, limits)
    assert plausibility.released(GONE, [held(GONE, HOUR)], NOON, NOON, limits)
