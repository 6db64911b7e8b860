"""Pure: entries of the log in reading order: by state, then by what happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.model import TAKEN_BACK, Entry, FieldChange, Kind, Significance
from monitor.normalize import STATES, document
from monitor.storage.statistics import EntryCount
from web.pages.calendar import day_of

# This many equal edits of one state (a document posted for each of 14 agencies) share a line.
GROUPED_FROM = 3


class Heading(StrEnum):
    """What happened, in reading order."""

    NEW = "new"
    TERMINATED = "terminated"
    RETURNED = "returned"
    CHANGED = "changed"
    APPLIED = "applied"
    DROPPED = "dropped"
    DOCUMENT = "document"
    FOLLOW_UP = "follow-up"
    CLERICAL = "clerical"


class Edit(StrEnum):
    """What an edit of one field did."""

    POSTED = "posted"  # a document where there was none
    REPLACED = "replaced"  # a document by another
    WITHDRAWN = "withdrawn"  # a document taken away
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class RelatedEntries:
    """For some entries: the last note about each, and the entry that each note is about."""

    notes: Mapping[str, Entry]
    about: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry. `settled_by`: the last note about it. `about`: for a note, or for an entry that withdraws another."""

    entry: Entry
    settled_by: Entry | None
    about: Entry | None

    @property
    def stands(self) -> bool:
        """Whether it was not taken back."""
        return _stands(self.entry.status)


@dataclass(frozen=True, slots=True)
class EditGroup:
    """Entries of one state that edit the same fields in the same way; lesser edits are ignored.

    `fields`: those edits, from the first entry.
    """

    fields: tuple[FieldChange, ...]
    lines: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class HeadingBlock:
    """The entries under one heading. `count`: those that were not taken back."""

    heading: Heading
    groups: tuple[EditGroup, ...]
    lines: tuple[EntryLine, ...]
    count: int


@dataclass(frozen=True, slots=True)
class StateBlock:
    """What happened in one state (None: not recognized). `count`: without spelling fixes and follow-ups."""

    state: str | None
    count: int
    blocks: tuple[HeadingBlock, ...]

    @property
    def minor(self) -> bool:
        """Whether there are only spelling fixes."""
        return all(block.heading is Heading.CLERICAL for block in self.blocks)


@dataclass(frozen=True, slots=True)
class DayChanges:
    """What happened on one day of the log."""

    day: date
    counts: Mapping[Heading, int]
    states: tuple[StateBlock, ...]

    @property
    def entries(self) -> int:
        """The number of lines and groups."""
        return sum(len(b.lines) + len(b.groups) for s in self.states for b in s.blocks)


@dataclass(frozen=True, slots=True)
class DaySummary:
    """The counts of one day of the log."""

    day: date
    counts: Mapping[Heading, int]


def by_day(entries: Iterable[Entry], related: RelatedEntries, zone: ZoneInfo) -> tuple[DayChanges, ...]:
    """Entries as days, the newest first."""
    days: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        days[day_of(entry.observed_at, zone)].append(entry)
    return tuple(day_changes(day, days[day], related) for day in sorted(days, reverse=True))


def day_changes(day: date, entries: Sequence[Entry], related: RelatedEntries) -> DayChanges:
    """One day's entries by state, in the order of the states' names."""
    lines = _lines(entries, related)
    states: dict[str | None, list[EntryLine]] = defaultdict(list)
    for line in lines:
        states[line.entry.state].append(line)
    return DayChanges(
        day,
        _in_reading_order(Counter(_heading(line.entry) for line in lines if line.stands)),
        tuple(_state_block(code, states[code]) for code in in_order(states)),
    )


def in_order(codes: Iterable[str | None]) -> list[str | None]:
    """States in the order of their names; None, for not recognized, last."""
    return sorted(codes, key=lambda code: (code is None, STATES.get(code or "", code or "")))


def summaries(tallies: Iterable[EntryCount], zone: ZoneInfo) -> tuple[DaySummary, ...]:
    """The counts of each day, newest first."""
    days: dict[date, Counter[Heading]] = defaultdict(Counter)
    for tally in tallies:
        counts = days[day_of(tally.observed_at, zone)]
        counts[heading_of(tally.kind, tally.significance)] += tally.count if _stands(tally.status) else 0
    return tuple(DaySummary(day, _in_reading_order(days[day])) for day in sorted(days, reverse=True))


