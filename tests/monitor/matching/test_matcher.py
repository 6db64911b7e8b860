"""Who continues whom from one publication to the next: each rule by the kind of incident that taught it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.matching.evidence import listed_twice, weigh
from monitor.matching.matcher import key, match, rejoin
from monitor.model import Cells, Listing, Match, Matching, Standing
from monitor.normalize import listing
from tests.monitor.builders import cells, listings

JAIL, TASK_FORCE, WARRANT = "Jail Enforcement Model", "Task Force Model", "Warrant Service Officer"


def standings(rows: Sequence[Listing]) -> tuple[Standing, ...]:
    """Rows as they stand on a list; a row whose key stood before it is a second listing of that agreement."""
    first: dict[object, int] = {}
    return tuple(
        Standing(first.setdefault(key(row.values), number), row, first[key(row.values)] != number)
        for number, row in enumerate(rows, start=1)
    )


def compared(old: Sequence[Cells], new: Sequence[Cells]) -> Matching:
    return match(standings(listings(*old)), listings(*new))


def one_agreement(before: Cells, after: Cells) -> Match | None:
    """The match between two rows that replaced each other; None where one left and the other came."""
    found = compared([before], [after])
    assert len(found.matches) + len(found.gone) == 1
    assert len(found.matches) + len(found.came) == 1
    return found.matches[0] if found.matches else None


def link(name: str) -> dict[str, str]:
    return {"moa": "link", "moa_address": f"https://www.ice.gov/doclib/287gMOA/{name}.pdf"}


def police(place: str, **others: str) -> Cells:
    usual = {"state": "FLORIDA", "type": "Municipality", "county": "#N/A", "signed": "2025-04-14"}
    return cells(f"{place} Police Department", **(usual | others))


def sheriff(of: str, **others: str) -> Cells:
    return cells(f"{of} County Sheriff's Office", **({"county": f"{of} County"} | others))


def pending(row: Cells) -> Cells:
    """A row as the pending list has it, without a date or a document."""
    return replace(row, signed="", moa="", moa_address="")


# --- exact keys --------------------------------------------------------------------------------------------


def test_rows_of_equal_state_agency_and_support_type_are_one_agreement() -> None:
    found = one_agreement(sheriff("Bacon"), sheriff("Bacon", county="Appling County", signed="2025-06-01"))
    assert found
    assert found.reasons == ("same state, agency and support type",)


def test_writing_a_key_otherwise_leaves_it_the_same_key() -> None:
    before = cells("St. Marys Police Dept.", state="GEORGIA ", support_type="Warrant Services Officer")
    after = cells("SAINT MARYS  POLICE DEPARTMENT", state="Georgia", support_type=WARRANT)
    found = one_agreement(before, after)
    assert found
    assert found.reasons == ("same state, agency and support type",)


def test_a_date_corrected_and_nothing_else_is_the_same_agreement() -> None:
    assert one_agreement(sheriff("Bacon", signed="2025-02-14"), sheriff("Bacon", signed="5025-02-14"))


def test_two_rows_that_swap_documents_stay_who_they_are() -> None:
    found = compared([police("Tampa", **link("a")), police("Ocala", **link("b"))], [
        police("Tampa", **link("b")), police("Ocala", **link("a")),
    ])  # fmt: skip
    assert {(m.old.listing.cells.agency, m.new.cells.agency) for m in found.matches} == {
        ("Tampa Police Department",) * 2,
        ("Ocala Police Department",) * 2,
    }


def test_a_name_misspelt_while_its_row_swaps_documents_with_another_is_the_same_agreement() -> None:
    """The document on a row that is matched already says nothing about the rows that are left."""
    found = compared([police("Tampa", **link("a")), police("Ocala", **link("b"))], [
        police("Tampa", **link("b")), police("Ocalla", **link("a")),
    ])  # fmt: skip
    assert not found.gone
    assert not found.came


def test_equal_keys_in_two_real_counties_signed_on_two_days_are_two_agencies() -> None:
    """Pennsylvania alone has twenty Washington Townships."""
    usual = {"state": "PENNSYLVANIA"}
    before = police("Washington Township", county="Franklin County", signed="2025-03-07", **usual)
    after = police("Washington Township", county="Berks County", signed="2025-08-28", **usual)
    assert not one_agreement(before, after)
    found = compared([before], [before, after])
    assert [n.cells.county for n in found.came] == ["Berks County"]
    assert len(compared([], [before, after]).came) == 2


def test_a_county_corrected_and_nothing_else_is_the_same_agreement() -> None:
    before = police("Washington Township", state="PENNSYLVANIA", county="Franklin County")
    assert one_agreement(before, replace(before, county="Berks County"))


# --- a key that stands several times -----------------------------------------------------------------------


def test_an_exact_duplicate_is_a_second_listing_and_not_new() -> None:
    found = compared([sheriff("Bacon")], [sheriff("Bacon"), sheriff("Bacon")])
    assert [m.reasons for m in found.spares] == [("listed a second time",)]
    assert not found.came


def test_a_second_listing_that_goes_is_no_departure() -> None:
    found = compared([sheriff("Bacon"), sheriff("Bacon")], [sheriff("Bacon")])
    assert not found.gone
    assert len(found.matches) == 1


def test_an_agreement_goes_once_when_both_its_rows_go() -> None:
    found = compared([sheriff("Bacon"), sheriff("Bacon")], [])
    assert [s.agreement for s in found.gone] == [1]


def test_a_row_that_comes_twice_is_one_new_agreement() -> None:
    """Aug. 4, 2025: one borough came in two identical rows."""
    found = compared([], [sheriff("Bacon"), sheriff("Bacon")])
    assert len(found.came) == 1
    assert [second.cells for second, _ in found.twins] == [sheriff("Bacon")]


def test_when_the_first_row_of_an_agreement_goes_and_the_second_stays_it_has_not_gone() -> None:
    first, second = sheriff("Bacon", signed="2025-02-14"), sheriff("Bacon", signed="2025-03-01")
    found = compared([first, second], [second])
    assert not found.gone
    assert [m.old.agreement for m in found.matches] == [1]


def test_an_agreement_listed_twice_and_renamed_in_both_rows_is_one_agreement_still() -> None:
    before, after = police("Macro Island"), police("Marco Island")
    found = compared([before, before], [after, after])
    assert (len(found.matches), len(found.spares), len(found.gone), len(found.came)) == (1, 1, 0, 0)


def test_rows_of_one_key_are_paired_as_they_agree_most() -> None:
    old = [police("Derry Township", signed="2025-05-08"), police("Derry Township", signed="2025-07-02")]
    both = tuple(Standing(number, row) for number, row in enumerate(listings(*old), start=1))
    found = match(both, listings(*reversed(old)))
    assert {(m.old.agreement, m.new.cells.signed) for m in found.matches} == {(1, "2025-05-08"), (2, "2025-07-02")}


def test_a_second_listing_belongs_to_the_row_that_it_repeats() -> None:
    old = [police("Derry Township", signed="2025-05-08"), police("Derry Township", signed="2025-07-02")]
    both = tuple(Standing(number, row) for number, row in enumerate(listings(*old), start=1))
    found = match(both, listings(*old, old[1]))
    assert [m.old.agreement for m in found.spares] == [2]


def test_a_dropped_duplicate_is_not_taken_for_another_model_of_the_agency_that_comes() -> None:
    first = sheriff("Bacon", **link("bacon-tfm"))
    found = compared([first, first], [first, sheriff("Bacon", support_type=WARRANT, **link("bacon-wso"))])
    assert [n.cells.support_type for n in found.came] == [WARRANT]


def test_a_duplicate_with_its_document_is_not_taken_for_a_model_that_left() -> None:
    jail, task_force = (sheriff("Bacon", support_type=t, **link(t)) for t in (JAIL, TASK_FORCE))
    found = compared([jail, task_force], [jail, jail])
    assert [s.listing.cells.support_type for s in found.gone] == [TASK_FORCE]
    assert len(found.spares) == 1


@pytest.mark.parametrize(("model", "document"), [(WARRANT, "bacon"), (TASK_FORCE, "bacon"), (WARRANT, "")])
def test_a_second_row_that_is_respelt_is_the_agreements_whose_second_it_was(model: str, document: str) -> None:
    """Though another agreement of the agency, signed on the same day, leaves at the same moment."""
    row = sheriff("Bacon", support_type=model, **(link(document) if document else {}))
    other = sheriff("Bacon", support_type=JAIL, **link("jail"))
    respelt = replace(row, agency="Baconn County Sheriff's Office")
    found = compared([other, row, row], [row, respelt])
    assert [s.listing.cells for s in found.gone] == [other]
    assert [(m.old.listing.cells, m.new.cells) for m in found.spares] == [(row, respelt)]
    assert not found.came


def test_a_row_of_an_agreement_that_stays_by_its_other_row_does_not_become_another_model() -> None:
    row = sheriff("Bacon", **link("bacon"))
    first, second = listings(replace(row, agency="Baocn County Sheriff's Office"), row)
    both = [Standing(1, first), Standing(1, second, spare=True)]
    found = match(both, listings(row, replace(row, support_type=WARRANT, **link("wso"))))
    assert [m.old.agreement for m in found.matches] == [1]
    assert [n.cells.support_type for n in found.came] == [WARRANT]
    assert not found.gone


def test_a_second_row_without_a_date_can_be_respelt_too() -> None:
    row = pending(police("City of Hialeah"))
    found = compared([row, row], [row, pending(police("Hialeah"))])
    assert (len(found.matches), len(found.spares), len(found.came)) == (1, 1, 0)


def test_a_row_listed_again_under_another_spelling_with_its_document_is_a_second_listing() -> None:
    row = police("Macro Island", **link("island"))
    again = replace(row, agency="Marco Island Police Department")
    found = compared([row], [row, again])
    assert [(m.new.cells, m.reasons) for m in found.spares] == [(again, ("listed a second time",))]
    assert not found.came
    left = compared([row, replace(row, support_type=JAIL, **link("jail"))], [row, again])
    assert [s.listing.cells.support_type for s in left.gone] == [JAIL]


@pytest.mark.parametrize(
    "other",
    [
        {"agency": "Ocala Police Department"},
        {"agency": "Macro Island Beach Police Department"},
        {"state": "TEXAS"},
        {"support_type": JAIL},
        {"signed": "2025-06-01"},
        {"signed": ""},
        {"county": "Lee County"},
        {"moa_address": "https://www.ice.gov/another.pdf"},
        {"moa": "link pending", "moa_address": ""},
    ],
)
def test_whatever_else_differs_makes_a_second_spelling_an_agreement_of_its_own(other: dict[str, str]) -> None:
    row = police("Macro Island", county="Collier County", **link("island"))
    again = replace(row, **({"agency": "Marco Island Police Department"} | other))
    assert [n.cells for n in compared([row], [row, again]).came] == [again]


def test_a_second_spelling_that_was_an_agreement_of_its_own_is_that_again() -> None:
    row = police("Macro Island", **link("island"))
    rows = listings(row, replace(row, agency="Marco Island Police Department"))
    found = match(standings(rows[:1]), rows, {key(rows[1].values): frozenset({1})})
    assert list(found.came) == [rows[1]]


# --- evidence for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (police("Macro Island"), police("Marco Island"), "same name but for typing errors"),
        (police("City of Melbourne"), police("Melbourne"), "same name in other words"),
        (police("Quarryville", state="PENNSYLVANIA"), police("Quarryville Borough", state="PENNSYLVANIA"),
         "same name in other words"),
        (cells("Department of Corrections", state="VIRGINIA", county=""),
         cells("Virginia Department of Corrections", state="VIRGINIA", county="#N/A"), "same name in other words"),
        (sheriff("Freedom", state="MINNESOTA"), sheriff("Freeborn", state="MINNESOTA"), "much the same name"),
        (cells("Cambria County Sheriff's Office", state="PENNSYLVANIA", county="Cambria County"),
         cells("Cambria County Prison", state="PENNSYLVANIA", county="Cambria County"),
         "another office of the same place"),
        (cells("Tennessee State Constable 4th District", state="TENNESSEE", county="Polk County"),
         cells("Polk County Constable District 4", state="TENNESSEE", county="Polk County"),
         "same name in other words"),
        (police("Tampa"), police("Tampa", state="GEORGIA"), "same name"),
        (police("Tampa"), police("Tampa", state="XXXX"), "same name"),
        (police("Tampa"), police("Tampa", support_type=WARRANT), "same name"),
        (police("Tampa"), police("Tampa", support_type="#N/A"), "same name"),
    ],
)  # fmt: skip
def test_one_signed_date_and_one_name_are_one_agreement(before: Cells, after: Cells, reason: str) -> None:
    found = one_agreement(before, after)
    assert found
    assert found.reasons[:2] == ("same signed date", reason)
    assert found.reasons[-1] == "replaced in the same publication"


def test_one_document_makes_one_agreement_of_an_agency_re_listed_under_its_parent() -> None:
    """Aug. 8, 2025: a department, then its office of law enforcement."""
    before = cells("Florida Department of Agriculture", state="FLORIDA", county="#N/A", **link("agriculture"))
    after = cells("Office of Agricultural Law Enforcement", state="FLORIDA", county="#N/A", **link("agriculture"))
    found = one_agreement(before, after)
    assert found
    assert found.reasons[:2] == ("same document", "same signed date")


def test_one_document_under_another_model_is_one_agreement_whatever_its_date() -> None:
    before = sheriff("Bacon", support_type=WARRANT, signed="2025-02-14", **link("bacon"))
    assert one_agreement(before, replace(before, support_type=TASK_FORCE, signed="2025-03-14"))


def test_a_county_that_stands_under_the_wrong_state_is_moved() -> None:
    """July 14, 2025: both states had a county of that name."""
    assert one_agreement(sheriff("Ellis", state="TEXAS"), sheriff("Ellis", state="KANSAS"))


def test_every_row_of_a_state_can_be_misspelt_at_once() -> None:
    rows = [sheriff(name, state="WEST VIRGINIA", signed="2025-08-28") for name in ("Berkeley", "Harrison", "Morgan")]
    wrong = [replace(row, state="WEST VRGNA") for row in rows]
    for old, new in ((rows, wrong), (wrong, rows)):
        found = compared(old, new)
        assert {(m.old.listing.cells.agency, m.new.cells.agency) for m in found.matches} == {
            (row.agency, row.agency) for row in rows
        }


def test_all_three_agreements_of_an_agency_can_be_renamed_at_once() -> None:
    """Dec. 29, 2025: the three of one county, signed on one day."""
    models = (JAIL, TASK_FORCE, WARRANT)
    found = compared(
        [cells("Dimmit Couny Sheriff's Office", state="TEXAS", support_type=t) for t in models],
        [cells("Dimmit County Sheriff's Office", state="TEXAS", support_type=t) for t in models],
    )
    assert {(m.old.listing.cells.support_type, m.new.cells.support_type) for m in found.matches} == {
        (t, t) for t in models
    }


def test_many_models_can_be_replaced_at_once() -> None:
    rows = [police(name, support_type=TASK_FORCE) for name in ("Tampa", "Ocala", "Stuart", "Palm Bay")]
    found = compared(rows, [replace(row, support_type=JAIL) for row in rows])
    assert {(m.old.listing.cells.agency, m.new.cells.agency) for m in found.matches} == {
        (row.agency, row.agency) for row in rows
    }


# --- without a date ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sheriff("Cartert", state="NORTH CAROLINA", county="Carteret County"),
         sheriff("Carteret", state="NORTH CAROLINA")),
        (police("City of Hialeah"), police("Hialeah")),
        (cells("Lafourche County Sheriff's Office", state="LOUISIANA", county="Lafourche County"),
         cells("Lafourche Parish Sheriff's Office", state="LOUISIANA", county="Lafourche Parish")),
        (sheriff("Trousdale", state="TEXAS"), sheriff("Trousdale", state="TENNESSEE")),
        (sheriff("Trousdale", state="TENNESSEE"), sheriff("Trousdale", state="TEXAS")),
        (police("Port Richey", support_type=""), police("Port Richey", support_type=TASK_FORCE)),
    ],
)  # fmt: skip
def test_on_the_pending_list_the_name_and_the_publication_are_enough(before: Cells, after: Cells) -> None:
    found = one_agreement(pending(before), pending(after))
    assert found
    assert found.reasons[-1] == "replaced in the same publication"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sheriff("Jackson", state="TEXAS"), sheriff("Jackson", state="TENNESSEE")),
        (police("Springfield", state="OHIO"), police("Springfield", state="TENNESSEE")),
        (sheriff("Taylor", support_type=TASK_FORCE), sheriff("Taylor", support_type=WARRANT)),
        (sheriff("Freedom", state="MINNESOTA"), sheriff("Freeborn", state="MINNESOTA")),
        (cells("Pasco County Jail", state="FLORIDA"), cells("Pasco County Sheriff's Office", state="FLORIDA")),
        (police("Milton"), police("Milton Township")),
    ],
)
def test_on_the_pending_list_another_state_model_office_or_form_is_another_application(
    before: Cells, after: Cells
) -> None:
    assert not one_agreement(pending(before), pending(after))


# --- evidence against --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sheriff("Pima", state="ARIZONA"), sheriff("Pinal", state="ARIZONA")),
        (sheriff("Pima", state="ARIZONA", county="#N/A"), sheriff("Pinal", state="ARIZONA", county="#N/A")),
        (police("Melbourne"), police("Melbourne Beach")),
        (police("Melbourne"), police("West Melbourne")),
        (police("Panama City"), police("Panama City Beach")),
        (police("Melbourne", county="Brevard County"), police("Melbourne Beach", county="Brevard County")),
        (police("Panama City", county="Bay County"), police("Panama City Beach", county="Bay County")),
        (police("University of Florida"), police("University of West Florida")),
        (police("University of Florida"), police("Florida State University")),
        (cells("Walker County Constable Precinct 1", county="Walker County", state="TEXAS"),
         cells("Walker County Constable Precinct 2", county="Walker County", state="TEXAS")),
        (police("Derry Township", county="Dauphin County"), police("Derry Borough", county="Dauphin County")),
        (police("Milford"), police("Milton")),
        (police("Franklin", state="TENNESSEE", county="Williamson County"),
         police("Franklin", state="INDIANA", county="Johnson County")),
    ],
)  # fmt: skip
def test_near_twins_of_one_day_and_one_place_are_two(before: Cells, after: Cells) -> None:
    assert not one_agreement(before, after)
    assert not one_agreement(after, before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sheriff("Bacon"), cells("Bacon County Jail", county="Bacon County")),
        (sheriff("Bacon"), cells("Bacon County Board of County Commissioners", county="Bacon County")),
        (sheriff("Ellis", state="TEXAS"), sheriff("Ellis", state="KANSAS")),
        (police("Macro Island"), police("Marco Island")),
        (sheriff("Bacon", support_type=WARRANT), sheriff("Bacon", support_type=JAIL)),
    ],
)
def test_without_the_same_day_it_takes_the_same_document(before: Cells, after: Cells) -> None:
    after = replace(after, signed="2025-06-01")
    assert not one_agreement(before, after)
    assert one_agreement(replace(before, **link("one")), replace(after, **link("one")))


TWO_CELLS = {"signed": "2025-06-01", **link("b")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sheriff("Bacon"), cells("Bacon County Sherif's Office", county="Bacon County")),
        (police("City of Harl", county="Bay County"), police("Harl", county="Bay County")),
    ],
)
def test_one_agency_replaced_under_one_model_is_one_agreement_whatever_its_date_and_document(
    before: Cells, after: Cells
) -> None:
    before = replace(before, **link("a"))
    found = one_agreement(before, replace(after, **TWO_CELLS))
    assert found
    assert found.reasons[-1] == "replaced in the same publication"
    assert not rejoin(standings(listings(before)), listings(replace(after, **TWO_CELLS)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (police("Melbourne", county="Brevard County"), police("West Melbourne", county="Brevard County")),
        (police("Derry Township", county="Dauphin County"), police("Derry Borough", county="Dauphin County")),
        (police("City of Harl", county="Bay County"), police("Harl", county="Polk County")),
        (police("City of Harl", county="#N/A"), police("Harl", county="#N/A")),
        (sheriff("Bacon", support_type=WARRANT), sheriff("Bacon", support_type=JAIL)),
        (sheriff("Bacon"), cells("Bacon County Jail", county="Bacon County")),
    ],
)
def test_near_twins_of_another_day_and_another_document_are_two(before: Cells, after: Cells) -> None:
    assert not one_agreement(replace(before, **link("a")), replace(after, **TWO_CELLS))


def test_two_documents_and_two_names_are_two_agreements() -> None:
    assert not one_agreement(police("Macro Island", **link("a")), police("Marco Island", **link("b")))


def test_two_documents_and_two_models_are_two_agreements() -> None:
    before = sheriff("Bacon", support_type=WARRANT, **link("a"))
    assert not one_agreement(before, sheriff("Bacon", support_type=JAIL, **link("b")))


def test_a_document_that_several_rows_carry_identifies_none_of_them() -> None:
    carried = link("borough")
    found = compared(
        [police("Tampa", signed="2025-03-01", **carried), police("Ocala", signed="2025-03-01", **carried)],
        [police("Stuart", signed="2025-03-01", **carried)],
    )
    assert len(found.gone) == 2
    assert len(found.came) == 1


def test_a_row_that_comes_with_its_neighbours_document_continues_nobody() -> None:
    found = compared(
        [police("Tampa", **link("tampa")), police("Ocala", **link("tampa"))],
        [police("Tampa", **link("tampa")), police("Stuart", **link("tampa"))],
    )
    assert [s.listing.cells.agency for s in found.gone] == ["Ocala Police Department"]
    assert [n.cells.agency for n in found.came] == ["Stuart Police Department"]


def test_two_that_were_ever_listed_side_by_side_are_never_one_by_evidence() -> None:
    """Both spellings stood on the list once, as two agreements: what comes is the one that it is called."""
    stays, left = police("City of Melbourne"), police("Melbourne")
    row, other = listings(left, police("Melborne"))
    assert match(standings(listings(stays)), [row]).matches
    found = match(standings(listings(stays)), [row], {key(row.values): frozenset({1})})
    assert [s.listing.cells for s in found.gone] == [stays]
    assert [n.cells for n in found.came] == [left]
    assert match(standings(listings(stays)), [row], {key(row.values): frozenset({2})}).matches
    assert match(standings(listings(stays)), [row], {key(other.values): frozenset({1})}).matches


def test_one_that_stood_beside_another_is_no_rival_for_its_row() -> None:
    old, row = standings(listings(police("Tamba"), police("Tamby"))), listings(police("Tambu"))[0]
    assert not match(old, [row]).matches
    assert [m.old.agreement for m in match(old, [row], {key(row.values): frozenset({1})}).matches] == [2]


def test_a_second_row_that_stood_beside_another_agreement_does_not_become_it() -> None:
    first, second = police("City of Melbourne"), police("Melborne")
    both = [Standing(1, row, spare) for row, spare in zip(listings(first, second), (False, True), strict=True)]
    rows = listings(first, police("Melbourne"))
    assert [m.new for m in match(both, rows).spares] == [rows[1]]
    assert list(match(both, rows, {key(rows[1].values): frozenset({1})}).came) == [rows[1]]


# --- rivals ------------------------------------------------------------------------------------------------


def test_the_nearest_of_several_names_is_taken() -> None:
    found = compared([police("Palm Bay"), police("Palm Way")], [police("Pallm Bay"), police("Pallm Way")])
    assert {(m.old.listing.cells.agency[:8], m.new.cells.agency[:9]) for m in found.matches} == {
        ("Palm Bay", "Pallm Bay"),
        ("Palm Way", "Pallm Way"),
    }


def test_a_tie_is_no_match() -> None:
    """ "Tambu" is as near to Tamba as to Tamby; nobody can say which of them stayed."""
    found = compared([police("Tamba"), police("Tamby")], [police("Tambu")])
    assert len(found.gone) == 2
    assert len(found.came) == 1


def test_what_a_tie_leaves_open_may_be_settled_by_another_signal() -> None:
    found = compared(
        [police("Tamba", county="Polk County"), police("Tamby", county="Lake County")],
        [police("Tambu", county="Lake County")],
    )
    assert [s.listing.cells.agency for s in found.gone] == ["Tamba Police Department"]


def test_what_is_certain_may_settle_what_was_not() -> None:
    """ "Tambu" is as near to Tamba as to Tamby, until Tamba is known to be another row by its document."""
    old = [police("Tamba", **link("tamba")), police("Tamby")]
    found = compared(old, [police("Tambu"), police("Larkmere", **link("tamba"))])
    assert {(m.old.listing.cells.agency[:5], m.new.cells.agency[:5]) for m in found.matches} == {
        ("Tamba", "Larkm"),
        ("Tamby", "Tambu"),
    }


def test_a_departure_beside_a_correction_is_still_a_departure() -> None:
    found = compared([police("Macro Island"), police("Largo")], [police("Marco Island"), police("Ocala")])
    assert [s.listing.cells.agency for s in found.gone] == ["Largo Police Department"]
    assert [n.cells.agency for n in found.came] == ["Ocala Police Department"]


def test_of_two_models_of_one_day_the_one_that_leaves_is_not_mistaken_for_the_one_that_is_renamed() -> None:
    old = [cells("Dimmit Couny Sheriff's Office", state="TEXAS", support_type=t) for t in (JAIL, WARRANT)]
    found = compared(old, [cells("Dimmit County Sheriff's Office", state="TEXAS", support_type=WARRANT)])
    assert [s.listing.cells.support_type for s in found.gone] == [JAIL]


def test_where_a_state_and_a_model_could_each_be_corrected_the_state_stands() -> None:
    """Two counties of one name in two states, signed on one day, both put under another model at once."""
    one, other = sheriff("Washington", state="ALABAMA"), sheriff("Washington", state="IDAHO", support_type=WARRANT)
    found = compared([one, other], [replace(one, support_type=WARRANT), replace(other, support_type=TASK_FORCE)])
    assert {(m.old.listing.cells.state, m.new.cells.state) for m in found.matches} == {
        ("ALABAMA", "ALABAMA"),
        ("IDAHO", "IDAHO"),
    }


# --- seen apart in time ------------------------------------------------------------------------------------


def rejoined(left: Cells, came: Cells) -> tuple[str, ...] | None:
    found = rejoin(standings(listings(left)), listings(came))
    return found[0].reasons if found else None


def test_an_agreement_that_left_comes_back_under_its_own_name_whatever_its_date() -> None:
    assert rejoined(sheriff("Bacon"), sheriff("Bacon", signed="2025-09-01")) == ("same state, agency and support type",)


def test_an_agreement_that_left_comes_back_under_another_spelling_with_its_date() -> None:
    assert rejoined(police("Macro Island"), police("Marco Island")) == (
        "same signed date",
        "same name but for typing errors",
        "same support type",
    )


@pytest.mark.parametrize(
    ("left", "came"),
    [
        (sheriff("Bacon"), cells("Bacon County Jail", county="Bacon County")),
        (sheriff("Freedom", state="MINNESOTA"), sheriff("Freeborn", state="MINNESOTA")),
        (pending(police("City of Hialeah")), pending(police("Hialeah"))),
        (sheriff("Bacon", support_type=JAIL), sheriff("Bacon", support_type=TASK_FORCE)),
        (sheriff("Bacon", signed="2025-02-14"), sheriff("Bacoon", signed="2025-06-01", county="Bacon County")),
    ],
)
def test_what_was_not_replaced_in_the_same_publication_needs_more(left: Cells, came: Cells) -> None:
    assert rejoined(left, came) is None


def test_what_left_does_not_come_back_as_one_that_stood_beside_it() -> None:
    left, came = standings(listings(police("Macro Island"))), listings(police("Marco Island"))
    assert rejoin(left, came)
    assert not rejoin(left, came, {key(came[0].values): frozenset({1})})


def test_an_application_becomes_an_agreement_under_another_spelling_by_its_county() -> None:
    application = pending(sheriff("Cartert", state="NORTH CAROLINA", county="Carteret County"))
    assert rejoined(application, sheriff("Carteret", state="NORTH CAROLINA"))


# --- properties --------------------------------------------------------------------------------------------

_row = st.builds(
    Cells,
    state=st.sampled_from(["FLORIDA", "TEXAS", "FLORIDAA", "??"]),
    agency=st.sampled_from(
        [
            *("Pima County Sheriff's Office", "Polk County Sheriff's Office", "Polk Couny Sheriff's Office"),
            *("Polk County Jail", "Melbourne Police Department", "Melbourne Beach Police Department"),
            *("City of Melbourne PD", "Melborne Police Department", "Tampa PD", "Walker Constable Pct. 1"),
        ]
    ),
    type=st.just("County"),
    county=st.sampled_from(["Polk County", "#N/A", "Lake County"]),
    support_type=st.sampled_from([JAIL, TASK_FORCE, ""]),
    signed=st.sampled_from(["2025-02-26", "2025-04-14", ""]),
    moa=st.just("link"),
    moa_address=st.sampled_from(["", "https://www.ice.gov/a.pdf", "https://www.ice.gov/b.pdf"]),
)
_rows = st.lists(_row, max_size=8)
_distinct = st.lists(_row, max_size=8, unique_by=lambda row: key(listing(2, row).values))


def said(matching: Matching) -> tuple[Counter[object], ...]:
    """What a matching says, whatever the order of the rows was."""
    return (
        Counter((m.old.agreement, m.new.cells, m.reasons) for m in matching.matches),
        Counter((m.old.agreement, m.new.cells) for m in matching.spares),
        Counter(s.agreement for s in matching.gone),
        Counter(n.cells for n in matching.came),
        Counter((second.cells, first.cells) for second, first in matching.twins),
    )


@given(_rows)
def test_a_list_compared_with_itself_is_all_matches(rows: list[Cells]) -> None:
    baseline = match((), listings(*rows))
    numbers = {id(n): i for i, n in enumerate(baseline.came)}
    numbers |= {id(second): numbers[id(first)] for second, first in baseline.twins}
    seconds = {id(second) for second, _ in baseline.twins}
    came = [*baseline.came, *(second for second, _ in baseline.twins)]
    again = match([Standing(numbers[id(n)], n, id(n) in seconds) for n in came], listings(*rows))
    assert not again.gone
    assert not again.came
    assert not again.twins
    assert all(m.old.listing.cells == m.new.cells for m in again.matches)


@given(_rows, _rows)
def test_each_row_is_accounted_for_once_and_each_agreement_once(old: list[Cells], new: list[Cells]) -> None:
    standing, rows = standings(listings(*old)), listings(*new)
    found = match(standing, rows)
    shown = [m.new for m in (*found.matches, *found.spares)] + [*found.came, *(second for second, _ in found.twins)]
    assert sorted(n.row for n in shown) == [n.row for n in rows]
    assert found.rows == len(rows)
    agreements = [m.old.agreement for m in found.matches] + [s.agreement for s in found.gone]
    assert sorted(agreements) == sorted({s.agreement for s in standing})
    assert {m.old.agreement for m in found.spares} <= {m.old.agreement for m in found.matches}


@given(_rows, _rows, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_is_irrelevant(old: list[Cells], new: list[Cells], chance: Random) -> None:
    standing, rows = list(standings(listings(*old))), list(listings(*new))
    before = said(match(standing, rows))
    chance.shuffle(standing)
    chance.shuffle(rows)
    assert said(match(standing, rows)) == before


def none_twice(rows: Sequence[Cells]) -> bool:
    """Whether no two rows are one agreement respelt: the later of them is an agreement of its own in one order only."""
    values = [row.values for row in listings(*rows)]
    return not any(listed_twice(weigh(a, b)) for i, a in enumerate(values) for b in values[:i])


@given(_distinct.filter(none_twice), _distinct.filter(none_twice))
def test_looking_back_swaps_what_has_gone_with_what_has_come(old: list[Cells], new: list[Cells]) -> None:
    forth, back = compared(old, new), compared(new, old)
    assert Counter(s.listing.cells for s in forth.gone) == Counter(n.cells for n in back.came)
    assert Counter(n.cells for n in forth.came) == Counter(s.listing.cells for s in back.gone)
    assert {(m.old.listing.cells, m.new.cells) for m in forth.matches} == {
        (m.new.cells, m.old.listing.cells) for m in back.matches
    }


# --- large batches -----------------------------------------------------------------------------------------


def test_a_large_batch_that_is_respelt_at_once_is_matched_row_by_row() -> None:
    """108 rows signed one day in five states: far more pairs than are weighed one by one."""
    begin = "Quill Bram Heron Tide Marsh Oster Wick Harl Dunn Tarn Linn Ashe".split()
    places = [
        f"{one}{other}" for one in begin for other in "moor ville stead mere dale ridge combe worth field".split()
    ]
    states = ("FLORIDA", "TEXAS", "GEORGIA", "OHIO", "ARIZONA")
    old = [police(place, state=states[i % 5], county="") for i, place in enumerate(places)]
    new = [replace(row, agency=row.agency.replace("Police", "Plice")) for row in old]
    new[0] = replace(new[0], state="?")
    found = compared(old, new)
    assert {m.old.agreement: m.new.row for m in found.matches} == {
        i: row.row for i, row in enumerate(listings(*new), 1)
    }
    assert not found.gone
    assert not found.came
