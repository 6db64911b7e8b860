"""Which columns are those of a list, whatever they are called; and what is told of the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from demo.workbooks import Linked
from monitor.errors import LayoutChanged
from monitor.remarks import UnknownColumn
from monitor.workbooks import parser
from monitor.workbooks.parser import Sheet
from monitor.workbooks.sandbox import Reader
from tests.monitor import hostile
from tests.monitor.hostile import HEADER, listed
from tests.monitor.workbooks.lists import QUILLMARSH, TIDEWRACK, fetched, many

NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)
ROWS = (QUILLMARSH, TIDEWRACK)


def renamed(**names: str) -> tuple[str, ...]:
    """The usual header with other names for some columns, by the words of the usual one."""
    return tuple(names.get(name.replace(" ", "_"), name) for name in HEADER)


def read(header: Sequence[str | None], *rows: Sequence[object]) -> Sheet:
    return parser.read(hostile.saved(listed(*(rows or ROWS), header=header)))[0]


USUAL = read(HEADER)


@pytest.mark.parametrize(
    "header",
    [
        renamed(LAW_ENFORCEMENT_AGENCY="AGENCY"),
        renamed(LAW_ENFORCEMENT_AGENCY="Law Enforcement Agency Name"),
        renamed(SIGNED="DATE SIGNED"),
        renamed(SIGNED="Signed Date"),
        renamed(SUPPORT_TYPE="SUPPORT MODEL"),
        renamed(MOA="MOA LINK"),
        renamed(STATE="STATE/TERRITORY"),
        renamed(COUNTY="COUNTY / PARISH"),
        renamed(TYPE="AGENCY TYPE", LAW_ENFORCEMENT_AGENCY="AGENCY"),
        renamed(STATE="STATTE", SIGNED="SINGED", SUPPORT_TYPE="SUPORT TYPE"),
        renamed(LAW_ENFORCEMENT_AGENCY="LAW ENFORCMENT AGENCY", COUNTY="COUNTRY"),
    ],
)
def test_a_column_is_known_by_other_names_and_with_typing_errors(header: tuple[str, ...]) -> None:
    """Each of these held every publication until somebody changed the program, or blanked a cell of each row."""
    assert read(header)["rows"] == USUAL["rows"]
    assert read(header)["unknown_columns"] == []


def test_what_stands_below_a_name_can_belie_it() -> None:
    header = renamed(SUPPORT_TYPE="MODEL")
    with pytest.raises(LayoutChanged) as caught:
        read(header, *((*row[:4], "Ford Explorer", *row[5:]) for row in ROWS))
    assert caught.value.missing == ("SUPPORT TYPE",)


def test_a_misspelt_name_must_be_borne_out_by_what_stands_below_it() -> None:
    blank = [(*row[:5], None, *row[6:]) for row in ROWS]
    assert "signed" in read(renamed(SIGNED="SIGNED"), *blank)["columns"]
    assert "signed" not in read(renamed(SIGNED="SINGED"), *blank)["columns"]


def test_the_usual_name_goes_before_another_one() -> None:
    sheet = read((*HEADER, "MODEL"), *((*row, "", "Ford")[:9] for row in ROWS))
    assert sheet["rows"] == USUAL["rows"]
    assert sheet["unknown_columns"] == [("MODEL", 2, [("Ford", 2)])]


def test_a_date_on_the_pending_list_is_no_day_of_signing() -> None:
    rows = [(*row[:5], "2025-03-05") for row in ROWS]
    assert read((*HEADER[:5], "DATE"), *rows)["list"] == "pending"


# --- what an operator maps ------------------------------------------------------------------------------------


def test_an_operator_can_say_which_column_is_which(reader: Reader) -> None:
    book = fetched(hostile.saved(listed(*ROWS, header=renamed(SUPPORT_TYPE="PROGRAM", STATE="WHERE"))))
    with pytest.raises(LayoutChanged):
        reader.read(book, NOW)
    _, publication = reader.read(book, NOW, columns={"program": "SUPPORT TYPE", "Where": "STATE"})
    assert [row.cells.support_type for row in publication.listings] == ["Task Force Model"] * 2
    assert [row.values.state for row in publication.listings] == ["GA", "GA"]


def test_ices_own_header_counts_once_it_is_back(reader: Reader) -> None:
    rows = [(*row, "", "") for row in ROWS]
    book = fetched(hostile.saved(listed(*rows, header=(*HEADER, "SINCE"))))
    _, publication = reader.read(book, NOW, columns={"since": "SIGNED"})
    assert [row.values.signed for row in publication.listings] == [
        row.values.signed for row in reader.read(book, NOW)[1].listings
    ]


def test_a_column_that_there_is_not_is_refused(reader: Reader) -> None:
    with pytest.raises(ValueError, match="'SIGNATURE' is no column of a list; there are STATE, LAW ENFORCEMENT"):
        reader.read(fetched(hostile.saved(listed(*ROWS))), NOW, columns={"X": "SIGNATURE"})


# --- columns that nobody knows --------------------------------------------------------------------------------


def test_a_column_that_no_list_had_is_told_with_what_it_says(reader: Reader) -> None:
    """STATUS "Terminated" on 40 rows passed without a word."""
    rows = [(*row, "", "Terminated" if number < 40 else "Active") for number, row in enumerate(many(100))]
    _, publication = reader.read(fetched(hostile.saved(listed(*rows, header=(*HEADER, "STATUS")))), NOW)
    assert publication.remarks.unknown_columns == (UnknownColumn("STATUS", 100, (("Active", 60), ("Terminated", 40))),)


def test_a_column_without_a_name_is_told_by_its_letter() -> None:
    assert read(HEADER, (*QUILLMARSH, "", "checked"))["unknown_columns"] == [("column I", 1, [("checked", 1)])]


def test_of_an_unknown_column_no_more_is_kept_than_an_operator_can_read() -> None:
    rows = [(*row, "", f"{'x' * 200} {number}") for number, row in enumerate(many(60))]
    ((name, filled, texts),) = read((*HEADER, "N" * 500), *rows)["unknown_columns"]
    assert (len(name), filled, texts) == (100, 60, [("x" * 100, 60)])
    rows = [(*row, "", str(number)) for number, row in enumerate(many(60))]
    assert len(read((*HEADER, "NOTES"), *rows)["unknown_columns"][0][2]) == 20


def test_a_list_by_other_names_still_has_its_links() -> None:
    linked = (*QUILLMARSH[:6], Linked("View", "https://docs.example/a.pdf"))
    assert read(renamed(MOA="MOA LINK"), linked)["rows"][0][1]["moa_address"] == "https://docs.example/a.pdf"
