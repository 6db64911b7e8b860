"""The states' pages: what stands now, and what changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.web.builders import PENDING, Browser, Log, applied, at, changed, gone, new, row

ReadAt = Callable[[datetime], Browser]
BASELINE = at("2025-08-01 14:00")
NEXT_YEAR = at("2026-01-01 12:00")


def test_states_are_counted_by_support_type(log: Log, read_at: ReadAt) -> None:
    log.begins(
        BASELINE,
        row("One", state="TEXAS", support_type="Jail Enforcement Model"),
        row("Two", state="TEXAS ", support_type="Task Force Officer"),
        row("Three", state="Texas", support_type="Task Force Model"),
        row("Four", state="ALABAMA", support_type="Warrant Service Officer"),
    )
    log.begins(BASELINE, row("Five", state="ALABAMA"), list_=PENDING)
    page = read_at(NEXT_YEAR).get("/states/")
    assert page.all("thead th") == ["State", "All", "Jail", "Task force", "War\xadrant", "Pend\xading"]
    assert page.all("tbody tr") == ["Alabama 1 – – 1 1", "Texas 3 1 2 – –"]
    assert page.one("tfoot tr") == "All states 4 1 2 1 1"


def test_a_support_type_that_nobody_could_tell_has_a_column_of_its_own(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("One"), row("Two", support_type="Something else"))
    page = read_at(NEXT_YEAR).get("/states/")
    assert page.all("thead th")[-2:] == ["Other", "Pend\xading"]
    assert page.one("tbody tr") == "Georgia 2 1 1 –"


def test_states_say_when_they_changed_last(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Two")))
    assert "Aug. 5, 2025" in read_at(NEXT_YEAR).get("/states/").one("tbody th")


def test_a_state_without_agreement_or_change_can_be_asked_for(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    browser = read_at(NEXT_YEAR)
    assert "/states/vt" in browser.get("/states/").links("ul.jump a")
    page = browser.get("/states/vt")
    assert page.status == 200
    assert page.one(".lead") == "No agreement is listed now."


def test_a_state_lists_its_agreements_applications_and_departures(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Listed Agency"), row("Leaving Agency"), row("Elsewhere", state="TEXAS"))
    log.begins(BASELINE, row("Waiting Agency", signed=""), list_=PENDING)
    log.publishes(at("2025-08-05 14:00"), gone(2))
    page = read_at(NEXT_YEAR).get("/states/ga")
    assert page.all("table.agreements tbody tr") == [
        "Listed Agency Quillmarsh County Task Force Model Feb. 14, 2025",
        "Waiting Agency Quillmarsh County Task Force Model –",
    ]
    assert page.one("#gone + ul li") == (
        "Leaving Agency Task Force Model; no longer listed by ICE as of Aug. 5, 2025, not confirmed yet"
    )
    assert page.one(".lead") == "1 agreement is listed now. 1 application is pending."
    assert page.all(".counts tbody tr") == ["Task Force Model 1"]


def test_a_state_lists_its_counties_with_their_agreements_and_agencies(log: Log, read_at: ReadAt) -> None:
    log.begins(
        BASELINE,
        row("One Police Department", county="Adder County"),
        row("One Police Department", county="Adder County", support_type="Jail Enforcement Model"),
        row("Two Police Department", county="adder"),
        row("Three Police Department", county="#N/A"),
        row("Leaving Police Department", county="Wren County"),
    )
    log.publishes(at("2025-08-05 14:00"), gone(5))
    page = read_at(NEXT_YEAR).get("/states/ga")
    assert page.all(".counties li") == [
        "Adder County 3 One Police Department · Two Police Department",
        "Wren County 0 Leaving Police Department",
    ]
    assert page.all("#county-adder") == page.all(".counties li")[:1]
    assert all(address.startswith("/agencies/a-") for address in page.links(".counties a"))


def test_a_misspelt_state_is_on_its_own_page(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Listed Agency", state="UTAHJ"))
    assert read_at(NEXT_YEAR).get("/states/ut").one("tbody th a") == "Listed Agency"


def test_a_state_shows_its_own_changes_by_day(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Georgia One")), new(row("Texas One", state="TEXAS")))
    log.publishes(at("2025-08-06 14:00"), applied(row("Georgia Two")), list_=PENDING)
    page = read_at(NEXT_YEAR).get("/states/ga")
    assert page.all(".state > h3") == ["Wednesday Aug. 6, 2025", "Tuesday Aug. 5, 2025"]
    assert page.links(".state > h3 a") == ["/days/2025-08-06#ga", "/days/2025-08-05#ga"]
    assert page.all("p.agency") == ["Georgia Two", "Georgia One"]


def test_the_address_of_earlier_changes_is_the_same_when_there_is_something_new(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-07-01 14:00"), row())
    log.publishes(at("2025-07-31 14:00"), new(row("Earlier Agency")))
    log.publishes(at("2025-08-05 14:00"), *(new(row(f"Agency {n}")) for n in range(90)))
    (before,) = read_at(NEXT_YEAR).get("/states/ga").links(".neighbours a[rel=prev]")
    log.publishes(at("2025-08-29 14:00"), *(new(row(f"Later agency {n}")) for n in range(90)))
    assert (
        read_at(NEXT_YEAR).get("/states/ga").links(".neighbours a[rel=prev]")
        == [before]
        == ["/states/ga/before/2025-08-01"]
    )


@pytest.mark.parametrize("day", ["soon", "2025-02-30", "0001-01-01"])
def test_what_is_no_day_has_nothing_before_it(log: Log, read_at: ReadAt, day: str) -> None:
    log.begins(BASELINE, row())
    assert read_at(NEXT_YEAR).get(f"/states/ga/before/{day}").status == 404


def test_a_long_history_goes_on_page_by_page_without_losing_a_day(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    days = [at("2025-05-05 14:00") + timedelta(days=20 * n) for n in range(8)]
    for day in days:
        log.publishes(day, *(new(row(f"Agency {n} of {day:%d %B}")) for n in range(15)))
    browser, address, seen = read_at(NEXT_YEAR), "/states/ga", []
    while address:
        page = browser.get(address)
        seen += page.all("p.agency")
        address = next(iter(page.links(".neighbours a[rel=prev]")), "")
    assert len(seen) == len(set(seen)) == 8 * 15


def test_a_day_larger_than_a_page_is_still_shown_whole(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-07-01 14:00"), row())
    log.publishes(at("2025-07-31 14:00"), new(row("Earlier Agency")))
    log.publishes(at("2025-08-05 14:00"), *(new(row(f"Agency {n}")) for n in range(90)))
    browser = read_at(NEXT_YEAR)
    page = browser.get("/states/ga")
    assert len(page.all("p.agency")) == 90
    (older,) = page.links(".neighbours a[rel=prev]")
    assert browser.get(older).all("p.agency") == ["Earlier Agency"]


@pytest.mark.parametrize(
    ("name", "leads_to"), [("TX", "/states/tx"), ("Texas", "/states/tx"), ("new%20york", "/states/ny")]
)
def test_a_states_name_leads_to_its_page(log: Log, read_at: ReadAt, name: str, leads_to: str) -> None:
    page = read_at(NEXT_YEAR).get(f"/states/{name}")
    assert (page.status, page.headers["Location"]) == (301, leads_to)


@pytest.mark.parametrize("name", ["xx", "ontario", "%00", "tx%2Fga"])
def test_a_state_that_does_not_exist_is_not_found(log: Log, read_at: ReadAt, name: str) -> None:
    assert read_at(NEXT_YEAR).get(f"/states/{name}").status == 404


def test_an_edit_of_spelling_keeps_the_agreement_listed_once(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Macro Island Police Department"))
    log.publishes(at("2025-08-05 14:00"), changed(1, row("Marco Island Police Department")))
    assert read_at(NEXT_YEAR).get("/states/ga").all("tbody th a") == ["Marco Island Police Department"]
