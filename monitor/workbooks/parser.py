"""Bytes of a workbook → the sheet that is a list → its rows, cells kept as published.

Runs in a child process (see `sandbox`), because what it is given is hostile: `python -m monitor.workbooks.parser`
reads workbooks from its standard input, each after a line with its length and the memory that may be used, and answers
each with one line of JSON.
"""

from __future__ import annotations

import gc
import io
import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypedDict

from monitor.errors import LayoutChanged, WorkbookError
from monitor.model import ListName

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

# Real workbooks unpack to 1.5 MB and have some 2,000 rows by 13 columns, with at most 83 characters in a cell. A cell
# at XFD1048576 or a zip bomb is refused before anything walks it.
MAX_UNPACKED = 100_000_000
MAX_PARTS = 1_000
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_TEXT = 32_767  # characters; no spreadsheet holds more in a cell
_HEADER_WITHIN = 20  # rows from the top
_CORE = "docProps/core.xml"
_NO_MEMORY = b'{"error": "WorkbookError", "what": "it needs more memory than it may have"}'

# How each column of ours is called in the header, spacing and case aside.
_COLUMNS = {
    "state": "STATE",
    "agency": "LAW ENFORCEMENT AGENCY",
    "type": "TYPE",
    "county": "COUNTY",
    "support_type": "SUPPORT TYPE",
    "signed": "SIGNED",
    "moa": "MOA",
    "addendum": "ADDENDUM",
}
_REQUIRED = {
    ListName.PARTICIPATING: ("state", "agency", "support_type", "signed", "moa"),
    ListName.PENDING: ("state", "agency", "support_type"),
}
_LINKED = ("moa", "addendum")

_ZLIB_NO_MEMORY = "Error -4 "  # Z_MEM_ERROR, which Python gives no name


class Sheet(TypedDict):
    """A list as it stands in a workbook: which list its columns say it is, its rows, and when it was saved.

    A row is its number in the sheet and the texts of its cells by our names; links have `_address` names.
    """

    list: str
    saved_at: str | None
    rows: list[tuple[int, dict[str, str]]]


def read(content: bytes) -> Sheet:
    """The sheet with the columns of a list. Raises WorkbookError, or LayoutChanged where no sheet has them.

    Only the participating list has a SIGNED column; which list it is, is decided by that, never by name or link.
    """
    _refuse_what_is_no_workbook(content)
    import openpyxl  # takes 0.25 s, and the limits above come first

    try:
        # data_only: of a formula its result, which is what a reader sees.
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except MemoryError:
        raise
    except Exception as exc:  # whatever a broken file does to the parser, it is the file that is wrong
        cause = exc.__cause__ or exc  # openpyxl wraps what went wrong in a sheet
        if isinstance(cause, zlib.error) and _ZLIB_NO_MEMORY in str(cause):
            raise MemoryError from exc
        said = " ".join(f"{type(cause).__name__}: {cause}".split())
        raise WorkbookError(f"it cannot be read as a workbook ({said[:200]})") from exc
    lacking: list[set[str]] = []
    # What a reader sees comes first; a hidden sheet may be the last publication, forgotten.
    for sheet in sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible"):
        found = _header(sheet)
        if isinstance(found, set):
            lacking.append(found)
            continue
        list_, row, columns = found
        return Sheet(
            list=list_,
            saved_at=saved.replace(tzinfo=UTC).isoformat() if (saved := _modified(content, book)) else None,
            rows=list(_rows(sheet, row, columns)),
        )
    nearest = min(lacking, key=len, default=set(_REQUIRED[ListName.PENDING]))
    raise LayoutChanged(_COLUMNS[name] for name in nearest)


def _refuse_what_is_no_workbook(content: bytes) -> None:
    """Say what the bytes are where they are no .xlsx, and refuse one that would unpack to too much."""
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise WorkbookError("it is a legacy .xls or an encrypted workbook, which cannot be read")
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as exc:
        raise WorkbookError(f"it is truncated or no workbook at all ({exc})") from exc
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED or len(parts) > MAX_PARTS:
        raise WorkbookError(f"it would unpack to {unpacked:,} bytes in {len(parts):,} parts, which no real list does")
    if any(part.flag_bits & 0x1 for part in parts):
        raise WorkbookError("it is encrypted")
    if not any(part.filename.lower() == "[content_types].xml" for part in parts):
        raise WorkbookError("it is a zip file, but no workbook")


