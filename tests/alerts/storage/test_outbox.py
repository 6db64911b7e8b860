"""Leases: who may send a delivery, and whose outcome counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.delivery.run import route
from alerts.model import ChannelName, Retry, Sent
from alerts.storage.outbox import DueDelivery
from monitor.settings import Settings
from tests.alerts.builders import HOUR, Log, add_watch, new

MINUTE = timedelta(minutes=1)


@pytest.fixture
def due(log: Log, configured: Settings) -> DueDelivery:
    """A delivery that is due, as a run reads it at its beginning."""
    add_watch(log.alerts, "TX")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    [due] = log.alerts.outbox.due(ChannelName.EMAIL, log.now)
    return due


def test_a_delivery_is_leased_to_the_first_who_asks(log: Log, due: DueDelivery) -> None:
    now = log.now
    assert log.alerts.outbox.lease(due, "one", now, now + MINUTE)
    assert log.alerts.outbox.lease(due, "other", now, now + MINUTE) is None


def test_a_lease_that_ran_out_passes_to_the_first_who_asks(log: Log, due: DueDelivery) -> None:
    now = log.now
    log.alerts.outbox.lease(due, "gone", now, now + MINUTE)
    [left] = log.alerts.outbox.due(ChannelName.EMAIL, now + HOUR)
    assert left.token == "gone"
    assert log.alerts.outbox.lease(left, "one", now + HOUR, now + 2 * HOUR)
    assert log.alerts.outbox.lease(left, "other", now + HOUR, now + 2 * HOUR) is None


def test_an_outcome_counts_only_under_the_lease_that_runs(log: Log, due: DueDelivery) -> None:
    now = log.now
    slow = log.alerts.outbox.lease(due, "slow", now, now + MINUTE)
    [left] = log.alerts.outbox.due(ChannelName.EMAIL, now + HOUR)
    quick = log.alerts.outbox.lease(left, "quick", now + HOUR, now + 2 * HOUR)
    assert slow
    assert quick
    assert not log.alerts.outbox.record_outcome(slow, Retry(now + 9 * HOUR, "no answer"), now + HOUR)
    assert log.alerts.outbox.record_outcome(quick, Sent(), now + HOUR)
    assert next(log.alerts.reports.deliveries()).state == "sent"


def test_what_failed_meanwhile_keeps_its_pause(log: Log, due: DueDelivery) -> None:
    now = log.now
    delivery = log.alerts.outbox.lease(due, "one", now, now + MINUTE)
    assert delivery
    log.alerts.outbox.record_outcome(delivery, Retry(now + HOUR, "no answer"), now)
    assert log.alerts.outbox.lease(due, "other", now, now + MINUTE) is None
    assert log.alerts.outbox.due(ChannelName.EMAIL, now) == ()


def test_each_lease_counts_as_an_attempt(log: Log, due: DueDelivery) -> None:
    now = log.now
    first = log.alerts.outbox.lease(due, "one", now, now + MINUTE)
    assert first
    log.alerts.outbox.record_outcome(first, Retry(now, "no answer"), now)
    second = log.alerts.outbox.lease(due, "two", now, now + MINUTE)
    assert second
    assert (first.attempts, second.attempts) == (1, 2)
    assert (first.message_id, first.message) == (second.message_id, second.message)


def test_an_address_is_in_no_repr(log: Log, due: DueDelivery) -> None:
    delivery = log.alerts.outbox.lease(due, "one", log.now, log.now + MINUTE)
    record = next(log.alerts.reports.deliveries())
    [watch] = log.alerts.watches.records()
    assert not any("reader@" in repr(each) for each in (due, delivery, record, watch))
