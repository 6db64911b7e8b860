"""The whole history of 2025 as files: from nothing, after one new publication, and when nothing is new.

The last two participating lists are the new ones, each with the pending lists before it.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bench.measure import LISTS, Cost, Figure, apart, report
from cli import wiring
from monitor.checks.replay import replay, steps_to_check
from monitor.settings import Settings
from monitor.sources.folder import steps_of
from monitor.storage.database import moment
from monitor.storage.writer import open_store
from web.static_site.publish import publish


def figures() -> Iterator[Figure]:
    """Time of a process that publishes, and its memory."""
    if not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    with tempfile.TemporaryDirectory() as name:
        state, site = Path(name) / "state.db", Path(name) / "site"
        busy, last = _participating()[-2:]
        before = _history(state, busy - timedelta(seconds=1))
        first = _published(state, site, busy - timedelta(hours=1))
        yield Figure(f"{before:,} entries, from nothing: {first.count:,} files", f"{first.seconds:.1f} s", "≤ 60 s")
        yield Figure("memory of the process, at most", f"{first.peak_mb:.0f} MB")
        size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
        yield Figure("size of all files", f"{size / 1e6:.0f} MB")
        for at in (busy, last):
            after = _history(state, at)
            new = _published(state, site, at)
            what = f"after a publication of {after - before} entries (and the lists before it): {new.count:,} files"
            yield Figure(what, f"{new.seconds:.2f} s", "≤ 2 s")
            before = after
        again = _published(state, site, last)
        yield Figure(f"when nothing is new: {again.count} files", f"{again.seconds:.2f} s")


def _participating() -> list[datetime]:
    with (LISTS / "manifest.csv").open(newline="") as lines:
        looks = list(csv.DictReader(lines))
    return sorted(moment(look["published"]) for look in looks if look["link"] == "participating")


def _history(state: Path, until: datetime) -> int:
    """The past in a state.db up to a moment; how many entries."""
    settings = Settings(state=state)
    with wiring.reader(lambda: settings, 2) as reading, open_store(settings.state) as store:
        steps = [step for step in steps_of(LISTS, reading) if step.at <= until]
        for _ in replay(steps_to_check(steps, store, LISTS), reading, store, wiring.rules(settings)):
            pass
        return store.position()


def _published(state: Path, site: Path, now: datetime) -> Cost:
    return apart(["-m", "bench.publish", str(state), str(site), now.isoformat()])


def _publish(state: Path, site: Path, now: datetime) -> None:
    begin = time.perf_counter()
    done = publish(Settings(state=state), site, now)
    report(time.perf_counter() - begin, done.written)


if __name__ == "__main__":
    _publish(Path(sys.argv[1]), Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
