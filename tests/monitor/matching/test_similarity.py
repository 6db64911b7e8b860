"""How alike two agencies' names are: pairs as ICE's lists have shown them, or near twins, beside what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.matching.similarity import Likeness, bare_name, is_named_in, likeness, one_holds_the_other
from monitor.normalize import agency

EQUAL, SPELLING, WORDING = Likeness.EQUAL, Likeness.SPELLING, Likeness.WORDING
REWORDED, SAME_PLACE, RESEMBLES, DIFFERENT = (
    Likeness.REWORDED,
    Likeness.SAME_PLACE,
    Likeness.RESEMBLES,
    Likeness.DIFFERENT,
)


def alike(one: str, other: str, state: str, county: str = "") -> Likeness:
    return likeness(agency(one), agency(other), state, county)


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ("Berrian County Sheriff's Offic", "Berrian County Sheriff's Office", "MI"),
        ("Dimmit Couny Sheriff's Office", "Dimmit County Sheriff's Office", "TX"),
        ("Macro Island Police Department", "Marco Island Police Department", "FL"),
        ("Green Forks Police Department", "Greens Fork Police Department", "IN"),
        ("Albermarle District Jail", "Albemarle District Jail", "NC"),
        ("Coolspring Township Constbales Office", "Coolspring Township Constable's Office", "PA"),
        ("South Pymathuning TWP State Constable", "South Pymatuning TWP State Constable", "PA"),
        ("Southhampton Twp. Constables Office", "Southampton Twp. Constables Office", "PA"),
        ("South Hampton Police Department", "Southhampton Police Department", "PA"),
        ("Clewiston PoliceDepartment", "Clewiston Police Department", "FL"),
        ("Coolspring Township Constable'sOffice", "Coolspring Township Constable's Office", "PA"),
        ("St uart Police Department", "Stuart Police Department", "FL"),
        ("Coral Spring Police Department", "Coral Springs Police Department", "FL"),
        ("La Paz County Sheriff's Office", "Lr Paz County Sheriff's Office", "AZ"),
        ("Fond du Lac County Sheriff's Office", "Fond u Lac County Sheriff's Office", "WI"),
        ("Lower Burrell Fouth Ward Constable", "Lower Burrell Fourth Ward Constable", "PA"),
        ("Lower Burrell Fo urth Ward Constable", "Lower Burrell 4th Ward Constable", "PA"),
        ("Lower Burrell FourthWard Constable", "Lower Burrell Fourth Ward Constable", "PA"),
        ("Smith County Constable Pcct. 4", "Smith County Constable Precinct 4", "TX"),
        ("Gulfport DP", "Gulfport Police Department", "FL"),
        ("So. Augustine Police Department", "St. Augustine Police Department", "FL"),
        ("Lyon's County Sheriff's Office", "Lyon County Sheriff's Office", "KS"),
        ("Lampass County Sheriff's Office", "Lampasas County Sheriff's Office", "TX"),
        ("Somervill County Sheriff's Office", "Somervell County Sheriff's Office", "TX"),
    ],
)
def test_typing_errors_leave_the_same_name(one: str, other: str, state: str) -> None:
    assert alike(one, other, state) is SPELLING


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ("City of Melbourne Police Department", "Melbourne Police Department", "FL"),
        ("Town of Palm Beach Police Department", "Palm Beach Police Department", "FL"),
        ("Flathead County Sheriff's Department", "Flathead County Sheriff's Office", "MT"),
        ("The University of West Florida Board of Trustees", "University of West Florida Board of Trustees", "FL"),
        ("Department of Corrections", "Virginia Department of Corrections", "VA"),
        ("MT Dept of Justice", "Montana Department of Justice", "MT"),
        ("Department of Public Safety - Highway Patrol", "Texas Department of Public Safety - Highway Patrol", "TX"),
        ("Arnaudville Police Department, LA", "Arnaudville Police Department", "LA"),
        ("Idaho State Police", "Idaho State Police Department", "ID"),
        ("Boca Raton Police Department", "Boca Raton Police Services Department", "FL"),
        ("Wyoming Highway State Patrol", "Wyoming State Highway Patrol", "WY"),
        ("Lafourche County Sheriff's Office", "Lafourche Parish Sheriff's Office", "LA"),
        (
            "Financial Services, Criminal Investigation Division",
            "Criminal Investigation Division, Department of Financial Services",
            "FL",
        ),
    ],
)
def test_words_that_never_tell_agencies_apart_leave_the_same_name(one: str, other: str, state: str) -> None:
    assert alike(one, other, state) is WORDING


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ("Quarryville Police Department", "Quarryville Borough Police Department", "PA"),
        ("Hopewell County Sheriff's Office", "Hopewell Sheriff's Office", "VA"),
        ("Okaloosa County Corrections", "Okaloosa County", "FL"),
        (
            "Gulf County Board of County Commissioners",
            "Gulf County Board of County Commissioners / Detention Facility",
            "FL",
        ),
    ],
)
def test_a_form_of_government_or_an_office_more_is_the_same_name_in_other_words(
    one: str, other: str, state: str
) -> None:
    assert alike(one, other, state) is REWORDED


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ("Cambria County Sheriff's Office", "Cambria County Prison", "PA"),
        ("Pinal County Sheriff's Office", "Pinal County Attorney's Office", "AZ"),
        ("Gulf County BOCC", "Gulf County Sheriff's Office", "FL"),
        ("Okaloosa County Sheriff's Office", "Okaloosa County Department of Corrections", "FL"),
        ("University of West Florida Board of Trustees", "University of West Florida Police Department", "FL"),
        ("Franklin County Sheriffs Office", "County of Franklin / Franklin County Jail", "PA"),
        ("Criminal Investigation Division, Department of Financial Services", "Department of Financial Services", "FL"),
        ("Department of Public Safety - Texas Highway Patrol", "Texas Department of Public Safety", "TX"),
    ],
)
def test_another_office_of_a_place_or_a_part_of_a_body_is_no_more_than_the_same_place(
    one: str, other: str, state: str
) -> None:
    assert alike(one, other, state) is SAME_PLACE


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ("Freedom County Sheriff's Office", "Freeborn County Sheriff's Office", "MN"),
        ("Brookfield Police Department", "Brookford Police Department", "NC"),
        (
            "Tennessee Department of Safety and Homeland Security / THP",
            "Tennessee Department of Safety and Homeland Security",
            "TN",
        ),
    ],
)
def test_a_worse_slip_than_a_typing_error_only_resembles(one: str, other: str, state: str) -> None:
    assert alike(one, other, state) is RESEMBLES


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        # two counties that both exist
        ("Pima County Sheriff's Office", "Pinal County Sheriff's Office", "AZ"),
        ("Hall County Sheriff's Office", "Hale County Sheriff's Office", "TX"),
        ("Marion County Sheriff's Office", "Martin County Sheriff's Office", "FL"),
        # places with a word more
        ("Melbourne Police Department", "Melbourne Beach Police Department", "FL"),
        ("Melbourne Police Department", "West Melbourne Police Department", "FL"),
        ("Melbourne Beach Police Department", "West Melbourne Police Department", "FL"),
        ("Panama City Police Department", "Panama City Beach Police Department", "FL"),
        ("Palm Beach Police Department", "Palm Beach Gardens Police Department", "FL"),
        ("Lake Park Police Department", "Lake Clarke Shores Police Department", "FL"),
        ("Indian River Shores DPS", "Indian River County Sheriff's Office", "FL"),
        ("Miami Police Department", "Miami Springs Police Department", "FL"),
        ("Wilkesboro Police Department", "North Wilkesboro Police Department", "NC"),  # "North" is not the state's name
        ("Union Police Department", "West Union Police Department", "WV"),
        ("Center Line Police Department", "Line Police Department", "MI"),
        # compass points and the like, though a letter apart
        ("East Donegal Township Police", "West Donegal Township Police", "PA"),
        ("Fort Myers Police Department", "Port Myers Police Department", "FL"),
        ("Upper Moreland Police", "Lower Moreland Police", "PA"),
        # universities
        ("University of Florida Police Department", "University of West Florida Police Department", "FL"),
        ("University of Florida Police Department", "Florida State University Police Department", "FL"),
        ("University of Central Florida Police", "University of South Florida Police", "FL"),
        ("University of North Florida Police", "University of South Florida Police", "FL"),
        # forms of government
        ("Derry Township Police Department", "Derry Borough Police Department", "PA"),
        ("Derry Township Constable", "Derry Borough Constable", "PA"),
        ("City of Milton Police", "Town of Milton Police", "NY"),
        ("Franklin City Police Department", "Franklin County Police Department", "VA"),
        # offices that are each their own
        ("Clay County Sheriff's Office", "Clay Police Department", "FL"),
        ("Derry Township Police Department", "Derry Township Constable", "PA"),
        # numbers
        ("Galveston County Constable's Office Pct.1", "Galveston County Constable's Office Pct.4", "TX"),
        ("Walker County Constable Precinct 1", "Walker County Constable Precinct 2", "TX"),
        ("Bradley County Constable District 6", "Bradley County Constable District 7", "TN"),
        ("Fourth Ward Constable", "Fifth Ward Constable", "PA"),
        ("Walker County Constable Precinct 11", "Walker County Constable Precinct 1 1", "TX"),
        ("Walker County Constable", "Walker County Constable Precinct 3", "TX"),
        # much the same letters
        ("Milford Police Department", "Milton Police Department", "DE"),
        ("Milford Borough Police Department", "Milton Borough Police Department", "PA"),
        ("Florida State Guard", "Florida National Guard", "FL"),
        ("Florida Department of Corrections", "Florida Department of Highway Safety and Motor Vehicles", "FL"),
        ("Texas Department of Public Safety", "Texas National Guard", "TX"),
    ],
)
def test_near_twins_are_different(one: str, other: str, state: str) -> None:
    assert alike(one, other, state) is DIFFERENT
    assert alike(other, one, state) is DIFFERENT


def test_the_name_of_a_county_that_both_rows_name_tells_nothing() -> None:
    """Nov. 18, 2025: a state constable's district was renamed after its county."""
    one, other = "Tennessee State Constable 4th District", "Polk County Constable District 4"
    assert alike(one, other, "TN", county="polk") is REWORDED
    assert alike(one, other, "TN") is DIFFERENT


