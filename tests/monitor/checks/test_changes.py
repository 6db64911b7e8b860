"""What two publications mean for each agreement: kinds of changes, how much each field matters, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.checks import changes as diff
from monitor.matching.matcher import match
from monitor.model import (
    Application,
    Cells,
    Change,
    Departure,
    Kind,
    Listing,
    Match,
    Matching,
    Relation,
    Significance,
    Standing,
)
from monitor.normalize import listing
from tests.monitor.builders import NOON, cells, listings
from tests.monitor.matching.test_matcher import link, standings

SUBSTANTIVE, DOCUMENT, CLERICAL = Significance.SUBSTANTIVE, Significance.DOCUMENT, Significance.CLERICAL
ADDRESS = "https://www.ice.gov/doclib/287gMOA/Quillmarsh_TFM_MOA.pdf"
SAFELINK = (
    "https://gcc02.safelinks.protection.outlook.com/"
    "?url=https%3A%2F%2Fwww.ice.gov%2Fdoclib%2F287gMOA%2FQuillmarsh_TFM_MOA.pdf&data=05"
)


def fields(before: Cells, after: Cells) -> dict[str, Significance]:
    return {f.name: f.significance for f in diff.field_changes(listing(2, before), listing(2, after))}


def participating(old: Sequence[Cells], new: Sequence[Cells]) -> tuple[Change, ...]:
    return diff.participating(match(standings(listings(*old)), listings(*new)), (), (), {})


def told(changes: Sequence[Change]) -> list[tuple[Kind, str]]:
    return [(c.kind, (c.after or c.before or listing(0, Cells())).cells.agency) for c in changes]


# --- significance ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "before", "after", "significance"),
    [
        ("state", "GEORGIA", "Georgia ", CLERICAL),
        ("state", "GEORGAI", "GEORGIA", CLERICAL),
        ("state", "XXXX", "GEORGIA", CLERICAL),
        ("state", "GEORGIA", "XXXX", CLERICAL),
        ("state", "FLORIDA", "GEORGIA", SUBSTANTIVE),
        ("agency", "Harl County Sheriff's Offic", "Harl County Sheriff’s Office", CLERICAL),
        ("agency", "City of Harl Police Dept.", "Harl Police Department", CLERICAL),
        ("agency", "Harl Police Department", "Harl Borough Police Department", CLERICAL),
        ("agency", "Freedom Police Department", "Freeborn Police Department", CLERICAL),
        ("agency", "Harl County Sheriff's Office", "Harl County Prison", SUBSTANTIVE),
        ("agency", "Department of Financial Services", "Office of the State Fire Marshal", SUBSTANTIVE),
        ("type", "County", "Municipality", CLERICAL),
        ("county", "", "Bacon County", CLERICAL),
        ("county", "Bacon County", "#N/A", CLERICAL),
        ("county", "#N/A", "N/A", CLERICAL),
        ("county", "Bacon County ", "BACON", CLERICAL),
        ("county", "Bacn County", "Bacon County", CLERICAL),
        ("county", "Bacon County", "Appling County", SUBSTANTIVE),
        ("support_type", "Task Force Officer", "Task Force Model", CLERICAL),
        ("support_type", "", "Task Force Model", CLERICAL),
        ("support_type", "Warrant Service Officer", "Task Force Model", SUBSTANTIVE),
        ("signed", "05/082025", "2025-05-08", CLERICAL),
        ("signed", "", "2025-05-08", CLERICAL),
        ("signed", "5025-07-07", "2025-07-07", CLERICAL),
        ("signed", "5025-07-07", "7/7/5025", CLERICAL),
        ("signed", "2025-07-07", "2025-07-14", SUBSTANTIVE),
        ("signed", "2025-07-07", "", CLERICAL),
        ("signed", "2025-07-07", "2025-07-09", CLERICAL),
        ("signed", "2025-07-07", "2025-07-10", SUBSTANTIVE),
        ("signed", "2025-07-07", "soon", CLERICAL),
        ("support_type", "Task Force Model", "", CLERICAL),
        ("moa", "link pending", "Link Pending ", CLERICAL),
        ("moa", "", "link pending", CLERICAL),
        ("moa", "link pending", ADDRESS, DOCUMENT),
        ("moa", ADDRESS, "link pending", DOCUMENT),
        ("addendum", "", ADDRESS, DOCUMENT),
    ],
)
def test_how_much_a_changed_cell_matters(field: str, before: str, after: str, significance: Significance) -> None:
    assert fields(cells(**{field: before}), cells(**{field: after})) == {field: significance}


@pytest.mark.parametrize(
    ("before", "after", "significance"),
    [
        (ADDRESS, SAFELINK, CLERICAL),
        (ADDRESS, ADDRESS.replace("https:", "http:"), CLERICAL),
        (ADDRESS, f"https://web.archive.org/web/2025/{ADDRESS}", CLERICAL),
        (ADDRESS, ADDRESS.replace("TFM", "tfm"), CLERICAL),
        (ADDRESS, ADDRESS.replace("287gMOA", "moa/2026"), CLERICAL),
        (ADDRESS, ADDRESS.replace("www.ice.gov", "files.dhs.gov"), CLERICAL),
        (ADDRESS, ADDRESS.replace(".pdf", "_2.pdf"), DOCUMENT),
        (ADDRESS.replace(".pdf", "_04052025.pdf"), ADDRESS.replace(".pdf", "_04052026.pdf"), SUBSTANTIVE),
        (ADDRESS.replace(".pdf", "_04052026.pdf"), ADDRESS.replace(".pdf", "_04052025.pdf"), DOCUMENT),
        (ADDRESS.replace(".pdf", "_040525.pdf"), ADDRESS.replace(".pdf", "_04.05.2025.pdf"), DOCUMENT),
        ("", ADDRESS, DOCUMENT),
        (ADDRESS, "", DOCUMENT),
    ],
)
def test_a_link_is_judged_by_where_it_leads(before: str, after: str, significance: Significance) -> None:
    assert fields(cells(moa="link", moa_address=before), cells(moa="link", moa_address=after)) == {"moa": significance}


def test_a_field_is_told_as_published_and_a_link_by_its_address() -> None:
    before, after = cells(moa="link pending"), cells(county=" #N/A", moa="link", moa_address=SAFELINK)
    assert [(f.name, f.before, f.after) for f in diff.field_changes(listing(2, before), listing(2, after))] == [
        ("county", "Quillmarsh County", " #N/A"),
        ("moa", "link pending", SAFELINK),
    ]


def test_the_text_of_a_linked_cell_is_no_field_of_its_own() -> None:
    assert not fields(cells(moa="link", moa_address=ADDRESS), cells(moa="link ", moa_address=ADDRESS))


def test_a_change_weighs_as_much_as_its_weightiest_field() -> None:
    before = cells(signed="2025-02-14", county="")
    assert participating([before], [replace(before, county="Bacon County")])[0].significance is CLERICAL
    assert participating([before], [replace(before, county="Bacon County", **link("a"))])[0].significance is DOCUMENT
    assert participating([before], [replace(before, signed="2025-03-14", **link("a"))])[0].significance is SUBSTANTIVE


DATED = "https://www.ice.gov/doclib/287gMOA/Quillmarsh_TFM_MOA_{}.pdf"


@pytest.mark.parametrize(
    ("before", "after", "significance"),
    [
        # to the date in the name of the document, which comes with it or was there
        ({}, {"moa_address": DATED.format("04142025")}, CLERICAL),
        ({"moa_address": DATED.format("04.14.25")}, {"moa_address": DATED.format("04.14.25")}, CLERICAL),
        ({}, {"moa_address": DATED.format("04152025")}, SUBSTANTIVE),
        ({}, {}, SUBSTANTIVE),
        # signed anew: the document is another
        ({"moa_address": DATED.format("03142025")}, {"moa_address": DATED.format("04142025")}, SUBSTANTIVE),
        ({"moa_address": DATED.format("")}, {"moa_address": DATED.format("04142025")}, SUBSTANTIVE),
    ],
)
def test_a_signed_date_that_moves_to_the_one_in_its_documents_name_is_corrected(
    before: dict[str, str], after: dict[str, str], significance: Significance
) -> None:
    told = fields(cells(signed="2025-03-13", **before), cells(signed="2025-04-14", **after))
    assert told["signed"] is significance


@pytest.mark.parametrize(
    "more",
    [{"state": "FLORIDA"}, {"support_type": "Jail Enforcement Model"}, {"agency": "Harl Constable"}, link("other")],
)
def test_a_signed_date_that_moves_by_a_day_with_something_else_is_another_date(more: dict[str, str]) -> None:
    row = cells(signed="2025-06-12", **link("one"))
    assert fields(row, replace(row, signed="2025-06-11"))["signed"] is CLERICAL
    assert fields(row, replace(row, signed="2025-06-11", county="#N/A"))["signed"] is CLERICAL
    assert fields(row, replace(row, signed="2025-06-11", **more))["signed"] is SUBSTANTIVE


def test_a_document_of_a_later_day_says_that_the_agreement_was_signed_again() -> None:
    row = cells(moa="link", moa_address=DATED.format("04052025"))
    (change,) = participating([row], [replace(row, moa_address=DATED.format("04052026"))])
    assert change.significance is SUBSTANTIVE
    assert change.reasons[-1] == "document of April 5, 2026"


def test_a_document_of_another_agency_says_nothing_of_when_this_one_signed() -> None:
    """July 7, 2025: Edgewater's document was linked in the row of Edgewood."""
    row = cells("Edgewood Police Department", moa="link", moa_address=ADDRESS.replace("_MOA", "_MOA_04102025"))
    other = "https://www.ice.gov/doclib/287gMOA/EdgewaterPoliceDeptFL_TFM_MOA_07022025.pdf"
    (change,) = participating([row], [replace(row, moa_address=other)])
    assert (change.significance, change.relation) == (DOCUMENT, None)
    assert not any("July 2" in reason for reason in change.reasons)


