"""Bytes of a workbook → the sheets that are lists → their rows, cells kept as published.

Runs in a child process (see `sandbox`), because what it is given is hostile: `python -m monitor.workbooks.parser`
reads workbooks from its standard input, each after a line of JSON with its length, the memory that may be used and what
an operator says of its columns, and answers each with one line of JSON.
"""

from __future__ import annotations

import gc
import io
import json
import resource
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from monitor.errors import LayoutChanged, WorkbookError
from monitor.model import ListName
from monitor.workbooks import bundle, csv_text, html_table, ods, xls, xlsx
from monitor.workbooks.columns import Header, find_header
from monitor.workbooks.names import COLUMNS, REQUIRED
from monitor.workbooks.rows import NamedRow, NotListing, UnknownColumn, listings_of, unknown_columns
from monitor.workbooks.tables import MAX_PARTS, MAX_UNPACKED, Table, Tables

OLE = b"\xd0\xcf\x11\xe0"  # the older container, of .xls and of encrypted workbooks
_NO_MEMORY = b'{"error": "WorkbookError", "what": "it needs more memory than it may have"}'


class Sheet(TypedDict):
    """A list as it stands on one sheet: which list its columns say it is, its rows, and when its file was saved.

    A row is its number in the sheet and the texts of its cells by our names; links have `_address` names.
    `not_listings` are rows that cannot be one; `unknown_columns` are columns that no list of ours has.
    """

    title: str
    hidden: bool
    list: str
    saved_at: str | None
    columns: list[str]
    rows: list[NamedRow]
    not_listings: list[NotListing]
    unknown_columns: list[UnknownColumn]


def read(content: bytes, mapping: Mapping[str, str] | None = None) -> list[Sheet]:
    """Every sheet with the columns of a list. Raises WorkbookError, or LayoutChanged where no sheet has them.

    `mapping`: header text → the column that an operator says it is.
    """
    tables = _tables(content)
    lacking: list[set[str]] = []
    found: list[Sheet] = []
    for table in tables.sheets:
        header = find_header(table.rows, mapping or {})
        if isinstance(header, set):
            lacking.append(header)
        else:
            found.append(_sheet(table, header, tables.saved_at))
    if found:
        return found
    if refused := next((table.refused for table in tables.sheets if table.refused), ""):
        raise WorkbookError(refused)
    nearest = min(lacking, key=len, default=set(REQUIRED[ListName.PENDING]))
    raise LayoutChanged(COLUMNS[name] for name in nearest)


def _sheet(table: Table, header: Header, saved_at: datetime | None) -> Sheet:
    rows, not_listings = listings_of(table, header)
    return Sheet(
        title=table.title,
        hidden=table.hidden,
        list=header.list,
        saved_at=saved_at.isoformat() if saved_at else None,
        columns=[name for name in COLUMNS if name in header.columns.values()],
        rows=rows,
        not_listings=not_listings,
        unknown_columns=unknown_columns(table, header, rows),
    )


def _tables(content: bytes, *, inside: bool = False) -> Tables:
    """All sheets of a file, by the format that its bytes are of."""
    if content.startswith(OLE):
        return xls.tables(content)
    if not content.startswith(b"PK"):
        text = csv_text.decoded(content)
        if not text.strip():
            raise WorkbookError("it is empty")
        return html_table.tables(text) if "<" in text[:200].lstrip("\ufeff \t\r\n")[:1] else csv_text.tables(text)
    names = _parts(content)
    if "[content_types].xml" in names:
        return xlsx.tables(content)
    if "content.xml" in names:
        return ods.tables(content)
    if inside:
        raise WorkbookError("it is a zip file in a zip file")
    return _bundled(content)


def _bundled(content: bytes) -> Tables:
    """The sheets of all workbooks in a zip file of them. Raises WorkbookError if none can be read."""
    sheets: list[Table] = []
    saved: list[datetime] = []
    unreadable: list[WorkbookError] = []
    for name, workbook in bundle.unpack(content):
        try:
            tables = _tables(workbook, inside=True)
        except WorkbookError as exc:
            unreadable.append(exc)
            continue
        sheets += [replace(sheet, title=f"{name}: {sheet.title}") for sheet in tables.sheets]
        saved += [tables.saved_at] if tables.saved_at else []
    if unreadable and not sheets:
        raise unreadable[0]
    return Tables(sheets, max(saved, default=None))


def _parts(content: bytes) -> frozenset[str]:
    """The names of a zip file's parts, in small letters. Raises WorkbookError for what is none, or unpacks to too
    much."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as exc:
        raise WorkbookError(f"it is truncated or no workbook at all ({exc})") from exc
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED or len(parts) > MAX_PARTS:
        raise WorkbookError(f"it would unpack to {unpacked:,} bytes in {len(parts):,} parts, which no real list does")
    if any(part.flag_bits & 0x1 for part in parts):
        raise WorkbookError("it is encrypted")
    return frozenset(part.filename.lower() for part in parts)


# What openpyxl takes along wherever it is installed: numpy alone takes more address space than a workbook may have, and
# lxml would read the XML in place of defusedxml, which refuses entities.
_NOT_HERE = ("numpy", "lxml", "PIL")


def main() -> None:
    """Serve `read` over standard input and output until the input ends. A line of JSON a workbook:
    {"sheets": …} or {"error": "WorkbookError" | "LayoutChanged", "what": … | "missing": […]}."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    for extra in _NOT_HERE:
        sys.modules[extra] = None  # type: ignore[assignment]
    import openpyxl  # noqa: F401 - while the parent is still fetching

    # A workbook that was read is one knot of references. Left to itself the collector looks for such knots many times
    # while reading, and not before the next workbook, which then may lack the memory.
    gc.freeze()
    gc.disable()
    while asked := source.readline():
        request = json.loads(asked)
        content = source.read(request["size"])
        resource.setrlimit(resource.RLIMIT_AS, (request["max_memory"], request["max_memory"]))
        sink.write(_answer(content, request["columns"]) + b"\n")
        sink.flush()
        gc.collect()


def _answer(content: bytes, mapping: Mapping[str, str]) -> bytes:
    try:
        return json.dumps({"sheets": read(content, mapping)}).encode()
    except LayoutChanged as exc:
        return json.dumps({"error": "LayoutChanged", "missing": exc.missing}).encode()
    except WorkbookError as exc:
        return json.dumps({"error": "WorkbookError", "what": exc.what}).encode()
    except MemoryError:
        pass  # until here the traceback holds on to all that was read
    gc.collect()
    return _NO_MEMORY


if __name__ == "__main__":
    main()
