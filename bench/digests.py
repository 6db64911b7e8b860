"""10,000 daily digests over the changes of Aug. 29, 2025, rendered and stored."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from alerts.delivery.digests import make_digests
from alerts.delivery.run import route
from alerts.model import ChannelName, Schedule
from alerts.storage.store import open_alerts
from bench.measure import LISTS, Figure, apart, report
from bench.watchers import at, look, wants
from monitor.settings import Settings
from monitor.storage.writer import Store

BEFORE = "participatingAgencies08282025pm.xlsx"
AFTER = "participatingAgencies08292025pm.xlsx"
SUBSCRIBERS = 16_000  # of whom some 10,000 have something to hear
DAY = at("2025-08-29")


def figures() -> Iterator[Figure]:
    """Time and memory of a process that makes them all, and how many it makes."""
    if not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state.db"
        changes = _prepare(state)
        cost = apart(["-m", "bench.digests", str(state)])
        with open_alerts(state) as alerts:
            messages = alerts.state.value("SELECT count(*) FROM messages")
            lines = alerts.state.value("SELECT count(*) FROM delivery_entries")
    yield Figure(f"{changes} changes, {SUBSCRIBERS:,} subscribers: digests made", f"{cost.count:,}")
    yield Figure("different messages among them, and lines in all", f"{messages:,}, {lines:,}")
    yield Figure("time", f"{cost.seconds:.1f} s", "≤ 15 s")
    yield Figure("memory of the process, at most", f"{cost.peak_mb:.0f} MB", "≤ 200 MB")


def _prepare(state: Path) -> int:
    """Subscribers, and a day in the log; how many changes."""
    chance = random.Random(1)
    with open_alerts(state) as alerts:
        store = Store(alerts.state)
        look(store, BEFORE, DAY - timedelta(hours=2))
        agreements = list(alerts.log.agreements.all())
        with alerts.write():
            for number in range(SUBSCRIBERS):
                reader = alerts.subscribers.ensure(
                    ChannelName.EMAIL, f"reader{number}@example.org", confirmed_by="operator", at=DAY
                )
                alerts.watches.add(reader, wants(chance, agreements), schedule=Schedule(7 * 60), at=DAY)
        changes = look(store, AFTER, DAY)
        route(alerts, Settings(state=state), DAY)
    return changes


def _make(state: Path) -> None:
    with open_alerts(state) as alerts:
        begin = time.perf_counter()
        made = make_digests(alerts, Settings(state=state), DAY + timedelta(days=1))
        report(time.perf_counter() - begin, made)


if __name__ == "__main__":
    _make(Path(sys.argv[1]))
