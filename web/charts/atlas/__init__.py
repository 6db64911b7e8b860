"""The outlines of the states and counties, read once a process.

`states-albers-10m.json` and `counties-albers-10m.json` are those of us-atlas 3.0.1, byte for byte (LICENSE-us-atlas
lies beside them): Census Bureau cartographic boundary files of 2017, in a conic equal-area projection on 975 × 610.
Guam, the Northern Mariana Islands, Puerto Rico, the Virgin Islands and American Samoa are not in them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from monitor.normalize import STATES, county
from web.charts.topology import Shape, Topology, borders, shapes

WIDTH, HEIGHT = 975, 610
_FOLDER = Path(__file__).parent
_CODES = {name: code for code, name in STATES.items()}
# The Census numbers an independent city from 510 on, beside the counties of its state.
_FIRST_CITY = 510


@cache
def states() -> Mapping[str, Shape]:
    """The outline of each state and of the District of Columbia, by its two letters."""
    return {_CODES[shape.name]: shape for shape in shapes(_read("states"), "states").values()}


@cache
def counties() -> Mapping[str, Shape]:
    """The outline of each county, by its five digits of FIPS."""
    return shapes(_read("counties"), "counties")


@cache
def county_borders() -> str:
    """The borders between counties, each line once, as an SVG path."""
    return borders(_read("counties"), "counties", WIDTH, HEIGHT)


@cache
def state_of(fips: str) -> str:
    """The two letters of the state that a county lies in."""
    return _state_numbers()[fips[:2]]


def county_called(code: str | None, name: str, *, city: bool = False) -> str | None:
    """The county of a state that a comparable name (`normalize.county`) names, by its FIPS digits.

    Six names are those of a county and of an independent city beside it (St. Louis, Richmond): the city is meant
    only where a row says so.
    """
    found = _by_name().get((code or "", name), ())
    if len(found) < 2:
        return next(iter(found), None)
    return next((fips for fips in found if (int(fips[2:]) >= _FIRST_CITY) is city), None)


@cache
def _by_name() -> Mapping[tuple[str, str], tuple[str, ...]]:
    named: dict[tuple[str, str], tuple[str, ...]] = defaultdict(tuple)
    for fips, shape in counties().items():
        named[state_of(fips), county(shape.name)] += (fips,)
    return dict(named)


@cache
def _state_numbers() -> Mapping[str, str]:
    return {shape.id: code for code, shape in states().items()}


@cache
def _read(name: str) -> Topology:
    topology: Topology = json.loads((_FOLDER / f"{name}-albers-10m.json").read_bytes())
    return topology
