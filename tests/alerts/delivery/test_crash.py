"""Killed at any moment, the next run finishes the job: nothing is lost, at most what was in flight is repeated.

A sample of the points; `python -m bench crashes` kills at each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.delivery.run import tell
from demo.smtp import FakeSmtp
from tests.alerts.builders import NOON, Log, add_watch, new
from tests.alerts.crashes import ChannelUnderTest, Crashes, Point, crashes
from tests.alerts.killed import configured

pytestmark = pytest.mark.crash

# With two readers and an operator: routing, what the operator is told, the first lease, three outcomes.
BY_MAIL = [
    *(Point("commit", n) for n in range(1, 7)),
    *(Point(side, n) for n in (1, 3) for side in ("send", "taken", "reply")),
]


@pytest.fixture(scope="module")
def by_mail() -> Iterator[Crashes]:
    with crashes("ours", "mail", readers=2) as made:
        yield made


@pytest.mark.parametrize("point", BY_MAIL, ids=lambda point: f"{point.side} {point.number}")
def test_nothing_is_lost_and_at_most_the_mail_in_flight_is_repeated(by_mail: Crashes, point: Point) -> None:
    verdict = by_mail.killed_at(point)
    assert verdict.lost == ()
    assert verdict.repeated <= 1
    assert verdict.same_ids
    assert verdict.states == {"sent"}


@pytest.mark.parametrize("point", [Point("taken", 1), Point("reply", 2)], ids=lambda point: point.side)
def test_in_slack_as_well(point: Point) -> None:
    with crashes("ours", "slack", readers=2) as made:
        verdict = made.killed_at(point)
    assert (verdict.lost, verdict.repeated, verdict.same_ids) == ((), 1, True)


@pytest.mark.parametrize("point", [Point("commit", 2), Point("commit", 3), Point("taken", 2)], ids=str)
def test_digests_as_well(point: Point) -> None:
    with crashes("ours", "digests by mail", readers=2) as made:
        verdict = made.killed_at(point)
    assert (verdict.lost, verdict.same_ids, verdict.states) == ((), True, frozenset({"sent"}))
    assert verdict.repeated == (point.side == "taken")


@pytest.mark.parametrize("point", [Point("taken", 1), Point("reply", 2), Point("commit", 3)], ids=str)
def test_the_parts_of_a_thread_as_well(point: Point) -> None:
    with crashes("ours", "thread by bot", readers=1) as made:
        verdict = made.killed_at(point)
    assert (verdict.lost, verdict.same_ids, verdict.threaded, verdict.states) == ((), True, True, frozenset({"sent"}))
    assert verdict.repeated == 1


def test_acknowledged_in_tens_at_most_ten_are_repeated() -> None:
    with crashes("ours in tens", "mail", readers=12) as made:
        verdict = made.killed_at(Point("reply", 10))
    assert (verdict.lost, verdict.repeated, verdict.same_ids) == ((), 10, True)


@pytest.mark.parametrize("how", ["mark before send", "checkpoint at fetch"])
@pytest.mark.parametrize("channel", ["mail", "slack", "digests by mail"])
def test_the_ways_that_everybody_writes_first_are_caught_losing(how: str, channel: ChannelUnderTest) -> None:
    with crashes(how, channel, readers=2) as made:
        assert made.killed_at(Point("send", 1)).lost != ()


def test_a_connection_that_breaks_before_the_answer_repeats_the_mail_under_its_id(
    log: Log, path: Path, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new(), now=NOON)
    smtp.breaks_after_data()
    settings = configured(path, smtp.port)
    tell(settings, NOON)
    tell(settings, NOON + timedelta(hours=1))
    one, other = smtp.messages
    assert one.message["Message-ID"] == other.message["Message-ID"]
