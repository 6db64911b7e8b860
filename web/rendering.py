"""What several pages read from the log, and how every page is rendered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import render_template

from monitor.model import Entry
from monitor.storage.changelog import Log
from web.pages.calendar import bounds
from web.pages.lines import DayChanges, Threads, day_changes
from web.request import Visit, visit


def render(template: str, page: object, **pictures: object) -> str:
    """A page that says, where a list may have changed without this log knowing, that it may have."""
    return render_template(template, page=page, freshness=visit().freshness, **pictures)


def render_lasting(template: str, page: object, **pictures: object) -> str:
    """A page about what is over: how fresh the log is says nothing about it, and its bytes must not change."""
    return render_template(template, page=page, freshness=None, **pictures)


def changes_on(here: Visit, day: date) -> DayChanges:
    """What happened on one day."""
    since, until = bounds(day, here.zone)
    entries = list(here.store.entries(since=since, until=until))
    return day_changes(day, entries, threads(here.store, entries))


def threads(store: Log, entries: Sequence[Entry]) -> Threads:
    """The notes about some entries, and what their own notes are about."""
    settled = [entry.id for entry in entries if entry.status not in (None, "unconfirmed")]
    about = [entry.about for entry in entries if entry.about]
    return Threads(
        {note.about or "": note for note in store.entries(about=settled)} if settled else {},
        {entry.id: entry for entry in store.entries(ids=about)} if about else {},
    )


def notes_about(store: Log, ids: Sequence[str]) -> list[Entry]:
    """Every note about some entries, and every note about those."""
    notes: list[Entry] = []
    while ids:
        newest = list(store.entries(about=ids))
        notes += newest
        ids = [note.id for note in newest]
    return notes
