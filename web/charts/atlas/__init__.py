"""The outlines of the states and counties as SVG paths, read once a process.

`outlines.json` is made by `tools/atlas/make_outlines.py` from us-atlas 3.0.1 (LICENSE-us-atlas). Guam, the Northern
Mariana Islands, Puerto Rico, the Virgin Islands and American Samoa are not in it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from monitor.normalize import county

OUTLINES = Path(__file__).parent / "outlines.json"
WIDTH, HEIGHT = 975, 610
# Paths are drawn on a grid of half units, in whole numbers: half the bytes of a path with decimals, and exact enough at
# twice the size of a usual screen. Their viewBox is GRID times the size.
GRID = 2
# The Census numbers an independent city from 510 on, beside the counties of its state.
_FIRST_CITY = 510


class Outline(NamedTuple):
    """A state or county: its name, its state's two letters, the `d` of its SVG path, and where a label has room."""

    name: str
    state: str
    path: str
    label: tuple[int, int] | None


@cache
def states() -> Mapping[str, Outline]:
    """The outline of each state and of the District of Columbia, by its two letters."""
    return {code: Outline(*place) for code, place in _read()["states"].items()}


@cache
def counties() -> Mapping[str, Outline]:
    """The outline of each county, by its five digits of FIPS."""
    return {fips: Outline(*place) for fips, place in _read()["counties"].items()}


def county_borders() -> str:
    """The borders between counties, each line once, as an SVG path."""
    borders: str = _read()["county_borders"]
    return borders


def county_called(code: str | None, name: str, *, city: bool = False) -> str | None:
    """The county of a state that a comparable name (`normalize.county`) names, by its FIPS digits.

    Six names are those of a county and of an independent city beside it (St. Louis, Richmond): the city is meant
    only where a row says so.
    """
    named = _by_name().get((code or "", name), ())
    if len(named) < 2:
        return next(iter(named), None)
    return next((fips for fips in named if (int(fips[2:]) >= _FIRST_CITY) is city), None)


@cache
def _by_name() -> Mapping[tuple[str, str], tuple[str, ...]]:
    named: dict[tuple[str, str], tuple[str, ...]] = defaultdict(tuple)
    for fips, outline in counties().items():
        named[outline.state, county(outline.name)] += (fips,)
    return dict(named)


@cache
def _read() -> dict[str, Any]:
    outlines: dict[str, Any] = json.loads(OUTLINES.read_text(encoding="utf-8"))
    return outlines
