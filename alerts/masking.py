"""Pure: masks addresses for display. A mail address is personal, a webhook's URL is a secret."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from alerts.model import ChannelName
from alerts.sanitize import clean, shortened

_MAIL_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_LONGEST_REPLY = 200


def masked(channel: ChannelName, address: str) -> str:
    """Enough of an address to tell it from others: `r…@example.org`, `hooks.slack.com/services/T01/B02/…`, `C0123`."""
    if channel is ChannelName.EMAIL:
        return _masked_mail(address)
    if channel is ChannelName.SLACK_BOT:
        return address  # the id of a channel, useless without the token
    url = urlsplit(address)
    return f"{url.netloc.rpartition('@')[2]}{url.path.rpartition('/')[0]}/…"


def without_addresses(reply: str) -> str:
    """A server's reply, short and in one line, with the addresses in it masked."""
    reply = reply[: 5 * _LONGEST_REPLY]  # the search for mail addresses is quadratic in the worst case
    text = _URL.sub(lambda url: f"{_host(url[0])}/…", clean(reply))
    return shortened(_MAIL_ADDRESS.sub(lambda address: _masked_mail(address[0]), text), _LONGEST_REPLY)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets without an IPv6 address
        return ""


def _masked_mail(address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"
