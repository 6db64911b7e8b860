"""Pure: which rows below a header are listings, and what else is on the sheet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from monitor import normalize
from monitor.errors import WorkbookError
from monitor.workbooks.columns import Header, is_header_again
from monitor.workbooks.tables import MAX_TEXT, Cell, Link, Row, Table, column_letters, hyperlink

_LINKED = ("moa", "addendum")
_ADDENDUM = re.compile(r"addend", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
# What an operator is told of rows and columns that are no part of the list: how many, and how long each.
MAX_NOT_LISTINGS = 100
_MOST_VALUES = 20
_LONGEST = 100

NotListing = tuple[int, str]  # the number of a row, and its cells' texts
UnknownColumn = tuple[str, int, list[tuple[str, int]]]  # its name, how many cells say something, the commonest texts
NamedRow = tuple[int, dict[str, str]]  # the number of a row, and its texts by our names; links have `_address` names


def listings_of(sheet: Table, header: Header) -> tuple[list[NamedRow], list[NotListing]]:
    """The rows below the header in which any of our columns says something: listings, and what cannot be one."""
    listings: list[NamedRow] = []
    others: list[NotListing] = []
    for number, row in sheet.rows:
        if number <= header.row:
            continue
        named = _named(number, row, header)
        if not any(text.strip() for text in named.values()):
            continue
        if is_listing(named) and not is_header_again(named):
            listings.append((number, named))
        elif len(others) < MAX_NOT_LISTINGS:
            others.append((number, " | ".join(" ".join(cell.text.split()) for cell in row.values())[:_LONGEST]))
    return listings, others


def is_listing(named: dict[str, str]) -> bool:
    """Whether a row can be a listing: it says which agency, and under which support type or two other things.

    Footnotes, totals, repeated headers and a heading for each state say less. Four applications of October 2025 had
    no support type, but everything else.
    """
    agency = named.get("agency", "").strip()
    support_type = named.get("support_type", "").strip()
    if not _LETTER.search(agency):
        return not agency and normalize.support_type(support_type) is not None
    if normalize.support_type(support_type) is not None:
        return True
    told = sum(bool(named.get(name, "").strip()) for name in ("type", "county", "signed"))
    told += any(named.get(name, "").strip() for name in ("moa", "moa_address", "addendum", "addendum_address"))
    told += normalize.state(named.get("state", "")) is not None
    return told >= (1 if _LETTER.search(support_type) else 2)


def _named(number: int, row: Row, header: Header) -> dict[str, str]:
    """A row's texts by our names."""
    named: dict[str, str] = {}
    for index, name in header.columns.items():
        cell = row.get(index)
        if cell is None:
            continue
        if len(cell.text) > MAX_TEXT:
            where = f"{column_letters(index)}{number}"
            raise WorkbookError(f"cell {where} holds {len(cell.text):,} characters, which no real list does")
        if name not in _LINKED:
            if cell.text:
                named[name] = cell.text
            continue
        if not cell.links and cell.text[:1] in "=o" and (link := hyperlink(cell.text)):
            # A formula that was saved as text, as .csv files do.
            cell = Cell(link.text, (link,) if link.address else ())
        if cell.text:
            named[name] = cell.text
        own = [link for link in cell.links if name == "addendum" or not _leads_to_addendum(link, cell)]
        if own:
            named[f"{name}_address"] = own[0].address
        for link in cell.links if name == "moa" else ():
            if link not in own:
                named.setdefault("addendum_address", link.address)
                named.setdefault("addendum", link.text if link.text != cell.text else "addendum")
    return named


def _leads_to_addendum(link: Link, cell: Cell) -> bool:
    """Which half of an MOA cell that reads "link | addendum" carries a link; where all of it does, the file's name."""
    if not _ADDENDUM.search(cell.text):
        return False
    return bool(_ADDENDUM.search(link.address if link.text == cell.text else link.text))


def unknown_columns(sheet: Table, header: Header, listings: Sequence[NamedRow]) -> list[UnknownColumn]:
    """What the columns that are none of ours say beside listings: the commonest texts of each, with how many rows."""
    numbers = {number for number, _ in listings}
    found = []
    for index, name in header.unknown.items():
        texts = Counter(
            text[:_LONGEST]
            for number, row in sheet.rows
            if number in numbers and index in row and (text := " ".join(row[index].text.split()))
        )
        if texts:
            found.append((name, texts.total(), texts.most_common(_MOST_VALUES)))
    return found
