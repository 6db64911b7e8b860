"""How the numbers of agreements went: counted once a process, and again only what is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from monitor.model import ListName
from monitor.storage.log import Log
from monitor.storage.revision import Revision, revision
from monitor.storage.statistics import (
    AcceptedPublication,
    EntryCount,
    Location,
    StateAndType,
    accepted_publications,
    entry_counts,
    listed_counts,
    locations,
)
from web.pages.days import day_of

# County maps of this many past publications are kept counted.
_PLACES_KEPT = 32

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Series:
    """What each list showed from which moment on, the oldest first; and the log's tally. Of one version of the log."""

    version: Revision
    publications: tuple[AcceptedPublication, ...]
    counts: Mapping[int, Mapping[StateAndType, int]]  # by the number of the publication
    tally: tuple[EntryCount, ...]
    _made: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    def standing(self, list_: ListName, before: datetime | None = None) -> AcceptedPublication | None:
        """The publication that stood before a moment, or that stands now; None before the first."""
        for publication in reversed(self.publications):
            if publication.list is list_ and (before is None or publication.observed_at < before):
                return publication
        return None

    def listed(self, list_: ListName, before: datetime | None = None) -> Mapping[StateAndType, int]:
        """How many agreements a list showed before a moment, or shows now."""
        found = self.standing(list_, before)
        return self.counts[found.number] if found else {}

    def first_day(self, zone: ZoneInfo) -> date | None:
        """The day of the first participating list; None where there is none yet."""
        for publication in self.publications:
            if publication.list is ListName.PARTICIPATING:
                return day_of(publication.observed_at, zone)
        return None

    def by_day(
        self, zone: ZoneInfo, list_: ListName = ListName.PARTICIPATING
    ) -> dict[date, Mapping[StateAndType, int]]:
        """How many agreements a list showed at the end of each day on which a new publication of it was seen."""
        # The last one of a day stays; by number, as everywhere, whichever was believed when.
        return {day_of(p.observed_at, zone): self.counts[p.number] for p in self.publications if p.list is list_}

    def once(self, name: object, make: Callable[[], _Made]) -> _Made:
        """What is made of this series and nothing else, made when it is first asked for. `name`: which."""
        if name not in self._made:
            self._made[name] = make()
        made: _Made = self._made[name]
        return made


class Counter:
    """Keeps the newest series of one log, for all threads. A page waits only while something new is counted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: Series | None = None
        self._places: dict[tuple[Revision, int], Mapping[Location, int]] = {}

    def series(self, log: Log) -> Series:
        """The series of the log as it is now."""
        now = revision(log)
        with self._lock:
            if self._newest is None or self._newest.version != now:
                self._newest = _counted(log, now, self._kept(now))
            return self._newest

    def places(self, log: Log, publication: AcceptedPublication) -> Mapping[Location, int]:
        """How many agreements a publication lists at each place."""
        key = revision(log), publication.number
        with self._lock:
            if key not in self._places:
                if len(self._places) >= _PLACES_KEPT:
                    del self._places[next(iter(self._places))]
                self._places[key] = locations(log, publication.number)
            return self._places[key]

    def _kept(self, now: Revision) -> Mapping[int, Mapping[StateAndType, int]]:
        """The counts that still hold: a publication's never change but where two agreements prove to be one."""
        if self._newest is None:
            return {}
        was = self._newest.version
        return self._newest.counts if (was.file, was.aliases) == (now.file, now.aliases) else {}


def _counted(log: Log, now: Revision, kept: Mapping[int, Mapping[StateAndType, int]]) -> Series:
    publications = accepted_publications(log)
    missing = [p.number for p in publications if p.number not in kept]
    counts = {**kept, **(listed_counts(log, missing) if missing else {})}
    return Series(now, publications, counts, entry_counts(log))


def total(counts: Mapping[StateAndType, int]) -> int:
    """All of them together."""
    return sum(counts.values())


def by_state(counts: Mapping[StateAndType, int]) -> dict[str | None, int]:
    """By state alone."""
    found: dict[str | None, int] = {}
    for (code, _), n in counts.items():
        found[code] = found.get(code, 0) + n
    return found


def of_state(
    days: Mapping[date, Mapping[StateAndType, int]], code: str | None
) -> dict[date, Mapping[StateAndType, int]]:
    """The numbers of one state alone."""
    return {day: {sort: n for sort, n in counts.items() if sort[0] == code} for day, counts in days.items()}


def days_with_news(days: Mapping[date, Mapping[StateAndType, int]]) -> Sequence[tuple[date, int]]:
    """The first day, and each day on which the number was another than before; with the number."""
    found: list[tuple[date, int]] = []
    for day, counts in days.items():
        n = total(counts)
        if not found or found[-1][1] != n:
            found.append((day, n))
    return found
