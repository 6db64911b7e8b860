"""One check after another: what enters the log, and when."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.checks.decide import Rules
from monitor.checks.plausibility import Limits
from monitor.errors import SourceError
from monitor.matching.review import similar
from monitor.model import AgencyStanding, Cells, Kind, NotLinked, NotModified, Outcome, Relation, Significance
from monitor.normalize import STATES
from tests.monitor.builders import PARTICIPATING, PENDING, Service, cells, kinds, service

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

QUILL = cells()
TIDE = cells("Tidewrack County Sheriff's Office", county="Tidewrack County", signed="2025-03-03")
MERE = cells("Thistlemere Police Department", type="Municipality", county="#N/A", signed="2025-04-04")
DOCUMENT = "https://www.ice.gov/doclib/287gMOA/quillmarsh_TFM_MOA_02142025.pdf"


def many(count: int) -> list[Cells]:
    """That many agencies whose names have nothing in common."""
    words = "amber basalt cedar dune ember fjord garnet heath ivory jasper".split()
    return [
        cells(
            f"{words[n % 10]}{words[n // 10 % 10]}{words[n // 100 % 10]} Police Department".title(),
            county="#N/A",
            signed=f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}",
            state=list(STATES.values())[n % 40].upper(),
        )
        for n in range(count)
    ]


# --- what a publication says ----------------------------------------------------------------------------------


def test_the_first_publication_is_a_baseline_without_entries(here: Service) -> None:
    result = here.sees(QUILL, TIDE)
    assert result.outcome is Outcome.CHANGED
    assert here.log() == []
    assert [(a.agency, a.listed_before, a.listed) for a in here.store.agreements.all()] == [
        (QUILL.agency, True, (PARTICIPATING,)),
        (TIDE.agency, True, (PARTICIPATING,)),
    ]


def test_a_row_that_continues_no_other_is_new(here: Service) -> None:
    here.sees(QUILL)
    here.sees(QUILL, TIDE)
    (entry,) = here.log()
    assert (entry.kind, entry.agency, entry.state, entry.significance) == (
        Kind.NEW,
        TIDE.agency,
        "GA",
        Significance.SUBSTANTIVE,
    )
    assert entry.before is None
    assert entry.after == TIDE
    assert entry.publication.row == 3


def test_a_second_model_of_an_agency_is_new_and_says_what_it_stands_beside(here: Service) -> None:
    here.sees(QUILL)
    here.sees(QUILL, replace(QUILL, support_type="Jail Enforcement Model", signed="2026-02-27"))
    (entry,) = here.log()
    assert entry.kind is Kind.NEW
    assert entry.relation is Relation.ADDED
    assert entry.agency_standing == AgencyStanding(("Task Force Model",), ("Task Force Model",))


def test_a_corrected_spelling_is_not_a_termination(here: Service) -> None:
    here.sees(replace(QUILL, agency="Quilmarsh County Sheriffs Office"), TIDE)
    here.sees(QUILL, TIDE)
    (entry,) = here.log()
    assert (entry.kind, entry.significance) == (Kind.CHANGED, Significance.CLERICAL)
    assert [(f.name, f.before, f.after) for f in entry.fields] == [
        ("agency", "Quilmarsh County Sheriffs Office", QUILL.agency)
    ]
    assert "same signed date" in entry.reasons


def test_a_posted_document_changes_the_agreement(here: Service) -> None:
    here.sees(QUILL)
    here.sees(replace(QUILL, moa="link", moa_address=DOCUMENT))
    (entry,) = here.log()
    assert (entry.kind, entry.significance) == (Kind.CHANGED, Significance.DOCUMENT)
    assert [(f.name, f.before, f.after) for f in entry.fields] == [("moa", "link pending", DOCUMENT)]


def test_the_order_of_rows_changes_nothing(here: Service) -> None:
    here.sees(QUILL, TIDE, MERE)
    result = here.sees(MERE, QUILL, TIDE)
    assert result.outcome is Outcome.UNCHANGED
    assert here.log() == []


def test_an_exact_duplicate_is_neither_new_nor_missed_when_it_goes(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(QUILL, TIDE, TIDE)
    here.sees(QUILL, TIDE)
    assert here.log() == []


def test_a_new_agreement_listed_twice_is_new_once(here: Service) -> None:
    here.sees(QUILL)
    here.sees(QUILL, TIDE, TIDE)
    assert here.told() == [(Kind.NEW, TIDE.agency)]


def test_a_state_that_nobody_knows_is_recorded_as_unknown(here: Service) -> None:
    here.sees(QUILL)
    here.sees(QUILL, replace(TIDE, state="#REF!"))
    (entry,) = here.log()
    assert (entry.kind, entry.state, entry.after and entry.after.state) == (Kind.NEW, None, "#REF!")


def test_a_batch_undone_and_done_again_is_three_changes(here: Service) -> None:
    """7, 8 and Aug. 11, 2025: A → B → A, saved anew each time."""
    other = replace(QUILL, agency="Quillmarsh County Board of County Commissioners")
    here.sees(QUILL, TIDE)
    here.sees(other, TIDE)
    here.sees(QUILL, TIDE)
    assert kinds(here.log()) == [Kind.CHANGED, Kind.CHANGED]
    assert len({entry.agreement for entry in here.log()}) == 1


# --- leaving and coming back -----------------------------------------------------------------------------------


def test_a_row_that_is_gone_is_an_unconfirmed_departure(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    (entry,) = here.log()
    assert (entry.kind, entry.status, entry.agency) == (Kind.TERMINATED, "unconfirmed", QUILL.agency)
    assert entry.before == QUILL
    assert entry.after is None


def test_a_departure_is_confirmed_after_48_hours_of_checks(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.check(after=47 * HOUR)
    assert kinds(here.log()) == [Kind.TERMINATED]
    here.check(after=HOUR)
    departure, note = here.log()
    assert (note.kind, note.about) == (Kind.CONFIRMED, departure.id)
    assert departure.status == "confirmed"
    here.check(after=DAY)
    assert len(here.log()) == 2


def test_a_304_counts_as_a_check_that_lacks_the_row(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.source.answers[PARTICIPATING] = NotModified("https://ice.test/list.xlsx")
    here.check(after=2 * DAY)
    assert kinds(here.log()) == [Kind.TERMINATED, Kind.CONFIRMED]


def test_a_failed_check_confirms_nothing(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.source.answers[PARTICIPATING] = SourceError("https://ice.test", "answered 500")
    result = here.check(after=3 * DAY)
    assert result.outcome is Outcome.FAILED
    assert kinds(here.log()) == [Kind.TERMINATED]


def test_no_confirmation_clock_runs_while_the_list_is_held(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.gives(b"PK no workbook")
    here.check(after=HOUR)
    here.publishes(TIDE)
    here.check(after=47 * HOUR)
    assert kinds(here.log()) == [Kind.TERMINATED]
    here.check(after=48 * HOUR)
    assert kinds(here.log()) == [Kind.TERMINATED, Kind.CONFIRMED]


def test_hours_of_failed_checks_confirm_nothing_afterwards(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    seen = here.source.answers[PARTICIPATING]
    here.source.answers[PARTICIPATING] = SourceError("https://ice.test", "answered 500")
    here.check(after=HOUR)
    here.source.answers[PARTICIPATING] = seen
    here.check(after=60 * HOUR)
    assert kinds(here.log()) == [Kind.TERMINATED]


def test_a_row_that_comes_back_soon_withdraws_the_departure(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.sees(QUILL, TIDE)
    departure, withdrawn, returned = here.log()
    assert (departure.kind, departure.status) == (Kind.TERMINATED, "withdrawn")
    assert (withdrawn.kind, withdrawn.about) == (Kind.WITHDRAWN, departure.id)
    assert (returned.kind, returned.agreement) == (Kind.RETURNED, departure.agreement)


def test_a_row_that_comes_back_late_has_returned_and_nothing_is_withdrawn(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.check(after=3 * DAY)
    here.sees(replace(QUILL, signed="2026-03-01"), TIDE, after=30 * DAY)
    assert kinds(here.log()) == [Kind.TERMINATED, Kind.CONFIRMED, Kind.RETURNED]
    returned = here.log()[-1]
    assert [(f.name, f.before, f.after) for f in returned.fields] == [("signed", "2025-02-14", "2026-03-01")]


def test_an_agreement_that_came_back_can_leave_again(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.sees(QUILL, TIDE)
    here.sees(TIDE)
    here.check(after=3 * DAY)
    assert kinds(here.log())[3:] == [Kind.TERMINATED, Kind.CONFIRMED]
    assert here.log()[-1].about == here.log()[3].id


def test_of_two_that_stood_side_by_side_one_returns_while_the_other_leaves(here: Service) -> None:
    """By state, day and name the two might be one agreement, had they not been listed as two."""
    melbourne, city = (replace(MERE, agency=f"{name} Police Department") for name in ("Melbourne", "City of Melbourne"))
    here.sees(TIDE, melbourne, city)
    here.sees(TIDE, city)
    here.check(after=3 * DAY)
    here.sees(TIDE, melbourne)
    assert here.told()[2:] == [(Kind.TERMINATED, city.agency), (Kind.RETURNED, melbourne.agency)]


def test_two_that_never_stood_side_by_side_may_be_one(here: Service) -> None:
    melbourne, city = (replace(MERE, agency=f"{name} Police Department") for name in ("Melbourne", "City of Melbourne"))
    here.sees(TIDE, melbourne)
    here.sees(TIDE)
    here.check(after=3 * DAY)
    here.sees(TIDE, replace(city, signed="2026-03-04"))
    here.sees(TIDE, replace(melbourne, signed="2026-03-04"))
    assert here.told()[2:] == [(Kind.NEW, city.agency), (Kind.CHANGED, melbourne.agency)]


# --- the pending list ------------------------------------------------------------------------------------------


def application(row: Cells) -> Cells:
    """A row as the pending list shows it: without a date and a document."""
    return replace(row, signed="", moa="")


def test_an_application_is_applied_and_when_it_leaves_dropped(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(application(TIDE), application(MERE), list_=PENDING)
    here.sees(application(MERE), list_=PENDING)
    assert here.told() == [(Kind.APPLIED, MERE.agency), (Kind.DROPPED, TIDE.agency)]
    here.check(after=3 * DAY)
    here.check(PENDING)
    assert here.log()[1].status == "confirmed"


def test_that_an_application_left_is_not_confirmed_before_it_was_looked_for_on_the_other_list(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(list_=PENDING)
    here.check(PENDING, after=3 * DAY)
    assert [e.status for e in here.log()] == ["unconfirmed"]
    here.check()
    here.check(PENDING)
    assert here.log()[0].status == "confirmed"


def test_an_agreement_that_was_pending_says_since_when(here: Service) -> None:
    here.sees(QUILL)
    here.sees(list_=PENDING)
    here.sees(application(TIDE), list_=PENDING)
    applied_at = here.now
    here.sees(QUILL, TIDE)
    here.sees(list_=PENDING)
    applied, approved, new = here.log()
    assert (approved.kind, approved.about, applied.status) == (Kind.APPROVED, applied.id, "approved")
    assert (new.kind, new.pending_since, new.agreement) == (Kind.NEW, applied_at, applied.agreement)
    assert not new.pending_before


def test_an_application_on_the_first_pending_list_was_pending_since_some_day_before(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    read_at = here.now
    here.sees(QUILL, TIDE)
    (new,) = here.log()
    assert (new.pending_since, new.pending_before) == (read_at, True)


def test_since_when_an_application_is_pending_counts_its_present_stay(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(list_=PENDING)
    here.check(after=3 * DAY)
    here.check(PENDING)
    here.sees(application(TIDE), list_=PENDING)
    back_at = here.now
    here.sees(QUILL, TIDE)
    assert (here.log()[-1].pending_since, here.log()[-1].pending_before) == (back_at, False)


def test_an_application_that_was_back_before_its_departure_was_confirmed_never_left(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    read_at = here.now
    here.sees(list_=PENDING)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(QUILL, TIDE)
    assert here.log()[-1].pending_since == read_at


def test_an_application_that_left_days_before_it_was_listed_was_approved(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(list_=PENDING)
    here.sees(QUILL, TIDE, after=DAY)
    dropped, approved, new = here.log()
    assert (dropped.kind, dropped.status) == (Kind.DROPPED, "approved")
    assert (approved.kind, approved.about) == (Kind.APPROVED, dropped.id)
    assert new.kind is Kind.NEW
    here.check(PENDING, after=3 * DAY)
    assert len(here.log()) == 3


def test_an_application_under_another_model_has_changed(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(application(replace(TIDE, support_type="Jail Enforcement Model")), list_=PENDING)
    (changed,) = here.log()
    assert (changed.kind, changed.significance) == (Kind.CHANGED, Significance.SUBSTANTIVE)
    assert [f.name for f in changed.fields] == ["support_type"]


def test_an_application_for_another_model_beside_the_one_that_was_approved_is_its_own(here: Service) -> None:
    other = application(replace(TIDE, support_type="Jail Enforcement Model"))
    here.sees(QUILL)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(QUILL, TIDE)
    here.sees(other, list_=PENDING)
    assert Kind.CHANGED not in {entry.kind for entry in here.log()}
    assert here.log()[-1].kind is Kind.APPLIED


HARL = replace(MERE, agency="Harl Police Department")
MISSPELT = replace(MERE, agency="Harl Polce Department")


def test_a_misspelt_application_that_left_the_day_before_is_the_agreement_that_is_listed(here: Service) -> None:
    """May 16, 2025: the name and the moment are two signals."""
    here.sees(QUILL)
    here.sees(application(MISSPELT), list_=PENDING)
    applied_at = here.now
    here.sees(list_=PENDING)
    here.sees(QUILL, HARL, after=DAY)
    assert here.told() == [
        (Kind.DROPPED, MISSPELT.agency),
        (Kind.APPROVED, HARL.agency),
        (Kind.NEW, HARL.agency),
    ]
    new = here.log()[-1]
    assert (new.agreement, new.pending_since) == (here.log()[0].agreement, applied_at)
    assert new.reasons == (
        "same name but for typing errors",
        "same support type",
        "left the pending list as it was listed",
    )


def test_a_misspelt_application_that_still_stands_is_not_the_agreement_that_is_listed(here: Service) -> None:
    """A likeness of names alone never suffices: two townships may be a letter apart."""
    here.sees(QUILL)
    here.sees(application(MISSPELT), application(TIDE), list_=PENDING)
    here.sees(QUILL, HARL)
    assert here.log()[0].pending_since is None


def test_a_misspelt_application_that_left_long_before_is_not_the_agreement_that_is_listed(here: Service) -> None:
    here.sees(QUILL)
    here.sees(application(MISSPELT), list_=PENDING)
    here.sees(list_=PENDING)
    here.check(after=3 * DAY)
    here.check(PENDING)
    here.sees(QUILL, HARL)
    assert (here.log()[-1].kind, here.log()[-1].pending_since) == (Kind.NEW, None)


def test_an_application_that_leaves_as_its_agreement_is_listed_under_another_name_was_approved(here: Service) -> None:
    """April 28, 2025: three cities were listed with "City of", and left the pending list without it hours later."""
    here.sees(QUILL)
    here.sees(application(HARL), application(TIDE), list_=PENDING)
    here.sees(QUILL, replace(HARL, agency="City of Harl  Police Department"))
    here.sees(list_=PENDING, after=DAY)
    new, dropped, approved = here.log()
    assert (dropped.kind, dropped.agency) == (Kind.DROPPED, TIDE.agency)
    assert approved.kind is Kind.APPROVED
    assert approved.reasons == (
        "moved from the pending to the participating list",
        "same name in other words",
        "same support type",
        "left the pending list as it was listed",
    )
    assert here.store.agreements.resolve(new.agreement) == here.store.agreements.resolve(approved.agreement)


def test_an_agreement_that_had_an_application_of_its_own_or_was_listed_long_before_is_not_named(here: Service) -> None:
    city = replace(HARL, agency="City of Harl Police Department")
    here.sees(QUILL)
    here.sees(application(HARL), application(city), application(MISSPELT), list_=PENDING)
    here.sees(QUILL, city)
    here.sees(application(MISSPELT), list_=PENDING)
    here.sees(QUILL, city, HARL)
    here.check(after=3 * DAY)
    here.sees(list_=PENDING)
    assert {entry.reasons for entry in here.log() if entry.kind is Kind.DROPPED} == {()}


def test_a_misspelt_application_of_an_agency_that_participates_belongs_to_its_agreement(here: Service) -> None:
    """July 21, 2025: a county's "Sherrif" applied, and was dropped the same day, while its sheriff participated."""
    here.sees(QUILL, TIDE)
    here.sees(list_=PENDING)
    here.sees(application(replace(TIDE, agency="Tidewrack County Sherrif's Office")), list_=PENDING)
    here.sees(list_=PENDING)
    (applied,) = here.log()
    assert (applied.kind, applied.reasons) == (
        Kind.APPLIED,
        ("same name but for typing errors", "same county", "same support type"),
    )
    assert applied.agreement in {a.id for a in here.store.agreements.all() if a.listed_before}


