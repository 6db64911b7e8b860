"""What is kept for speed never shows: a page is as new as if it had been made for the request."""

from __future__ import annotations

from datetime import datetime

import pytest

from monitor.model import Outcome
from monitor.settings import Settings
from monitor.storage.log import open_reader
from tests.web.builders import Browser, Log, at, confirmed, gone, new, row
from web.app import create_app
from web.page_cache import LONGEST, PageCache

pytestmark = pytest.mark.slow

BASELINE = at("2025-08-01 14:00")
ADDRESSES = ("/", "/days/", "/days/2025-08-05", "/states/", "/states/ga", "/about", "/since/0")


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(at("2025-08-05 15:00"))


@pytest.fixture
def process(log: Log, clock: Clock) -> Browser:
    """A browser on one process that goes on, whatever becomes of the log; there is something in it."""
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), gone(1))
    return Browser(create_app(Settings(state=log.path), clock).test_client())


def afresh(log: Log, clock: Clock, address: str) -> str:
    """The page as another process makes it now."""
    return Browser(create_app(Settings(state=log.path), clock).test_client()).get(address).html


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_kept_page_is_what_another_process_would_make(log: Log, clock: Clock, process: Browser, address: str) -> None:
    with open_reader(log.path) as store:
        (left,) = store.changelog.entries()

    def as_new() -> bool:
        return process.get(address).html == process.get(address).html == afresh(log, clock, address)

    assert as_new()
    log.looks(at("2025-08-05 15:30"))
    clock.now = at("2025-08-05 15:31")
    assert as_new()
    log.looks(at("2025-08-05 16:00"), Outcome.FAILED)
    assert as_new()
    log.publishes(at("2025-08-05 16:30"), new(row("Other Police Department")))
    assert as_new()
    clock.now = at("2025-08-05 23:30")
    assert as_new()  # stale by now
    clock.now = at("2025-08-08 14:00")
    assert as_new()
    log.looks(at("2025-08-05 23:45"))  # written down after its day
    assert as_new()
    log.publishes(at("2025-08-08 13:00"), confirmed(1, left))
    assert as_new()


def test_another_log_under_the_same_name_is_seen_even_if_it_is_as_long(
    log: Log, clock: Clock, process: Browser
) -> None:
    assert "Quillmarsh" in process.get("/states/ga").text
    other = Log(log.path.with_name("other.db"))
    other.begins(BASELINE, row("Rebuilt Police Department"))
    other.publishes(at("2025-08-05 14:00"), gone(1))
    for suffix in ("-wal", "-shm"):
        log.path.with_name(log.path.name + suffix).unlink(missing_ok=True)
    other.path.rename(log.path)
    assert "Rebuilt" in process.get("/states/ga").text


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    pages = PageCache(room=10)
    pages.put("one", "12345")
    pages.put("two", "12345")
    assert pages.get("one") == "12345"
    pages.put("three", "123")
    assert (pages.get("one"), pages.get("two"), pages.get("three")) == ("12345", None, "123")
    pages.put("too long", "1234567890 and more")
    assert (pages.get("three"), pages.get("too long")) == ("123", None)


def test_an_address_that_no_link_has_takes_no_room(process: Browser) -> None:
    process.get("/days/")
    pages: PageCache = process.client.application.extensions["page cache"]
    before = len(pages)
    assert process.get("/days/?" + "x" * LONGEST).all("h1") == process.get("/days/").all("h1")
    assert len(pages) == before
