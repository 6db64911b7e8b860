"""Pure: how many agreements where → the maps of the states and of the counties; their words are in `templates/web/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from alerts.routing.scope import county_meant
from monitor.matching.similarity import county_in
from monitor.normalize import STATES, agency, county
from monitor.normalize import state as state_named
from monitor.storage.statistics import Location
from web.charts import atlas
from web.charts.topology import GRID, Shape

WIDTH, HEIGHT = atlas.WIDTH * GRID, atlas.HEIGHT * GRID
# The least number of each class of colour, the same on every day, so that two maps can be laid side by side.
STATE_CLASSES = (1, 5, 20, 50, 100)
COUNTY_CLASSES = (1, 2, 3, 4, 5)
# The places that the atlas lacks or shows too small, as squares beside the coast where nothing else is drawn.
SQUARES = ("DC", "PR", "VI", "GU", "MP", "AS")
_SQUARE, _GAP = 38, 8
_LEFT, _TOP = 975 - 2 * _SQUARE - _GAP - 6, 436
# A state this large has room for its two letters.
_LABELLED = 1000


@dataclass(frozen=True, slots=True)
class Class:
    """A class of colour: its number, and the least and the most agreements in it (None: any number)."""

    number: int
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Region:
    """One shape of a map. `class_`: 0 for no agreement; `label`: its two letters and where they stand.

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
class Row:
    """A line of the table beside the map."""

    state: str | None
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Map:
    """A map and the table of the same numbers. `elsewhere`: agreements in no shape, which the page counts in words."""

    regions: tuple[Region, ...]
    classes: tuple[Class, ...]
    rows: tuple[Row, ...]
    shown: int
    elsewhere: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def total(self) -> int:
        return self.shown + self.elsewhere


@dataclass(frozen=True, slots=True)
class MapPage:
    """A map as it was at the end of a day; `today`: it is the newest. `first`: the day with which the log begins."""

    kind: str  # states or counties
    map: Map
    day: date
    today: bool
    first: date
    earlier: date | None
    later: date | None
    months: tuple[date, ...]


def states(counts: Mapping[str | None, int]) -> Map:
    """The map of the states and territories, from the number of each; None: a state that nobody could tell."""
    outlines = atlas.states()
    regions = [_state(code, outlines[code], counts.get(code, 0)) for code in sorted(outlines) if code != "DC"]
    regions += [_square(code, i, counts.get(code, 0)) for i, code in enumerate(SQUARES)]
    return Map(
        tuple(regions),
        classes(STATE_CLASSES),
        tuple(
            Row(code, STATES[code], counts[code])
            for code in sorted(STATES, key=lambda code: (-counts.get(code, 0), STATES[code]))
            if counts.get(code)
        ),
        sum(region.count for region in regions),
        counts.get(None, 0),
    )


def counties(places: Mapping[Location, int]) -> Map:
    """The map of the counties that have an agreement, from the rows' own words."""
    found: Counter[str] = Counter()
    elsewhere = 0
    for place, count in places.items():
        fips = county_of(place)
        if fips is None:
            elsewhere += count
        else:
            found[fips] += count
    outlines = atlas.counties()
    regions = tuple(
        Region(
            fips,
            outlines[fips].name,
            atlas.state_of(fips),
            found[fips],
            class_of(found[fips], COUNTY_CLASSES),
            outlines[fips].path,
        )
        for fips in sorted(found)
    )
    ranked = sorted(regions, key=lambda region: (-region.count, region.name, region.state))
    return Map(
        regions,
        classes(COUNTY_CLASSES),
        tuple(Row(region.state, region.name, region.count) for region in ranked),
        found.total(),
        elsewhere,
    )


@cache
def ground() -> tuple[str, str]:
    """What lies under the map of the counties: the states' outlines, and the lines between all counties."""
    return "".join(shape.path for shape in atlas.states().values()), atlas.county_borders()


def county_of(place: Location) -> str | None:
    """The county that a row places an agreement in; None where it names none, or none that the atlas has.

    Spelling is mended as for those who watch a county; a blank cell is made up for by the agency's own name.
    """
    code = state_named(place.state)
    if code is None:
        return None
    cell = county(place.county)
    city = cell.endswith(" city")
    meant = (cell, cell.removesuffix(" city"), county_meant(code, cell)) if cell else (county_in(agency(place.agency)),)
    return next((fips for name in meant if (fips := atlas.county_called(code, name, city=city))), None)


def classes(least: Sequence[int]) -> tuple[Class, ...]:
    """The classes of a scale, by the least number of each."""
    return tuple(
        Class(number, low, following - 1 if following else None)
        for number, (low, following) in enumerate(zip(least, (*least[1:], None), strict=True), 1)
    )


def class_of(count: int, least: Sequence[int]) -> int:
    """The class that a number belongs to; 0 for none."""
    return sum(count >= low for low in least)


def _state(code: str, shape: Shape, count: int) -> Region:
    x, y = shape.middle
    label = (code, round(x * GRID), round(y * GRID)) if shape.area >= _LABELLED else None
    return Region(code, STATES[code], code, count, class_of(count, STATE_CLASSES), shape.path, label)


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
