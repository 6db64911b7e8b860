"""A day's page: which day an entry belongs to, and in which order and words the day is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.model import Entry, Outcome
from tests.web.builders import (
    PENDING,
    Browser,
    Edit,
    Log,
    applied,
    approved,
    at,
    changed,
    confirmed,
    document,
    dropped,
    gone,
    new,
    retracted,
    returned,
    row,
    withdrawn,
)
from web.pages.calendar import bounds

ReadAt = Callable[[datetime], Browser]
BASELINE = at("2025-08-01 14:00")
NEXT_YEAR = at("2026-01-01 12:00")
EASTERN = ZoneInfo("America/New_York")


# --- which day ----------------------------------------------------------------------------------------------


def test_an_entry_at_half_past_three_utc_belongs_to_the_eastern_day_before(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-12 03:30"), new(row("Night Police Department")))
    browser = read_at(NEXT_YEAR)
    assert browser.get("/days/2025-08-11").one("p.agency") == "Night Police Department"
    assert browser.get("/days/2025-08-12").all("p.agency") == []


def test_the_first_moment_of_a_day_is_its_own(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-12 04:00"), new(row("Midnight Police Department")))
    browser = read_at(NEXT_YEAR)
    assert browser.get("/days/2025-08-11").all("p.agency") == []
    assert browser.get("/days/2025-08-12").one("p.agency") == "Midnight Police Department"


@pytest.mark.parametrize(("day", "hours"), [("2025-03-09", 23), ("2025-03-10", 24), ("2025-11-02", 25)])
def test_a_day_is_as_long_as_its_clocks_make_it(day: str, hours: int) -> None:
    since, until = bounds(date.fromisoformat(day), EASTERN)
    assert until - since == timedelta(hours=hours)


def test_days_lead_to_the_previous_and_the_next_with_changes(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    for day in ("2025-08-04", "2025-08-08", "2025-08-20"):
        log.publishes(at(f"{day} 14:00"), new(row(f"Agency of {day}")))
    browser = read_at(NEXT_YEAR)
    assert browser.get("/days/2025-08-08").links(".neighbours a")[:2] == ["/days/2025-08-04", "/days/2025-08-20"]
    assert browser.get("/days/2025-08-04").links(".neighbours a")[:1] == ["/days/2025-08-08"]
    assert browser.get("/days/2025-08-20").links(".neighbours a")[:1] == ["/days/2025-08-08"]
    assert browser.get("/days/2025-08-15").links(".neighbours a") == ["/days/2025-08-08", "/days/2025-08-20"]


def test_all_days_with_changes_are_listed_by_month(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-31 14:00"), new(row("August Police Department")))
    log.publishes(at("2025-09-01 14:00"), gone(1), new(row("September Police Department")))
    page = read_at(NEXT_YEAR).get("/days/")
    assert page.all("h2") == ["September 2025", "August 2025"]
    assert page.all("ul.days li") == [
        "Monday Sept. 1, 2025 1 new, 1 no longer listed",
        "Sunday Aug. 31, 2025 1 new",
    ]


def test_a_day_without_changes_says_that_the_lists_were_checked(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.looks(at("2025-08-04 13:00"))
    log.looks(at("2025-08-04 13:30"), Outcome.FAILED)
    page = read_at(NEXT_YEAR).get("/days/2025-08-04")
    assert page.one(".lead") == "No change was recorded on this day."
    assert page.all(".checked")[1] == "The participating list was checked 2 times, 1 of them successfully."


@pytest.mark.parametrize("looked", [True, False])
def test_a_day_on_which_no_list_was_read_is_not_called_quiet(log: Log, read_at: ReadAt, looked: bool) -> None:
    log.begins(BASELINE, row())
    if looked:
        log.looks(at("2025-08-04 13:00"), Outcome.FAILED)
    page = read_at(NEXT_YEAR).get("/days/2025-08-04")
    assert "No change" not in page.one(".lead")
    assert page.one(".lead").endswith("so nothing can be said about it.")


@pytest.mark.parametrize(
    "day",
    [
        "2025-08-13",
        "2025-02-30",
        "2025-8-1",
        "20250801",
        "2025-W31-5",
        "0001-01-01",
        "9999-12-31",
        "yesterday",
        "x" * 99,
    ],
)
def test_a_day_that_has_not_come_or_is_none_is_not_found(log: Log, read_at: ReadAt, day: str) -> None:
    log.begins(BASELINE, row())
    page = read_at(at("2025-08-12 14:00")).get(f"/days/{day}")
    assert page.status == 404


# --- in which order -----------------------------------------------------------------------------------------


def test_a_day_is_told_by_state_and_then_by_what_happened(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(), row("Texas Agency", state="TEXAS"), row("Other Agency", state="TEXAS"))
    log.publishes(
        at("2025-08-05 14:00"),
        changed(3, row("Other Agency", state="TEXAS", signed="2025-03-01")),
        gone(2),
        new(row("New Texas Agency", state="TEXAS ")),
        new(row("New Alabama Agency", state="ALABAMA")),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.all(".state > h2") == ["Alabama", "Texas"]
    assert page.all("h3") == ["New", "New", "No longer listed by ICE", "Changed"]
    assert page.one("p.summary") == "2 new, 1 no longer listed, 1 changed."
    assert page.links(".jump a") == ["#al", "#tx"]
    assert page.all("#al") == ["Alabama"]
    assert page.one("#tx-terminated p.agency") == "Texas Agency"


def test_a_state_that_nobody_could_tell_is_shown_last_and_by_name(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(
        at("2025-08-05 14:00"), new(row("Nowhere Agency", state="ZZYZX")), new(row("Texas Agency", state="TEXAS"))
    )
    browser = read_at(NEXT_YEAR)
    page = browser.get("/days/2025-08-05")
    assert page.all(".state > h2") == ["Texas", "State not recognised"]
    assert page.links("#unknown a") == ["/states/unknown"]
    there = browser.get("/states/unknown")
    assert there.one("h1") == "State not recognised"
    assert there.one("p.agency") == "Nowhere Agency"


def test_corrections_come_after_the_news_and_folded_away(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Agency One"), row("Agency Two"))
    log.publishes(
        at("2025-08-05 14:00"),
        changed(1, row("Agency  One")),
        changed(2, row("Agency Two", county="Quilmarsh County")),
        new(row("New Agency")),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.all(".block h3") == ["New"]
    assert page.one("#ga-clerical summary") == "2 corrections of spelling and links"
    assert page.html.index("ga-new") < page.html.index("ga-clerical")
    assert "County: Quillmarsh County became Quilmarsh County" in page.one("#ga-clerical")


def test_states_with_nothing_but_corrections_come_after_all_others(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Alabama Agency", state="ALABAMA"))
    log.publishes(
        at("2025-08-05 14:00"),
        changed(1, row("Alabama  Agency", state="ALABAMA")),
        new(row("New Texas Agency", state="TEXAS")),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.all(".state > h2") == ["Texas", "Only spelling and links corrected"]
    assert page.one("#al summary") == "Alabama: 1 correction of spelling or links"


# --- many equal edits ---------------------------------------------------------------------------------------


def with_document(n: int) -> str:
    return document(f"Agency{n}.pdf")


def test_documents_posted_for_three_agencies_of_a_state_share_a_line(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, *(row(f"Agency {n}") for n in (1, 2, 3)))
    log.publishes(
        at("2025-08-05 14:00"),
        *(changed(n, row(f"Agency {n}", moa="link", moa_address=with_document(n))) for n in (1, 2, 3)),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.one("#ga-document summary") == "Agreement document posted for 3 agreements"
    assert page.all("#ga-document details .agency") == ["Agency 1", "Agency 2", "Agency 3"]
    assert page.links("#ga-document a.document") == [with_document(n) for n in (1, 2, 3)]


def test_a_correction_in_passing_does_not_keep_documents_from_sharing_a_line(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, *(row(f"Agency {n}", county="") for n in (1, 2, 3)))
    log.publishes(
        at("2025-08-05 14:00"),
        *(
            changed(n, row(f"Agency {n}", county=f"County {n}", moa="link", moa_address=with_document(n)))
            for n in (1, 2, 3)
        ),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.one("#ga-document summary") == "Agreement document posted for 3 agreements"
    assert "County: blank became County 2" in page.all("#ga-document details li")[1]


def test_documents_posted_for_two_have_a_line_each(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, *(row(f"Agency {n}") for n in (1, 2)))
    log.publishes(
        at("2025-08-05 14:00"),
        *(changed(n, row(f"Agency {n}", moa="link", moa_address=with_document(n))) for n in (1, 2)),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.all("#ga-document p.agency") == ["Agency 1", "Agency 2"]
    assert page.all("#ga-document summary") == []


def test_posted_and_withdrawn_documents_do_not_share_a_line(log: Log, read_at: ReadAt) -> None:
    log.begins(
        BASELINE,
        *(row(f"Agency {n}", moa="link", moa_address=with_document(n)) for n in (1, 2, 3)),
        *(row(f"Agency {n}") for n in (4, 5, 6)),
    )
    log.publishes(
        at("2025-08-18 14:00"),
        *(changed(n, row(f"Agency {n}")) for n in (1, 2, 3)),
        *(changed(n, row(f"Agency {n}", moa="link", moa_address=with_document(n))) for n in (4, 5, 6)),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-18")
    assert page.all("#ga-document summary") == [
        "Agreement document taken down for 3 agreements",
        "Agreement document posted for 3 agreements",
    ]


def test_a_batch_of_dates_moved_alike_shares_a_line(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, *(row(f"Agency {n}") for n in (1, 2, 3, 4)))
    log.publishes(
        at("2025-08-05 14:00"),
        *(changed(n, row(f"Agency {n}", signed="2025-03-15")) for n in (1, 2, 3)),
        changed(4, row("Agency 4", signed="2025-06-01")),
    )
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.one("#ga-changed summary") == "Signed: Feb. 14, 2025 became March 15, 2025 for 3 agreements"
    assert page.one("#ga-changed p.agency") == "Agency 4"


def test_an_entry_that_was_added_after_its_day_is_among_the_corrections(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), gone(1), recorded_at=at("2025-08-07 14:00"))
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.one(".corrections h3") == "Added on Aug. 7, 2025"
    line = page.one(".corrections li")
    assert "No longer listed by ICE as of Aug. 5, 2025." in line
    assert "Added on Aug. 7, 2025: the list had been held back for a closer look." in line


# --- departures and what becomes of them --------------------------------------------------------------------


def test_a_departure_is_dated_unconfirmed_and_not_explained(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), gone(1))
    line = read_at(NEXT_YEAR).get("/days/2025-08-05").one("#ga-terminated li")
    assert "No longer listed by ICE as of Aug. 5, 2025." in line
    assert "Not confirmed yet." in line
    assert not {"left", "ended", "terminated", "quit", "withdrew", "cancelled"} & set(line.lower().split())


def test_a_confirmed_departure_says_since_when(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (left,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    log.publishes(at("2025-08-07 14:30"), confirmed(1, left))
    browser = read_at(NEXT_YEAR)
    page = browser.get("/days/2025-08-05")
    assert "Confirmed on Aug. 7, 2025: still not listed." in page.one(".corrections li")
    assert "Not confirmed yet" in page.one("#ga-terminated li")
    follow_up = browser.get("/days/2025-08-07").one("#ga-follow-up")
    assert "1 earlier departure confirmed: still not listed" in follow_up
    assert "no longer listed by ICE as of Aug. 5, 2025" in follow_up


def test_that_a_departure_was_withdrawn_is_on_the_day_of_either(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (left,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    log.publishes(at("2025-08-06 14:00"), withdrawn(1, left), returned(1, row()))
    browser = read_at(NEXT_YEAR)
    page = browser.get("/days/2025-08-05")
    assert page.one(".corrections h3") == "Added on Aug. 6, 2025"
    assert "Withdrawn: it was listed again on Aug. 6, 2025." in page.one(".corrections li")
    assert page.one("p.summary") == "1 no longer listed."
    assert browser.get("/states/ga").one("s") == "Quillmarsh County Sheriff's Office"
    back = browser.get("/days/2025-08-06")
    assert back.all("h3") == ["Listed again"]
    assert "Its departure of Aug. 5, 2025 is withdrawn." in back.one("#ga-returned li")
    assert back.links("#ga-returned .status a") == [f"/changes/{left.id}"]


def test_an_application_that_became_an_agreement_is_not_said_to_be_listed_again(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.begins(BASELINE, row("Applying Agency"), list_=PENDING)
    (left,) = log.publishes(at("2025-08-05 14:00"), dropped(2), list_=PENDING)
    log.publishes(
        at("2025-08-06 14:00"),
        approved(2, left),
        new(row("Applying Agency"), agreement=2, pending_since=BASELINE),
    )
    browser = read_at(NEXT_YEAR)
    before = browser.get("/days/2025-08-05")
    assert "Approved: moved from the pending to the participating list on Aug. 6, 2025." in before.one(
        ".corrections li"
    )
    for page in (before, browser.get(f"/changes/{left.id}"), browser.get("/states/ga")):
        assert "Withdrawn" not in page.text
        assert page.all("s") == []
    line = browser.get("/days/2025-08-06").one(".entries li")  # the note is on the line of the new agreement
    assert "Approved: moved from the pending to the participating list; on the pending list since" in line


def test_an_approval_that_is_seen_later_has_a_line_of_its_own(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.begins(BASELINE, row("Applying Agency"), list_=PENDING)
    (left,) = log.publishes(at("2025-08-05 14:00"), dropped(2), list_=PENDING)
    log.publishes(at("2025-08-06 14:00"), approved(2, left))
    page = read_at(NEXT_YEAR).get("/days/2025-08-06")
    assert page.all("h3") == ["Applications approved"]
    assert "Approved: moved from the pending to the participating list on Aug. 6, 2025." in page.one("li .status")


@pytest.mark.parametrize(
    ("note", "says"),
    [
        (None, "Off the pending list as of Aug. 5, 2025, not yet on the participating list."),
        (
            confirmed,
            "No longer on the pending list as of Aug. 5, 2025; not on the participating list when last checked.",
        ),
        (approved, "Off the pending list as of Aug. 5, 2025."),
    ],
)
def test_off_the_pending_list_says_what_is_known_of_the_other(
    log: Log, read_at: ReadAt, note: Callable[[int, Entry], Edit] | None, says: str
) -> None:
    log.begins(BASELINE, row())
    log.begins(BASELINE, row("Applying Agency"), list_=PENDING)
    (left,) = log.publishes(at("2025-08-05 14:00"), dropped(2), list_=PENDING)
    if note:
        log.publishes(at("2025-08-08 14:00"), note(2, left), list_=PENDING)
    assert says in read_at(NEXT_YEAR).get("/states/ga").one(".dropped li")
    assert says in read_at(NEXT_YEAR).get(f"/changes/{left.id}").one(".lead")


def test_applications_have_words_of_their_own(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.begins(BASELINE, row("Leaving Agency"), list_=PENDING)
    log.publishes(at("2025-08-05 14:00"), applied(row("Coming Agency")), dropped(2), list_=PENDING)
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert page.all("h3") == ["New on the pending list", "Off the pending list"]
    assert page.one("p.summary") == "1 new on the pending list, 1 off the pending list."


def test_an_entry_that_was_wrong_is_corrected_on_the_day_of_either(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (wrong,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    log.publishes(at("2025-08-09 14:00"), retracted(1, wrong))
    browser = read_at(NEXT_YEAR)
    page = browser.get("/days/2025-08-05")
    assert page.one(".corrections .agency") == "Quillmarsh County Sheriff's Office"
    assert "Retracted on Aug. 9, 2025: this entry was wrong." in page.one(".corrections")
    correction = browser.get("/days/2025-08-09")
    assert correction.all("h3") == ["Corrections to earlier entries"]
    assert "Retracted: no longer listed by ICE as of Aug. 5, 2025." in correction.text
