"""What becomes of a delivery after an attempt, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.delivery.retry import Backoff, outcome, pause, rest
from alerts.model import Accepted, ChannelName, Dead, Delivery, DeliveryOutcome, Message, PartSent, Retry, Sent
from monitor.errors import ChannelError
from tests.alerts.builders import HOUR, NOON

MINUTE = timedelta(minutes=1)
PAUSES = Backoff(MINUTE, 6 * HOUR)


def delivery(id: str = "d-1", attempts: int = 1) -> Delivery:
    return Delivery(
        id, ChannelName.EMAIL, "a@example.org", Message("s", "t"), "<d-1@m>", NOON, NOON + 72 * HOUR, attempts, "me"
    )


def failed(retry_after: float | None = None) -> ChannelError:
    return ChannelError("no answer", permanent=False, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "after", "expected"),
    [
        (Accepted(), HOUR, Sent()),
        (ChannelError("no such user", permanent=True), HOUR, Dead("no such user")),
        (failed(7), HOUR, Retry(NOON + HOUR + timedelta(seconds=7), "no answer")),
        (failed(0), HOUR, Retry(NOON + HOUR + timedelta(seconds=1), "no answer")),
        (failed(3 * 3600), 70 * HOUR, Dead("no answer; given up, since that is too late for this message")),
        (failed(), 72 * HOUR, Dead("no answer; given up after 1 attempt")),
        (failed(7), 90 * HOUR, Dead("no answer; given up after 1 attempt")),
        (failed(), 72 * HOUR - timedelta(seconds=30), Retry(NOON + 72 * HOUR, "no answer")),
    ],
    ids=["sent", "permanent", "asked", "asked at once", "asked too late", "too late", "far too late", "last attempt"],
)
def test_what_becomes_of_an_attempt(
    error: ChannelError | Accepted, after: timedelta, expected: DeliveryOutcome
) -> None:
    assert outcome(delivery(), error, NOON + after, PAUSES) == expected


MAYBE = ChannelError("broke off", permanent=False, maybe_sent=True)
GONE = ChannelError("no such user", permanent=True, gone=True)
NEVER = ChannelError("no", permanent=True)


@pytest.mark.parametrize(
    ("so_far", "result", "expected"),
    [
        ({}, Accepted("17.1", more=True), PartSent("17.1")),
        ({"parts_sent": 1}, Accepted("17.2"), Sent("17.2")),
        ({}, GONE, Dead("no such user", gone=True)),
        ({"maybe_sent": True}, GONE, Dead("no such user", maybe_sent=True, gone=True)),
        ({"maybe_sent": True}, NEVER, Dead("no", maybe_sent=True)),
        ({"parts_sent": 1}, NEVER, Dead("no", maybe_sent=True)),
        ({"give_up_at": NOON}, MAYBE, Dead("broke off; given up after 1 attempt", maybe_sent=True)),
    ],
)
def test_what_becomes_of_what_may_have_arrived(
    so_far: dict[str, Any], result: Accepted | ChannelError, expected: DeliveryOutcome
) -> None:
    assert outcome(replace(delivery(), **so_far), result, NOON, PAUSES) == expected


def test_that_an_attempt_may_have_gone_through_is_remembered() -> None:
    again = outcome(delivery(), MAYBE, NOON, PAUSES)
    assert isinstance(again, Retry)
    assert again.maybe_sent


@pytest.mark.parametrize(
    ("result", "interval", "seconds"),
    [
        (Accepted(), 0, None),
        (Accepted(), 1, 1),
        (failed(), 1, 1),
        (failed(), 0, None),
        (failed(30), 1, 30),
        (failed(0), 0, 1),
        (failed(0.2), 2, 2),
        (failed(1e300), 1, 6 * 3600),
    ],
)
def test_how_long_an_address_is_left_alone(result: Accepted | ChannelError, interval: int, seconds: int | None) -> None:
    until = rest(result, NOON, timedelta(seconds=interval), PAUSES.longest)
    assert until == (None if seconds is None else NOON + timedelta(seconds=seconds))


def test_parts_that_were_taken_do_not_make_the_pause_longer() -> None:
    first = pause(replace(delivery(attempts=4), parts_sent=3), PAUSES)
    assert MINUTE <= first <= 1.25 * MINUTE


@pytest.mark.parametrize(
    ("attempts", "at_least", "at_most"),
    [
        (1, MINUTE, 1.25 * MINUTE),
        (2, 2 * MINUTE, 2.5 * MINUTE),
        (3, 4 * MINUTE, 5 * MINUTE),
        (10, 6 * HOUR, 7.5 * HOUR),
        (10_000, 6 * HOUR, 7.5 * HOUR),
    ],
)
def test_pauses_double_up_to_the_longest(attempts: int, at_least: timedelta, at_most: timedelta) -> None:
    assert at_least <= pause(delivery(attempts=attempts), PAUSES) <= at_most


def test_each_pause_is_longer_than_the_one_before_until_the_longest() -> None:
    lengths = [pause(delivery(attempts=n), PAUSES) for n in range(1, 9)]
    assert lengths == sorted(set(lengths))


def test_deliveries_that_failed_together_do_not_come_back_together() -> None:
    assert len({pause(delivery(f"d-{n}"), PAUSES) for n in range(100)}) > 50


def test_the_same_delivery_always_waits_as_long() -> None:
    assert pause(delivery(), PAUSES) == pause(delivery(), PAUSES)
