"""10,000 random lives of the service: each change told once to each who wants it.

The property of `tests/alerts/test_digest.py` at length, and that of `test_lives.py` (the same in a real state.db) for
some of them; in as many processes as there are cores.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.measure import Figure
from tests.alerts import lives
from tests.alerts.histories import History, InTwoCommits, is_told_once, replayed

LIVES = 10_000
IN_STATE_DB = 200


def figures() -> Iterator[Figure]:
    """How many went wrong."""
    begin = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        results = list(processes.map(_told, range(LIVES), chunksize=100))
        caught = sum(processes.map(_is_caught, range(LIVES // 10), chunksize=100))
        really = list(processes.map(_is_told_once_really, range(IN_STATE_DB)))
    taken = time.perf_counter() - begin
    wrong = [seed for seed, told in enumerate(results) if told is None]
    yield Figure("lives, and changes told in them", f"{LIVES:,}, {sum(told or 0 for told in results):,}")
    yield Figure("lives in which something was lost or told twice", f"{wrong[:5] if wrong else 0}", "0")
    yield Figure(f"of {LIVES // 10:,} lives with two commits for one, caught losing", f"{caught:,}", "> 0")
    amiss = [seed for seed, fine in enumerate(really) if not fine]
    yield Figure(f"of {IN_STATE_DB} lives in a real state.db, told wrong", f"{amiss[:5] if amiss else 0}", "0")
    yield Figure("time", f"{taken:.0f} s")


def _told(seed: int) -> int | None:
    """How often somebody was told something in one life; None where it was wrong."""
    history = History(random.Random(seed))
    try:
        told = replayed(history)
    except AssertionError:
        return None
    return told.total() if told == history.expected() else None


def _is_caught(seed: int) -> bool:
    """Whether the way that everybody writes first loses or repeats something in this life."""
    return not is_told_once(History(random.Random(seed)), InTwoCommits)


def _is_told_once_really(seed: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return lives.is_told_once(History(random.Random(seed)), Path(folder))
