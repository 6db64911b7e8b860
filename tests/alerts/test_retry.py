"""What becomes of a delivery after an attempt, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.model import Again, ChannelName, Dead, Delivery, Message, Outcome, Sent
from alerts.retry import Pauses, outcome, pause
from monitor.errors import ChannelError
from tests.alerts.builders import HOUR, NOON

MINUTE = timedelta(minutes=1)
PAUSES = Pauses(MINUTE, 6 * HOUR)


def delivery(id: str = "d-1", attempts: int = 1) -> Delivery:
    return Delivery(
        id, ChannelName.EMAIL, "a@example.org", Message("s", "t"), "<d-1@m>", NOON, NOON + 72 * HOUR, attempts, "me"
    )


def failed(retry_after: float | None = None) -> ChannelError:
    return ChannelError("no answer", permanent=False, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "after", "expected"),
    [
        (None, HOUR, Sent()),
        (ChannelError("no such user", permanent=True), HOUR, Dead("no such user")),
        (failed(7), HOUR, Again(NOON + HOUR + timedelta(seconds=7), "no answer")),
        (failed(0), HOUR, Again(NOON + HOUR + timedelta(seconds=1), "no answer")),
        (failed(3 * 3600), 70 * HOUR, Dead("no answer; given up, since that is too late for this message")),
        (failed(), 72 * HOUR, Dead("no answer; given up after 1 attempt")),
        (failed(7), 90 * HOUR, Dead("no answer; given up after 1 attempt")),
        (failed(), 72 * HOUR - timedelta(seconds=30), Again(NOON + 72 * HOUR, "no answer")),
    ],
    ids=["sent", "permanent", "asked", "asked at once", "asked too late", "too late", "far too late", "last attempt"],
)
def test_what_becomes_of_an_attempt(error: ChannelError | None, after: timedelta, expected: Outcome) -> None:
    assert outcome(delivery(), error, NOON + after, PAUSES) == expected


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