def test_a_second_pending_row_of_an_application_that_is_participating_is_no_news(here: Service) -> None:
    """The application was misspelt, and is participating under its right name; then both spellings stand as pending."""
    alder = cells("Alder County Sheriff's Office", county="Alder County")
    adler = replace(application(alder), agency="Alder Conty Sherif's Office")
    here.sees(QUILL)
    here.sees(adler, list_=PENDING)
    here.sees(QUILL, alder)
    here.sees(adler, application(alder), list_=PENDING)
    here.sees(application(alder), application(MERE), list_=PENDING)
    here.sees(application(MERE), list_=PENDING)
    assert len({e.agreement for e in here.log() if e.agency == alder.agency}) == 1
    assert Kind.DROPPED not in kinds(here.log())
    assert [e.agency for e in here.log() if e.kind is Kind.APPLIED] == [MERE.agency]


def test_a_pending_row_that_takes_the_name_that_participates_neither_goes_nor_comes(here: Service) -> None:
    alder = cells("Alder County Sheriff's Office", county="Alder County")
    here.sees(QUILL)
    here.sees(application(alder), list_=PENDING)
    here.sees(QUILL, alder)
    jail = replace(alder, agency="Alder County Jail", county="#N/A")
    here.sees(QUILL, jail)
    here.sees(application(jail), list_=PENDING)
    assert not {Kind.DROPPED, Kind.APPLIED, Kind.TERMINATED} & set(kinds(here.log()))
    assert {e.list for e in here.log() if e.kind is Kind.CHANGED} == {PARTICIPATING, PENDING}


