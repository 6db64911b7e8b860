"""Nothing that a workbook says, and nothing that a visitor sends, does anything but be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.errors import StateUnusable
from monitor.model import Cells
from monitor.settings import Settings
from monitor.storage.database import State
from monitor.storage.log import open_reader
from monitor.storage.schema import SCHEMA
from tests import hostile
from tests.web.builders import (
    PENDING,
    Browser,
    Log,
    Page,
    applied,
    at,
    browser,
    changed,
    gone,
    new,
    returned,
    row,
)
from web.app import create_app

pytestmark = pytest.mark.slow

ReadAt = Callable[[datetime], Browser]
BASELINE = at("2025-08-01 14:00")
NEXT_YEAR = at("2026-01-01 12:00")
# In a real browser, and out of a real workbook: tests/browser/test_hostile.py.
ATTACKS = (*hostile.MARKUP, *hostile.ADDRESSES, *hostile.TEMPLATES, *hostile.UNSEEN, hostile.UNWRITABLE[0])
ADDRESSES = ("/", "/days/", "/days/2025-08-05", "/states/", "/states/ga", "/states/unknown")


def everywhere(attack: str, **others: str) -> Cells:
    """A row with the attack in every cell, and its state still read."""
    usual = dict.fromkeys(Cells.__dataclass_fields__, attack)
    return Cells(**(usual | {"state": "GEORGIA"} | others))


def infested(log: Log, attack: str) -> list[str]:
    """A log with the attack in every place that a page shows; the addresses of all its pages."""
    log.begins(BASELINE, everywhere(attack), row(), row("Another Agency"))
    log.begins(BASELINE, everywhere(f"{attack} pending"), list_=PENDING)
    day = at("2025-08-05 14:00")
    entries = log.publishes(
        day,
        gone(1),
        changed(2, everywhere(attack)),
        changed(3, row("Another Agency", moa=attack, moa_address=attack)),
        new(everywhere(attack, state=attack)),
        *(new(everywhere(f"{n} {attack}")) for n in range(3)),
    )
    entries += log.publishes(at("2025-08-05 15:00"), returned(1, everywhere(attack, signed="2025-03-01")))
    entries += log.publishes(at("2025-08-05 16:00"), applied(everywhere(f"{attack} applied")), list_=PENDING)
    return [
        *ADDRESSES,
        *(f"/changes/{entry.id}" for entry in entries),
        *sorted({f"/agreements/{entry.agreement}" for entry in entries}),
    ]


# At the head of every page; it asks for a page, by GET.
SEARCH_FORM = {"action": "/search", "role": "search", "aria-label": "Agencies, counties and states"}


def what_acts(page: Page) -> list[str]:
    """Everything in a page that could do something, or fetch something from elsewhere."""
    found = []
    for node in LexborHTMLParser(page.html).css("*"):
        attributes = {name: value or "" for name, value in node.attributes.items()}
        if node.tag == "form" and attributes == {"class": "search", **SEARCH_FORM}:
            continue
        if node.tag == "svg" and "picture" in (attributes.get("class") or "").split():
            continue  # one of ours, whose parts are looked at like any others
        if node.tag in {"script", "img", "iframe", "svg", "form", "object", "embed", "base", "style", "textarea"}:
            found.append(node.tag)
        found += [f"{node.tag} {name}" for name in attributes if name.startswith("on") or name in {"style", "src"}]
        href = attributes.get("href", "/").removeprefix("http://127.0.0.1:8287")  # the site's own address
        if href.startswith(("/", "#")) and not href.startswith("//"):
            continue
        followed = attributes.get("rel", "").split()
        if node.tag == "link" and followed == ["canonical"] and href.startswith(Settings().web.base_url):
            continue  # never fetched: where the page is at home
        if not href.startswith("https://") or not {"nofollow", "noopener", "noreferrer"} <= set(followed):
            found.append(f"{node.tag} href={href}")
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_workbook_says_is_only_ever_read(log: Log, read_at: ReadAt, attack: str) -> None:
    addresses, browser = infested(log, attack), read_at(NEXT_YEAR)
    pages = {address: browser.get(address) for address in addresses}
    assert {address: page.status for address, page in pages.items()} == dict.fromkeys(addresses, 200)
    assert {address: what_acts(page) for address, page in pages.items() if what_acts(page)} == {}
    assert "49" not in pages["/days/2025-08-05"].one("h1")
    for page in pages.values():
        assert not set("\N{RIGHT-TO-LEFT OVERRIDE}\x00\x1b\x85") & set(page.html)


def test_an_attack_is_shown_as_the_text_that_it_is(log: Log, read_at: ReadAt) -> None:
    infested(log, ATTACKS[0])
    page = read_at(NEXT_YEAR).get("/days/2025-08-05")
    assert ATTACKS[0] in page.all("#ga-new p.agency")[0]


def test_what_acts_finds_what_acts() -> None:
    planted = '<a href="javascript:x">a</a><img src=x><p onclick=x style=x>b</p><a href="//evil.test">c</a>'
    planted += "<form action=/search></form>"
    assert what_acts(Page(200, {}, planted)) == [
        *("a href=javascript:x", "img", "img src", "p onclick", "p style", "a href=//evil.test", "form")
    ]


def test_a_staff_address_inside_a_wrapped_link_is_not_shown(log: Log, read_at: ReadAt) -> None:
    wrapped = (
        "https://gcc02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.ice.gov%2FQ_MOA.pdf"
        "&data=05%7C02%7Csomebody%40ice.dhs.gov%7C"
    )
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), changed(1, row(moa="link", moa_address=wrapped)))
    browser = read_at(NEXT_YEAR)
    for address in ("/days/2025-08-05", f"/changes/{entry.id}", f"/agreements/{entry.agreement}", "/states/ga"):
        page = browser.get(address)
        assert "somebody" not in page.html
    wrapper = "gcc02.safelinks.protection.outlook.com"
    shown = browser.get(f"/changes/{entry.id}").all("tr.changed td")[1]
    assert shown == f"https://www.ice.gov/Q_MOA.pdf (published inside an address of {wrapper})"


# --- what a browser may do ----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*ADDRESSES, "/nothing", "/static/style.css", "/static/icon.svg"])
def test_every_answer_forbids_scripts_frames_and_other_hosts(log: Log, read_at: ReadAt, address: str) -> None:
    log.begins(BASELINE, row())
    headers = read_at(NEXT_YEAR).get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("address", [*ADDRESSES, "/nothing"])
def test_head_answers_as_get_does_without_the_page(log: Log, read_at: ReadAt, address: str) -> None:
    log.begins(BASELINE, row())
    browser = read_at(NEXT_YEAR)
    got, head = browser.get(address), browser.ask("HEAD", address)
    for answer in (got, head):
        answer.headers.pop("Date", None)  # a second may have passed in between
    assert head.html == ""
    assert (head.status, head.headers) == (got.status, got.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_sent(log: Log, read_at: ReadAt, method: str) -> None:
    page = read_at(NEXT_YEAR).ask(method, "/")
    assert page.status == 405
    assert sorted(page.headers["Allow"].split(", ")) == ["GET", "HEAD"]
    assert "These pages can only be read" in page.text


def test_a_page_that_is_not_there_says_so_in_plain_words(log: Log, read_at: ReadAt) -> None:
    page = read_at(NEXT_YEAR).get("/nothing/<script>")
    assert page.status == 404
    assert page.one("h1") == "There is no page here"
    assert page.links("main a") == ["/", "/days/", "/states/"]
    assert what_acts(page) == []


# --- the log and the clock ----------------------------------------------------------------------------------


def test_a_page_cannot_write_to_the_log(log: Log) -> None:
    log.begins(BASELINE, row())
    with open_reader(log.path) as reader, pytest.raises(StateUnusable, match="readonly"):
        reader.state.run("DELETE FROM checks")


@pytest.mark.parametrize("fault", ["newer", "broken"])
def test_a_log_that_cannot_be_read_is_an_apology_and_not_an_empty_page(log: Log, read_at: ReadAt, fault: str) -> None:
    log.begins(BASELINE, row())
    if fault == "newer":
        with State(log.path, SCHEMA) as state:
            state.run("UPDATE _sqlite_migrations SET name = 'm999_later' WHERE name LIKE 'm001%'")
    else:
        log.path.write_bytes(b"not a database" * 100)
    page = read_at(NEXT_YEAR).get("/")
    assert page.status == 503
    assert page.one("h1") == "The log cannot be read just now"
    assert str(log.path) not in page.html


def test_the_clock_is_read_once_a_request(log: Log) -> None:
    log.begins(BASELINE, row())
    readings = []

    def clock() -> datetime:
        readings.append(NEXT_YEAR)
        return NEXT_YEAR

    client = create_app(Settings(state=log.path), clock).test_client()
    assert readings == []
    client.get("/")
    client.get("/states/")
    assert len(readings) == 2


@pytest.mark.parametrize("address", ["/", "/api/changes", "/data/public.db", "/confirm/x"])
def test_a_log_that_is_gone_is_not_an_empty_one(log: Log, address: str) -> None:
    log.begins(BASELINE, row())
    reader = browser(log.path, NEXT_YEAR)
    assert reader.get("/").status == 200
    for file in log.path.parent.glob("state.db*"):
        file.unlink()
    assert reader.get(address).status == 503
    assert not log.path.exists()


def test_a_redirect_never_names_the_host_that_a_visitor_names(log: Log) -> None:
    log.begins(BASELINE, row())
    client = browser(log.path, NEXT_YEAR).client
    for address in ("/days", "/states", "/days//2025-08-01", "/map?on=2025-08-01", "/states/GA"):
        with client.get(address, headers={"Host": "evil.test"}) as answer:
            assert answer.status_code in (301, 303, 308)
            assert answer.headers["Location"].startswith("/")
            assert not answer.headers["Location"].startswith("//")
