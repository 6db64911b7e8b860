"""The replay of all 360 real lists, with the matching, the log and the store.

Beside loading the same files one after another with openpyxl.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import LISTS, Figure, medians, process
from monitor.storage.database import State

ROUNDS = 3

_LOAD_ALL = """
import csv, openpyxl, pathlib, sys
folder = pathlib.Path(sys.argv[1])
for line in csv.DictReader((folder / "manifest.csv").open()):
    openpyxl.load_workbook(folder / line["file"])
"""


def figures() -> Iterator[Figure]:
    """Time beside the bare loading, and what the file weighs afterwards."""
    if not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def replay() -> None:
            for suffix in ("", "-wal", "-shm"):
                (folder / f"all.db{suffix}").unlink(missing_ok=True)
            process(["-m", "cli", "--db", "all.db", "replay", str(LISTS)], folder)

        ours, bare = medians(ROUNDS, replay, lambda: process(["-c", _LOAD_ALL, str(LISTS)], folder))
        yield Figure("replay of all lists", f"{ours:.1f} s")
        yield Figure("openpyxl loading them one after another", f"{bare:.1f} s")
        yield Figure("ratio", f"{ours / bare:.2f}", "≤ 1.0")
        with State(folder / "all.db") as state:
            whole = state.value("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            workbooks = state.value("SELECT sum(length(bytes)) FROM workbooks")
        yield Figure("state.db with the workbooks", f"{whole / 1e6:.1f} MB", "≤ 30 MB")
        yield Figure("state.db without them", f"{(whole - workbooks) / 1e6:.1f} MB", "≤ 10 MB")
