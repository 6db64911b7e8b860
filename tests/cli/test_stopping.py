"""`run` as it is stopped while messages wait."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.delivery.run import route
from demo.ice import FakeIce
from demo.loopback import Reply, Request
from demo.slack import FakeSlack
from tests.alerts.builders import Log, add_watch, cells, new, settings

pytestmark = pytest.mark.crash

BACKLOG = 60  # messages to one channel, which take a minute


class SlackThatTells(FakeSlack):
    """Calls `on_first` as soon as it has taken a message."""

    def __init__(self) -> None:
        super().__init__()
        self.on_first: Callable[[], object] = lambda: None

    def reply(self, request: Request) -> Reply:
        answer = super().reply(request)
        if len(self.messages) == 1:
            self.on_first()
        return answer


def test_a_service_that_is_stopped_leaves_its_backlog_for_the_next_time(log: Log, path: Path, tmp_path: Path) -> None:
    with FakeIce() as ice, SlackThatTells() as slack:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[source]\npage = "{ice.page_url}"\nretries = 0\n[web]\nport = 0\n[slack]\nhosts = ["127.0.0.1"]\n'
        )
        ice.answers(403)
        add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
        for n in range(BACKLOG):
            log.publishes(new(cells(f"Town {n} Police Department")), now=datetime.now(UTC))
        assert route(log.alerts, settings(path), log.now) == BACKLOG
        command = [sys.executable, "-m", "cli", "--config", str(config), "--db", str(path), "run"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
            slack.on_first = lambda: running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=100)
        assert running.returncode == 0, said
        assert len(slack.messages) < BACKLOG
    waiting = [d.state for d in log.alerts.reports.deliveries()]
    assert (waiting.count("sent"), waiting.count("pending")) == (len(slack.messages), BACKLOG - len(slack.messages))