# --- kinds -------------------------------------------------------------------------------------------------


def test_equal_publications_say_nothing() -> None:
    rows = [cells(), cells("Harl Police Department")]
    assert participating(rows, list(reversed(rows))) == ()


def test_a_row_that_comes_is_new_and_one_that_goes_terminated() -> None:
    assert told(participating([cells("Harl Police Department")], [cells("Tarn Constable")])) == [
        (Kind.TERMINATED, "Harl Police Department"),
        (Kind.NEW, "Tarn Constable"),
    ]


def test_a_corrected_spelling_is_not_a_termination() -> None:
    changes = participating([cells("Harl Polce Department")], [cells("Harl Police Department")])
    assert told(changes) == [(Kind.CHANGED, "Harl Police Department")]
    assert changes[0].significance is CLERICAL
    assert changes[0].reasons[:2] == ("same signed date", "same name but for typing errors")


def test_a_second_listing_is_no_change() -> None:
    assert participating([cells()], [cells(), cells()]) == ()
    assert participating([cells(), cells()], [cells()]) == ()


RENEWED = Relation.RENEWED
OTHER_TYPE = "the same document under another support type"
JAIL = "Jail Enforcement Model"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"signed": "2025-09-01", **link("Quillmarsh-2")}, {RENEWED}),
        ({"signed": "2025-09-01", "county": "", **link("Quillmarsh-2")}, {RENEWED}),
        ({"signed": "2025-09-01", **link("two")}, set()),  # it does not name the agency
        ({"signed": "2025-09-01"}, set()),  # a date corrected, or the old document still linked
        ({**link("Quillmarsh-2")}, set()),  # scanned again
        ({"signed": "2025-01-01", **link("two")}, set()),  # an earlier date was corrected
        ({"signed": "", **link("two")}, set()),
        ({"signed": "5025-09-01", **link("two")}, set()),
        ({"signed": "2025-09-01", "moa": "link pending", "moa_address": ""}, set()),
        ({"signed": "2025-09-01", "moa_address": "https://www.ice.gov/elsewhere/ONE.pdf"}, set()),
        ({"support_type": JAIL}, {OTHER_TYPE}),
        ({"support_type": JAIL, "moa_address": "https://www.ice.gov/elsewhere/ONE.pdf"}, {OTHER_TYPE}),
        ({"support_type": JAIL, "moa": "link pending", "moa_address": ""}, set()),
        ({"support_type": "Task Force Officer"}, set()),  # written otherwise
        ({"support_type": "#N/A"}, set()),
        ({"county": "Bacon County"}, set()),
    ],
)
def test_what_changed_cells_mean_together_is_said(after: dict[str, str], said: set[str | Relation]) -> None:
    before = cells(signed="2025-02-14", **link("one"))
    [change] = participating([before], [replace(before, **after)])
    assert change.kind is Kind.CHANGED
    assert {*change.reasons, change.relation} & {RENEWED, OTHER_TYPE} == said
    if said:
        assert change.significance is SUBSTANTIVE


