"""`deliveries` as they are typed."""

from __future__ import annotations

import json

import pytest

from alerts.delivery.run import route, tell
from demo.smtp import FakeSmtp
from monitor.errors import MonitorError
from monitor.settings import Settings
from tests.alerts.builders import HOUR, Log, add_watch, back, new, terminated
from tests.alerts.conftest import Typed, ok

WEBHOOK = "https://hooks.slack.com/services/T1/B1/s3cret"


@pytest.fixture
def told(log: Log, configured: Settings) -> str:
    """A delivery that was sent; its id."""
    add_watch(log.alerts, "TX", email="somebody@example.org")
    log.publishes(new())
    tell(configured, log.now)
    return next(log.alerts.reports.deliveries()).id


@pytest.fixture
def dead(log: Log, configured: Settings, smtp: FakeSmtp) -> str:
    """A departure that could not be told; the delivery's id."""
    add_watch(log.alerts, "TX", email="somebody@example.org")
    smtp.refuses("550 5.7.1 policy", times=1)
    log.publishes(terminated())
    tell(configured, log.now)
    return next(log.alerts.reports.deliveries()).id


def test_deliveries_are_listed_without_addresses(told: str, typed: Typed) -> None:
    listed = ok(typed("deliveries", "list"))
    assert told in listed
    assert "s…@example.org" in listed
    assert "somebody" not in listed
    assert "somebody" in ok(typed("deliveries", "list", "--reveal"))


def test_deliveries_are_listed_by_state(told: str, typed: Typed) -> None:
    assert json.loads(ok(typed("deliveries", "list", "--state", "dead", "--format", "json"))) == []
    [line] = json.loads(ok(typed("deliveries", "list", "--state", "sent", "--format", "json")))
    assert (line["id"], line["state"], line["attempts"], line["changes"]) == (told, "sent", 1, 1)


def test_a_delivery_is_shown_as_it_was_sent(told: str, typed: Typed) -> None:
    shown = ok(typed("deliveries", "show", told))
    assert "Subject: 287(g) in Texas: Larkmere Police Department, new" in shown
    assert "How we know: https://monitor.example.org/changes/c-" in shown
    assert ok(typed("deliveries", "show", told, "--html")).startswith("<!DOCTYPE html>")
    as_json = json.loads(ok(typed("deliveries", "show", told, "--format", "json")))
    assert as_json["message"]["text"] in shown


def test_a_slack_delivery_is_shown_as_text(log: Log, configured: Settings, typed: Typed) -> None:
    add_watch(log.alerts, "TX", slack=WEBHOOK)
    log.publishes(new())
    route(log.alerts, configured, log.now)
    shown = ok(typed("deliveries", "show", next(log.alerts.reports.deliveries()).id))
    assert "287(g) in Texas: 1 new" in shown
    assert "|Larkmere Police Department>*" in shown
    assert "s3cret" not in shown


def test_what_was_given_up_is_put_back_to_be_sent(
    log: Log, configured: Settings, smtp: FakeSmtp, dead: str, typed: Typed
) -> None:
    assert "1 delivery is sent with the next" in ok(typed("deliveries", "retry", "--dead"))
    [delivery] = log.alerts.reports.deliveries()
    assert (delivery.state, delivery.attempts) == ("pending", 0)
    tell(configured, delivery.next_attempt_at)
    assert len(smtp.messages) == 1


def test_what_was_taken_back_since_is_not_sent_again(log: Log, dead: str, typed: Typed) -> None:
    [departure] = log.alerts.log.changelog.entries()
    log.publishes(*back(departure))
    error = typed("deliveries", "retry", dead).exception
    assert isinstance(error, MonitorError)
    assert "taken back since" in str(error)
    assert "0 deliveries" in ok(typed("deliveries", "retry", "--dead"))


def test_what_was_sent_is_not_sent_again(told: str, typed: Typed) -> None:
    assert "only what was given up or waits" in str(typed("deliveries", "retry", told).exception)


def test_what_may_have_arrived_is_sent_again_under_its_id(
    log: Log, configured: Settings, smtp: FakeSmtp, typed: Typed
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.breaks_after_data()
    tell(configured, log.now)
    smtp.refuses("550 5.7.1 policy", times=1)
    tell(configured, log.now + HOUR)
    [delivery] = log.alerts.reports.deliveries()
    assert (delivery.state, delivery.maybe_sent) == ("ambiguous", True)
    assert "1 delivery is sent with the next" in ok(typed("deliveries", "retry", delivery.id))
    tell(configured, next(log.alerts.reports.deliveries()).next_attempt_at)
    assert [m.message["Message-ID"] for m in smtp.messages] == [delivery.message_id] * 2


def test_an_address_that_was_mended_is_written_to_again(
    log: Log, configured: Settings, smtp: FakeSmtp, typed: Typed
) -> None:
    add_watch(log.alerts, "TX", email="somebody@example.org")
    log.publishes(new())
    smtp.refuses("550 5.1.1 no such user", times=1)
    tell(configured, log.now)
    [dead] = log.alerts.reports.deliveries()
    assert "0 deliveries" in ok(typed("deliveries", "retry", "--dead"))
    assert "s…@example.org is written to again." in ok(typed("deliveries", "retry", dead.id))
    tell(configured, next(log.alerts.reports.deliveries()).next_attempt_at)
    assert len(smtp.messages) == 1
    assert log.alerts.state.rows("SELECT * FROM suppressions") == []


def test_what_is_dropped_is_kept_with_the_reason_and_not_sent(
    log: Log, configured: Settings, smtp: FakeSmtp, dead: str, typed: Typed
) -> None:
    assert "s…@example.org" in ok(typed("deliveries", "drop", dead, "--why", "told them by phone"))
    [delivery] = log.alerts.reports.deliveries()
    assert (delivery.state, delivery.last_error) == ("suppressed", "dropped by an operator: told them by phone")
    assert "0 deliveries" in ok(typed("deliveries", "retry", "--dead"))


def test_what_was_sent_cannot_be_dropped(told: str, typed: Typed) -> None:
    assert "only what waits or was given up" in str(typed("deliveries", "drop", told, "--why", "x").exception)


def test_a_delivery_that_is_not_there_is_an_error_that_says_where_to_look(typed: Typed) -> None:
    assert "`deliveries list` prints them" in str(typed("deliveries", "show", "d-none").exception)
