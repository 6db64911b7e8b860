"""Pure: TopoJSON → outlines, and outlines → SVG paths.

https://github.com/topojson/topojson-specification: a topology holds arcs, each a line of quantized differences that
two neighbours share; a geometry names its arcs by number, ~number where it walks one backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

from web.charts.atlas import GRID

Topology = Mapping[str, Any]
Point = tuple[float, float]
Ring = tuple[Point, ...]

# An island smaller than this (in square units) cannot be seen, unless it is all that there is.
SMALLEST = 0.6


@dataclass(frozen=True)
class Shape:
    """One place: its id and name in the atlas, and its rings (islands, and holes where it has some)."""

    id: str
    name: str
    rings: tuple[Ring, ...]

    @cached_property
    def area(self) -> float:
        """In square units of the atlas, holes taken off."""
        return abs(sum(signed_area(ring) for ring in self.rings))

    @cached_property
    def path(self) -> str:
        """The `d` of an SVG path, without the islands that nobody could see."""
        largest = max(self.rings, key=lambda ring: abs(signed_area(ring)))
        return "".join(closed(ring) for ring in self.rings if ring is largest or abs(signed_area(ring)) >= SMALLEST)

    @cached_property
    def middle(self) -> Point:
        """A point well inside its largest part, where a label can stand: the farthest from any border, nearly."""
        ring = max(self.rings, key=lambda ring: abs(signed_area(ring)))
        ring = ring[:: len(ring) // 100 + 1]  # near enough for a label, in a fifth of the time
        xs, ys = [x for x, _ in ring], [y for _, y in ring]
        steps = 12
        inside = [
            (x, y)
            for i in range(1, steps)
            for j in range(1, steps)
            if _holds(
                ring,
                x := min(xs) + (max(xs) - min(xs)) * i / steps,
                y := min(ys) + (max(ys) - min(ys)) * j / steps,
            )
        ]
        # Sideways twice as far as up and down: a label is wider than it is high.
        return max(
            inside,
            key=lambda p: min((p[0] - x) ** 2 / 2 + (p[1] - y) ** 2 for x, y in ring),
            default=((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2),
        )


def shapes(topology: Topology, layer: str) -> dict[str, Shape]:
    """The shapes of one layer by their ids, in the atlas's order."""
    arcs = [_decoded(arc, topology) for arc in topology["arcs"]]
    return {
        geometry["id"]: Shape(
            geometry["id"],
            geometry["properties"]["name"],
            tuple(_ring(numbers, arcs) for numbers in _rings(geometry)),
        )
        for geometry in topology["objects"][layer]["geometries"]
    }


def borders(topology: Topology, layer: str, width: float, height: float) -> str:
    """The lines between the shapes of a layer, each drawn once though two share it: coasts are left out.

    `width`, `height`: lines that lie outside are left out as well.
    """
    seen: dict[int, int] = {}
    for geometry in topology["objects"][layer]["geometries"]:
        for number in {n if n >= 0 else ~n for ring in _rings(geometry) for n in ring}:
            seen[number] = seen.get(number, 0) + 1
    lines = (_decoded(topology["arcs"][number], topology) for number, times in sorted(seen.items()) if times > 1)
    return "".join(opened(line) for line in lines if all(0 <= x <= width and 0 <= y <= height for x, y in line))


def closed(ring: Ring) -> str:
    """A ring as a part of an SVG path; "" where it is less than a triangle on the grid."""
    points = _on_grid(ring)
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    return f"{_line(points)}z" if len(points) > 2 else ""


def opened(line: Ring) -> str:
    """A line as a part of an SVG path; "" where it is a point on the grid."""
    points = _on_grid(line)
    return _line(points) if len(points) > 1 else ""


def signed_area(ring: Ring) -> float:
    """The area of a ring by the shoelace formula: negative where it goes the other way round, as holes do."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise((*ring, ring[0]))) / 2


def _holds(ring: Ring, x: float, y: float) -> bool:
    """Whether a point lies inside a ring: a ray from it crosses the ring an odd number of times."""
    crossings = sum(
        (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1
        for (x1, y1), (x2, y2) in pairwise((*ring, ring[0]))
    )
    return crossings % 2 == 1


def _rings(geometry: Mapping[str, Any]) -> Iterator[Sequence[int]]:
    """The arc numbers of each ring; an atlas draws nothing but polygons."""
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    for polygon in polygons:
        yield from polygon


def _ring(numbers: Iterable[int], arcs: Sequence[Ring]) -> Ring:
    """The arcs of a ring one after the other: each begins where the last one ended."""
    points: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    return tuple(points)


def _decoded(arc: Iterable[Sequence[int]], topology: Topology) -> Ring:
    """The points of an arc that is stored as steps on the topology's own grid."""
    (scale_x, scale_y), (left, top) = topology["transform"]["scale"], topology["transform"]["translate"]
    steps = list(arc)
    xs, ys = accumulate(step[0] for step in steps), accumulate(step[1] for step in steps)
    return tuple((x * scale_x + left, y * scale_y + top) for x, y in zip(xs, ys, strict=True))


def _on_grid(points: Iterable[Point]) -> list[tuple[int, int]]:
    """The points in whole grid units, without those that fall on the one before or on a straight line."""
    kept: list[tuple[int, int]] = []
    for x, y in points:
        point = round(x * GRID), round(y * GRID)
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _straight(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> bool:
    """Whether b lies between a and c on their line."""
    across = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
    ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return across == 0 and ahead > 0


def _line(points: Sequence[tuple[int, int]]) -> str:
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(points)]
    return f"M{_numbers(points[:1])}l{_numbers(steps)}"


def _numbers(pairs: Iterable[tuple[int, int]]) -> str:
    """Numbers as SVG takes them: a minus parts them as well as a space."""
    return " ".join(str(n) for pair in pairs for n in pair).replace(" -", "-")
