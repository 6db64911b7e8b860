"""The numbers of agreements over time: counted once in a process, then only what is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cachetools import LRUCache

from monitor.model import ListName
from monitor.storage.changelog import Log, Tally
from monitor.storage.revision import Version, version
from monitor.storage.statistics import Accepted, Place, Sort, accepted, counted, places
from web.pages.calendar import day_of

# The counts of this many county maps are kept.
_PLACES_KEPT = 32

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Series:
    """The publications of each list, oldest first, with counts, and the log's tally. Of one version of the log."""

    version: Version
    publications: tuple[Accepted, ...]
    counts: Mapping[int, Mapping[Sort, int]]  # by the number of the publication
    tally: tuple[Tally, ...]
    _made: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    def publication(self, list_: ListName, before: datetime | None = None) -> Accepted | None:
        """The newest publication before a moment, or of all; None before the first."""
        for publication in reversed(self.publications):
            if publication.list is list_ and (before is None or publication.observed_at < before):
                return publication
        return None

    def listed(self, list_: ListName, before: datetime | None = None) -> Mapping[Sort, int]:
        """How many agreements a list showed before a moment, or shows now."""
        publication = self.publication(list_, before)
        return self.counts[publication.number] if publication else {}

    def first_day(self, zone: ZoneInfo) -> date | None:
        """The day of the first participating list; None where there is none yet."""
        for publication in self.publications:
            if publication.list is ListName.PARTICIPATING:
                return day_of(publication.observed_at, zone)
        return None

    def by_day(self, zone: ZoneInfo, list_: ListName = ListName.PARTICIPATING) -> dict[date, Mapping[Sort, int]]:
        """How many agreements a list showed at the end of each day on which a new publication of it was seen."""
        # The last publication of a day counts, by number, whenever it was accepted.
        return {day_of(p.observed_at, zone): self.counts[p.number] for p in self.publications if p.list is list_}

    def once(self, name: object, make: Callable[[], _Made]) -> _Made:
        """Something made from this series alone, made on first use and kept. `name`: its key."""
        if name not in self._made:
            self._made[name] = make()
        made: _Made = self._made[name]
        return made


class SeriesCache:
    """Keeps the newest series of one log, for all threads. Pages wait while new publications are counted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: Series | None = None
        self._places: LRUCache[tuple[Version, int], Mapping[Place, int]] = LRUCache(_PLACES_KEPT)

    def series(self, log: Log) -> Series:
        """The series of the log as it is now."""
        now = version(log)
        with self._lock:
            if self._newest is None or self._newest.version != now:
                self._newest = _counted(log, now, self._kept(now))
            return self._newest

    def places(self, log: Log, publication: Accepted) -> Mapping[Place, int]:
        """How many agreements a publication lists at each place."""
        key = version(log), publication.number
        with self._lock:
            if key not in self._places:
                self._places[key] = places(log, publication.number)
            return self._places[key]

    def _kept(self, now: Version) -> Mapping[int, Mapping[Sort, int]]:
        """The counts that are still right: those of a publication change only when agreements are merged."""
        if self._newest is None:
            return {}
        was = self._newest.version
        return self._newest.counts if (was.file, was.aliases) == (now.file, now.aliases) else {}


def _counted(log: Log, now: Version, kept: Mapping[int, Mapping[Sort, int]]) -> Series:
    publications = accepted(log)
    missing = [p.number for p in publications if p.number not in kept]
    counts = {**kept, **(counted(log, missing) if missing else {})}
    return Series(now, publications, counts, log.tally())


def total(counts: Mapping[Sort, int]) -> int:
    """The sum."""
    return sum(counts.values())


def by_state(counts: Mapping[Sort, int]) -> dict[str | None, int]:
    """The counts by state."""
    counts_by_state: dict[str | None, int] = {}
    for (code, _), n in counts.items():
        counts_by_state[code] = counts_by_state.get(code, 0) + n
    return counts_by_state


def of_state(days: Mapping[date, Mapping[Sort, int]], code: str | None) -> dict[date, Mapping[Sort, int]]:
    """The numbers of one state."""
    return {day: {sort: n for sort, n in counts.items() if sort[0] == code} for day, counts in days.items()}


def days_with_news(days: Mapping[date, Mapping[Sort, int]]) -> Sequence[tuple[date, int]]:
    """The first day, and each day on which the number changed, with the number."""
    levels: list[tuple[date, int]] = []
    for day, counts in days.items():
        n = total(counts)
        if not levels or levels[-1][1] != n:
            levels.append((day, n))
    return levels
