"""A legacy .xls workbook → tables, read by xlrd."""

from __future__ import annotations

import io
from typing import Any

from monitor.errors import WorkbookError
from monitor.workbooks.tables import Cell, Link, Row, Table, Tables, as_published, too_large


def tables(content: bytes) -> Tables:
    """Every sheet of a workbook. Raises WorkbookError where xlrd cannot read it: encrypted ones look like .xls too."""
    import xlrd

    try:
        # formatting_info: without it there are no hyperlinks. xlrd writes to standard output what it notices.
        book = xlrd.open_workbook(file_contents=content, formatting_info=True, logfile=io.StringIO())
    except MemoryError:
        raise
    except Exception as exc:  # whatever a broken file does to the parser, it is the file that is wrong
        said = " ".join(f"{type(exc).__name__}: {exc}".split())
        raise WorkbookError(f"it is an encrypted workbook, or an .xls that cannot be read ({said[:200]})") from exc
    return Tables([_table(sheet, book.datemode) for sheet in book.sheets()])


def _table(sheet: Any, date_mode: int) -> Table:
    if refused := too_large(sheet.name, sheet.nrows, sheet.ncols):
        return refused
    rows: list[tuple[int, Row]] = []
    links = sheet.hyperlink_map
    for number in range(sheet.nrows):
        row: Row = {}
        for column in range(sheet.row_len(number)):
            text = _text(sheet.cell_type(number, column), sheet.cell_value(number, column), date_mode)
            target = str(getattr(links.get((number, column)), "url_or_path", None) or "")
            if text or target:
                row[column] = Cell(text, (Link(text, target),) if target else ())
        if row:
            rows.append((number + 1, row))
    return Table(sheet.name, rows, hidden=sheet.visibility != 0)


def _text(kind: int, value: Any, date_mode: int) -> str:
    import xlrd

    if kind == xlrd.XL_CELL_DATE:
        try:
            return as_published(xlrd.xldate_as_datetime(value, date_mode))
        except (ValueError, OverflowError):  # a day beyond the calendar
            return as_published(value)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return as_published(bool(value))
    if kind == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(value, "#ERROR!"))
    return as_published(value)
