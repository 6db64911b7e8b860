"""Pure: the page of all states, and the page of one state."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from monitor.model import Entry, ListName, SupportType
from monitor.normalize import STATES, county
from monitor.storage.changelog import AgreementRecord, Tally
from web.pages.calendar import day_of
from web.pages.lines import DayChanges, in_order

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

    columns: tuple[SupportType | None, ...]  # None: a support type that was not recognized
    rows: tuple[StateRow, ...]
    total: StateRow
    others: tuple[str, ...]


def states_page(counts: Counts, newest: Mapping[str | None, datetime]) -> StatesPage:
    """The states in the order of their names; None, for not recognized, last."""
    columns = tuple(
        support_type
        for support_type in (*SupportType, None)
        if any(key[0] is ListName.PARTICIPATING and key[2] is support_type for key in counts)
    )
    mentioned = {code for _, code, _ in counts} | set(newest)
    rows = tuple(_state_row(code, columns, counts, newest.get(code)) for code in in_order(mentioned))
    total = StateRow(
        None,
        tuple(sum(numbers) for numbers in zip(*(row.by_type for row in rows), strict=True)),
        sum(row.agreements for row in rows),
        sum(row.pending for row in rows),
        max(newest.values(), default=None),
    )
    return StatesPage(columns, rows, total, tuple(code for code in STATES if code not in mentioned))


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
    """An agreement that is no longer listed, and the entry about its departure."""

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


def counties_of(
    listed: Iterable[AgreementRecord], others: Iterable[AgreementRecord], agency_of: Callable[[str], str]
) -> tuple[CountyRow, ...]:
    """The counties that rows of a state name, in the order of their names; `others` are not counted."""
    by_county: dict[str, list[tuple[bool, AgreementRecord]]] = defaultdict(list)
    for is_listed, records in ((True, listed), (False, others)):
        for record in records:
            if key := county(record.county):
                by_county[key].append((is_listed, record))
    return tuple(
        CountyRow(
            key,
            by_county[key][0][1].county,
            sum(is_listed for is_listed, _ in by_county[key]),
            tuple({agency_of(record.id): record.agency for _, record in reversed(by_county[key])}.items())[::-1],
        )
        for key in sorted(by_county)
    )


@dataclass(frozen=True, slots=True)
class StatePage:
    """One state: its recent changes by day, and its agreements now. `older`: the day to continue before."""

    state: str | None
    by_type: Mapping[str, int]
    days: tuple[DayChanges, ...]
    before: date | None
    older: date | None
    listed: tuple[AgreementRecord, ...]
    pending: tuple[AgreementRecord, ...]
    gone: tuple[Gone, ...]
    counties: tuple[CountyRow, ...]


def state_page(
    code: str | None,
    days: tuple[DayChanges, ...],
    agreements: Iterable[AgreementRecord],
    departures: Iterable[Entry],
    *,
    agency_of: Callable[[str], str],
    before: date | None,
    older: date | None,
) -> StatePage:
    """`departures`: the state's entries about agreements that are no longer listed, newest last. `agency_of`: from an
    agreement's id to its agency's id."""
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
        counties_of(listed, others, agency_of),
    )


def enough_days(tallies: Iterable[Tally], zone: ZoneInfo, enough: int) -> tuple[date | None, bool]:
    """The first day to show for enough entries, and whether there is more before it.

    It is the first day of a month, so that the address of the earlier entries is the same tomorrow.
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
