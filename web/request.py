"""What a request needs: the time, read once, and one reader of the log."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from threading import Condition
from typing import cast
from zoneinfo import ZoneInfo

from cachetools import LRUCache, cached
from flask import g
from werkzeug.exceptions import NotFound

from monitor.health import ListHealth, list_health, stale_after
from monitor.model import ListName
from monitor.settings import Settings
from monitor.storage.log import Log, open_reader
from monitor.storage.revision import revision
from web.charts.series import Series, SeriesCache
from web.pages.calendar import bounds, day_of
from web.search.directory import Directory, read_directory


class Shared:
    """What the requests of one application share, made once for each version of the log."""

    def __init__(self) -> None:
        self.series = SeriesCache()
        # RelatedEntries that ask while it is made wait for it.
        self.directory = cached(LRUCache[object, Directory](1), key=revision, condition=Condition())(read_directory)


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

    def looked_at(self, day: date | None = None) -> datetime | None:
        """When the participating list was last read: at all, or until the end of a day; None where it was not."""
        before = bounds(day, self.zone)[1] if day else None
        shown = self.series.publication(ListName.PARTICIPATING, before)
        # A publication that was held back counts from when it was seen; its check succeeded only later.
        looks = (self.store.checks.last_success(ListName.PARTICIPATING, before), shown.observed_at if shown else None)
        return max(filter(None, looks), default=None)

    @cached_property
    def last_looked(self) -> date | None:
        """The day on which the participating list was last read: nothing is known of later days."""
        at = self.looked_at()
        return min(day_of(at, self.zone), self.today) if at else None

    @cached_property
    def freshness(self) -> tuple[ListHealth, ...]:
        """How each list stands."""
        return list_health(self.store.checks.last(), self.now, stale_after(self.settings.source.every_minutes))

    @cached_property
    def series(self) -> Series:
        """The numbers of agreements over time, for charts and maps."""
        return self.shared.series.series(self.store)

    @cached_property
    def directory(self) -> Directory:
        """All agencies, with their agreements and counties."""
        return self.shared.directory(self.store)

    def end(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


class NotChecked(NotFound):
    """A day in an address is later than the last successful check, `after`."""

    def __init__(self, after: datetime) -> None:
        super().__init__()
        self.after = after


def visit() -> Visit:
    """The current request."""
    return cast(Visit, g.visit)
