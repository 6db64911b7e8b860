"""The pages of the states: all of them, and one with its changes and agreements."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from monitor.model import DEPARTURES
from monitor.normalize import state as state_named
from web.charts import charts
from web.page_cache import kept
from web.pages.calendar import bounds, day_in
from web.pages.lines import by_day
from web.pages.states import enough_days, state_page, states_page
from web.rendering import related, render
from web.request import visit
from web.urls import UNKNOWN, slug

# How many entries a state's page shows before it asks the reader to go on.
STATE_ENTRIES = 60

blueprint = Blueprint("states", __name__)


@blueprint.get("/states/")
@kept
def all_states() -> str:
    """How many agreements each state has, and when it last changed."""
    store = visit().store
    return render("states.html", states_page(store.standing_counts(), store.newest_change_by_state()))


@blueprint.get("/states/<name>")
@blueprint.get("/states/<name>/before/<before_day>")
@kept
def state(name: str, before_day: str = "") -> str | Response:
    """One state: its recent changes and its agreements. `/before/2025-08-01` goes on into the past."""
    here = visit()
    code = None if name == UNKNOWN else state_named(name)
    if code is None and name != UNKNOWN:
        abort(404)
    if name != slug(code):
        return redirect(url_for(".state", name=slug(code)), 301)
    before = day_in(before_day or request.args.get("before", ""))
    if before_day and before is None:
        abort(404)
    until = bounds(before, here.zone)[0] if before else None
    first, more = enough_days(here.store.tally(until=until, states=[code]), here.zone, STATE_ENTRIES)
    since = bounds(first, here.zone)[0] if first else None
    entries = list(here.store.entries(states=[code], since=since, until=until))
    page = state_page(
        code,
        by_day(entries, related(here.store, entries), here.zone),
        here.directory.agreements_in(code),
        here.store.entries(states=[code], kinds=list(DEPARTURES)),
        agency_of=lambda agreement: here.directory.agency_id(agreement) or agreement,
        before=before,
        older=first if more else None,
    )
    listed = None if before else charts.listed_in(here.series, here.zone, code)
    return render("state.html", page, listed=listed)
