"""One comparison of two lists in a process of its own, so that its memory is its own; `bench.scale` runs it.

    python -m bench.contender NAME OLD.csv NEW.csv

Every contender begins with the rows of both lists in memory, one `Cells` a row, as this project's reader gives them;
csv-diff, which reads nothing but CSV, with the text. Prints as JSON how long the comparison took, how far the process's
memory rose above where it stood before (bytes; what was imported and read does not count), and what was found.
"""

from __future__ import annotations

import csv
import gc
import io
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from monitor.model import Cells

FIELDS = ("state", "agency", "type", "county", "support_type", "signed", "moa", "moa_address", "addendum",
          "addendum_address")  # fmt: skip
KEY = ("state", "agency", "support_type")

# The comparison itself, once all is imported and read: what it found in words, and seconds of a part of it by name.
Comparison = Callable[[], tuple[str, dict[str, float]]]


def write(path: Path, rows: Iterable[Cells]) -> None:
    """A list as a contender reads it: CSV, with the key in a column of its own, which csv-diff needs."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("key", *FIELDS))
        for row in rows:
            writer.writerow(("|".join(getattr(row, name) for name in KEY), *(getattr(row, name) for name in FIELDS)))


def _rows(path: Path) -> list[Cells]:
    with path.open(newline="") as file:
        lines = csv.reader(file)
        next(lines)
        return [Cells(*texts) for _, *texts in lines]


def _ours(old: Path, new: Path) -> Comparison:
    """Cells are read as states, names, days …; then who continues whom, what changed, and how much it matters."""
    from bench.entries import entries, told

    gc.set_threshold(50_000, 20, 100)  # as the service does
    before, after = _rows(old), _rows(new)
    return lambda: (told(entries(before, after)), {})


def _datacompy(old: Path, new: Path) -> Comparison:
    """Cells are put into frames, which are joined by equal keys and compared; the report, and all rows that differ."""
    import polars
    from datacompy import PolarsCompare

    before, after = _rows(old), _rows(new)

    def compare() -> tuple[str, dict[str, float]]:
        begin = time.perf_counter()
        one, other = (
            polars.DataFrame({name: [getattr(row, name) for row in rows] for name in FIELDS})
            for rows in (before, after)
        )
        framed = time.perf_counter() - begin
        found = PolarsCompare(one, other, join_columns=list(KEY))
        found.report()
        counts = len(found.all_mismatch()), len(found.df2_unq_rows), len(found.df1_unq_rows)
        return _counted(counts), {"its frames": framed}

    return compare


def _csv_diff(old: Path, new: Path) -> Comparison:
    """Text is read as CSV into rows by key, and rows of equal keys are compared."""
    from csv_diff import compare, load_csv

    texts = [io.StringIO(path.read_text(), newline="") for path in (old, new)]

    def differences() -> tuple[str, dict[str, float]]:
        found = compare(*(load_csv(text, key="key", dialect="excel") for text in texts))
        return _counted([len(found[kind]) for kind in ("changed", "added", "removed")]), {}

    return differences


def _counted(counts: Iterable[int]) -> str:
    words = ("changed", "new", "terminated")
    return ", ".join(f"{count:,} {word}" for count, word in zip(counts, words, strict=True))


CONTENDERS = {"ours": _ours, "datacompy": _datacompy, "csv-diff": _csv_diff}


def _peak() -> int:
    """The most memory that this process ever had resident, in bytes.

    Linux says it best in /proc: what getrusage says begins with the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    name, *paths = sys.argv[1:]
    compare = CONTENDERS[name](*map(Path, paths))
    stood, begin = _peak(), time.perf_counter()
    found, parts = compare()
    taken = time.perf_counter() - begin
    print(json.dumps({"seconds": taken, "rose": _peak() - stood, "found": found, "parts": parts}))


if __name__ == "__main__":
    main()
