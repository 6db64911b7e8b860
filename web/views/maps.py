"""The pages of the maps: of the states and of the counties, now and at the end of each past day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from flask import Blueprint, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response

from monitor.model import ListName
from web.charts import maps
from web.charts.series import by_state
from web.pages.calendar import bounds, day_of
from web.rendering import render, render_lasting
from web.request import NotChecked, Visit, visit

blueprint = Blueprint("maps", __name__)

# How far the links "earlier" and "later" go.
MAP_STEP = timedelta(days=7)


@blueprint.get("/map")
def map_of_states() -> str | Response:
    """The states as they are now. `?on=2025-08-01`, as the form sends it, leads to that day's own address."""
    return _newest("states")


@blueprint.get("/map/counties")
def map_of_counties() -> str | Response:
    """The counties as they are now, or as `?on=` says."""
    return _newest("counties")


@blueprint.get("/map/<day>")
def states_on(day: str) -> str:
    """The states at the end of a past day."""
    return _on("states", day)


@blueprint.get("/map/counties/<day>")
def counties_on(day: str) -> str:
    """The counties at the end of a past day."""
    return _on("counties", day)


def addresses(here: Visit) -> Iterator[str]:
    """Every map, for a copy of the site: the newest ones first, then those of each day."""
    yield from ("/map", "/map/counties")
    day = here.series.first_day(here.zone)
    while day is not None and here.last_looked is not None and day <= here.last_looked:
        yield from (f"/map/{day.isoformat()}", f"/map/counties/{day.isoformat()}")
        day += timedelta(days=1)


def address_of(kind: str, day: date | None = None) -> str:
    """Where a map is: of a day, or the newest one."""
    name = {"states": ("map_of_states", "states_on"), "counties": ("map_of_counties", "counties_on")}[kind]
    return url_for(f"maps.{name[1]}", day=day.isoformat()) if day else url_for(f"maps.{name[0]}")


def _newest(kind: str) -> str | Response:
    if "on" in request.args:
        return redirect(address_of(kind, _day(visit(), request.args["on"])), 303)
    return _map(kind, None)


def _on(kind: str, text: str) -> str:
    return _map(kind, _day(visit(), text))


def _day(here: Visit, text: str) -> date:
    """A day in an address, from the first day of the log to the last on which the list was read."""
    first, looked_at = here.series.first_day(here.zone), here.looked_at()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    if first is None or looked_at is None or not first <= day <= here.today or day.isoformat() != text:
        abort(404)
    if day > day_of(looked_at, here.zone):
        raise NotChecked(looked_at)
    return day


def _map(kind: str, day: date | None) -> str:
    here = visit()
    end = bounds(day, here.zone)[1] if day else None
    last = here.last_looked or here.today
    shown, first = day or last, here.series.first_day(here.zone) or last
    earlier, later = shown - MAP_STEP, shown + MAP_STEP
    page = maps.MapPage(
        kind,
        _drawn(kind, here, end),
        shown,
        day is None,
        first,
        earlier if earlier >= first else None,
        later if day and later <= last else None,
        _months(first, last) if day is None else (),
        here.looked_at(day),
    )
    g.policy = {"script-src": "'self'"}
    over = day is not None and day < here.today
    return (render_lasting if over else render)("map.html", page, ground=maps.ground, address_of=address_of)


def _drawn(kind: str, here: Visit, before: datetime | None) -> maps.Map:
    if kind == "states":
        return maps.states(by_state(here.series.listed(ListName.PARTICIPATING, before)))
    publication = here.series.publication(ListName.PARTICIPATING, before)
    return maps.counties(here.shared.series.places(here.store, publication) if publication else {})


def _months(first: date, last: date) -> tuple[date, ...]:
    """The first day of each month from the log's first day on."""
    months = (last.year - first.year) * 12 + last.month - first.month
    days = (
        date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1) for i in range(months + 1)
    )
    return tuple(day for day in days if day >= first)
