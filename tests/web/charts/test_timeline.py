"""The small timeline of an agreement: when each list showed it, and nothing that its own history does not say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from monitor.model import ListName
from monitor.storage.statistics import ListedSpan
from tests.web.builders import PENDING, Browser, Log, applied, at, changed, gone, new, returned, row
from web.charts.timeline import WIDTH, timeline

ReadAt = Callable[[datetime], Browser]
NOW = at("2025-08-29 14:30")
FIRST = at("2025-03-03 14:00")


def bars(browser: Browser, log: Log, agreement: str) -> list[str]:
    return browser.get(f"/agreements/{agreement}").all("svg.timeline rect title")


def test_a_life_on_both_lists_with_a_gap_is_drawn_as_it_was(log: Log, read_at: ReadAt) -> None:
    log.begins(FIRST, row("Another Agency"))
    log.begins(FIRST, row("Yet Another"), list_=PENDING)
    (entry,) = log.publishes(at("2025-04-01 14:00"), applied(row()), list_=PENDING)
    log.publishes(at("2025-05-01 14:00"), new(row(), agreement=3))
    log.publishes(at("2025-05-01 14:01"), gone(3), list_=PENDING)
    log.publishes(at("2025-06-01 14:00"), gone(3))
    log.publishes(at("2025-06-05 14:00"), returned(3, row()))
    assert bars(read_at(NOW), log, entry.agreement) == [
        "On the participating list from May 1, 2025 to June 1, 2025",
        "On the participating list from June 5, 2025 on",
        "On the pending list from April 1, 2025 to May 1, 2025",
    ]


def test_a_change_is_a_mark(log: Log, read_at: ReadAt) -> None:
    log.begins(FIRST, row())
    (entry,) = log.publishes(at("2025-05-01 14:00"), changed(1, row(signed="2025-04-30")))
    page = read_at(NOW).get(f"/agreements/{entry.agreement}")
    assert page.all("svg.timeline path.mark title") == ["May 1, 2025: Changed"]


def test_news_of_others_leaves_the_timeline_as_it_is(log: Log, read_at: ReadAt) -> None:
    log.begins(FIRST, row())
    (entry,) = log.publishes(at("2025-05-01 14:00"), changed(1, row(signed="2025-04-30")))
    before = read_at(NOW).get(f"/agreements/{entry.agreement}").html.partition("<svg")[2].partition("</svg>")[0]
    log.publishes(at("2025-08-01 14:00"), new(row("Another Agency")))
    after = read_at(NOW).get(f"/agreements/{entry.agreement}").html.partition("<svg")[2].partition("</svg>")[0]
    assert after == before
    assert "mark" in before


def test_a_hostile_name_is_text_inside_the_picture(log: Log, read_at: ReadAt) -> None:
    log.begins(FIRST, row("</title><script>alert(1)</script>"))
    (entry,) = log.publishes(
        at("2025-05-01 14:00"), changed(1, row("</title><script>alert(1)</script>", signed="2025-04-30"))
    )
    page = read_at(NOW).get(f"/agreements/{entry.agreement}")
    assert page.one("svg.timeline > title") == "When ICE listed the agreement of </title><script>alert(1)</script>"
    assert page.all("script") == []


def test_what_still_runs_ends_at_the_right_edge() -> None:
    drawn = timeline([ListedSpan(ListName.PARTICIPATING, FIRST, None)], [])
    assert drawn is not None
    (bar,) = drawn.lanes[0].stretches
    assert bar.x + bar.width == WIDTH


def test_a_moment_on_a_list_can_still_be_seen() -> None:
    spans = [
        ListedSpan(ListName.PARTICIPATING, FIRST, at("2025-03-03 14:05")),
        ListedSpan(ListName.PARTICIPATING, at("2025-08-03 14:05"), None),
    ]
    drawn = timeline(spans, [])
    assert drawn is not None
    assert drawn.lanes[0].stretches[0].width >= 3


@pytest.mark.parametrize("list_", list(ListName))
def test_only_a_list_that_ever_showed_it_has_a_lane(list_: ListName) -> None:
    drawn = timeline([ListedSpan(list_, FIRST, None)], [])
    assert drawn is not None
    assert [lane.list for lane in drawn.lanes] == [list_]


def test_an_agreement_that_no_list_shows_has_no_timeline() -> None:
    assert timeline([], []) is None
