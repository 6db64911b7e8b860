"""What is read from a workbook, and which ones are refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Border, Side

from demo.workbooks import Linked, Row, workbook
from monitor.errors import LayoutChanged, WorkbookError
from monitor.model import ListName
from monitor.workbooks import parser
from monitor.workbooks.parser import Sheet
from monitor.workbooks.tables import MAX_PARTS, MAX_TEXT, MAX_UNPACKED, as_published
from tests.monitor import hostile
from tests.monitor.hostile import HEADER, PENDING_HEADER, Place, listed

SAVED = dt.datetime(2026, 3, 2, 14, 5, 6, tzinfo=dt.UTC)
COUNTY = ("GEORGIA", "Quillmarsh County Sheriff's Office", "County", "Quillmarsh County", "Task Force Model")
COUNTY_CELL = hostile.cell("E2", COUNTY[4])


def read(content: bytes) -> Sheet:
    """The first sheet that holds a list."""
    return parser.read(content)[0]


def texts(sheet: Sheet, name: str) -> list[str]:
    """One of our columns from top to bottom."""
    return [row.get(name, "") for _, row in sheet["rows"]]


# --- which sheet, and which list ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "list_"),
    [
        (HEADER, ListName.PARTICIPATING),
        (HEADER[:7], ListName.PARTICIPATING),  # before ADDENDUM appeared
        ((*HEADER[:3], *HEADER[4:7]), ListName.PARTICIPATING),  # before COUNTY appeared
        (PENDING_HEADER, ListName.PENDING),
        ((*PENDING_HEADER, "MOA"), ListName.PENDING),
        ((*HEADER, None, "", " "), ListName.PARTICIPATING),
        (
            ("state ", "Law  Enforcement\nAgency", "Type", "County", "SUPPORT\u00a0TYPE", "Signed:", "moa"),
            "participating",
        ),
    ],
)
def test_the_columns_say_which_list_it_is(header: Sequence[str | None], list_: str) -> None:
    sheet = read(hostile.saved(listed(COUNTY, header=header)))
    assert sheet["list"] == list_
    assert texts(sheet, "state") == ["GEORGIA"]


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (("A", "B", "C"), ("LAW ENFORCEMENT AGENCY", "STATE", "SUPPORT TYPE")),
        ((*HEADER[:4], "PROGRAM", *HEADER[5:]), ("SUPPORT TYPE",)),
        (("STATE", "WHO", *HEADER[2:]), ("LAW ENFORCEMENT AGENCY",)),
        (HEADER[:6], ("MOA",)),
        ((), ("LAW ENFORCEMENT AGENCY", "STATE", "SUPPORT TYPE")),
    ],
)
def test_a_header_that_nobody_knows_is_refused_with_what_it_lacks(
    header: Sequence[str], missing: tuple[str, ...]
) -> None:
    with pytest.raises(LayoutChanged) as caught:
        read(hostile.saved(listed(COUNTY, header=header)))
    assert caught.value.missing == missing
    assert str(caught.value).endswith(f"the nearest lacks {', '.join(missing)}")


def test_the_sheet_that_is_nearest_to_a_list_says_what_is_missing() -> None:
    book = listed(("Agreements", 1), header=("Totals",))
    hostile.fill(book.create_sheet(), [HEADER[1:], COUNTY[1:]])
    with pytest.raises(LayoutChanged) as caught:
        read(hostile.saved(book))
    assert caught.value.missing == ("STATE",)


def test_a_second_sheet_is_read_if_it_holds_the_list() -> None:
    book = listed(("Agreements", 1), header=("Totals",))
    hostile.fill(book.create_sheet("The list"), [HEADER, COUNTY])
    assert texts(read(hostile.saved(book)), "agency") == [COUNTY[1]]


def test_the_header_may_stand_below_a_title() -> None:
    sheet = read(hostile.saved(listed(COUNTY, above=[("287(g) participating agencies",), ()])))
    assert [number for number, _ in sheet["rows"]] == [4]


def test_a_header_far_down_is_not_looked_for() -> None:
    with pytest.raises(LayoutChanged):
        read(hostile.saved(listed(COUNTY, above=[("",)] * 20)))


def test_of_two_columns_with_one_name_the_first_counts() -> None:
    sheet = read(hostile.saved(listed((*COUNTY, "2025-02-14", "link", "", "TEXAS"), header=(*HEADER, "STATE"))))
    assert texts(sheet, "state") == ["GEORGIA"]


# --- which rows -----------------------------------------------------------------------------------------------


def test_rows_keep_their_numbers_and_blank_ones_are_dropped() -> None:
    sheet = read(hostile.saved(listed(COUNTY, (), (" ", "\u00a0", "\n"), COUNTY, ())))
    assert [number for number, _ in sheet["rows"]] == [2, 5]


def test_formatted_empty_rows_at_the_end_are_no_rows() -> None:
    book = listed(COUNTY)
    for cells in book["List"].iter_rows(3, 78, 1, 8):
        for cell in cells:
            cell.border = Border(bottom=Side(style="thin"))
    assert len(read(hostile.saved(book))["rows"]) == 1


def test_a_row_that_speaks_in_other_columns_only_is_no_row() -> None:
    sheet = read(hostile.saved(listed(COUNTY, (*[None] * 8, "checked by hand"), header=(*HEADER, "NOTES"))))
    assert [number for number, _ in sheet["rows"]] == [2]


def test_a_list_without_rows_is_read_as_such() -> None:
    assert read(hostile.saved(listed()))["rows"] == []


def test_cells_merged_from_top_to_bottom_say_the_same_of_each_row() -> None:
    book = listed(COUNTY, (None, "Tidewrack County Sheriff's Office", *COUNTY[2:]))
    book["List"].merge_cells("A2:A3")
    assert texts(read(hostile.saved(book)), "state") == ["GEORGIA", "GEORGIA"]


# --- cells as published ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "published"),
    [
        ("  GEORGIA ", "  GEORGIA "),
        ("St.\u00a0Mary’s  Parish\n", "St.\u00a0Mary’s  Parish\n"),
        ("Шериф округа", "Шериф округа"),
        ("right\u202eleft zero\u200bwidth \U0001f46e", "right\u202eleft zero\u200bwidth \U0001f46e"),
        ("<script>alert(1)</script>&amp;", "<script>alert(1)</script>&amp;"),
        ("05/082025", "05/082025"),
        ("31 February 2025", "31 February 2025"),
        ("#N/A", "#N/A"),
        ("#REF!", "#REF!"),
        (dt.date(2025, 2, 14), "2025-02-14"),
        (dt.datetime(2025, 2, 14), "2025-02-14"),
        (dt.datetime(5025, 2, 14), "5025-02-14"),
        (dt.datetime(2025, 2, 14, 13, 30), "2025-02-14T13:30:00"),
        (dt.time(13, 30), "13:30:00"),
        (45702, "45702"),
        (45702.0, "45702"),
        (45702.5, "45702.5"),
        (-1, "-1"),
        (0, "0"),
        (True, "TRUE"),
        (False, "FALSE"),
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
        ("Police Department_x000D_\n", "Police Department\r\n"),  # as Excel saves what was pasted from a page
        ("Police_x0000_ Department_x000d_", "Police Department\r"),
        ("_x005F_x000D_", "_x000D_"),
        ("_xD83D_", "_xD83D_"),
    ],
)
def test_a_cell_is_kept_as_its_reader_sees_it(value: Any, published: str) -> None:
    sheet = read(hostile.saved(listed(("GEORGIA", "Agency", None, None, None, value))))
    assert texts(sheet, "signed") == [published]


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300])
def test_a_number_that_is_none_is_kept_as_text(value: float) -> None:
    assert as_published(value)


@pytest.mark.parametrize("formula", ["<f>UPPER(B2)</f>", '<f t="array" ref="A2">UPPER(B2)</f>'])
def test_of_a_formula_its_result_is_read(formula: str) -> None:
    cells = f'<c r="A2" t="str">{formula}<v>GEORGIA</v></c>' + hostile.cell("B2", "Agency") + COUNTY_CELL
    rows = hostile.row(1, *HEADER) + f'<row r="2">{cells}</row>'
    assert texts(read(hostile.raw(rows)), "state") == ["GEORGIA"]


def test_a_formula_without_a_result_is_blank_and_a_text_that_looks_like_one_is_text() -> None:
    cells = f'<c r="A2"><f>1+1</f></c>{hostile.cell("B2", "=A1+A1")}{COUNTY_CELL}'
    rows = hostile.row(1, *HEADER) + f'<row r="2">{cells}</row>'
    assert [row for _, row in read(hostile.raw(rows))["rows"]] == [{"agency": "=A1+A1", "support_type": COUNTY[4]}]


def test_a_date_beyond_the_calendar_is_an_error_cell() -> None:
    book = listed(("GEORGIA", "Agency", None, None, None, 99_999_999))
    book["List"]["F2"].number_format = "mm-dd-yy"
    with pytest.warns(UserWarning, match="outside the limits for dates"):
        assert texts(read(hostile.saved(book)), "signed") == ["#VALUE!"]


def test_comments_are_not_text() -> None:
    book = listed(COUNTY)
    book["List"]["A2"].comment = Comment("checked", "staff")
    assert texts(read(hostile.saved(book)), "state") == ["GEORGIA"]


# --- where links lead -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "text", "address"),
    [
        (Linked("link ", "https://docs.example/a.pdf"), "link ", "https://docs.example/a.pdf"),
        (Linked("link pending", "HTTPS://Docs.example/A%20b.pdf"), "link pending", "HTTPS://Docs.example/A%20b.pdf"),
        (Place("link", "page=2", "https://docs.example/a.pdf"), "link", "https://docs.example/a.pdf#page=2"),
        (Place("link", "'Other sheet'!A1"), "link", ""),
        ("link pending", "link pending", ""),
        ("https://docs.example/a.pdf", "https://docs.example/a.pdf", ""),
        (None, "", ""),
    ],
)
@pytest.mark.parametrize("column", ["moa", "addendum"])
def test_the_address_is_that_of_the_link_and_the_text_stays(column: str, cell: object, text: str, address: str) -> None:
    before = [None] if column == "addendum" else []
    sheet = read(hostile.saved(listed((*COUNTY, "2025-02-14", *before, cell))))
    assert (texts(sheet, column), texts(sheet, f"{column}_address")) == ([text], [address])


def test_a_link_over_several_rows_is_that_of_each() -> None:
    rows = hostile.row(1, *HEADER) + "".join(hostile.row(n, *COUNTY, "", "link") for n in (2, 3))
    sheet = read(
        hostile.raw(
            rows, after='<hyperlinks><hyperlink ref="G2:G3" r:id="rId1"/></hyperlinks>', link="https://a.example/"
        )
    )
    assert texts(sheet, "moa_address") == ["https://a.example/"] * 2


def test_links_of_other_columns_are_not_read() -> None:
    sheet = read(hostile.saved(listed((Linked("GEORGIA", "https://docs.example/a.pdf"), *COUNTY[1:]))))
    assert [set(row) for _, row in sheet["rows"]] == [{"state", "agency", "type", "county", "support_type"}]


# --- when it was saved ----------------------------------------------------------------------------------------


def test_a_workbook_says_when_it_was_saved() -> None:
    sheet = read(workbook("participating", [Row(*COUNTY)], saved=SAVED, title="SAMPLE"))
    assert sheet["saved_at"] == "2026-03-02T14:05:06+00:00"


def test_a_workbook_that_does_not_say_when_it_was_saved_was_not_saved_now() -> None:
    book = workbook("participating", [Row(*COUNTY)], saved=SAVED, title="SAMPLE")
    assert read(hostile.without_part(book, "docProps/core.xml"))["saved_at"] is None


# --- what is refused ------------------------------------------------------------------------------------------

HEADER_ROW = hostile.row(1, *HEADER)
PLAIN = hostile.raw(HEADER_ROW + hostile.row(2, *COUNTY))


def one_more_cell(reference: str) -> bytes:
    """A list with another cell somewhere."""
    number = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return hostile.raw(HEADER_ROW + f'<row r="{number}">{hostile.cell(reference, "x")}</row>')


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: b"", "it is empty"),
        (lambda: PLAIN[: len(PLAIN) // 2], "it is truncated or no workbook at all (File is not a zip file)"),
        (lambda: b"PK\x03\x04" + bytes(100), "it is truncated or no workbook at all (File is not a zip file)"),
        (lambda: hostile.ACCESS_DENIED, "it is a page without a table"),
        (lambda: hostile.OLE, "it is an encrypted workbook, or an .xls that cannot be read (CompDocError"),
        (lambda: hostile.encrypted_parts(PLAIN), "it is encrypted"),
        (lambda: hostile.packed({"notes.txt": "no workbook"}), "it is a zip file, but no workbook"),
        (lambda: hostile.zip_bomb(MAX_UNPACKED + (1 << 20)), "it would unpack to 100,663,304 bytes in 2 parts"),
        (
            lambda: hostile.packed({str(n): "" for n in range(MAX_PARTS + 1)}),
            "it would unpack to 0 bytes in 1,001 parts",
        ),
        (lambda: one_more_cell("XFD1048576"), "sheet 'S1' reaches to row 1,048,576, column 16,384"),
        (lambda: one_more_cell("A200001"), "sheet 'S1' reaches to row 200,001, column 8"),
        (lambda: one_more_cell("GS2"), "sheet 'S1' reaches to row 2, column 201"),
        (
            lambda: hostile.raw(HEADER_ROW + hostile.row(2, "GEORGIA", "x" * (MAX_TEXT + 1))),
            "cell B2 holds 32,768 characters, which no real list does",
        ),
        (
            lambda: hostile.raw(HEADER_ROW + hostile.row(2, "GEORGIA\x00\x07")),
            "it cannot be read as a workbook (ParseError: not well-formed",
        ),
        (hostile.entity_bomb, "it cannot be read as a workbook (EntitiesForbidden: EntitiesForbidden(name='l0'"),
        (
            lambda: hostile.external_entity("file:///etc/hostname"),
            "it cannot be read as a workbook (EntitiesForbidden: EntitiesForbidden(name='it'",
        ),
        (
            lambda: hostile.lying_about_sizes(hostile.raw(HEADER_ROW + hostile.row(2, *["x" * 5000] * 8)), said=1000),
            "it cannot be read as a workbook (BadZipFile: Bad CRC-32",
        ),
        (
            lambda: hostile.without_part(PLAIN, "xl/worksheets/sheet1.xml"),
            "no sheet has the columns of a list; the nearest lacks LAW ENFORCEMENT AGENCY, STATE, SUPPORT TYPE",
        ),
    ],
)
def test_what_is_no_real_list_is_refused_with_the_reason(make: Callable[[], bytes], why: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        read(make())
    assert caught.value.what.startswith(why)


def test_a_cell_far_to_the_right_is_no_row() -> None:
    assert read(one_more_cell("GR3"))["rows"] == []


def test_what_a_reason_quotes_from_the_workbook_is_cut_and_stands_on_one_line() -> None:
    quoted = "9\n" * 5000
    with pytest.raises(WorkbookError) as caught:
        read(hostile.raw(HEADER_ROW + f'<row r="2"><c r="A2"><v>{quoted}</v></c></row>'))
    assert len(caught.value.what) < 250
    assert caught.value.what.startswith("it cannot be read as a workbook (ValueError: invalid literal")
    assert "\n" not in caught.value.what


def test_a_part_that_unpacks_to_more_than_it_said_is_not_unpacked_any_further() -> None:
    book = hostile.with_part(PLAIN, "xl/theme/theme1.xml", bytes(8 << 20))
    lying = hostile.lying_about_sizes(book, said=1000)
    with zipfile.ZipFile(io.BytesIO(lying)) as parts, pytest.raises(zipfile.BadZipFile):
        parts.read("xl/theme/theme1.xml")
    with pytest.raises(WorkbookError, match="BadZipFile"):
        read(lying)


def test_a_sheet_beside_the_list_may_be_as_large_as_it_likes() -> None:
    beside = f'<row r="1048576">{hostile.cell("XFD1048576", "x")}</row>'
    assert texts(read(hostile.raw(HEADER_ROW + hostile.row(2, *COUNTY), others=[beside])), "state") == ["GEORGIA"]


def test_a_part_that_is_not_needed_may_be_anything() -> None:
    assert len(read(hostile.with_part(PLAIN, "xl/media/../../../etc/passwd", b"\x00"))["rows"]) == 1


@given(at=st.integers(0, len(PLAIN) - 1), byte=st.integers(0, 255))
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(at: int, byte: int) -> None:
    damaged = bytearray(PLAIN)
    damaged[at] = byte
    with contextlib.suppress(WorkbookError):
        assert read(bytes(damaged))["list"] in set(ListName)


@given(st.binary(max_size=2000))
def test_bytes_that_are_no_workbook_are_refused(content: bytes) -> None:
    with pytest.raises(WorkbookError):
        read(content)
