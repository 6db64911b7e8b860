"""The outlines that the maps are drawn with."""

from __future__ import annotations

import re

import pytest

from monitor.counties import COUNTIES
from monitor.normalize import STATES, county
from web.charts import atlas
from web.charts.atlas import GRID, Outline

TERRITORIES = {"AS", "GU", "MP", "PR", "VI"}


def test_every_state_and_the_district_have_an_outline() -> None:
    assert set(atlas.states()) == set(STATES) - TERRITORIES
    assert len(atlas.states()) == 51


def test_every_county_that_the_log_knows_of_a_state_on_the_map_has_an_outline() -> None:
    missing = [
        (code, name)
        for code, names in COUNTIES.items()
        if code not in TERRITORIES
        for name in names
        if atlas.county_called(code, county(name)) is None
    ]
    assert missing == []


@pytest.mark.parametrize("outline", [*atlas.states().values()], ids=lambda outline: outline.name)
def test_a_state_is_drawn_within_the_picture(outline: Outline) -> None:
    assert re.fullmatch(r"(M-?\d+[ -]\d+l(-?\d+[ -]?)+z)+", outline.path)
    for x, y in re.findall(r"M(-?\d+)[ ]?(-?\d+)", outline.path):
        assert -60 * GRID <= int(x) <= atlas.WIDTH * GRID
        assert 0 <= int(y) <= atlas.HEIGHT * GRID
    if outline.label:
        x, y = outline.label
        assert 0 < x < atlas.WIDTH * GRID
        assert 0 < y < atlas.HEIGHT * GRID


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
