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

    columns: tuple[SupportType | None, ...]  # None: a support type that nobody could tell
    rows: tuple[StateRow, ...]
    total: StateRow
    others: tuple[str, ...]


def states_page(counts: Counts, newest: Mapping[str | None, datetime]) -> StatesPage:
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


def counties_of(
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
        counties_of(listed, others, agency_of),
    )


def enough_days(tallies: Iterable[Tally], zone: ZoneInfo, enough: int) -> tuple[date | None, bool]:
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