@pytest.mark.parametrize("blank", [{"moa": "link pending", "moa_address": ""}, {"signed": ""}])
def test_what_was_blank_before_is_not_signed_again(blank: dict[str, str]) -> None:
    before = cells(**({"signed": "2025-02-14", **link("one")} | blank))
    [change] = participating([before], [replace(before, signed="2025-09-01", **link("two"))])
    assert change.relation is None


def test_a_support_type_filled_in_is_not_another() -> None:
    before = cells(support_type="#N/A", **link("one"))
    [change] = participating([before], [replace(before, support_type=JAIL)])
    assert OTHER_TYPE not in change.reasons


def test_an_agreement_that_returns_signed_again_says_so() -> None:
    matching, row = _came(cells(signed="2025-09-01", **link("Quillmarsh-2")))
    departure = _departure(listing(9, cells(signed="2025-02-14", **link("one"))), confirmed=True)
    [back] = diff.participating(matching, [(departure, Match(departure.standing, row, ("same key",)))], (), {})
    assert (back.kind, back.relation) == (Kind.RETURNED, RENEWED)


def test_a_correction_that_is_undone_is_two_changes() -> None:
    one, other = cells(), cells(support_type=JAIL)
    [there], [back] = participating([one], [other]), participating([other], [one])
    assert (there.kind, back.kind) == (Kind.CHANGED, Kind.CHANGED)
    assert [(f.before, f.after) for f in back.fields] == [(f.after, f.before) for f in there.fields]


