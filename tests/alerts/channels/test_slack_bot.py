"""Messages handed to Slack channels with the bot token: threads, corrections, and what the Web API's answers mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from alerts.channels.registry import open_channel
from alerts.channels.slack_bot import SlackBotChannel
from alerts.messages.slack_parts import SlackPart, packed
from alerts.model import Accepted, ChannelName, CorrectedDelivery, Delivery
from demo.slack import FakeSlack
from monitor.errors import ChannelError
from monitor.settings import Settings, SlackSettings
from tests.alerts.builders import HOUR, NOON

NEWSROOM, LEGAL = "C0NEWSROOM", "G0LEGAL"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def bot(slack: FakeSlack) -> SlackBotChannel:
    return opened(slack)


def opened(slack: FakeSlack, token: str = FakeSlack.bot_token, timeout: float = 1) -> SlackBotChannel:
    return SlackBotChannel(SlackSettings(bot_token=SecretStr(token), api_url=slack.api_url, timeout=timeout))


def part(text: str) -> SlackPart:
    return SlackPart(text, [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{text}*"}}])


def delivery(*texts: str, to: str = NEWSROOM, id: str = "d-1", answers: CorrectedDelivery | None = None) -> Delivery:
    message = packed([part(text) for text in texts or ["1 new in Texas"]])
    made = Delivery(id, ChannelName.SLACK_BOT, to, message, id, NOON, NOON + 72 * HOUR, 1, "me")
    return replace(made, answers=answers)


def send_all(bot: SlackBotChannel, sent: Delivery) -> str:
    """Part after part, as deliveries do; the id by which it can be answered."""
    taken = Accepted(sent.external_id, more=True)
    while taken.more:
        taken = bot.send(sent)
        sent = replace(sent, parts_sent=sent.parts_sent + 1, external_id=sent.external_id or taken.external_id)
    return sent.external_id


def refusal(bot: SlackBotChannel, to: str = NEWSROOM) -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        bot.send(delivery(to=to))
    return refused.value


def test_a_message_arrives_with_its_fallback_its_id_and_its_metadata(slack: FakeSlack, bot: SlackBotChannel) -> None:
    taken = bot.send(delivery())
    [message] = slack.messages
    assert taken == Accepted(message.ts)
    assert message.payload == {
        "channel": NEWSROOM,
        "text": "1 new in Texas",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*1 new in Texas*"}, "block_id": "d-1"}],
        "metadata": {
            "event_type": "agreement_monitor_delivery",
            "event_payload": {"message_id": "d-1", "part": 1},
        },
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_the_wiring_opens_the_bot_by_its_name(slack: FakeSlack) -> None:
    settings = Settings(slack=SlackSettings(bot_token=SecretStr(slack.bot_token), api_url=slack.api_url))
    open_channel(ChannelName.SLACK_BOT, settings).send(delivery())
    assert len(slack.messages_to(NEWSROOM)) == 1


def test_the_further_parts_are_replies_to_the_first(slack: FakeSlack, bot: SlackBotChannel) -> None:
    send_all(bot, delivery("300 new", "Florida", "Texas"))
    first, *rest = slack.messages
    assert first.thread_ts == ""
    assert [(m.payload["text"], m.thread_ts) for m in rest] == [("Florida", first.ts), ("Texas", first.ts)]
    assert not any(m.payload["reply_broadcast"] for m in rest)


def test_the_same_ids_go_out_however_often_a_part_is_sent(slack: FakeSlack, bot: SlackBotChannel) -> None:
    send_all(bot, delivery("300 new", "Florida"))
    send_all(bot, delivery("300 new", "Florida"))
    assert [m.payload["blocks"][0]["block_id"] for m in slack.messages] == ["d-1", "d-1.1"] * 2
    assert [m.payload["metadata"]["event_payload"] for m in slack.messages] == [
        {"message_id": "d-1", "part": 1},
        {"message_id": "d-1", "part": 2},
    ] * 2


def test_a_correction_replies_to_what_it_corrects_and_is_shown_in_the_channel(
    slack: FakeSlack, bot: SlackBotChannel
) -> None:
    told = send_all(bot, delivery())
    send_all(bot, delivery("1 correction", "Texas", id="d-2", answers=CorrectedDelivery("d-1", told)))
    correction, detail = slack.messages[1:]
    assert (correction.thread_ts, correction.payload["reply_broadcast"]) == (told, True)
    assert (detail.thread_ts, detail.payload["reply_broadcast"]) == (told, False)


def test_a_correction_of_a_correction_stays_in_the_same_thread(slack: FakeSlack, bot: SlackBotChannel) -> None:
    told = send_all(bot, delivery())
    corrected = send_all(bot, delivery(id="d-2", answers=CorrectedDelivery("d-1", told)))
    send_all(bot, delivery(id="d-3", answers=CorrectedDelivery("d-2", corrected)))
    assert [m.thread_ts for m in slack.messages] == ["", told, told]


def test_a_correction_of_what_was_deleted_is_said_all_the_same(slack: FakeSlack, bot: SlackBotChannel) -> None:
    told = send_all(bot, delivery())
    slack.deletes(told)
    send_all(bot, delivery("1 correction", "Texas", id="d-2", answers=CorrectedDelivery("d-1", told)))
    correction, detail = slack.messages
    assert correction.thread_ts == ""
    assert detail.thread_ts == correction.ts


@pytest.mark.parametrize("word", ["cannot_reply_to_message", "restricted_action_thread_locked", "message_not_found"])
def test_details_that_cannot_go_into_the_thread_go_into_the_channel(
    slack: FakeSlack, bot: SlackBotChannel, word: str
) -> None:
    sent = delivery("300 new", "Florida")
    told = bot.send(sent).external_id
    slack.refuses(word, times=1)
    bot.send(replace(sent, parts_sent=1, external_id=told))
    assert [(m.payload["text"], m.thread_ts) for m in slack.messages] == [("300 new", ""), ("Florida", "")]


def test_a_correction_of_what_a_webhook_told_is_a_message_of_its_own(slack: FakeSlack, bot: SlackBotChannel) -> None:
    bot.send(delivery(answers=CorrectedDelivery("d-0", "")))
    assert slack.messages[0].thread_ts == ""


def test_a_message_of_which_every_part_was_taken_is_not_sent_again(slack: FakeSlack, bot: SlackBotChannel) -> None:
    assert bot.send(replace(delivery(), parts_sent=1, external_id="1.2")) == Accepted("1.2")
    assert slack.requests == []


# --- what goes wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("channel_not_found", "invite the app"),
        ("not_in_channel", "invite it there (/invite)"),
        ("is_archived", "channel is archived"),
        ("restricted_action", "may not post in this channel"),
        ("team_disabled", "workspace is closed"),
    ],
)
def test_a_channel_that_takes_nothing_any_more_is_gone_and_the_words_say_what_to_do(
    slack: FakeSlack, bot: SlackBotChannel, word: str, says: str
) -> None:
    slack.refuses(word, to=LEGAL)
    error = refusal(bot, LEGAL)
    assert (error.gone, error.permanent) == (True, True)
    assert says in str(error)
    assert bot.reachable(NEWSROOM)
    bot.send(delivery())
    assert len(slack.messages_to(NEWSROOM)) == 1


def test_an_archived_channel_and_one_without_the_app_are_gone(slack: FakeSlack, bot: SlackBotChannel) -> None:
    slack.archives(NEWSROOM)
    slack.uninvites(LEGAL)
    assert "is_archived" in str(refusal(bot, NEWSROOM))
    assert "not_in_channel" in str(refusal(bot, LEGAL))


@pytest.mark.parametrize("word", ["invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed"])
def test_a_bad_token_ends_no_watch_and_waits_for_the_operator(
    slack: FakeSlack, bot: SlackBotChannel, word: str
) -> None:
    slack.invalidates_token(word)
    error = refusal(bot)
    assert (error.gone, error.permanent, error.maybe_sent) == (False, False, False)
    assert f"{word}: mend slack.bot_token" in str(error)


def test_a_bad_token_is_tried_once_a_run_whichever_channel_waits(slack: FakeSlack, bot: SlackBotChannel) -> None:
    slack.invalidates_token()
    refusal(bot)
    assert not bot.reachable(LEGAL)
    assert "mend slack.bot_token" in str(refusal(bot, LEGAL))
    assert len(slack.requests) == 1
    slack.accepts()
    opened(slack).send(delivery())
    assert len(slack.messages) == 1


def test_without_a_token_nothing_is_asked_and_the_setting_is_named(slack: FakeSlack) -> None:
    bot = opened(slack, token="")
    error = refusal(bot)
    assert (error.gone, error.permanent) == (False, False)
    assert "slack.bot_token is not set" in str(error)
    assert not bot.reachable(NEWSROOM)
    assert slack.requests == []


def test_a_token_without_the_scope_says_which(slack: FakeSlack, bot: SlackBotChannel) -> None:
    slack.refuses("missing_scope")
    assert "chat:write" in str(refusal(bot))


def test_a_rate_limit_is_kept_with_its_seconds(slack: FakeSlack, bot: SlackBotChannel) -> None:
    slack.rate_limits(7, to=NEWSROOM)
    error = refusal(bot)
    assert (error.permanent, error.retry_after, error.maybe_sent) == (False, 7.0, False)
    bot.send(delivery(to=LEGAL))
    assert len(slack.requests) == 2  # the library did not try again


def test_blocks_that_slack_does_not_take_go_as_plain_text_at_once(
    slack: FakeSlack, bot: SlackBotChannel, caplog: pytest.LogCaptureFixture
) -> None:
    sent = delivery("300 new", "Florida")
    told = bot.send(sent).external_id
    slack.refuses("invalid_blocks", times=1)
    bot.send(replace(sent, parts_sent=1, external_id=told))
    detail = slack.messages[-1]
    assert (detail.payload["text"], detail.thread_ts) == ("*Florida*", told)
    assert "blocks" not in detail.payload
    assert "report this as a fault" in caplog.text


def test_what_slack_takes_in_no_form_is_given_up_after_both(slack: FakeSlack, bot: SlackBotChannel) -> None:
    slack.refuses("msg_too_long")
    error = refusal(bot)
    assert (error.permanent, error.gone) == (True, False)
    assert len(slack.requests) == 2


@pytest.mark.parametrize(("word", "maybe_sent"), [("internal_error", True), ("fatal_error", True), ("sleepy", False)])
def test_what_slack_says_for_the_moment_is_tried_again(
    slack: FakeSlack, bot: SlackBotChannel, word: str, maybe_sent: bool
) -> None:
    slack.refuses(word)
    error = refusal(bot)
    assert (error.permanent, error.gone, error.maybe_sent) == (False, False, maybe_sent)
    assert bot.reachable(NEWSROOM)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "<html>Please log in</html>"), (403, "<html>no</html>"), (200, '"ok"'), (200, "[]"), (503, "later")],
)
def test_what_answers_in_slacks_place_is_neither_success_nor_an_end(
    slack: FakeSlack, bot: SlackBotChannel, status: int, body: str
) -> None:
    slack.answers(status, body)
    error = refusal(bot)
    assert (error.permanent, error.gone) == (False, False)


@pytest.mark.parametrize("taken", [True, False])
def test_a_break_before_the_answer_may_have_been_after_the_message_was_taken(
    slack: FakeSlack, bot: SlackBotChannel, taken: bool
) -> None:
    slack.breaks_after_reading() if taken else slack.breaks_before_taking()
    error = refusal(bot)
    assert (error.permanent, error.maybe_sent) == (False, True)
    assert bot.reachable(LEGAL)
    assert len(slack.requests) == 1
    assert len(slack.messages) == taken


@pytest.mark.slow
def test_a_message_that_is_not_answered_in_time_may_have_been_taken(slack: FakeSlack) -> None:
    slack.is_slow(5)
    bot = opened(slack, timeout=1)
    error = refusal(bot)
    assert (error.permanent, error.maybe_sent) == (False, True)
    assert not bot.reachable(LEGAL)


def test_an_api_that_cannot_be_reached_is_asked_once_a_run() -> None:
    with FakeSlack() as gone:
        bot = opened(gone)
    error = refusal(bot)
    assert (error.permanent, error.maybe_sent) == (False, False)
    assert not bot.reachable(LEGAL)


def test_no_error_and_no_log_names_the_token(slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bot = opened(slack, token="xoxb-s3cret")
    said = str(refusal(bot))
    assert "s3cret" not in said + caplog.text
    assert "s3cret" not in repr(SlackSettings(bot_token=SecretStr("xoxb-s3cret")))


def test_no_proxy_is_asked_where_the_environment_says_so(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    opened(slack).send(delivery())
    assert len(slack.messages) == 1
