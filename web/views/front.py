"""The front page: the newest days with changes, and in short the days before them."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint
from werkzeug.wrappers import Response

from web.charts import charts
from web.page_cache import kept
from web.pages.calendar import bounds, day_of
from web.pages.days import front_page
from web.pages.freshness import Freshness
from web.pages.lines import DayChanges, summaries
from web.rendering import changes_on, render
from web.request import Visit, visit

# The front page shows whole days, newest first, until there is enough to read; then it sums up the days before.
FRONT_ENTRIES, FRONT_DAYS = 20, 5
EARLIER_WITHIN, EARLIER_DAYS = timedelta(days=60), 10

blueprint = Blueprint("front", __name__)


@blueprint.get("/")
def newest() -> str | Response:
    """The newest days with changes, and in short the days before them."""
    return _newest(visit().freshness)


@kept
def _newest(fresh: tuple[Freshness, ...]) -> str:
    here = visit()
    newest, before = _newest_days(here)
    earlier = summaries(here.store.tally(before - EARLIER_WITHIN, before), here.zone)
    page = front_page(here.today, fresh, newest, earlier[:EARLIER_DAYS], here.zone, here.store.newest_id())
    return render("front.html", page, listed=charts.listed(here.series, here.zone))


def _newest_days(here: Visit) -> tuple[list[DayChanges], datetime]:
    """The days that the front page shows in full, newest first, and the moment at which they begin."""
    days: list[DayChanges] = []
    before = bounds(here.today, here.zone)[1]
    while len(days) < FRONT_DAYS and sum(day.entries for day in days) < FRONT_ENTRIES:
        at = here.store.newest_change(before)
        if at is None:
            break
        days.append(changes_on(here, day_of(at, here.zone)))
        before = bounds(days[-1].day, here.zone)[0]
    return days, before
