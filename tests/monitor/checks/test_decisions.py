"""What an operator decides: held publications believed or refused, doubtful pairs answered, entries retracted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from monitor.checks import decisions
from monitor.errors import NotFound, NotPossible
from monitor.model import (
    Cells,
    Fetched,
    Kind,
    ListName,
    NotLinked,
    NotModified,
    Outcome,
    Validators,
)
from monitor.rebuild.rebuild import rebuild
from monitor.rebuild.target import Target
from monitor.remarks import NotListing, Remarks, UnknownColumn
from monitor.storage.publications import PublicationRecord
from tests.monitor import hostile
from tests.monitor.builders import PARTICIPATING, PENDING, Scripted, Service, cells, kinds
from tests.monitor.checks.test_check import many

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

ROWS = many(60)
FEWER = ROWS[25:]
LEFT = cells("Quillmarsh County Sheriff's Office")
# One signed date, one county, one support type, and another name: enough to ask, not to believe.
CAME = cells("Larkmere Harbor Patrol")
STAYS = cells("Tidewrack County Sheriff's Office", county="Tidewrack County", signed="2025-03-03")


def held(here: Service) -> PublicationRecord:
    """The publication that waits."""
    (waiting,) = (p for p in here.store.publications.all() if p.verdict == "held")
    return waiting


def accept(here: Service, id: str, why: str = "") -> None:
    decisions.accept(here.store, here.reader, id, now=here.now, rules=here.rules, why=why)


# --- held publications -----------------------------------------------------------------------------------------


def test_an_accepted_publication_is_recorded_as_of_when_it_was_seen(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    seen = here.now
    here.now += 5 * HOUR
    accept(here, held(here).id, "ICE confirmed it by mail")
    assert kinds(here.log()) == [Kind.TERMINATED] * 25
    assert {(e.observed_at, e.recorded_at, e.announce) for e in here.log()} == {(seen, here.now, True)}
    assert here.check(after=HOUR).outcome is Outcome.UNCHANGED
    assert [(d.verdict, d.by) for d in here.store.publications.verdicts(here.log()[0].publication.id)] == [
        ("held", "the rules"),
        ("accepted", "an operator (ICE confirmed it by mail)"),
    ]


def test_what_accepting_would_say_is_what_it_says_and_changes_nothing(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER, LEFT)
    before = list(here.store.state.rows("SELECT * FROM decisions"))
    foreseen = decisions.rehearse(here.store, here.reader, held(here).id, now=here.now, rules=here.rules)
    assert here.log() == []
    assert list(here.store.state.rows("SELECT * FROM decisions")) == before
    accept(here, held(here).id)
    assert [(e.id, e.kind, e.agency) for e in here.log()] == [(e.id, e.kind, e.agency) for e in foreseen]
    assert len(foreseen) == 26


def test_no_check_is_recorded_by_accepting_so_that_no_departure_ages_by_it(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    checks = here.store.checks.last()
    here.now += 3 * DAY
    accept(here, held(here).id)
    assert here.store.checks.last() == checks
    assert {e.status for e in here.log()} == {"unconfirmed"}


def test_the_list_before_an_accepted_one_is_seen_when_it_comes_back(here: Service) -> None:
    """ICE's server says "not modified" of a workbook that it served before; that is not the one that was accepted."""

    class AsIce(Scripted):
        def fetch(self, list_: ListName, since: Validators) -> Fetched | NotModified | NotLinked:
            answer = super().fetch(list_, since)
            same = isinstance(answer, Fetched) and answer.sha256 == since.sha256
            return NotModified("https://ice.test/list.xlsx") if same else answer

    here.source = AsIce()
    before = here.publishes(*ROWS)
    here.check()
    here.sees(*FEWER)
    accept(here, held(here).id)
    here.gives(before.content)
    assert here.check(after=HOUR).outcome is Outcome.CHANGED  # it only brings rows back