def _departure(row: Listing, *, confirmed: bool, agreement: int = 7) -> Departure:
    return Departure(Standing(agreement, row), "c-left", NOON - timedelta(days=1), confirmed)


def _came(row: Cells) -> tuple[Matching, Listing]:
    found = match((), listings(row))
    return found, found.came[0]


def test_an_unconfirmed_departure_that_is_listed_again_is_withdrawn_and_then_returned() -> None:
    left = listing(9, cells(signed="2025-02-14"))
    matching, row = _came(cells(signed="2025-03-14"))
    departure = _departure(left, confirmed=False)
    changes = diff.participating(matching, [(departure, Match(departure.standing, row, ("same key",)))], (), {})
    assert [(c.kind, c.agreement, c.about) for c in changes] == [
        (Kind.WITHDRAWN, 7, "c-left"),
        (Kind.RETURNED, 7, None),
    ]
    assert [f.name for f in changes[1].fields] == ["signed"]
    assert changes[1].reasons == ("same key",)


def test_a_confirmed_departure_that_is_listed_again_is_only_returned() -> None:
    matching, row = _came(cells())
    departure = _departure(listing(9, cells()), confirmed=True)
    changes = diff.participating(matching, [(departure, Match(departure.standing, row, ()))], (), {})
    assert [c.kind for c in changes] == [Kind.RETURNED]


def test_a_returned_row_is_not_new_as_well() -> None:
    matching = match((), listings(cells(), cells("Tarn Constable")))
    row = next(n for n in matching.came if n.cells == cells())
    departure = _departure(row, confirmed=True)
    changes = diff.participating(matching, [(departure, Match(departure.standing, row, ()))], (), {})
    assert sorted(told(changes)) == [(Kind.NEW, "Tarn Constable"), (Kind.RETURNED, cells().agency)]


def test_an_application_that_becomes_an_agreement_is_new_and_says_since_when_it_was_pending() -> None:
    matching, row = _came(cells())
    application = Application(Standing(7, listing(3, cells(signed=""))), since=NOON - timedelta(days=9))
    [new] = diff.participating(matching, (), [(application, Match(application.standing, row, ("same key",)))], {})
    assert (new.kind, new.agreement, new.pending_since) == (Kind.NEW, 7, NOON - timedelta(days=9))


@pytest.mark.parametrize(("days", "said"), [(20, False), (80, True)])
def test_an_application_that_was_on_the_pending_list_long_before_says_so(days: int, said: bool) -> None:
    matching, row = _came(cells())
    since = NOON - timedelta(days=9)
    standing = Standing(7, listing(3, cells(signed="")))
    application = Application(standing, since, first_seen=since - timedelta(days=days))
    [new] = diff.participating(matching, (), [(application, Match(standing, row, ("same key",)))], {})
    assert any(reason.startswith("first seen on the pending list in ") for reason in new.reasons) is said


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_application_that_left_the_pending_list_before_was_approved_and_nothing_is_taken_back(
    confirmed: bool,
) -> None:
    matching, row = _came(cells())
    pending = listing(3, cells(signed=""))
    left = _departure(pending, confirmed=confirmed)
    application = Application(Standing(7, pending), NOON - timedelta(days=9), "c-applied", left)
    changes = diff.participating(matching, (), [(application, Match(application.standing, row, ()))], {})
    assert [(c.kind, c.about) for c in changes] == [(Kind.APPROVED, "c-left"), (Kind.NEW, None)]


