"""The pictures of link previews: of the front page, the map, and each state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from flask import Blueprint, abort, current_app, render_template
from werkzeug.wrappers import Response

from monitor.model import ListName
from monitor.normalize import STATES
from monitor.storage.statistics import StateAndType
from web.charts import charts, maps, preview
from web.charts.series import by_state, days_with_news, of_state
from web.request import Visit, visit
from web.urls import slug

blueprint = Blueprint("previews", __name__)


@blueprint.get("/preview/front.png")
def preview_of_front() -> Response:
    """For links to the front page: how many agreements are listed, over time."""
    here = visit()
    return _line(here.series.by_day(here.zone), None)


@blueprint.get("/preview/map.png")
def preview_of_map() -> Response:
    """For links to the map: the map."""
    counts = by_state(visit().series.listed(ListName.PARTICIPATING))
    return _preview(map=maps.states(counts), total=sum(counts.values()))


@blueprint.get("/preview/states/<name>.png")
def preview_of_state(name: str) -> Response:
    """For links to a state's page: its number over time."""
    here, code = visit(), name.upper()
    if code not in STATES or slug(code) != name:
        abort(404)
    return _line(of_state(here.series.by_day(here.zone), code), code)


def addresses(here: Visit) -> Iterator[str]:
    """Every picture there is, for a copy of the site."""
    if preview.available():
        yield from ("/preview/front.png", "/preview/map.png")
        ever = {code for counts in here.series.by_day(here.zone).values() for code, _ in counts if code}
        yield from (f"/preview/states/{slug(code)}.png" for code in sorted(ever))


def _line(days: Mapping[date, Mapping[StateAndType, int]], state: str | None) -> Response:
    """A number over time, up to its last change, not to today: the same numbers are the same picture."""
    levels = days_with_news(days)
    if not any(n for _, n in levels):
        abort(404)
    first, last = levels[0][0], levels[-1][0]
    chart = charts.line(levels, last + (last - first) // 25, 1040, 348)
    return _preview(chart=chart, total=levels[-1][1], state=state)


def _preview(**shown: object) -> Response:
    if not preview.available():
        abort(404)
    drawn = preview.png(render_template("preview.svg", **{"map": None, **shown}))
    return current_app.response_class(drawn, mimetype="image/png", headers={"Cache-Control": "public, max-age=3600"})
