"""A text of separated values → one table."""

from __future__ import annotations

import csv
import io

from monitor.errors import WorkbookError
from monitor.workbooks.tables import Cell, Row, Table, Tables, too_large

_SEPARATORS = ",;\t|"
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def decoded(content: bytes) -> str:
    """The text of bytes without a word on their encoding: by the byte order mark, else UTF-8, else Windows-1252.

    Raises WorkbookError for bytes that are no text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\0" in content:
        # UTF-16 without a mark has a zero in every second byte of plain letters.
        zeros = content[:2000][1::2].count(0), content[:2000][::2].count(0)
        if max(zeros) < len(content[:2000]) / 4:
            raise WorkbookError("it is truncated or no workbook at all (it is no text either)")
        return content.decode("utf-16-le" if zeros[0] > zeros[1] else "utf-16-be", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def tables(text: str) -> Tables:
    """The one table of a text, whichever of comma, semicolon, tab and bar separates most in its first lines."""
    rows: list[tuple[int, Row]] = []
    widest = 0
    if text[:4].casefold() == "sep=":  # Excel's own word on what separates
        separator, text = text[4:5], text[5:]
    else:
        first = "\n".join(text[:100_000].splitlines()[:20])
        separator = max(_SEPARATORS, key=first.count)
    if separator not in _SEPARATORS:
        raise WorkbookError("it is separated by what no list is separated by")
    try:
        for number, fields in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), start=1):
            widest = max(widest, len(fields))
            if refused := too_large("CSV", number, widest):
                return Tables([refused])
            if row := {column: Cell(value) for column, value in enumerate(fields) if value.strip()}:
                rows.append((number, row))
    except csv.Error as exc:
        raise WorkbookError(f"it cannot be read as separated values ({exc})") from exc
    return Tables([Table("CSV", rows)])
