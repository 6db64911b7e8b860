"""Outlines from an atlas: delta decoding, shared arcs, and paths that a browser can draw."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitor.counties import COUNTIES
from monitor.normalize import STATES, county
from web.charts import atlas
from web.charts.topology import GRID, Shape, borders, closed, shapes, signed_area

# Two squares side by side, ten units wide, that share their middle line (arc 0), on a grid of half units.
SQUARES: dict[str, Any] = {
    "transform": {"scale": [0.5, 0.5], "translate": [1, 2]},
    "arcs": [
        [[20, 0], [0, 20]],
        [[20, 20], [-20, 0], [0, -20], [20, 0]],
        [[20, 0], [20, 0], [0, 20], [-20, 0]],
    ],
    "objects": {
        "places": {
            "geometries": [
                {"type": "Polygon", "id": "01", "properties": {"name": "West"}, "arcs": [[0, 1]]},
                {"type": "MultiPolygon", "id": "02", "properties": {"name": "East"}, "arcs": [[[2, -1]]]},
            ]
        }
    },
}
TERRITORIES = {"AS", "GU", "MP", "PR", "VI"}


def test_steps_become_points_and_an_arc_is_walked_backwards_by_its_neighbour() -> None:
    found = [list(shape.rings) for shape in shapes(SQUARES, "places").values()]
    assert found == [
        [((11, 2), (11, 12), (1, 12), (1, 2), (11, 2))],
        [((11, 2), (21, 2), (21, 12), (11, 12), (11, 2))],
    ]


def test_an_area_is_in_square_units() -> None:
    assert [shape.area for shape in shapes(SQUARES, "places").values()] == [100, 100]


def test_a_path_is_relative_and_whole() -> None:
    assert shapes(SQUARES, "places")["01"].path == "M22 4l0 20-20 0 0-20z"


def test_a_border_is_drawn_once_and_a_coast_not_at_all() -> None:
    assert borders(SQUARES, "places", 100, 100) == "M22 4l0 20"


def test_a_point_on_a_straight_line_is_left_out() -> None:
    assert closed(((0, 0), (5, 0), (10, 0), (10, 10), (0, 10), (0, 0))) == "M0 0l20 0 0 20-20 0z"


def test_what_is_smaller_than_the_grid_is_not_drawn() -> None:
    assert closed(((0, 0), (0.1, 0), (0.1, 0.1), (0, 0))) == ""


def test_an_island_that_nobody_could_see_is_left_out_unless_it_is_all_there_is() -> None:
    islet = ((20.0, 20.0), (20.5, 20.0), (20.5, 20.5), (20.0, 20.5), (20.0, 20.0))
    main = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 0.0))
    assert Shape("1", "both", (main, islet)).path.count("M") == 1
    assert Shape("1", "islet", (islet,)).path.count("M") == 1


def test_a_hole_is_taken_off_the_area() -> None:
    outer = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0))
    hole = ((2.0, 2.0), (2.0, 4.0), (4.0, 4.0), (4.0, 2.0), (2.0, 2.0))
    assert signed_area(outer) == 100
    assert Shape("1", "ring", (outer, hole)).area == 96


# --- the atlas itself ---------------------------------------------------------------------------------------


def test_every_state_and_the_district_have_an_outline() -> None:
    assert set(atlas.states()) == set(STATES) - TERRITORIES
    assert len(atlas.states()) == 51


def test_the_areas_are_in_the_proportion_of_the_land() -> None:
    states = atlas.states()
    assert all(shape.area > 0 for shape in states.values())
    # Texas has 268,596 square miles, Tennessee 42,144 (Census, land and water); the atlas keeps areas.
    assert states["TX"].area / states["TN"].area == pytest.approx(268_596 / 42_144, rel=0.05)
    # New Mexico is a box without water; its share of the map is known to be right when its neighbour's is.
    assert states["NM"].area / states["CO"].area == pytest.approx(121_590 / 104_094, rel=0.03)


def test_the_counties_of_a_state_fill_it() -> None:
    of_texas = [shape.area for fips, shape in atlas.counties().items() if atlas.state_of(fips) == "TX"]
    assert len(of_texas) == 254
    assert sum(of_texas) == pytest.approx(atlas.states()["TX"].area, rel=0.01)


def test_every_county_that_the_log_knows_of_a_state_on_the_map_has_an_outline() -> None:
    missing = [
        (code, name)
        for code, names in COUNTIES.items()
        if code not in TERRITORIES
        for name in names
        if atlas.county_called(code, county(name)) is None
    ]
    assert missing == []


@pytest.mark.parametrize("shape", [*atlas.states().values()], ids=lambda shape: shape.name)
def test_a_state_is_drawn_within_the_picture(shape: Shape) -> None:
    assert re.fullmatch(r"(M-?\d+[ -]\d+l(-?\d+[ -]?)+z)+", shape.path)
    for x, y in re.findall(r"M(-?\d+)[ ]?(-?\d+)", shape.path):
        assert -60 * GRID <= int(x) <= atlas.WIDTH * GRID
        assert 0 <= int(y) <= atlas.HEIGHT * GRID
    x, y = shape.middle
    assert 0 < x < atlas.WIDTH
    assert 0 < y < atlas.HEIGHT


@pytest.mark.parametrize(("code", "name", "city", "fips"), [
    ("MO", "saint louis", False, "29189"),
    ("MO", "saint louis", True, "29510"),
    ("VA", "richmond", False, "51159"),
    ("VA", "norfolk", False, "51710"),
    ("TX", "dallas", False, "48113"),
    ("TX", "nowhere", False, None),
    (None, "dallas", False, None),
])  # fmt: skip
def test_a_county_is_found_by_its_name(code: str | None, name: str, city: bool, fips: str | None) -> None:
    assert atlas.county_called(code, name, city=city) == fips
