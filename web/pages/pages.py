"""Pure: what each page says, as a value; its words are in `templates/web/`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from monitor.checks.changes import FIELDS
from monitor.model import DEPARTURES, TAKEN_BACK, Cells, Entry, FieldChange, Kind, ListName, Outcome, SupportType
from monitor.normalize import STATES, county
from monitor.storage.agreements import AgreementRecord
from monitor.storage.checks import CheckCounts, LastCheck
from monitor.storage.statistics import EntryCount
from web.pages.corrections import Added
from web.pages.days import day_of
from web.pages.history import history
from web.pages.lines import DayChanges, DaySummary, Line, in_order
from web.pages.text import visible

# --- how fresh every page is --------------------------------------------------------------------------------


class Trouble(StrEnum):
    """Why a list may have changed without this log knowing: no page is silent about that."""

    NEVER = "never"  # it was never read
    FAILED = "failed"  # the last look at it
    HELD = "held"  # what was seen last is not believed yet
    MISSING = "missing"  # ICE's page does not link it
    STALE = "stale"  # no look has succeeded for too long


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a list was last checked, and what is wrong with that, if anything."""

    list: ListName
    at: datetime
    succeeded_at: datetime | None
    linked: bool
    trouble: Trouble | None


def freshness(checks: Iterable[LastCheck], now: datetime, stale_after: timedelta) -> tuple[Freshness, ...]:
    """Of each list that was ever looked at, the participating one first."""
    ordered = sorted(checks, key=lambda check: list(ListName).index(check.list))
    return tuple(
        Freshness(
            check.list,
            check.at,
            check.succeeded_at,
            check.outcome is not Outcome.NOT_LINKED,
            _trouble(check, now, stale_after),
        )
        for check in ordered
    )


def _trouble(check: LastCheck, now: datetime, stale_after: timedelta) -> Trouble | None:
    if check.outcome is Outcome.FAILED:
        return Trouble.FAILED
    if check.outcome is Outcome.HELD:
        return Trouble.HELD
    if check.outcome is Outcome.NOT_LINKED and now - check.at <= stale_after:
        # The pending list has gone unlinked for months at a time: no trouble.
        return Trouble.MISSING if check.list is ListName.PARTICIPATING else None
    if check.succeeded_at is None:
        return Trouble.NEVER
    newest = check.at if check.outcome is Outcome.NOT_LINKED else check.succeeded_at
    return Trouble.STALE if now - newest > stale_after else None


# --- days ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The newest days with changes, and in short the days before them. `newest`: the id of the newest entry."""

    today: date
    checked_today: bool
    days: tuple[DayChanges, ...]
    earlier: tuple[DaySummary, ...]
    newest: str | None


def front(
    today: date,
    fresh: Sequence[Freshness],
    days: Sequence[DayChanges],
    earlier: Sequence[DaySummary],
    zone: ZoneInfo,
    newest: str | None,
) -> FrontPage:
    """`days` come the newest first, and `earlier` after them."""
    return FrontPage(
        today,
        any(
            f.list is ListName.PARTICIPATING and f.succeeded_at is not None and day_of(f.succeeded_at, zone) == today
            for f in fresh
        ),
        tuple(days),
        tuple(earlier),
        newest,
    )


@dataclass(frozen=True, slots=True)
class DayPage:
    """One day, its neighbours with changes, and how often each list was read on it.

    A past day keeps saying what it said when it ended; `corrections` is what was added since.
    """

    changes: DayChanges
    today: bool
    previous: date | None
    next: date | None
    looks: Mapping[ListName, CheckCounts]
    corrections: tuple[Added, ...] = ()

    @property
    def was_read(self) -> bool:
        """Whether the participating list was: if not, an empty day says nothing."""
        looks = self.looks.get(ListName.PARTICIPATING)
        return bool(looks and looks.succeeded)


@dataclass(frozen=True, slots=True)
class Month:
    """The days with changes of one month, the newest first; `first` is the month's first day."""

    first: date
    days: tuple[DaySummary, ...]


