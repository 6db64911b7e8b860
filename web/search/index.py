"""Finds agencies, counties and states by words: an FTS5 index in memory, and the only SQL about it.

It is made from the directory in a few milliseconds, so nothing has to be stored, migrated or rebuilt.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from threading import Lock

from monitor.normalize import STATES, agency
from monitor.storage.agencies import AgencyRecord

# The most words of a query, and the most letters of a word: no name is longer.
WORDS, LETTERS = 12, 40


class SearchIndex:
    """The words of agencies (all names that they were ever listed under), of counties and of states.

    A row's number is its index in the sequence of agencies, counties or states that it was made from.
    """

    def __init__(
        self, agencies: Sequence[AgencyRecord], counties: Sequence[tuple[str, str]], states: Sequence[str]
    ) -> None:
        # Written in this thread, later read by others, one query at a time.
        self._lock = Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute(
            "CREATE VIRTUAL TABLE words USING fts5 (sort UNINDEXED, number UNINDEXED, name, place,"
            " tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')"
        )
        rows = [
            ("agency", number, _both_forms((a.name, *a.formerly)), _place(a.state, a.counties))
            for number, a in enumerate(agencies)
        ]
        rows += [("county", n, name, _place(code, ())) for n, (code, name) in enumerate(counties)]
        rows += [("state", n, STATES[code], code) for n, code in enumerate(states)]
        self._connection.executemany("INSERT INTO words VALUES (?, ?, ?, ?)", rows)

    def find(self, sort: str, query: str) -> list[int]:
        """The numbers of the rows of a sort that hold every word of a query, the last one maybe incomplete; best first.

        Everything else in a query (quotes, operators of FTS5, brackets) separates words.
        """
        forms = [_expression(words) for words in (_words(query), _words(agency(query))) if words]
        if not forms:
            return []
        with self._lock:
            return [
                number
                for (number,) in self._connection.execute(
                    # A word in the name counts more than one in the place.
                    "SELECT number FROM words WHERE words MATCH ? AND sort = ?"
                    " ORDER BY bm25(words, 0, 0, 4, 1), number",
                    (" OR ".join(f"({form})" for form in dict.fromkeys(forms)), sort),
                )
            ]


def _words(text: str) -> list[str]:
    return [word[:LETTERS] for word in re.findall(r"[^\W_]+", text[: WORDS * LETTERS])[:WORDS]]


def _expression(words: Sequence[str]) -> str:
    """An FTS5 expression with every word as a string, so that none is an operator."""
    *whole, begun = (f'"{word}"' for word in words)
    return " AND ".join([*whole, f"{begun}*"])


def _both_forms(names: Sequence[str]) -> str:
    """Names as listed, and with abbreviations written out: "PD" is found by "police"."""
    comparable: Callable[[str], str] = agency
    return " \n ".join(dict.fromkeys([*names, *map(comparable, names)]))


def _place(code: str | None, counties: Sequence[tuple[str, str]]) -> str:
    return " ".join([code or "", STATES.get(code or "", ""), *(name for _, name in counties)])
