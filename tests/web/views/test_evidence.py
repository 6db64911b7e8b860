"""The pages of one entry and of one agreement: everything that a reader needs to check us."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from monitor.checks import decisions
from monitor.storage.writer import open_store
from tests.web.builders import (
    PENDING,
    Browser,
    Log,
    approved,
    at,
    changed,
    confirmed,
    document,
    dropped,
    gone,
    new,
    returned,
    row,
    withdrawn,
)

ReadAt = Callable[[datetime], Browser]
BASELINE = at("2025-08-01 14:00")
NEXT_YEAR = at("2026-01-01 12:00")


# --- one entry ----------------------------------------------------------------------------------------------


def test_an_entry_shows_each_field_before_and_after(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    after = row("Quillmarsh County Sheriff’s Office", signed="2025-03-01", moa="link", moa_address=document("Q.pdf"))
    (entry,) = log.publishes(at("2025-08-05 14:00"), changed(1, after))
    page = read_at(NEXT_YEAR).get(f"/changes/{entry.id}")
    assert page.one("h1") == "Quillmarsh County Sheriff’s Office"
    assert page.all("tbody tr.changed") == [
        "Agency correction Quillmarsh County Sheriff's Office Quillmarsh County Sheriff’s Office",
        "Signed changed Feb. 14, 2025 March 1, 2025",
        f"Agreement document (MOA) document link pending {document('Q.pdf')}",
    ]
    assert len(page.all("tbody tr")) == 8


def test_an_entry_says_how_we_know(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Macro Island Police Department"))
    (entry,) = log.publishes(
        at("2025-08-05 14:00"), changed(1, row("Marco Island Police Department"), "same document", "same signed date")
    )
    page = read_at(NEXT_YEAR).get(f"/changes/{entry.id}")
    assert page.all("h2 + p + ul li") == ["same document", "same signed date"]


def test_an_entry_names_its_workbook_address_hash_and_row(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), new(row("Second Agency")))
    page = read_at(NEXT_YEAR).get(f"/changes/{entry.id}")
    told = dict(zip(page.all("dl dt"), page.all("dl dd"), strict=True))
    assert told["Workbook"] == "participating-202508051400.xlsx"
    assert told["Address"] == "https://www.ice.gov/doclib/about/offices/ero/287g/participating-202508051400.xlsx"
    assert told["SHA-256 of the file"] == entry.publication.sha256
    assert len(told["SHA-256 of the file"]) == 64
    assert told["Row"] == "3"
    assert told["First seen"] == told["Recorded"] == "Aug. 5, 2025, 10:00 a.m. ET"
    assert told["Entry"] == f"{entry.id}, number 1 of the log"


def test_the_row_of_a_departure_is_said_to_be_that_of_the_workbook_before(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    page = read_at(NEXT_YEAR).get(f"/changes/{entry.id}")
    assert "2 of the workbook before, which listed it last" in page.all("dl dd")
    assert page.all("thead th") == ["Field", "Last published"]
    assert "The list does not say why." in page.one(".lead")


def test_an_unconfirmed_departure_says_when_it_would_be_confirmed(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    page = read_at(at("2025-08-05 15:00")).get(f"/changes/{entry.id}")
    assert "Not confirmed yet." in page.text
    assert "once the list has lacked it for 48 hours of successful checks" in page.text


def test_an_entry_and_its_notes_lead_to_each_other(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (left,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    (note,) = log.publishes(at("2025-08-07 15:00"), confirmed(1, left))
    browser = read_at(NEXT_YEAR)
    assert "Confirmed: still not listed, Aug. 7, 2025, 11:00 a.m. ET" in browser.get(f"/changes/{left.id}").text
    assert f"/changes/{note.id}" in browser.get(f"/changes/{left.id}").links("main a")
    page = browser.get(f"/changes/{note.id}")
    assert page.one(".lead") == "A note on the entry of Aug. 5, 2025: No longer listed by ICE."
    assert page.links(".lead a") == [f"/changes/{left.id}"]


def test_an_entry_of_a_list_that_was_held_says_when_it_was_believed(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), gone(1), recorded_at=at("2025-08-07 14:00"))
    page = read_at(NEXT_YEAR).get(f"/changes/{entry.id}")
    told = dict(zip(page.all("dl dt"), page.all("dl dd"), strict=True))
    assert told["First seen"] == "Aug. 5, 2025, 10:00 a.m. ET"
    assert told["Recorded"] == "Aug. 7, 2025, 10:00 a.m. ET, after the list had been held back for a closer look"


def test_stray_spaces_can_be_seen(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Ocala Police Department"))
    (entry,) = log.publishes(at("2025-08-05 14:00"), changed(1, row("Ocala  Police\N{NO-BREAK SPACE}Department ")))
    page = read_at(NEXT_YEAR).get(f"/changes/{entry.id}")
    assert page.all("tr.changed td")[1] == "Ocala ␣Police⍽Department␣"
    assert "Stray spaces are shown as ␣ or ⍽" in page.text


def test_an_unknown_entry_is_not_found(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    browser = read_at(NEXT_YEAR)
    assert browser.get("/changes/c-aaaaaaaaaaaa").status == 404
    assert browser.get("/agreements/a-aaaaaaaaaaaa").status == 404


# --- one agreement ------------------------------------------------------------------------------------------


def test_an_agreement_that_stood_on_the_first_list_says_so(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), changed(1, row(signed="2025-03-01")))
    page = read_at(NEXT_YEAR).get(f"/agreements/{entry.agreement}")
    assert page.one(".label") == "Listed by ICE"
    assert "listed before Aug. 1, 2025, when this log begins" in page.all("dl dd")


def test_an_agreement_shows_its_whole_history_the_newest_first(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (left,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    log.publishes(at("2025-08-06 14:00"), withdrawn(1, left), returned(1, row(signed="2025-03-01")))
    log.publishes(
        at("2025-08-08 14:00"), changed(1, row(signed="2025-03-01", moa="link", moa_address=document("Q.pdf")))
    )
    page = read_at(NEXT_YEAR).get(f"/agreements/{left.agreement}")
    assert page.all("ol.history > li") == [
        "Aug. 8, 2025: Changed Agreement document posted: Q.pdf",
        "Aug. 6, 2025: Listed again Signed: Feb. 14, 2025 became March 1, 2025",
        "Aug. 5, 2025: No longer listed by ICE Withdrawn: it was listed again on Aug. 6, 2025.",
    ]


def test_an_agreement_that_left_says_as_of_when_and_that_it_is_unconfirmed(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (left,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    page = read_at(at("2025-08-05 15:00")).get(f"/agreements/{left.agreement}")
    assert page.one(".label") == "No longer listed by ICE"
    assert page.one(".lead") == (
        "Task Force Model: no longer on ICE’s participating list as of Aug. 5, 2025, not confirmed yet."
        " The list does not say why."
    )


def test_two_that_proved_to_be_one_share_a_page_and_say_so(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(), row("Tidewrack County Sheriff’s Office"))
    left, came = log.publishes(at("2025-08-05 14:00"), gone(1), new(row("Quillmarsh County Marshal")))
    with open_store(log.path) as store:
        with store.write():
            store.reviews.record(left.id, came.id, ["same signed date"])
        decisions.same(store, store.reviews.all()[0].id, now=at("2025-08-06 14:00"), why="the county says so")
        *_, withdrawn_, merged = store.changelog.entries()
    browser = read_at(NEXT_YEAR)
    moved = browser.get(f"/agreements/{came.agreement}")
    assert (moved.status, moved.headers["Location"]) == (301, f"/agreements/{left.agreement}")
    page = browser.get(f"/agreements/{left.agreement}")
    assert page.one("h1") == "Quillmarsh County Marshal"
    assert page.one("p.label") == "Listed by ICE"
    assert "Not new: since Aug. 6, 2025" in page.text
    assert "still listed, under another name" in browser.get(f"/changes/{left.id}").text
    assert f"known to be the agreement of {row().agency}" in browser.get(f"/changes/{came.id}").text
    said = browser.get(f"/changes/{merged.id}").text
    assert "What was called new on Aug. 5, 2025 is an agreement that this log knew already" in said
    assert "the county says so" in said
    assert withdrawn_.about == left.id


def test_an_application_keeps_its_address_when_it_becomes_an_agreement(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.begins(BASELINE, row("Applying Agency"), list_=PENDING)
    (left,) = log.publishes(at("2025-08-05 14:00"), dropped(2), list_=PENDING)
    address = f"/agreements/{left.agreement}"
    assert read_at(NEXT_YEAR).get(address).one(".label") == "Off the pending list"
    log.publishes(
        at("2025-08-06 14:00"), approved(2, left), new(row("Applying Agency"), agreement=2, pending_since=BASELINE)
    )
    page = read_at(NEXT_YEAR).get(address)
    assert page.one(".label") == "Listed by ICE"
    assert page.all("ol.history > li")[0] == "Aug. 6, 2025: New"


@pytest.mark.parametrize(
    ("moa", "shown", "leads_to"),
    [
        ("link pending", "link pending", []),
        ("", "blank", []),
        (document("Q.pdf"), document("Q.pdf"), [document("Q.pdf")]),
    ],
)
def test_an_agreements_document_is_a_link_where_it_can_be_followed(
    log: Log, read_at: ReadAt, moa: str, shown: str, leads_to: list[str]
) -> None:
    log.begins(BASELINE, row(moa=moa))
    page = read_at(NEXT_YEAR).get("/states/ga")
    (address,) = page.links("tbody th a")
    agreement = read_at(NEXT_YEAR).get(address)
    told = dict(zip(agreement.all("dl dt"), agreement.all("dl dd"), strict=True))
    assert told["Agreement document (MOA)"] == shown
    assert agreement.links("dl a.document") == leads_to