def months(days: Iterable[DaySummary]) -> tuple[Month, ...]:
    """All days with changes, which come the newest first."""
    return tuple(
        Month(first, tuple(of_month))
        for first, of_month in groupby(days, key=lambda summary: summary.day.replace(day=1))
    )


# --- states -------------------------------------------------------------------------------------------------

Counts = Mapping[tuple[ListName, str | None, SupportType | None], int]


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state's agreements by support type, in the order of the page's columns."""

    state: str | None
    by_type: tuple[int, ...]
    agreements: int
    pending: int
    newest_change: datetime | None


@dataclass(frozen=True, slots=True)
class StatesPage:
    """Every state with an agreement, an application or a change; and the others by their codes."""

    columns: tuple[SupportType | None, ...]  # None: a support type that nobody could tell
    rows: tuple[StateRow, ...]
    total: StateRow
    others: tuple[str, ...]


def states(counts: Counts, newest: Mapping[str | None, datetime]) -> StatesPage:
    """The states in the order of their names, one that nobody could tell last."""
    columns = tuple(
        support_type
        for support_type in (*SupportType, None)
        if any(key[0] is ListName.PARTICIPATING and key[2] is support_type for key in counts)
    )
    spoken_of = {code for _, code, _ in counts} | set(newest)
    rows = tuple(_state_row(code, columns, counts, newest.get(code)) for code in in_order(spoken_of))
    total = StateRow(
        None,
        tuple(sum(numbers) for numbers in zip(*(row.by_type for row in rows), strict=True)),
        sum(row.agreements for row in rows),
        sum(row.pending for row in rows),
        max(newest.values(), default=None),
    )
    return StatesPage(columns, rows, total, tuple(code for code in STATES if code not in spoken_of))


def _state_row(
    code: str | None,
    columns: Sequence[SupportType | None],
    counts: Counts,
    newest: datetime | None,
) -> StateRow:
    by_type = tuple(counts.get((ListName.PARTICIPATING, code, column), 0) for column in columns)
    pending = sum(n for (list_, s, _), n in counts.items() if list_ is ListName.PENDING and s == code)
    return StateRow(code, by_type, sum(by_type), pending, newest)


@dataclass(frozen=True, slots=True)
class Gone:
    """An agreement that is listed no longer, and the entry that says so."""

    agreement: AgreementRecord
    departure: Entry | None


@dataclass(frozen=True, slots=True)
class CountyRow:
    """A county of a state: its comparable name, how it is written, how many agreements are listed; and its agencies,
    as (id, name)."""

    key: str
    name: str
    listed: int
    agencies: tuple[tuple[str, str], ...]


def counties(
    listed: Iterable[AgreementRecord], others: Iterable[AgreementRecord], agency_of: Callable[[str], str]
) -> tuple[CountyRow, ...]:
    """The counties that rows of a state name, in the order of their names; of `others` nothing is counted."""
    found: dict[str, list[tuple[bool, AgreementRecord]]] = defaultdict(list)
    for is_listed, records in ((True, listed), (False, others)):
        for record in records:
            if key := county(record.county):
                found[key].append((is_listed, record))
    return tuple(
        CountyRow(
            key,
            found[key][0][1].county,
            sum(is_listed for is_listed, _ in found[key]),
            tuple({agency_of(record.id): record.agency for _, record in reversed(found[key])}.items())[::-1],
        )
        for key in sorted(found)
    )


@dataclass(frozen=True, slots=True)
class StatePage:
    """One state: its recent changes by day, and its agreements as they stand. `older`: a day to go on before."""

    state: str | None
    by_type: Mapping[str, int]
    days: tuple[DayChanges, ...]
    before: date | None
    older: date | None
    listed: tuple[AgreementRecord, ...]
    pending: tuple[AgreementRecord, ...]
    gone: tuple[Gone, ...]
    counties: tuple[CountyRow, ...]


def state(
    code: str | None,
    days: tuple[DayChanges, ...],
    agreements: Iterable[AgreementRecord],
    departures: Iterable[Entry],
    *,
    agency_of: Callable[[str], str],
    before: date | None,
    older: date | None,
) -> StatePage:
    """`departures`: the state's entries that say an agreement left, the newest last. `agency_of` an agreement's id is
    its agency's."""
    left = {entry.agreement: entry for entry in departures}
    ordered = sorted(agreements, key=lambda a: (a.agency.casefold(), a.support_type, a.id))
    listed = tuple(a for a in ordered if ListName.PARTICIPATING in a.listed)
    others = [a for a in ordered if ListName.PARTICIPATING not in a.listed]
    return StatePage(
        code,
        dict(sorted(Counter(a.support_type for a in listed).items())),
        days,
        before,
        older,
        listed,
        tuple(a for a in ordered if a.listed == (ListName.PENDING,)),
        tuple(Gone(a, left.get(a.id)) for a in ordered if not a.listed),
        counties(listed, others, agency_of),
    )


