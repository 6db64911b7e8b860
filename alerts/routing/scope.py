"""Pure: the states, counties, agencies and support types that an entry concerns."""

from __future__ import annotations

from monitor.geography import county_in, county_meant
from monitor.model import Cells, Entry, SupportType
from monitor.normalize import agency, county, state, support_type


def states_of(entry: Entry) -> frozenset[str]:
    """The states that an entry concerns: where a change moves an agreement, the old one and the new one."""
    return frozenset(code for code in (entry.state, *(state(side.state) for side in _sides(entry))) if code)


def counties_of(entry: Entry) -> frozenset[tuple[str, str]]:
    """The counties that an entry concerns, as (state, comparable name), before and after.

    A misspelled county must still reach those who watch it (in December 2025 every fiftieth row had one), so the county
    that was probably meant counts too. If the cell is blank, the county in the agency's name counts.
    """
    counties = set()
    for side in _sides(entry):
        code = state(side.state)
        name = county(side.county) or county_in(agency(side.agency))
        if code and name:
            counties |= {(code, name), (code, county_meant(code, name))}
    return frozenset(counties)


def agencies_of(entry: Entry) -> frozenset[tuple[str, str]]:
    """The agencies that an entry concerns, as (state, comparable name), before and after."""
    return frozenset((code, agency(side.agency)) for side in _sides(entry) if (code := state(side.state)))


def newest_agency(entry: Entry) -> tuple[str | None, str]:
    """The agency of an entry, as (state, comparable name); after the change where there is one."""
    cells = entry.after or entry.before
    return (state(cells.state), agency(cells.agency)) if cells else (entry.state, agency(entry.agency))


def support_types_of(entry: Entry) -> frozenset[SupportType]:
    """The support types that an entry concerns, before and after; unknown ones are left out."""
    return frozenset(type_ for side in _sides(entry) if (type_ := support_type(side.support_type)))


def _sides(entry: Entry) -> tuple[Cells, ...]:
    return tuple(side for side in (entry.before, entry.after) if side)
