"""Rows → entries of a list multiplied to 1,500, 15,000 and 150,000 rows, beside datacompy (polars) and csv-diff.

The rows are those of the newest real list, again and again; each time another word ends every agency's name and every
document's address, so that keys stay unique and each state keeps its share. Then 1 % of the rows are corrected by a
typing error, and a few leave and join. What each contender does with it, `bench.contender` says. Each round runs all of
them in turn, each in a process of its own; medians.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import count, islice, product
from pathlib import Path
from random import Random

from bench.contender import CONTENDERS, write
from bench.measure import LISTS, Figure
from monitor.model import Cells, ListName
from monitor.workbooks.parser import read
from tests.monitor.corrections import another_letter, double, drop, slip, swap

SIZES = (1_500, 15_000, 150_000)
ROUNDS = 3
CORRECTED, MOVED = 0.01, 0.001  # shares of the rows
_MODULES = {"ours": "monitor", "datacompy": "datacompy", "csv-diff": "csv_diff"}


def figures() -> Iterator[Figure]:
    """Time and memory by size, how they grow, and how the largest compares."""
    if not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    present = [name for name in CONTENDERS if find_spec(_MODULES[name])]
    for name in CONTENDERS:
        if name not in present:
            yield Figure(f"skipped: {name} is not installed (`make bench` installs it)", "")
    seconds: dict[tuple[str, int], float] = {}
    rose: dict[tuple[str, int], float] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _make(size, Path(folder))
            runs = {name: [] for name in present}
            for _ in range(ROUNDS):
                for name in present:
                    runs[name].append(_run(name, Path(folder)))
        for name, answers in runs.items():
            seconds[name, size] = statistics.median(a["seconds"] for a in answers)
            rose[name, size] = statistics.median(a["rose"] for a in answers)
            parts = {part: statistics.median(a["parts"][part] for a in answers) for part in answers[0]["parts"]}
            said = "".join(f", {value:.3f} s of it {part}" for part, value in parts.items())
            yield Figure(f"{size:>7,} rows, {name}: {answers[0]['found']}{said}", _both(seconds, rose, name, size))
    yield Figure("time grows as rows to the power of", f"{_exponent(seconds):.2f}", "≤ 1: linear")
    yield Figure("memory grows as rows to the power of", f"{_exponent(rose):.2f}", "≤ 1: linear")
    most = SIZES[-1]
    for name, bounds in (("datacompy", ("≤ 1", "≤ 0.5")), ("csv-diff", ("", ""))):
        if name in present:
            for what, measured, bound in zip(("time", "memory"), (seconds, rose), bounds, strict=True):
                ratio = measured["ours", most] / measured[name, most]
                yield Figure(f"{what} at {most:,} rows, beside {name}", f"{ratio:.2f}", bound)


def _both(seconds: dict[tuple[str, int], float], rose: dict[tuple[str, int], float], name: str, size: int) -> str:
    return f"{seconds[name, size]:.3f} s, {rose[name, size] / 1e6:.1f} MB"


def _run(name: str, folder: Path) -> dict[str, object]:
    """What one contender answers about the two lists in a folder."""
    paths = (str(folder / "old.csv"), str(folder / "new.csv"))
    done = subprocess.run(
        [sys.executable, "-m", "bench.contender", name, *paths], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def _exponent(measured: dict[tuple[str, int], float]) -> float:
    """The slope of log(ours) over log(rows)."""
    rows = [math.log(size) for size in SIZES]
    return statistics.linear_regression(rows, [math.log(measured["ours", size]) for size in SIZES]).slope


# --- the lists ---------------------------------------------------------------------------------------------


def _make(size: int, folder: Path) -> None:
    """Write a list of that many rows and the one that follows it."""
    chance = Random(size)
    multiplied = _multiplied(_newest())
    old = list(islice(multiplied, size))
    write(folder / "old.csv", old)
    write(folder / "new.csv", _next(old, list(islice(multiplied, round(size * MOVED))), chance))


def _newest() -> list[Cells]:
    with (LISTS / "manifest.csv").open(newline="") as manifest:
        files = [line["file"] for line in csv.DictReader(manifest) if line["link"] == ListName.PARTICIPATING]
    return [Cells(**cells) for _, cells in read((LISTS / files[-1]).read_bytes())[0]["rows"]]


def _multiplied(rows: Sequence[Cells]) -> Iterator[Cells]:
    """The rows again and again, each time with another word in every name. Words, not numbers: that the numbers in two
    names differ is told at a glance."""
    for word in _words():
        for row in rows:
            address = row.moa_address and f"{row.moa_address.removesuffix('.pdf')}{word}.pdf"
            yield replace(row, agency=f"{row.agency} {word}", moa_address=address)


def _words() -> Iterator[str]:
    """Words that no typing error makes another of: "Bramawick", "Heronoville" …"""
    begin = "Bram Heron Tide Marsh Fenner Oster Wick Harl Dunn Pell Tarn Vexx Morr Linn Ashe".split()
    end = "wick moor ville burg stead mere dale ridge ford combe worth field".split()
    for number in count():
        yield from (f"{one}{'ao' * number}{other}" for one, other in product(begin, end))


def _next(old: Sequence[Cells], came: Sequence[Cells], chance: Random) -> list[Cells]:
    """The list that follows: some rows corrected, some gone, some that came."""
    new: list[Cells | None] = list(old)
    moving = chance.sample(range(len(old)), round(len(old) * (CORRECTED + MOVED)))
    gone = moving[: round(len(old) * MOVED)]
    for row in gone:
        new[row] = None
    misspell = slip(drop, double, swap, another_letter)
    for row in moving[len(gone) :]:
        field = chance.choice(("agency", "agency", "agency", "county", "state", "support_type"))
        text = getattr(old[row], field)
        new[row] = replace(old[row], **{field: misspell(text, chance) or text})
    return [row for row in (*new, *came) if row]