def enough_days(tallies: Iterable[EntryCount], zone: ZoneInfo, enough: int) -> tuple[date | None, bool]:
    """The day to go back to for enough entries, whole months all of them; and whether there is more before it.

    Whole months, so that the address of what came before is the same tomorrow.
    """
    days: Counter[date] = Counter()
    for tally in tallies:
        days[day_of(tally.observed_at, zone)] += tally.count
    shown = 0
    for day in sorted(days, reverse=True):
        shown += days[day]
        if shown >= enough:
            first = day.replace(day=1)
            return first, min(days) < first
    return min(days, default=None), False


# --- one entry, one agreement -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of an entry as published before and after, and whether that is a change."""

    name: str
    before: str
    after: str
    change: FieldChange | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One entry of the log, with all that is known of it. `notes`: what was said about it since."""

    entry: Entry
    line: Line
    fields: tuple[FieldRow, ...]
    notes: tuple[Entry, ...]
    about: Entry | None
    day: date
    agency: str | None  # the id of whose agreement it is

    @property
    def stray(self) -> bool:
        """Whether a cell holds something that has to be made visible."""
        return any(visible(text) != text for f in self.fields for text in (f.before, f.after))


def change(
    entry: Entry, notes: Sequence[Entry], about: Entry | None, zone: ZoneInfo, agency: str | None = None
) -> ChangePage:
    """Every field, changed or not: a reader checks the row against the workbook."""
    changed = {field.name: field for field in entry.fields}
    return ChangePage(
        entry,
        Line(entry, notes[-1] if notes else None, about),
        tuple(
            FieldRow(name, _published(entry.before, name), _published(entry.after, name), changed.get(name))
            for name in FIELDS
        ),
        tuple(notes),
        about,
        day_of(entry.observed_at, zone),
        agency,
    )


def _published(cells: Cells | None, name: str) -> str:
    """A cell's text; for a document its address, where the cell links one."""
    if cells is None:
        return ""
    text: str = getattr(cells, name)
    address: str = getattr(cells, f"{name}_address", "")
    return address or text


class Standing(StrEnum):
    """Where an agreement stands now."""

    LISTED = "listed"
    PENDING = "pending"
    GONE = "gone"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """One agreement: where it stands, and its whole history, the newest first.

    A note that an entry was confirmed or withdrawn is told with that entry.
    """

    agreement: AgreementRecord
    standing: Standing
    departure: Entry | None
    history: tuple[Line, ...]
    agency: str | None  # the id of whose agreement it is


def agreement(record: AgreementRecord, entries: Sequence[Entry], agency: str | None = None) -> AgreementPage:
    """`entries`: all of this agreement, in the order of the log."""
    departed = [e for e in entries if e.kind in DEPARTURES and e.status not in TAKEN_BACK]
    standing = _standing(record, departed)
    return AgreementPage(
        record,
        standing,
        departed[-1] if departed and standing in (Standing.GONE, Standing.DROPPED) else None,
        history(entries),
        agency,
    )


def _standing(record: AgreementRecord, departed: Sequence[Entry]) -> Standing:
    if ListName.PARTICIPATING in record.listed:
        return Standing.LISTED
    if ListName.PENDING in record.listed:
        return Standing.PENDING
    if departed and departed[-1].kind is Kind.DROPPED:
        return Standing.DROPPED
    return Standing.GONE
