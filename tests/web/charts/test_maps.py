"""The maps say what the table beside them says, for now and for any past day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.model import Outcome
from monitor.normalize import STATES
from monitor.storage.statistics import Location
from tests.web.builders import Browser, Log, Page, at, gone, new, row
from web.charts import maps

ReadAt = Callable[[datetime], Browser]
BASELINE, SUMMER, NOW = at("2025-03-03 14:00"), at("2025-06-10 14:00"), at("2025-08-29 14:30")
LAST_LOOK = at("2025-06-20 14:00")


@pytest.fixture
def told(log: Log) -> Log:
    """Two agreements in Georgia and one on Guam; in June Texas joins twice, and one in Georgia leaves."""
    log.begins(
        BASELINE,
        row("Fulton County Sheriff's Office", county="Fulton County"),
        row("Atlanta Airport Police", county="Fulton County"),
        row("Office of the Attorney General", state="GUAM", county="", type="State Agency"),
    )
    log.publishes(
        SUMMER,
        new(row("Travis County Constable", state="TEXAS", county="Travis County")),
        new(row("Travis County Constable", state="TEXAS", county="Travis County", support_type="Jail Enforcement")),
        gone(2),
    )
    log.looks(LAST_LOOK)
    return log


def drawn(page: Page) -> dict[str, int]:
    """The numbers that the shapes of a map bear, by name, but for those that have none."""
    titles = [node.text().rpartition(": ") for node in LexborHTMLParser(page.html).css("svg.map path > title")]
    return {name: int(words.split()[0]) for name, _, words in titles if words[0].isdigit()}


def table(page: Page) -> dict[str, int]:
    rows = LexborHTMLParser(page.html).css("table.figures tbody tr")
    cells = [[cell.text().strip() for cell in row.css("th, td")] for row in rows]
    return {name: int(number) for name, number in cells}


def test_the_map_of_states_says_what_its_table_says(told: Log, read_at: ReadAt) -> None:
    page = read_at(NOW).get("/map")
    assert drawn(page) == table(page) == {"Georgia": 1, "Guam": 1, "Texas": 2}
    assert page.one("table.figures tfoot td") == "4"
    assert "Texas: 2 agreements" in page.html
    assert "Georgia: 1 agreement<" in page.html


def test_the_map_says_what_the_page_of_states_says(told: Log, read_at: ReadAt) -> None:
    browser = read_at(NOW)
    page = browser.get("/states/")
    numbers = [int(text) for text in page.all("tbody td:nth-child(2)")]
    assert dict(zip(page.all("tbody th a"), numbers, strict=True)) == drawn(browser.get("/map"))


def test_every_state_and_territory_is_a_shape_that_links_to_its_page(told: Log, read_at: ReadAt) -> None:
    page = read_at(NOW).get("/map")
    assert sorted(page.links("svg.map a")) == sorted(f"/states/{code.lower()}" for code in STATES)
    assert "Nevada: no agreements" in page.html


def test_a_past_day_shows_what_stood_at_its_end(told: Log, read_at: ReadAt) -> None:
    browser = read_at(NOW)
    assert drawn(browser.get("/map/2025-06-09")) == {"Georgia": 2, "Guam": 1}
    assert drawn(browser.get("/map/2025-06-10")) == {"Georgia": 1, "Guam": 1, "Texas": 2}
    assert "on June 9, 2025" in browser.get("/map/2025-06-09").one("h1")


def test_the_day_ends_where_the_log_says(told: Log, read_at: ReadAt) -> None:
    # 02:00 in Greenwich is still the evening before in New York.
    told.publishes(at("2025-07-02 02:00"), gone(1))
    browser = read_at(NOW)
    assert "Georgia" not in drawn(browser.get("/map/2025-07-01"))
    assert "Georgia" in drawn(browser.get("/map/2025-06-30"))


@pytest.mark.parametrize("kind", ["/map", "/map/counties"])
@pytest.mark.parametrize("day", ["2025-08-30", "2025-03-02", "2025-6-1", "yesterday", "20250610"])
def test_there_is_no_map_of_a_day_before_the_log_or_to_come(told: Log, read_at: ReadAt, kind: str, day: str) -> None:
    assert read_at(NOW).get(f"{kind}/{day}").status == 404
    assert read_at(NOW).get(f"{kind}?on={day}").status == 404


@pytest.mark.parametrize("kind", ["/map", "/map/counties"])
def test_there_is_no_map_of_a_day_after_the_last_look(told: Log, read_at: ReadAt, kind: str) -> None:
    told.looks(at("2025-06-21 14:00"), Outcome.FAILED)
    browser = read_at(NOW)
    assert browser.get(f"{kind}/2025-06-20").status == 200
    page = browser.get(f"{kind}/2025-06-21")
    assert page.status == 404
    assert "not checked successfully after June 20, 2025, 10:00 a.m. ET" in page.one(".lead")
    assert browser.get(f"{kind}?on=2025-08-01").status == 404


def test_a_map_names_the_look_that_it_shows(told: Log, read_at: ReadAt) -> None:
    browser = read_at(NOW)
    assert browser.get("/map").one(".kicker") == "As of June 20, 2025, 10:00 a.m. ET"
    words = (
        "ICE listed 4 agreements when its list was last read before the end of that day, on June 10, 2025, 10:00 a.m."
    )
    assert browser.get("/map/2025-06-12").one(".lead").startswith(words)


@pytest.mark.parametrize("kind", ["/map", "/map/counties"])
def test_a_past_map_stays_as_it_is_while_the_log_goes_on(told: Log, read_at: ReadAt, kind: str) -> None:
    address = f"{kind}/2025-06-09"
    before = read_at(NOW).get(address).html
    told.looks(at("2025-09-20 14:00"))
    told.publishes(at("2025-09-29 14:00"), new(row("Franklin County Sheriff", state="OHIO", county="Franklin County")))
    assert read_at(at("2026-02-01 12:00")).get(address).html == before


def test_the_form_leads_to_the_day_s_own_address(told: Log, read_at: ReadAt) -> None:
    answer = read_at(NOW).get("/map?on=2025-06-09")
    assert (answer.status, answer.headers["Location"]) == (303, "/map/2025-06-09")
    form = LexborHTMLParser(read_at(NOW).get("/map").html).css_first("form.when")
    assert form is not None
    assert (form.attributes["method"], form.attributes["action"]) == ("get", "/map")


def test_a_new_publication_is_on_the_map_at_once(told: Log, read_at: ReadAt) -> None:
    browser = read_at(NOW)
    assert "Ohio" not in drawn(browser.get("/map"))
    told.publishes(at("2025-08-29 14:00"), new(row("Franklin County Sheriff", state="OHIO", county="Franklin County")))
    assert drawn(browser.get("/map"))["Ohio"] == 1


def test_an_empty_log_has_an_empty_map(log: Log, read_at: ReadAt) -> None:
    log.looks(BASELINE)
    page = read_at(NOW).get("/map")
    assert (page.status, drawn(page)) == (200, {})


# --- counties -----------------------------------------------------------------------------------------------


def test_the_map_of_counties_says_what_its_table_says_and_counts_the_others_in_words(
    told: Log, read_at: ReadAt
) -> None:
    page = read_at(NOW).get("/map/counties")
    assert drawn(page) == {"Fulton, GA": 1, "Travis, TX": 2}
    assert table(page) == {"Fulton, GA": 1, "Travis, TX": 2, "Not on the map": 1}
    assert (
        "1 agreement of state agencies, without a county, or with one that the Census does not know is not" in page.text
    )


@pytest.mark.parametrize(("state", "county", "agency", "fips"), [
    ("TEXAS", "Dallas County", "", "48113"),
    ("TEXAS", "dallas", "", "48113"),
    ("LOUISIANA", "Layafette Parish", "", "22055"),  # only one county of the state can be meant
    ("TEXAS", "Fall County", "", None),  # Falls, Hall, Hill …
    ("TEXAS", "#N/A", "Dallas County Constable", "48113"),
    ("TEXAS", "", "Dallas Police Department", None),
    ("MISSOURI", "St. Louis City", "", "29510"),
    ("MISSOURI", "St. Louis County", "", "29189"),
    ("VIRGINIA", "James City County", "", "51095"),
    ("NEVADA", "Carson City", "", "32510"),
    ("NEW MEXICO", "Dona Ana County", "", "35013"),
    ("", "Dallas County", "", None),
    ("GUAM", "Kattan District", "", None),
])  # fmt: skip
def test_a_row_s_words_name_a_county_or_none(state: str, county: str, agency: str, fips: str | None) -> None:
    assert maps.county_of(Location(state, county, agency, "County")) == fips


# --- what a browser is given --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/map", "/map/counties", "/map/2025-06-10"])
def test_a_map_has_no_inline_style_and_asks_nobody_else_for_anything(told: Log, read_at: ReadAt, address: str) -> None:
    page = read_at(NOW).get(address)
    assert " style=" not in page.html
    assert "<style" not in page.html
    fetched = re.sub(r'<link rel="canonical" [^>]*>', "", page.html)  # where the page is at home
    assert not re.search(r"(?:src|href|action|xmlns)=[\"'](?:https?:)?//", fetched)
    assert page.headers["Content-Security-Policy"].count("script-src 'self'") == 1


def test_only_a_map_may_run_a_script(told: Log, read_at: ReadAt) -> None:
    browser = read_at(NOW)
    for address in ("/", "/states/ga"):
        assert "script-src" not in browser.get(address).headers["Content-Security-Policy"]
    assert "script-src 'self'" in browser.get("/map").headers["Content-Security-Policy"]


def test_classes_do_not_depend_on_the_day() -> None:
    assert [(c.least, c.most) for c in maps.classes((1, 5, 20))] == [(1, 4), (5, 19), (20, None)]
    assert [maps.class_of(n, (1, 5, 20)) for n in (0, 1, 4, 5, 19, 20, 500)] == [0, 1, 1, 2, 2, 3, 3]
