"""The committed outlines are what the script makes of us-atlas, and us-atlas keeps areas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.normalize import STATES
from tools.atlas import make_outlines
from tools.atlas.topology import Shape, Topology, shapes
from web.charts.atlas import OUTLINES, states

pytestmark = pytest.mark.slow

FOLDER = Path(make_outlines.__file__).parent


def source(layer: str) -> dict[str, Shape]:
    """The shapes of us-atlas, by their digits of FIPS."""
    topology: Topology = json.loads((FOLDER / f"{layer}-albers-10m.json").read_bytes())
    return shapes(topology, layer)


def test_the_outlines_are_what_the_script_makes() -> None:
    assert OUTLINES.read_text(encoding="utf-8") == make_outlines.outlines()


def test_the_areas_are_in_the_proportion_of_the_land() -> None:
    area = {shape.name: shape.area for shape in source("states").values()}
    assert all(size > 0 for size in area.values())
    # Texas has 268,596 square miles, Tennessee 42,144 (Census, land and water); the atlas keeps areas.
    assert area["Texas"] / area["Tennessee"] == pytest.approx(268_596 / 42_144, rel=0.05)
    # New Mexico is a box without water; its share of the map is known to be right when its neighbor's is.
    assert area["New Mexico"] / area["Colorado"] == pytest.approx(121_590 / 104_094, rel=0.03)


def test_the_counties_of_a_state_fill_it() -> None:
    of_texas = [shape.area for fips, shape in source("counties").items() if fips.startswith("48")]
    assert len(of_texas) == 254
    assert sum(of_texas) == pytest.approx(source("states")["48"].area, rel=0.01)


def test_a_label_stands_in_the_states_that_have_room() -> None:
    assert [states()[code].label is not None for code in ("TX", "WY", "RI", "DC")] == [True, True, False, False]
    assert all(states()[code].name == STATES[code] for code in states())
