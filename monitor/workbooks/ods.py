"""An OpenDocument spreadsheet (.ods) → tables (OpenDocument 1.3, part 3, 9.1)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitor.errors import WorkbookError
from monitor.workbooks.tables import Cell, Link, Row, Table, Tables, as_published, hyperlink, too_large

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
_TABLE, _OFFICE, _TEXT = f"{_OASIS}table:1.0}}", f"{_OASIS}office:1.0}}", f"{_OASIS}text:1.0}}"
_STYLE = f"{_OASIS}style:1.0}}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_SAVED = "{http://purl.org/dc/elements/1.1/}date"


def tables(content: bytes) -> Tables:
    """Every sheet of a spreadsheet. Raises WorkbookError where it cannot be read."""
    from defusedxml.ElementTree import fromstring

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            book = fromstring(parts.read("content.xml"))
            meta = fromstring(parts.read("meta.xml")) if "meta.xml" in parts.namelist() else None
    except MemoryError:
        raise
    except Exception as exc:  # whatever a broken file does to the parser, it is the file that is wrong
        said = " ".join(f"{type(exc).__name__}: {exc}".split())
        raise WorkbookError(f"it cannot be read as a spreadsheet ({said[:200]})") from exc
    unseen = {
        style.get(f"{_STYLE}name")
        for style in book.iter(f"{_STYLE}style")
        if any(p.get(f"{_TABLE}display") == "false" for p in style.iter(f"{_STYLE}table-properties"))
    }
    sheets = [_table(sheet, sheet.get(f"{_TABLE}style-name") in unseen) for sheet in book.iter(f"{_TABLE}table")]
    return Tables(sheets, _saved_at(meta))


def _saved_at(meta: Element | None) -> datetime | None:
    said = meta.find(f".//{_SAVED}") if meta is not None else None
    try:
        saved = datetime.fromisoformat(said.text or "") if said is not None else None
    except ValueError:
        return None
    return saved.replace(tzinfo=UTC) if saved and saved.tzinfo is None else saved


def _table(sheet: Element, hidden: bool) -> Table:
    title = sheet.get(f"{_TABLE}name") or ""
    rows: list[tuple[int, Row]] = []
    number = 1
    for line in sheet.iter(f"{_TABLE}table-row"):
        row: Row = {}
        widest = 0
        for column, cell, times in _cells(line):
            if cell.text.strip() or cell.links:
                widest = column + times
                if too_large(title, number, widest):
                    break
                row.update(dict.fromkeys(range(column, widest), cell))
        # The empty rows to the end of the sheet are one row, said to repeat a million times.
        times = _times(line, "number-rows-repeated")
        if widest and (refused := too_large(title, number + times - 1, widest)):
            return refused
        if row:
            rows += [(number + further, row) for further in range(times)]
        number += times
    return Table(title, rows, hidden)


def _cells(line: Element) -> Iterator[tuple[int, Cell, int]]:
    """Each cell of a row with its column, and in how many columns it stands."""
    column = 0
    for node in line:
        if node.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        times = _times(node, "number-columns-repeated")
        yield column, _cell(node), times
        column += times


def _times(node: Element, attribute: str) -> int:
    said = node.get(f"{_TABLE}{attribute}", "1")
    return max(int(said), 1) if said.isdecimal() and len(said) < 9 else 1


def _cell(node: Element) -> Cell:
    paragraphs = node.findall(f"{_TEXT}p")
    text = "\n".join("".join(paragraph.itertext()) for paragraph in paragraphs)
    if day := node.get(f"{_OFFICE}date-value"):
        try:
            text = as_published(datetime.fromisoformat(day))
        except ValueError:
            text = day
    elif number := node.get(f"{_OFFICE}value"):
        try:
            text = as_published(float(number))
        except ValueError:
            text = number
    links = [
        Link("".join(anchor.itertext()), anchor.get(_HREF, ""))
        for paragraph in paragraphs
        for anchor in paragraph.iter(f"{_TEXT}a")
    ]
    if formula := hyperlink(node.get(f"{_TABLE}formula", "")):
        text = text or formula.text
        links.append(Link(text, formula.address))
    return Cell(text, tuple(link for link in links if link.address and not link.address.startswith("#")))
