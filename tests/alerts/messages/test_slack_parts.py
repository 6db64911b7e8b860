"""A Slack message as it is stored, and as it was stored before it had parts."""

from __future__ import annotations

import json

from alerts.messages.slack_parts import SlackPart, marked, packed, parts_of, plain
from alerts.model import Message

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*new*"}}
FOOTER = {"type": "context", "elements": [{"type": "mrkdwn", "text": "one"}, {"type": "mrkdwn", "text": "two"}]}


def test_what_is_packed_comes_out_again() -> None:
    parts = (SlackPart("2 new", [SECTION, FOOTER]), SlackPart("Texas", [SECTION]))
    message = packed(parts)
    assert (message.subject, message.text) == ("", "2 new")
    assert parts_of(message) == parts


def test_a_message_stored_as_a_list_of_blocks_is_one_part() -> None:
    assert parts_of(Message("", "1 new", blocks=json.dumps([SECTION]))) == (SlackPart("1 new", [SECTION]),)


def test_a_message_without_blocks_is_one_part() -> None:
    assert parts_of(Message("", "a test", blocks="")) == (SlackPart("a test", []),)
    assert parts_of(Message("", "a test", blocks="[]")) == (SlackPart("a test", []),)


def test_marking_leaves_the_blocks_as_they_are() -> None:
    assert marked([SECTION, FOOTER], "d-1", 0) == [{**SECTION, "block_id": "d-1"}, FOOTER]
    assert marked([SECTION, FOOTER], "d-1", 2) == [{**SECTION, "block_id": "d-1.2"}, FOOTER]
    assert "block_id" not in SECTION


def test_the_plain_text_says_all_that_the_blocks_say() -> None:
    assert plain(SlackPart("1 new", [SECTION, FOOTER])) == "*new*\n\none\n\ntwo"
    assert plain(SlackPart("a test", [])) == "a test"
