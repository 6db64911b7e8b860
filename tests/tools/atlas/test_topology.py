"""Outlines from an atlas: delta decoding, shared arcs, and paths that a browser can draw."""

from __future__ import annotations

from typing import Any

from tools.atlas.topology import Shape, borders, closed, shapes, signed_area

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
