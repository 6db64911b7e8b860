"""state.db: durable, one writer at a time, and a clear word where it cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlite_utils import Database

from monitor.errors import StateBusy, StateTooNew, StateUnusable
from monitor.storage.database import Schema, State, moment, stamp
from monitor.storage.schema import SCHEMA


def m001_notes(db: Database) -> None:
    db.executescript("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;")


def m002_with_authors(db: Database) -> None:
    db.executescript("ALTER TABLE notes ADD COLUMN author TEXT; INSERT INTO notes (text, author) VALUES ('new', 'me');")


def m002_that_breaks_half_way(db: Database) -> None:
    db.executescript("CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);")


OLD = Schema("notes", (m001_notes,))
NEW = Schema("notes", (m001_notes, m002_with_authors))
BROKEN = Schema("notes", (m001_notes, m002_that_breaks_half_way))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as db:
        return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'")}


def texts(state: State) -> list[str]:
    return [row["text"] for row in state.rows("SELECT text FROM notes ORDER BY id")]


# --- opening --------------------------------------------------------------------------------------------------


def test_a_new_file_gets_its_tables_and_durable_settings(path: Path) -> None:
    with State(path, OLD) as state:
        assert state.value("PRAGMA journal_mode") == "wal"
        assert state.value("PRAGMA synchronous") == 2  # FULL
        assert state.value("PRAGMA foreign_keys") == 1
        assert texts(state) == []


def test_opening_again_changes_nothing(path: Path) -> None:
    State(path, OLD).close()
    before = path.read_bytes()
    State(path, OLD).close()
    assert path.read_bytes() == before


def test_an_older_file_moves_forward_and_keeps_what_it_holds(path: Path) -> None:
    with State(path, OLD) as state:
        state.run("INSERT INTO notes (text) VALUES ('old')")
    with State(path, NEW) as state:
        assert [tuple(row) for row in state.rows("SELECT text, author FROM notes")] == [("old", None), ("new", "me")]


def test_several_packages_keep_their_tables_in_one_file(path: Path) -> None:
    with State(path, OLD, SCHEMA) as state:
        assert texts(state) == []
        assert state.value("SELECT count(*) FROM entries") == 0


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    with State(path, OLD) as state:
        state.run("INSERT INTO notes (text) VALUES ('old')")
    before = tables(path)
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        State(path, BROKEN)
    assert tables(path) == before
    with State(path, NEW) as state:
        assert texts(state) == ["old", "new"]


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    State(path, NEW).close()
    before = path.read_bytes()
    with pytest.raises(StateTooNew) as caught:
        State(path, OLD)
    assert str(caught.value) == (
        f"{path}: was written by a newer version (it holds m002_with_authors); upgrade, or use another file"
    )
    assert path.read_bytes() == before


def test_processes_that_open_a_new_file_at_once_make_its_tables_once(path: Path) -> None:
    opening = "import sys, pathlib, monitor.storage.writer as w; w.open_store(pathlib.Path(sys.argv[1]))"
    processes = [subprocess.Popen([sys.executable, "-c", opening, str(path)]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with State(path, SCHEMA) as state:
        assert state.value("SELECT count(*) FROM _sqlite_migrations") == len(SCHEMA.migrations)


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"This is a text file, not a database.\n" * 200,
        b"PK\x03\x04" * 2000,
        b"SQLite format 3\x00" + b"\xff" * 5000,
    ],
    ids=["short", "text", "workbook", "broken database"],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StateUnusable, match=r"is not a usable database \(.*\); restore a backup or use another file"):
        State(path, OLD)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_gets_no_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (mine)")
    with pytest.raises(StateUnusable) as caught:
        State(path, OLD)
    assert str(caught.value) == (
        f"{path}: is a database of something else (table notes already exists); use another file"
    )
    assert tables(path) == {"notes"}


@pytest.mark.parametrize("name", ["nowhere/state.db", "."])
def test_a_place_where_no_file_can_be_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateUnusable) as caught:
        State(tmp_path / name, OLD)
    assert str(caught.value) == (
        f"{tmp_path / name}: cannot be written (unable to open database file); make the file and its folder writable"
    )


def test_a_page_that_was_damaged_is_said_so_when_it_is_read(path: Path) -> None:
    with State(path, OLD) as state:
        state.run_many("INSERT INTO notes (text) VALUES (?)", [(f"{n}" * 50,) for n in range(1000)])
        page = state.value("SELECT rootpage FROM sqlite_master WHERE name = 'notes'")
        size = state.value("PRAGMA page_size")
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)
    with State(path, OLD) as state:
        for use in (lambda: texts(state), lambda: state.run("DELETE FROM notes")):
            with pytest.raises(StateUnusable, match="restore a backup or use another file"):
                use()


# --- writing --------------------------------------------------------------------------------------------------


def test_a_transaction_is_all_or_nothing(path: Path) -> None:
    with State(path, OLD) as state:
        with suppress(KeyError), state.write():
            state.run("INSERT INTO notes (text) VALUES ('half')")
            raise KeyError
        assert texts(state) == []
        with state.write():
            state.run("INSERT INTO notes (text) VALUES ('whole')")
        assert texts(state) == ["whole"]


def test_a_reader_sees_a_transaction_when_it_is_over(path: Path) -> None:
    with State(path, OLD) as writer, State(path, OLD) as reader:
        with writer.write():
            writer.run("INSERT INTO notes (text) VALUES ('one')")
            assert texts(reader) == []
        assert texts(reader) == ["one"]


def test_a_writer_that_waits_in_vain_is_told_so(path: Path) -> None:
    with State(path, OLD) as first, State(path, OLD) as second:
        second.run("PRAGMA busy_timeout = 0")
        with first.write():
            with pytest.raises(StateBusy, match="another process has been writing for 30 s; try again"), second.write():
                pass
            first.run("INSERT INTO notes (text) VALUES ('first')")
        assert texts(second) == ["first"]


def test_writers_at_once_wait_for_each_other_and_none_loses_what_it_read(path: Path) -> None:
    State(path, OLD).close()

    def count() -> None:
        with State(path, OLD) as state:
            for _ in range(10):
                with state.write():
                    state.run("INSERT INTO notes (text) VALUES (?)", str(state.value("SELECT count(*) FROM notes")))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with State(path, OLD) as state:
        assert texts(state) == [str(n) for n in range(40)]


def test_a_disk_that_is_full_loses_nothing(path: Path) -> None:
    with State(path, OLD) as state:
        state.run("INSERT INTO notes (text) VALUES ('kept')")
        state.run(f"PRAGMA max_page_count = {state.value('PRAGMA page_count')}")
        with pytest.raises(StateUnusable, match="the disk is full; free some space and run again"), state.write():
            state.run_many("INSERT INTO notes (text) VALUES (?)", [(f"{n}" * 100,) for n in range(1000)])
        assert texts(state) == ["kept"]


def test_our_own_mistakes_stay_loud(path: Path) -> None:
    with State(path, OLD) as state:
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            state.rows("SELECT author FROM notes")
        state.run("INSERT INTO notes (text) VALUES ('one')")
        with pytest.raises(sqlite3.IntegrityError), state.write():
            state.run("INSERT INTO notes (text) VALUES ('one')")
        assert texts(state) == ["one"]


# --- times ----------------------------------------------------------------------------------------------------


def test_a_moment_is_stored_in_utc_so_that_text_order_is_time_order() -> None:
    first = datetime(2026, 3, 2, 23, 30, tzinfo=timezone(-timedelta(hours=5)))
    later = datetime(2026, 3, 3, 4, 30, 0, 1, tzinfo=UTC)
    assert stamp(first) == "2026-03-03T04:30:00.000000Z"
    assert stamp(first.replace(year=900)) < stamp(first) < stamp(later)
    assert moment(stamp(later)) == later
