"""Workbooks as nobody should publish them, made on the fly.

`listed` lays out any values with openpyxl. `raw` packs a sheet's XML by hand, for what openpyxl would not write:
cells at the edge of the sheet, lies about sizes, entities.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from openpyxl import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from demo.workbooks import Linked

HEADER = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE", "SIGNED", "MOA", "ADDENDUM")
PENDING_HEADER = HEADER[:5]

ACCESS_DENIED = b"<!DOCTYPE html><html><head><title>Access Denied</title></head><body>Access Denied</body></html>"
# What .xls files and encrypted .xlsx files alike begin with: an OLE compound file (MS-CFB 2.2).
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1528)

_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


@dataclass(frozen=True, slots=True)
class Place:
    """A cell's text that leads to a place inside a document, or (without `address`) inside the workbook itself."""

    text: str
    location: str
    address: str | None = None


def listed(
    *rows: Sequence[Any], header: Sequence[Any] = HEADER, above: Sequence[Sequence[Any]] = (), title: str = "List"
) -> Workbook:
    """A workbook of one sheet with whatever is put into its cells; `above` stands over the header."""
    book = Workbook()
    assert isinstance(book.active, Worksheet)
    book.active.title = title
    fill(book.active, [*above, header, *rows])
    return book


def fill(sheet: Worksheet, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows from the top: plain values, `Linked` and `Place`."""
    for number, row in enumerate(rows, start=1):
        for column, content in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            match content:
                case Linked(text, address):
                    cell.value, cell.hyperlink = text, address
                case Place(text, location, address):
                    cell.value = text
                    cell.hyperlink = Hyperlink(cell.coordinate, location=location, target=address)
                case _:
                    cell.value = content


def saved(book: Workbook) -> bytes:
    """The workbook's bytes."""
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def raw(rows: str, *, prolog: str = "", after: str = "", link: str = "", others: Iterable[str] = ()) -> bytes:
    """A workbook around the XML of its first sheet's rows; `after` stands below them.

    `prolog` goes to the top of the sheet (a DTD); `link` is an address that `after` may name as rId1; `others` are the
    rows of more sheets.
    """
    sheets = [_sheet(rows, prolog, after), *(_sheet(more) for more in others)]
    numbers = range(1, len(sheets) + 1)
    named = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    typed = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    linked = f'<Relationship Id="rId1" Type="{_OFFICE}/hyperlink" Target={quoteattr(link)} TargetMode="External"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{typed}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_NS}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        "xl/worksheets/_rels/sheet1.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{linked}'
        "</Relationships>",
        **{f"xl/worksheets/sheet{n}.xml": sheet for n, sheet in zip(numbers, sheets, strict=True)},
    }
    return packed(parts)


def _sheet(rows: str, prolog: str = "", after: str = "") -> str:
    return f'{prolog}<worksheet xmlns="{_NS}" xmlns:r="{_OFFICE}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def row(number: int, *texts: str) -> str:
    """The XML of one row of texts."""
    return f'<row r="{number}">{"".join(cell(_reference(c, number), text) for c, text in enumerate(texts))}</row>'


def cell(reference: str, text: str) -> str:
    """The XML of one cell with a text."""
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _reference(column: int, number: int) -> str:
    return f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[column]}{number}"


def packed(parts: dict[str, str]) -> bytes:
    """A zip file of these parts."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return result.getvalue()


def with_part(book: bytes, name: str, content: bytes) -> bytes:
    """The workbook with one more part."""
    result = io.BytesIO(book)
    with zipfile.ZipFile(result, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, content)
    return result.getvalue()


def without_part(book: bytes, name: str) -> bytes:
    """The workbook with one part less."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as before, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as after:
        for part in before.namelist():
            if part != name:
                after.writestr(part, before.read(part))
    return result.getvalue()


def zip_bomb(unpacked: int) -> bytes:
    """A workbook whose sheet unpacks to so many bytes of zeros, a thousand times what it weighs."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(unpacked >> 20):
                part.write(bytes(1 << 20))
    return result.getvalue()


def lying_about_sizes(book: bytes, said: int = 1000) -> bytes:
    """The workbook with each part said to unpack to `said` bytes, in both of the places that say it."""
    lie = bytearray(book)
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = lie.find(signature)
        while at >= 0:
            lie[at + offset : at + offset + 4] = struct.pack("<I", said)
            at = lie.find(signature, at + 4)
    return bytes(lie)


def encrypted_parts(book: bytes) -> bytes:
    """The workbook with its parts marked as encrypted, as `zip -e` leaves them."""
    marked = bytearray(book)
    at = marked.find(b"PK\x01\x02")
    while at >= 0:
        marked[at + 8] |= 1
        at = marked.find(b"PK\x01\x02", at + 4)
    return bytes(marked)


def cell_at_the_far_corner() -> bytes:
    """A list with one more cell, the last one that a sheet has."""
    return raw(
        row(1, *HEADER)
        + row(2, "GEORGIA", "Alton County Sheriff's Office")
        + f'<row r="1048576">{cell("XFD1048576", "x")}</row>'
    )


def entity_bomb() -> bytes:
    """A billion laughs: ten entities, each of which says the one before ten times."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return raw(
        row(1, *HEADER) + '<row r="2"><c r="A2" t="inlineStr"><is><t>&l9;</t></is></c></row>',
        prolog=f'<!DOCTYPE worksheet [<!ENTITY l0 "ha">{levels}]>',
    )


def external_entity(address: str) -> bytes:
    """A cell whose text is to be fetched from an address, or a file."""
    return raw(
        row(1, *HEADER) + '<row r="2"><c r="A2" t="inlineStr"><is><t>&it;</t></is></c></row>',
        prolog=f'<!DOCTYPE worksheet [<!ENTITY it SYSTEM "{escape(address)}">]>',
    )
