"""One request: one reading of the clock, and one reader of the log."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from flask import g

from monitor.storage.log import Log, open_reader
from web.charts.series import Counter, Series
from web.pages.days import day_of

if TYPE_CHECKING:
    from monitor.settings import Settings


class Visit:
    """What a page is made from. The log is opened when it is first asked for, in the thread that serves the request."""

    def __init__(self, settings: Settings, now: datetime, counter: Counter | None = None) -> None:
        self.settings, self.now = settings, now
        self.counter = counter or Counter()
        self.zone = ZoneInfo(settings.log.time_zone)

    @property
    def today(self) -> date:
        return day_of(self.now, self.zone)

    @cached_property
    def store(self) -> Log:
        return open_reader(self.settings.state)

    @cached_property
    def series(self) -> Series:
        """How the numbers of agreements went, for charts and maps."""
        return self.counter.series(self.store)

    def end(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


def visit() -> Visit:
    """The request that is being answered."""
    return cast(Visit, g.visit)
