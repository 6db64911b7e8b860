"""Generated publications: a correction of one cell ends no agreement and begins none, at any rate, in any company.

`CORRECTIONS=2000 make test ARGS="-k corrections"` draws more cases than usual; `python -m bench.corrections` draws very
many and counts mistakes by family.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from monitor.counties import COUNTIES
from monitor.matching.matcher import match
from monitor.model import Cells, ListName, Matching, Standing
from monitor.normalize import STATES, agency, listing
from tests.monitor.builders import cells
from tests.monitor.corrections import ALL_FAMILIES
from tests.monitor.generated import (
    ABSENT,
    LISTS,
    RATES,
    Case,
    Plan,
    build,
    invented,
    invented_base,
    judge,
    plans,
    real_bases,
    taken_back,
    words_of,
)

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("CORRECTIONS", "150"))
UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large]
more = settings(max_examples=CASES, suppress_health_check=UNHURRIED)
# Real lists are four times as long.
fewer = settings(max_examples=CASES // 2, suppress_health_check=UNHURRIED)

INVENTED = (invented_base(rows=240), invented_base(ListName.PENDING, 60))


def mistakes(case: Case) -> list[str]:
    """What is told wrongly of a publication, or of the next one, in which its corrections are taken back."""
    found = match(case.old, case.new)
    wrong = list(words_of(judge(case, found)))
    back = case if wrong else taken_back(case, found)
    return wrong or list(words_of(judge(back, match(back.old, back.new))))


# --- corrections -------------------------------------------------------------------------------------------


@more
@given(plans(INVENTED))
def test_on_invented_lists_corrections_and_departures_and_arrivals_are_told_apart(plan: Plan) -> None:
    assert not mistakes(build(plan))


@pytest.mark.replay
@pytest.mark.skipif(not LISTS.is_dir(), reason=ABSENT)
@fewer
@given(plans(INVENTED), st.integers(0, 4))
def test_on_real_lists_corrections_and_departures_and_arrivals_are_told_apart(plan: Plan, base: int) -> None:
    # Read here, and not by each process that collects the tests.
    assert not mistakes(build(replace(plan, base=real_bases(3, 2)[base])))


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_each_family_of_corrections_is_told_from_departures_at_each_rate(family: str) -> None:
    corrected = 0
    for seed, (base, rate) in enumerate([(base, rate) for base in INVENTED for rate in RATES]):
        case = build(Plan(base, family, rate, seed, departures=4, arrivals=8, duplicates=1))
        assert not mistakes(case)
        corrected += case.corrected
    assert corrected, "nothing was corrected"


# --- the generator itself ----------------------------------------------------------------------------------


def a_case(departures: int, arrivals: int, duplicates: int = 0) -> Case:
    return build(Plan(INVENTED[0], "agency: a letter left out", "a few rows", 7, departures, arrivals, duplicates))


def test_the_same_plan_gives_the_same_case() -> None:
    assert a_case(departures=3, arrivals=4, duplicates=2) == a_case(departures=3, arrivals=4, duplicates=2)


def test_a_case_holds_what_its_plan_says() -> None:
    case = a_case(departures=3, arrivals=4)
    shown = list(case.shows.values())
    assert case.corrected == 5
    assert shown.count(None) == 4
    assert len({s.agreement for s in case.old} - set(shown)) == 3


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda m: replace(m, gone=(*m.gone, m.matches[0].old), matches=m.matches[1:]), "false termination"),
        (lambda m: replace(m, came=(*m.came, m.matches[0].new), matches=m.matches[1:]), "false new"),
        (lambda m: replace(m, gone=m.gone[1:]), "missed departure"),
        (
            lambda m: replace(m, came=m.came[1:], matches=(*m.matches, replace(m.matches[0], new=m.came[0]))),
            "missed arrival",
        ),
        (
            lambda m: replace(m, matches=(*m.matches[1:], replace(m.matches[0], new=m.matches[1].new))),
            "crossed",
        ),
    ],
)
def test_a_planted_mistake_is_seen(spoilt: object, said: str) -> None:
    case = a_case(departures=3, arrivals=4)
    assert callable(spoilt)
    wrong: Matching = spoilt(match(case.old, case.new))
    assert said in {line.split(":")[0] for line in words_of(judge(case, wrong))}


# --- traps -------------------------------------------------------------------------------------------------

BACKGROUND = tuple(row.cells for row in INVENTED[0].rows[:60])
MARCH, AUGUST = "2025-03-07", "2025-08-28"


def stay_two(one: Cells, other: Cells, beside: Sequence[Cells] = BACKGROUND) -> bool:
    """Whether the one leaves and the other comes, as they should, in either direction, in the midst of other rows."""
    # Invented agencies bear the names of real counties: one of them must not be the very agency in question.
    beside = [row for row in beside if row.agency not in (one.agency, other.agency)]
    for left, came in ((one, other), (other, one)):
        rows = [listing(number, c) for number, c in enumerate([*beside, left], start=2)]
        old = [Standing(number, row) for number, row in enumerate(rows)]
        found = match(old, [*rows[:-1], listing(99_999, came)])
        if [s.listing.cells for s in found.gone] != [left] or [n.cells for n in found.came] != [came]:
            return False
    return True


@pytest.mark.parametrize(
    ("state", "county", "one", "other"),
    [
        ("ARIZONA", "", "Pima County Sheriff's Office", "Pinal County Sheriff's Office"),
        ("FLORIDA", "Brevard County", "Melbourne Police Department", "Melbourne Beach Police Department"),
        ("FLORIDA", "Brevard County", "Melbourne Police Department", "West Melbourne Police Department"),
        ("FLORIDA", "Brevard County", "Melbourne Beach Police Department", "West Melbourne Police Department"),
        ("FLORIDA", "Bay County", "Panama City Police Department", "Panama City Beach Police Department"),
        ("FLORIDA", "#N/A", "University of Florida Police Department", "University of West Florida Police Department"),
        ("FLORIDA", "#N/A", "University of Florida Police Department", "Florida State University Police Department"),
        ("TEXAS", "Walker County", "Walker County Constable Precinct 1", "Walker County Constable Precinct 2"),
        ("TENNESSEE", "Bradley County", "Bradley County Constable District 6", "Bradley County Constable District 7"),
        ("PENNSYLVANIA", "Dauphin County", "Derry Township Police Department", "Derry Borough Police Department"),
        ("DELAWARE", "#N/A", "Milford Police Department", "Milton Police Department"),
        ("PENNSYLVANIA", "#N/A", "Milford Borough Police Department", "Milton Borough Police Department"),
        ("FLORIDA", "Clay County", "Clay County Sheriff's Office", "Clay Police Department"),
        ("NORTH CAROLINA", "Wilkes County", "Wilkesboro Police Department", "North Wilkesboro Police Department"),
        ("FLORIDA", "#N/A", "Florida National Guard", "Florida State Guard"),
    ],
)
@pytest.mark.parametrize("signed", [AUGUST, ""], ids=["dated", "undated"])
def test_near_twins_in_one_publication_stay_two_though_all_else_is_equal(
    state: str, county: str, one: str, other: str, signed: str
) -> None:
    usual = cells(state=state, county=county, signed=signed)
    assert stay_two(replace(usual, agency=one), replace(usual, agency=other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bacon County Sheriff's Office", "Bacon County Jail"),
        ("Bacon County Sheriff's Office", "Bacon County Board of County Commissioners"),
        ("Bacon County Jail", "Bacon County Board of County Commissioners"),
        ("Bacon County Sheriff's Office", "Bacon County Department of Corrections"),
    ],
)
@pytest.mark.parametrize("model", ["Task Force Model", "Warrant Service Officer"])
def test_offices_of_one_county_signed_on_two_days_stay_two(one: str, other: str, model: str) -> None:
    usual = cells(county="Bacon County", support_type=model)
    assert stay_two(replace(usual, agency=one, signed=MARCH), replace(usual, agency=other, signed=AUGUST))


def _counties_of_one_name() -> list[tuple[str, str, str]]:
    """Every county name that two states share, with two of them."""
    by_name: dict[str, list[str]] = {}
    for code in sorted(COUNTIES):
        for name in sorted(COUNTIES[code]):
            by_name.setdefault(name, []).append(code)
    return [(name, codes[0], codes[-1]) for name, codes in sorted(by_name.items()) if len(codes) > 1]


@given(st.sampled_from(_counties_of_one_name()), st.sampled_from(["Jail Enforcement Model", "Task Force Model"]))
def test_two_counties_of_one_name_signed_on_two_days_stay_two(named: tuple[str, str, str], model: str) -> None:
    name, *codes = named
    one, other = (
        cells(
            f"{name} County Sheriff's Office",
            state=STATES[code].upper(),
            county=f"{name} County",
            support_type=model,
            signed=signed,
        )
        for code, signed in zip(codes, (MARCH, AUGUST), strict=True)
    )
    assert stay_two(one, other)


def _counties_a_slip_apart() -> list[tuple[str, str, str]]:
    """Every two real counties of one state whose names are two typing errors apart or less."""
    return [
        (code, one, other)
        for code, names in sorted(COUNTIES.items())
        for one in sorted(names)
        for other in sorted(names)
        if one < other and OSA.distance(agency(one), agency(other), score_cutoff=2) <= 2
    ]


@given(st.sampled_from(_counties_a_slip_apart()), st.booleans(), st.sampled_from([AUGUST, ""]))
def test_two_real_counties_a_slip_apart_stay_two(named: tuple[str, str, str], with_county: bool, signed: str) -> None:
    code, *names = named
    one, other = (
        cells(
            f"{name} County Sheriff's Office",
            state=STATES[code].upper(),
            county=f"{name} County" if with_county else "#N/A",
            signed=signed,
        )
        for name in names
    )
    assert stay_two(one, other)


_WORDS_MORE = ("{} Beach", "West {}", "North {}", "{} Springs", "{} Heights", "Lake {}", "New {}", "{} Park", "Port {}")


@given(
    st.from_regex(r"[BDFGHKLMPRTW][aeiou][bdgklmnrst]{1,2}[aeiou][lmnrst]", fullmatch=True),
    st.lists(st.sampled_from(["{}", *_WORDS_MORE]), min_size=2, max_size=2, unique=True),
)
def test_a_word_more_in_a_places_name_makes_another_place(place: str, forms: list[str]) -> None:
    row = cells(state="FLORIDA", type="Municipality", county="#N/A", signed=AUGUST)
    one, other = (replace(row, agency=f"{form.format(place)} Police Department") for form in forms)
    assert stay_two(one, other)


@given(
    st.integers(0, 2**24 - 1), st.integers(1, 9), st.integers(1, 9), st.sampled_from(["Precinct", "District", "Ward"])
)
def test_two_numbers_are_two_offices(seed: int, one: int, other: int, what: str) -> None:
    assume(one != other)
    row = replace(invented(Random(seed), "TEXAS", AUGUST), moa="link pending", moa_address="")
    county = row.county if row.county != "#N/A" else "Harris County"
    first, second = (replace(row, agency=f"{county} Constable {what} {number}") for number in (one, other))
    assert stay_two(first, second)
