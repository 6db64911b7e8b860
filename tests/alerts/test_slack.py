"""Messages handed to Slack's webhooks, and what its answers mean."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from alerts.model import ChannelName, Delivery, Message
from alerts.slack import SlackChannel
from demo.slack import FakeSlack
from monitor.config import SlackSettings
from monitor.errors import ChannelError
from tests.alerts.builders import HOUR, NOON

BLOCKS = json.dumps([{"type": "section", "text": {"type": "mrkdwn", "text": "*new*"}}])


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def channel() -> SlackChannel:
    return SlackChannel(SlackSettings(timeout=1))


def delivery(address: str) -> Delivery:
    message = Message("", "1 new in Texas", blocks=BLOCKS)
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


@pytest.mark.parametrize(
    ("status", "word", "permanent", "says"),
    [
        (400, "invalid_payload", True, "report this as a fault"),
        (403, "action_prohibited", True, "ask an administrator"),
        (404, "no_service", True, "make a new one"),
        (404, "channel_not_found", True, "channel is gone"),
        (410, "channel_is_archived", True, "channel is archived"),
        (410, "", True, "Slack answered 410"),
        (408, "", False, "Slack answered 408"),
        (500, "rollup_error", False, "Slack answered 500 rollup_error"),
        (503, "<html>try later</html>", False, "Slack answered 503"),
    ],
)
def test_an_answer_is_permanent_or_not_and_put_into_words(
    slack: FakeSlack, channel: SlackChannel, status: int, word: str, permanent: bool, says: str
) -> None:
    slack.answers(status, word)
    error = refusal(channel, slack.webhook_url("T1"))
    assert error.permanent is permanent
    assert says in str(error)
    assert len(slack.requests) == 1


def test_a_rate_limit_is_kept_with_its_seconds(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.rate_limits(7)
    error = refusal(channel, slack.webhook_url("T1"))
    assert (error.permanent, error.retry_after) == (False, 7.0)


def test_a_page_that_answers_in_slacks_place_is_no_success(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.answers(200, "<html>Please log in</html>")
    assert not refusal(channel, slack.webhook_url("T1")).permanent


def test_a_break_before_the_answer_is_no_reason_to_give_up(slack: FakeSlack, channel: SlackChannel) -> None:
    slack.breaks_after_reading()
    error = refusal(channel, slack.webhook_url("T1"))
    assert not error.permanent
    assert channel.reachable(slack.webhook_url("T2"))
    assert len(slack.requests) == 1


def test_a_host_that_does_not_answer_is_asked_once_a_run(channel: SlackChannel) -> None:
    with FakeSlack() as gone:
        address = gone.webhook_url("T1")
    assert not refusal(channel, address).permanent
    assert not channel.reachable(address)
    assert "could not be reached" in str(refusal(channel, address))


def test_one_silent_host_leaves_the_others_alone(slack: FakeSlack, channel: SlackChannel) -> None:
    with FakeSlack() as gone:
        address = gone.webhook_url("T1")
    refusal(channel, address)
    channel.send(delivery(slack.webhook_url("T1")))
    assert len(slack.messages) == 1


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
