"""Who is corrected, which address is closed, and that the sum of it adds up; with real servers where they decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import SecretStr

from alerts.delivery.run import tell
from alerts.model import Accepted, ChannelName, Wants
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.checks import decisions
from monitor.errors import ChannelError
from monitor.model import Entry
from monitor.settings import OperatorSettings, Settings, SlackSettings
from monitor.storage.writer import Store
from tests.alerts.builders import HOUR, NOON, Log, add_watch, back, cells, new, terminated
from tests.alerts.conftest import Typed, ok
from tests.alerts.delivery.test_sender import Scripted, Turned, failed, run

pytestmark = pytest.mark.slow

Taking = Callable[[Log, Entry], object]


def retracts(log: Log, entry: Entry) -> None:
    decisions.retract(Store(log.alerts.state), entry.id, now=log.now + HOUR, why="the file was cut off")


def comes_back(log: Log, entry: Entry) -> None:
    log.publishes(*back(entry))


TAKEN_BACK = pytest.mark.parametrize("takes_back", [retracts, comes_back])

# How a mail goes to whom, and whether they may have read it.
OUTCOMES: dict[str, tuple[list[Accepted | ChannelError], bool]] = {
    "sent": ([], True),
    "ambiguous": ([failed(permanent=True, maybe_sent=True)], True),
    "dead": ([failed(permanent=True)], False),
    "gone": ([failed(permanent=True, gone=True)], False),
    "dropped": ([failed(permanent=True)], False),
}


@TAKEN_BACK
def test_what_is_taken_back_reaches_exactly_those_marked_sent_or_ambiguous(
    log: Log, typed: Typed, takes_back: Taking
) -> None:
    mail = Scripted(Turned())
    for who, (answers, _) in OUTCOMES.items():
        add_watch(log.alerts, "TX", email=f"{who}@example.org")
        mail.answers[f"{who}@example.org"] = [*answers]
    add_watch(log.alerts, "GA", email="elsewhere@example.org")
    [departure] = log.publishes(terminated())
    run(log, mail)
    [dropped] = [d for d in log.alerts.reports.deliveries() if d.address == "dropped@example.org"]
    ok(typed("deliveries", "drop", dropped.id, "--why", "told by phone"))
    add_watch(log.alerts, "TX", email="late@example.org")

    before = len(mail.sent)
    takes_back(log, departure)
    run(log, mail, at=log.now + 2 * HOUR)
    corrected = [to.partition("@")[0] for _, to, *_ in mail.sent[before:]]
    assert corrected == [who for who, (_, may_have_read) in OUTCOMES.items() if may_have_read]
    assert ok(typed("verify")).endswith("All of it adds up.\n")


@TAKEN_BACK
def test_what_is_taken_back_while_it_waits_is_sent_and_then_corrected(log: Log, takes_back: Taking) -> None:
    add_watch(log.alerts, "TX")
    mail = Scripted(Turned(), answers={"reader@example.org": [failed()]})
    [departure] = log.publishes(terminated())
    run(log, mail)
    takes_back(log, departure)
    run(log, mail, at=log.now + 2 * HOUR)
    first, second = list(log.alerts.reports.deliveries())[::-1]
    assert [id for *_, id, _ in mail.sent] == [first.id, second.id]


@TAKEN_BACK
def test_a_correction_by_mail_replies_to_the_message_that_it_corrects(
    log: Log, configured: Settings, smtp: FakeSmtp, takes_back: Taking
) -> None:
    add_watch(log.alerts, "TX")
    [departure] = log.publishes(terminated())
    tell(configured, log.now)
    takes_back(log, departure)
    tell(configured, log.now + 2 * HOUR)
    told, correction = smtp.messages
    assert correction.message["In-Reply-To"] == correction.message["References"] == told.message["Message-ID"]
    assert b"\r\nIn-Reply-To: " + told.message["Message-ID"].encode() + b"\r\n" in correction.raw


# --- addresses that are at fault, and messages that are -----------------------------------------------------------


@pytest.fixture
def named(configured: Settings) -> Settings:
    """Settings with an operator who reads mail."""
    return configured.model_copy(update={"operator": OperatorSettings(email="op@example.org")})


def to_operator(smtp: FakeSmtp) -> list[str]:
    return [m.message["Subject"] for m in smtp.messages if m.recipients == ("op@example.org",)]


def test_a_policy_rejection_is_a_dead_letter_for_the_operator_and_closes_no_address(
    log: Log, named: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.refuses("550 5.7.1 rejected by policy", to="reader@example.org", times=1)
    tell(named, log.now)
    assert to_operator(smtp) == ["agreement-monitor: A message was given up"]
    assert log.alerts.state.rows("SELECT * FROM suppressions") == []
    log.publishes(new(cells("Late Police Department")))
    tell(named, log.now)
    assert [d.state for d in log.alerts.reports.deliveries() if d.purpose == "instant"] == ["sent", "dead"]


def test_recipients_who_were_put_off_together_are_tried_again_apart(
    log: Log, configured: Settings, smtp: FakeSmtp
) -> None:
    for n in range(5):
        add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
    log.publishes(new())
    smtp.refuses("451 4.7.1 greylisted")
    tell(configured, log.now)
    waiting = {d.next_attempt_at - log.now for d in log.alerts.reports.deliveries() if d.state == "pending"}
    assert len(waiting) == 5
    assert all(timedelta(minutes=1) <= pause < timedelta(minutes=1.5) for pause in waiting)


def test_an_address_that_does_not_exist_is_suppressed_and_the_operator_hears_of_it(
    log: Log, named: Settings, smtp: FakeSmtp
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.refuses("550 5.1.1 no such user", to="reader@example.org", times=1)
    tell(named, log.now)
    log.publishes(new(cells("Late Police Department")))
    tell(named, log.now)
    assert [m.recipients for m in smtp.messages] == [("op@example.org",)]
    assert [r["why"] for r in log.alerts.state.rows("SELECT why FROM suppressions")] == ["no such address"]


DEAD_HOOKS = [
    (400, "invalid_token"),
    (403, "action_prohibited"),
    (403, "invalid_token"),
    (403, "token_revoked"),
    (404, "no_service"),
    (404, "no_active_hooks"),
    (404, "channel_not_found"),
    (404, "team_disabled"),
    (404, ""),
    (410, "channel_is_archived"),
    (410, ""),
]


@pytest.mark.parametrize(("status", "word"), DEAD_HOOKS)
def test_a_dead_hook_closes_its_channel_and_the_operator_hears_of_it_once(
    log: Log, named: Settings, smtp: FakeSmtp, slack: FakeSlack, status: int, word: str
) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T2"))
    slack.answers(status, word, to="T1")
    log.publishes(new())
    assert tell(named, log.now) is True
    log.publishes(new(cells("Late Police Department")))
    tell(named, log.now)
    assert [r.path for r in slack.requests].count("/services/T1/B/x") == 1
    assert len(slack.messages_to("T2")) == 2
    assert to_operator(smtp) == ["agreement-monitor: An address takes no messages any more"]


@pytest.mark.parametrize("word", ["is_archived", "channel_not_found", "not_in_channel"])
def test_a_dead_channel_of_the_bot_is_closed_and_the_operator_hears_of_it_once(
    log: Log, named: Settings, smtp: FakeSmtp, slack: FakeSlack, word: str
) -> None:
    bot = SlackSettings(bot_token=SecretStr(FakeSlack.bot_token), api_url=slack.api_url, timeout=5)
    given = named.model_copy(update={"slack": bot})
    with log.alerts.write():
        who = log.alerts.subscribers.ensure(ChannelName.SLACK_BOT, "C0NEWSROOM", confirmed_by="operator", at=NOON)
        log.alerts.watches.add(who, Wants(), at=NOON)
    slack.refuses(word)
    for _ in range(2):
        log.publishes(new(cells(f"Town {log.now}")))
        tell(given, log.now)
    assert len(slack.requests) == 1
    assert len(to_operator(smtp)) == 1


def test_blocks_that_slack_takes_in_no_form_are_a_dead_letter_after_one_try_as_plain_text(
    log: Log, named: Settings, smtp: FakeSmtp, slack: FakeSlack
) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    slack.answers(400, "invalid_blocks", times=2)
    log.publishes(new())
    tell(named, log.now)
    assert ["blocks" in r.body.decode() for r in slack.requests] == [True, False]
    assert to_operator(smtp) == ["agreement-monitor: A message was given up"]
    log.publishes(new(cells("Late Police Department")))
    tell(named, log.now)
    assert [d.state for d in log.alerts.reports.deliveries() if d.purpose == "instant"] == ["sent", "dead"]


def test_a_retry_after_holds_for_all_that_waits_there_across_restarts(
    log: Log, configured: Settings, slack: FakeSlack
) -> None:
    add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
    log.publishes(new())
    slack.rate_limits(600, to="T1")
    tell(configured, log.now)  # each opens state.db anew, as a service does that was started again
    asked_at = log.now
    log.publishes(new(cells("Late Police Department")), now=asked_at + timedelta(minutes=5))
    tell(configured, asked_at + timedelta(seconds=595))
    assert len(slack.requests) == 1
    tell(configured, asked_at + timedelta(seconds=605))
    assert len(slack.messages) == 2
