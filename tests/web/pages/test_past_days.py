"""A past day's page stays as it was when the day ended; what is noted later is in a part of its own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from monitor.model import Entry
from tests.web.builders import (
    Browser,
    Edit,
    Log,
    at,
    browser,
    changed,
    confirmed,
    gone,
    new,
    retracted,
    returned,
    row,
    withdrawn,
)

ReadAt = Callable[[], Browser]
DAY, PAGE = "2025-08-05", "/days/2025-08-05"


def without_marked_parts(html: str) -> str:
    """A day's page without its corrections and the links to its neighbours."""
    html = re.sub(r'<section class="corrections".*?</section>', "", html, flags=re.DOTALL)
    html = re.sub(r'<nav class="neighbours".*?</nav>', "", html, flags=re.DOTALL)
    return re.sub(r"\n+", "\n", html)


@pytest.fixture
def left(log: Log) -> Entry:
    """What was told of a day: one agreement gone, one changed, one new."""
    log.begins(at("2025-08-01 14:00"), row(), row("Other Police Department"))
    entry, *_ = log.publishes(
        at(f"{DAY} 14:00"),
        gone(1),
        changed(2, row("Other Police Department", signed="2025-03-01")),
        new(row("New Police Department")),
    )
    return entry


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (lambda left: [confirmed(1, left)], "Confirmed on Aug. 8, 2025: still not listed."),
        (lambda left: [withdrawn(1, left), returned(1, row())], "Withdrawn: it was listed again on Aug. 8, 2025."),
        (lambda left: [retracted(1, left)], "Retracted on Aug. 8, 2025: this entry was wrong."),
        (lambda left: [new(row("Later Police Department"))], ""),
    ],
)
def test_a_past_day_differs_later_only_in_its_corrections(
    log: Log, left: Entry, later: Callable[[Entry], list[Edit]], says: str
) -> None:
    before = browser(log.path, at("2025-08-07 14:00")).get(PAGE)
    log.publishes(at("2025-08-08 14:00"), *later(left))
    after = browser(log.path, at("2026-08-08 14:10")).get(PAGE)
    assert without_marked_parts(after.html) == without_marked_parts(before.html)
    assert before.all(".corrections") == []
    assert [says in text for text in after.all(".corrections")] == ([True] if says else [])


def test_what_is_noted_on_the_same_day_is_told_with_the_day(log: Log, left: Entry) -> None:
    log.publishes(at(f"{DAY} 18:00"), withdrawn(1, left), returned(1, row()))
    page = browser(log.path, at("2025-08-07 14:00")).get(PAGE)
    assert page.all(".corrections") == []
    assert page.one("s") == "Quillmarsh County Sheriff's Office"


def test_the_newest_corrections_come_first(log: Log, left: Entry) -> None:
    log.publishes(at("2025-08-07 14:00"), confirmed(1, left))
    log.publishes(at("2025-08-20 14:00"), withdrawn(1, left), returned(1, row()))
    page = browser(log.path, at("2025-09-01 14:00")).get(PAGE)
    assert page.all(".corrections h3") == ["Added on Aug. 20, 2025", "Added on Aug. 7, 2025"]


def test_a_correction_that_was_itself_wrong_is_followed_by_its_own(log: Log, left: Entry) -> None:
    note, _ = log.publishes(at("2025-08-08 14:00"), withdrawn(1, left), returned(1, row()))
    log.publishes(at("2025-08-09 14:00"), retracted(1, note))
    page = browser(log.path, at("2025-09-01 14:00")).get(PAGE)
    assert page.all(".corrections h3") == ["Added on Aug. 9, 2025", "Added on Aug. 8, 2025"]
    assert page.links(".corrections li .agency a")[0] == f"/changes/{note.id}"


def test_what_was_believed_late_is_a_correction_too_and_shown_as_it_stands(log: Log, left: Entry) -> None:
    before = browser(log.path, at("2025-08-06 14:00")).get(PAGE)
    (late,) = log.publishes(at(f"{DAY} 20:00"), gone(2), recorded_at=at("2025-08-07 20:00"))
    log.publishes(at("2025-08-09 20:30"), confirmed(2, late))
    after = browser(log.path, at("2025-09-01 14:00")).get(PAGE)
    assert without_marked_parts(after.html) == without_marked_parts(before.html)
    assert after.all(".corrections h3") == ["Added on Aug. 7, 2025"]
    assert "Confirmed on Aug. 9, 2025: still not listed." in after.one(".corrections")
