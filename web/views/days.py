"""The pages of the days: all days with changes, and one day at its permanent address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from monitor.model import ListName
from monitor.storage.changelog import Looks
from web.page_cache import kept
from web.pages.calendar import bounds, day_in, day_of
from web.pages.days import DayPage, months
from web.pages.lines import DayChanges, summaries
from web.pages.past_days import Added, PastDay, past_day
from web.rendering import changes_on, notes_about, related, render, render_lasting
from web.request import Visit, visit

blueprint = Blueprint("days", __name__)


@blueprint.get("/days/")
@kept
def all_days() -> str:
    """Every day with changes."""
    here = visit()
    return render("days.html", months(summaries(here.store.tally(), here.zone)))


@blueprint.get("/days/<day>")
def day(day: str) -> str | Response:
    """One day's changes, at its permanent address."""
    here = visit()
    wanted = day_in(day)
    if wanted is None or wanted > here.today:
        abort(404)
    looks = here.store.looks(*bounds(wanted, here.zone))
    if wanted == here.today:
        return render("day.html", _day_page(here, wanted, changes_on(here, wanted), looks))
    return _past(wanted, tuple(looks.items()))


@kept
def _past(day: date, looks: tuple[tuple[ListName, Looks], ...]) -> str:
    here = visit()
    past = _past_day(here, day)
    return render_lasting("day.html", _day_page(here, day, past.told, dict(looks), past.added))


def _day_page(
    here: Visit, day: date, told: DayChanges, looks: Mapping[ListName, Looks], added: tuple[Added, ...] = ()
) -> DayPage:
    since, until = bounds(day, here.zone)
    previous, following = here.store.newest_change(since), here.store.next_change(until)
    return DayPage(
        told,
        day == here.today,
        day_of(previous, here.zone) if previous else None,
        day_of(following, here.zone) if following else None,
        looks,
        added,
    )


def _past_day(here: Visit, day: date) -> PastDay:
    since, until = bounds(day, here.zone)
    entries = list(here.store.entries(since=since, until=until))
    notes = notes_about(here.store, [entry.id for entry in entries])
    return past_day(day, entries, notes, related(here.store, entries), until, here.zone)
