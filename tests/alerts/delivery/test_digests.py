"""Digests from the log to the mailbox, with a real state.db and a real mail server."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.delivery.digests import make_digests
from alerts.delivery.run import route, tell
from alerts.model import Departures, Schedule
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.settings import Settings
from tests.alerts.builders import (
    HOUR,
    NOON,
    Log,
    add_watch,
    back,
    cells,
    confirmed,
    new,
    retracted,
    returned,
    terminated,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SEVEN = Schedule(7 * 60)
MONDAY = Schedule(7 * 60, 0)
DAY = timedelta(days=1)
MORNING = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # seven in New York, the day after NOON


def subjects(smtp: FakeSmtp, to: str = "reader@example.org") -> list[str]:
    return [m.message["Subject"] for m in smtp.messages if to in m.recipients]


def text(smtp: FakeSmtp) -> str:
    body = smtp.messages[-1].message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def positions(log: Log) -> list[tuple[str, str, int, bool]]:
    """Each turn that was: its schedule and day, how far it went, and whether it said anything."""
    return [
        (r["schedule"], r["slot"], r["position"], r["delivery"] is not None)
        for r in log.alerts.state.rows("SELECT * FROM digests ORDER BY at, subscriber, schedule")
    ]


def test_a_daily_digest_comes_at_its_hour_and_once(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    log.publishes(new(), terminated(cells("Tidewrack Police Department")))
    tell(configured, MORNING - timedelta(minutes=1))
    assert smtp.messages == []
    for minutes in (0, 1, 60):
        tell(configured, MORNING + timedelta(minutes=minutes))
    assert subjects(smtp) == ["287(g) daily, March 4, 2026: 1 no longer listed (unconfirmed), 1 new in Texas"]
    assert positions(log) == [("daily 07:00", "2026-03-04", 2, True)]
    assert log.alerts.state.value("SELECT purpose FROM deliveries") == "daily"


def test_a_digest_says_when_the_source_was_last_checked_and_why_it_comes(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, schedule=SEVEN, counties=frozenset({("TX", "larkmere")}))
    add_watch(log.alerts, "TX", schedule=SEVEN)
    log.publishes(new())
    tell(configured, MORNING)
    assert "ICE’s participating list was last checked on March 3, 2026 at 1:00 p.m. ET." in text(smtp)
    assert "You get this because you watch Texas and Larkmere County (TX)." in text(smtp)


def test_digests_go_on_where_the_last_one_ended(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    log.publishes(new(cells("First Police Department")))
    tell(configured, MORNING)
    log.publishes(new(cells("Second Police Department")), now=MORNING + HOUR)
    tell(configured, MORNING + DAY)
    assert ["Second" in text(smtp), "First" in text(smtp)] == [True, False]
    assert [p[2] for p in positions(log)] == [1, 2]


def test_a_turn_without_news_is_recorded_and_sends_nothing(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "GA", schedule=SEVEN)
    log.publishes(new())
    tell(configured, MORNING)
    assert smtp.messages == []
    assert positions(log) == [("daily 07:00", "2026-03-04", 1, False)]


def test_an_empty_digest_is_sent_to_those_who_asked(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "GA", schedule=SEVEN, empty=True)
    log.publishes(new())
    tell(configured, MORNING)
    assert subjects(smtp) == ["287(g) daily, March 4, 2026: nothing new"]
    assert "was last checked on" in text(smtp)
    assert "You get this because you watch Georgia." in text(smtp)


def test_ten_days_down_end_in_one_digest(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    for day in range(10):
        log.publishes(new(cells(f"Town {day} Police Department")), now=NOON + day * DAY + HOUR)
    tell(configured, NOON + 10 * DAY + HOUR)
    assert subjects(smtp) == ["287(g) daily, March 13, 2026: 10 new in Texas"]
    for day in range(10):
        assert f"As of March {3 + day}, 2026" in text(smtp)


def test_a_weekly_digest_comes_on_its_weekday(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX", schedule=MONDAY)
    log.publishes(new())
    for day in range(10):
        tell(configured, MORNING + day * DAY)
    assert subjects(smtp) == ["287(g) weekly, March 9, 2026: 1 new in Texas"]


def test_what_was_told_at_once_is_left_out_of_the_digest(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    add_watch(log.alerts, schedule=SEVEN)
    log.publishes(new(), new(cells("Quillmarsh Police Department", "GEORGIA")))
    tell(configured, log.now)
    tell(configured, MORNING)
    assert subjects(smtp) == [
        "287(g) in Texas: Larkmere Police Department, new",
        "287(g) daily, March 4, 2026: 1 new in Georgia",
    ]


def test_a_departure_and_its_return_inside_one_digest_are_left_out(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    [departure] = log.publishes(terminated())
    tell(configured, log.now)
    log.publishes(*back(departure))
    tell(configured, MORNING)
    assert smtp.messages == []


def test_a_departure_that_a_digest_told_of_is_corrected_at_once(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    [departure] = log.publishes(terminated())
    tell(configured, MORNING)
    log.publishes(*back(departure), now=MORNING + HOUR)
    tell(configured, log.now)
    tell(configured, MORNING + DAY)
    assert subjects(smtp) == [
        "287(g) daily, March 4, 2026: 1 no longer listed (unconfirmed) in Texas",
        "287(g) in Texas: Larkmere Police Department, correction",
    ]
    [first, second] = log.alerts.state.rows("SELECT id, replies_to FROM deliveries ORDER BY id")
    assert second["replies_to"] == first["id"]


def test_who_waits_for_confirmation_hears_at_confirmation_and_is_corrected(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", departures=Departures.CONFIRMED)
    [departure] = log.publishes(terminated())
    tell(configured, log.now)
    assert smtp.messages == []
    log.publishes(confirmed(departure))
    tell(configured, log.now)
    log.publishes(returned())
    tell(configured, log.now)
    assert subjects(smtp) == [
        "287(g) in Texas: Larkmere Police Department, no longer listed",
        "287(g) in Texas: Larkmere Police Department, listed again",
    ]


def test_a_departure_told_at_once_is_no_news_at_its_confirmation_to_the_same_subscriber(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", email="digests@example.org", schedule=SEVEN)
    add_watch(log.alerts, "TX", email="digests@example.org", schedule=SEVEN, departures=Departures.CONFIRMED)
    add_watch(log.alerts, "TX", email="both@example.org")
    add_watch(log.alerts, "TX", email="both@example.org", schedule=SEVEN, departures=Departures.CONFIRMED)
    [departure] = log.publishes(terminated())
    tell(configured, log.now)
    tell(configured, MORNING)
    log.publishes(confirmed(departure), now=MORNING + HOUR)
    tell(configured, MORNING + DAY)
    assert [m.recipients for m in smtp.messages] == [("both@example.org",), ("digests@example.org",)]


def test_a_return_that_was_retracted_does_not_hide_the_departure_before_it(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    [departure] = log.publishes(terminated())
    log.publishes(confirmed(departure))
    [wrong] = log.publishes(returned())
    log.publishes(retracted(wrong))
    tell(configured, MORNING)
    assert subjects(smtp) == ["287(g) daily, March 4, 2026: 1 no longer listed in Texas"]


def test_a_digest_says_which_of_two_changes_to_one_agreement_came_last(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    [departure] = log.publishes(terminated())
    tell(configured, MORNING)
    log.publishes(confirmed(departure), now=MORNING + HOUR)
    log.publishes(returned(), new(cells("Tidewrack Police Department")), now=MORNING + 2 * HOUR)
    log.publishes(terminated(), now=MORNING + 3 * HOUR)
    tell(configured, MORNING + DAY)
    assert re.findall(r"As of .*", text(smtp)) == [
        "As of March 4, 2026 at 10:00 a.m. ET",  # no longer listed
        "As of March 4, 2026",
        "As of March 4, 2026 at 9:00 a.m. ET",  # again on the list, before
    ]


def test_a_clock_that_was_a_year_ahead_keeps_back_no_digest(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    log.publishes(new())
    tell(configured, MORNING)
    log.publishes(new(cells("Tidewrack Police Department")), now=MORNING + HOUR)
    tell(configured, MORNING + 365 * DAY)
    log.publishes(new(cells("Saltmarsh Police Department")), now=MORNING + 2 * HOUR)
    for days in range(1, 4):
        tell(configured, MORNING + days * DAY)
    days_said = [subject.split(":")[0] for subject in subjects(smtp)]
    assert days_said == ["287(g) daily, March 4, 2026", "287(g) daily, March 4, 2027", "287(g) daily, March 5, 2026"]
    assert "Saltmarsh" in text(smtp)
    assert "Tidewrack" not in text(smtp)


def test_a_clock_put_back_an_hour_makes_no_digest_twice(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    log.publishes(new())
    for hours in (0, -1, 0, 1):
        tell(configured, MORNING + hours * HOUR)
    assert len(smtp.messages) == 1


def test_digests_go_to_slack_as_well(log: Log, configured: Settings, slack: FakeSlack) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"), schedule=SEVEN)
    log.publishes(new())
    tell(configured, MORNING)
    [message] = slack.messages
    assert str(message.payload["text"]).startswith("287(g) daily, March 4, 2026: 1 new in Texas")


def test_a_resumed_watch_has_nothing_of_the_pause_in_its_digest(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    number = add_watch(log.alerts, "TX", schedule=SEVEN)
    log.alerts.watches.pause(number, NOON)
    log.publishes(new(cells("Missed Police Department")))
    tell(configured, MORNING)
    log.alerts.watches.resume(number)
    log.publishes(new(cells("Told Police Department")), now=MORNING + HOUR)
    tell(configured, MORNING + DAY)
    assert subjects(smtp) == ["287(g) daily, March 5, 2026: 1 new in Texas"]
    assert "Told" in text(smtp)


def test_a_removed_watch_gets_no_digest_and_what_waits_is_not_sent(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    number = add_watch(log.alerts, "TX", schedule=SEVEN)
    log.publishes(new())
    route(log.alerts, configured, MORNING)
    assert make_digests(log.alerts, configured, MORNING) == 1
    assert log.alerts.remove_watch(number, MORNING) == 1
    tell(configured, MORNING + DAY)
    assert smtp.messages == []


def test_subscribers_who_hear_the_same_share_one_message(log: Log, configured: Settings) -> None:
    for n in range(30):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org", schedule=SEVEN)
    log.publishes(new())
    route(log.alerts, configured, MORNING)
    assert make_digests(log.alerts, configured, MORNING) == 30
    assert log.alerts.state.value("SELECT count(*) FROM messages") == 1


def test_a_digest_by_mail_is_cut_before_it_grows_too_large_and_says_so_in_text_and_html(
    log: Log, configured: Settings
) -> None:
    add_watch(log.alerts, "TX", schedule=SEVEN)
    log.publishes(*(new(cells(f"Town {n:03} Police Department {'of the very long name ' * 4}")) for n in range(300)))
    route(log.alerts, configured, MORNING)
    make_digests(log.alerts, configured, MORNING)
    message = next(log.alerts.reports.deliveries()).message
    assert len(message.html.encode()) + len(message.text.encode()) <= 100_000
    shown = {len(re.findall(r"How we know", part)) for part in (message.html, message.text)}
    more = {int(found[1]) for part in (message.html, message.text) if (found := re.search(r"\+(\d+) more", part))}
    assert len(shown) == len(more) == 1
    assert shown.pop() + more.pop() == 300
    assert "https://monitor.example.org/days/" in message.text
    assert "300 new in Texas" in message.subject


@pytest.mark.parametrize("commit", [1, 2])
def test_a_process_that_is_killed_before_a_commit_loses_nothing_and_repeats_nothing(
    log: Log, configured: Settings, path: Path, commit: int
) -> None:
    add_watch(log.alerts, "TX", email="daily@example.org", schedule=SEVEN)
    add_watch(log.alerts, email="both@example.org", schedule=SEVEN)
    add_watch(log.alerts, "GA", email="both@example.org")
    log.publishes(new(), new(cells("Quillmarsh Police Department", "GEORGIA")))
    command = [sys.executable, "-m", "tests.alerts.killed_digesting", str(path), str(commit)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    for minutes in range(3):
        tell(configured, NOON + DAY + timedelta(minutes=minutes))
    told = Counter((d.address, e) for d in log.alerts.reports.deliveries() for e in d.entries)
    texan, georgian = (e.id for e in log.alerts.log.changelog.entries())
    assert told == Counter({("daily@example.org", texan): 1} | {("both@example.org", e): 1 for e in (texan, georgian)})


@pytest.fixture
def movers(log: Log) -> Log:
    add_watch(log.alerts, "TX", schedule=SEVEN, time_zone="America/New_York")
    return log


@pytest.mark.parametrize("zone", ["Pacific/Guam", "America/Adak", "America/Chicago"])
def test_whoever_moves_misses_nothing_and_hears_nothing_twice(movers: Log, configured: Settings, zone: str) -> None:
    for hour in range(0, 120, 2):
        at = NOON + hour * HOUR
        if hour % 6 == 0:
            movers.publishes(new(cells(f"Town {hour} Police Department")), now=at)
        if hour == 50:
            movers.alerts.state.run("UPDATE subscribers SET time_zone = ?", zone)
        route(movers.alerts, configured, at)
        make_digests(movers.alerts, configured, at)
    make_digests(movers.alerts, configured, NOON + 200 * HOUR)
    told = Counter(e for d in movers.alerts.reports.deliveries() for e in d.entries)
    assert told == Counter(e.id for e in movers.alerts.log.changelog.entries())
    assert len(list(movers.alerts.reports.deliveries())) <= 7
