"""public.db: what is in it, what is not, and that Datasette, which no one here wrote, reads it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

from alerts.model import ChannelName, Wants
from alerts.storage.store import open_alerts
from monitor.exports.public_db import is_current, write_public
from monitor.storage.log import open_reader
from tests.web.builders import PENDING, Browser, Log, applied, at, changed, confirmed, gone, new, returned, row
from tests.web.builders import withdrawn as withdraw

pytestmark = pytest.mark.slow

ReadAt = Callable[[datetime], Browser]
BASELINE, NOW = at("2025-08-10 14:00"), at("2025-10-02 12:00")
TABLES = {"about", "last_checks", "publications", "agreements", "aliases", "listed", "changes", "notes"}
VIEWS = {"current_agreements", "current_applications", "changes_with_status", "counts_by_state", "counts_by_month"}
METADATA = Path(__file__).parents[3] / "templates" / "web" / "public_metadata.json"


@pytest.fixture
def told(log: Log) -> Log:
    """Departures that were confirmed, withdrawn and neither; an application that became an agreement's neighbour."""
    names = ("Ashlar", "Bramblewick", "Tallow Creek", "Dunmarsh")
    log.begins(BASELINE, *(row(name, state="TEXAS") for name in names))
    first, second, _ = log.publishes(at("2025-08-20 14:00"), gone(1), gone(2), gone(3))
    log.publishes(at("2025-08-23 14:00"), confirmed(1, first), withdraw(2, second), returned(2, row("Bramblewick")))
    log.publishes(at("2025-08-24 14:00"), new(row("Nether Holt")), changed(4, row("Dunmarsh", county="Fennmoor")))
    log.publishes(at("2025-08-25 14:00"), applied(row("Saltmere")), list_=PENDING)
    return log


