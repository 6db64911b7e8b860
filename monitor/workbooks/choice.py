"""Pure: chooses the sheets that are the list, where several sheets have its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

from monitor.model import Listing, ListName, SupportType

Key: TypeAlias = tuple[str | None, str, SupportType | None]  # state, comparable name of the agency, support type
# A sheet that another covers so far is not part of the list; one that shares so little with the others may be.
_COVERED, _APART = 0.95, 0.1
_NEARLY = 0.9  # a sheet that comes first counts, though a later one is that much better
# A sheet so called holds what is not listed (any more).
_NOT_THE_LIST = re.compile(
    r"\b(?:terminated|withdrawn|removed|expired|former|inactive|cancel|archived?|previous|old|history|ended)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A sheet that could be the list: its title, which list its columns make of it, and what its rows are."""

    title: str
    hidden: bool
    list: ListName
    keys: frozenset[Key]


def keys(listings: Iterable[Listing]) -> frozenset[Key]:
    """What rows are, as far as sheets are told apart by it."""
    return frozenset((row.values.state, row.values.agency, row.values.support_type) for row in listings)


def chosen(sheets: Sequence[Choice], asked: ListName | None, known: Set[Key]) -> tuple[int, ...]:
    """The indexes of the sheets that make the list, in their order; at least one.

    Visible sheets go before hidden ones (a hidden one may be the last publication, forgotten), those of the list that
    was asked for before others. Of these the one that shares most with the agreements that are listed now, or has most
    rows where none are; and a further one only if it holds a part of the list that this one lacks.
    """
    pool = list(range(len(sheets)))
    for narrower in (
        [i for i in pool if not sheets[i].hidden],
        [i for i in pool if not sheets[i].hidden and sheets[i].list is asked]
        or [i for i in pool if sheets[i].list is asked],
        [i for i in pool if not _NOT_THE_LIST.search(sheets[i].title)],
    ):
        pool = [i for i in pool if i in narrower] or pool
    scores = {i: len(sheets[i].keys & known) for i in pool}
    if not any(scores.values()):
        scores = {i: len(sheets[i].keys) for i in pool}
    main = next(i for i in pool if scores[i] >= _NEARLY * max(scores.values()))
    used, covered = [main], sheets[main].keys
    same_list = [i for i in pool if i != main and sheets[i].list is sheets[main].list]
    whole = known or covered.union(*(sheets[i].keys for i in same_list))
    for i in same_list:
        keys = sheets[i].keys
        lacks_much = len(covered & whole) < _COVERED * len(whole)
        is_a_part = bool(keys) and len(keys & covered) <= _APART * len(keys) and 2 * len(keys & whole) >= len(keys)
        if lacks_much and is_a_part:
            used.append(i)
            covered |= keys
    return tuple(sorted(used))
