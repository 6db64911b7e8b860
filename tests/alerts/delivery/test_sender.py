"""The ledger: leases, parts, pauses and what is given up, with a real state.db and a clock that tests turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Barrier, Event

import pytest

from alerts.delivery.run import deliver, route
from alerts.delivery.sender import Clock, SendCounts
from alerts.keys import open_keys
from alerts.model import Accepted, ChannelName, Delivery
from alerts.storage.store import open_alerts
from monitor.errors import ChannelError
from monitor.settings import DeliverySettings, Settings
from tests.alerts.builders import HOUR, NOON, Log, add_watch, back, cells, new, settings, terminated

SECOND = timedelta(seconds=1)
HOOK = "http://127.0.0.1/services/T1/B/x"
OTHER_HOOK = "http://127.0.0.1/services/T2/B/x"


class Turned:
    """Time that passes only while somebody sleeps, or a test says so."""

    def __init__(self) -> None:
        self.ticks = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ticks += seconds


@dataclass
class Scripted:
    """A channel that answers as it is told, by address, in turn; and then takes everything."""

    turned: Turned
    interval: timedelta = timedelta()
    answers: dict[str, list[Accepted | ChannelError]] = field(default_factory=dict)
    takes: float = 0.0  # seconds for one message
    sent: list[tuple[float, str, str, int]] = field(default_factory=list)
    closed: int = 0
    meanwhile: Callable[[Delivery], None] = lambda delivery: None

    def send(self, delivery: Delivery) -> Accepted:
        self.meanwhile(delivery)
        self.turned.ticks += self.takes
        answer = self.answers.get(delivery.address, [])
        result = answer.pop(0) if answer else Accepted()
        if isinstance(result, ChannelError):
            raise result
        self.sent.append((self.turned.ticks, delivery.address, delivery.id, delivery.parts_sent))
        return result

    def reachable(self, address: str) -> bool:
        return True

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def turned() -> Turned:
    return Turned()


@pytest.fixture
def mail(turned: Turned) -> Scripted:
    return Scripted(turned)


@pytest.fixture
def slack(turned: Turned) -> Scripted:
    return Scripted(turned, interval=SECOND)


def run(log: Log, channel: Scripted, *, at: datetime | None = None, **delivery: object) -> SendCounts:
    """Route, and send on this channel whatever it is."""
    given = settings(log.alerts.state.path, delivery=DeliverySettings(**delivery))  # type: ignore[arg-type]  # by name
    now = at or log.now
    route(log.alerts, given, now)
    turned = channel.turned
    turned.ticks = 0.0
    return deliver(log.alerts, lambda name: channel, given, now, Clock(now, lambda: turned.ticks, turned.sleep))


def states(log: Log) -> list[str]:
    """The states of all deliveries, oldest first."""
    return [d.state for d in log.alerts.reports.deliveries()][::-1]


def news(log: Log, count: int) -> None:
    """So many publications, each with something new in Texas."""
    for n in range(count):
        log.publishes(new(cells(f"Town {n} Police Department")), now=log.now)


def failed(**others: object) -> ChannelError:
    return ChannelError("no answer", **{"permanent": False} | others)  # type: ignore[arg-type]  # by name


# --- a message a second -----------------------------------------------------------------------------------------


def test_one_slack_channel_gets_a_message_a_second(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 4)
    assert run(log, slack).sent == 4
    assert [at for at, *_ in slack.sent] == [0, 1, 2, 3]
    assert slack.turned.slept == [1, 1, 1]


def test_another_slack_channel_does_not_wait_for_the_first(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    add_watch(log.alerts, "TX", slack=OTHER_HOOK)
    news(log, 3)
    run(log, slack)
    assert [(at, to) for at, to, *_ in slack.sent] == [(s, hook) for s in range(3) for hook in (HOOK, OTHER_HOOK)]


def test_a_second_run_waits_for_the_messages_of_the_first(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 1)
    run(log, slack)
    news(log, 1)
    run(log, slack, at=log.now + 0.4 * SECOND)
    assert slack.turned.slept == [0.6]


def test_a_message_under_way_keeps_another_run_from_the_same_channel(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 2)
    other = Scripted(slack.turned, interval=SECOND)

    def meanwhile(delivery: Delivery) -> None:
        slack.meanwhile = lambda delivery: None
        given = settings(log.alerts.state.path)
        with open_alerts(log.alerts.state.path) as alerts:
            deliver(alerts, lambda name: other, given, log.now, Clock(log.now, lambda: 0.0, slack.turned.sleep))

    slack.meanwhile = meanwhile
    run(log, slack)
    assert (len(slack.sent), other.sent) == (2, [])


@pytest.mark.parametrize("step", [0.05, 0.1, 0.2, 0.3, 0.4, 0.7])
def test_what_comes_due_while_a_run_looks_for_more_is_sent_in_that_run(log: Log, slack: Scripted, step: float) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    add_watch(log.alerts, "TX", slack=OTHER_HOOK)
    news(log, 3)
    given = settings(log.alerts.state.path)
    route(log.alerts, given, log.now)

    def ticks() -> float:
        slack.turned.ticks += step  # each look at the clock takes its time
        return slack.turned.ticks

    deliver(log.alerts, lambda name: slack, given, log.now, Clock(log.now, ticks, slack.turned.sleep))
    assert states(log) == ["sent"] * 6


def test_mail_is_not_spaced(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    news(log, 5)
    run(log, mail)
    assert {at for at, *_ in mail.sent} == {0}


def test_a_retry_after_of_some_seconds_is_waited_for_and_keeps_the_order(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 3)
    slack.answers[HOOK] = [failed(retry_after=3)]
    assert run(log, slack).sent == 3
    assert [at for at, *_ in slack.sent] == [3, 4, 5]


def test_a_longer_retry_after_is_left_to_a_later_run_and_holds_for_all_that_waits_there(
    log: Log, slack: Scripted
) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    add_watch(log.alerts, "TX", slack=OTHER_HOOK)
    news(log, 3)
    slack.answers[HOOK] = [failed(retry_after=60)]
    run(log, slack)
    assert {to for _, to, *_ in slack.sent} == {OTHER_HOOK}
    run(log, slack, at=log.now + 50 * SECOND)
    assert len(slack.sent) == 3
    run(log, slack, at=log.now + 61 * SECOND)
    assert [to for _, to, *_ in slack.sent[3:]] == [HOOK] * 3


def test_the_longest_that_a_channel_is_left_alone_is_the_longest_pause(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 2)
    slack.answers[HOOK] = [failed(retry_after=1e30)]
    run(log, slack)
    assert states(log) == ["dead", "pending"]
    run(log, slack, at=log.now + 6 * HOUR)
    assert states(log) == ["dead", "sent"]


def test_a_run_does_not_wait_for_what_failed(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    news(log, 1)
    mail.answers["reader@example.org"] = [failed()]
    assert run(log, mail).again == 1
    assert mail.turned.slept == []


# --- messages in parts ------------------------------------------------------------------------------------------


def test_the_parts_of_a_message_follow_each_other_a_second_apart_before_anything_else(
    log: Log, slack: Scripted
) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 2)
    slack.answers[HOOK] = [Accepted("17.1", more=True), Accepted("17.2", more=True), Accepted("17.3")]
    tally = run(log, slack)
    assert (tally.parts, tally.sent) == (2, 2)
    first, last = slack.sent[0][2], slack.sent[-1][2]
    assert [(at, id, part) for at, _, id, part in slack.sent] == [
        (0, first, 0),
        (1, first, 1),
        (2, first, 2),
        (3, last, 0),
    ]


def test_a_part_that_was_taken_is_not_sent_again(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 1)
    slack.answers[HOOK] = [Accepted("17.1", more=True), failed()]
    seen: list[tuple[int, str]] = []
    slack.meanwhile = lambda delivery: seen.append((delivery.parts_sent, delivery.external_id))
    run(log, slack)
    run(log, slack, at=log.now + HOUR)
    assert seen == [(0, ""), (1, "17.1"), (1, "17.1")]
    assert states(log) == ["sent"]


def test_a_message_of_which_a_part_arrived_is_not_called_unsent(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 1)
    slack.answers[HOOK] = [Accepted("17.1", more=True), failed(permanent=True)]
    assert run(log, slack).died == 1
    assert states(log) == ["ambiguous"]


# --- what may have arrived --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("maybe_sent", "state"), [(False, "dead"), (True, "ambiguous")])
def test_what_is_given_up_is_dead_unless_an_attempt_may_have_gone_through(
    log: Log, mail: Scripted, maybe_sent: bool, state: str
) -> None:
    add_watch(log.alerts, "TX")
    news(log, 1)
    mail.answers["reader@example.org"] = [failed(maybe_sent=maybe_sent), failed(permanent=True)]
    run(log, mail)
    assert states(log) == ["pending"]
    run(log, mail, at=log.now + HOUR)
    assert states(log) == [state]


def test_a_lease_that_ended_without_an_outcome_may_have_gone_through(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    news(log, 1)
    leave_leased(log)
    mail.answers["reader@example.org"] = [failed(permanent=True)]
    run(log, mail, at=log.now + HOUR)
    assert states(log) == ["ambiguous"]


def test_what_kills_its_sender_again_and_again_is_given_up(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    news(log, 1)
    leave_leased(log)
    leave_leased(log, at=log.now + 73 * HOUR)
    assert run(log, mail, at=log.now + 74 * HOUR).died == 1
    assert states(log) == ["ambiguous"]
    assert mail.sent == []


def leave_leased(log: Log, at: datetime | None = None) -> None:
    """Take a lease, and never say how it went."""
    now = at or log.now
    route(log.alerts, settings(log.alerts.state.path), now)
    with log.alerts.write():
        for due in log.alerts.outbox.due(ChannelName.EMAIL, now):
            assert log.alerts.outbox.lease(due, "somebody elsewhere", now, now + timedelta(minutes=5))


def test_whoever_may_have_been_told_is_sent_the_correction(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    mail.answers["reader@example.org"] = [failed(permanent=True, maybe_sent=True)]
    run(log, mail)
    log.publishes(*back(departure))
    run(log, mail)
    assert states(log) == ["ambiguous", "sent"]


def test_a_correction_of_what_never_arrived_is_not_sent(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX", email="one@example.org")
    add_watch(log.alerts, "TX", email="other@example.org")
    [departure] = log.publishes(terminated())
    mail.answers["one@example.org"] = [failed(), failed(permanent=True)]
    run(log, mail)
    log.publishes(*back(departure))
    run(log, mail)
    by_address = {(d.address, d.state) for d in log.alerts.reports.deliveries()}
    assert by_address == {
        ("one@example.org", "dead"),
        ("one@example.org", "suppressed"),
        ("other@example.org", "sent"),
    }


def test_a_correction_answers_what_it_corrects(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    mail.answers["reader@example.org"] = [Accepted("17.1")]
    run(log, mail)
    log.publishes(*back(departure))
    answers = []
    mail.meanwhile = lambda delivery: answers.append(delivery.answers)
    run(log, mail)
    earlier = list(log.alerts.reports.deliveries())[-1]
    [answer] = answers
    assert answer is not None
    assert (answer.message_id, answer.external_id) == (earlier.message_id, "17.1")


# --- addresses that are gone ------------------------------------------------------------------------------------


def test_a_mail_address_that_is_gone_is_not_written_to_again(log: Log, mail: Scripted, configured: Settings) -> None:
    add_watch(log.alerts, "TX", email="gone@example.org")
    add_watch(log.alerts, "TX", email="here@example.org")
    news(log, 2)
    mail.answers["gone@example.org"] = [failed(permanent=True, gone=True)]
    run(log, mail)
    news(log, 1)
    run(log, mail)
    assert {to for _, to, *_ in mail.sent} == {"here@example.org"}
    assert Counter(states(log)) == {"dead": 1, "suppressed": 2, "sent": 3}
    [kept] = log.alerts.state.rows("SELECT hash, why FROM suppressions")
    assert kept["hash"] == open_keys(configured).of_address(ChannelName.EMAIL, "Gone@example.org")
    assert kept["why"] == "no such address"


def test_a_webhook_that_is_gone_leaves_its_messages_to_a_person_and_its_watch_alone(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 3)
    slack.answers[HOOK] = [failed(permanent=True, gone=True)]
    run(log, slack)
    assert states(log) == ["dead"] * 3
    assert len(list(log.alerts.watches.records())) == 1
    assert log.alerts.state.rows("SELECT * FROM suppressions") == []


# --- acknowledging several together -----------------------------------------------------------------------------


def test_mails_can_be_acknowledged_in_tens(log: Log, mail: Scripted) -> None:
    for n in range(25):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    news(log, 1)
    sent_when: list[int] = []
    mail.meanwhile = lambda delivery: sent_when.append(states(log).count("sent"))
    assert run(log, mail, acknowledge_every=10).sent == 25
    assert sent_when == [0] * 10 + [10] * 10 + [20] * 5


def test_slack_is_never_acknowledged_together(log: Log, slack: Scripted) -> None:
    for n in range(3):
        add_watch(log.alerts, "TX", slack=f"{HOOK}{n}")
    news(log, 1)
    leased: list[int] = []
    slack.meanwhile = lambda delivery: leased.append(states(log).count("leased"))
    run(log, slack, acknowledge_every=10)
    assert leased == [1, 1, 1]


def test_a_failure_is_written_down_before_the_next_is_tried(log: Log, mail: Scripted) -> None:
    for n in range(4):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    news(log, 1)
    seen: list[list[str]] = []
    mail.meanwhile = lambda delivery: seen.append(states(log))
    mail.answers["reader1@example.org"] = [failed()]
    run(log, mail, acknowledge_every=10)
    assert seen[2] == ["sent", "pending", "leased", "leased"]


def test_no_mail_is_sent_under_a_lease_that_may_end_meanwhile(log: Log, mail: Scripted) -> None:
    for n in range(10):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    news(log, 1)
    mail.takes = 60
    assert run(log, mail, acknowledge_every=10, lease=300).sent == 10
    assert len({id for *_, id, _ in mail.sent}) == 10
    assert [d.attempts for d in log.alerts.reports.deliveries()] == [1] * 10


def test_an_error_of_ours_in_the_middle_leaves_nothing_that_was_sent_unsaid(log: Log, mail: Scripted) -> None:
    for n in range(5):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    news(log, 1)

    def breaks(delivery: Delivery) -> None:
        if delivery.address == "reader2@example.org":
            raise RuntimeError("a mistake")

    mail.meanwhile = breaks
    with pytest.raises(RuntimeError, match="a mistake"):
        run(log, mail, acknowledge_every=10)
    assert states(log) == ["sent", "sent", "leased", "pending", "pending"]
    assert mail.closed == 1


# --- pausing everything -----------------------------------------------------------------------------------------


def test_nothing_is_sent_while_everything_is_paused(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    news(log, 2)
    log.alerts.outbox.pause(log.now)
    assert run(log, mail) == SendCounts()
    assert states(log) == ["pending", "pending"]
    log.alerts.outbox.resume()
    assert run(log, mail).sent == 2


def test_a_pause_takes_hold_from_the_next_message_on(log: Log, mail: Scripted) -> None:
    add_watch(log.alerts, "TX")
    news(log, 3)

    def pauses(delivery: Delivery) -> None:
        with open_alerts(log.alerts.state.path) as alerts, alerts.write():
            alerts.outbox.pause(log.now)

    mail.meanwhile = pauses
    assert run(log, mail).sent == 1
    assert states(log) == ["sent", "pending", "pending"]


# --- a service that is to stop ----------------------------------------------------------------------------------


@pytest.mark.parametrize("acknowledge_every", [1, 10])
def test_a_run_that_is_to_stop_finishes_the_message_in_flight_and_begins_no_other(
    log: Log, mail: Scripted, acknowledge_every: int
) -> None:
    add_watch(log.alerts, "TX")
    news(log, 5)
    stop = Event()
    mail.meanwhile = lambda delivery: stop.set()
    given = settings(log.alerts.state.path, delivery=DeliverySettings(acknowledge_every=acknowledge_every))
    route(log.alerts, given, log.now)
    clock = Clock(log.now, lambda: mail.turned.ticks, mail.turned.sleep, stop)
    assert deliver(log.alerts, lambda name: mail, given, log.now, clock).sent == 1
    assert states(log) == ["sent", "pending", "pending", "pending", "pending"]
    assert run(log, mail).sent == 4


def test_a_run_that_is_to_stop_does_not_wait_for_its_next_second(log: Log, slack: Scripted) -> None:
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 60)
    given = settings(log.alerts.state.path)
    route(log.alerts, given, log.now)
    stop = Event()

    def sleep(seconds: float) -> None:
        slack.turned.sleep(seconds)
        stop.set()  # meanwhile

    clock = Clock(log.now, lambda: slack.turned.ticks, sleep, stop)
    deliver(log.alerts, lambda name: slack, given, log.now, clock)
    assert (len(slack.sent), slack.turned.slept) == (1, [1])


def test_a_wait_ends_where_the_service_is_to_stop() -> None:
    stop = Event()
    stop.set()
    clock = Clock(NOON, stop=stop)
    clock.wait_until(NOON + HOUR)
    assert clock.now() < NOON + HOUR


# --- channels beside each other ---------------------------------------------------------------------------------


def test_channels_do_not_wait_for_each_other(log: Log) -> None:
    add_watch(log.alerts, "TX", email="reader@example.org")
    add_watch(log.alerts, "TX", slack=HOOK)
    news(log, 1)
    both = Barrier(2, timeout=10)

    def meets(delivery: Delivery) -> None:
        both.wait()

    channels = {name: Scripted(Turned(), meanwhile=meets) for name in ChannelName}
    given = settings(log.alerts.state.path)
    route(log.alerts, given, log.now)
    assert deliver(log.alerts, channels.__getitem__, given, log.now).sent == 2
