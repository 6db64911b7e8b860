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


# --- the Web API -----------------------------------------------------------------------------------------------


def call(slack: FakeSlack, method: str, token: str = FakeSlack.bot_token, **payload: object) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(f"{slack.api_url}{method}", json=payload, headers=headers, timeout=5)
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    return said


def say(slack: FakeSlack, channel: str = "C0NEWSROOM", **payload: object) -> dict[str, Any]:
    return call(slack, "chat.postMessage", FakeSlack.bot_token, **{"channel": channel, "text": "hello"} | payload)


def test_the_token_says_whose_it_is(slack: FakeSlack) -> None:
    assert call(slack, "auth.test")["ok"] is True
    assert call(slack, "auth.test", token="xoxb-other") == {"ok": False, "error": "invalid_auth"}
    assert call(slack, "auth.test", token="") == {"ok": False, "error": "not_authed"}


def test_a_message_to_a_channel_is_told_its_ts_and_can_be_replied_to(slack: FakeSlack) -> None:
    told = say(slack)["ts"]
    reply = say(slack, text="more", thread_ts=told, reply_broadcast=True)
    assert reply["message"]["thread_ts"] == told
    assert reply["ts"] > told
    assert [(m.to, m.thread_ts) for m in slack.messages] == [("C0NEWSROOM", ""), ("C0NEWSROOM", told)]


def test_only_what_stands_in_the_channel_itself_can_be_replied_to(slack: FakeSlack) -> None:
    told = say(slack)["ts"]
    reply = say(slack, thread_ts=told)["ts"]
    slack.deletes(told)
    for ts in (told, reply, "1.2"):
        assert say(slack, thread_ts=ts) == {"ok": False, "error": "thread_not_found"}


def test_a_message_can_be_put_in_other_words(slack: FakeSlack) -> None:
    told = say(slack)["ts"]
    assert call(slack, "chat.update", channel="C0NEWSROOM", ts=told, text="in other words")["ok"] is True
    assert [m.payload["text"] for m in slack.messages] == ["in other words"]
    assert call(slack, "chat.update", channel="C0NEWSROOM", ts="1.2", text="x")["error"] == "message_not_found"


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ({"channel": "newsroom"}, "channel_not_found"),
        ({"text": ""}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [section("y" * 3001)]}, "invalid_blocks"),
        ({"blocks": [section("\U0001f44d" * 1501)]}, "invalid_blocks"),
        ({"blocks": [section("y") | {"block_id": "same"}] * 2}, "invalid_blocks"),
        ({"blocks": [section("y") | {"block_id": "i" * 256}]}, "invalid_blocks"),
        ({"blocks": [section("y" * 2601)] * 5}, "msg_blocks_too_long"),
        ({"metadata": {"event_type": "a b", "event_payload": {}}}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "a", "event_payload": {"x": "y" * 9000}}}, "metadata_too_large"),
    ],
)
def test_what_slack_refuses_over_the_web_api_is_refused_with_200(
    slack: FakeSlack, payload: dict[str, Any], word: str
) -> None:
    assert say(slack, **payload) == {"ok": False, "error": word}
    assert slack.messages == []


def test_verbs_take_channels_webhooks_and_the_token_away(slack: FakeSlack) -> None:
    slack.archives("C0NEWSROOM")
    slack.uninvites("G0LEGAL")
    slack.archives("T1")
    slack.revokes("T2")
    assert [say(slack, to)["error"] for to in ("C0NEWSROOM", "G0LEGAL")] == ["is_archived", "not_in_channel"]
    assert [post(slack, {"text": "x"}, name) for name in ("T1", "T2")] == [
        (410, "channel_is_archived"),
        (404, "no_service"),
    ]
    slack.invalidates_token("token_revoked")
    assert say(slack, "C0OTHER")["error"] == "token_revoked"
    slack.accepts()
    assert say(slack)["ok"] is True


def test_a_channel_is_rate_limited_and_another_is_not(slack: FakeSlack) -> None:
    slack.rate_limits(7, to="C0NEWSROOM")
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    payload = {"channel": "C0NEWSROOM", "text": "hello"}
    limited = requests.post(f"{slack.api_url}chat.postMessage", json=payload, headers=headers, timeout=5)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert say(slack, "G0LEGAL")["ok"] is True


@pytest.mark.parametrize("taken", [True, False])
def test_a_connection_breaks_before_or_after_the_message_is_taken(slack: FakeSlack, taken: bool) -> None:
    slack.breaks_after_reading() if taken else slack.breaks_before_taking()
    with pytest.raises(requests.exceptions.ConnectionError):
        say(slack)
    assert len(slack.messages) == taken


def test_messages_are_counted_by_channel_and_by_time(slack: FakeSlack) -> None:
    for to in ("C0NEWSROOM", "G0LEGAL", "C0NEWSROOM"):
        say(slack, to)
    post(slack, {"text": "hello"}, "T1")
    counts = [len(slack.messages_to(to)) for to in ("C0NEWSROOM", "G0LEGAL", "T1", "T2")]
    assert counts == [2, 1, 1, 0]
    assert slack.most_within(60, "C0NEWSROOM") == 2
    assert slack.most_within(0, "C0NEWSROOM") <= 1
    assert slack.connections == 4
