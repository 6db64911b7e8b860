"""The front page: the newest changes, and whether their absence means anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.model import Outcome
from tests.web.builders import PARTICIPATING, PENDING, Browser, Log, at, changed, gone, new, row

ReadAt = Callable[[datetime], Browser]
BASELINE = at("2025-08-01 14:00")


def test_the_newest_day_comes_first(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Earlier Police Department")))
    log.publishes(at("2025-08-08 14:00"), new(row("Later Police Department")))
    page = read_at(at("2025-08-08 15:00")).get("/")
    assert page.one("h1") == "Changes today"
    assert page.all("h2.dateline") == ["Friday Aug. 8, 2025", "Tuesday Aug. 5, 2025"]
    assert page.all("p.agency") == ["Later Police Department", "Earlier Police Department"]


def test_days_beyond_the_newest_are_summed_up(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Early Police Department")), gone(1))
    log.publishes(at("2025-08-08 14:00"), *(new(row(f"Agency {n}")) for n in range(20)))
    page = read_at(at("2025-08-08 15:00")).get("/")
    assert page.all("h2.dateline") == ["Friday Aug. 8, 2025"]
    assert page.all("aside li") == ["Tuesday Aug. 5, 2025 1 new, 1 no longer listed"]
    assert page.links("aside li a") == ["/days/2025-08-05"]


def test_a_quiet_day_is_said_to_be_quiet(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Early Police Department")))
    log.looks(at("2025-08-06 13:00"))
    page = read_at(at("2025-08-06 13:10")).get("/")
    assert page.one("h1") == "Latest changes"
    assert "No changes so far today, Wednesday Aug. 6, 2025." in page.text


def test_a_day_on_which_nothing_was_read_is_not_called_quiet(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Early Police Department")))
    log.looks(at("2025-08-06 13:00"), Outcome.FAILED)
    page = read_at(at("2025-08-06 13:10")).get("/")
    assert "No changes so far today" not in page.text
    assert "has not been checked successfully yet today, Wednesday Aug. 6, 2025." in page.text


def test_a_log_with_nothing_but_its_baseline_says_so(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    page = read_at(BASELINE).get("/")
    assert "No change has been recorded yet. The first list that is read is the baseline" in page.text


def test_a_log_without_any_list_says_that_an_empty_page_means_nothing(log: Log, read_at: ReadAt) -> None:
    page = read_at(BASELINE).get("/")
    assert page.status == 200
    assert "Nothing has been read yet." in page.one(".banner")


# --- how fresh it is, on every page -------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/days/2025-08-05", "/status"])
def test_pages_about_now_say_when_each_list_was_last_checked_successfully(
    log: Log, read_at: ReadAt, address: str
) -> None:
    log.begins(BASELINE, row())
    log.begins(at("2025-08-05 13:30"), row("Pending Police Department"), list_=PENDING)
    log.publishes(at("2025-08-05 14:00"), new(row("New Police Department")))
    log.looks(at("2025-08-05 14:30"), Outcome.FAILED)
    page = read_at(at("2025-08-05 14:40")).get(address)
    assert page.status == 200
    assert page.all(".checked")[0] == (
        "The participating list was last checked successfully on Aug. 5, 2025, 10:00 a.m. ET."
        " The pending list was last checked successfully on Aug. 5, 2025, 9:30 a.m. ET."
    )


@pytest.mark.parametrize(
    "address",
    ["/days/", "/days/2025-08-05", "/states/", "/states/ga", "/changes/{change}", "/agreements/{agreement}"],
)
def test_all_other_pages_lead_to_when_the_lists_were_checked_and_do_not_change_with_each_check(
    log: Log, read_at: ReadAt, address: str
) -> None:
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), new(row("New Police Department")))
    where = address.format(change=entry.id, agreement=entry.agreement)
    log.looks(at("2025-08-06 14:00"))
    before = read_at(at("2025-08-06 14:10")).get(where)
    log.looks(at("2025-08-06 15:00"))
    after = read_at(at("2025-08-06 15:10")).get(where)
    assert before.links("footer .checked a") == ["/status"]
    assert after.html == before.html


SOON, LATER = timedelta(minutes=20), timedelta(hours=3, minutes=1)


@pytest.mark.parametrize(
    ("list_", "outcome", "after", "words"),
    [
        (PARTICIPATING, Outcome.UNCHANGED, SOON, None),
        (PARTICIPATING, Outcome.UNCHANGED, LATER, "The participating list has not been checked for a while."),
        (PARTICIPATING, Outcome.FAILED, SOON, "The last check of the participating list failed"),
        (PARTICIPATING, Outcome.HELD, SOON, "ICE’s newest participating list is being held back"),
        (PARTICIPATING, Outcome.NOT_LINKED, SOON, "ICE’s page does not link the participating list at present"),
        (PENDING, Outcome.FAILED, SOON, "The last check of the pending list failed"),
        # Unlinked for months at a time: normal.
        (PENDING, Outcome.NOT_LINKED, SOON, None),
        (PENDING, Outcome.NOT_LINKED, LATER, "The pending list has not been checked for a while."),
    ],
)
def test_a_banner_says_why_changes_may_be_missing(
    log: Log, read_at: ReadAt, list_: object, outcome: Outcome, after: timedelta, words: str | None
) -> None:
    looked = at("2025-08-05 14:00")
    log.begins(at("2025-08-05 13:00"), row())
    log.begins(at("2025-08-05 13:00"), row("Pending Police Department"), list_=PENDING)
    for each in (PARTICIPATING, PENDING):
        log.looks(looked if each == list_ else looked + after, outcome if each == list_ else Outcome.UNCHANGED, each)
    banners = read_at(looked + after).get("/").all(".banner")
    if words is None:
        assert banners == []
    else:
        assert len(banners) == 1
        assert words in banners[0]


def test_a_banner_says_from_when_on_changes_may_be_missing(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-08-05 13:00"), row())
    log.looks(at("2025-08-05 13:30"), Outcome.FAILED)
    page = read_at(at("2025-08-05 13:40")).get("/states/")
    assert "Changes after Aug. 5, 2025, 9:00 a.m. ET may be missing here." in page.one(".banner")


def test_a_change_of_spelling_alone_does_not_take_the_front_page(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), changed(1, row("Quillmarsh County Sheriff’s Office ")))
    page = read_at(at("2025-08-05 15:00")).get("/")
    assert page.one("details summary") == "Georgia: 1 correction of spelling or links"
    assert page.all("ul.entries") == []
