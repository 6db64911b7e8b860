"""A departure and an arrival that look like one agreement are two, and what leaves is never kept for what comes.

One publication each: the one leaves and its near twin comes, or the one leaves while its twin stays and is rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.matching.matcher import match, rejoin
from monitor.model import Cells, Kind, Standing
from tests.monitor.builders import PENDING, Service, cells, listings

MARCH, AUGUST = "2025-03-07", "2025-08-28"
MODELS = ("Jail Enforcement Model", "Task Force Model", "Warrant Service Officer")
# Rows of other agencies that stay; two of the same day as the twins.
BESIDE = (
    cells("Thistlemere Police Department", state="FLORIDA", county="#N/A", signed=AUGUST),
    cells("Quillmarsh County Sheriff's Office", signed=MARCH),
    cells("Tidewrack County Jail", state="TEXAS", county="Tidewrack County", signed=AUGUST),
)


def publication(old: Sequence[Cells], new: Sequence[Cells]) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """The agencies that left, those that came, and those that stayed under another name, as (before, after)."""
    found = match([Standing(n, row) for n, row in enumerate(listings(*BESIDE, *old))], listings(*new, *BESIDE))
    return (
        sorted(s.listing.cells.agency for s in found.gone),
        sorted(n.cells.agency for n in found.came),
        sorted(
            (m.old.listing.cells.agency, m.new.cells.agency)
            for m in found.matches
            if m.old.listing.cells.agency != m.new.cells.agency
        ),
    )


def merge(one: Cells, other: Cells) -> bool:
    """Whether one that leaves and another that comes are taken for one agreement, either way round, or later."""
    at_once = any(
        publication([left], [came]) != ([left.agency], [came.agency], []) for left, came in ((one, other), (other, one))
    )
    later = any(rejoin([Standing(1, listings(left)[0])], listings(came)) for left, came in ((one, other), (other, one)))
    return at_once or later


# --- one leaves, its near twin comes -----------------------------------------------------------------------

NEAR_TWINS = [
    ("ARIZONA", "", "Pima County Sheriff's Office", "Pinal County Sheriff's Office"),
    ("FLORIDA", "Brevard County", "Melbourne Police Department", "Melbourne Beach Police Department"),
    ("FLORIDA", "Brevard County", "Melbourne Police Department", "West Melbourne Police Department"),
    ("FLORIDA", "Brevard County", "Melbourne Beach Police Department", "West Melbourne Police Department"),
    ("FLORIDA", "Brevard County", "City of Melbourne Police Department", "Town of Melbourne Beach Police Department"),
    ("FLORIDA", "Bay County", "Panama City Police Department", "Panama City Beach Police Department"),
    ("FLORIDA", "", "University of Florida Police Department", "University of West Florida Police Department"),
    ("FLORIDA", "", "University of Florida Police Department", "The University of West Florida Board of Trustees"),
    ("TEXAS", "Walker County", "Walker County Constable Precinct 1", "Walker County Constable Precinct 2"),
    ("TEXAS", "Walker County", "Walker County Constable Pct.1", "Walker County Constable Precinct 2"),
    ("PENNSYLVANIA", "Dauphin County", "Derry Township Police Department", "Derry Borough Police Department"),
    ("PENNSYLVANIA", "Dauphin County", "Derry Twp. Police Department", "Borough of Derry Police Department"),
    ("DELAWARE", "Sussex County", "Milford Police Department", "Milton Police Department"),
    ("PENNSYLVANIA", "", "Milford Borough Police Department", "Milton Borough Police Department"),
]


@pytest.mark.parametrize(("state", "county", "one", "other"), NEAR_TWINS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("signed", [AUGUST, ""], ids=["dated", "undated"])
def test_near_twins_never_merge_though_state_county_model_and_day_are_equal(
    state: str, county: str, one: str, other: str, model: str, signed: str
) -> None:
    usual = cells(state=state, county=county, support_type=model, signed=signed)
    assert not merge(replace(usual, agency=one), replace(usual, agency=other))


@pytest.mark.parametrize(("state", "county", "one", "other"), NEAR_TWINS)
def test_near_twins_never_merge_though_one_is_misspelt_as_well(state: str, county: str, one: str, other: str) -> None:
    usual = cells(state=state, county=county, signed=AUGUST)
    misspelt = other.replace("Police", "Polce").replace("Sheriff", "Sherif").replace("Constable", "Constabel")
    assert not merge(replace(usual, agency=one), replace(usual, agency=misspelt))


@pytest.mark.parametrize(("state", "county", "one", "other"), NEAR_TWINS)
def test_near_twins_with_documents_of_their_own_never_merge(state: str, county: str, one: str, other: str) -> None:
    usual = cells(state=state, county=county, signed=AUGUST, moa="link")
    first, second = (
        replace(usual, agency=name, moa_address=f"https://www.ice.gov/doclib/287gMOA/{number}_TFM_MOA_08282025.pdf")
        for number, name in enumerate((one, other))
    )
    assert not merge(first, second)


@pytest.mark.parametrize(("state", "county", "one", "other"), NEAR_TWINS)
def test_a_third_row_with_the_same_document_makes_near_twins_no_more_one(
    state: str, county: str, one: str, other: str
) -> None:
    """A row has carried its neighbour's document: what two rows carry names neither of them."""
    carried = "https://www.ice.gov/doclib/287gMOA/Neighbour_TFM_MOA_08282025.pdf"
    usual = cells(state=state, county=county, signed=AUGUST, moa="link", moa_address=carried)
    left, came = replace(usual, agency=one), replace(usual, agency=other)
    neighbour = cells("Harlowe Police Department", state=state, county="", moa="link", moa_address=carried)
    assert publication([neighbour, left], [neighbour, came]) == ([one], [other], [])
    assert publication([neighbour, came], [neighbour, left]) == ([other], [one], [])


