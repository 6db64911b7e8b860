"""Pure: numbers of agreements by place → the maps of the states and of the counties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from monitor.geography import county_in, county_meant
from monitor.normalize import STATES, agency, county
from monitor.normalize import state as state_named
from monitor.storage.statistics import Location
from web.charts import atlas
from web.charts.atlas import GRID, Outline

WIDTH, HEIGHT = atlas.WIDTH * GRID, atlas.HEIGHT * GRID
# The least number of each color, the same on every day, so that maps can be compared.
STATE_CLASSES = (1, 5, 20, 50, 100)
COUNTY_CLASSES = (1, 2, 3, 4, 5)
# Places that the atlas lacks or shows too small, drawn as squares beside the coast.
SQUARES = ("DC", "PR", "VI", "GU", "MP", "AS")
_SQUARE, _GAP = 38, 8
_LEFT, _TOP = 975 - 2 * _SQUARE - _GAP - 6, 436


@dataclass(frozen=True, slots=True)
class ColorClass:
    """A color of the legend: its number, and the least and most agreements (None: any number)."""

    number: int
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Region:
    """One shape of a map. `class_`: 0 for no agreement; `label`: its two letters and their place.

    `square`: a place that the atlas lacks or shows too small, in a row of squares beside the coast.
    """

    id: str
    name: str
    state: str
    count: int
    class_: int
    path: str
    label: tuple[str, int, int] | None = None
    square: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the table beside the map."""

    state: str | None
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Map:
    """A map and the table of the same numbers. `elsewhere`: agreements in no shape, which the page counts in words."""

    regions: tuple[Region, ...]
    classes: tuple[ColorClass, ...]
    rows: tuple[TableRow, ...]
    shown: int
    elsewhere: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def total(self) -> int:
        return self.shown + self.elsewhere


@dataclass(frozen=True, slots=True)
class MapPage:
    """A map as it was when the list was last read before the end of a day, at `looked_at`; `today`: it is the newest.

    `first`: the day with which the log begins. `looked_at`: None where no list was read yet.
    """

    kind: str  # states or counties
    map: Map
    day: date
    today: bool
    first: date
    earlier: date | None
    later: date | None
    months: tuple[date, ...]
    looked_at: datetime | None


def states(counts: Mapping[str | None, int]) -> Map:
    """The map of the states and territories, from the number of each; None: not recognized."""
    outlines = atlas.states()
    regions = [_state(code, outlines[code], counts.get(code, 0)) for code in sorted(outlines) if code != "DC"]
    regions += [_square(code, i, counts.get(code, 0)) for i, code in enumerate(SQUARES)]
    return Map(
        tuple(regions),
        classes(STATE_CLASSES),
        tuple(
            TableRow(code, STATES[code], counts[code])
            for code in sorted(STATES, key=lambda code: (-counts.get(code, 0), STATES[code]))
            if counts.get(code)
        ),
        sum(region.count for region in regions),
        counts.get(None, 0),
    )


def counties(places: Mapping[Location, int]) -> Map:
    """The map of the counties that have an agreement, from the rows' own words."""
    by_county: Counter[str] = Counter()
    elsewhere = 0
    for place, count in places.items():
        fips = county_of(place)
        if fips is None:
            elsewhere += count
        else:
            by_county[fips] += count
    outlines = atlas.counties()
    regions = tuple(
        Region(
            fips,
            outlines[fips].name,
            outlines[fips].state,
            by_county[fips],
            class_of(by_county[fips], COUNTY_CLASSES),
            outlines[fips].path,
        )
        for fips in sorted(by_county)
    )
    ranked = sorted(regions, key=lambda region: (-region.count, region.name, region.state))
    return Map(
        regions,
        classes(COUNTY_CLASSES),
        tuple(TableRow(region.state, region.name, region.count) for region in ranked),
        by_county.total(),
        elsewhere,
    )


@cache
def ground() -> tuple[str, str]:
    """The background of the map of the counties: the states' outlines, and the lines between all counties."""
    return "".join(outline.path for outline in atlas.states().values()), atlas.county_borders()


def county_of(place: Location) -> str | None:
    """The county that a row places an agreement in; None where it names none, or none that the atlas has.

    Misspelled names are resolved as for watches of a county; for a blank cell the agency's name is used.
    """
    code = state_named(place.state)
    if code is None:
        return None
    cell = county(place.county)
    city = cell.endswith(" city")
    meant = (cell, cell.removesuffix(" city"), county_meant(code, cell)) if cell else (county_in(agency(place.agency)),)
    return next((fips for name in meant if (fips := atlas.county_called(code, name, city=city))), None)


def classes(least: Sequence[int]) -> tuple[ColorClass, ...]:
    """The classes of a scale, by the least number of each."""
    return tuple(
        ColorClass(number, low, following - 1 if following else None)
        for number, (low, following) in enumerate(zip(least, (*least[1:], None), strict=True), 1)
    )


def class_of(count: int, least: Sequence[int]) -> int:
    """The class that a number belongs to; 0 for none."""
    return sum(count >= low for low in least)


def _state(code: str, outline: Outline, count: int) -> Region:
    label = (code, *outline.label) if outline.label else None
    return Region(code, outline.name, code, count, class_of(count, STATE_CLASSES), outline.path, label)


def _square(code: str, number: int, count: int) -> Region:
    x = (_LEFT + number % 2 * (_SQUARE + _GAP)) * GRID
    y = (_TOP + number // 2 * (_SQUARE + _GAP)) * GRID
    side = _SQUARE * GRID
    return Region(
        code,
        STATES[code],
        code,
        count,
        class_of(count, STATE_CLASSES),
        f"M{x} {y}h{side}v{side}h-{side}z",
        (code, x + side // 2, y + side // 2),
        square=True,
    )
