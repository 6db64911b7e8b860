"""The page of one entry of the log with its evidence, and the page of all entries since a place in the log.

The place is in the address, so that no cookie is needed: the id of an entry (it stays the same after a rebuild), a
position in the log, or a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, abort

from monitor.model import Entry
from monitor.storage.statistics import entry_counts
from web.page_cache import kept
from web.pages.calendar import bounds, day_in, day_of
from web.pages.changes import change_page
from web.pages.lines import DayChanges, DaySummary, by_day, summaries
from web.rendering import related, render
from web.request import Visit, visit

# So many entries are shown in full, the newest; the days before them are summed up.
IN_FULL = 250
# More digits than any log has entries would not fit into SQLite.
DIGITS = 12

blueprint = Blueprint("changes", __name__)


@dataclass(frozen=True, slots=True)
class SincePage:
    """What was added after a place: `days` in full, newest first, and `earlier` days in short.

    `after`: the newest entry at that time, if there was one; `day`: set where the place is a day. `newest`: the id of
    the newest entry now, the place for next time.
    """

    after: Entry | None
    day: date | None
    count: int
    days: tuple[DayChanges, ...]
    earlier: tuple[DaySummary, ...]
    newest: str | None


@blueprint.get("/changes/<id_>")
@kept
def change(id_: str) -> str:
    """One entry of the log, with its evidence."""
    here = visit()
    entry = here.store.changelog.find(id_)
    if entry is None:
        abort(404)
    notes = list(here.store.changelog.entries(about=[id_]))
    about = here.store.changelog.find(entry.about) if entry.about else None
    agency = here.directory.agency_id(here.store.agreements.resolve(entry.agreement))
    return render("change.html", change_page(entry, notes, about, here.zone, agency))


@blueprint.get("/since/<place>")
@kept
def since(place: str) -> str:
    """All entries after an entry, a number of the log, or the beginning of a day, by day."""
    here = visit()
    day = day_in(place)
    after = _position(here, place, day)
    if after is None:
        abort(404)
    shown, earlier = _in_full(here, after)
    page = SincePage(
        next(here.store.changelog.entries(after=after - 1, limit=1), None) if after else None,
        day,
        max(0, here.store.changelog.position() - after),
        by_day(shown, related(here.store, shown), here.zone),
        earlier,
        here.store.changelog.newest_id(),
    )
    return render("since.html", page)


def _position(here: Visit, place: str, day: date | None) -> int | None:
    """The number of the last entry before a place in an address."""
    if day:
        return here.store.changelog.position(bounds(day, here.zone)[0])
    if place.isascii() and place.isdecimal():
        return min(int(place), here.store.changelog.position()) if len(place) <= DIGITS else None
    entry = here.store.changelog.find(place)
    return entry.seq if entry else None


def _in_full(here: Visit, after: int) -> tuple[list[Entry], tuple[DaySummary, ...]]:
    """The entries that are shown in full, in the order of the log, and the days before them in short."""
    entries = list(here.store.changelog.entries(after=after, newest_first=True, limit=IN_FULL + 1))[::-1]
    if len(entries) <= IN_FULL:
        return entries, ()
    kept = _whole_days(entries, here)
    first = next(here.store.changelog.entries(after=after, limit=1)).observed_at
    until = bounds(min(day_of(entry.observed_at, here.zone) for entry in kept), here.zone)[0]
    begin = bounds(day_of(first, here.zone), here.zone)[0]
    return kept, summaries(entry_counts(here.store, begin, until), here.zone)


def _whole_days(entries: Sequence[Entry], here: Visit) -> list[Entry]:
    """Entries without the first day, which may be incomplete, unless there is no other."""
    cut = day_of(entries[0].observed_at, here.zone)
    return [entry for entry in entries if day_of(entry.observed_at, here.zone) > cut] or list(entries)
