"""Workbooks laid out as ICE's are, with the same bytes for the same rows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

from openpyxl import Workbook
from openpyxl.packaging.core import DocumentProperties
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import ARC_CORE
from openpyxl.xml.functions import tostring

from demo.ice import ListName


@dataclass(frozen=True, slots=True)
class Linked:
    """A cell that leads somewhere else than its text says."""

    text: str
    address: str


Cell: TypeAlias = str | date | Linked | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the workbook. The pending list has the first five cells only."""

    state: Cell
    agency: Cell
    type: Cell
    county: Cell
    support_type: Cell
    signed: Cell = None
    moa: Cell = None
    addendum: Cell = None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells from left to right."""
        return (
            self.state,
            self.agency,
            self.type,
            self.county,
            self.support_type,
            self.signed,
            self.moa,
            self.addendum,
        )


_HEADER = {
    "STATE": 21.4,
    "LAW ENFORCEMENT AGENCY": 58.4,
    "TYPE": 20.0,
    "COUNTY": 42.3,
    "SUPPORT TYPE": 33.6,
    "SIGNED": 17.1,
    "MOA": 16.9,
    "ADDENDUM": 18.6,
}
"""The columns and their widths."""

_SHEET: dict[ListName, str] = {"participating": "Sheet1", "pending": "Sheet 1"}
_COLUMNS: dict[ListName, int] = {"participating": 8, "pending": 5}
_LINE = Side(style="thin")
_THIN = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_CREATED = datetime(2025, 2, 15, 19, 41, 7)
# The first moment that a zip archive can name, in which Excel too writes its members.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def workbook(
    list_name: ListName,
    rows: Sequence[Row | None],
    *,
    saved: datetime,
    title: str,
    formatted_tail: int = 12,
) -> bytes:
    """Return the .xlsx of a list. None is a blank row; below the last come formatted, empty ones.

    `saved` (aware) is the workbook's own modified time.
    """
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = _SHEET[list_name]
    columns = _COLUMNS[list_name]
    _write_header(sheet, columns)
    for number, row in enumerate(rows, start=2):
        if row is not None:
            _write_row(sheet, number, row.cells[:columns])
    last = len(rows) + 1
    for cells in sheet.iter_rows(last + 1, last + formatted_tail, 1, columns):
        for cell in cells:
            cell.border = _THIN
    sheet.auto_filter.ref = f"A1:{get_column_letter(columns)}{last}"
    packed = io.BytesIO()
    book.save(packed)
    properties = DocumentProperties(
        title=title,
        creator="agreement-monitor",
        created=_CREATED,
        modified=saved.astimezone(UTC).replace(tzinfo=None),
    )
    return _repacked(packed.getvalue(), properties)


def _write_header(sheet: Worksheet, columns: int) -> None:
    for number, (name, width) in enumerate(list(_HEADER.items())[:columns], start=1):
        cell = sheet.cell(1, number, name)
        cell.font = Font(bold=True)
        cell.alignment = Alignment(horizontal="center", vertical="center")
        sheet.column_dimensions[get_column_letter(number)].width = width


def _write_row(sheet: Worksheet, number: int, cells: Sequence[Cell]) -> None:
    for column, content in enumerate(cells, start=1):
        cell = sheet.cell(number, column)
        cell.border = _THIN
        match content:
            case Linked(text, address):
                cell.value = text
                cell.hyperlink = address
            case date():
                cell.value = content
                cell.number_format = "mm-dd-yy"
            case _:
                cell.value = content


def _repacked(packed: bytes, properties: DocumentProperties) -> bytes:
    """Return the archive without the traces of the moment at which openpyxl wrote it.

    openpyxl sets the modified time to now while saving, whatever it was told before, and stamps
    every member of the zip with it.
    """
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as before, zipfile.ZipFile(result, "w") as after:
        for name in before.namelist():
            member = zipfile.ZipInfo(name, _ZIP_EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3  # Unix, on every system
            content = tostring(properties.to_tree()) if name == ARC_CORE else before.read(name)
            after.writestr(member, content, compresslevel=9)
    return result.getvalue()
