"""Whether a list is late: the pages, `status` and the operator's notices agree, whatever the settings."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alerts.delivery.run import tell
from cli.context import Context
from cli.status import status
from monitor.model import ListName, Outcome
from monitor.settings import load
from tests.web.builders import Browser, Log, at, row
from web.app import create_app

pytestmark = pytest.mark.slow

CHECKED = at("2025-08-05 14:00")
MINUTE = timedelta(minutes=1)
STARTED = CHECKED - timedelta(days=30)


class Service:
    """A log whose lists were checked without trouble at CHECKED, and everything that says how they stand."""

    def __init__(self, folder: Path, every_minutes: float) -> None:
        self.config, self.state = folder / "config.toml", folder / "state.db"
        self.config.write_text(f"[source]\nevery_minutes = {every_minutes}\n")
        self.settings = load(self.config, self.state)
        self.log = Log(self.state)
        for list_ in ListName:
            self.log.begins(CHECKED, row(f"{list_} Police Department"), list_=list_)

    def status(self, now: datetime) -> Result:
        return CliRunner().invoke(status, obj=Context(lambda: now, self.config, self.state))

    def banners(self, now: datetime) -> list[str]:
        return Browser(create_app(self.settings, lambda: now).test_client()).get("/").all(".banner")

    def tells_operator(self, now: datetime) -> bool:
        return tell(self.settings, now, running_since=STARTED)


@pytest.mark.parametrize(
    ("every_minutes", "hours", "late", "told"),
    [
        (30, 2, False, False),
        (30, 3, False, False),
        (30, 4, True, False),
        (30, 6, True, False),
        (30, 7, True, True),
        (1, 2, False, False),
        (1, 4, True, False),
        # Every four hours: three intervals are later than `operator.stale_after_hours`, and than three hours.
        (240, 4, False, False),
        (240, 7, False, False),
        (240, 12, False, False),
        (240, 13, True, True),
        (24 * 60, 25, False, False),
        (24 * 60, 73, True, True),
    ],
)
def test_a_list_that_is_no_longer_checked_is_late_everywhere_at_once(
    tmp_path: Path, every_minutes: float, hours: float, late: bool, told: bool
) -> None:
    service = Service(tmp_path, every_minutes)
    now = CHECKED + timedelta(hours=hours)
    said = service.status(now)
    assert said.exit_code == int(late)
    assert ("this is too long ago" in said.output) is late
    assert ["has not been checked for a while" in banner for banner in service.banners(now)] == [True] * late
    assert service.tells_operator(now) is told


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.NOT_LINKED])
@pytest.mark.parametrize(
    ("every_minutes", "hours", "told"), [(30, 1, False), (30, 7, True), (240, 8, False), (240, 13, True)]
)
def test_a_check_that_fails_is_said_everywhere_and_to_the_operator_once_it_lasts(
    tmp_path: Path, outcome: Outcome, every_minutes: float, hours: float, told: bool
) -> None:
    service = Service(tmp_path, every_minutes)
    now = CHECKED + timedelta(hours=hours)
    service.log.looks(now - MINUTE, outcome)
    service.log.looks(now - MINUTE, list_=ListName.PENDING)
    assert service.status(now).exit_code == 1
    assert len(service.banners(now)) == 1
    assert service.tells_operator(now) is told


@pytest.mark.parametrize("every_minutes", [30, 240])
def test_a_pending_list_that_is_not_linked_is_no_trouble_anywhere(tmp_path: Path, every_minutes: float) -> None:
    service = Service(tmp_path, every_minutes)
    now = CHECKED + timedelta(days=40)
    service.log.looks(now - MINUTE)
    service.log.looks(now - MINUTE, Outcome.NOT_LINKED, ListName.PENDING)
    assert service.status(now).exit_code == 0
    assert service.banners(now) == []
    assert not service.tells_operator(now)
