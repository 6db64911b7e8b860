"""What is logged, and what must never be: real processes, with their standard error."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from demo.ice import FakeIce
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from demo.workbooks import workbook
from tests.monitor.builders import as_row, cells

pytestmark = pytest.mark.service

SAVED = datetime(2026, 3, 3, 14, tzinfo=UTC)
ADDRESSES = ("mabel@example.org", "otis@example.org")


class Installation:
    """A folder with settings, an ICE site, a Slack and a mail server; three subscribers, and a list that is new."""

    def __init__(self, folder: Path, ice: FakeIce, slack: FakeSlack, smtp: FakeSmtp, log_format: str) -> None:
        self.folder, self.slack, self.smtp = folder, slack, smtp
        self.webhook = slack.webhook_url("T0/B0/wordofthewebhook")
        (folder / "config.toml").write_text(
            f'[source]\npage = "{ice.page_url}"\nretries = 0\n[web]\nport = 0\n'
            f'[slack]\nhosts = ["{slack.netloc}"]\n[log]\nformat = "{log_format}"\n'
            f'[mail]\nhost = "{smtp.host}"\nport = {smtp.port}\nsender = "alerts@monitor.example.org"\n'
        )
        rows = [as_row(cells())]
        ice.publishes(participating=workbook("participating", rows, saved=SAVED - timedelta(days=1), title="SAMPLE"))
        self.runs("check")
        self.runs("watch", "add", "--all-states", "--email", ADDRESSES[0], "--confirmed")
        self.runs("watch", "add", "--all-states", "--email", ADDRESSES[1])
        self.runs("watch", "add", "--all-states", "--slack", self.webhook)
        rows.append(as_row(cells("Thistlemere Police Department", signed="2026-03-01")))
        ice.publishes(participating=workbook("participating", rows, saved=SAVED, title="SAMPLE"), saved=SAVED)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cli", *words]

    def runs(self, *words: str) -> str:
        """The standard error of a command that does what it should."""
        ended = subprocess.run(self.command(*words), cwd=self.folder, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    def served(self, until: Callable[[], bool]) -> str:
        """The standard error of `run`, with the links of the mails opened, and stopped once `until` is so."""
        stderr = self.folder / "stderr"
        with stderr.open("w") as written, subprocess.Popen(self.command("run"), cwd=self.folder, stderr=written) as run:
            try:
                wait_for(lambda: until() and "participating list: a new publication" in stderr.read_text())
                [address] = set(re.findall(r"http://127[.0-9:]+(?=[^\w/])", stderr.read_text()))
                for link in self.links():
                    with urlopen(address + link, timeout=30) as page:
                        assert page.status == 200
            finally:
                run.send_signal(signal.SIGTERM)
        assert run.returncode == 0
        return stderr.read_text()

    def links(self) -> list[str]:
        """The paths of the signed links in the mails that arrived."""
        bodies = [mail.message.get_body(("plain",)) for mail in self.smtp.messages]
        texts = [body.get_content() for body in bodies if body]
        return [link for text in texts for link in re.findall(r"/(?:manage|unsubscribe|confirm)/[\w.~-]+", text)]

    def secrets(self) -> list[str]:
        return [*ADDRESSES, "wordofthewebhook", *(link.split("/")[2] for link in self.links())]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def installation(folder: Path, log_format: str = "console") -> Iterator[Installation]:
    with FakeIce() as ice, FakeSlack() as slack, FakeSmtp() as smtp:
        yield Installation(folder, ice, slack, smtp, log_format)


def log_of_a_service(folder: Path, log_format: str) -> list[str]:
    """The lines that `run` logs while a list changes, mail and Slack fail and pages are opened: none names a secret."""
    with installation(folder, log_format) as here:
        here.smtp.refuses(f"550 5.1.1 <{ADDRESSES[0]}> unknown", times=1)
        here.slack.answers(500, "rollup_error")
        logged = here.served(lambda: len(here.smtp.messages) >= 1 and len(here.slack.requests) >= 1)
        secrets = here.secrets()
    assert len(secrets) > 3
    assert [secret for secret in secrets if secret in logged] == []
    assert "5.1.1" in logged
    assert "tried again" in logged
    return logged.splitlines()


def test_a_service_logs_for_people_with_the_time_and_no_address_token_or_webhook(tmp_path: Path) -> None:
    lines = log_of_a_service(tmp_path, "console")
    assert [line for line in lines if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \[\w+ *\] ", line)] == []
    assert any(re.search(r"delivery d-\S+: sent", line) for line in lines)


def test_a_service_logs_for_machines_one_object_a_line_and_no_address_token_or_webhook(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in log_of_a_service(tmp_path, "json")]
    assert {"timestamp", "level", "logger", "event"} <= set.intersection(*(set(line) for line in lines))
    assert any(line["event"].endswith(": sent") and line["logger"].startswith("alerts.") for line in lines)


def test_a_check_that_finds_nothing_logs_nothing(tmp_path: Path) -> None:
    with installation(tmp_path) as here:
        assert "sent" in here.runs("check")
        assert here.runs("check") == ""


def test_an_unexpected_error_does_not_put_what_it_quotes_into_the_log(tmp_path: Path) -> None:
    program = (
        "import logging\n"
        "from cli.logging import configure\n"
        "from monitor.settings import LogSettings\n"
        "configure(LogSettings(format='json'))\n"
        "try:\n"
        "    raise ValueError('<mabel@example.org> https://hooks.slack.com/services/T0/B0/w /manage/to.ken xoxb-1-2')\n"
        "except ValueError:\n"
        "    logging.getLogger('alerts').exception('failed')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    line = json.loads(ended.stderr)
    assert line["event"] == "failed"
    assert line["exception"].endswith("ValueError: <…@example.org> https://hooks.slack.com/services/… /manage/… xoxb-…")
