"""What may stand as an address of a subscriber."""

from __future__ import annotations

import pytest

from alerts.addresses import mail_address, sender_domain, webhook

SLACK = ("hooks.slack.com", "hooks.slack-gov.com")
HERE = ("127.0.0.1",)


@pytest.mark.parametrize(
    "text",
    ["reader@example.org", "first.last+287g@county.example.org", "desk@newsroom.local", "me@localhost", "a@b.test"],
)
def test_a_mail_address_is_taken(text: str) -> None:
    assert mail_address(text) == text


@pytest.mark.parametrize(
    "text", ["reader", "reader@", "a@b@c", "reader@example.org\r\nBcc: x@y.org", "rëader@example.org"]
)
def test_what_is_no_mail_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no mail address"):
        mail_address(text)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("https://hooks.slack.com/services/T1/B1/x", SLACK),
        ("https://hooks.slack-gov.com/services/T1/B1/x", SLACK),
        ("http://127.0.0.1:8080/services/T1/B1/x", HERE),
        ("http://127.0.0.1:8080/services/T1/B1/x", ("127.0.0.1:8080",)),
        ("https://relay.example.org/services/x", ("relay.example.org",)),
    ],
)
def test_a_webhook_at_a_host_of_the_settings_is_taken(text: str, hosts: tuple[str, ...]) -> None:
    assert webhook(text, hosts) == text


@pytest.mark.parametrize(
    ("text", "hosts", "why"),
    [
        ("https://evil.example/services/T1/B1/x", SLACK, "not at evil.example"),
        ("https://hooks.slack.com.evil.example/services/x", SLACK, "not at hooks.slack.com.evil.example"),
        ("https://hooks.slack.com@evil.example/services/x", SLACK, "no webhook's URL"),
        ("https://user@hooks.slack.com/services/x", SLACK, "no webhook's URL"),
        ("http://hooks.slack.com/services/T1/B1/x", SLACK, "begins with https"),
        ("http://127.0.0.1:8080/services/x", SLACK, "not at 127.0.0.1"),
        ("http://relay.example.org/services/x", ("relay.example.org",), "begins with https"),
        ("https://hooks.slack.com", SLACK, "only the host"),
        ("https://hooks.slack.com/services/…", SLACK, "no webhook's URL"),  # copied from the README
        ("https://hooks.slack.com/services/x?to=y", SLACK, "no webhook's URL"),
        ("https://hooks.slack.com/serv ices/x", SLACK, "no webhook's URL"),
        ("https://[hooks.slack.com/services/x", SLACK, "no URL"),
        ("#general", SLACK, "no webhook's URL"),
        ("general", SLACK, "without a host"),
    ],
)
def test_any_other_webhook_is_refused_with_the_reason(text: str, hosts: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        webhook(text, hosts)


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("alerts@example.org", "example.org"),
        ("Agreement monitor <alerts@example.org>", "example.org"),
        ("agreement-monitor@localhost", "localhost"),
    ],
)
def test_the_domain_of_a_sender_is_read(sender: str, domain: str) -> None:
    assert sender_domain(sender) == domain
