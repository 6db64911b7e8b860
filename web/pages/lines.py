"""Pure: entries of the log as a reader meets them: by state, then by what happened, the news before the corrections."""

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
from web.pages.days import day_of

# From this many equal edits of one state on (a document posted for each of 14 agencies), they share a line.
GROUPED_FROM = 3


class Section(StrEnum):
    """What happened, in the order in which it is told."""

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
    """What an edit of one field comes to."""

    POSTED = "posted"  # a document where there was none
    REPLACED = "replaced"  # a document by another
    WITHDRAWN = "withdrawn"  # a document taken away
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Threads:
    """What stands around some entries: the last note about each, and the entry that each note is about."""

    notes: Mapping[str, Entry]
    about: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `settled_by`: the last note about it. `about`: for a note, or for an entry that withdraws another."""

    entry: Entry
    settled_by: Entry | None
    about: Entry | None

    @property
    def stands(self) -> bool:
        """Whether it is still held to be so."""
        return _stands(self.entry.status)


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of one state that edit the same fields in the same way, whatever was corrected in passing.

    `fields` are those edits, as the first entry has them.
    """

    fields: tuple[FieldChange, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """What happened of one sort. `count`: the entries that still stand."""

    section: Section
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    count: int


@dataclass(frozen=True, slots=True)
class StateBlock:
    """What happened in one state; None where nobody could tell which. `count`: without corrections and follow-ups."""

    state: str | None
    count: int
    blocks: tuple[Block, ...]

    @property
    def minor(self) -> bool:
        """Whether nothing but spelling and links was corrected."""
        return all(block.section is Section.CLERICAL for block in self.blocks)


@dataclass(frozen=True, slots=True)
class DayChanges:
    """What happened on one day of the log."""

    day: date
    counts: Mapping[Section, int]
    states: tuple[StateBlock, ...]

    @property
    def entries(self) -> int:
        """How much there is to read."""
        return sum(len(b.lines) + len(b.groups) for s in self.states for b in s.blocks)


@dataclass(frozen=True, slots=True)
class DaySummary:
    """How much happened on one day of the log."""

    day: date
    counts: Mapping[Section, int]


def by_day(entries: Iterable[Entry], threads: Threads, zone: ZoneInfo) -> tuple[DayChanges, ...]:
    """Entries as days, the newest first."""
    days: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        days[day_of(entry.observed_at, zone)].append(entry)
    return tuple(day_changes(day, days[day], threads) for day in sorted(days, reverse=True))


def day_changes(day: date, entries: Sequence[Entry], threads: Threads) -> DayChanges:
    """One day's entries, in the alphabetical order of the states' names."""
    lines = _lines(entries, threads)
    states: dict[str | None, list[Line]] = defaultdict(list)
    for line in lines:
        states[line.entry.state].append(line)
    return DayChanges(
        day,
        _told(Counter(_section(line.entry) for line in lines if line.stands)),
        tuple(_state_block(code, states[code]) for code in in_order(states)),
    )


def in_order(codes: Iterable[str | None]) -> list[str | None]:
    """States by their names; the one that nobody could tell last."""
    return sorted(codes, key=lambda code: (code is None, STATES.get(code or "", code or "")))


def summaries(tallies: Iterable[EntryCount], zone: ZoneInfo) -> tuple[DaySummary, ...]:
    """How much happened on each day, the newest first."""
    days: dict[date, Counter[Section]] = defaultdict(Counter)
    for tally in tallies:
        counts = days[day_of(tally.observed_at, zone)]
        counts[section_of(tally.kind, tally.significance)] += tally.count if _stands(tally.status) else 0
    return tuple(DaySummary(day, _told(days[day])) for day in sorted(days, reverse=True))


def section_of(kind: Kind, significance: Significance) -> Section:
    """Under which heading an entry is told."""
    if kind.is_note:
        return Section.FOLLOW_UP
    if kind is not Kind.CHANGED:
        return Section(kind.value)
    return {
        Significance.SUBSTANTIVE: Section.CHANGED,
        Significance.DOCUMENT: Section.DOCUMENT,
        Significance.CLERICAL: Section.CLERICAL,
    }[significance]


def edit_of(field: FieldChange) -> Edit:
    """What an edit comes to; only documents are posted or withdrawn."""
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


def _section(entry: Entry) -> Section:
    return section_of(entry.kind, entry.significance)


def _told(counts: Counter[Section]) -> dict[Section, int]:
    """The counts in the order of telling. Follow-ups count only where nothing else does: they are no change."""
    told = {section: counts[section] for section in Section if counts[section]}
    if len(told) > 1:
        told.pop(Section.FOLLOW_UP, None)
    return told


def _lines(entries: Sequence[Entry], threads: Threads) -> list[Line]:
    """A line each; but a note that an entry of the same moment speaks for goes along with that entry."""
    arrived = {(e.agreement, e.observed_at) for e in entries if e.kind in (Kind.NEW, Kind.RETURNED)}
    withdrawn = {
        (e.agreement, e.observed_at): threads.about.get(e.about or "") for e in entries if e.kind is Kind.WITHDRAWN
    }
    found = []
    for entry in entries:
        moment = entry.agreement, entry.observed_at
        if entry.kind is Kind.WITHDRAWN and moment in arrived:
            continue
        about = threads.about.get(entry.about or "")
        if entry.kind in (Kind.NEW, Kind.RETURNED):
            about = withdrawn.get(moment)
        found.append(Line(entry, threads.notes.get(entry.id), about))
    return found


def _state_block(code: str | None, lines: Sequence[Line]) -> StateBlock:
    sections: dict[Section, list[Line]] = defaultdict(list)
    for line in lines:
        sections[_section(line.entry)].append(line)
    blocks = tuple(_block(section, sections[section]) for section in Section if sections[section])
    news = (b.count for b in blocks if b.section not in (Section.CLERICAL, Section.FOLLOW_UP))
    return StateBlock(code, sum(news), blocks)


def _block(section: Section, lines: Sequence[Line]) -> Block:
    alike: dict[object, list[Line]] = defaultdict(list)
    if section in (Section.CHANGED, Section.DOCUMENT):
        for line in lines:
            alike[tuple(map(_sameness, _telling(line.entry)))].append(line)
    many = [group for group in alike.values() if len(group) >= GROUPED_FROM]
    grouped = {line.entry.id for group in many for line in group}
    return Block(
        section,
        tuple(Group(_telling(group[0].entry), tuple(group)) for group in many),
        tuple(line for line in lines if line.entry.id not in grouped),
        sum(line.stands for line in lines),
    )


def _telling(entry: Entry) -> tuple[FieldChange, ...]:
    """The edits that make an entry as significant as it is."""
    return tuple(field for field in entry.fields if field.significance is entry.significance)


def _sameness(field: FieldChange) -> tuple[str, ...]:
    """What two edits must share to be told in one line: of documents the edit, of other cells the words too."""
    edit = edit_of(field)
    return (field.name, edit) if edit is not Edit.REWRITTEN else (field.name, field.before, field.after)