def test_an_application_that_still_stands_is_approved_as_its_agreement_is_listed() -> None:
    matching, row = _came(cells())
    application = Application(Standing(7, listing(3, cells(signed=""))), NOON - timedelta(days=9), "c-applied")
    changes = diff.participating(matching, (), [(application, Match(application.standing, row, ()))], {})
    assert [(c.kind, c.about) for c in changes] == [(Kind.APPROVED, "c-applied"), (Kind.NEW, None)]


# --- the pending list --------------------------------------------------------------------------------------


def pending(old: Sequence[Cells], new: Sequence[Cells], approved: frozenset[int] = frozenset()) -> tuple[Change, ...]:
    undated = [[replace(row, signed="") for row in side] for side in (old, new)]
    return diff.pending(match(standings(listings(*undated[0])), listings(*undated[1])), (), (), (), approved)


def test_on_the_pending_list_a_row_that_comes_has_applied_and_one_that_goes_was_dropped() -> None:
    assert told(pending([cells("Harl Police Department")], [cells("Tarn Constable")])) == [
        (Kind.DROPPED, "Harl Police Department"),
        (Kind.APPLIED, "Tarn Constable"),
    ]


def test_an_application_whose_agreement_is_listed_by_now_was_not_dropped() -> None:
    assert pending([cells()], [], approved=frozenset({1})) == ()


def test_an_application_of_an_agency_that_participates_already_belongs_to_that_agreement() -> None:
    matching, row = _came(cells(signed=""))
    already = Match(Standing(7, listing(3, cells())), row, ("participating already",))
    [applied] = diff.pending(matching, (), [already], (), frozenset({7}))
    assert (applied.kind, applied.agreement, applied.reasons) == (Kind.APPLIED, 7, ("participating already",))


def test_an_application_that_was_dropped_and_comes_back_has_returned() -> None:
    matching, row = _came(cells(signed=""))
    departure = _departure(row, confirmed=False)
    changes = diff.pending(matching, [(departure, Match(departure.standing, row, ()))], (), (), frozenset())
    assert [c.kind for c in changes] == [Kind.WITHDRAWN, Kind.RETURNED]


# --- both --------------------------------------------------------------------------------------------------


def test_a_departure_that_has_stood_for_long_enough_is_confirmed_by_a_note_about_it() -> None:
    departure = _departure(listing(9, cells()), confirmed=False)
    note = diff.confirmed(departure)
    assert (note.kind, note.agreement, note.about, note.before) == (Kind.CONFIRMED, 7, "c-left", listing(9, cells()))


def test_changes_come_by_state_and_agency_and_unknown_states_last() -> None:
    changes = participating(
        [],
        [
            cells("Zell Police Department", state="ALABAMA"),
            cells("Ash Police Department", state="XXXX"),
            cells("Ash Police Department", state="GEORGIA"),
            cells("Cor Police Department", state="ALABAMA"),
        ],
    )
    assert [(c.after.cells.state, c.after.cells.agency[:4]) for c in changes if c.after] == [
        ("ALABAMA", "Cor "),
        ("ALABAMA", "Zell"),
        ("GEORGIA", "Ash "),
        ("XXXX", "Ash "),
    ]


_row = st.builds(
    cells,
    st.sampled_from(["Harl Police Department", "Harl Polce Department", "Tarn Constable", "Tarn County Jail"]),
    state=st.sampled_from(["GEORGIA", "TEXAS", "XXXX"]),
    county=st.sampled_from(["", "Bacon County"]),
    signed=st.sampled_from(["2025-02-14", "2025-03-14", ""]),
    moa_address=st.sampled_from(["", ADDRESS]),
)
_rows = st.lists(_row, max_size=6)


@given(_rows)
def test_a_list_compared_with_itself_says_nothing(rows: list[Cells]) -> None:
    assert participating(rows, rows) == ()


@given(_rows, _rows, st.randoms(use_true_random=False))
def test_what_is_said_and_its_order_do_not_depend_on_the_order_of_the_rows(
    old: list[Cells], new: list[Cells], chance: Random
) -> None:
    def said(standing: Sequence[Standing], rows: Sequence[Listing]) -> list[object]:
        return [
            (c.kind, c.agreement, c.before and c.before.cells, c.after and c.after.cells, c.fields, c.reasons)
            for c in diff.participating(match(standing, rows), (), (), {})
        ]

    standing, rows = list(standings(listings(*old))), list(listings(*new))
    before = said(standing, rows)
    chance.shuffle(standing)
    chance.shuffle(rows)
    assert said(standing, rows) == before
