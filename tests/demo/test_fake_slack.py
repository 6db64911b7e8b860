"""The fake Slack answers over the wire as Slack's webhooks do, and refuses what Slack refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from demo.slack import FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


def post(slack: FakeSlack, payload: object, name: str = "T1") -> tuple[int, str]:
    answer = requests.post(slack.webhook_url(name), json=payload, timeout=5)
    return answer.status_code, answer.text


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def fields(*texts: str) -> dict[str, Any]:
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in texts]}


def test_a_message_is_taken_and_kept(slack: FakeSlack) -> None:
    before = datetime.now(UTC)
    payload = {"text": "1 change in Texas", "blocks": [header("Texas"), section("*new*")]}
    assert post(slack, payload) == (200, "ok")
    [message] = slack.messages
    assert message.path == "/services/T1/B/x"
    assert message.payload == payload
    assert before <= message.received_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "invalid_payload"),
        (403, "action_prohibited"),
        (404, "no_service"),
        (410, "channel_is_archived"),
        (500, "rollup_error"),
    ],
)
def test_a_refusing_webhook_keeps_nothing_until_it_accepts(slack: FakeSlack, status: int, word: str) -> None:
    slack.answers(status, word)
    assert [post(slack, {"text": "hello"}) for _ in range(2)] == [(status, word)] * 2
    assert slack.messages == []
    slack.accepts()
    assert post(slack, {"text": "hello"}) == (200, "ok")
    assert len(slack.requests) == 3


def test_one_webhook_fails_and_another_does_not(slack: FakeSlack) -> None:
    slack.answers(410, "channel_is_archived", to="T1")
    assert post(slack, {"text": "hello"}, "T1") == (410, "channel_is_archived")
    assert post(slack, {"text": "hello"}, "T2") == (200, "ok")


def test_a_rate_limit_says_when_to_come_again(slack: FakeSlack) -> None:
    slack.rate_limits(7)
    limited = requests.post(slack.webhook_url("T1"), json={"text": "hello"}, timeout=5)
    assert limited.status_code == 429
    assert limited.headers["Retry-After"] == "7"
    assert limited.json()["error"] == "rate_limited"
    assert post(slack, {"text": "hello"}) == (200, "ok")
    assert len(slack.messages) == 1


def test_a_message_is_taken_although_nobody_says_so(slack: FakeSlack) -> None:
    slack.breaks_after_reading()
    with pytest.raises(requests.exceptions.ConnectionError):
        post(slack, {"text": "hello"})
    assert [message.payload for message in slack.messages] == [{"text": "hello"}]
    assert post(slack, {"text": "hello"}) == (200, "ok")


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "x" * 5000},
        {"text": "x", "blocks": [{"type": "divider"}] * 50},
        {"text": "x", "blocks": [section("y" * 3000)]},
        {"text": "x", "blocks": [header("y" * 150)]},
        {"text": "x", "blocks": [fields(*["y" * 1000] * 10)]},
        {"text": "x", "blocks": [section("y" * 2600)] * 5},
        {
            "text": "x",
            "blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "y"}] * 10}],
        },
    ],
    ids=["text", "blocks", "section", "header", "fields", "in all", "context"],
)
def test_slacks_limits_can_be_reached(slack: FakeSlack, payload: dict[str, Any]) -> None:
    assert post(slack, payload) == (200, "ok")


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("y" * 3001)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "x", "blocks": [header("y" * 151)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [fields(*"y" * 11)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [fields("y" * 2001)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "paragraph"}]}, "invalid_blocks"),
        ({"text": "x", "blocks": "[]"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": [section("y" * 2601)] * 5}, "msg_blocks_too_long"),
        ({"blocks": [section("y")]}, "no_text"),
        ({"text": " "}, "no_text"),
        (["text"], "invalid_payload"),
    ],
)
def test_what_slack_refuses_is_refused(slack: FakeSlack, payload: object, word: str) -> None:
    assert post(slack, payload) == (400, word)
    assert slack.messages == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/json", b'{"text": '), ("application/x-www-form-urlencoded", b'{"text": "x"}')],
)
def test_what_is_not_json_is_refused(slack: FakeSlack, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type}
    answer = requests.post(slack.webhook_url("T1"), data=body, headers=headers, timeout=5)
    assert (answer.status_code, answer.text) == (400, "invalid_payload")


def test_only_webhooks_are_there(slack: FakeSlack) -> None:
    url = slack.webhook_url("T1").replace("/services/", "/elsewhere/")
    assert requests.post(url, json={"text": "hello"}, timeout=5).status_code == 404
