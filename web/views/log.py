"""The addresses of the pages: each gathers from the log, asks `pages` what to say, and renders it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from flask import Blueprint, abort, redirect, url_for
from flask import request as http_request
from werkzeug.wrappers import Response

from monitor.model import DEPARTURES, ListName
from monitor.normalize import state as state_named
from monitor.storage.checks import CheckCounts
from monitor.storage.statistics import current_counts, entry_counts, listed_spans
from web.charts import charts
from web.charts.timeline import timeline
from web.page_cache import kept
from web.pages import pages
from web.pages.corrections import Added, PastDay, past_day
from web.pages.days import bounds, day_in, day_of
from web.pages.lines import DayChanges, by_day, day_changes, summaries
from web.rendering import how_fresh, notes_about, render, render_lasting, threads
from web.request import Visit, visit
from web.search.directory import directory

# The front page tells whole days, the newest first, until there is enough to read; then it sums up the days before.
FRONT_ENTRIES, FRONT_DAYS = 20, 5
EARLIER_WITHIN, EARLIER_DAYS = timedelta(days=60), 10
# How many entries a state's page shows before it asks the reader to go on.
STATE_ENTRIES = 60
UNKNOWN = "unknown"

site = Blueprint("site", __name__)


@site.get("/")
def front() -> str | Response:
    """The newest days with changes, and in short the days before them."""
    return _front(how_fresh(visit()))


@kept
def _front(fresh: tuple[pages.Freshness, ...]) -> str:
    here = visit()
    newest, before = _newest_days(here)
    earlier = summaries(entry_counts(here.store, before - EARLIER_WITHIN, before), here.zone)
    page = pages.front(here.today, fresh, newest, earlier[:EARLIER_DAYS], here.zone, here.store.changelog.newest_id())
    return render("front.html", page, listed=charts.listed(here.series, here.zone))


@site.get("/days/")
@kept
def days() -> str:
    """Every day with changes."""
    here = visit()
    return render("days.html", pages.months(summaries(entry_counts(here.store), here.zone)))


@site.get("/days/<day>")
def day(day: str) -> str | Response:
    """One day's changes, at its permanent address."""
    here = visit()
    wanted = day_in(day)
    if wanted is None or wanted > here.today:
        abort(404)
    looks = here.store.checks.counts(*bounds(wanted, here.zone))
    if wanted == here.today:
        return render("day.html", _day_page(here, wanted, _changes_on(here, wanted), looks))
    return _past(wanted, tuple(looks.items()))


@kept
def _past(day: date, looks: tuple[tuple[ListName, CheckCounts], ...]) -> str:
    here = visit()
    past = _past_day(here, day)
    return render_lasting("day.html", _day_page(here, day, past.told, dict(looks), past.added))


def _day_page(
    here: Visit, day: date, told: DayChanges, looks: Mapping[ListName, CheckCounts], added: tuple[Added, ...] = ()
) -> pages.DayPage:
    since, until = bounds(day, here.zone)
    previous, following = here.store.changelog.newest_change(since), here.store.changelog.next_change(until)
    return pages.DayPage(
        told,
        day == here.today,
        day_of(previous, here.zone) if previous else None,
        day_of(following, here.zone) if following else None,
        looks,
        added,
    )


@site.get("/states/")
@kept
def states() -> str:
    """How many agreements each state has, and when it last changed."""
    store = visit().store
    return render("states.html", pages.states(current_counts(store), store.changelog.newest_change_by_state()))


@site.get("/states/<name>")
@site.get("/states/<name>/before/<before_day>")
@kept
def state(name: str, before_day: str = "") -> str | Response:
    """One state: its recent changes and its agreements. `/before/2025-08-01` goes on into the past."""
    here = visit()
    code = None if name == UNKNOWN else state_named(name)
    if code is None and name != UNKNOWN:
        abort(404)
    if name != slug(code):
        return redirect(url_for(".state", name=slug(code)), 301)
    before = day_in(before_day or http_request.args.get("before", ""))
    if before_day and before is None:
        abort(404)
    until = bounds(before, here.zone)[0] if before else None
    first, more = pages.enough_days(entry_counts(here.store, until=until, states=[code]), here.zone, STATE_ENTRIES)
    since = bounds(first, here.zone)[0] if first else None
    entries = list(here.store.changelog.entries(states=[code], since=since, until=until))
    known = directory(here.store)
    page = pages.state(
        code,
        by_day(entries, threads(here.store, entries), here.zone),
        known.agreements_in(code),
        here.store.changelog.entries(states=[code], kinds=list(DEPARTURES)),
        agency_of=lambda agreement: agency.id if (agency := known.of(agreement)) else agreement,
        before=before,
        older=first if more else None,
    )
    listed = None if before else charts.listed_in(here.series, here.zone, code)
    return render("state.html", page, listed=listed)


@site.get("/changes/<id_>")
@kept
def change(id_: str) -> str:
    """One entry of the log, with its evidence."""
    here = visit()
    entry = here.store.changelog.find(id_)
    if entry is None:
        abort(404)
    notes = list(here.store.changelog.entries(about=[id_]))
    about = here.store.changelog.find(entry.about) if entry.about else None
    return render("change.html", pages.change(entry, notes, about, here.zone, _agency(here, entry.agreement)))


@site.get("/agreements/<id_>")
@kept
def agreement(id_: str) -> str | Response:
    """One agreement: where it stands, and its whole history. An id that proved to be another's leads to that one."""
    here = visit()
    store = here.store
    record = store.agreements.find(id_)
    if record is None:
        abort(404)
    if record.id != id_:
        return redirect(url_for(".agreement", id_=record.id), 301)
    entries = list(store.changelog.entries(agreement=id_))
    page = pages.agreement(record, entries, _agency(here, id_))
    shown = listed_spans(store, id_, here.series.publications)
    return render("agreement.html", page, timeline=timeline(shown, entries))


def slug(code: str | None) -> str:
    """A state in an address: tx, or unknown."""
    return code.lower() if code else UNKNOWN


def _agency(here: Visit, agreement: str) -> str | None:
    """The id of the agency that has an agreement."""
    agency = directory(here.store).of(here.store.agreements.resolve(agreement))
    return agency.id if agency else None


def _newest_days(here: Visit) -> tuple[list[DayChanges], datetime]:
    """The days that the front page tells in full, the newest first, and the moment at which they begin."""
    found: list[DayChanges] = []
    before = bounds(here.today, here.zone)[1]
    while len(found) < FRONT_DAYS and sum(day.entries for day in found) < FRONT_ENTRIES:
        at = here.store.changelog.newest_change(before)
        if at is None:
            break
        found.append(_changes_on(here, day_of(at, here.zone)))
        before = bounds(found[-1].day, here.zone)[0]
    return found, before


def _changes_on(here: Visit, day: date) -> DayChanges:
    since, until = bounds(day, here.zone)
    entries = list(here.store.changelog.entries(since=since, until=until))
    return day_changes(day, entries, threads(here.store, entries))


def _past_day(here: Visit, day: date) -> PastDay:
    since, until = bounds(day, here.zone)
    entries = list(here.store.changelog.entries(since=since, until=until))
    notes = notes_about(here.store, entries)
    return past_day(day, entries, notes, threads(here.store, entries), until, here.zone)
