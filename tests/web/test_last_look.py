"""No page, feed or file says anything about a moment after the last successful check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.model import Outcome
from monitor.settings import Settings
from monitor.storage.log import open_reader
from tests.web.builders import PENDING, Log, applied, at, browser, changed, confirmed, dropped, gone, new, row
from web.request import Visit
from web.static_site import sitemap

pytestmark = pytest.mark.slow

LAST_LOOK, A_YEAR_ON = at("2025-09-20 14:00"), at("2026-09-20 15:00")
LAST_DAY = LAST_LOOK.date()

# What is said of the moment at which a page is read, and that nothing was checked since.
OF_THE_READER = "has not been checked successfully yet today"


@pytest.fixture
def told(log: Log) -> Log:
    """Some of everything; and since the last look only checks that failed."""
    log.begins(at("2025-06-02 14:00"), row(), row("Tallow Creek", state="TEXAS"))
    log.begins(at("2025-06-02 14:00"), row("Saltmere"), list_=PENDING)
    left, _ = log.publishes(at("2025-07-05 14:00"), gone(1), new(row("Ashlar", state="TEXAS")))
    log.publishes(at("2025-07-08 14:00"), confirmed(1, left), changed(2, row("Tallow Creek", state="OHIO")))
    log.publishes(at("2025-08-08 14:00"), applied(row("Dunmarsh")), dropped(3), list_=PENDING)
    log.looks(LAST_LOOK)
    log.looks(LAST_LOOK, list_=PENDING)
    log.looks(at("2025-11-01 14:00"), Outcome.FAILED)
    return log


def addresses(log: Log, now: datetime) -> list[str]:
    """Every address of the published site."""
    here = Visit(Settings(state=log.path), now)
    with open_reader(log.path) as reader:
        content = sitemap.SiteContent(reader, here)
        found = [address.path for pages in sitemap.ALL for address in pages(content)]
    here.end()
    return found


def days_named(text: str) -> Iterator[date]:
    """The days in a text, as machines write them and as readers do."""
    for iso in re.findall(r"\b\d{4}-\d\d-\d\d\b", text):
        yield date.fromisoformat(iso)
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    for day, month, year in re.findall(rf"\b(\d{{1,2}}) ({'|'.join(months)})[a-z]* (\d{{4}})\b", text):
        yield date(int(year), months.index(month) + 1, int(day))


def statements(html: str) -> str:
    """A page without what it says of its reader's moment, and of checks that failed."""
    tree = LexborHTMLParser(html)
    for node in tree.css("p, section.banner, tr"):
        if OF_THE_READER in node.text() or ("check" in node.text() and "failed" in node.text()):
            node.decompose()
    return tree.html or ""


def test_nothing_is_said_of_a_moment_after_the_last_look(told: Log) -> None:
    client = browser(told.path, A_YEAR_ON)
    queue = addresses(told, A_YEAR_ON)
    assert {"/map/2025-09-20", "/data/agreements-2025-08-31.csv", "/over-time", "/feed.atom"} <= set(queue)
    seen = set(queue)
    for address in queue:  # grows by what the pages link
        if address.endswith((".png", ".db", ".css", ".js", ".svg")) or address == "/status":
            continue  # pictures without a date; and the page about the checks themselves, failed ones too
        page = client.get(address)
        kind = page.headers["Content-Type"]
        assert page.status in (200, 301), address
        text = statements(page.html) if kind.startswith("text/html") else page.html
        late = [day for day in days_named(text) if day > LAST_DAY]
        assert not late, (address, late)
        if kind.startswith("text/html"):
            links = {urlsplit(link).path for link in page.links() if link.startswith("/")} - seen
            seen |= links
            queue += sorted(links)


def test_later_days_are_not_answered(told: Log) -> None:
    client = browser(told.path, A_YEAR_ON)
    for days in (1, 30, 100, 365):
        day = LAST_DAY + timedelta(days=days)
        for address in (f"/map/{day}", f"/map/counties/{day}", f"/data/agreements-{day}.csv"):
            page = client.get(address)
            assert page.status == 404
            assert "not checked successfully after Sept. 20, 2025" in page.one(".lead")


def test_a_day_nobody_looked_at_says_nothing_of_the_list(told: Log) -> None:
    page = browser(told.path, A_YEAR_ON).get("/days/2026-01-01")
    assert "was not read successfully on this day, so nothing can be said about it" in page.text


def test_since_is_before_where_the_first_list_is_all_that_is_known(told: Log) -> None:
    told.publishes(at("2025-09-21 14:00"), new(row("Saltmere"), agreement=3, pending_since=at("2025-06-02 14:00")))
    told.publishes(at("2025-09-21 15:00"), new(row("Dunmarsh"), agreement=5, pending_since=at("2025-08-08 14:00")))
    lines = browser(told.path, A_YEAR_ON).get("/days/2025-09-21").all(".new .entries > li")
    assert "on the pending list since Aug. 8, 2025" in lines[1]
    assert "on the pending list since before June 2, 2025" in lines[0]
