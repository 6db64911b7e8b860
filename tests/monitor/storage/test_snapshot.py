"""A snapshot answers as the log did at its moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from monitor.model import Kind
from monitor.storage.changelog import EntryFilter
from monitor.storage.log import Log, open_reader
from monitor.storage.snapshot import Snapshot
from tests.monitor.builders import PENDING, Service, cells

FIRST, SECOND, THIRD = cells("Ashlar Sheriff"), cells("Bramble Police"), cells("Corvid Marshal", state="TEXAS")


@pytest.fixture
def here(here: Service) -> Service:
    """A log with changes, departures and returns in two states."""
    here.sees(FIRST, SECOND, THIRD)
    here.sees(FIRST, THIRD)
    here.sees(FIRST, SECOND, replace(THIRD, signed="2025-03-03"))
    here.sees(cells("Dunlin Police"), list_=PENDING)
    here.sees(cells("Egret Police"), list_=PENDING)
    return here


@pytest.fixture
def logs(here: Service) -> Iterator[tuple[Log, Log]]:
    """The log as it is read from the file, and from a snapshot."""
    with open_reader(here.store.state.path) as log, closing(Snapshot(here.store.state.path)) as snapshot:
        yield log, snapshot.log


def test_it_has_the_same_entries_whatever_is_asked_for(logs: tuple[Log, Log]) -> None:
    log, snapshot = logs
    [*entries] = log.changelog.entries()
    assert {entry.kind for entry in entries} >= {Kind.TERMINATED, Kind.RETURNED, Kind.CHANGED, Kind.WITHDRAWN}
    departure = next(entry for entry in entries if entry.kind is Kind.TERMINATED)
    filters: list[EntryFilter] = [
        {},
        {"after": 2, "limit": 2},
        {"newest_first": True, "limit": 3},
        {"states": ["TX"]},
        {"states": [None, "GA"], "kinds": [Kind.TERMINATED]},
        {"lists": [PENDING]},
        {"since": departure.observed_at, "until": entries[-1].observed_at},
        {"agreement": departure.agreement},
        {"publication": departure.publication.id},
        {"ids": [departure.id, "c-none"]},
        {"about": [departure.id]},
    ]
    for wanted in filters:
        assert [*snapshot.changelog.entries(**wanted)] == [*log.changelog.entries(**wanted)], wanted


def test_it_has_the_same_events_agreements_and_checks(logs: tuple[Log, Log]) -> None:
    log, snapshot = logs
    assert snapshot.changelog.events() == log.changelog.events()
    assert [*snapshot.agreements.all()] == [*log.agreements.all()]
    assert [*snapshot.agreements.all(states=["TX"])] == [*log.agreements.all(states=["TX"])]
    for record in log.agreements.all():
        assert snapshot.agreements.find(record.id) == record
        assert snapshot.changelog.events(record.id) == log.changelog.events(record.id)
    assert snapshot.agreements.find("a-none") is None
    assert snapshot.checks.last() == log.checks.last()


def test_it_stays_as_it_was_and_outlives_its_readers(here: Service) -> None:
    with closing(Snapshot(here.store.state.path)) as snapshot:
        before = [*snapshot.log.changelog.entries()]
        with snapshot.log:
            here.sees(FIRST)
        assert [*snapshot.log.changelog.entries()] == before
        assert snapshot.log.changelog.position() == before[-1].seq
