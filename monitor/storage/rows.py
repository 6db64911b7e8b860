"""Turns values into columns and columns into values, for every module that reads or writes the tables of the log."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import TypedDict

from monitor.model import Cells
from monitor.normalize import shown, values
from monitor.storage.database import marks

CELLS = "state, agency, type, county, support_type, signed, moa, moa_address, addendum, addendum_address"
CELL_NAMES = tuple(CELLS.split(", "))


class MainCells(TypedDict):
    """The cells that an entry and an agreement show beside their own."""

    state: str | None
    agency: str
    county: str
    support_type: str
    signed: str


def prefixed(table: str, prefix: str = "") -> str:
    """The cell columns of a table as a SELECT list, each under its name with a prefix."""
    return ", ".join(f"{table}.{name} AS {prefix}{name}" if prefix else f"{table}.{name}" for name in CELL_NAMES)


def cells_of(r: sqlite3.Row, prefix: str = "") -> Cells:
    """The cells that `prefixed` selected."""
    return Cells(*(r[f"{prefix}{name}"] for name in CELL_NAMES))


def main_cells(cells: Cells) -> MainCells:
    """A row's main cells as readers see them: spacing cleaned, codes and dates in one form, `#N/A` blank."""
    read = values(cells)
    return {
        "state": read.state,
        "agency": shown(cells.agency),
        "county": shown(cells.county) if read.county else "",
        "support_type": read.support_type or shown(cells.support_type),
        "signed": read.signed.isoformat() if read.signed else shown(cells.signed),
    }


def older(column: str) -> str:
    """An SQL expression: the agreement that the one in a column proved to be, or that one itself.

    Name the column with its table: a bare name would be read as a column of `aliases`.
    """
    return f"coalesce((SELECT same_as FROM aliases WHERE aliases.agreement = {column}), {column})"


def is_one_of(column: str, states: Sequence[str | None], arguments: list[object]) -> str:
    """An SQL condition on a state column, whose values are added to `arguments`. None: state not recognized."""
    named = [s for s in states if s is not None]
    arguments += named
    condition = f"{column} IN ({marks(named)})"
    return f"({condition} OR {column} IS NULL)" if None in states else condition


def public_id(prefix: str, *parts: str) -> str:
    """A permanent id derived from what it names, so that a rebuild gives the same: 60 bits, base 32."""
    return f"{prefix}-{base64.b32encode(digest(*parts)).decode().lower()[:12]}"


def digest(*parts: str) -> bytes:
    """The first 16 bytes of the SHA-256 of some texts."""
    return hashlib.sha256(as_text(parts).encode()).digest()[:16]


def as_text(value: object) -> str:
    """A value as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
