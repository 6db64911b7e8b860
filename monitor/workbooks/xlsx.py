"""An .xlsx workbook → tables, read by openpyxl: the one reader that gives cells as published and hyperlinks."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitor.errors import WorkbookError
from monitor.workbooks.tables import Cell, Link, Row, Table, Tables, as_published, hyperlink, too_large

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_CORE = "docProps/core.xml"
_ZLIB_NO_MEMORY = "Error -4 "  # Z_MEM_ERROR, which Python gives no name
_HYPERLINK = re.compile(rb"hyperlink\s*\(", re.IGNORECASE)
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def tables(content: bytes) -> Tables:
    """Every sheet of a workbook. Raises WorkbookError where openpyxl cannot read it."""
    # data_only: of a formula its result, which is what a reader sees.
    book = _load(content, data_only=True)
    saved = _modified(content, book)
    # The result of =HYPERLINK() is its text; where it leads is in the formula alone.
    formulas = _load(content, data_only=False) if _has_hyperlink_formulas(content) else None
    return Tables(
        [_table(sheet, formulas[sheet.title] if formulas else None) for sheet in book.worksheets],
        saved.replace(tzinfo=UTC) if saved else None,
    )


def _load(content: bytes, *, data_only: bool) -> Workbook:
    import openpyxl  # takes 0.25 s, and the limits come first

    try:
        return openpyxl.load_workbook(io.BytesIO(content), data_only=data_only)
    except MemoryError:
        raise
    except Exception as exc:  # whatever a broken file does to the parser, it is the file that is wrong
        cause = exc.__cause__ or exc  # openpyxl wraps what went wrong in a sheet
        # The C code of the XML parser says "error return without exception set" where memory runs out in a callback.
        no_memory = isinstance(cause, zlib.error) and _ZLIB_NO_MEMORY in str(cause)
        if no_memory or isinstance(cause, SystemError):
            raise MemoryError from exc
        said = " ".join(f"{type(cause).__name__}: {cause}".split())
        raise WorkbookError(f"it cannot be read as a workbook ({said[:200]})") from exc


def _modified(content: bytes, book: Workbook) -> datetime | None:
    """When the workbook says that it was saved. Where it does not say, openpyxl would answer with the present."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        core = parts.read(_CORE) if _CORE in parts.namelist() else b""
    saved = book.properties.modified
    return saved if b":modified" in core and isinstance(saved, datetime) else None


def _has_hyperlink_formulas(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
            return any(_HYPERLINK.search(parts.read(name)) for name in sheets)
    except (zipfile.BadZipFile, zlib.error):
        return False  # a sheet beside the list, which openpyxl passed over


def _table(sheet: Worksheet, formulas: Worksheet | None) -> Table:
    hidden = sheet.sheet_state != "visible"
    if refused := too_large(sheet.title, sheet.max_row, sheet.max_column):
        return refused
    rows: dict[int, Row] = {}
    # Not `iter_rows`, which makes a cell wherever it walks.
    cells: dict[tuple[int, int], Any] = sheet._cells
    for (number, column), cell in cells.items():
        target = _address(cell)
        if cell.value is not None or target:
            text = _unescaped(as_published(cell.value))
            rows.setdefault(number, {})[column - 1] = Cell(text, (Link(text, target),) if target else ())
    _fill_merged(sheet, rows)
    if formulas is not None:
        _follow_formulas(formulas, rows)
    return Table(sheet.title, [(number, rows[number]) for number in sorted(rows)], hidden)


def _unescaped(text: str) -> str:
    """The characters that the format writes as their codes: a carriage return is `_x000D_`, and openpyxl leaves it so.

    A code of which no reader sees anything is left out; one that is only half of a character stays as it is.
    """
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    if character.isprintable() or character.isspace():
        return character
    return escape[0] if "\ud800" <= character <= "\udfff" else ""


def _address(cell: Any) -> str:
    """Where a cell's link leads: the address of the document, which its text does not say."""
    link = cell.hyperlink
    if link is None:
        return ""
    target = str(link.target or "")
    return f"{target}#{link.location}" if target and link.location else target


def _fill_merged(sheet: Worksheet, rows: dict[int, Row]) -> None:
    """Cells merged from top to bottom say the same of each row, as a reader sees them."""
    for merged in sheet.merged_cells.ranges:
        first = rows.get(merged.min_row, {}).get(merged.min_col - 1)
        if first is not None:
            for number in range(merged.min_row + 1, merged.max_row + 1):
                rows.setdefault(number, {}).setdefault(merged.min_col - 1, first)


def _follow_formulas(sheet: Worksheet, rows: dict[int, Row]) -> None:
    """Put the address of each =HYPERLINK() to its cell, and its text where no result of it was saved."""
    from openpyxl.utils.cell import coordinate_to_tuple

    def text_at(reference: str) -> str:
        try:
            number, column = coordinate_to_tuple(reference)
        except ValueError:
            return ""
        cell = rows.get(number, {}).get(column - 1)
        return cell.text if cell else ""

    cells: dict[tuple[int, int], Any] = sheet._cells
    for (number, column), cell in cells.items():
        if cell.data_type != "f":
            continue
        if link := hyperlink(str(getattr(cell.value, "text", cell.value)), text_at):
            here = rows.setdefault(number, {})
            text = here[column - 1].text if column - 1 in here else link.text
            here[column - 1] = Cell(text, (Link(text, link.address),) if link.address else ())
