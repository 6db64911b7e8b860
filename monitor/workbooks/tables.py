"""Sheets as tables of cells, and what the readers of all file formats share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias

# Real workbooks unpack to 1.5 MB and have some 2,000 rows by 13 columns, with at most 83 characters in a cell. A cell
# at XFD1048576 or a zip bomb is refused before anything walks it.
MAX_UNPACKED = 100_000_000
MAX_PARTS = 1_000
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_TABLES = 100  # of a page
MAX_TEXT = 32_767  # characters; no spreadsheet holds more in a cell


class Link(NamedTuple):
    """A link inside a cell: the words that carry it, and the address that it leads to."""

    text: str
    address: str


class Cell(NamedTuple):
    """A cell as its reader sees it, and where its links lead."""

    text: str
    links: tuple[Link, ...] = ()


# The cells of a row that hold something, by their column, counted from 0.
Row: TypeAlias = dict[int, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: its rows that hold something, each with its number, counted from 1.

    `refused` says why a sheet is too large to be read; it has no rows then.
    """

    title: str
    rows: list[tuple[int, Row]]
    hidden: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Tables:
    """All sheets of a file in their order, and when the file says that it was saved (UTC)."""

    sheets: list[Table]
    saved_at: datetime | None = None


def too_large(title: str, rows: int, columns: int) -> Table | None:
    """The sheet as a refused one where it reaches further than any real list."""
    if rows <= MAX_ROWS and columns <= MAX_COLUMNS:
        return None
    reaches = f"sheet {title!r} reaches to row {rows:,}, column {columns:,}, which no real list does"
    return Table(title, [], refused=reaches)


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


def column_letters(index: int) -> str:
    """The letters of a column, counted from 0: A, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


_HYPERLINK = re.compile(r"^(?:of:)?=.*?\bHYPERLINK\s*\(", re.IGNORECASE | re.DOTALL)
_ARGUMENT = re.compile(r'\s*(?:"((?:[^"]|"")*)"|\[?\.?(\$?[A-Z]{1,3}\$?\d{1,7})\]?|([\d.]+))\s*', re.IGNORECASE)


def hyperlink(formula: str, text_at: Callable[[str], str] = lambda reference: "") -> Link | None:
    """What a formula `=HYPERLINK("address","text")` shows, and where it leads; None for any other formula.

    Arguments are texts, numbers and cells of the sheet (`text_at` says what stands at "A1"), joined by `&`. One that is
    computed otherwise is "".
    """
    start = _HYPERLINK.match(formula)
    if start is None:
        return None
    address, position = _argument(formula, start.end(), text_at)
    text = address
    if formula[position : position + 1] in (",", ";"):
        text, _ = _argument(formula, position + 1, text_at)
    return Link(text, "" if address.startswith("#") else address)


def _argument(formula: str, position: int, text_at: Callable[[str], str]) -> tuple[str, int]:
    """One argument's text from a position on, and where it ends."""
    parts = []
    while part := _ARGUMENT.match(formula, position):
        quoted, reference, number = part.groups()
        if reference:
            parts.append(text_at(reference.replace("$", "").upper()))
        else:
            parts.append(number or (quoted or "").replace('""', '"'))
        position = part.end()
        if formula[position : position + 1] != "&":
            return "".join(parts), position
        position += 1
    return "", position
