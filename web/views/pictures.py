"""The addresses of the maps and charts: each gathers from the log, asks `maps` or `charts`, and renders it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from monitor.model import ListName
from monitor.normalize import STATES
from web.charts import charts, maps, preview
from web.charts.series import Series, by_state, days_with_news, of_state
from web.pages.days import bounds
from web.rendering import render, render_lasting
from web.request import Visit, visit
from web.views.log import slug

pictures = Blueprint("pictures", __name__)

# How far "earlier" and "later" lead.
MAP_STEP = timedelta(days=7)
_previews = preview.Previews()


@pictures.get("/map")
def map_of_states() -> str | Response:
    """The states as they are now. `?on=2025-08-01`, as the form sends it, leads to that day's own address."""
    return _newest("states")


@pictures.get("/map/counties")
def map_of_counties() -> str | Response:
    """The counties as they are now, or as `?on=` says."""
    return _newest("counties")


@pictures.get("/map/<day>")
def states_on(day: str) -> str:
    """The states at the end of a past day."""
    return _on("states", day)


@pictures.get("/map/counties/<day>")
def counties_on(day: str) -> str:
    """The counties at the end of a past day."""
    return _on("counties", day)


@pictures.get("/over-time")
def over_time() -> str:
    """How many agreements were listed when, by support type; and by week what was new and what left."""
    here = visit()
    return render("over-time.html", here.series.once("over time", lambda: _over_time(here)), address_of=address_of)


@pictures.get("/preview/front.png")
def preview_of_front() -> Response:
    """For links to the front page: how many are listed, and how it came to that."""
    here = visit()
    return _preview("front", _line(days_with_news(here.series.by_day(here.zone))))


@pictures.get("/preview/map.png")
def preview_of_map() -> Response:
    """For links to the map: the map."""
    counts = by_state(visit().series.listed(ListName.PARTICIPATING))
    return _preview("map", preview.Card(*_words("map", sum(counts.values())), maps.states(counts)))


@pictures.get("/preview/states/<name>.png")
def preview_of_state(name: str) -> Response:
    """For links to a state's page: its number over time."""
    here, code = visit(), name.upper()
    if code not in STATES or slug(code) != name:
        abort(404)
    return _preview(f"states/{name}", _line(days_with_news(of_state(here.series.by_day(here.zone), code)), code))


def addresses(here: Visit) -> Iterator[str]:
    """Every address that this file serves, for a copy of the site: the newest maps first, then those of each day."""
    yield from ("/over-time", "/map", "/map/counties")
    if preview.available():
        yield from ("/preview/front.png", "/preview/map.png")
        ever = {code for counts in here.series.by_day(here.zone).values() for code, _ in counts if code}
        yield from (f"/preview/states/{slug(code)}.png" for code in sorted(ever))
    day = here.series.first_day(here.zone)
    while day is not None and day <= here.today:
        yield from (f"/map/{day.isoformat()}", f"/map/counties/{day.isoformat()}")
        day += timedelta(days=1)


def address_of(kind: str, day: date | None = None) -> str:
    """Where a map is: of a day, or the newest one."""
    name = {"states": ("map_of_states", "states_on"), "counties": ("map_of_counties", "counties_on")}[kind]
    return url_for(f"pictures.{name[1]}", day=day.isoformat()) if day else url_for(f"pictures.{name[0]}")


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


def _over_time(here: Visit) -> charts.OverTimePage:
    days = here.series.by_day(here.zone)
    until = max(days, default=here.today)
    return charts.OverTimePage(charts.stacked(days, until), charts.weekly(here.series.tally, here.zone, until))


def _newest(kind: str) -> str | Response:
    if "on" in request.args:
        return redirect(address_of(kind, _day(visit(), request.args["on"])), 303)
    return _map(kind, None)


def _on(kind: str, text: str) -> str:
    return _map(kind, _day(visit(), text))


def _day(here: Visit, text: str) -> date:
    """A day in an address, of which a map can be drawn: from the log's first one to today."""
    first = here.series.first_day(here.zone)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    if first is None or not first <= day <= here.today or day.isoformat() != text:
        abort(404)
    return day


def _map(kind: str, day: date | None) -> str:
    here = visit()
    end = bounds(day, here.zone)[1] if day else None
    shown, first = day or here.today, here.series.first_day(here.zone) or here.today
    earlier, later = shown - MAP_STEP, shown + MAP_STEP
    page = maps.MapPage(
        kind,
        _drawn(kind, here, here.series, end),
        shown,
        day is None,
        first,
        earlier if earlier >= first else None,
        later if day and later <= here.today else None,
        _months(first, here.today) if day is None else (),
    )
    g.policy = {"script-src": "'self'"}
    over = day is not None and day < here.today
    return (render_lasting if over else render)("map.html", page, ground=maps.ground, address_of=address_of)


def _drawn(kind: str, here: Visit, series: Series, before: datetime | None) -> maps.Map:
    if kind == "states":
        return maps.states(by_state(series.listed(ListName.PARTICIPATING, before)))
    publication = series.standing(ListName.PARTICIPATING, before)
    return maps.counties(here.counter.places(here.store, publication) if publication else {})


def _months(first: date, last: date) -> tuple[date, ...]:
    """The first day of each month from the log's first day on."""
    months = (last.year - first.year) * 12 + last.month - first.month
    days = (
        date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1) for i in range(months + 1)
    )
    return tuple(day for day in days if day >= first)
