"""Random lives again, in a real state.db: what `histories` asks of the pure core, asked of all of it but the sending.

The changes are published, the watches added and the readers moved as the history says; a run routes the log and makes
digests, and may be killed before any of its commits.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from alerts.delivery.digests import make_digests
from alerts.delivery.run import route
from alerts.model import Watch
from alerts.storage.store import AlertStore
from monitor.model import Change, Entry, Kind
from tests.alerts.builders import (
    Log,
    add_watch,
    confirmed,
    edited,
    new,
    open_log,
    returned,
    settings,
    terminated,
    withdrawn,
)
from tests.alerts.histories import Heard, History


class _Killed(BaseException):
    """The process ends here, before what it wrote is committed."""


class _Mortal(AlertStore):
    """Dies before one commit in ten, until it is told to live."""

    def __init__(self, alerts: AlertStore, chance: random.Random) -> None:
        super().__init__(alerts.state)
        self._chance = chance
        self.dies = 0.1

    @contextmanager
    def write(self) -> Iterator[None]:
        with super().write():
            yield
            if self._chance.random() < self.dies:
                raise _Killed


def is_told_once(history: History, folder: Path) -> bool:
    """Whether each change was told once to each who wants it."""
    return Life(history, folder / "state.db").told() == history.expected()


class Life:
    """A history as it happens."""

    def __init__(self, history: History, path: Path) -> None:
        self._history, self._path = history, path
        self._log: Log = open_log(path)
        self._alerts = _Mortal(self._log.alerts, history.chance)
        self._real: dict[str, str] = {}  # the ids of entries, as the history and as the log has them
        self._readers: set[int] = set()

    def told(self) -> Counter[Heard]:
        """Live it; who was told of which change (as the history calls it), in how many deliveries."""
        with closing(self._log.alerts):
            for _, _, happens in sorted(self._events(), key=lambda event: event[:2]):
                happens()
            self._alerts.dies = 0
            for later in (timedelta(), timedelta(days=10)):
                self._run(self._history.end + later)
            return self._heard()

    def _events(self) -> Iterator[tuple[datetime, int, Callable[[], None]]]:
        """When, in which order at one time, and what."""
        by_time: dict[datetime, list[Entry]] = {}
        for at, each in self._history.entries:
            by_time.setdefault(at, []).append(each)
        for at, entries in by_time.items():
            yield at, 0, partial(self._publish, at, entries)
        for at, watch in self._history.watches:
            yield at, 1, partial(self._watch, at, watch)
        for at, who, zone in self._history.moves:
            yield at, 2, partial(self._move, who, zone)
        for at in self._history.runs:
            yield at, 3, partial(self._run, at)

    def _publish(self, at: datetime, entries: list[Entry]) -> None:
        made = self._log.publishes(*map(self._change, entries), now=at)
        self._real |= {mine.id: real.id for mine, real in zip(entries, made, strict=True)}

    def _change(self, entry: Entry) -> Change:
        row = entry.after or entry.before
        assert row
        about = replace(entry, id=self._real.get(entry.about or "", ""))
        match entry.kind:
            case Kind.NEW:
                return new(row)
            case Kind.CHANGED:
                assert entry.before
                return edited(entry.before, row)
            case Kind.TERMINATED:
                return terminated(row)
            case Kind.CONFIRMED:
                return confirmed(about, row)
            case Kind.WITHDRAWN:
                return withdrawn(about, row)
            case _:
                return returned(row)

    def _watch(self, at: datetime, watch: Watch) -> None:
        who = watch.subscriber
        moves = [zone for moved, mover, zone in sorted(self._history.moves) if mover == who.number and moved <= at]
        zone = None if who.number in self._readers else [who.time_zone, *moves][-1]
        self._readers.add(who.number)
        add_watch(
            self._log.alerts,
            *(watch.wants.states or ()),
            email=who.address,
            schedule=watch.schedule,
            time_zone=zone,
            at=at,
            departures=watch.wants.departures,
        )

    def _move(self, who: int, zone: str) -> None:
        self._log.alerts.state.run("UPDATE subscribers SET time_zone = ? WHERE address = ?", zone, _address(who))

    def _run(self, now: datetime) -> None:
        given = settings(self._path)
        with suppress(_Killed):
            route(self._alerts, given, now)
            make_digests(self._alerts, given, now)

    def _heard(self) -> Counter[Heard]:
        mine = {real: id for id, real in self._real.items()}
        readers = {_address(who): who for who in self._readers}
        heard = Counter((readers[d.address], mine[e]) for d in self._log.alerts.reports.deliveries() for e in d.entries)
        news = {e.id for _, e in self._history.entries if not e.about} - self._history.came_and_went()
        return Counter({(who, id): times for (who, id), times in heard.items() if id in news})


def _address(who: int) -> str:
    return f"reader{who}@example.org"
