"""Pure: a past day as it was told when it ended, and apart from that what was noted about it since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from monitor.model import DEPARTURES, Entry, Kind
from web.pages.calendar import day_of
from web.pages.lines import DayChanges, Threads, day_changes


@dataclass(frozen=True, slots=True)
class Correction:
    """A note that was added after the day, and the entry that it is about, as the note leaves it."""

    note: Entry
    about: Entry


@dataclass(frozen=True, slots=True)
class Added:
    """What was added about a past day on one later day.

    `late`: entries that were seen on the past day and believed on this one, for their list had been held.
    """

    day: date
    late: DayChanges | None
    notes: tuple[Correction, ...]
    confirmed: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class PastDay:
    """`told`: what the day's page said when the day ended, and goes on saying. `added`: the newest first."""

    told: DayChanges
    added: tuple[Added, ...]


def past_day(
    day: date, entries: Sequence[Entry], notes: Collection[Entry], threads: Threads, until: datetime, zone: ZoneInfo
) -> PastDay:
    """`entries`: all that were seen on the day; `notes`: all about them, and about those notes, whenever made.

    `threads` are those of `entries` as they stand now. `until`: when the day ended.
    """
    on_time = [entry for entry in entries if entry.recorded_at < until]
    then = [note for note in notes if note.recorded_at < until]
    told = [replace(entry, status=_status(entry, then)) for entry in on_time]
    return PastDay(
        day_changes(day, told, Threads({n.about or "": n for n in _standing(then)}, threads.about)),
        tuple(_added(day, entries, notes, threads, until, zone)),
    )


def _status(entry: Entry, notes: Collection[Entry]) -> str | None:
    """How an entry stands by these notes: the rule of the view `log`, at another moment."""
    about = [note for note in _standing(notes) if note.about == entry.id]
    if about:
        return about[-1].kind.value
    return "unconfirmed" if entry.kind in DEPARTURES else None


def _standing(notes: Collection[Entry]) -> list[Entry]:
    """The notes that none of the others retracts, in the order of the log."""
    retracted = {note.about for note in notes if note.kind is Kind.RETRACTED}
    return sorted((note for note in notes if note.id not in retracted), key=lambda note: note.seq)


def _added(
    day: date, entries: Sequence[Entry], notes: Collection[Entry], threads: Threads, until: datetime, zone: ZoneInfo
) -> list[Added]:
    late: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.recorded_at >= until:
            late[day_of(entry.recorded_at, zone)].append(entry)
    shown = {entry.id for of_day in late.values() for entry in of_day}
    known = {entry.id: entry for entry in (*entries, *notes)}
    found: dict[date, list[Correction]] = defaultdict(list)
    for note in sorted(notes, key=lambda note: note.seq):
        # What was added late is shown as it stands now: a note about it would say the same again.
        if note.recorded_at >= until and note.id not in shown and note.about not in shown and note.about in known:
            about = replace(known[note.about], status=note.kind.value)
            found[day_of(note.recorded_at, zone)].append(Correction(note, about))
    return [
        Added(
            on,
            day_changes(day, late[on], threads) if on in late else None,
            tuple(c for c in found[on] if c.note.kind is not Kind.CONFIRMED),
            tuple(c for c in found[on] if c.note.kind is Kind.CONFIRMED),
        )
        for on in sorted({*late, *found}, reverse=True)
    ]
