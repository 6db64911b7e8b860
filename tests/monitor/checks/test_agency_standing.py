"""What else an agency has when one of its agreements comes, leaves or changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.checks import changes as diff
from monitor.matching.matcher import match
from monitor.model import AgencyStanding, Cells, Change, Kind, Relation, Standing
from monitor.normalize import listing
from tests.monitor.builders import cells, listings
from tests.monitor.matching.test_matcher import standings

JAIL, WARRANT, TASK = "Jail Enforcement Model", "Warrant Service Officer", "Task Force Model"
BASE = cells()
OTHER_AGENCY = cells("Tarn Constable")


def of(model: str, **others: str) -> Cells:
    return replace(BASE, support_type=model, **others)


def participating(old: list[Cells], new: list[Cells]) -> dict[tuple[Kind, str], Change]:
    """The changes from one participating list to the next, by kind and support type."""
    made = diff.participating(match(standings(listings(*old)), listings(*new)), (), (), {})
    return {(c.kind, (c.after or c.before or listing(1, BASE)).cells.support_type): c for c in made}


def standing(change: Change) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assert change.agency_standing
    return change.agency_standing.before, change.agency_standing.after


def test_a_departure_says_what_its_agency_still_has() -> None:
    made = participating([of(JAIL), of(TASK), of(WARRANT), OTHER_AGENCY], [of(TASK), of(WARRANT), OTHER_AGENCY])
    gone = made[Kind.TERMINATED, JAIL]
    assert standing(gone) == ((TASK, WARRANT), (TASK, WARRANT))
    assert gone.relation is None


def test_the_departure_of_the_last_agreement_says_that_nothing_is_left() -> None:
    made = participating([of(JAIL), OTHER_AGENCY], [OTHER_AGENCY])
    assert standing(made[Kind.TERMINATED, JAIL]) == ((), ())


def test_two_that_leave_at_once_stood_beside_each_other_and_leave_nothing() -> None:
    made = participating([of(JAIL), of(TASK), OTHER_AGENCY], [OTHER_AGENCY])
    assert standing(made[Kind.TERMINATED, JAIL]) == ((TASK,), ())
    assert standing(made[Kind.TERMINATED, TASK]) == ((JAIL,), ())


def test_a_further_agreement_of_an_agency_is_added() -> None:
    new = participating([of(JAIL)], [of(JAIL), of(TASK, signed="2025-09-01")])[Kind.NEW, TASK]
    assert (new.relation, standing(new)) == (Relation.ADDED, ((JAIL,), (JAIL,)))


def test_several_first_agreements_at_once_name_each_other_and_are_added_to_nothing() -> None:
    made = participating([OTHER_AGENCY], [OTHER_AGENCY, of(JAIL), of(TASK)])
    assert {change.relation for change in made.values()} == {None}
    assert standing(made[Kind.NEW, JAIL]) == ((), (TASK,))


def test_one_model_in_place_of_another_is_switched_on_both_sides() -> None:
    made = participating([of(JAIL, signed="2024-01-02")], [of(WARRANT, signed="2025-09-01")])
    assert {key[0] for key in made} == {Kind.TERMINATED, Kind.NEW}
    assert {change.relation for change in made.values()} == {Relation.SWITCHED}


def test_an_agency_that_is_listed_in_other_words_is_still_listed() -> None:
    """July 3, 2025: "City of Zephyrhills Police Department" left, and "Zephyrhills Police Department" stayed."""
    city, short = (cells(name) for name in ("City of Tarn Police Department", "Tarn Police Department"))
    gone = participating([city, short], [short])[Kind.TERMINATED, city.support_type]
    assert standing(gone) == ((TASK,), (TASK,))


def test_an_agency_of_another_state_or_name_is_no_sibling() -> None:
    elsewhere = replace(of(TASK), state="OHIO")
    made = participating([of(JAIL), elsewhere, OTHER_AGENCY], [elsewhere, OTHER_AGENCY])
    assert standing(made[Kind.TERMINATED, JAIL]) == ((), ())


def test_nothing_is_said_of_an_agency_whose_name_stands_in_two_counties() -> None:
    franklin, northampton = (
        cells("Washington Township", state="PENNSYLVANIA", county=f"{county} County", signed=signed)
        for county, signed in (("Franklin", "2025-05-01"), ("Northampton", "2026-03-01"))
    )
    both = listings(franklin, northampton)
    new = participating([franklin], [franklin, northampton])[Kind.NEW, TASK]
    left = match([Standing(1, both[0]), Standing(2, both[1])], both[1:])
    [gone] = diff.participating(left, (), (), {})
    assert gone.kind is Kind.TERMINATED
    assert [(c.relation, c.agency_standing) for c in (new, gone)] == [(None, None)] * 2


def test_a_second_row_of_the_same_agreement_is_no_sibling() -> None:
    made = participating([of(JAIL)], [of(JAIL), of(TASK, signed="2025-09-01"), of(TASK, signed="2025-09-01")])
    assert standing(made[Kind.NEW, TASK]) == ((JAIL,), (JAIL,))


@pytest.mark.parametrize(("cell", "named"), [("", ""), ("Model of the future", "Model of the future")])
def test_an_unreadable_support_type_is_named_as_it_is_written(cell: str, named: str) -> None:
    made = participating([of(cell), of(JAIL)], [of(cell)])
    assert standing(made[Kind.TERMINATED, JAIL]) == ((named,), (named,))


def test_an_application_says_what_its_agency_has_on_the_participating_list() -> None:
    came = match((), listings(of(WARRANT, signed="")))
    listed = (Standing(5, listing(2, of(JAIL))), Standing(6, listing(3, OTHER_AGENCY)))
    [applied] = diff.pending(came, (), (), (), frozenset(), listed)
    assert applied.agency_standing == AgencyStanding((JAIL,), (JAIL,))
