"""What a message says and in which order, before it is put into words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from alerts.messages.outline import Outline, Point, outline
from alerts.messages.values import Value
from alerts.model import Notice, RoutedEntry
from monitor.model import Cells, Entry, Kind, Significance
from tests.alerts.builders import LARKMERE, NOON, cells, changed, edits, entry, source, subscriber, watched


def outlined(*told: Entry | RoutedEntry, most: int = 50, least: Significance = Significance.SUBSTANTIVE) -> Outline:
    lines = tuple(t if isinstance(t, RoutedEntry) else RoutedEntry(t, (1,), least) for t in told)
    return outline(Notice(subscriber(), source(), lines, watched("TX")), most=most)


def points(says: Outline) -> list[Point]:
    return [p for place in says.places for section in place.sections for p in section.points]


def headings(says: Outline) -> list[tuple[str, str]]:
    return [(place.name, section.what.kind) for place in says.places for section in place.sections]


def towns(count: int, **others: str) -> Iterable[Cells]:
    return (cells(f"Town {n:03} Police Department", **others) for n in range(count))


def test_points_stand_by_state_and_then_by_what_happened() -> None:
    says = outlined(
        entry(Kind.NEW, cells(state="TEXAS")),
        entry(Kind.NEW, cells(state="UTOPIA")),
        entry(Kind.TERMINATED, cells(state="TEXAS")),
        entry(Kind.NEW, cells(state="GEORGIA")),
    )
    assert headings(says) == [("Georgia", "new"), ("Texas", "terminated"), ("Texas", "new"), ("", "new")]
    assert says.names == ("Georgia", "Texas", "")


def test_confirmed_and_unconfirmed_departures_stand_apart() -> None:
    says = outlined(entry(Kind.TERMINATED), entry(Kind.TERMINATED, status="confirmed"))
    assert [section.what.unconfirmed for section in says.places[0].sections] == [True, False]


def test_of_two_notes_beside_one_change_neither_is_left_out() -> None:
    change = changed(LARKMERE, cells("Larkmere PD"), agreement="a-one")
    first, second = entry(Kind.NEW), entry(Kind.NEW)
    notes = [
        RoutedEntry(entry(Kind.MERGED, before=LARKMERE, about=e.id, agreement="a-one"), (1,), corrects=e)
        for e in (first, second)
    ]
    says = outlined(change, *notes, least=Significance.CLERICAL)
    assert [(p.entry, bool(p.corrects)) for p in points(says)] == [(notes[1].entry.id, True), (change.id, True)]


def test_everything_is_counted_and_what_is_left_out_is_said() -> None:
    says = outlined(*(entry(Kind.NEW, row) for row in towns(300)), most=20)
    assert len(points(says)) == 20
    assert says.total == 300
    assert says.more == 280
    assert [(what.kind, count) for what, count in says.counts] == [(Kind.NEW, 300)]


def test_what_a_reader_must_not_miss_is_left_out_last() -> None:
    news = [entry(Kind.NEW, row) for row in towns(50, state="ALABAMA")]
    left = entry(Kind.TERMINATED, cells("Left Police Department", "WYOMING"))
    note = entry(Kind.WITHDRAWN, cells("Back Police Department", "WISCONSIN"))
    corrected = RoutedEntry(note, (1,), corrects=entry(Kind.TERMINATED, cells("Back Police Department", "WISCONSIN")))
    says = outlined(*news, left, corrected, most=2)
    assert headings(says) == [("Wisconsin", "withdrawn"), ("Wyoming", "terminated")]


def test_a_point_that_tells_of_many_rows_is_left_out_after_those_that_tell_of_one() -> None:
    single = [changed(row, cells(row.agency, "ALABAMA", signed="2025-01-01")) for row in towns(3, state="ALABAMA")]
    many = [changed(row, cells(row.agency, "WYOMING", signed="2025-01-01")) for row in towns(9, state="WYOMING")]
    says = outlined(*single, *many, most=1)
    assert [(place.name, says.more) for place in says.places] == [("Wyoming", 3)]


def test_the_same_edit_on_many_rows_of_a_state_is_one_point() -> None:
    edits = [changed(row, cells(row.agency, support_type="Warrant Service Officer")) for row in towns(12)]
    [point] = points(outlined(*edits))
    assert point.count == 12
    assert point.values == (Value("support_type", "Task Force Model", "Warrant Service Officer"),)
    assert point.agencies == tuple(f"Town {n:03} Police Department" for n in range(5))


def test_a_column_that_is_filled_in_is_one_point_although_each_row_says_something_else() -> None:
    edits = [changed(row, cells(row.agency, county=f"County {n}")) for n, row in enumerate(towns(12, county="#N/A"))]
    [point] = points(outlined(*edits, least=Significance.CLERICAL))
    assert [(v.name, v.move) for v in point.values] == [("county", "filled")]


def test_documents_that_are_withdrawn_at_once_are_one_point() -> None:
    edits = [
        changed(
            cells(f"Town {n}", moa_address=f"https://example.org/{n}.pdf"),
            cells(f"Town {n}", moa="Link Pending", moa_address=""),
        )
        for n in range(77)
    ]
    [point] = points(outlined(*edits, least=Significance.DOCUMENT))
    assert [(v.name, v.move) for v in point.values] == [("moa", "emptied")]
    assert point.count == 77


def test_different_edits_stand_alone() -> None:
    edits = [changed(row, cells(row.agency, signed=f"2025-01-{n + 1:02}")) for n, row in enumerate(towns(12))]
    assert [p.count for p in points(outlined(*edits))] == [1] * 12


def test_three_rows_are_not_many() -> None:
    edits = [changed(row, cells(row.agency, support_type="Warrant Service Officer")) for row in towns(3)]
    assert [p.count for p in points(outlined(*edits))] == [1] * 3


def test_the_same_edit_in_two_states_is_two_points() -> None:
    edits = [
        changed(row, cells(row.agency, row.state, support_type="Warrant Service Officer"))
        for state in ("TEXAS", "GEORGIA")
        for row in towns(5, state=state)
    ]
    assert [p.count for p in points(outlined(*edits))] == [5, 5]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"state": "TEXAS "}, {"state": "OKLAHOMA"}, Value("state", "Texas", "Oklahoma")),
        ({"signed": "05/082025"}, {"signed": "2025-08-28"}, Value("signed", "May 8, 2025", "Aug. 28, 2025")),
        ({"signed": "soon"}, {"signed": "2025-08-28"}, Value("signed", "soon", "Aug. 28, 2025")),
        ({"county": "#N/A"}, {"county": "Larkmere County"}, Value("county", "", "Larkmere County")),
        (
            {"support_type": "Task Force Officer"},
            {"support_type": "Jail Enforcment Model"},
            Value("support_type", "Task Force Model", "Jail Enforcement Model"),
        ),
        (
            {"moa": "link pending", "moa_address": ""},
            {"moa": "link", "moa_address": "https://example.org/x/Larkmere.pdf"},
            Value("moa", "", "larkmere.pdf"),
        ),
        ({"agency": "Larkmere  PD"}, {"agency": "Larkmere PD "}, Value("agency", "Larkmere PD", "Larkmere PD")),
    ],
)  # fmt: skip
def test_cells_are_told_as_a_reader_knows_them(before: dict[str, str], after: dict[str, str], said: Value) -> None:
    [point] = points(outlined(changed(cells(**before), cells(**after)), least=Significance.CLERICAL))
    assert said in point.values


def test_an_edit_that_shows_nowhere_is_told_as_typing() -> None:
    [point] = points(outlined(changed(cells("A  B"), cells("A B")), least=Significance.CLERICAL))
    assert [v.is_typing for v in point.values] == [True]


def test_an_address_that_is_unwrapped_is_the_same_document_and_shows_nobodys_mailbox() -> None:
    wrapped = "https://gcc02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.org%2Fx.pdf&data=me%40x.org"
    edit = changed(cells(moa_address=wrapped), cells(moa_address="https://example.org/x.pdf"))
    [point] = points(outlined(edit, least=Significance.CLERICAL))
    assert point.values == (Value("moa", "https://example.org/x.pdf", "https://example.org/x.pdf"),)
    assert point.values[0].is_typing


def test_a_document_that_moves_is_told_with_its_addresses() -> None:
    edit = changed(cells(moa_address="https://example.org/a/x.pdf"), cells(moa_address="https://example.org/b/x.pdf"))
    [point] = points(outlined(edit, least=Significance.CLERICAL))
    assert point.values == (Value("moa", "https://example.org/a/x.pdf", "https://example.org/b/x.pdf"),)


def test_fields_that_matter_less_than_was_asked_for_are_left_out() -> None:
    [point] = points(outlined(changed(LARKMERE, cells("Larkmere PD", signed="2025-09-01"))))
    assert [v.name for v in point.values] == ["signed"]


def test_a_correction_says_what_it_corrects() -> None:
    departure = entry(Kind.TERMINATED, observed_at=NOON - timedelta(days=1))
    [point] = points(outlined(RoutedEntry(entry(Kind.WITHDRAWN, about=departure.id), (1,), corrects=departure)))
    assert point.corrects
    assert (point.corrects.kind, point.corrects.observed_at) == (Kind.TERMINATED, NOON - timedelta(days=1))


def test_an_agreement_that_was_reported_dropped_as_an_application_is_told_of_once() -> None:
    drop = entry(Kind.DROPPED)
    says = outlined(RoutedEntry(entry(Kind.WITHDRAWN, about=drop.id), (1,), corrects=drop), entry(Kind.NEW))
    [point] = points(says)
    assert headings(says) == [("Texas", "new")]
    assert point.corrects
    assert says.total == 1


def test_a_correction_says_with_the_return_what_is_no_longer_as_it_was() -> None:
    departure, moved = entry(Kind.TERMINATED), cells(state="GEORGIA")
    back = entry(Kind.RETURNED, moved, before=LARKMERE, fields=edits(LARKMERE, moved))
    says = outlined(RoutedEntry(entry(Kind.WITHDRAWN, about=departure.id), (1,), corrects=departure), back)
    [point] = points(says)
    assert headings(says) == [("Georgia", "returned")]
    assert point.corrects
    assert [(v.before, v.after) for v in point.values] == [("Texas", "Georgia")]


def test_what_happened_to_an_agency_several_times_stands_in_the_order_of_time() -> None:
    times = [NOON + timedelta(days=day) for day in (5, 1, 3, 2, 4)]
    says = outlined(*(entry(Kind.RETURNED, observed_at=at) for at in times))
    assert [p.since for p in points(says)] == sorted(times)


def test_a_very_long_cell_is_cut() -> None:
    [point] = points(outlined(entry(Kind.NEW, cells("x" * 10_000, county="y" * 10_000))))
    assert len(point.agency) == len(point.county) == 100


def test_an_agency_without_a_name_is_told_of_all_the_same() -> None:
    [point] = points(outlined(entry(Kind.NEW, cells("\u202e"))))
    assert point.agency == "(no name)"
