"""Since you last looked: what came after a place that is in the address, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from tests.web.builders import Browser, Log, at, changed, gone, new, row
from web.views.changes import IN_FULL

ReadAt = Callable[[datetime], Browser]
BASELINE, LATER = at("2025-08-01 14:00"), at("2025-09-01 14:00")


def bookmark(page_of: Browser, address: str = "/") -> str:
    """The place that a page offers to go on from."""
    (found,) = (link for link in page_of.get(address).links("main a") if link.startswith("/since/"))
    return found


def test_the_front_page_offers_the_place_from_which_to_go_on(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Seen Police Department")))
    place = bookmark(read_at(LATER))
    assert read_at(LATER).get(place).one(".lead").startswith("Nothing was added after the entry of Aug. 5, 2025")
    log.publishes(at("2025-08-06 14:00"), new(row("Later Police Department")))
    log.publishes(at("2025-08-07 14:00"), new(row("Newest Police Department")))
    page = read_at(LATER).get(place)
    assert page.all("p.agency") == ["Newest Police Department", "Later Police Department"]
    assert page.one(".lead").startswith("2 entries were added after the entry of Aug. 5, 2025, 10:00 a.m. ET.")
    assert bookmark(read_at(LATER), place) == bookmark(read_at(LATER)) != place


def test_what_was_seen_before_and_believed_after_is_new(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-06 14:00"), new(row("Seen Police Department")))
    place = bookmark(read_at(LATER))
    log.publishes(at("2025-08-05 14:00"), gone(1), recorded_at=at("2025-08-08 14:00"))
    page = read_at(LATER).get(place)
    assert page.all("p.agency") == ["Quillmarsh County Sheriff's Office"]
    assert "Added on Aug. 8, 2025" in page.text


@pytest.mark.parametrize(
    ("place", "agencies"),
    [
        ("0", ["Second", "First"]),
        ("1", ["Second"]),
        ("2", []),
        ("999999", []),
        ("2025-08-05", ["Second", "First"]),
        ("2025-08-06", ["Second"]),
        ("2025-08-07", []),
    ],
)
def test_a_place_may_be_a_number_or_a_day(log: Log, read_at: ReadAt, place: str, agencies: list[str]) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("First")))
    log.publishes(at("2025-08-06 14:00"), new(row("Second")))
    assert read_at(LATER).get(f"/since/{place}").all("p.agency") == agencies


@pytest.mark.parametrize("place", ["c-nothing", "9" * 30, "-1", "²", "yesterday", "x" * 500])
def test_a_place_that_never_was_is_not_found(log: Log, read_at: ReadAt, place: str) -> None:
    log.begins(BASELINE, row())
    assert read_at(LATER).get(f"/since/{place}").status == 404


def test_after_a_long_time_whole_days_are_told_and_the_earlier_ones_summed_up(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, *(row(f"Agency {n}") for n in range(200)))
    for day in ("2025-08-05", "2025-08-06"):
        edits = [changed(n, row(f"Agency {n - 1}", signed=day)) for n in range(1, 201)]
        log.publishes(at(f"{day} 14:00"), *edits)
    assert 200 < IN_FULL < 400
    page = read_at(LATER).get("/since/0")
    assert page.all("h2.dateline") == ["Wednesday Aug. 6, 2025"]
    assert page.links("ul.days a") == ["/days/2025-08-05"]
    assert page.one(".lead") == "400 entries were added since this log began."


def test_an_empty_log_offers_no_place(log: Log, read_at: ReadAt) -> None:
    assert [link for link in read_at(LATER).get("/").links() if "since" in link] == []
    assert read_at(LATER).get("/since/0").one(".lead") == "Nothing was added since this log began."
