"""Pure: numbers → scales → the coordinates of charts, in whole units of their viewBox; `templates/web/` draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from monitor.model import TAKEN_BACK, Kind, SupportType
from monitor.storage.changelog import Tally
from monitor.storage.statistics import Sort
from web.charts.series import Series, days_with_news, of_state
from web.pages.calendar import day_of

WIDTH = 600
# Room for the labels on the right, and for the dates below. (Labels on the left are left of zero.)
_RIGHT, _BELOW, _ABOVE = 112, 30, 16
_NUMBER = 56  # room for a number alone
# Two labels stand this far apart at least.
_LABEL_HEIGHT = 40
_WEEK = timedelta(days=7)
_MOST_TICKS = 7


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: its place, and its label (a day or a number)."""

    at: int
    value: date | int


@dataclass(frozen=True, slots=True)
class Band:
    """One support type of a stacked chart: its area, and its label at `y` on the right."""

    type: SupportType | None
    number: int  # of its color, from the darkest
    count: int  # now
    path: str
    y: int


@dataclass(frozen=True, slots=True)
class Level:
    """A row of the table under a chart: a day, all agreements, and those of each band."""

    day: date
    total: int
    by_type: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StackedChart:
    """How many agreements were listed when, by support type, stacked. `levels`: the same in numbers."""

    bands: tuple[Band, ...]
    levels: tuple[Level, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    right: int
    base: int
    width: int = WIDTH
    height: int = 0


@dataclass(frozen=True, slots=True)
class LineChart:
    """One number over time: a line in steps, from its first value to its last."""

    path: str
    area: str
    first: tuple[date, int]
    first_y: int  # where its first value is written
    last: tuple[date, int]
    most: int
    x: int  # where the line ends
    y: int
    x_ticks: tuple[Tick, ...]
    base: int
    levels: tuple[tuple[date, int], ...]
    width: int = WIDTH
    height: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """One week, named by its Monday: new agreements go up, departures go down. Heights in units."""

    week: date
    new: int
    gone: int
    x: int
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class BarChart:
    """New and departed by week. `middle`: where zero is."""

    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bar: int
    middle: int
    right: int
    width: int = WIDTH
    height: int = 0


@dataclass(frozen=True, slots=True)
class OverTimePage:
    """The charts of all agreements; None where there is nothing to draw yet."""

    stacked: StackedChart | None
    weekly: BarChart | None


# --- numbers over time --------------------------------------------------------------------------------------


def stacked(days: Mapping[date, Mapping[Sort, int]], until: date, height: int = 380) -> StackedChart | None:
    """The numbers at the end of each day with a new publication, until a day; None where there is none."""
    if not days:
        return None
    newest = _by_type(days[max(days)])
    ever = {type_ for counts in days.values() for type_ in _by_type(counts)}
    types = sorted(ever, key=lambda type_: (-newest.get(type_, 0), type_ or "~"))
    levels = _levels(days, types)
    right, base = WIDTH - _RIGHT, height - _BELOW
    x = _time(min(days), until, right)
    most, y_ticks = _numbers(max(level.total for level in levels), base)
    y = _linear(0, most, base, _ABOVE)
    steps = [(x(level.day), level) for level in levels]
    bands, middles, below = [], [], [0] * len(steps)
    for i in range(len(types)):
        above = [under + level.by_type[i] for under, (_, level) in zip(below, steps, strict=True)]
        edges = [(at, y(n)) for (at, _), n in zip(steps, above, strict=True)]
        bottom = [(at, y(n)) for (at, _), n in zip(steps, below, strict=True)]
        bands.append(_area(edges, bottom, right))
        middles.append((edges[-1][1] + bottom[-1][1]) // 2)
        below = above
    labels = _apart(middles, _LABEL_HEIGHT, base)
    return StackedChart(
        tuple(
            Band(type_, number, newest.get(type_, 0), path, at)
            for number, (type_, path, at) in enumerate(zip(types, bands, labels, strict=True), 1)
        ),
        levels,
        _dates(min(days), until, x),
        y_ticks,
        right,
        base,
        height=height,
    )


def line(levels: Sequence[tuple[date, int]], until: date, width: int = WIDTH, height: int = 150) -> LineChart | None:
    """One number over time, from the days on which it changed; None where it was always 0."""
    if not any(n for _, n in levels):
        return None
    right, base = width - _NUMBER, height - _BELOW
    x = _time(levels[0][0], until, right)
    most = max(n for _, n in levels)
    y = _linear(0, max(most, 1), base, _ABOVE)
    edges = [(x(day), y(n)) for day, n in levels]
    return LineChart(
        _step(edges, right),
        _area(edges, [(edges[0][0], base)], right),
        levels[0],
        min(y for x, y in edges if x <= _NUMBER),  # above the part of the line that its label covers
        levels[-1],
        most,
        right,
        edges[-1][1],
        _dates(levels[0][0], until, x, most=width // 80),
        base,
        tuple(levels),
        width,
        height,
    )


def listed(series: Series, zone: ZoneInfo) -> LineChart | None:
    """How many agreements ICE listed, as a small chart."""
    days = series.by_day(zone)
    return series.once("listed", lambda: _of(days, max(days), 320, 130) if days else None)


def listed_in(series: Series, zone: ZoneInfo, code: str | None) -> LineChart | None:
    """How many of them in one state (None: not recognized).

    It ends with the state's last news, or with the month before the newest list: drawn to that list, every state's page
    would have to be published again for each list that has no news of it.
    """

    def make() -> LineChart | None:
        days = series.by_day(zone)
        return _of(of_state(days, code), max(days).replace(day=1), WIDTH, 150) if days else None

    return series.once(("listed in", code), make)


def _of(days: Mapping[date, Mapping[Sort, int]], until: date, width: int, height: int) -> LineChart | None:
    news = days_with_news(days)
    return line(news, max(until, news[-1][0]), width, height)


# --- weeks --------------------------------------------------------------------------------------------------


def weekly(tallies: Iterable[Tally], zone: ZoneInfo, until: date, height: int = 300) -> BarChart | None:
    """New agreements and departures by week, without what was taken back."""
    counts: dict[date, list[int]] = {}
    for tally in tallies:
        if tally.kind in (Kind.NEW, Kind.TERMINATED) and tally.status not in TAKEN_BACK:
            week = counts.setdefault(monday(day_of(tally.observed_at, zone)), [0, 0])
            week[tally.kind is Kind.TERMINATED] += tally.count
    if not counts:
        return None
    first, last = min(counts), max(*counts, monday(until))
    weeks = [first + i * _WEEK for i in range((last - first) // _WEEK + 1)]
    up, down = (max(numbers[i] for numbers in counts.values()) for i in (0, 1))
    base = height - _BELOW
    reach, _ = _numbers(max(up, down, 1), base)
    # One scale for both, with some room below zero, but not more than needed.
    lowest = reach if down > reach // 2 else max(reach // 4, 1) if down <= reach // 4 else reach // 2
    scale = _linear(-lowest, reach, base, _ABOVE)
    right = WIDTH - _RIGHT
    slot = right / len(weeks)
    step = next(step for step in _round_steps() if reach / step <= 4)
    return BarChart(
        tuple(
            Bar(
                week,
                new := counts.get(week, [0, 0])[0],
                gone := counts.get(week, [0, 0])[1],
                round(i * slot),
                scale(0) - scale(new),
                scale(-gone) - scale(0),
            )
            for i, week in enumerate(weeks)
        ),
        _dates(first, until, _linear_days(first, last + _WEEK, right)),
        tuple(Tick(scale(n), abs(n)) for n in range(-(lowest // step) * step, reach + 1, step)),
        max(1, int(slot) - 1),
        scale(0),
        right,
        height=height,
    )


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


# --- scales -------------------------------------------------------------------------------------------------


def _linear(low: float, high: float, start: float, end: float) -> Callable[[float], int]:
    """A scale from numbers to units."""
    return lambda value: round(start + (value - low) / (high - low) * (end - start))


def _linear_days(first: date, last: date, right: int) -> Callable[[date], int]:
    scale = _linear(first.toordinal(), max(last, first + timedelta(days=1)).toordinal(), 0, right)
    return lambda day: scale(day.toordinal())


def _time(first: date, last: date, right: int) -> Callable[[date], int]:
    """A scale of days that leaves the last one some width of its own."""
    return _linear_days(first, last + timedelta(days=1), right)


def _numbers(most: int, base: int) -> tuple[int, tuple[Tick, ...]]:
    """The top of an axis and its marks: a handful of round numbers."""
    step = next(step for step in _round_steps() if most / step <= 4)
    top = max(step, -(-most // step) * step)
    y = _linear(0, top, base, _ABOVE)
    return top, tuple(Tick(y(n), n) for n in range(0, top + 1, step))


def _round_steps() -> Iterable[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _dates(first: date, last: date, x: Callable[[date], int], most: int = _MOST_TICKS) -> tuple[Tick, ...]:
    """The first days of months, every first, second, third … so that there are few enough; or the first day alone."""
    months = [
        date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1)
        for i in range((last.year - first.year) * 12 + last.month - first.month + 1)
    ]
    within = [month for month in months if month >= first]
    for every in (1, 2, 3, 6, 12, 24, 60, 120):
        chosen = [month for month in within if (month.month - 1 + 12 * month.year) % every == 0]
        if len(chosen) <= most:
            break
    return tuple(Tick(x(day), day) for day in chosen) or (Tick(x(first), first),)


# --- shapes -------------------------------------------------------------------------------------------------

_Edge = tuple[int, int]


def _step(edges: Sequence[_Edge], right: int) -> str:
    """A line in steps: it keeps its height until the next number, and ends at the right."""
    (x, y), *rest = edges
    path = [f"M{x} {y}"]
    for to_x, to_y in rest:
        if to_y == y:
            continue
        path.append(f"H{to_x}V{to_y}" if to_x != x else f"V{to_y}")
        x, y = to_x, to_y
    return "".join(path) + f"H{right}"


def _area(top: Sequence[_Edge], bottom: Sequence[_Edge], right: int) -> str:
    """The area between two lines in steps."""
    back: list[str] = []
    reach = right
    y: int | None = None
    for x, under in reversed(bottom):
        if under != y:
            back.append((f"H{reach}" if back else "") + f"V{under}")
            y = under
        reach = x
    return f"{_step(top, right)}{''.join(back)}H{top[0][0]}z"


def _apart(wanted: Sequence[int], distance: int, lowest: int) -> list[int]:
    """The heights of labels, from the bottom up: as wanted, but moved so that none covers another."""
    heights: list[int] = []
    limit = lowest
    for y in wanted:
        heights.append(min(y, limit))
        limit = heights[-1] - distance
    return heights


def _by_type(counts: Mapping[Sort, int]) -> dict[SupportType | None, int]:
    by_type: dict[SupportType | None, int] = {}
    for (_, type_), n in counts.items():
        by_type[type_] = by_type.get(type_, 0) + n
    return by_type


def _levels(days: Mapping[date, Mapping[Sort, int]], types: Sequence[SupportType | None]) -> tuple[Level, ...]:
    """The first day, and each on which a number changed."""
    levels: list[Level] = []
    for day in sorted(days):
        by_type = _by_type(days[day])
        level = Level(day, sum(by_type.values()), tuple(by_type.get(type_, 0) for type_ in types))
        if not levels or levels[-1].by_type != level.by_type:
            levels.append(level)
    return tuple(levels)
