"""Pure: the items of a feed (one for each change, updated by later notes) and the feed's pages."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Entry
from monitor.storage.changelog import Event
from web.pages.lines import EntryLine

# A full page keeps the same entries of the log forever (RFC 5005, section 4).
PAGE = 100
# A feed has at least a page, and all of its last days: most feed readers do not follow links to older pages, and one
# that looks once a day must miss nothing.
DAYS = timedelta(days=3)

# Ids are derived from those of the log, which are derived from the workbooks: the same on any host, after any rebuild.
_NAMESPACE = uuid.UUID("6f1c9a52-3b0e-5d0b-9c0b-287a287a287a")


def urn(name: str) -> str:
    """The permanent id of a feed or an item (RFC 9562, version 5)."""
    return uuid.uuid5(_NAMESPACE, name).urn


@dataclass(frozen=True, slots=True)
class FeedScope:
    """What a feed is about: everything, a state, an agency, an agreement.

    `key`: never changes. `path`: of the page about the same, above the feed's. `name`: of the state or agency, or "".
    `agreements`: their ids, for a feed about some agreements only.
    """

    key: str
    path: str
    name: str
    agreements: tuple[str, ...] = ()

    @property
    def under(self) -> str:
        return self.path.rstrip("/")

    def address(self, form: str, number: int | None = None) -> str:
        """The path of the feed (`form`: atom or json), or of one of its pages."""
        return f"{self.under}/feed{'' if number is None else f'-{number}'}.{form}"


@dataclass(frozen=True, slots=True)
class Item:
    """A change, and all notes about it, oldest first."""

    line: EntryLine
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
class FeedPage:
    """Some of a feed's events. `number`: None for the feed itself, which begins where page `older` ends."""

    number: int | None
    events: tuple[Event, ...]
    older: int | None
    newer: int | None

    @property
    def changes(self) -> tuple[str, ...]:
        """The ids of the changes on it, the one with the newest event first."""
        return tuple(dict.fromkeys(event.change for event in reversed(self.events)))


def newest(events: Sequence[Event]) -> FeedPage:
    """The feed itself."""
    enough = len(events) - PAGE
    if events:
        since = events[-1].recorded_at - DAYS
        enough = min(enough, sum(event.recorded_at < since for event in events))
    older = max(enough, 0) // PAGE
    return FeedPage(None, tuple(events[older * PAGE :]), older or None, None)


def page(events: Sequence[Event], number: int) -> FeedPage | None:
    """A full page, counted from 1 at the beginning of the log; None where there is none (yet)."""
    full = len(events) // PAGE
    if not 1 <= number <= full:
        return None
    return FeedPage(
        number,
        tuple(events[(number - 1) * PAGE : number * PAGE]),
        number - 1 or None,
        number + 1 if number < full else None,
    )


def pages(events: Sequence[Event]) -> Iterator[FeedPage]:
    """The feed, and all its pages."""
    yield newest(events)
    for number in range(1, len(events) // PAGE + 1):
        full = page(events, number)
        if full:
            yield full


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
    return Item(
        EntryLine(entry, settled[-1] if settled else None, None), tuple(sorted(notes, key=lambda note: note.seq))
    )
