"""Checks the addresses of subscribers and of the operator, and splits the sender into name and address.

The checks raise ValueError, whose text says what is wrong and what to do.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from email.utils import parseaddr
from urllib.parse import urlsplit


def mail_address(text: str) -> str:
    """A mail address in its normal form. Raises ValueError if it is not valid; whether it exists is not checked."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

    # The documented way to allow these: an office's mail server may have `.local`, `.test` or `localhost`.
    SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        # Without DNS: `watch add` works offline, and the mail server will tell.
        valid = validate_email(text, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False)
    except EmailNotValidError as exc:
        raise ValueError(f"{text!r} is no mail address: {exc}") from exc
    return valid.ascii_email or valid.normalized


def webhook(text: str, hosts: Collection[str]) -> str:
    """The URL of a Slack incoming webhook: https, at one of `hosts`; plain http on this machine, if it is among them.

    Other hosts are refused, since the requests come from inside the operator's network.
    """
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        port = url.port
    except ValueError as exc:
        raise ValueError(f"this is no URL: {exc}") from exc
    if (
        not text.isascii()
        or any(not c.isprintable() or c.isspace() for c in text)
        or "@" in url.netloc
        or url.query
        or url.fragment
    ):
        raise ValueError("this is no webhook's URL; copy it from the page of your Slack app")
    if host not in hosts and f"{host}:{port}" not in hosts:
        raise ValueError(
            f"webhooks may lie at {', '.join(hosts)}, not at {host or 'an address without a host'};"
            " if that host is yours, add it to slack.hosts in the settings"
        )
    if url.scheme != "https" and not (url.scheme == "http" and _is_this_machine(host)):
        raise ValueError("a webhook's URL begins with https://")
    if len(url.path) < 2:
        raise ValueError("this is only the host of a webhook; copy the whole URL from the page of your Slack app")
    return text


def public_webhook(text: str, hosts: Collection[str]) -> str:
    """A webhook typed by a visitor of the pages: as `webhook`, and only at the ports given in `hosts`."""
    url = webhook(text, hosts)
    if urlsplit(url).netloc not in hosts:
        raise ValueError(f"webhooks may lie at {', '.join(hosts)}")
    return url


def slack_channel(text: str) -> str:
    """The id of a Slack channel: C… of a public one, C… or G… of a private one."""
    if re.fullmatch(r"[CG][A-Z0-9]{7,15}", text) is None:
        raise ValueError(
            f"{text!r} is no channel's id; it begins with C or G, and stands below the channel's details in Slack"
        )
    return text


def sender_address(sender: str) -> str:
    """The address in a sender such as `Agreement monitor <alerts@example.org>`."""
    return parseaddr(sender)[1]


def sender_domain(sender: str) -> str:
    """The domain of a sender: the end of our Message-IDs, and the name in our HELO."""
    return sender_address(sender).rpartition("@")[2] or "localhost"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