# --- offices of one county, counties of one name -----------------------------------------------------------

OFFICES = ("Sheriff's Office", "Jail", "Board of County Commissioners", "Department of Corrections", "BOCC")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("one", "other"),
    [(one, other) for i, one in enumerate(OFFICES) for other in OFFICES[:i] if {one, other} != {OFFICES[2], "BOCC"}],
)
def test_offices_of_one_county_signed_on_two_days_never_merge(one: str, other: str, model: str) -> None:
    first, second = (
        cells(f"Bacon County {office}", county="Bacon County", support_type=model, signed=signed)
        for office, signed in ((one, MARCH), (other, AUGUST))
    )
    assert not merge(first, second)


def test_an_office_that_stood_beside_another_of_its_county_does_not_become_it_when_it_leaves() -> None:
    sheriff, jail = (
        cells(f"Bacon County {office}", county="Bacon County", signed=AUGUST) for office in ("Sheriff's Office", "Jail")
    )
    assert publication([sheriff, jail], [sheriff]) == ([jail.agency], [], [])
    assert publication([sheriff], [sheriff, jail]) == ([], [jail.agency], [])


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("Washington", "ALABAMA", "FLORIDA"),
        ("Ellis", "TEXAS", "KANSAS"),
        ("Jackson", "FLORIDA", "MISSISSIPPI"),
        ("Lake", "FLORIDA", "INDIANA"),
    ],
)
@pytest.mark.parametrize("county", ["{} County", "#N/A"])
def test_counties_of_one_name_in_two_states_signed_on_two_days_never_merge(
    name: str, one: str, other: str, county: str
) -> None:
    first, second = (
        cells(f"{name} County Sheriff's Office", state=state, county=county.format(name), signed=signed)
        for state, signed in ((one, MARCH), (other, AUGUST))
    )
    assert not merge(first, second)


def test_townships_of_one_name_in_two_counties_of_a_state_signed_on_two_days_never_merge() -> None:
    first, second = (
        cells("Washington Township Police Department", state="PENNSYLVANIA", county=county, signed=signed)
        for county, signed in (("Franklin County", MARCH), ("Berks County", AUGUST))
    )
    assert not merge(first, second)


def test_two_models_of_one_agency_signed_on_two_days_never_merge() -> None:
    harlowe = cells("Harlowe Police Department", county="#N/A")
    first, second = (
        replace(harlowe, support_type=model, signed=signed)
        for model, signed in zip(MODELS, (MARCH, AUGUST), strict=False)
    )
    assert not merge(first, second)


