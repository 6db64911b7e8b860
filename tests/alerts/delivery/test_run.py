"""From the log to the mailbox, with a real state.db, a real mail server and real webhooks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.channels.registry import open_channel
from alerts.delivery.run import deliver, route, tell
from alerts.delivery.sender import Clock, SendCounts
from alerts.model import AGREEMENT_KINDS, PENDING_KINDS, Accepted, Channel, ChannelName, Delivery, Departures, Wants
from alerts.storage.store import open_alerts
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.errors import ChannelError
from monitor.model import ListName
from monitor.settings import Settings, SlackSettings
from tests.alerts.builders import (
    HOUR,
    LARKMERE,
    NOON,
    Log,
    add_watch,
    applied,
    approved,
    back,
    cells,
    confirmed,
    dropped,
    edited,
    new,
    returned,
    settings,
    terminated,
)


def subjects(smtp: FakeSmtp, to: str = "reader@example.org") -> list[str]:
    return [m.message["Subject"] for m in smtp.messages if to in m.recipients]


def states(log: Log) -> list[str]:
    """The states of all deliveries, oldest first."""
    return [d.state for d in log.alerts.reports.deliveries()][::-1]


def send(log: Log, configured: Settings, now: datetime) -> SendCounts:
    return deliver(log.alerts, partial(open_channel, settings=configured), configured, now)


# --- what is told ----------------------------------------------------------------------------------------------


def test_a_new_agreement_reaches_its_watchers_by_mail_and_slack(
    log: Log, configured: Settings, smtp: FakeSmtp, slack: FakeSlack
) -> None:
    add_watch(log.alerts, "TX", email="texan@example.org")
    add_watch(log.alerts, "GA", email="georgian@example.org")
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    log.publishes(new())
    assert tell(configured, log.now) is False
    assert [m.recipients for m in smtp.messages] == [("texan@example.org",)]
    assert smtp.messages[0].message["Subject"] == "287(g) in Texas: Larkmere Police Department, new"
    assert [m.path for m in slack.messages] == ["/services/T1/B/x"]
    assert slack.messages[0].payload["blocks"][0]["block_id"].startswith("d-")


def test_telling_again_tells_nothing_again(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    for _ in range(3):
        tell(configured, log.now)
    assert len(smtp.messages) == 1


def test_a_new_watch_hears_nothing_of_what_was_in_the_log_before(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    log.publishes(new(cells("Early Police Department")))
    add_watch(log.alerts, "TX")
    log.publishes(new(cells("Late Police Department")))
    tell(configured, log.now)
    assert subjects(smtp) == ["287(g) in Texas: Late Police Department, new"]


def test_a_silent_replay_tells_nobody(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new(), announce=False)
    tell(configured, log.now)
    assert smtp.messages == []
    assert log.alerts.routed.position() == log.alerts.log.changelog.position()


def test_a_corrected_spelling_alerts_nobody(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts)
    log.publishes(edited(cells("Macro Island Police Department"), cells("Marco Island Police Department")))
    tell(configured, log.now)
    assert smtp.messages == []


def test_a_message_says_when_the_list_was_last_checked(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    tell(configured, log.now)
    text = smtp.messages[0].message.get_body(("plain",))
    assert text is not None
    assert "ICE’s participating list was last checked on March 3, 2026 at 1:00 p.m. ET." in text.get_content()


def test_three_hundred_changes_are_one_mail(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(*(new(cells(f"Town {n} Police Department")) for n in range(300)))
    tell(configured, log.now)
    assert subjects(smtp) == ["287(g) in Texas: 300 new"]


def test_a_withdrawn_departure_is_corrected_for_exactly_those_who_were_told(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", email="told@example.org")
    [departure] = log.publishes(terminated())
    tell(configured, log.now)
    add_watch(log.alerts, "TX", email="late@example.org")
    log.publishes(*back(departure))
    tell(configured, log.now)
    assert subjects(smtp, "told@example.org") == [
        "287(g) in Texas: Larkmere Police Department, no longer listed (unconfirmed)",
        "287(g) in Texas: Larkmere Police Department, correction",
    ]
    assert subjects(smtp, "late@example.org") == []


def test_a_confirmed_departure_is_not_told_twice_and_its_return_is_news(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    tell(configured, log.now)
    log.publishes(confirmed(departure))
    tell(configured, log.now)
    log.publishes(returned())
    tell(configured, log.now)
    assert [s.rpartition(", ")[2] for s in subjects(smtp)] == ["no longer listed (unconfirmed)", "listed again"]


def test_a_departure_and_return_that_were_routed_together_are_told_to_nobody(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    log.publishes(*back(departure))
    tell(configured, log.now)
    assert smtp.messages == []


def test_who_was_never_told_of_a_departure_for_good_gets_no_correction(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    smtp.refuses("550 5.1.1 no such user")
    tell(configured, log.now)
    smtp.accepts()
    log.publishes(*back(departure))
    tell(configured, log.now)
    assert states(log) == ["dead"]


def test_who_missed_a_departure_is_told_by_another_watch_when_it_is_confirmed(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    at_once = add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    route(log.alerts, configured, log.now)
    with log.alerts.write():
        log.alerts.remove_watch(at_once, log.now)
    add_watch(log.alerts, "TX", departures=Departures.CONFIRMED)
    log.publishes(confirmed(departure))
    tell(configured, log.now)
    assert subjects(smtp) == ["287(g) in Texas: Larkmere Police Department, no longer listed"]
    assert states(log) == ["suppressed", "sent"]


def test_a_correction_waits_until_what_it_corrects_is_out(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    smtp.refuses("451 4.3.0 later", times=1)
    tell(configured, log.now)
    log.publishes(*back(departure), now=log.now + timedelta(seconds=1))
    tell(configured, log.now)
    assert states(log) == ["pending", "pending"]
    tell(configured, log.now + HOUR)
    assert [s.rpartition(", ")[2] for s in subjects(smtp)] == ["no longer listed (unconfirmed)", "correction"]


def test_an_application_that_becomes_an_agreement_is_one_line_that_corrects_nothing(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", kinds=AGREEMENT_KINDS | PENDING_KINDS)
    log.publishes(applied(), list_=ListName.PENDING)
    tell(configured, log.now)
    [drop] = log.publishes(dropped(), list_=ListName.PENDING)
    tell(configured, log.now)
    log.publishes(approved(drop), new(pending_since=NOON))
    tell(configured, log.now)
    assert [s.rpartition(", ")[2] for s in subjects(smtp)] == ["new on the pending list", "new"]
    text = smtp.messages[-1].message.get_body(("plain",))
    assert text is not None
    assert text.get_content().count("* Larkmere") == 1
    assert "Approved: moved from the pending to the participating list" in text.get_content()
    assert "no longer holds" not in text.get_content()


def test_an_approval_is_told_to_who_heard_that_the_application_was_off_the_list(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX", kinds=PENDING_KINDS)
    [drop] = log.publishes(dropped(), list_=ListName.PENDING)
    tell(configured, log.now)
    log.publishes(confirmed(drop), list_=ListName.PENDING)
    tell(configured, log.now)
    log.publishes(approved(drop), new())
    tell(configured, log.now)
    assert [s.rpartition(", ")[2] for s in subjects(smtp)] == ["no longer on the pending list", "approved"]


def test_who_has_removed_every_watch_is_sent_nothing_more(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    watch = add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    tell(configured, log.now)
    with log.alerts.write():
        log.alerts.remove_watch(watch, log.now)
    log.publishes(*back(departure))
    tell(configured, log.now)
    assert len(smtp.messages) == 1


def test_what_waits_for_somebody_who_leaves_is_not_sent(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    watch = add_watch(log.alerts, "TX")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    with log.alerts.write():
        assert log.alerts.remove_watch(watch, log.now) == 1
    send(log, configured, log.now)
    assert smtp.messages == []
    assert states(log) == ["suppressed"]


def test_who_leaves_while_a_message_is_being_sent_does_not_get_it_later(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    watch = add_watch(log.alerts, "TX")
    log.publishes(new())
    route(log.alerts, configured, log.now)

    class Leaving:
        """A channel over which a subscriber leaves while their message fails."""

        interval = timedelta()

        def send(self, delivery: Delivery) -> Accepted:
            with log.alerts.write():
                log.alerts.remove_watch(watch, log.now)
            raise ChannelError("no answer", permanent=False)

        def reachable(self, address: str) -> bool:
            return True

        def close(self) -> None: ...

    deliver(log.alerts, lambda name: Leaving(), configured, log.now)
    assert states(log) == ["suppressed"]


def test_a_paused_watch_goes_on_from_where_it_is_resumed(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    watch = add_watch(log.alerts, "TX")
    with log.alerts.write():
        log.alerts.watches.pause(watch, log.now)
    log.publishes(new(cells("Meanwhile Police Department")))
    tell(configured, log.now)
    with log.alerts.write():
        log.alerts.watches.resume(watch)
    log.publishes(new(cells("Afterwards Police Department")))
    tell(configured, log.now)
    assert subjects(smtp) == ["287(g) in Texas: Afterwards Police Department, new"]


def test_routing_is_done_in_one_commit_with_the_position(log: Log, configured: Settings) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    assert route(log.alerts, configured, log.now) == 1
    assert route(log.alerts, configured, log.now) == 0
    assert log.alerts.routed.position() == log.alerts.log.changelog.position()


def test_a_message_that_many_get_is_kept_once(log: Log, configured: Settings) -> None:
    for n in range(20):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    log.publishes(new())
    assert route(log.alerts, configured, log.now) == 20
    assert log.alerts.state.value("SELECT count(*) FROM messages") == 1


def test_each_delivery_has_a_message_id_of_its_own(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    for n in range(3):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    log.publishes(new())
    tell(configured, log.now)
    assert len({m.message["Message-ID"] for m in smtp.messages}) == 3


def test_a_bot_posts_the_parts_as_a_thread_and_a_correction_below_it(log: Log, path: Path, slack: FakeSlack) -> None:
    token = SecretStr(FakeSlack.bot_token)
    given = settings(path, slack=SlackSettings(bot_token=token, api_url=slack.api_url, timeout=5))
    with log.alerts.write():
        log.alerts.watches.add(
            log.alerts.subscribers.ensure(ChannelName.SLACK_BOT, "C0NEWSROOM", confirmed_by="operator", at=NOON),
            Wants(),
            at=NOON,
        )
    ticks = [0.0]

    def sleep(seconds: float) -> None:
        ticks[0] += seconds

    def sends() -> SendCounts:
        route(log.alerts, given, log.now)
        clock = Clock(log.now, lambda: ticks[0], sleep)
        return deliver(log.alerts, partial(open_channel, settings=given), given, log.now, clock)

    departure, *_ = log.publishes(terminated(), *(new(cells(f"Town {n}")) for n in range(60)))
    tally = sends()
    assert (tally.sent, tally.died) == (1, 0)
    assert tally.parts >= 1
    assert ticks[0] == tally.parts
    first, *rest = slack.messages
    assert {m.thread_ts for m in rest} == {first.ts}
    log.publishes(*back(departure))
    assert sends().sent == 1
    assert slack.messages[-1].thread_ts == first.ts
    assert slack.messages[-1].payload["reply_broadcast"] is True


# --- what goes wrong -------------------------------------------------------------------------------------------


def test_slack_goes_on_while_the_mail_server_is_down(
    log: Log, configured: Settings, smtp: FakeSmtp, slack: FakeSlack
) -> None:
    add_watch(log.alerts, "TX")
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    log.publishes(new())
    smtp.goes_down()
    assert tell(configured, log.now) is False
    assert len(slack.messages) == 1
    smtp.comes_back()
    tell(configured, log.now + HOUR)
    assert len(smtp.messages) == 1
    assert len(slack.messages) == 1


def test_mail_goes_on_while_slack_is_down(log: Log, configured: Settings, smtp: FakeSmtp, slack: FakeSlack) -> None:
    add_watch(log.alerts, "TX")
    with FakeSlack() as gone:
        add_watch(log.alerts, "TX", slack=gone.webhook_url("T1"))
    log.publishes(new())
    tell(configured, log.now)
    assert len(smtp.messages) == 1


def test_a_server_that_is_down_is_tried_once_a_run_whoever_waits(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    for n in range(50):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    smtp.goes_down()
    tally = send(log, configured, log.now)
    assert (tally.again, tally.waiting) == (1, 49)
    smtp.comes_back()
    assert send(log, configured, log.now + HOUR).sent == 50


def test_what_waits_too_long_for_a_server_is_given_up_without_asking_again(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    for n in range(5):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    smtp.goes_down()
    assert send(log, configured, log.now + 73 * HOUR).died == 5


def test_one_bad_recipient_holds_up_no_other(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    for name in ("first", "bad", "last"):
        add_watch(log.alerts, "TX", email=f"{name}@example.org")
    smtp.refuses("451 4.7.1 greylisted", to="bad@example.org")
    log.publishes(new())
    tell(configured, log.now)
    assert [m.recipients for m in smtp.messages] == [("first@example.org",), ("last@example.org",)]
    assert states(log) == ["sent", "pending", "sent"]


def test_a_later_message_does_not_wait_for_one_that_failed(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new(cells("First Police Department")))
    smtp.refuses("451 4.3.0 later", times=1)
    tell(configured, log.now)
    log.publishes(new(cells("Second Police Department")), now=log.now + timedelta(seconds=1))
    tell(configured, log.now)
    assert subjects(smtp) == ["287(g) in Texas: Second Police Department, new"]


def test_a_failed_message_is_tried_again_after_a_pause_and_not_before(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.refuses("451 4.3.0 later", times=1)
    tell(configured, log.now)
    tell(configured, log.now + timedelta(seconds=50))
    assert smtp.messages == []
    tell(configured, log.now + timedelta(seconds=80))
    assert len(smtp.messages) == 1


@pytest.mark.parametrize("days", [8, 400])
def test_a_clock_that_was_ahead_keeps_back_no_mail(log: Log, configured: Settings, smtp: FakeSmtp, days: int) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.goes_down()
    tell(configured, log.now + timedelta(days=days))
    smtp.comes_back()
    smtp.refuses("451 4.3.0 come again", times=1)
    for minutes in (0, 1, 3):  # tried at once; and then after its pause, not again and again
        tell(configured, log.now + timedelta(minutes=minutes))
    assert len(smtp.messages) == 1
    assert [d.attempts for d in log.alerts.reports.deliveries()] == [3]


def test_a_clock_that_was_ahead_keeps_back_no_slack_channel(log: Log, configured: Settings, slack: FakeSlack) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    log.publishes(new())
    tell(configured, log.now + timedelta(days=365))
    log.publishes(new(cells("Tidewrack Police Department")))
    tell(configured, log.now)
    assert len(slack.messages) == 2


def test_slack_is_asked_again_when_it_said(log: Log, configured: Settings, slack: FakeSlack) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    log.publishes(new())
    slack.rate_limits(600)
    tell(configured, log.now)
    tell(configured, log.now + timedelta(seconds=590))
    assert slack.messages == []
    tell(configured, log.now + timedelta(seconds=605))
    assert len(slack.messages) == 1


@pytest.mark.parametrize(("status", "word"), [(404, "no_service"), (410, "channel_is_archived")])
def test_a_webhook_that_is_gone_is_given_up_at_once_and_needs_a_person(
    log: Log, configured: Settings, slack: FakeSlack, status: int, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    log.publishes(new())
    slack.answers(status, word)
    assert tell(configured, log.now) is True
    assert states(log) == ["dead"]
    assert word in caplog.text
    assert "deliveries retry d-" in caplog.text
    assert tell(configured, log.now + HOUR) is False  # said once
    assert len(slack.requests) == 1


def test_a_message_that_keeps_failing_is_given_up_after_the_hours_set(
    log: Log, configured: Settings, slack: FakeSlack
) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    log.publishes(new())
    slack.answers(500, "rollup_error")
    began, ended = log.now, None
    for step in range(200):
        at = began + step * timedelta(minutes=30)
        if tell(configured, at):
            ended = at
            break
    assert ended == began + 72 * HOUR
    assert states(log) == ["dead"]
    assert len(slack.requests) < 25


def test_what_is_kept_and_logged_of_a_failure_names_no_address(
    log: Log, configured: Settings, smtp: FakeSmtp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    add_watch(log.alerts, "TX", email="somebody@example.org")
    log.publishes(new())
    smtp.refuses("550 5.1.1 <somebody@example.org> unknown")
    tell(configured, log.now)
    [dead] = log.alerts.reports.deliveries()
    logged = " ".join(r.getMessage() for r in caplog.records if r.name.startswith("alerts"))
    assert "somebody" not in dead.last_error + logged
    assert "5.1.1" in dead.last_error


def test_what_is_given_up_can_be_sent_again(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.refuses("550 5.7.1 policy", times=1)
    tell(configured, log.now)
    [dead] = log.alerts.reports.deliveries()
    later = log.now + 100 * HOUR
    with log.alerts.write():
        log.alerts.outbox.retry(dead.id, at=later, give_up_at=later + HOUR)
    tell(configured, later)
    assert [m.message["Message-ID"] for m in smtp.messages] == [dead.message_id]


# --- leases ----------------------------------------------------------------------------------------------------


class Recorder:
    """A channel that does something while it holds a delivery, and counts."""

    interval = timedelta()

    def __init__(self, meanwhile: Callable[[Delivery], None] = lambda delivery: None) -> None:
        self.sent: list[str] = []
        self._meanwhile = meanwhile

    def send(self, delivery: Delivery) -> Accepted:
        self._meanwhile(delivery)
        self.sent.append(delivery.id)
        return Accepted()

    def reachable(self, address: str) -> bool:
        return True

    def close(self) -> None: ...


def only(channel: Channel) -> Callable[[ChannelName], Channel]:
    return lambda name: channel


def test_an_outcome_counts_only_from_who_holds_the_lease(log: Log, configured: Settings) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    second = Recorder()

    def takes_too_long(delivery: Delivery) -> None:
        """Meanwhile the lease ends and somebody else takes the delivery up."""
        with open_alerts(log.alerts.state.path) as other:
            deliver(other, only(second), configured, log.now + HOUR)

    first = Recorder(takes_too_long)
    tally = deliver(log.alerts, only(first), configured, log.now)
    assert (first.sent, second.sent) == (second.sent, first.sent)
    assert tally.sent == 0
    assert states(log) == ["sent"]


def test_a_lease_that_runs_is_left_alone(log: Log, configured: Settings) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    second = Recorder()

    def meanwhile(delivery: Delivery) -> None:
        with open_alerts(log.alerts.state.path) as other:
            deliver(other, only(second), configured, log.now + timedelta(seconds=290))

    deliver(log.alerts, only(Recorder(meanwhile)), configured, log.now)
    assert second.sent == []


def test_two_runs_at_once_send_nothing_twice(log: Log, configured: Settings, path: Path) -> None:
    for n in range(40):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    barrier = threading.Barrier(2)
    channels = [Recorder(), Recorder()]

    def run(channel: Recorder) -> None:
        with open_alerts(path) as alerts:
            barrier.wait()
            deliver(alerts, only(channel), configured, log.now)

    threads = [threading.Thread(target=run, args=[channel]) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = channels[0].sent + channels[1].sent
    assert len(sent) == len(set(sent)) == 40
    assert set(states(log)) == {"sent"}


def test_two_runs_at_once_route_nothing_twice(log: Log, configured: Settings, path: Path) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    barrier = threading.Barrier(2)
    made: list[int] = []

    def run() -> None:
        with open_alerts(path) as alerts:
            barrier.wait()
            made.append(route(alerts, configured, log.now))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 1]


def routed_in(path: Path, batches: Iterable[int], publications: int) -> set[tuple[str, str]]:
    """(address, entry) for each entry that is told if the log is routed after these publications."""
    from tests.alerts.builders import open_log

    log = open_log(path)
    add_watch(log.alerts, "TX", email="one@example.org")
    add_watch(log.alerts, email="all@example.org")
    for number in range(publications):
        log.publishes(new(cells(f"Town {number}")), edited(LARKMERE, cells(signed=f"2025-01-{number + 1:02}")))
        if number in batches:
            route(log.alerts, settings(path), log.now)
    route(log.alerts, settings(path), log.now)
    told = [(d.address, e) for d in log.alerts.reports.deliveries() for e in d.entries]
    log.alerts.close()
    assert len(told) == len(set(told))
    return set(told)


@pytest.mark.parametrize("batches", [(), (0,), (0, 1, 2, 3), (2, 4)])
def test_each_change_is_told_once_whenever_the_log_is_routed(tmp_path: Path, batches: tuple[int, ...]) -> None:
    told = routed_in(tmp_path / "state.db", batches, 5)
    assert len(told) == 20