def test_an_agreement_that_left_and_applies_again_keeps_its_name(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(MERE, list_=PENDING)
    here.sees(QUILL)
    here.check(after=3 * DAY)
    here.sees(MERE, application(TIDE), list_=PENDING)
    here.sees(QUILL, TIDE)
    here.sees(MERE, list_=PENDING)
    here.check(PENDING, after=3 * DAY)
    of_tide = [e for e in here.log() if e.agency == TIDE.agency]
    assert kinds(of_tide) == [Kind.TERMINATED, Kind.CONFIRMED, Kind.APPLIED, Kind.RETURNED]
    assert len({e.agreement for e in of_tide}) == 1


def test_coming_back_to_one_list_does_not_settle_a_departure_from_the_other(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(QUILL)
    here.sees(list_=PENDING)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(QUILL, TIDE)
    assert kinds(here.log())[-2:] == [Kind.WITHDRAWN, Kind.RETURNED]
    assert [e.status for e in here.log() if e.kind in (Kind.TERMINATED, Kind.DROPPED)] == ["withdrawn", "withdrawn"]
    assert len({e.agreement for e in here.log()}) == 1


def test_a_dropped_application_whose_agreement_returns_was_not_dropped(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees(application(TIDE), list_=PENDING)
    here.sees(QUILL)
    here.sees(list_=PENDING)
    here.sees(QUILL, TIDE)
    assert [e.status for e in here.log() if e.kind in (Kind.TERMINATED, Kind.DROPPED)] == ["withdrawn", "approved"]
    here.check(PENDING, after=3 * DAY)
    assert Kind.CONFIRMED not in kinds(here.log())


def test_a_baseline_says_which_applications_were_approved(here: Service) -> None:
    here.sees(application(TIDE), list_=PENDING)
    here.sees(list_=PENDING)
    here.sees(QUILL, TIDE)
    here.check(PENDING, after=3 * DAY)
    assert [(e.kind, e.status) for e in here.log()] == [(Kind.DROPPED, "approved"), (Kind.APPROVED, None)]


def test_a_baseline_after_a_held_list_is_the_baseline(here: Service) -> None:
    here.gives(b"PK no workbook")
    here.check()
    document = {"moa": "link", "moa_address": DOCUMENT}
    here.sees(replace(QUILL, **document), TIDE)
    here.sees(application(QUILL), list_=PENDING)
    other = replace(QUILL, support_type="Jail Enforcement Model", signed="2026-02-02", **document)
    here.sees(replace(QUILL, **document), other, TIDE)
    here.sees(replace(QUILL, **document), other)
    listed = [e for e in here.log() if e.kind is Kind.NEW]
    assert len(listed) == 1
    assert listed[0].agreement not in {a.id for a in here.store.agreements.all() if a.listed_before}


def test_of_two_applications_that_stood_side_by_side_one_returns_while_the_other_leaves(here: Service) -> None:
    one, other = (application(replace(MERE, agency=f"{name} Police Department")) for name in ("Harl", "City of Harl"))
    here.sees(TIDE)
    here.sees(one, other, list_=PENDING)
    here.sees(other, list_=PENDING)
    here.check(after=3 * DAY)
    here.check(PENDING)
    here.sees(one, list_=PENDING)
    assert here.told()[2:] == [(Kind.DROPPED, other.agency), (Kind.RETURNED, one.agency)]


def test_an_application_does_not_become_one_that_stood_beside_it_and_participates_now(here: Service) -> None:
    one, other = (replace(MERE, agency=f"{name} Police Department") for name in ("Harl", "City of Harl"))
    here.sees(TIDE)
    here.sees(application(one), application(other), list_=PENDING)
    here.sees(TIDE, one)
    here.sees(application(other), list_=PENDING)
    here.sees(application(one), list_=PENDING)
    assert here.told()[1:] == [(Kind.DROPPED, other.agency), (Kind.APPLIED, one.agency)]
    assert here.log()[0].agreement == here.log()[2].agreement


def test_a_dropped_application_does_not_return_as_one_that_stood_beside_it_and_participates_now(here: Service) -> None:
    one, other = (
        replace(MERE, agency=f"{name} Police Department", county="Bay County") for name in ("Harl", "City of Harl")
    )
    here.sees(TIDE)
    here.sees(application(one), application(other), list_=PENDING)
    here.sees(TIDE, one)
    here.sees(list_=PENDING)
    here.sees(application(one), list_=PENDING)
    assert here.told()[1:] == [(Kind.DROPPED, other.agency), (Kind.APPLIED, one.agency)]


def test_a_pending_list_that_is_not_linked_is_not_all_pending_gone(here: Service) -> None:
    here.sees(application(TIDE), list_=PENDING)
    here.source.answers[PENDING] = NotLinked("page")
    assert here.check(PENDING, after=DAY).outcome is Outcome.NOT_LINKED
    assert here.log() == []


def test_an_empty_pending_list_drops_its_applications(here: Service) -> None:
    here.sees(application(TIDE), list_=PENDING)
    here.sees(list_=PENDING)
    assert here.told() == [(Kind.DROPPED, TIDE.agency)]


# --- holding a publication -------------------------------------------------------------------------------------


def test_swapped_workbooks_are_held_and_change_nothing(here: Service) -> None:
    """Sept. 22, 2025: each link led to the other list."""
    here.sees(QUILL, TIDE)
    here.sees(application(MERE), list_=PENDING)
    participating, pending = here.source.answers[PARTICIPATING], here.source.answers[PENDING]
    here.source.answers = {PARTICIPATING: pending, PENDING: participating}
    results = [here.check(PARTICIPATING, after=HOUR), here.check(PENDING)]
    assert [r.outcome for r in results] == [Outcome.HELD, Outcome.HELD]
    assert all(r.newly_held for r in results)
    assert here.log() == []
    assert [p.verdict for p in here.store.publications.all()] == ["accepted", "accepted", "held", "held"]


def test_a_hold_is_news_once_and_moot_when_the_list_is_right_again(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.gives(b"PK no workbook")
    assert here.check(after=HOUR).newly_held
    assert not here.check(after=HOUR).newly_held
    here.publishes(QUILL, TIDE)
    assert here.check(after=HOUR).outcome is Outcome.UNCHANGED
    assert [p.verdict for p in here.store.publications.all()] == ["accepted", "moot"]


def test_an_empty_participating_list_is_held_for_good(here: Service) -> None:
    here.sees(QUILL, TIDE)
    here.sees()
    assert here.check(after=30 * DAY).outcome is Outcome.HELD
    assert here.log() == []


@pytest.mark.parametrize("after", [("Hybrid Model (new)", "Mobile Unit Model (new)"), ("", "")])
def test_unknown_support_types_that_are_respelled_or_blanked_at_once_end_nothing(
    here: Service, after: tuple[str, str]
) -> None:
    other = cells("Tarn Constable")
    here.sees(*(cells(support_type=name) for name in ("Hybrid Model", "Mobile Unit Model")), other)
    here.sees(*(cells(support_type=name) for name in after), other)
    assert not {kind for kind, _ in here.told()} & {Kind.TERMINATED, Kind.NEW}


def test_an_application_that_leaves_names_what_is_new_under_a_similar_name(here: Service) -> None:
    """July 24, 2025: "St. Charles Place Sheriff's Office" left as "St. Charles Parish Sheriff's Office" came."""
    louisiana = {"state": "LOUISIANA", "county": "#N/A"}
    place = cells("St. Charles Place Sheriff's Office", signed="", **louisiana)
    parish, other = (cells(f"{name} Sheriff's Office", **louisiana) for name in ("St. Charles Parish", "Acadia Parish"))
    here.sees(cells(), list_=PARTICIPATING)
    here.sees(place, cells("Tarn Constable"), list_=PENDING)
    here.sees(cells(), parish, other, list_=PARTICIPATING)
    here.sees(cells("Tarn Constable"), list_=PENDING)
    [left] = [entry for entry in here.log() if entry.kind is Kind.DROPPED]
    assert similar(left.reasons) == (f"{parish.agency} (Task Force Model)",)


def test_two_support_types_that_nobody_knows_are_two_agreements(here: Service) -> None:
    hybrid, mobile = (cells(support_type=name) for name in ("Hybrid Model", "Mobile Unit Model"))
    other = cells("Tarn Constable")
    here.sees(hybrid, mobile, other)
    here.sees(hybrid, other)
    assert here.told() == [(Kind.TERMINATED, hybrid.agency)]
    assert here.log()[0].support_type == "Mobile Unit Model"


@pytest.mark.slow
def test_a_great_departure_is_held_until_ice_stands_by_it(here: Service) -> None:
    rows = many(600)
    here.sees(*rows)
    assert here.sees(*rows[25:]).outcome is Outcome.HELD
    assert here.check(after=47 * HOUR).outcome is Outcome.HELD
    first_seen = here.now - 47 * HOUR
    assert here.check(after=HOUR).outcome is Outcome.CHANGED
    assert kinds(here.log()) == [Kind.TERMINATED] * 25
    assert {e.observed_at for e in here.log()} == {first_seen}
    assert {e.recorded_at for e in here.log()} == {here.now}


@pytest.mark.slow
def test_further_publications_that_agree_let_the_two_days_run_on(here: Service) -> None:
    rows = many(600)
    here.sees(*rows[:590])
    outcomes = [here.sees(*rows[25 : 590 + n], after=24 * HOUR).outcome for n in range(3)]
    assert outcomes == [Outcome.HELD, Outcome.HELD, Outcome.CHANGED]
    assert kinds(here.log()).count(Kind.TERMINATED) == 25
    assert [p.verdict for p in here.store.publications.all()] == ["accepted", "moot", "moot", "accepted"]


def test_a_long_pending_list_that_is_empty_is_held_for_two_days(here: Service) -> None:
    here.sees(QUILL)
    here.sees(*map(application, many(60)), list_=PENDING)
    assert here.sees(list_=PENDING).outcome is Outcome.HELD
    assert here.log() == []
    assert here.check(PENDING, after=48 * HOUR).outcome is Outcome.CHANGED


def test_half_a_list_that_was_accepted_is_repaired_by_the_whole_one_in_another_file(here: Service) -> None:
    rows = many(60)
    here.sees(*rows)
    here.rules = Rules(Limits(gone_rows=1000))
    here.sees(*rows[30:])
    here.rules = Rules()
    assert kinds(here.log()) == [Kind.TERMINATED] * 30
    here.publishes(*rows, saved=here.now + DAY)
    assert here.check(after=HOUR).outcome is Outcome.CHANGED
    assert kinds(here.log())[30:] == [Kind.WITHDRAWN, Kind.RETURNED] * 30


def test_an_earlier_workbook_served_again_is_held_for_a_day(here: Service) -> None:
    here.publishes(QUILL, TIDE)
    first = here.source.answers[PARTICIPATING]
    here.check()
    here.sees(QUILL, TIDE, MERE)
    here.source.answers[PARTICIPATING] = first
    assert here.check(after=HOUR).outcome is Outcome.HELD
    assert here.check(after=23 * HOUR).outcome is Outcome.HELD
    assert here.check(after=HOUR).outcome is Outcome.CHANGED
    assert here.told() == [(Kind.NEW, MERE.agency), (Kind.TERMINATED, MERE.agency)]


# --- the past is safe ------------------------------------------------------------------------------------------


def test_the_log_cannot_be_edited(here: Service) -> None:
    here.sees(QUILL)
    here.sees(QUILL, TIDE)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        here.store.state.run("UPDATE entries SET kind = 'changed'")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        here.store.state.run("DELETE FROM entries")


def test_ids_are_the_same_wherever_the_same_is_seen(here: Service, tmp_path: Path) -> None:
    here.sees(QUILL)
    here.sees(QUILL, TIDE)
    (tmp_path / "other").mkdir()
    with service(tmp_path / "other", here.reader) as other:
        other.sees(QUILL)
        other.sees(QUILL, TIDE)
        assert [e.id for e in other.log()] == [e.id for e in here.log()]
        assert [a.id for a in other.store.agreements.all()] == [a.id for a in here.store.agreements.all()]
