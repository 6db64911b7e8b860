"""Which of several sheets with the columns of a list are the list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from openpyxl import Workbook

from monitor.model import ListName, Publication
from monitor.remarks import SheetRead
from monitor.workbooks.choice import Key
from monitor.workbooks.sandbox import Reader
from tests.monitor import hostile
from tests.monitor.hostile import HEADER, PENDING_HEADER
from tests.monitor.workbooks.lists import fetched, many, names_of

NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)
PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING


def book(*, hidden: str = "", **sheets: Sequence[Sequence[Any]]) -> Workbook:
    """A workbook with these sheets in their order, each under the usual header."""
    made = Workbook()
    del made["Sheet"]
    for title, rows in sheets.items():
        header = PENDING_HEADER if rows and len(rows[0]) == 5 else HEADER
        hostile.fill(made.create_sheet(title), [header, *rows])
    if hidden:
        made[hidden].sheet_state = "hidden"
    return made


def read(reader: Reader, made: Workbook, **how: Any) -> Publication:
    return reader.read(fetched(hostile.saved(made)), NOW, **how)[1]


def keys(publication: Publication) -> set[Key]:
    return {(row.values.state, row.values.agency, row.values.support_type) for row in publication.listings}


def test_a_small_sheet_that_comes_first_is_not_the_list(reader: Reader) -> None:
    """A sheet "Terminated" of 30 rows in front of the list made 1,530 agreements leave."""
    made = book(Sheet1=many(6), Sheet2=many(300, first=6))
    last = keys(read(reader, book(List=many(306))))
    for known in (set[Key](), last):
        publication = read(reader, made, known=known)
        assert len(publication.listings) == 300
        assert publication.remarks.sheets == (
            SheetRead("Sheet1", PARTICIPATING, 6, used=False),
            SheetRead("Sheet2", PARTICIPATING, 300, used=True),
        )


def test_a_sheet_of_what_is_not_listed_any_more_is_not_the_list(reader: Reader) -> None:
    made = book(Terminated=many(100), Agencies=many(80, first=100))
    assert len(read(reader, made).listings) == 80


def test_of_two_lists_the_one_is_read_that_shares_most_with_the_last(reader: Reader) -> None:
    made = book(Old=many(60, first=500), Data=many(50), Draft=many(90, first=200))
    assert names_of(read(reader, made, known=keys(read(reader, book(List=many(50)))))) == [row[1] for row in many(50)]


def test_a_list_on_two_sheets_is_one_list_with_its_rows_numbered_on(reader: Reader) -> None:
    made = book(First=many(50), Second=many(40, first=50))
    last = keys(read(reader, book(List=many(90))))
    for known in (set[Key](), last):
        publication = read(reader, made, known=known)
        assert names_of(publication) == [row[1] for row in many(90)]
        assert [row.row for row in publication.listings] == [*range(2, 52), *range(53, 93)]


def test_a_copy_of_the_list_beside_it_is_not_read_twice(reader: Reader) -> None:
    assert len(read(reader, book(Data=many(50), Copy=many(48))).listings) == 50


def test_of_both_lists_in_one_workbook_the_one_is_read_that_was_asked_for(reader: Reader) -> None:
    made = book(A=many(50), B=[row[:5] for row in many(20, first=50)])
    assert len(read(reader, made, asked=PENDING).listings) == 20
    assert len(read(reader, made, asked=PARTICIPATING).listings) == 50
    assert reader.lists_in(fetched(hostile.saved(made))) == {PARTICIPATING, PENDING}


def test_a_workbook_with_the_other_list_only_is_read_as_that(reader: Reader) -> None:
    made = fetched(hostile.saved(book(A=many(50))))
    assert reader.read(made, NOW, asked=PENDING)[0] is PARTICIPATING


def test_a_hidden_sheet_is_passed_over_for_one_that_readers_see(reader: Reader) -> None:
    made = book(Old=many(50), New=many(51), hidden="Old")
    assert len(read(reader, made, known=keys(read(reader, book(List=many(50))))).listings) == 51


def test_a_workbook_with_a_single_list_says_nothing_of_sheets(reader: Reader) -> None:
    assert read(reader, book(List=many(3))).remarks.sheets == ()


def test_a_workbook_without_a_list_holds_none(reader: Reader) -> None:
    assert reader.lists_in(fetched(b"no workbook")) == frozenset()
