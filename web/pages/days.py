"""Pure: the front page, the page of one day, and the list of all days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from zoneinfo import ZoneInfo

from monitor.model import ListName
from monitor.storage.changelog import Looks
from web.pages.calendar import day_of
from web.pages.freshness import Freshness
from web.pages.lines import DayChanges, DaySummary
from web.pages.past_days import Added


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The newest days with changes in full, earlier days in short. `newest`: the id of the newest entry."""

    today: date
    checked_today: bool
    days: tuple[DayChanges, ...]
    earlier: tuple[DaySummary, ...]
    newest: str | None


def front_page(
    today: date,
    fresh: Sequence[Freshness],
    days: Sequence[DayChanges],
    earlier: Sequence[DaySummary],
    zone: ZoneInfo,
    newest: str | None,
) -> FrontPage:
    """`days` and `earlier`: newest first; `earlier` are the days before `days`."""
    return FrontPage(
        today,
        any(
            f.list is ListName.PARTICIPATING and f.succeeded_at is not None and day_of(f.succeeded_at, zone) == today
            for f in fresh
        ),
        tuple(days),
        tuple(earlier),
        newest,
    )


@dataclass(frozen=True, slots=True)
class DayPage:
    """One day, its neighbours with changes, and how often each list was read on it.

    A past day stays as it was when it ended; `corrections` is what was added since.
    """

    changes: DayChanges
    today: bool
    previous: date | None
    next: date | None
    looks: Mapping[ListName, Looks]
    corrections: tuple[Added, ...] = ()

    @property
    def was_read(self) -> bool:
        """Whether the participating list was read: if not, an empty day means nothing."""
        looks = self.looks.get(ListName.PARTICIPATING)
        return bool(looks and looks.succeeded)


@dataclass(frozen=True, slots=True)
class Month:
    """The days with changes of one month, the newest first; `first` is the month's first day."""

    first: date
    days: tuple[DaySummary, ...]


def months(days: Iterable[DaySummary]) -> tuple[Month, ...]:
    """All days with changes, which come the newest first."""
    return tuple(
        Month(first, tuple(of_month))
        for first, of_month in groupby(days, key=lambda summary: summary.day.replace(day=1))
    )
