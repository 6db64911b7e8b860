"""Pure: what a feed has in it: a change an item, which later notes update; and its pages back to the beginning."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Entry
from monitor.storage.changelog import Event
from web.pages.lines import Line

# A page, once full, has the same entries of the log for ever (RFC 5005, section 4).
PAGE = 100
# A feed shows at least a page, and all of its last days: whoever looks once a day misses nothing, and most readers
# do not follow links to older pages.
DAYS = timedelta(days=3)

# Ids are made from the log's own, which are made from the workbooks: the same on any host, after any rebuild.
_NAMESPACE = uuid.UUID("6f1c9a52-3b0e-5d0b-9c0b-287a287a287a")


def urn(name: str) -> str:
    """The permanent id of a feed or an item (RFC 9562, version 5)."""
    return uuid.uuid5(_NAMESPACE, name).urn


@dataclass(frozen=True, slots=True)
class Scope:
    """What a feed is about: everything, a state, an agency, an agreement. `path`: of its page, which the feed's lies
    under.

    `name` is what it is called, "" where nothing calls it; `key` never changes. `agreements`: its ids, where it is
    about some only.
    """

    key: str
    path: str
    name: str
    agreements: tuple[str, ...] = ()

    @property
    def under(self) -> str:
        return self.path.rstrip("/")

    def address(self, form: str, number: int | None = None) -> str:
        """Where the feed is (`form`: atom or json), or one of its pages."""
        return f"{self.under}/feed{'' if number is None else f'-{number}'}.{form}"


@dataclass(frozen=True, slots=True)
class Item:
    """A change, and all that was noted about it, oldest first."""

    line: Line
    notes: tuple[Entry, ...]

    @property
    def entry(self) -> Entry:
        return self.line.entry

    @property
    def id(self) -> str:
        return urn(self.entry.id)

    @property
    def updated_at(self) -> datetime:
        return max(entry.recorded_at for entry in (self.entry, *self.notes))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a feed's events. `number`: None for the feed itself, which begins where page `older` ends."""

    number: int | None
    events: tuple[Event, ...]
    older: int | None
    newer: int | None

    @property
    def changes(self) -> tuple[str, ...]:
        """The ids of the changes that it shows, the one that was spoken of last first."""
        return tuple(dict.fromkeys(event.change for event in reversed(self.events)))


def newest(events: Sequence[Event]) -> Page:
    """The feed itself."""
    enough = len(events) - PAGE
    if events:
        since = events[-1].recorded_at - DAYS
        enough = min(enough, sum(event.recorded_at < since for event in events))
    older = max(enough, 0) // PAGE
    return Page(None, tuple(events[older * PAGE :]), older or None, None)


def page(events: Sequence[Event], number: int) -> Page | None:
    """A full page, counted from 1 at the beginning of the log; None where there is none (yet)."""
    full = len(events) // PAGE
    if not 1 <= number <= full:
        return None
    return Page(
        number,
        tuple(events[(number - 1) * PAGE : number * PAGE]),
        number - 1 or None,
        number + 1 if number < full else None,
    )


def pages(events: Sequence[Event]) -> Iterator[Page]:
    """The feed, and all its pages."""
    yield newest(events)
    for number in range(1, len(events) // PAGE + 1):
        found = page(events, number)
        if found:
            yield found


def items(changes: Sequence[str], entries: Iterable[Entry], notes: Iterable[Entry]) -> tuple[Item, ...]:
    """The items of these changes, in their order. `notes`: all that are about them, and about those notes."""
    by_id = {entry.id: entry for entry in entries}
    about: dict[str, list[Entry]] = defaultdict(list)
    for note in notes:
        about[note.about or ""].append(note)
    return tuple(_item(by_id[change], about) for change in changes)


def _item(entry: Entry, about: dict[str, list[Entry]]) -> Item:
    notes = list(about[entry.id])
    for note in notes:  # grows: a note can be retracted, too
        notes += about[note.id]
    settled = [note for note in about[entry.id] if note.kind.value == entry.status]
    return Item(Line(entry, settled[-1] if settled else None, None), tuple(sorted(notes, key=lambda note: note.seq)))
