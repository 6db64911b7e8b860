"""Messages handed to Slack's webhooks, and what their answers mean."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from alerts.channels.slack_webhook import SlackChannel
from alerts.messages.slack_parts import SlackPart, packed
from alerts.model import ChannelName, Delivery, Message
from demo.slack import FakeSlack
from monitor.errors import ChannelError
from monitor.settings import SlackSettings
from tests.alerts.builders import HOUR, NOON

# As the first version stored it.
BLOCKS = json.dumps([{"type": "section", "text": {"type": "mrkdwn", "text": "*new*"}}])


def part(text: str) -> SlackPart:
    return SlackPart(text, [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{text}*"}}])


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def channel() -> SlackChannel:
    return SlackChannel(SlackSettings(timeout=1))


def delivery(address: str, *parts: SlackPart) -> Delivery:
    message = packed(parts) if parts else Message("", "1 new in Texas", blocks=BLOCKS)
    return Delivery("d-1", ChannelName.SLACK, address, message, "d-1", NOON, NOON + 72 * HOUR, 1, "me")


def refusal(channel: SlackChannel, address: str) -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        channel.send(delivery(address))
    return refused.value


def test_a_message_arrives_with_its_fallback_and_its_id(slack: FakeSlack, channel: SlackChannel) -> None:
    channel.send(delivery(slack.webhook_url("T1")))
    [message] = slack.messages
    assert message.payload == {
        "text": "1 new in Texas",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*new*"}, "block_id": "d-1"}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_a_message_in_parts_is_posted_part_by_part_in_order(slack: FakeSlack, channel: SlackChannel) -> None:
    sent = delivery(slack.webhook_url("T1"), part("300 new"), part("Florida"), part("Texas"))
    more = [channel.send(replace(sent, parts_sent=number)).more for number in range(3)]
    assert more == [True, True, False]
    assert [m.payload["text"] for m in slack.messages] == ["300 new", "Florida", "Texas"]


def test_each_part_bears_the_messages_id_the_same_however_often_it_is_sent(
    slack: FakeSlack, channel: SlackChannel
) -> None:
    sent = delivery(slack.webhook_url("T1"), part("300 new"), part("Florida"))
    for number in (0, 1, 0, 1):
        channel.send(replace(sent, parts_sent=number))
    assert [m.payload["blocks"][0]["block_id"] for m in slack.messages] == ["d-1", "d-1.1", "d-1", "d-1.1"]


def test_a_message_of_which_every_part_was_taken_is_not_sent_again(slack: FakeSlack, channel: SlackChannel) -> None:
    taken = channel.send(replace(delivery(slack.webhook_url("T1"), part("1 new")), parts_sent=1))
    assert not taken.more
    assert slack.requests == []


def test_messages_to_one_host_go_over_one_connection(slack: FakeSlack, channel: SlackChannel) -> None:
    for name in ("T1", "T2", "T3"):
        channel.send(delivery(slack.webhook_url(name)))
    assert slack.connections == 1


GONE, DEAD, AGAIN, MAYBE = (True, True, False), (False, True, False), (False, False, False), (False, False, True)


@pytest.mark.parametrize(
    ("status", "word", "outcome", "says"),
    [
        (400, "invalid_token", GONE, "make a new one"),
        (400, "no_team", GONE, "workspace is closed"),
        (403, "action_prohibited", GONE, "ask an administrator"),
        (403, "invalid_token", GONE, "make a new one"),
        (403, "token_revoked", GONE, "make a new one"),
        (404, "no_service", GONE, "make a new one"),
        (404, "no_active_hooks", GONE, "make a new one"),
        (404, "channel_not_found", GONE, "channel is gone"),
        (404, "team_disabled", GONE, "workspace is closed"),
        (410, "channel_is_archived", GONE, "channel is archived"),
        (410, "", GONE, "does not know this address"),
        (400, "user_is_sleepy", DEAD, "Slack answered 400 user_is_sleepy"),
        (400, "invalid_payload", DEAD, "report this as a fault"),
        (408, "", AGAIN, "Slack answered 408"),
        (407, "who are you", AGAIN, "Slack answered 407"),
        (302, "", AGAIN, "Slack answered 302"),
        (403, "<html>Your proxy says no</html>", AGAIN, "a web page answered"),
        (404, "<html>Not found</html>", AGAIN, "a web page answered"),
        (200, "\ufeff<html>Please log in</html>", AGAIN, "a web page answered"),
        (200, "no_service", GONE, "make a new one"),
        (200, '{"ok": false, "error": "channel_is_archived"}', GONE, "channel is archived"),
        (200, "rate_limited", AGAIN, "Slack answered 200 rate_limited"),
        (400, "[" * 60_000, DEAD, "Slack answered 400"),
        (500, "rollup_error", AGAIN, "Slack answered 500 rollup_error"),
        (503, "<html>try later</html>", AGAIN, "Slack answered 503"),
        (502, "<html>bad gateway</html>", MAYBE, "Slack answered 502"),
        (500, "internal_error", MAYBE, "Slack answered 500 internal_error"),
    ],
)
def test_an_answer_says_whether_the_address_the_message_or_the_moment_is_at_fault(
    slack: FakeSlack, channel: SlackChannel, status: int, word: str, outcome: tuple[bool, bool, bool], says: str
) -> None:
    slack.answers(status, word)
    error = refusal(channel, slack.webhook_url("T1"))
    assert (error.gone, error.permanent, error.maybe_sent) == outcome
    assert says in str(error)


def test_a_webhook_that_is_gone_leaves_the_others_alone(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.revokes("T1")
    slack.archives("T2")
    assert refusal(channel, slack.webhook_url("T1")).gone
    assert refusal(channel, slack.webhook_url("T2")).gone
    channel.send(delivery(slack.webhook_url("T3")))
    assert [m.to for m in slack.messages] == ["T3"]


def test_blocks_that_slack_does_not_take_go_as_plain_text_at_once(
    slack: FakeSlack, channel: SlackChannel, caplog: pytest.LogCaptureFixture
) -> None:
    slack.answers(400, "invalid_blocks", times=1)
    channel.send(delivery(slack.webhook_url("T1"), part("1 new in Texas")))
    [message] = slack.messages
    assert message.payload == {"text": "*1 new in Texas*", "unfurl_links": False, "unfurl_media": False}
    assert "report this as a fault" in caplog.text


def test_what_slack_takes_in_no_form_is_given_up_after_both(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.answers(400, "invalid_blocks")
    error = refusal(channel, slack.webhook_url("T1"))
    assert (error.permanent, error.gone) == (True, False)
    assert len(slack.requests) == 2


def test_a_rate_limit_is_kept_with_its_seconds(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.rate_limits(7)
    error = refusal(channel, slack.webhook_url("T1"))
    assert (error.permanent, error.retry_after) == (False, 7.0)


def test_a_page_that_answers_in_slacks_place_is_no_success(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.answers(200, "<html>Please log in</html>")
    assert not refusal(channel, slack.webhook_url("T1")).permanent


@pytest.mark.parametrize("taken", [True, False])
def test_a_break_before_the_answer_may_have_been_after_the_message_was_taken(
    slack: FakeSlack, channel: SlackChannel, taken: bool
) -> None:
    slack.breaks_after_reading() if taken else slack.breaks_before_taking()
    error = refusal(channel, slack.webhook_url("T1"))
    assert (error.permanent, error.maybe_sent) == (False, True)
    assert channel.reachable(slack.webhook_url("T2"))
    assert len(slack.requests) == 1
    assert len(slack.messages) == taken


def test_a_message_that_is_not_answered_in_time_may_have_been_taken(slack: FakeSlack) -> None:
    slack.is_slow(5)
    channel = SlackChannel(SlackSettings(timeout=0.2))
    error = refusal(channel, slack.webhook_url("T1"))
    assert (error.permanent, error.maybe_sent) == (False, True)
    assert not channel.reachable(slack.webhook_url("T1"))


def test_an_answer_that_breaks_off_may_have_been_a_yes(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.breaks_while_answering()
    assert refusal(channel, slack.webhook_url("T1")).maybe_sent


def test_a_host_that_does_not_answer_is_asked_once_a_run(channel: SlackChannel) -> None:
    with FakeSlack() as gone:
        address = gone.webhook_url("T1")
    error = refusal(channel, address)
    assert (error.permanent, error.maybe_sent) == (False, False)
    assert not channel.reachable(address)
    assert "could not be reached" in str(refusal(channel, address))


def test_one_silent_host_leaves_the_others_alone(slack: FakeSlack, channel: SlackChannel) -> None:
    with FakeSlack() as gone:
        address = gone.webhook_url("T1")
    refusal(channel, address)
    channel.send(delivery(slack.webhook_url("T1")))
    assert len(slack.messages) == 1


def test_an_answer_without_an_end_is_not_read_to_the_end(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.answers_without_end(404)
    assert "Slack answered 404" in str(refusal(channel, slack.webhook_url("T1")))


def test_what_was_posted_to_one_webhook_leaves_its_connection_to_the_next(
    slack: FakeSlack, channel: SlackChannel
) -> None:
    slack.revokes("T1")
    refusal(channel, slack.webhook_url("T1"))
    channel.send(delivery(slack.webhook_url("T2")))
    assert slack.connections == 1


def test_a_connection_that_slack_closed_meanwhile_is_opened_again(slack: FakeSlack, channel: SlackChannel) -> None:
    channel.send(delivery(slack.webhook_url("T1")))
    slack.hangs_up()
    channel.send(delivery(slack.webhook_url("T1")))
    assert len(slack.messages) == 2


def test_a_proxy_that_the_environment_names_is_asked(
    slack: FakeSlack, channel: SlackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://somebody:s3cret@{slack.netloc}")
    monkeypatch.setenv("no_proxy", "")
    refusal(channel, "http://hooks.example.org/services/T1/B/x")
    [asked] = slack.requests
    assert asked.path == "http://hooks.example.org/services/T1/B/x"
    assert asked.headers["Proxy-Authorization"].startswith("Basic ")


def test_no_error_and_no_log_names_a_webhook(
    slack: FakeSlack, channel: SlackChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeSlack() as gone:
        silent = gone.webhook_url("s3cret")
    slack.answers(404, f"no hook at {slack.webhook_url('s3cret')}", times=1)
    said = [str(refusal(channel, slack.webhook_url("s3cret"))), str(refusal(channel, silent))]
    channel.send(delivery(slack.webhook_url("s3cret")))
    assert not any("s3cret" in text for text in [*said, caplog.text])


def test_no_proxy_is_asked_where_the_environment_says_so(
    slack: FakeSlack, channel: SlackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    channel.send(delivery(slack.webhook_url("T1")))
    assert len(slack.messages) == 1
