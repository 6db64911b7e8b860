"""Pure: which county a name means, and the name of a county. Names are comparable ones (`normalize.county`)."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.distance import OSA

from monitor.counties import COUNTIES
from monitor.normalize import county

# Where the census lists something other than counties, or cities beside them, a county is called by its name alone.
_NO_COUNTIES = frozenset({"AK", "VA", "DC", "AS", "GU", "MP", "PR", "VI"})


def is_county(state: str | None, name: str) -> bool:
    """Whether the census knows a county of that name in the state (two letters)."""
    return state is not None and name in _counties(state)


def county_in(agency: str) -> str:
    """The county that an agency's comparable name speaks of: the words before "county" or "parish", or ""."""
    words = agency.split()
    for form in ("county", "parish"):
        if form in words:
            return " ".join(words[: words.index(form)])
    return ""


@lru_cache(maxsize=4096)
def county_meant(state: str, name: str) -> str:
    """The one county of the state that a name can mean, repaired by the rule that `normalize.state` has for states."""
    known = _counties(state)
    if name in known or not known:
        return name
    ranked = sorted((OSA.distance(name, each), each) for each in known)
    distance, nearest = ranked[0]
    allowed = 1 if len(name) <= 5 else 2
    tied = len(ranked) > 1 and ranked[1][0] == distance
    return nearest if distance <= allowed and not tied else name


def county_name(state: str, name: str) -> str:
    """A county as a reader knows it: "Larkmere County (TX)"."""
    plain = _counties(state).get(name) or name.title()
    form = "" if state in _NO_COUNTIES else " Parish" if state == "LA" else " County"
    return f"{plain}{form} ({state})"


@lru_cache(maxsize=64)
def _counties(state: str) -> dict[str, str]:
    """The census's names of a state's counties by their comparable names."""
    return {county(name): name for name in sorted(COUNTIES.get(state, ()))}