@pytest.fixture
def public(told: Log, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "public.db"
    with open_reader(told.path) as log:
        write_public(log, path)
    with closing(sqlite3.connect(path)) as opened:
        yield opened


def asked(public: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    return public.execute(sql).fetchall()


def test_it_has_these_tables_and_views_and_no_others(public: sqlite3.Connection) -> None:
    found = asked(
        public, "SELECT type, name FROM sqlite_master WHERE name NOT LIKE '%fts%' AND name NOT LIKE 'sqlite%'"
    )
    assert {name for kind, name in found if kind == "table"} == TABLES
    assert {name for kind, name in found if kind == "view"} == VIEWS


def test_it_is_sound(public: sqlite3.Connection) -> None:
    assert asked(public, "PRAGMA integrity_check") == [("ok",)]
    assert asked(public, "PRAGMA foreign_key_check") == []


def test_nothing_of_a_subscriber_is_in_its_bytes(told: Log, tmp_path: Path) -> None:
    with open_alerts(told.path) as alerts, alerts.write():
        reader = alerts.subscribers.ensure(ChannelName.EMAIL, "desk@secret.example", confirmed_by="operator", at=NOW)
        alerts.watches.add(reader, Wants(), at=NOW)
    assert b"secret.example" in told.path.read_bytes()
    with open_reader(told.path) as log:
        write_public(log, tmp_path / "public.db")
    assert b"secret.example" not in (tmp_path / "public.db").read_bytes()


def test_changes_say_whether_they_still_stand(public: sqlite3.Connection) -> None:
    found = asked(
        public, "SELECT agency, status, stands, status_since FROM changes_with_status WHERE kind = 'terminated'"
    )
    assert found == [
        ("Ashlar", "confirmed", "yes", "2025-08-23T14:00:00Z"),
        ("Bramblewick", "withdrawn", "no", "2025-08-23T14:00:00Z"),
        ("Tallow Creek", "unconfirmed", "yes", None),
    ]


def test_it_says_what_is_listed_now(public: sqlite3.Connection) -> None:
    assert asked(public, "SELECT agency FROM current_agreements ORDER BY agency") == [
        ("Bramblewick",),
        ("Dunmarsh",),
        ("Nether Holt",),
    ]
    assert asked(public, "SELECT agency FROM current_applications") == [("Saltmere",)]
    assert asked(public, "SELECT state, agreements, task_force FROM counts_by_state") == [("GA", 3, 3)]


def test_it_says_from_when_until_when_each_was_listed(public: sqlite3.Connection) -> None:
    assert asked(
        public,
        "SELECT since, until FROM listed JOIN agreements ON id = agreement WHERE agency = 'Bramblewick' ORDER BY since",
    ) == [("2025-08-10T14:00:00Z", "2025-08-20T14:00:00Z"), ("2025-08-23T14:00:00Z", None)]


@pytest.mark.parametrize("day", ["2025-08-10", "2025-08-21", "2025-08-24", "2025-09-30"])
def test_as_of_any_moment_it_says_what_the_downloads_say(
    told: Log, public: sqlite3.Connection, read_at: ReadAt, day: str
) -> None:
    told.looks(NOW)
    # The day in New York ends at four in the morning, UTC.
    end = f"{day[:8]}{int(day[8:]) + 1:02}T04:00:00Z" if day != "2025-09-30" else "2025-10-01T04:00:00Z"
    then = json.loads(read_at(NOW).get(f"/data/agreements-{day}.json").html)["agreements"]
    assert asked(
        public,
        "SELECT DISTINCT agreement FROM listed"
        f" WHERE since < '{end}' AND (until IS NULL OR until >= '{end}') ORDER BY agreement",
    ) == sorted((agreement["id"],) for agreement in then)


def test_it_is_written_anew_once_there_is_something_new(told: Log, tmp_path: Path) -> None:
    path = tmp_path / "public.db"
    with open_reader(told.path) as log:
        assert not is_current(path, log)
        write_public(log, path)
        assert is_current(path, log)
        told.looks(at("2025-08-26 14:00"))
        assert not is_current(path, log)
        path.write_bytes(b"something else")
        assert not is_current(path, log)


def test_it_is_served_as_it_is_now(told: Log, read_at: ReadAt, tmp_path: Path) -> None:
    def agencies() -> list[tuple[str]]:
        with read_at(NOW).client.get("/data/public.db") as answer:
            assert answer.status_code == 200
            assert answer.mimetype == "application/vnd.sqlite3"
            (tmp_path / "copy.db").write_bytes(answer.data)
        with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
            return asked(copy, "SELECT agency FROM current_agreements ORDER BY agency")

    assert ("Larkmere",) not in agencies()
    told.publishes(at("2025-08-27 14:00"), new(row("Larkmere")))
    assert ("Larkmere",) in agencies()


def test_a_failure_leaves_the_old_file_and_nothing_else(told: Log, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "public.db").write_bytes(b"the old one")
    log = open_reader(told.path)
    log.close()
    with pytest.raises(sqlite3.ProgrammingError):
        write_public(log, folder / "public.db")
    assert [path.name for path in folder.iterdir()] == ["public.db"]
    assert (folder / "public.db").read_bytes() == b"the old one"


def datasette(path: Path, *addresses: str) -> list[Any]:
    """What Datasette answers, as JSON or as text."""

    async def ask() -> list[Any]:
        served = Datasette([str(path)], immutables=[], metadata=json.loads(METADATA.read_text()))
        found = []
        for address in addresses:
            answer = await served.client.get(address)
            assert answer.status_code == 200, (address, answer.text[:2000])
            found.append(answer.json() if ".json" in address else answer.text)
        return found

    return asyncio.run(ask())


@pytest.fixture
def path(public: sqlite3.Connection, tmp_path: Path) -> Path:
    return tmp_path / "public.db"


def test_datasette_shows_every_table_and_view(path: Path) -> None:
    (front,) = datasette(path, "/public.json")
    assert {table["name"] for table in front["tables"] if not table["hidden"]} == TABLES
    assert {view if isinstance(view, str) else view["name"] for view in front["views"]} == VIEWS
    pages = datasette(path, "/", *(f"/public/{name}" for name in sorted(TABLES | VIEWS)))
    assert "what changes on ICE’s lists" in pages[0]


def test_the_metadata_speaks_of_tables_and_columns_that_there_are(public: sqlite3.Connection) -> None:
    said = json.loads(METADATA.read_text())["databases"]["public"]["tables"]
    assert set(said) == TABLES | VIEWS
    for name, of in said.items():
        columns = {column[1] for column in asked(public, f"PRAGMA table_info({name})")}
        assert set(of.get("columns", {})) | set(of.get("facets", [])) <= columns, name
        assert of["description"]


def test_datasette_answers_the_questions_that_come_along(path: Path) -> None:
    then, gone_, fresh, taken_back = datasette(
        path,
        "/public/agreements_on.json?day=2025-08-21&_shape=objects",
        "/public/no_longer_listed.json?_shape=objects",
        "/public/new_in_a_state.json?state=ga&_shape=objects",
        "/public/corrections.json?_shape=objects",
    )
    assert [row["agency"] for row in then["rows"]] == ["Dunmarsh"]
    assert {(row["agency"], row["status"]) for row in gone_["rows"]} == {
        ("Ashlar", "confirmed"),
        ("Tallow Creek", "unconfirmed"),
    }
    assert [row["agency"] for row in fresh["rows"]] == ["Nether Holt"]
    assert [row["agency"] for row in taken_back["rows"]] == ["Bramblewick"]


def test_datasette_searches_agencies(path: Path) -> None:
    (found,) = datasette(path, "/public/agreements.json?_search=tallow&_shape=objects")
    assert [row["agency"] for row in found["rows"]] == ["Tallow Creek"]


def test_the_metadata_that_is_served_is_that(told: Log, read_at: ReadAt) -> None:
    assert json.loads(read_at(NOW).get("/data/metadata.json").html) == json.loads(METADATA.read_text())
