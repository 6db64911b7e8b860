"""What several pages gather from the log, and how every page is rendered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import render_template

from monitor.model import Entry
from monitor.storage.log import Log
from web.pages.lines import Threads
from web.pages.pages import Freshness, freshness
from web.request import Visit, visit

# The lists are looked at every half hour; six looks missed are worth a banner.
STALE_AFTER = timedelta(hours=3)


def render(template: str, page: object, **pictures: object) -> str:
    """A page that says, where a list may have changed without this log knowing, that it may have."""
    return render_template(template, page=page, freshness=how_fresh(visit()), **pictures)


def render_lasting(template: str, page: object, **pictures: object) -> str:
    """A page about what is over: how fresh the log is says nothing about it, and its bytes must not change."""
    return render_template(template, page=page, freshness=None, **pictures)


def how_fresh(here: Visit) -> tuple[Freshness, ...]:
    """When each list was last read, as of this request."""
    return freshness(here.store.checks.last(), here.now, STALE_AFTER)


def threads(store: Log, entries: Sequence[Entry]) -> Threads:
    """The notes about some entries, and what their own notes are about."""
    settled = [entry.id for entry in entries if entry.status not in (None, "unconfirmed")]
    about = [entry.about for entry in entries if entry.about]
    return Threads(
        {note.about or "": note for note in store.changelog.entries(about=settled)} if settled else {},
        {entry.id: entry for entry in store.changelog.entries(ids=about)} if about else {},
    )


def notes_about(store: Log, entries: Sequence[Entry]) -> list[Entry]:
    """Every note about some entries, and every note about those."""
    found: list[Entry] = []
    newest = list(entries)
    while newest:
        newest = list(store.changelog.entries(about=[entry.id for entry in newest]))
        found += newest
    return found
