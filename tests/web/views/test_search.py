"""Searching: by every name that was ever listed, by county and state, and whatever somebody types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import pytest

from tests.web.builders import PENDING, Browser, Log, at, browser, changed, gone, new, row

ReadAt = Callable[[datetime], Browser]
BASELINE, LATER = at("2025-08-01 14:00"), at("2025-09-01 14:00")


@pytest.fixture
def reader(log: Log) -> Browser:
    """A browser on a log with some agencies."""
    log.begins(
        BASELINE,
        row(),
        row("Doña Ana County Sheriff's Office", state="NEW MEXICO", county="Doña Ana County"),
        row("Quillmarsh Police Department", state="TEXAS", county="Fennmoor County"),
        row("Old Harbor PD", state="TEXAS", county="Fennmoor County"),
    )
    log.begins(BASELINE, row("Waiting Police Department", county="Otter County"), list_=PENDING)
    log.publishes(
        at("2025-08-05 14:00"), gone(3), changed(4, row("New Harbor PD", state="TEXAS", county="Fennmoor County"))
    )
    return browser(log.path, LATER)


def found(reader: Browser, query: str) -> list[str]:
    """The agencies that a query finds."""
    page = reader.get(f"/search?q={quote(query)}")
    assert page.status == 200
    return page.all(".short .agency")


@pytest.mark.parametrize(
    ("query", "agencies"),
    [
        ("quillmarsh sheriff", ["Quillmarsh County Sheriff's Office"]),
        ("quillm", ["Quillmarsh County Sheriff's Office", "Quillmarsh Police Department"]),
        ("sheriffs office georgia", ["Quillmarsh County Sheriff's Office"]),
        ("dona ana", ["Doña Ana County Sheriff's Office"]),
        ("DOÑA", ["Doña Ana County Sheriff's Office"]),
        ("old harbor", ["New Harbor PD"]),
        ("harbor police", ["New Harbor PD"]),
        ("fennmoor", ["New Harbor PD", "Quillmarsh Police Department"]),
        ("waiting", ["Waiting Police Department"]),
        ("quill office marsh", []),
    ],
)
def test_every_word_counts_and_the_last_may_be_begun(reader: Browser, query: str, agencies: list[str]) -> None:
    assert sorted(found(reader, query)) == agencies


def test_results_are_by_state_and_say_how_each_stands(reader: Browser) -> None:
    page = reader.get("/search?q=quillmarsh")
    assert page.all("h3") == ["Georgia", "Texas"]
    assert page.all(".short .terms") == ["1 agreement listed", "no longer listed by ICE"]
    assert page.links(".short a")[0].startswith("/agencies/a-")
    assert reader.get("/search?q=waiting").all(".short .terms") == ["1 application pending"]


def test_a_county_leads_to_its_place_on_its_states_page(reader: Browser) -> None:
    (address,) = reader.get("/search?q=dona+county").links(".jump a")
    assert address == "/states/nm#county-dona-ana"
    assert reader.get("/states/nm").all("#county-dona-ana") != []


def test_a_state_leads_to_its_page(reader: Browser) -> None:
    assert reader.get("/search?q=new+mex").links(".jump a")[0] == "/states/nm"


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        *('"', '""', "*", "NEAR", "NEAR(a b)", "AND", "OR NOT", "name:x", "{a b}:c", "^a", "a + b", "-", "(", "a*b*"),
        *("'; DROP TABLE words; --", "\0", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "%00"),
        *("<script>alert(1)</script>", "quillmarsh " * 1000, "x" * 10_000, "\u202e", "   ", "é" * 500),
    ],
)
def test_nothing_that_is_typed_is_an_error(reader: Browser, query: str) -> None:
    page = reader.get(f"/search?q={quote(query)}")
    assert page.status == 200
    assert "<script" not in page.html


def test_words_of_the_query_language_are_words(reader: Browser, log: Log) -> None:
    log.publishes(at("2025-08-06 14:00"), new(row("Near and Not Police Department")))
    assert found(reader, "near and not") == ["Near and Not Police Department"]
    assert found(reader, "NOT") == ["Near and Not Police Department"]


def test_an_empty_query_asks_and_finds_nothing(reader: Browser) -> None:
    page = reader.get("/search")
    assert page.all("h2") == []
    assert len(page.all("form")) == 1


def test_every_page_can_be_searched_from(reader: Browser) -> None:
    for address in ("/", "/days/2025-08-05", "/states/", "/nothing"):
        page = reader.get(address)
        assert page.all("form[role=search] button") == ["Search"]
        assert "form-action 'self'" in page.headers["Content-Security-Policy"]
