"""The tables about who is told hold what they promise."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from alerts.storage import schema
from alerts.storage.store import open_alerts
from monitor.errors import StateTooNew
from monitor.storage.database import Schema, State
from monitor.storage.schema import SCHEMA as MONITOR
from monitor.storage.writer import open_store
from tests.alerts.builders import Log, add_watch, new

TABLES = (
    *("subscribers", "suppressions", "watches", "messages", "deliveries", "delivery_entries", "routed"),
    *("digests", "operator_events", "paused", "requests", "confirmations"),
)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_strict_and_says_what_a_row_means(log: Log, table: str) -> None:
    sql = log.alerts.state.value("SELECT sql FROM sqlite_master WHERE name = ?", table)
    assert re.search(r"\) STRICT(, WITHOUT ROWID)?$", sql)
    source = Path(schema.__file__).read_text()
    before = source.partition(f"CREATE TABLE {table} ")[0]
    assert before.rstrip().splitlines()[-1].strip().startswith("--")


def test_a_state_db_without_alerts_gets_their_tables(path: Path) -> None:
    open_store(path).close()
    with open_alerts(path) as alerts:
        assert alerts.routed.position() == 0


def test_what_an_earlier_version_kept_is_kept(path: Path) -> None:
    earlier = Schema("alerts", schema.SCHEMA.migrations[:1])
    with State(path, MONITOR, earlier) as state:
        vouched = "2026-03-03T11:00:00.000000Z"
        state.run("INSERT INTO subscribers VALUES (7, 'email', 'reader@example.org', ?, 'operator')", vouched)
        state.run(
            "INSERT INTO watches VALUES (8, 7, ?, ?, 'clerical', 3, '2026-03-03T12:00:00.000000Z', NULL, NULL)",
            '["TX"]',
            '["new"]',
        )
        state.run("INSERT INTO messages VALUES (9, 's', 't', 'h', '', x'00')")
        state.run(
            "INSERT INTO deliveries (id, public_id, subscriber, publication, message, message_id, created_at,"
            " next_attempt_at, give_up_at) VALUES (10, 'd-x', 7, 'p-x', 9, '<d-x>', ?, ?, ?)",
            *["2026-03-03T12:00:00.000000Z"] * 3,
        )
    with open_alerts(path) as alerts:
        (kept,) = alerts.watches.records()
        assert (kept.watch.number, kept.watch.starts_after, kept.watch.wants.states) == (8, 3, frozenset({"TX"}))
        assert [(d.id, d.state, d.message.html) for d in alerts.reports.deliveries()] == [("d-x", "pending", "h")]
        assert alerts.state.rows("PRAGMA foreign_key_check") == []
        assert add_watch(alerts, email="other@example.org") == 9


def test_a_state_db_of_a_newer_version_is_refused(path: Path) -> None:
    open_alerts(path).close()
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('alerts', 'm999', '')")
    with pytest.raises(StateTooNew, match="m999"):
        open_alerts(path)


def test_a_watch_is_never_told_of_an_entry_twice(log: Log) -> None:
    watch = add_watch(log.alerts, "TX")
    [entry] = log.publishes(new())
    run = log.alerts.state.run
    run("INSERT INTO messages VALUES (1, 's', 't', '', '', x'00')")
    for number in (1, 2):
        run(
            "INSERT INTO deliveries (id, public_id, subscriber, publication, message, message_id, created_at,"
            " next_attempt_at, give_up_at) VALUES (?, ?, 1, 'p', 1, ?, '', '', '')",
            number,
            f"d-{number}",
            f"<{number}>",
        )
    run("INSERT INTO delivery_entries VALUES (1, ?, ?)", entry.id, watch)
    with pytest.raises(sqlite3.IntegrityError):
        run("INSERT INTO delivery_entries VALUES (2, ?, ?)", entry.id, watch)


def test_an_address_has_one_subscriber_however_it_is_capitalised(log: Log) -> None:
    add_watch(log.alerts, "TX", email="Reader@Example.org")
    add_watch(log.alerts, "GA", email="reader@example.org")
    assert log.alerts.state.value("SELECT count(*) FROM subscribers") == 1


def test_webhooks_differ_by_capitals(log: Log) -> None:
    for secret in ("aB", "Ab"):
        add_watch(log.alerts, "TX", slack=f"https://hooks.slack.com/services/T/B/{secret}")
    assert log.alerts.state.value("SELECT count(*) FROM subscribers") == 2


def test_the_same_watch_is_added_once(log: Log) -> None:
    assert add_watch(log.alerts, "TX", "GA") == add_watch(log.alerts, "GA", "TX")
    assert add_watch(log.alerts, "TX") != add_watch(log.alerts)
