"""What stands in a workbook beside its listings, for the operator to see. Pure."""

from __future__ import annotations

from dataclasses import dataclass


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
    list: str  # the list whose columns it has
    rows: int
    used: bool


@dataclass(frozen=True, slots=True)
class Remarks:
    """What stands in a workbook beside its listings, for the operator to see: the first 100 rows that are no listings,
    the columns that are none of a list's, and its sheets if there are several.

    Where several sheets make the list, the rows of a later one are numbered on from the last row of the one before.
    """

    not_listings: tuple[NotListing, ...] = ()
    unknown_columns: tuple[UnknownColumn, ...] = ()
    sheets: tuple[SheetRead, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.not_listings or self.unknown_columns or self.sheets)


NO_REMARKS = Remarks()
