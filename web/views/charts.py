"""The page `/over-time`: charts of how many agreements were listed when."""

from __future__ import annotations

from flask import Blueprint

from web.charts import charts
from web.rendering import render
from web.request import Visit, visit
from web.views.maps import address_of

blueprint = Blueprint("charts", __name__)


@blueprint.get("/over-time")
def over_time() -> str:
    """How many agreements were listed when, by support type; and by week what was new and what is no longer listed."""
    here = visit()
    return render(
        "over-time.html",
        here.series.once("over time", lambda: _over_time(here)),
        looked_at=here.looked_at(),
        address_of=address_of,
    )


def _over_time(here: Visit) -> charts.OverTimePage:
    days = here.series.by_day(here.zone)
    until = max(days, default=here.today)
    return charts.OverTimePage(charts.stacked(days, until), charts.weekly(here.series.tally, here.zone, until))