def _modified(content: bytes, book: Workbook) -> datetime | None:
    """When the workbook says that it was saved. Where it does not say, openpyxl would answer with the present."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        core = parts.read(_CORE) if _CORE in parts.namelist() else b""
    saved = book.properties.modified
    return saved if b":modified" in core and isinstance(saved, datetime) else None


def _header(sheet: Worksheet) -> tuple[ListName, int, dict[int, str]] | set[str]:
    """The list that a sheet holds, its header's row, and our name for each column's index; or what it lacks."""
    if sheet.max_row > MAX_ROWS or sheet.max_column > MAX_COLUMNS:
        raise WorkbookError(
            f"sheet {sheet.title!r} reaches to row {sheet.max_row:,}, column {sheet.max_column:,},"
            " which no real list does"
        )
    names = {_words(text): name for name, text in _COLUMNS.items()}
    lacking = set(_REQUIRED[ListName.PENDING])
    for number, cells in enumerate(sheet.iter_rows(max_row=min(sheet.max_row, _HEADER_WITHIN)), start=1):
        columns: dict[int, str] = {}
        for index, cell in enumerate(cells):
            name = names.get(_words(str(cell.value or "")))
            if name and name not in columns.values():
                columns[index] = name
        have = set(columns.values())
        if not set(_REQUIRED[ListName.PENDING]) <= have:
            lacking = min(lacking, set(_REQUIRED[ListName.PENDING]) - have, key=len)
            continue
        if "signed" not in have and "moa" not in have:
            return ListName.PENDING, number, columns
        list_ = ListName.PARTICIPATING if "signed" in have else ListName.PENDING
        lacking = set(_REQUIRED[list_]) - have
        if not lacking:
            return list_, number, columns
    return lacking


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.casefold()))


def _rows(sheet: Worksheet, header: int, columns: dict[int, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header in which any of our columns says something."""
    last = max(columns) + 1  # openpyxl makes a cell wherever it walks
    for number, cells in enumerate(sheet.iter_rows(min_row=header + 1, max_col=last), start=header + 1):
        row: dict[str, str] = {}
        for index, name in columns.items():
            cell = cells[index]
            text = as_published(cell.value)
            if len(text) > MAX_TEXT:
                raise WorkbookError(f"cell {cell.coordinate} holds {len(text):,} characters, which no real list does")
            if text:
                row[name] = text
            if name in _LINKED and (address := _address(cell)):
                row[f"{name}_address"] = address
        if any(text.strip() for text in row.values()):
            yield number, row


def as_published(value: Any) -> str:
    """A cell's text as its reader sees it; a date as YYYY-MM-DD (with a time only if it has one)."""
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat()
        case date():
            return value.isoformat()
        case bool():
            return str(value).upper()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _address(cell: Cell | MergedCell) -> str:
    """Where a cell's link leads: the address of the document, which its text does not say."""
    link = cell.hyperlink
    if link is None:
        return ""
    target = str(link.target or "")
    return f"{target}#{link.location}" if target and link.location else target


# What openpyxl takes along wherever it is installed: numpy alone takes more address space than a workbook may have, and
# lxml would read the XML in place of defusedxml, which refuses entities.
_NOT_HERE = ("numpy", "lxml", "PIL")


def main() -> None:
    """Serve `read` over standard input and output until the input ends. A line of JSON a workbook:
    {"sheet": …} or {"error": "WorkbookError" | "LayoutChanged", "what": … | "missing": […]}."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    for extra in _NOT_HERE:
        sys.modules[extra] = None  # type: ignore[assignment]
    import openpyxl  # noqa: F401 - while the parent is still fetching

    # A workbook that was read is one knot of references. Left to itself the collector looks for such knots many times
    # while reading, and not before the next workbook, which then may lack the memory.
    gc.freeze()
    gc.disable()
    while asked := source.readline():
        size, max_memory = map(int, asked.split())
        content = source.read(size)
        resource.setrlimit(resource.RLIMIT_AS, (max_memory, max_memory))
        sink.write(_answer(content) + b"\n")
        sink.flush()
        gc.collect()


def _answer(content: bytes) -> bytes:
    try:
        return json.dumps({"sheet": read(content)}).encode()
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