def test_a_later_held_publication_still_waits_when_an_earlier_one_is_accepted(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    first = held(here)
    here.sees(*FEWER[22:])
    accept(here, first.id)
    assert [p.verdict for p in here.store.publications.all()] == ["accepted", "accepted", "held"]
    assert here.check(after=HOUR).outcome is Outcome.HELD  # 22 of 35 have gone from what is believed now


def test_accepting_old_news_tells_nobody(here: Service) -> None:
    here.sees(*ROWS)
    here.announce = False
    here.sees(*FEWER)
    accept(here, held(here).id)
    assert {e.announce for e in here.log()} == {False}


def test_a_rejected_publication_is_refused_for_as_long_as_it_is_served(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    decisions.reject(here.store, held(here).id, now=here.now, why="the middle of the file is missing")
    for _ in range(4):
        result = here.check(after=DAY)
        assert (result.outcome, result.newly_held) == (Outcome.HELD, False)
    assert [p.verdict for p in here.store.publications.all()] == ["accepted", "rejected"]
    assert here.log() == []


def test_rejected_rows_saved_anew_are_refused_as_well(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    decisions.reject(here.store, held(here).id, now=here.now)
    assert not here.sees(*reversed(FEWER)).newly_held
    assert len(list(here.store.publications.all())) == 2


def test_what_differs_from_a_rejected_publication_is_judged_anew(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    decisions.reject(here.store, held(here).id, now=here.now)
    assert here.sees(*FEWER[1:]).newly_held
    assert here.sees(*ROWS[1:]).outcome is Outcome.CHANGED
    assert [p.verdict for p in here.store.publications.all()] == ["accepted", "rejected", "moot", "accepted"]


def test_a_rejected_publication_can_be_accepted_after_all(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    id = held(here).id
    decisions.reject(here.store, id, now=here.now)
    accept(here, id)
    assert kinds(here.log()) == [Kind.TERMINATED] * 25


def test_an_unreadable_workbook_can_be_rejected_and_not_accepted(here: Service) -> None:
    here.sees(*ROWS)
    here.gives(b"PK no workbook")
    here.check(after=HOUR)
    with pytest.raises(NotPossible, match=r"cannot be accepted: .*`publications reject` it"):
        accept(here, held(here).id)
    decisions.reject(here.store, held(here).id, now=here.now)
    assert not here.check(after=DAY).newly_held


def test_the_other_list_cannot_be_accepted(here: Service) -> None:
    here.sees(*ROWS)
    here.publishes(replace(LEFT, signed="", moa=""), list_=PENDING)
    here.source.answers[PARTICIPATING] = here.source.answers[PENDING]
    here.check(after=HOUR)
    with pytest.raises(NotPossible, match="its columns are those of the pending list"):
        accept(here, held(here).id)
    assert here.log() == []


def test_an_empty_participating_list_can_be_accepted(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees()
    accept(here, held(here).id)
    assert kinds(here.log()) == [Kind.TERMINATED] * 2


@pytest.mark.parametrize("act", ["accept", "reject"])
def test_only_what_waits_can_be_decided_on(act: str, here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    waiting = held(here).id
    here.sees(*ROWS)  # moot
    (believed,) = (p.id for p in here.store.publications.all() if p.verdict == "accepted")
    for id, why in ((waiting, "it is moot"), (believed, "it is accepted")):
        with pytest.raises(NotPossible, match=why):
            accept(here, id) if act == "accept" else decisions.reject(here.store, id, now=here.now)
    with pytest.raises(NotFound):
        accept(here, "p-nothing")


# --- doubtful pairs --------------------------------------------------------------------------------------------


def doubtful(here: Service) -> str:
    """A pair that a person is asked about; the id of the review."""
    here.sees(LEFT, STAYS)
    assert here.sees(CAME, STAYS).asked == 1
    (review,) = here.store.reviews.all()
    return review.id


def test_a_doubtful_pair_stands_as_a_departure_and_an_arrival_that_name_each_other(here: Service) -> None:
    doubtful(here)
    entries = {e.kind: e for e in here.log()}
    new, gone = entries[Kind.NEW], entries[Kind.TERMINATED]
    assert gone.reasons[-1] == f"may be the same as {CAME.agency} (Task Force Model), {new.agreement}"
    assert new.reasons[-1] == f"may be the same as {LEFT.agency} (Task Force Model), {gone.agreement}"
    (review,) = here.store.reviews.all()
    assert (review.departure.id, review.arrival.id) == (gone.id, new.id)
    assert review.reasons == (
        "same signed date",
        "same county",
        "same support type",
        "replaced in the same publication",
        "another name",
    )


def test_a_departure_that_a_person_is_asked_about_is_confirmed_once_they_say_that_the_two_are_different(
    here: Service,
) -> None:
    id = doubtful(here)
    for _ in range(30):
        here.check(after=DAY)
    assert Kind.CONFIRMED not in kinds(here.log())
    decisions.different(here.store, id, now=here.now)
    here.check(after=DAY)
    assert kinds(here.log())[-1] is Kind.CONFIRMED


def test_a_row_without_a_document_under_a_name_that_holds_the_others_is_asked_about(here: Service) -> None:
    """April 30, 2025: "Damascus County Constable" became "Damascus Township Constable"."""
    bare = {"county": "#N/A", "moa": "link pending", "moa_address": ""}
    left, came = (cells(f"Damascus {form} Constable", **bare) for form in ("County", "Township"))
    here.sees(left, STAYS)
    here.sees(came, STAYS)
    [review] = here.store.reviews.all()
    assert (review.departure.agency, review.arrival.agency) == (left.agency, came.agency)


def test_one_that_left_days_before_is_asked_about_too(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(STAYS)
    here.sees(CAME, STAYS, after=DAY)
    (review,) = here.store.reviews.all()
    assert review.departure.agency == LEFT.agency
    assert "replaced in the same publication" not in review.reasons
    assert f"may be the same as {LEFT.agency}" in here.log()[-1].reasons[-1]
    here.check(after=3 * DAY)
    assert Kind.CONFIRMED not in kinds(here.log())


def test_same_takes_the_departure_back_and_leads_the_younger_id_to_the_older(here: Service) -> None:
    id = doubtful(here)
    gone, new = sorted(here.log(), key=lambda e: e.kind is Kind.NEW)
    here.now += HOUR
    decisions.same(here.store, id, now=here.now, why="the county says so")
    withdrawn, merged = here.log()[2:]
    assert [(withdrawn.kind, withdrawn.about), (merged.kind, merged.about)] == [
        (Kind.WITHDRAWN, gone.id),
        (Kind.MERGED, new.id),
    ]
    assert merged.reasons == ("an operator found that the two are one agreement: the county says so",)
    assert {f.name: (f.before, f.after) for f in withdrawn.fields} == {"agency": (LEFT.agency, CAME.agency)}
    assert here.store.agreements.resolve(new.agreement) == gone.agreement
    (listed,) = (a for a in here.store.agreements.all() if a.agency == CAME.agency)
    assert (listed.id, listed.aliases, listed.listed) == (gone.agreement, (new.agreement,), (PARTICIPATING,))
    assert [a.id for a in filter(None, [here.store.agreements.find(new.agreement)])] == [gone.agreement]
    assert {e.id for e in here.store.changelog.entries(agreement=new.agreement)} == {e.id for e in here.log()}


def test_what_was_found_the_same_goes_on_as_one(here: Service) -> None:
    id = doubtful(here)
    decisions.same(here.store, id, now=here.now)
    older = here.store.reviews.get(id).departure.agreement
    here.check(after=9 * DAY)
    here.sees(replace(CAME, signed="2025-02-15"), STAYS)
    here.sees(STAYS)
    assert [(e.kind, e.agreement) for e in here.log()[4:]] == [(Kind.CHANGED, older), (Kind.TERMINATED, older)]
    here.sees(CAME, STAYS)
    assert [(e.kind, e.agreement) for e in here.log()[6:]] == [(Kind.WITHDRAWN, older), (Kind.RETURNED, older)]


def test_one_pair_that_is_one_says_nothing_of_other_agreements(here: Service) -> None:
    gone = cells("Pecanvale Police Department", county="#N/A", state="TEXAS", signed="2025-05-05")
    applied = replace(gone, agency="Brookford Police Department", signed="", moa="")
    here.sees(applied, list_=PENDING)
    here.sees(LEFT, STAYS, gone)
    here.sees(STAYS, CAME)
    decisions.same(here.store, here.store.reviews.all()[0].id, now=here.now)
    (left,) = here.store.departures(PARTICIPATING)
    assert left.standing.listing.cells == gone
    assert [a.agency for a in here.store.agreements.all(states=["TX"])] == [applied.agency, gone.agency]
    before = here.store.changelog.position()
    here.check(after=2 * DAY)
    here.sees(STAYS, CAME, gone, replace(applied, signed="2026-03-01"))
    after = list(here.store.changelog.entries(after=before))
    assert [(e.kind, e.agency) for e in after] == [
        (Kind.CONFIRMED, gone.agency),
        (Kind.NEW, applied.agency),
        (Kind.RETURNED, gone.agency),
    ]
    assert after[1].pending_since


def test_different_lets_the_departure_be_confirmed_as_any_other(here: Service) -> None:
    id = doubtful(here)
    decisions.different(here.store, id, now=here.now)
    here.check(after=2 * DAY)
    assert kinds(here.log())[2:] == [Kind.CONFIRMED]


def test_an_answer_after_the_week_is_still_taken(here: Service) -> None:
    id = doubtful(here)
    here.check(after=8 * DAY)
    decisions.same(here.store, id, now=here.now)
    assert here.store.reviews.get(id).departure.status == "withdrawn"


def test_a_pair_is_answered_once(here: Service) -> None:
    id = doubtful(here)
    decisions.different(here.store, id, now=here.now)
    for act in (decisions.same, decisions.different):
        with pytest.raises(NotPossible, match="answered already: different"):
            act(here.store, id, now=here.now)
    with pytest.raises(NotFound):
        decisions.same(here.store, "r-nothing", now=here.now)


def test_a_pair_of_which_the_one_came_back_is_settled(here: Service) -> None:
    id = doubtful(here)
    here.sees(LEFT, CAME, STAYS)
    with pytest.raises(NotPossible, match=r"is settled: c-\w+ \(terminated\) is withdrawn"):
        decisions.same(here.store, id, now=here.now)
    assert len(list(here.store.agreements.all())) == 3


def test_that_two_are_one_changes_nothing_for_the_others(here: Service) -> None:
    third, fourth = many(62)[60:]
    here.sees(LEFT, STAYS, third, fourth)
    here.sees(CAME, STAYS, fourth)
    decisions.same(here.store, here.store.reviews.all()[0].id, now=here.now)
    here.sees(CAME, STAYS)
    here.check(after=3 * DAY)
    here.sees(CAME, STAYS, third)
    assert [(e.kind, e.agency) for e in here.log()[5:]] == [
        (Kind.TERMINATED, fourth.agency),
        (Kind.CONFIRMED, third.agency),
        (Kind.CONFIRMED, fourth.agency),
        (Kind.RETURNED, third.agency),
    ]


def test_a_pair_of_which_the_one_came_back_is_settled_too(here: Service) -> None:
    id = doubtful(here)
    here.check(after=8 * DAY)
    here.sees(LEFT, CAME, STAYS)
    back = here.log()[-1]
    with pytest.raises(NotPossible, match=r"is settled: .* is withdrawn"):
        decisions.same(here.store, id, now=here.now)
    assert here.log()[-1] == back


# --- columns that an operator names ---------------------------------------------------------------------------


def renamed(here: Service, *rows: Cells) -> bytes:
    """The workbook of these rows with another header: nobody could know that SINCE is SIGNED."""
    book = load_workbook(BytesIO(here.publishes(*rows).content))
    sheet = book.worksheets[0]
    [signed] = [cell for cell in sheet[1] if cell.value == "SIGNED"]
    signed.value = "SINCE"
    return hostile.saved(book)


def test_a_column_that_an_operator_named_is_read_from_then_on_and_by_a_rebuild(here: Service, tmp_path: Path) -> None:
    here.sees(LEFT, STAYS)
    here.gives(renamed(here, LEFT, STAYS, CAME))
    here.now += HOUR
    assert here.check().outcome is Outcome.HELD
    [waiting] = [p for p in here.store.publications.all() if p.verdict == "held"]
    with pytest.raises(NotPossible, match="if it calls a column otherwise, say so"):
        decisions.accept(here.store, here.reader, waiting.id, now=here.now, rules=here.rules)
    named = {"SINCE": "SIGNED"}
    decisions.accept(here.store, here.reader, waiting.id, now=here.now, rules=here.rules, columns=named)
    assert here.told() == [(Kind.NEW, CAME.agency)]
    kept = here.store.publications.all()
    assert [(p.verdict, p.rows, p.remarks.unknown_columns) for p in kept][-1] == ("accepted", 3, ())
    assert here.check(after=HOUR).outcome is Outcome.UNCHANGED  # the same bytes
    here.gives(renamed(here, LEFT, STAYS))
    assert here.check(after=HOUR).outcome is Outcome.CHANGED
    assert here.told()[-1] == (Kind.TERMINATED, CAME.agency)
    with Target(tmp_path / "again.db", here.store.log) as target:
        rebuild(here.store.log, target, here.reader, rules=here.rules, now=here.now)
        assert [e.id for e in target.store.changelog.entries()] == [e.id for e in here.log()]
        assert target.store.acts.columns(PARTICIPATING) == named


def test_what_an_operator_said_of_a_column_counts_in_a_rebuild_that_holds_nothing(
    here: Service, tmp_path: Path
) -> None:
    here.sees(LEFT, STAYS)
    here.gives(renamed(here, LEFT, STAYS, CAME))
    here.check(after=HOUR)
    id, named = held(here).id, {"SINCE": "SIGNED"}
    decisions.accept(here.store, here.reader, id, now=here.now, rules=here.rules, columns=named)
    with here.store.write():
        here.store.state.run("UPDATE acts SET subject = 'p-nothing'")  # as if nothing were held by newer rules
    with Target(tmp_path / "again.db", here.store.log) as target:
        assert len(rebuild(here.store.log, target, here.reader, rules=here.rules, now=here.now).unanswered) == 1
        assert target.store.acts.columns(PARTICIPATING) == named


def test_a_word_on_a_column_can_be_taken_back(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.gives(renamed(here, LEFT, STAYS, CAME))
    here.check(after=HOUR)
    decisions.accept(
        here.store, here.reader, held(here).id, now=here.now, rules=here.rules, columns={"SINCE": "SIGNED"}
    )
    with here.store.write():
        here.store.acts.name_columns(1, PARTICIPATING, {"SINCE": ""})
    assert here.store.acts.columns(PARTICIPATING) == {}


def test_what_else_a_workbook_holds_is_kept_with_it(here: Service) -> None:
    book = load_workbook(BytesIO(here.publishes(LEFT, STAYS).content))
    sheet = book.worksheets[0]
    sheet.cell(1, sheet.max_column + 1, "STATUS")
    sheet.cell(2, sheet.max_column, "Terminated")
    sheet.append(["Total: 2"])
    here.gives(hostile.saved(book))
    assert here.check().outcome is Outcome.CHANGED
    [kept] = here.store.publications.all()
    assert kept.remarks == Remarks(
        (NotListing(16, "Total: 2"),), (UnknownColumn("STATUS", 1, (("Terminated", 1),)),), ()
    )


# --- one key ---------------------------------------------------------------------------------------------------


def test_two_spellings_that_turn_out_one_are_merged_and_the_second_row_may_go(here: Service) -> None:
    """July 3, 2025: one police department in two rows under two spellings, until one of them was respelt."""
    short = cells("Larkmere Police Department", county="#N/A", signed="2025-04-14")
    long = cells("City of Larkmere Public Safety Police", county="#N/A", signed="2025-04-15")
    here.sees(short, STAYS)
    here.sees(short, long, STAYS)
    here.sees(short, replace(short, signed="2025-04-15"), STAYS)
    new, changed, merged = here.log()
    assert (merged.kind, merged.about, merged.agreement) == (
        Kind.MERGED,
        new.id,
        here.store.agreements.resolve(changed.agreement),
    )
    here.sees(short, STAYS)
    assert len(here.log()) == 3


@pytest.mark.parametrize("listed_before", [True, False])
def test_three_spellings_may_turn_out_one_at_once(listed_before: bool, here: Service) -> None:
    first, second, third = (
        cells(name, county="#N/A", signed=f"2025-04-{day}")
        for name, day in (
            ("Larkmere Police Department", 14),
            ("City of Larkmere Public Safety Police", 15),
            ("Larkmere Marshal and Police Office", 16),
        )
    )
    if not listed_before:
        here.sees(first, STAYS)
    here.sees(first, second, third, STAYS)
    here.sees(first, *(replace(row, agency=first.agency) for row in (second, third)), STAYS)
    merged = [e for e in here.log() if e.kind is Kind.MERGED]
    assert [bool(e.about) for e in merged] == [not listed_before] * 2
    (one,) = (a for a in here.store.agreements.all() if a.agency == first.agency)
    assert len(one.aliases) == 2
    assert {here.store.agreements.resolve(e.agreement) for e in merged} == {one.id}


def test_of_an_application_that_became_an_agreement_it_is_the_agreement_that_was_none(here: Service) -> None:
    short = cells("Larkmere Police Department", county="#N/A", signed="2025-04-14")
    long = replace(short, agency="City of Larkmere Public Safety Police", signed="2025-04-15")
    here.sees(short, STAYS)
    here.sees(list_=PENDING)
    here.sees(replace(long, signed="", moa=""), list_=PENDING)
    here.sees(short, long, STAYS)
    here.sees(short, replace(long, agency=short.agency), STAYS)
    about = {e.id: e.kind for e in here.log()}
    assert [about[e.about or ""] for e in here.log() if e.kind is Kind.MERGED] == [Kind.NEW]


def test_two_rows_of_one_key_in_two_real_counties_stay_two(here: Service) -> None:
    """Georgia has both counties; the police of two places may well have one name, and have applied without a date."""
    one = cells("Milltown Police Department", county="Cobb County")
    other = replace(one, agency="Miltown Twp Police", county="Fulton County")
    here.sees(one, STAYS)
    here.sees(one, other, STAYS)
    here.sees(one, replace(other, agency=one.agency), STAYS)
    assert Kind.MERGED not in kinds(here.log())


def test_a_departure_whose_arrival_proved_to_be_something_else_waits_no_longer(here: Service) -> None:
    doubtful(here)
    arrival = here.store.reviews.all()[0].arrival
    decisions.retract(here.store, arrival.id, now=here.now, why="a slip")
    here.check(after=3 * DAY)
    assert kinds(here.log())[-1] is Kind.CONFIRMED


def test_two_rows_of_one_key_with_two_documents_stay_two(here: Service) -> None:
    one = cells(county="#N/A", moa="link", moa_address="https://www.ice.gov/doclib/287gMOA/one.pdf")
    other = replace(
        one,
        agency="Quillmarsh Countyy Sherriff",
        signed="2026-01-01",
        moa_address="https://www.ice.gov/doclib/287gMOA/two.pdf",
    )
    here.sees(one, STAYS)
    here.sees(one, other, STAYS)
    here.sees(one, replace(other, agency=one.agency), STAYS)
    assert Kind.MERGED not in kinds(here.log())


# --- entries that are wrong ------------------------------------------------------------------------------------


def test_a_retracted_entry_stays_and_says_so(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(STAYS)
    (gone,) = here.log()
    decisions.retract(here.store, gone.id, now=here.now, why="ICE's file was cut off")
    gone, note = here.log()
    assert (gone.status, note.kind, note.about) == ("retracted", Kind.RETRACTED, gone.id)
    assert note.reasons == ("this was wrong: ICE's file was cut off",)
    here.check(after=5 * DAY)
    here.sees(LEFT, STAYS)
    assert [(e.kind, e.agreement) for e in here.log()[2:]] == [(Kind.RETURNED, gone.agreement)]


def test_only_what_stands_can_be_retracted(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(STAYS)
    (gone,) = here.log()
    decisions.retract(here.store, gone.id, now=here.now, why="x")
    note = here.log()[-1]
    for id, what in ((gone.id, "retracted already"), (note.id, "is a note")):
        with pytest.raises(NotPossible, match=what):
            decisions.retract(here.store, id, now=here.now, why="x")
    with pytest.raises(NotFound):
        decisions.retract(here.store, "c-nothing", now=here.now, why="x")


def test_not_modified_after_a_rejection_is_no_success_of_the_rejected(here: Service) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    decisions.reject(here.store, held(here).id, now=here.now)
    here.source.answers[PARTICIPATING] = NotModified("list")  # what was recorded last, which is the list before
    assert here.check(after=HOUR).outcome is Outcome.UNCHANGED
    assert here.log() == []
