"""A publication as it was read, with what else was in its workbook, for the operator to see."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.model import ListName, Publication


@dataclass(frozen=True, slots=True)
class NotListing:
    """A row below the header that is no listing: a footnote, a total, a heading. `text` is cut to 100 characters."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class UnknownColumn:
    """A column that is none of a list: in how many listings it says something, and its commonest texts, counted."""

    name: str
    filled: int
    texts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SheetRead:
    """A sheet with the columns of a list, and whether its rows are part of the publication."""

    title: str
    list: ListName
    rows: int
    used: bool


@dataclass(frozen=True, slots=True)
class ReadPublication(Publication):
    """A publication, the first 100 rows that are no listings, its unknown columns, and its sheets if there are several.

    Where several sheets make the list, the rows of a later one are numbered on from the last row of the one before.
    """

    not_listings: tuple[NotListing, ...] = ()
    unknown_columns: tuple[UnknownColumn, ...] = ()
    sheets: tuple[SheetRead, ...] = ()