# --- one leaves while its twin is rewritten ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "county", "leaves", "stays", "rewritten"),
    [
        ("ARIZONA", "", "Pima County Sheriff's Office", "Pinal County Sheriff's Office",
         "Pinl County Sheriff's Office"),
        ("FLORIDA", "Brevard County", "West Melbourne Police Department", "Melbourne Police Department",
         "City of Melbourne Police Department"),
        ("FLORIDA", "Brevard County", "Melbourne Beach Police Department", "Melbourne Police Department",
         "Melborne Police Department"),
        ("FLORIDA", "Bay County", "Panama City Police Department", "Panama City Beach Police Department",
         "Panama City Bech Police Department"),
        ("FLORIDA", "", "University of Florida Police Department", "University of West Florida Police Department",
         "Univeristy of West Florida Police Department"),
        ("TEXAS", "Walker County", "Walker County Constable Precinct 1", "Walker County Constable Precinct 2",
         "Walker County Constabel Precinct 2"),
        ("PENNSYLVANIA", "Dauphin County", "Derry Township Police Department", "Derry Borough Police Department",
         "Derry Borough Polic Department"),
        ("DELAWARE", "Sussex County", "Milford Police Department", "Milton Police Department",
         "Milton Police Departmnt"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("signed", [AUGUST, ""], ids=["dated", "undated"])
def test_the_twin_that_is_misspelt_stays_and_the_other_leaves(
    state: str, county: str, leaves: str, stays: str, rewritten: str, signed: str
) -> None:
    usual = cells(state=state, county=county, signed=signed)
    old, new = [replace(usual, agency=leaves), replace(usual, agency=stays)], [replace(usual, agency=rewritten)]
    assert publication(old, new) == ([leaves], [], [(stays, rewritten)])
    assert publication(new, old) == ([], [leaves], [(rewritten, stays)])


ALIKE = (
    *("Melbourne", "Melbourne Beach", "West Melbourne", "Panama City", "Panama City Beach"),
    *("University of Florida", "University of West Florida", "Milford", "Milton"),
)


@given(st.permutations(ALIKE), st.integers(1, len(ALIKE) - 1), st.booleans())
def test_of_many_near_twins_of_one_day_those_that_leave_have_left_and_the_one_that_comes_has_come(
    places: list[str], leaving: int, dated: bool
) -> None:
    names = [f"{place} Police Department" for place in places]
    rows = [cells(name, state="FLORIDA", county="", signed=AUGUST if dated else "") for name in names]
    assert publication(rows[:-1], rows[leaving:]) == (sorted(names[:leaving]), [names[-1]], [])


# --- in the log --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "county", "one", "other"), NEAR_TWINS)
def test_the_log_tells_of_one_that_is_no_longer_listed_and_one_that_is_new(
    here: Service, state: str, county: str, one: str, other: str
) -> None:
    usual = cells(state=state, county=county, signed=AUGUST)
    here.sees(*BESIDE, replace(usual, agency=one))
    here.sees(*BESIDE, replace(usual, agency=other))
    assert sorted(here.told()) == [(Kind.NEW, other), (Kind.TERMINATED, one)]
    assert len({entry.agreement for entry in here.log()}) == 2


FRANKLIN, NORTHAMPTON = (
    cells("Washington Township", state="PENNSYLVANIA", county=f"{county} County", signed=signed, moa="")
    for county, signed in (("Franklin", MARCH), ("Northampton", AUGUST))
)


def test_the_application_of_a_township_is_not_that_of_its_namesake_in_another_county(here: Service) -> None:
    here.sees(*BESIDE, FRANKLIN)
    here.sees(list_=PENDING)
    here.sees(replace(NORTHAMPTON, signed=""), list_=PENDING)
    here.sees(*BESIDE, FRANKLIN, NORTHAMPTON)
    applied, approved, new = here.log()
    assert [e.kind for e in (applied, approved, new)] == [Kind.APPLIED, Kind.APPROVED, Kind.NEW]
    assert approved.about == applied.id
    assert applied.agreement == new.agreement
    assert (applied.county, new.county) == ("Northampton County", "Northampton County")


def test_applications_of_two_townships_of_one_name_are_two(here: Service) -> None:
    applications = [replace(row, signed="") for row in (FRANKLIN, NORTHAMPTON)]
    here.sees(*BESIDE)
    here.sees(applications[0], list_=PENDING)
    here.sees(*applications, list_=PENDING)
    here.sees(*BESIDE, NORTHAMPTON)
    here.sees(applications[0], list_=PENDING)
    assert [(e.kind, e.county) for e in here.log()] == [
        (kind, "Northampton County") for kind in (Kind.APPLIED, Kind.APPROVED, Kind.NEW)
    ]