def test_a_county_called_like_a_word_of_place_still_makes_another_place() -> None:
    assert alike("Mary Police Department", "Lake Mary Police Department", "FL", county="lake") is DIFFERENT


def test_a_real_county_may_be_a_slip_where_both_rows_say_that_they_are_in_the_other() -> None:
    assert alike("Hall County Sheriff's Office", "Hale County Sheriff's Office", "TX", county="hall") is SPELLING


def test_the_same_two_names_may_be_two_counties_in_one_state_and_a_slip_in_another() -> None:
    one, other = "Marion County Sheriff's Office", "Marian County Sheriff's Office"
    assert alike(one, other, "FL") is SPELLING
    assert alike("Lee County Sheriff's Office", "Leon County Sheriff's Office", "FL") is DIFFERENT


def test_a_name_is_equal_to_itself_and_to_itself_written_otherwise() -> None:
    assert alike("Gulf County BOCC", "GULF COUNTY  BOARD OF COUNTY COMMISSIONERS", "FL") is EQUAL


_words = st.sampled_from(
    "lake palm beach pima pinal county city of township borough police department sheriff office jail state "
    "university florida west 1 2 st fort melbourne co dept".split()
)
_names = st.lists(_words, min_size=1, max_size=6).map(" ".join).map(agency)
_states = st.sampled_from(["FL", "AZ", "WV", None])


