"""The tables of an HTML page → tables of cells: ICE's own page until February 2025, and pages saved as .xls."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from monitor.errors import WorkbookError
from monitor.workbooks.tables import MAX_COLUMNS, MAX_ROWS, MAX_TABLES, Cell, Link, Row, Table, Tables, too_large

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode


def tables(html: str) -> Tables:
    """Every table that holds no other table; links are joined with the page's `<base href>`.

    Raises WorkbookError for a page without one.
    """
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(html)
    base = page.css_first("base[href]")
    nodes = page.css("table")
    if not nodes:
        raise WorkbookError("it is a page without a table")
    if len(nodes) > MAX_TABLES:
        raise WorkbookError(f"it is a page of {len(nodes):,} tables, which no real list is")
    address = (base.attributes.get("href") or "") if base else ""
    return Tables(
        [_table(table, number, address) for number, table in enumerate(nodes, start=1) if len(table.css("table")) == 1]
    )


def _table(table: LexborNode, number: int, base: str) -> Table:
    caption = table.css_first("caption")
    title = " ".join(caption.text().split())[:100] if caption else f"table {number}"
    rows: list[tuple[int, Row]] = []
    spans: dict[int, tuple[int, Cell]] = {}  # by column: in how many more rows a cell stands, and the cell
    for row_number, line in enumerate(table.css("tr"), start=1):
        row: Row = {}
        column = 0
        for node in line.css("td, th"):
            column = _past_spans(column, spans, row)
            cell = _cell(node, base)
            wide, high = _span(node, "colspan", MAX_COLUMNS), _span(node, "rowspan", MAX_ROWS)
            if cell.text.strip() or cell.links:
                row[column] = cell
            if high > 1:
                spans[column] = high - 1, cell
            column += wide
            if column > MAX_COLUMNS:
                break
        _past_spans(column, spans, row)
        if refused := too_large(title, row_number, column):
            return refused
        if row:
            rows.append((row_number, row))
    return Table(title, rows, hidden=_is_hidden(table))


def _past_spans(column: int, spans: dict[int, tuple[int, Cell]], row: Row) -> int:
    """The next free column, after the cells that reach down from the rows above, which are put into the row."""
    while column in spans:
        left, cell = spans.pop(column)
        row[column] = cell
        if left > 1:
            spans[column] = left - 1, cell
            return _past_spans(column + 1, spans, row) if column < MAX_COLUMNS else column + 1
        column += 1
    return column


def _span(node: LexborNode, name: str, most: int) -> int:
    said = (node.attributes.get(name) or "").strip()
    return min(max(int(said), 1), most) if said.isdecimal() and len(said) < 9 else 1


def _cell(node: LexborNode, base: str) -> Cell:
    for line_break in node.css("br"):
        line_break.replace_with(" ")
    links = []
    for anchor in node.css("a[href]"):
        try:
            address = urljoin(base, (anchor.attributes.get("href") or "").strip())
        except ValueError:  # "http://["
            continue
        if address and not address.startswith("#"):
            links.append(Link(" ".join(anchor.text().split()), address))
    return Cell(" ".join(node.text().split()), tuple(links))


def _is_hidden(table: LexborNode) -> bool:
    style = (table.attributes.get("style") or "").replace(" ", "").casefold()
    return "hidden" in table.attributes or "display:none" in style
