"""100 real changes routed to 100,000 watches."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from alerts.model import ChannelName, Subscriber, Watch
from alerts.routing import instant
from alerts.storage.store import open_alerts
from bench.measure import LISTS, Figure, apart, report
from bench.watchers import at, look, wants
from monitor.storage.writer import Store

BEFORE = "participatingAgencies08112025am.xlsx"
AFTER = "participatingAgencies09092025pm.xlsx"
ENTRIES, WATCHES = 100, 100_000


def figures() -> Iterator[Figure]:
    """Time and memory of a process that routes them."""
    if not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state.db"
        with open_alerts(state) as alerts:
            store = Store(alerts.state)
            look(store, BEFORE, at("2025-08-11"))
            look(store, AFTER, at("2025-09-09"))
        cost = apart(["-m", "bench.routing", str(state)])
    yield Figure(f"{WATCHES:,} watches × {ENTRIES} entries: lines told", f"{cost.count:,}")
    yield Figure("time", f"{cost.seconds:.1f} s", "≤ 10 s")
    yield Figure("memory of the process, at most", f"{cost.peak_mb:.0f} MB", "≤ 300 MB")


def _route(state: Path) -> None:
    chance = random.Random(1)
    with open_alerts(state) as alerts:
        agreements = list(alerts.log.agreements.all())
        entries = list(alerts.log.changelog.entries(limit=ENTRIES))
        # Two in three subscribers have one watch, one in three has two.
        readers = [Subscriber(n, ChannelName.EMAIL, f"reader{n}@example.org") for n in range(WATCHES * 3 // 4)]
        watches = [Watch(n, readers[n % len(readers)], wants(chance, agreements)) for n in range(WATCHES)]
        begin = time.perf_counter()
        agencies = alerts.watches.agencies(watches)
        lines = sum(len(notice.lines) for notice in instant.route(entries, watches, {}, {}, agencies))
        report(time.perf_counter() - begin, lines)


if __name__ == "__main__":
    _route(Path(sys.argv[1]))
