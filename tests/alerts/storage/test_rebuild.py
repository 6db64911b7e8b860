"""Subscribers, watches and deliveries go along when everything is derived again; and nobody hears anything twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alerts.delivery.run import route
from alerts.keys import key_file
from alerts.model import ChannelName, Wants
from alerts.signup.requests import RequestedWatch, file_request, work_off
from alerts.storage.requests import RequestKind
from alerts.storage.store import open_alerts
from cli.__main__ import group
from monitor.storage.database import State
from monitor.storage.lock import only_one
from monitor.storage.writer import open_store
from monitor.workbooks.sandbox import Reader, ReadLimits
from tests.alerts.builders import add_watch, settings
from tests.monitor.builders import Service, cells, service

pytestmark = pytest.mark.slow

STAYS = cells()
COMES = cells("Tidewrack County Sheriff's Office", county="Tidewrack County", signed="2025-03-03")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Service]:
    with Reader(lambda: ReadLimits(60, 1 << 30)) as reader, service(tmp_path, reader) as made:
        yield made


def rebuild(here: Service) -> Result:
    path = here.store.state.path
    return CliRunner().invoke(group, ["--db", str(path), "rebuild", str(path.with_name("new.db"))])


def watched(here: Service) -> None:
    """Somebody watches Georgia, and hears of one agreement."""
    path = here.store.state.path
    here.sees(STAYS)
    with open_alerts(path) as alerts:
        add_watch(alerts, "GA", email="desk@example.org", at=here.now)
    here.sees(STAYS, COMES)


def routed(here: Service, path: Path) -> int:
    with open_alerts(path) as alerts:
        return route(alerts, settings(path), here.now)


def test_everything_about_people_goes_along_and_nothing_is_told_again(here: Service) -> None:
    path = here.store.state.path
    watched(here)
    assert routed(here, path) == 1
    assert rebuild(here).exit_code == 0
    new = path.with_name("new.db")
    with State(path) as before, State(new) as after:
        for table in ("subscribers", "messages", "deliveries", "delivery_entries"):
            sql = f"SELECT * FROM {table}"
            assert [tuple(r) for r in after.rows(sql)] == [tuple(r) for r in before.rows(sql)] != []
    assert routed(here, new) == 0
    with open_store(new) as store:
        Service(store, here.reader, now=here.now).sees(STAYS)
    assert routed(here, new) == 1


def test_what_visitors_asked_for_goes_along(here: Service) -> None:
    path = here.store.state.path
    watched(here)
    routed(here, path)
    wish = RequestedWatch(Wants(), None, "America/New_York")
    for worked_off in (True, False):
        file_request(settings(path), RequestKind.SUBSCRIBE, ChannelName.EMAIL, "reader@example.org", wish, here.now)
        if worked_off:
            with open_alerts(path) as alerts:
                assert work_off(alerts, settings(path), here.now) == 1
    assert rebuild(here).exit_code == 0
    with State(path) as before, State(path.with_name("new.db")) as after:
        for table in ("requests", "confirmations"):
            sql = f"SELECT * FROM {table}"
            assert [tuple(r) for r in after.rows(sql)] == [tuple(r) for r in before.rows(sql)] != []


def test_nothing_is_rebuilt_beside_a_running_service(here: Service) -> None:
    path = here.store.state.path
    watched(here)
    with only_one(path):
        assert "another `run` is watching" in str(rebuild(here).exception)
    assert not path.with_name("new.db").exists()


def test_what_nobody_was_told_yet_is_told_first(here: Service) -> None:
    path = here.store.state.path
    watched(here)
    result = rebuild(here)
    assert "1 entries wait to be told to subscribers; run `check` once, then rebuild" in str(result.exception)
    assert not path.with_name("new.db").exists()
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".db", ".db-shm", ".db-wal", ".lock", ".lock"]


def test_the_key_goes_along_so_that_who_was_erased_stays_so(here: Service) -> None:
    path = here.store.state.path
    watched(here)
    routed(here, path)
    typed = ["--db", str(path), "watch", "erase", "--email", "desk@example.org", "--yes"]
    assert CliRunner().invoke(group, typed).exit_code == 0
    assert rebuild(here).exit_code == 0
    new = path.with_name("new.db")
    again = ["--db", str(new), "watch", "add", "--state", "GA", "--email", "desk@example.org"]
    assert "it was erased" in CliRunner().invoke(group, again).output.replace("\n", " ")
    assert key_file(new).stat().st_mode & 0o777 == 0o600
