"""Addresses as they may be shown."""

from __future__ import annotations

import pytest

from alerts.masking import masked, without_addresses
from alerts.model import ChannelName


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        (ChannelName.EMAIL, "reader@example.org", "r…@example.org"),
        (ChannelName.EMAIL, "r@example.org", "r…@example.org"),
        (ChannelName.SLACK, "https://hooks.slack.com/services/T01/B02/s3cret", "hooks.slack.com/services/T01/B02/…"),
        (ChannelName.SLACK_BOT, "C0NEWSROOM", "C0NEWSROOM"),
        (ChannelName.SLACK, "http://127.0.0.1:8080/services/T1/B/x", "127.0.0.1:8080/services/T1/B/…"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(channel: ChannelName, address: str, shown: str) -> None:
    assert masked(channel, address) == shown


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("5.1.1 <reader@example.org>: no such user", "5.1.1 <r…@example.org>: no such user"),
        ("see https://hooks.slack.com/services/T01/B02/s3cret now", "see hooks.slack.com/… now"),
        ("line one\r\nline two\x00", "line one line two"),
    ],
)
def test_what_a_server_says_is_kept_without_addresses(said: str, kept: str) -> None:
    assert without_addresses(said) == kept


def test_what_a_server_says_is_kept_short() -> None:
    assert len(without_addresses("x" * 10_000)) == 200
