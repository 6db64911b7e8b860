"""Where an entry belongs."""

from __future__ import annotations

import pytest

from alerts.routing.scope import agencies_of, counties_of, states_of, support_types_of
from monitor.model import SupportType
from tests.alerts.builders import LARKMERE, cells, changed, entry


@pytest.mark.parametrize(
    ("state", "written", "meant"),
    [
        ("ARKANSAS", "Pulaksi County", "pulaski"),
        ("LOUISIANA", "Calacasieu Parish", "calcasieu"),
        ("FLORIDA", "St. Luice County", "saint lucie"),
        ("ARKANSAS", "Pop County", "pope"),
        ("PENNSYLVANIA", "Alleghany County ", "allegheny"),
    ],
)
def test_a_misspelt_county_reaches_those_who_watch_it(state: str, written: str, meant: str) -> None:
    code = {"ARKANSAS": "AR", "LOUISIANA": "LA", "FLORIDA": "FL", "PENNSYLVANIA": "PA"}[state]
    assert (code, meant) in counties_of(entry(cells_=cells(state=state, county=written)))


def test_a_county_that_is_none_is_taken_as_it_is_written() -> None:
    assert counties_of(entry()) == {("TX", "larkmere")}


def test_a_real_county_is_never_taken_for_another() -> None:
    assert counties_of(entry(cells_=cells(state="IOWA", county="Dallas County"))) == {("IA", "dallas")}


def test_a_blank_county_is_read_from_the_agencys_name() -> None:
    sheriff = cells("Larkmere County Sheriff's Office", county="#N/A")
    assert counties_of(entry(cells_=sheriff)) == {("TX", "larkmere")}
    assert counties_of(entry(cells_=cells(county="#N/A"))) == set()


def test_what_moves_concerns_both_places() -> None:
    moved = changed(LARKMERE, cells("Quillmarsh Police Department", "GEORGIA", county="Quillmarsh County"))
    assert states_of(moved) == {"TX", "GA"}
    assert counties_of(moved) == {("TX", "larkmere"), ("GA", "quillmarsh")}
    assert agencies_of(moved) == {("TX", "larkmere police department"), ("GA", "quillmarsh police department")}


def test_both_support_types_of_a_change_count() -> None:
    other = changed(LARKMERE, cells(support_type="Warrant Services Officer"))
    assert support_types_of(other) == {SupportType.TASK_FORCE, SupportType.WARRANT}
    assert support_types_of(entry(cells_=cells(support_type="Gadget"))) == set()
