"""Renders templates, and reads from the log what several pages need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import render_template

from monitor.model import Entry
from monitor.storage.log import Log
from web.pages.calendar import bounds
from web.pages.lines import DayChanges, RelatedEntries, day_changes
from web.request import Visit, visit


def render(template: str, page: object, **pictures: object) -> str:
    """A page with a banner where a list may have changed without this log knowing."""
    return render_template(template, page=page, freshness=visit().freshness, **pictures)


def render_lasting(template: str, page: object, **pictures: object) -> str:
    """A page about the past: without a banner, because its bytes must not change."""
    return render_template(template, page=page, freshness=None, **pictures)


def changes_on(here: Visit, day: date) -> DayChanges:
    """What happened on one day."""
    since, until = bounds(day, here.zone)
    entries = list(here.store.changelog.entries(since=since, until=until))
    return day_changes(day, entries, related(here.store, entries))


def related(store: Log, entries: Sequence[Entry]) -> RelatedEntries:
    """The notes about some entries, and what their own notes are about."""
    settled = [entry.id for entry in entries if entry.status not in (None, "unconfirmed")]
    about = [entry.about for entry in entries if entry.about]
    return RelatedEntries(
        {note.about or "": note for note in store.changelog.entries(about=settled)} if settled else {},
        {entry.id: entry for entry in store.changelog.entries(ids=about)} if about else {},
    )


def notes_about(store: Log, ids: Sequence[str]) -> list[Entry]:
    """Every note about some entries, and every note about those."""
    notes: list[Entry] = []
    while ids:
        newest = list(store.changelog.entries(about=ids))
        notes += newest
        ids = [note.id for note in newest]
    return notes
