"""Pure: finds the header row of a sheet, and which of its columns are those of a list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from monitor import normalize
from monitor.model import ListName
from monitor.workbooks.names import COLUMNS, REQUIRED, SYNONYMS, field_of
from monitor.workbooks.tables import Row, column_letters

_HEADER_WITHIN = 20  # rows from the top
_SAMPLE = 300  # cells of a column that are asked whether they fit its name
# How a column's name was recognized, the surest first. An operator's word on another header than ICE's own counts until
# ICE's own is back.
_SAID_OF_OURS, _EXACT, _SAID, _SYNONYM, _MISSPELT = range(5)


@dataclass(frozen=True, slots=True)
class Header:
    """Where a sheet's header stands, which list it makes of the sheet, and what each column is by its index.

    `columns` are those of ours by our names, `unknown` the others by what the header says ("column J" without a word).
    """

    list: ListName
    row: int
    columns: Mapping[int, str]
    unknown: Mapping[int, str] = field(default_factory=dict)


def find_header(rows: Sequence[tuple[int, Row]], mapping: Mapping[str, str]) -> Header | set[str]:
    """The header within the first 20 rows of a sheet; or which of our columns the nearest one lacks.

    `mapping`: what an operator says that a column is, header text → a name of ours ("DATE SIGNED" → "SIGNED").
    Only the participating list has a SIGNED column; which list it is, is decided by that, never by name or link.
    """
    said = {_words(text): field_of(name) for text, name in mapping.items()}
    ours = {words for words, (how, _) in _NAMES.items() if how == _EXACT}
    names = _NAMES | {words: (_SAID_OF_OURS if words in ours else _SAID, name) for words, name in said.items()}
    lacking = set(REQUIRED[ListName.PENDING])
    for position, (number, row) in enumerate(rows):
        if number > _HEADER_WITHIN:
            break
        columns = _recognized(row, names, rows[position + 1 :])
        have = set(columns.values())
        if not set(REQUIRED[ListName.PENDING]) <= have:
            lacking = min(lacking, set(REQUIRED[ListName.PENDING]) - have, key=len)
            continue
        list_ = ListName.PARTICIPATING if "signed" in have else ListName.PENDING
        if missing := set(REQUIRED[list_]) - have:
            lacking = missing
            continue
        return Header(list_, number, columns, _unknown(row, columns, rows[position + 1 :]))
    return lacking


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.casefold()))


_NAMES = {
    **{name: (_SYNONYM, ours) for ours, names in SYNONYMS.items() for name in names},
    **{_words(name): (_EXACT, ours) for ours, name in COLUMNS.items()},
}


def _recognized(row: Row, names: Mapping[str, tuple[int, str]], below: Sequence[tuple[int, Row]]) -> dict[int, str]:
    """Our name for each column of a header that is one of ours; the surest name of a column counts, then the first.

    A synonym must not be belied by the cells below it, a misspelt name must be borne out by them.
    """
    candidates = []
    for index, cell in row.items():
        if (words := _words(cell.text)) and len(words) <= 60:
            how, ours = names.get(words) or (_MISSPELT, _nearest(words, names))
            if ours:
                candidates.append((how, index, ours))
    columns: dict[int, str] = {}
    for how, index, ours in sorted(candidates):
        if ours in columns.values() or index in columns:
            continue
        if how >= _SYNONYM:
            fits = _share_that_fits(ours, index, below)
            if (fits is None and how is _MISSPELT) or (fits is not None and fits < 0.5):
                continue
        columns[index] = ours
    return columns


def _nearest(words: str, names: Mapping[str, tuple[int, str]]) -> str:
    """The one column whose name differs from these words by a typing error (two in a long one); "" if none does."""
    allowed = 1 if len(words) < 7 else 2
    near = {
        ours
        for name, (_, ours) in names.items()
        if len(name) > 3 and abs(len(name) - len(words)) <= allowed and OSA.distance(words, name) <= allowed
    }
    return near.pop() if len(near) == 1 else ""


def _share_that_fits(ours: str, index: int, below: Sequence[tuple[int, Row]]) -> float | None:
    """Which share of a column's cells say what a column of ours says; None where all are blank."""
    texts = []
    for _, row in below:
        cell = row.get(index)
        if cell and (cell.links or cell.text.strip()):
            texts.append("link" if cell.links else cell.text.strip())
        if len(texts) == _SAMPLE:
            break
    return sum(_fits(ours, text) for text in texts) / len(texts) if texts else None


def _fits(ours: str, text: str) -> bool:
    words = normalize.folded(text).split()
    match ours:
        case "state":
            return normalize.state(text) is not None
        case "support_type":
            return normalize.support_type(text) is not None
        case "signed":
            return normalize.signed(text) is not None
        case "moa" | "addendum":
            return bool({"link", "pending", "addendum", "moa", "pdf", "https", "http"} & set(words))
        case "county":
            return not normalize.county(text) or bool({"county", "parish", "borough", "city"} & set(words))
        case "type":
            return bool({"county", "municipality", "municipal", "state", "tribal", "agency", "city"} & set(words))
    return len(words) > 1 and normalize.state(text) is None and normalize.support_type(text) is None


def _unknown(row: Row, columns: Mapping[int, str], below: Sequence[tuple[int, Row]]) -> dict[int, str]:
    """The columns that are none of ours and in which something stands."""
    used = {index for _, cells in below for index, cell in cells.items() if index not in columns and cell.text.strip()}
    named = {index: " ".join(row[index].text.split())[:_LONGEST] if index in row else "" for index in sorted(used)}
    return {index: name or f"column {column_letters(index)}" for index, name in named.items()}


_LONGEST = 100  # characters of a text of the workbook that an operator is told


def is_header_again(named: Mapping[str, str]) -> bool:
    """Whether a row, its texts by our names, repeats the header, as at the top of each printed page."""
    if not any(_is_name(name, named) for name in ("agency", "support_type")):
        return False
    return sum(_is_name(name, named) for name in COLUMNS) > 1


def _is_name(ours: str, named: Mapping[str, str]) -> bool:
    return ours in named and _NAMES.get(_words(named[ours]), (0, ""))[1] == ours