@given(_names, _names, _states)
def test_it_does_not_matter_which_name_came_first(one: str, other: str, state: str | None) -> None:
    assert likeness(one, other, state) is likeness(other, one, state)


@given(_names, _states)
def test_only_a_name_itself_is_equal_to_it(name: str, state: str | None) -> None:
    assert likeness(name, name, state) is EQUAL
    assert likeness(name, f"{name} annex", state) is not EQUAL


@pytest.mark.parametrize(
    ("name", "document", "named"),
    [
        ("Edgewood Police Department", "EdgewoodPoliceDeptFL_TFM_MOA_04.10.2025.pdf", True),
        ("Edgewood Police Department", "EdgewaterPoliceDeptFL_TFM_MOA_07022025.pdf", False),
        ("St. Lucie County Sheriff's Office", "stlucieco_wso_moa_02.19.2025.pdf", True),
        ("Fort Walton Beach Police Department", "FortWaltonBeachPoliceDeptFL_TFM_MOA_02.27.2025.pdf", True),
        ("Sheriff's Office", "SheriffsOffice_TFM.pdf", False),
        ("Lee County Sheriff's Office", "leesburgpd_tfm_2025-03-04.pdf", False),
        ("Lee County Sheriff's Office", "leecountyso_tfm_2025-03-04.pdf", True),
        ("Polk County Sheriff's Office", "polkcitypd_tfm_2025.pdf", False),
    ],
)
def test_a_document_names_an_agency_by_the_words_that_tell_it_apart(name: str, document: str, named: bool) -> None:
    assert is_named_in(agency(name), document) is named


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("City of Zephyrhills Police Department", "Zephyrhills Police Department", True),
        ("Walker County Sheriff's Office", "Walker County Sheriff's Department", True),
        ("Oakland Police Department", "Lakeland Police Department", False),
        ("Town of Poughkeepsie Police Department", "City of Poughkeepsie Police Department", False),
        ("Bureau County Sheriff's Office", "County Sheriff's Office", False),
        ("Milford Borough", "Milford Township", False),
        ("Department of the", "Office of the", False),
    ],
)
def test_a_bare_name_is_without_the_words_that_never_tell_agencies_apart(one: str, other: str, same: bool) -> None:
    assert (bare_name(agency(one)) == bare_name(agency(other))) is same


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        ("Damascus County Constable", "Damascus Township Constable", True),
        ("Pembroke Police Department", "Pembroke Pines Police Department", True),
        ("Orange County Sheriff's Office", "Orange City Police Department", False),
        ("Sheriff's Office", "Orange County Sheriff's Office", False),
    ],
)
def test_one_name_holds_the_other_if_all_words_that_tell_stand_in_it(one: str, other: str, holds: bool) -> None:
    assert one_holds_the_other(agency(one), agency(other)) is holds
