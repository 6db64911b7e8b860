"""The same list in every format in which ICE has published one, or may."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from collections.abc import Sequence
from html import escape
from xml.sax.saxutils import escape as xml_escape
from xml.sax.saxutils import quoteattr

import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from demo.workbooks import Linked
from monitor.errors import LayoutChanged, WorkbookError
from monitor.model import Cells, Listing, ListName
from monitor.normalize import listing
from monitor.workbooks import parser
from monitor.workbooks.bundle import pack
from monitor.workbooks.parser import Sheet
from monitor.workbooks.tables import MAX_ROWS
from tests.monitor import hostile
from tests.monitor.hostile import HEADER, listed
from tests.monitor.workbooks.lists import QUILLMARSH, TIDEWRACK, many

Content = str | int | float | bool | dt.date | Linked | None
MOA = "https://docs.example/TidewrackPDGA_MOA.pdf"
ROWS: list[Sequence[Content]] = [QUILLMARSH, (*TIDEWRACK[:5], dt.date(2025, 3, 5), Linked("link", MOA))]
TABLE = [HEADER, *ROWS]


def html(rows: Sequence[Sequence[Content]], *, before: str = "") -> bytes:
    """A page with one table."""
    lines = "".join(f"<tr>{''.join(map(_td, row))}</tr>" for row in rows)
    return f"<!DOCTYPE html><html>{before}<body><p>text</p><table>{lines}</table></body></html>".encode()


def _td(content: Content) -> str:
    if isinstance(content, Linked):
        return f'<td><a href="{escape(content.address)}">{escape(content.text)}</a></td>'
    return f"<td>\n <p>{escape(str(content or ''))}</p></td>"


def csv_text(rows: Sequence[Sequence[Content]], separator: str = ",") -> str:
    return "\r\n".join(separator.join(f'"{_plain(c)}"' for c in row) for row in rows) + "\r\n"


def _plain(content: Content) -> str:
    text = content.address if isinstance(content, Linked) else str(content or "")
    return text.replace('"', '""')


def xls(rows: Sequence[Sequence[Content]], *, title: str = "Sheet1") -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet(title)
    day = xlwt.easyxf(num_format_str="MM/DD/YYYY")
    for number, row in enumerate(rows):
        for column, content in enumerate(row):
            match content:
                case Linked(_, address):
                    sheet.write(number, column, address)
                case dt.date():
                    sheet.write(number, column, content, day)
                case _:
                    sheet.write(number, column, content)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


_NS = "urn:oasis:names:tc:opendocument:xmlns"


def ods(rows: Sequence[Sequence[Content]], *, tail: str = "", prolog: str = "", hidden: bool = False) -> bytes:
    lines = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    display = f'<style:table-properties table:display="{"false" if hidden else "true"}"/>'
    content = (
        f'{prolog}<office:document-content xmlns:office="{_NS}:office:1.0" xmlns:table="{_NS}:table:1.0"'
        f' xmlns:text="{_NS}:text:1.0" xmlns:style="{_NS}:style:1.0" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<office:automatic-styles><style:style style:name="ta1" style:family="table">{display}</style:style>'
        '</office:automatic-styles><office:body><office:spreadsheet><table:table table:name="List"'
        f' table:style-name="ta1">{lines}{tail}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    meta = (
        f'<office:document-meta xmlns:office="{_NS}:office:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<office:meta><dc:date>2026-03-02T14:05:06</dc:date></office:meta></office:document-meta>"
    )
    mimetype = "application/vnd.oasis.opendocument.spreadsheet"
    return hostile.packed({"mimetype": mimetype, "content.xml": content, "meta.xml": meta})


def _ods_cell(content: Content) -> str:
    match content:
        case None:
            return '<table:table-cell table:number-columns-repeated="1"/>'
        case Linked(text, address):
            anchor = f"<text:a xlink:href={quoteattr(address)}>{xml_escape(text)}</text:a>"
            return f"<table:table-cell><text:p>{anchor}</text:p></table:table-cell>"
        case dt.date():
            day = content.isoformat()
            return f'<table:table-cell office:date-value="{day}"><text:p>3/5/25</text:p></table:table-cell>'
    return f"<table:table-cell><text:p>{xml_escape(str(content))}</text:p></table:table-cell>"


def read(content: bytes) -> Sheet:
    return parser.read(content)[0]


def listings(content: bytes) -> list[Listing]:
    return [listing(number, Cells(**named)) for number, named in read(content)["rows"]]


@pytest.mark.parametrize(
    "content",
    [
        html(TABLE),
        html([("287(g) agencies",), *TABLE]),
        *(csv_text(TABLE, separator).encode() for separator in ",;\t|"),
        csv_text(TABLE).encode("utf-8-sig"),
        csv_text(TABLE).encode("utf-16"),
        csv_text(TABLE).encode("utf-16-le"),
        f"sep=;\r\n{csv_text(TABLE, ';')}".encode(),
        xls(TABLE),
        ods(TABLE),
    ],
)
def test_a_list_says_the_same_in_every_format(content: bytes) -> None:
    usual = listings(hostile.saved(listed(*ROWS)))
    assert read(content)["list"] == ListName.PARTICIPATING
    assert [row.values for row in listings(content)] == [row.values for row in usual]
    assert {row.cells.agency for row in listings(content)} == {row.cells.agency for row in usual}


def test_a_text_in_windows_letters_is_read() -> None:
    row = (QUILLMARSH[0], "Quillmarsh County Sheriff’s Office", *QUILLMARSH[2:])
    assert listings(csv_text([HEADER, row]).encode("cp1252"))[0].cells.agency == row[1]


# --- pages ----------------------------------------------------------------------------------------------------


def test_a_table_says_which_of_two_links_in_a_cell_is_which() -> None:
    cell = '<a href="/a.pdf">link</a>&nbsp;|&nbsp;<a href="/b.pdf">addendum</a>'
    page = html([HEADER[:7], (*QUILLMARSH[:6], "CELL")], before='<base href="https://www.ice.gov/x/">')
    ((_, named),) = read(page.replace(b"CELL", cell.encode()))["rows"]
    assert (named["moa_address"], named["addendum_address"]) == (
        "https://www.ice.gov/a.pdf",
        "https://www.ice.gov/b.pdf",
    )


def test_a_cell_over_several_rows_or_columns_says_the_same_of_each_row() -> None:
    page = html(TABLE).replace(b"<td>\n <p>GEORGIA</p></td>", b'<td rowspan="2">GEORGIA</td>', 1)
    page = page.replace(b"<td>\n <p>GEORGIA</p></td>", b"")
    assert [row.cells.state for row in listings(page)] == ["GEORGIA", "GEORGIA"]
    wide = html([("Agencies",), *TABLE]).replace(b"<td>\n <p>Agencies", b'<td colspan="8">\n <p>Agencies')
    assert len(listings(wide)) == 2


def test_a_table_inside_a_table_of_the_layout_is_read() -> None:
    inner = html(TABLE).partition(b"<table>")[2].partition(b"</table>")[0]
    page = b"<html><table><tr><td>Menu</td><td><table>" + inner + b"</table></td></tr></table></html>"
    assert len(listings(page)) == 2


def test_a_page_without_a_list_holds_none() -> None:
    with pytest.raises(LayoutChanged):
        read(html([("Name", "Value"), ("a", "b")]))
    with pytest.raises(WorkbookError, match="it is a page without a table"):
        read(hostile.ACCESS_DENIED)


# --- spreadsheets of other programs ---------------------------------------------------------------------------


def test_an_open_document_says_when_it_was_saved_and_which_sheets_are_hidden() -> None:
    sheet = read(ods(TABLE, hidden=True))
    assert (sheet["saved_at"], sheet["hidden"]) == ("2026-03-02T14:05:06+00:00", True)


def test_the_empty_rows_to_the_end_of_a_sheet_are_no_rows() -> None:
    tail = (
        '<table:table-row table:number-rows-repeated="1048570"><table:table-cell'
        ' table:number-columns-repeated="16384"/></table:table-row>'
    )
    assert len(listings(ods(TABLE, tail=tail))) == 2


def test_a_row_that_repeats_is_that_many_rows() -> None:
    row = "".join(_ods_cell(content) for content in QUILLMARSH)
    repeated = f'<table:table-row table:number-rows-repeated="3">{row}</table:table-row>'
    assert [row.row for row in listings(ods(TABLE, tail=repeated))] == [2, 3, 4, 5, 6]


def test_what_is_no_text_in_an_old_workbook_is_kept_as_its_reader_sees_it() -> None:
    row = (*QUILLMARSH[:2], True, 12, QUILLMARSH[4], 45721.0, 1.5)
    ((_, named),) = read(xls([HEADER, row]))["rows"]
    assert [named[n] for n in ("type", "county", "signed", "moa")] == ["TRUE", "12", "45721", "1.5"]


# --- hostile --------------------------------------------------------------------------------------------------

_WIDE = "<td>x</td>" * 300


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (html(TABLE).replace(b"<tr>", b"<tr>" + _WIDE.encode(), 1), "reaches to row 1, column"),
        (csv_text([HEADER, ("x",) * 300]).encode(), "reaches to row 2, column 300"),
        (b"a\n" * (MAX_ROWS + 1), "reaches to row 200,001"),
        (ods([HEADER], prolog='<!DOCTYPE x [<!ENTITY l "ha">]>'), "EntitiesForbidden"),
        (
            ods(
                [HEADER],
                tail='<table:table-row table:number-rows-repeated="99999999"><table:table-cell><text:p>x'
                "</text:p></table:table-cell></table:table-row>",
            ),
            "reaches to row 100,000,000",
        ),
        (
            ods(
                [HEADER],
                tail='<table:table-row><table:table-cell table:number-columns-repeated="16384"><text:p>x'
                "</text:p></table:table-cell></table:table-row>",
            ),
            "reaches to row 2, column 16,384",
        ),
        (xls(TABLE)[:5000], "it is an encrypted workbook, or an .xls that cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an encrypted workbook, or an .xls that cannot be read"),
        (hostile.packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "it is a zip file, but no"),
        (csv_text([HEADER, ("x" * 200_000,)]).encode(), "it cannot be read as separated values (field larger"),
        (bytes(range(256)) * 10, "it is truncated or no workbook at all"),
    ],
)
def test_what_reaches_too_far_or_is_broken_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        read(content)
    assert why in caught.value.what


def test_cells_that_span_the_whole_sheet_take_no_time() -> None:
    page = html(TABLE).replace(b"<td>\n <p>GEORGIA", b'<td rowspan="99999999" colspan="99999999">\n <p>GEORGIA')
    with pytest.raises(WorkbookError):
        read(page)


def test_a_page_of_tags_without_end_is_read_or_refused() -> None:
    for tag in (b"<table><tr><td>", b"<div>", b"<td>"):
        with pytest.raises(WorkbookError):
            read(b"<html>" + tag * 5_000)


# --- several workbooks in one file ----------------------------------------------------------------------------


def test_a_file_of_several_workbooks_is_read_as_their_sheets() -> None:
    first, second = hostile.saved(listed(*many(2), title="A")), xls([HEADER, *many(1, first=2)], title="B")
    sheets = parser.read(pack([("list.xlsx", first), ("list.xls", second), ("broken.xlsx", b"PK")]))
    assert [(sheet["title"], len(sheet["rows"])) for sheet in sheets] == [("1 list.xlsx: A", 2), ("2 list.xls: B", 1)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pack([("a.xlsx", pack([("b.xlsx", hostile.saved(listed(*ROWS)))]))]), "a zip file in a zip file"),
        (pack([(f"{n}.csv", b"a,b") for n in range(11)]), "a zip file of 11 workbooks"),
        (pack([("a.xlsx", b"PK")]), "it is truncated or no workbook at all"),
        (
            hostile.lying_about_sizes(hostile.packed({"a.csv": "a,b\n" * 5000}), said=10),
            "it is truncated or no workbook",
        ),
        (hostile.packed({"notes.txt": "x"}), "it is a zip file, but no workbook"),
        (pack([("a.xlsx", hostile.zip_bomb(101 << 20))]), "it would unpack to"),
    ],
)
def test_a_file_of_files_is_refused_like_any_other(content: bytes, why: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        read(content)
    assert why in caught.value.what


XLS, ODS, PAGE = xls(TABLE), ods(TABLE), html(TABLE)


@pytest.mark.parametrize("plain", [XLS, ODS, PAGE], ids=["xls", "ods", "html"])
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(plain: bytes, at: int, byte: int) -> None:
    damaged = bytearray(plain)
    damaged[at % len(plain)] = byte
    with contextlib.suppress(WorkbookError):
        assert read(bytes(damaged))["list"] in set(ListName)


@given(st.text(max_size=500))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for content in (text.encode("utf-8", "replace"), f"<table>{text}".encode("utf-8", "replace")):
        with pytest.raises(WorkbookError):
            read(content)


@pytest.mark.slow
def test_a_long_list_is_read_in_every_format() -> None:
    rows = [HEADER, *many(3000)]
    for content in (html(rows), csv_text(rows).encode(), xls(rows), ods(rows)):
        assert len(read(content)["rows"]) == 3000
