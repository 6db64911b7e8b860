"""The pictures that previews of links show: of the front page, the map, and each state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from flask import Blueprint, abort, current_app, render_template
from werkzeug.wrappers import Response

from monitor.model import ListName
from monitor.normalize import STATES
from web.charts import maps, preview
from web.charts.series import by_state, days_with_news, of_state
from web.request import Visit, visit
from web.urls import slug

blueprint = Blueprint("previews", __name__)
_previews = preview.Previews()


@blueprint.get("/preview/front.png")
def preview_of_front() -> Response:
    """For links to the front page: how many are listed, and how it came to that."""
    here = visit()
    return _preview("front", _line(days_with_news(here.series.by_day(here.zone))))


@blueprint.get("/preview/map.png")
def preview_of_map() -> Response:
    """For links to the map: the map."""
    counts = by_state(visit().series.listed(ListName.PARTICIPATING))
    return _preview("map", preview.Card(*_words("map", sum(counts.values())), maps.states(counts)))


@blueprint.get("/preview/states/<name>.png")
def preview_of_state(name: str) -> Response:
    """For links to a state's page: its number over time."""
    here, code = visit(), name.upper()
    if code not in STATES or slug(code) != name:
        abort(404)
    return _preview(f"states/{name}", _line(days_with_news(of_state(here.series.by_day(here.zone), code)), code))


def addresses(here: Visit) -> Iterator[str]:
    """Every picture there is, for a copy of the site."""
    if preview.available():
        yield from ("/preview/front.png", "/preview/map.png")
        ever = {code for counts in here.series.by_day(here.zone).values() for code, _ in counts if code}
        yield from (f"/preview/states/{slug(code)}.png" for code in sorted(ever))


def _line(levels: Sequence[tuple[date, int]], code: str | None = None) -> preview.Card | None:
    """The card of a number over time; None where it never was any."""
    if not any(n for _, n in levels):
        return None
    since, total = levels[-1]
    return preview.Card(*_words("line", total, since, code), preview.Line(tuple(levels)))


def _words(picture: str, total: int, since: date | None = None, state: str | None = None) -> tuple[str, str]:
    """The two lines of words on a card."""
    text = render_template("preview.txt", picture=picture, total=total, since=since, state=state)
    title, below = (line.strip() for line in text.splitlines() if line.strip())
    return title, below


def _preview(name: str, card: preview.Card | None) -> Response:
    if card is None or not preview.available():
        abort(404)
    try:
        drawn = _previews.png(name, card)
    except preview.Busy:
        # Pages come first: whoever previews links comes again.
        return current_app.response_class(status=503, headers={"Retry-After": "5"})
    return current_app.response_class(drawn, mimetype="image/png", headers={"Cache-Control": "public, max-age=3600"})