def heading_of(kind: Kind, significance: Significance) -> Heading:
    """The heading that an entry belongs under."""
    if kind.is_note:
        return Heading.FOLLOW_UP
    if kind is not Kind.CHANGED:
        return Heading(kind.value)
    return {
        Significance.SUBSTANTIVE: Heading.CHANGED,
        Significance.DOCUMENT: Heading.DOCUMENT,
        Significance.CLERICAL: Heading.CLERICAL,
    }[significance]


def edit_of(field: FieldChange) -> Edit:
    """What an edit did; only documents are posted or withdrawn."""
    if field.name not in ("moa", "addendum"):
        return Edit.REWRITTEN
    match bool(document(field.before)), bool(document(field.after)):
        case False, True:
            return Edit.POSTED
        case True, False:
            return Edit.WITHDRAWN
        case True, True if document(field.before) != document(field.after):
            return Edit.REPLACED
        case _:
            return Edit.REWRITTEN


def _stands(status: str | None) -> bool:
    return status not in TAKEN_BACK


def _heading(entry: Entry) -> Heading:
    return heading_of(entry.kind, entry.significance)


def _in_reading_order(counts: Counter[Heading]) -> dict[Heading, int]:
    """The counts in reading order. Follow-ups are not changes: they count only where there is nothing else."""
    ordered = {heading: counts[heading] for heading in Heading if counts[heading]}
    if len(ordered) > 1:
        ordered.pop(Heading.FOLLOW_UP, None)
    return ordered


def _lines(entries: Sequence[Entry], related: RelatedEntries) -> list[EntryLine]:
    """One line an entry. A note that comes with the agreement's arrival is shown on the arrival's line: an approval
    with the new entry, a withdrawal with the returned one."""
    arrived = {(e.agreement, e.observed_at): e.kind for e in entries if e.kind in (Kind.NEW, Kind.RETURNED)}
    withdrawn = {
        (e.agreement, e.observed_at): related.about.get(e.about or "") for e in entries if e.kind is Kind.WITHDRAWN
    }
    lines = []
    for entry in entries:
        moment = entry.agreement, entry.observed_at
        if entry.kind is Kind.WITHDRAWN and moment in arrived:
            continue
        if entry.kind is Kind.APPROVED and arrived.get(moment) is Kind.NEW:
            continue
        about = related.about.get(entry.about or "")
        if entry.kind in (Kind.NEW, Kind.RETURNED):
            about = withdrawn.get(moment)
        lines.append(EntryLine(entry, related.notes.get(entry.id), about))
    return lines


def _state_block(code: str | None, lines: Sequence[EntryLine]) -> StateBlock:
    by_heading: dict[Heading, list[EntryLine]] = defaultdict(list)
    for line in lines:
        by_heading[_heading(line.entry)].append(line)
    blocks = tuple(_block(heading, by_heading[heading]) for heading in Heading if by_heading[heading])
    news = (b.count for b in blocks if b.heading not in (Heading.CLERICAL, Heading.FOLLOW_UP))
    return StateBlock(code, sum(news), blocks)


def _block(heading: Heading, lines: Sequence[EntryLine]) -> HeadingBlock:
    alike: dict[object, list[EntryLine]] = defaultdict(list)
    if heading in (Heading.CHANGED, Heading.DOCUMENT):
        for line in lines:
            alike[tuple(map(_group_key, _decisive_edits(line.entry)))].append(line)
    many = [group for group in alike.values() if len(group) >= GROUPED_FROM]
    grouped = {line.entry.id for group in many for line in group}
    return HeadingBlock(
        heading,
        tuple(EditGroup(_decisive_edits(group[0].entry), tuple(group)) for group in many),
        tuple(line for line in lines if line.entry.id not in grouped),
        sum(line.stands for line in lines),
    )


def _decisive_edits(entry: Entry) -> tuple[FieldChange, ...]:
    """The edits that have the significance of the entry."""
    return tuple(field for field in entry.fields if field.significance is entry.significance)


def _group_key(field: FieldChange) -> tuple[str, ...]:
    """What edits in a group have in common: for documents the kind of edit, for other cells the texts too."""
    edit = edit_of(field)
    return (field.name, edit) if edit is not Edit.REWRITTEN else (field.name, field.before, field.after)
