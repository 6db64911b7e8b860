"""Pure: addresses as they may be shown. A mail address is personal, a webhook's URL is a secret."""

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
        return address  # the id of a channel, of no use to anybody without the token
    url = urlsplit(address)
    return f"{url.netloc.rpartition('@')[2]}{url.path.rpartition('/')[0]}/…"


def without_addresses(said: str) -> str:
    """What a server said, short and in one line, without the addresses that it repeats."""
    said = said[: 5 * _LONGEST_REPLY]  # a mail address is looked for from every place in it
    text = _URL.sub(lambda url: f"{_host(url[0])}/…", clean(said))
    return shortened(_MAIL_ADDRESS.sub(lambda address: _masked_mail(address[0]), text), _LONGEST_REPLY)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return ""


def _masked_mail(address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"
