"""Pure: the page of a past day as it was when the day ended, and the notes added since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from monitor.model import DEPARTURES, Entry, Kind
from web.pages.calendar import day_of
from web.pages.lines import DayChanges, RelatedEntries, day_changes


@dataclass(frozen=True, slots=True)
class LaterNote:
    """A note that was added after the day, and the entry that it is about, with the status that the note gave it."""

    note: Entry
    about: Entry


@dataclass(frozen=True, slots=True)
class Added:
    """What was added about a past day on one later day.

    `late`: entries that were seen on the past day and accepted on this one, after a hold.
    """

    day: date
    late: DayChanges | None
    notes: tuple[LaterNote, ...]
    confirmed: tuple[LaterNote, ...]
    approved: tuple[LaterNote, ...] = ()


@dataclass(frozen=True, slots=True)
class PastDay:
    """`told`: what the page said when the day ended. `added`: what came later, newest first."""

    told: DayChanges
    added: tuple[Added, ...]


def past_day(
    day: date,
    entries: Sequence[Entry],
    notes: Collection[Entry],
    related: RelatedEntries,
    until: datetime,
    zone: ZoneInfo,
) -> PastDay:
    """`entries`: all that were seen on the day; `notes`: all about them or about those notes, whenever made.

    `related`: for `entries`, as of now. `until`: when the day ended.
    """
    on_time = [entry for entry in entries if entry.recorded_at < until]
    then = [note for note in notes if note.recorded_at < until]
    told = [replace(entry, status=_status(entry, then)) for entry in on_time]
    return PastDay(
        day_changes(day, told, RelatedEntries({n.about or "": n for n in _unretracted(then)}, related.about)),
        tuple(_added(day, entries, notes, related, until, zone)),
    )


def _status(entry: Entry, notes: Collection[Entry]) -> str | None:
    """The status of an entry by these notes: the rule of the SQL view `log`, as of another moment."""
    about = [note for note in _unretracted(notes) if note.about == entry.id]
    if about:
        return about[-1].kind.value
    return "unconfirmed" if entry.kind in DEPARTURES else None


def _unretracted(notes: Collection[Entry]) -> list[Entry]:
    """The notes that no other note retracts, in the order of the log."""
    retracted = {note.about for note in notes if note.kind is Kind.RETRACTED}
    return sorted((note for note in notes if note.id not in retracted), key=lambda note: note.seq)


def _added(
    day: date,
    entries: Sequence[Entry],
    notes: Collection[Entry],
    related: RelatedEntries,
    until: datetime,
    zone: ZoneInfo,
) -> list[Added]:
    late: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.recorded_at >= until:
            late[day_of(entry.recorded_at, zone)].append(entry)
    shown = {entry.id for of_day in late.values() for entry in of_day}
    known = {entry.id: entry for entry in (*entries, *notes)}
    later: dict[date, list[LaterNote]] = defaultdict(list)
    for note in sorted(notes, key=lambda note: note.seq):
        # A late entry is shown with its status of now: a note about it would repeat that.
        if note.recorded_at >= until and note.id not in shown and note.about not in shown and note.about in known:
            about = replace(known[note.about], status=note.kind.value)
            later[day_of(note.recorded_at, zone)].append(LaterNote(note, about))
    return [
        Added(
            on,
            day_changes(day, late[on], related) if on in late else None,
            tuple(c for c in later[on] if c.note.kind not in (Kind.CONFIRMED, Kind.APPROVED)),
            tuple(c for c in later[on] if c.note.kind is Kind.CONFIRMED),
            tuple(c for c in later[on] if c.note.kind is Kind.APPROVED),
        )
        for on in sorted({*late, *later}, reverse=True)
    ]
