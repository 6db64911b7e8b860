"""Counties: which one a name means, and how it is called."""

from __future__ import annotations

import pytest

from monitor.geography import county_in, county_meant, county_name, is_county


@pytest.mark.parametrize(
    ("name", "county"),
    [
        ("pasco county sheriff office", "pasco"),
        ("saint johns county sheriff office", "saint johns"),
        ("east feliciana parish sheriff office", "east feliciana"),
        ("tampa police department", ""),
        ("county of franklin", ""),
    ],
)
def test_the_county_that_a_name_speaks_of(name: str, county: str) -> None:
    assert county_in(name) == county


@pytest.mark.parametrize(
    ("county", "state", "real"),
    [
        ("pima", "AZ", True),
        ("freedom", "MN", False),
        ("freeborn", "MN", True),
        ("saint johns", "FL", True),
        ("miami dade", "FL", True),
        ("lafourche", "LA", True),
        ("ellis", "TX", True),
        ("ellis", "KS", True),
        ("ellis", "FL", False),
        ("ellis", None, False),
        ("", "FL", False),
    ],
)
def test_whether_a_state_has_a_county(county: str, state: str | None, real: bool) -> None:
    assert is_county(state, county) is real


@pytest.mark.parametrize(
    ("code", "name", "shown"),
    [
        ("TX", "larkmere", "Larkmere County (TX)"),
        ("FL", "saint lucie", "St. Lucie County (FL)"),
        ("LA", "acadia", "Acadia Parish (LA)"),
        ("VA", "alexandria", "Alexandria (VA)"),
        ("IL", "dekalb", "DeKalb County (IL)"),
    ],
)
def test_a_county_is_shown_as_the_census_calls_it(code: str, name: str, shown: str) -> None:
    assert county_name(code, name) == shown
    assert is_county(code, name) is (name != "larkmere")


@pytest.mark.parametrize(
    ("code", "name", "meant"),
    [
        ("AR", "pulaksi", "pulaski"),
        ("AR", "pop", "pope"),
        ("IA", "dallas", "dallas"),
        ("TX", "larkmere", "larkmere"),
        ("ZZ", "pope", "pope"),
    ],
)
def test_a_misspelled_county_means_the_nearest_if_there_is_only_one(code: str, name: str, meant: str) -> None:
    assert county_meant(code, name) == meant
