"""Pure: the states, counties, agencies and support types that an entry concerns."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.distance import OSA

from monitor.counties import COUNTIES
from monitor.matching.similarity import county_in
from monitor.model import Cells, Entry, SupportType
from monitor.normalize import agency, county, state, support_type

# In these the census lists something other than counties, or also cities, so only the name is shown.
_NO_COUNTIES = frozenset({"AK", "VA", "DC", "AS", "GU", "MP", "PR", "VI"})


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


def support_types_of(entry: Entry) -> frozenset[SupportType]:
    """The support types that an entry concerns, before and after; unknown ones are left out."""
    return frozenset(type_ for side in _sides(entry) if (type_ := support_type(side.support_type)))


@lru_cache(maxsize=4096)
def county_meant(code: str, name: str) -> str:
    """The county of the state that a misspelled name means, by the same rule as in `normalize.state`."""
    known = _counties(code)
    if name in known or not known:
        return name
    ranked = sorted((OSA.distance(name, each), each) for each in known)
    nearest, meant = ranked[0]
    allowed = 1 if len(name) <= 5 else 2
    tied = len(ranked) > 1 and ranked[1][0] == nearest
    return meant if nearest <= allowed and not tied else name


def is_county(code: str, name: str) -> bool:
    """Whether the census knows a county of that comparable name in the state."""
    return name in _counties(code)


def county_name(code: str, name: str) -> str:
    """A county for readers, from its comparable name: "Larkmere County (TX)"."""
    plain = _counties(code).get(name) or name.title()
    form = "" if code in _NO_COUNTIES else " Parish" if code == "LA" else " County"
    return f"{plain}{form} ({code})"


def _sides(entry: Entry) -> tuple[Cells, ...]:
    return tuple(side for side in (entry.before, entry.after) if side)


@lru_cache(maxsize=64)
def _counties(code: str) -> dict[str, str]:
    """The census's names of a state's counties by their comparable names."""
    return {county(name): name for name in sorted(COUNTIES.get(code, ()))}
