"""One request: one reading of the clock, and one reader of the log."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from threading import Condition
from typing import cast
from zoneinfo import ZoneInfo

from cachetools import LRUCache, cached
from flask import g

from monitor.settings import Settings
from monitor.storage.changelog import Log, open_reader
from monitor.storage.revision import version
from web.charts.series import Series, SeriesCache
from web.pages.calendar import day_of
from web.pages.freshness import STALE_AFTER, Freshness, freshness
from web.search.directory import Directory, read_directory


class Shared:
    """What the requests of one application share, made once for each version of the log."""

    def __init__(self) -> None:
        self.series = SeriesCache()
        # RelatedEntries that ask while it is made wait for it.
        self.directory = cached(LRUCache[object, Directory](1), key=version, condition=Condition())(read_directory)


class Visit:
    """What a page is made from. The log is opened on first use, in the thread that serves the request."""

    def __init__(self, settings: Settings, now: datetime, shared: Shared | None = None) -> None:
        self.settings, self.now = settings, now
        self.shared = shared or Shared()
        self.zone = ZoneInfo(settings.log.time_zone)

    @property
    def today(self) -> date:
        return day_of(self.now, self.zone)

    @cached_property
    def store(self) -> Log:
        return open_reader(self.settings.state)

    @cached_property
    def freshness(self) -> tuple[Freshness, ...]:
        """When each list was last read."""
        return freshness(self.store.last_checks(), self.now, STALE_AFTER)

    @cached_property
    def series(self) -> Series:
        """The numbers of agreements over time, for charts and maps."""
        return self.shared.series.series(self.store)

    @property
    def directory(self) -> Directory:
        """All agencies, with their agreements and counties."""
        return self.shared.directory(self.store)

    def end(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


def visit() -> Visit:
    """The current request."""
    return cast(Visit, g.visit)
