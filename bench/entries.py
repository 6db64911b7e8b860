"""Rows → entries of two real publications: the one of Aug. 11, 2025 pm, and the largest batch of the year.

Timed: both lists from cells as they were read, with nothing remembered (`normalize.listing` for each row), then
`match`, `plausibility.plausibility` and `changes.participating`. Not timed: reading the workbooks, and the database.
The largest batch is the publication in which most keys left and joined.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import pairwise

from bench.measure import LISTS, Figure, medians
from monitor import geography, normalize
from monitor.checks import changes as diff
from monitor.checks import plausibility
from monitor.matching import similarity
from monitor.matching.matcher import key, match
from monitor.model import Cells, Change, Kind, ListName, Standing
from monitor.workbooks.parser import read

FILE = "participatingAgencies08112025pm.xlsx"
ROUNDS = 11


def figures() -> Iterator[Figure]:
    """Both publications, and what they said."""
    if not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    lists = participating()
    steps = list(pairwise(lists))
    named = next(step for step in steps if step[1] == FILE)
    largest = max(steps, key=lambda step: _moved(lists[step[0]], lists[step[1]]))
    for step in (named, largest):
        before, after = (lists[name] for name in step)

        def tell(before: Sequence[Cells] = before, after: Sequence[Cells] = after) -> None:
            forget()
            entries(before, after)

        (taken,) = medians(ROUNDS, tell)
        what = f"{step[1].removesuffix('.xlsx')}, {_moved(before, after)} of {len(after):,} rows moved"
        yield Figure(what, f"{taken:.3f} s", "≤ 0.05 s")
        yield Figure("  what it said", told(entries(before, after)))


def entries(before: Sequence[Cells], after: Sequence[Cells]) -> tuple[Change, ...]:
    """What one participating list says after another, where nothing else is known of either."""
    old = [Standing(row, normalize.listing(row, cells)) for row, cells in enumerate(before, start=2)]
    new = [normalize.listing(row, cells) for row, cells in enumerate(after, start=2)]
    matching = match(old, new)
    plausibility.plausibility(matching, len(old), served_before=False, limits=plausibility.Limits())
    return diff.participating(matching, (), (), {})


def told(changes: Sequence[Change]) -> str:
    """How many changes there are of each kind, in words."""
    counts = {kind: sum(c.kind is kind for c in changes) for kind in (Kind.CHANGED, Kind.NEW, Kind.TERMINATED)}
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items())


def participating() -> dict[str, list[Cells]]:
    """The rows of every participating list, by file, in the order of publication."""
    with (LISTS / "manifest.csv").open(newline="") as manifest:
        files = [line["file"] for line in csv.DictReader(manifest) if line["link"] == ListName.PARTICIPATING]
    sheets = {name: read((LISTS / name).read_bytes())[0] for name in files}
    # Sept. 22, 2025: the pending list was linked as this one, and is held.
    return {
        name: [Cells(**cells) for _, cells in sheet["rows"]]
        for name, sheet in sheets.items()
        if sheet["list"] == ListName.PARTICIPATING
    }


def forget() -> None:
    """Let nothing be remembered of rows that were read before."""
    for module in (normalize, geography, similarity):
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def _moved(before: Sequence[Cells], after: Sequence[Cells]) -> int:
    old, new = ({key(normalize.values(cells)) for cells in rows} for rows in (before, after))
    return len(old ^ new)
