"""Killed at any moment, the next run finishes the job: nothing is lost, at most the message in flight is repeated."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.deliver import tell
from demo.smtp import FakeSmtp
from tests.alerts.builders import NOON, Log, add_watch, new
from tests.alerts.killed import mail_settings

ROOT = Path(__file__).parent.parent.parent
READERS = ["one@example.org", "two@example.org"]

# Routing, the first lease, the first outcome with the second lease, the second outcome.
COMMITS = [("commit", number) for number in range(1, 5)]
SENDS = [("before", 1), ("after", 1), ("before", 2), ("after", 2)]


@pytest.mark.parametrize(("when", "number"), [*COMMITS, *SENDS], ids=lambda value: str(value))
def test_nothing_is_lost_and_at_most_the_mail_in_flight_is_repeated(
    log: Log, path: Path, smtp: FakeSmtp, when: str, number: int
) -> None:
    for address in READERS:
        add_watch(log.alerts, "TX", email=address)
    log.publishes(new(), now=NOON)
    command = [sys.executable, "-m", "tests.alerts.killed", str(path), smtp.host, str(smtp.port), when, str(number)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()

    # At once: a lease would run for minutes yet, but its holder is known to be gone.
    tell(mail_settings(path, smtp.host, smtp.port), NOON + timedelta(seconds=1))

    ids: dict[str, list[str]] = {address: [] for address in READERS}
    for mail in smtp.messages:
        ids[mail.recipients[0]].append(mail.message["Message-ID"])
    assert all(ids.values())
    assert all(len(set(sent)) == 1 for sent in ids.values())
    repeated = Counter(smtp.messages[n].message["Message-ID"] for n in range(len(smtp.messages)))
    assert sum(repeated.values()) - len(repeated) <= 1
    assert {d.state for d in log.alerts.deliveries()} == {"sent"}


def test_a_connection_that_breaks_before_the_answer_repeats_the_mail_under_its_id(
    log: Log, path: Path, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new(), now=NOON)
    smtp.breaks_after_data()
    configured = mail_settings(path, smtp.host, smtp.port)
    tell(configured, NOON)
    tell(configured, NOON + timedelta(hours=1))
    one, other = smtp.messages
    assert one.message["Message-ID"] == other.message["Message-ID"]
    assert one.message["Date"] == other.message["Date"]
