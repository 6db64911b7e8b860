"""Hands messages to Slack's incoming webhooks.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/, with what it says on handling errors.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from slack_sdk.webhook import WebhookClient

from alerts.masking import without_addresses
from alerts.model import Delivery, Taken
from monitor.errors import ChannelError

if TYPE_CHECKING:
    from monitor.config import SlackSettings

# What Slack answers → what that means to a person.
_MEANS = {
    "action_prohibited": "the workspace does not allow it; ask an administrator of the workspace",
    "channel_is_archived": "the Slack channel is archived; remove this watch or add one for another channel",
    "channel_not_found": "the Slack channel is gone; remove this watch or add one for another channel",
    "invalid_blocks": "Slack does not take the message as it is; please report this as a fault",
    "invalid_payload": "Slack does not take the message as it is; please report this as a fault",
    "invalid_token": "the webhook is no longer valid; make a new one and add a watch for it",
    "no_service": "the webhook was removed or switched off; make a new one and add a watch for it",
    "no_text": "Slack does not take the message as it is; please report this as a fault",
    "team_disabled": "the workspace is closed; remove this watch",
    "user_not_found": "whoever made the webhook has left; make a new one and add a watch for it",
}
_TRY_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class SlackChannel:
    """Posts each message once; trying again is up to the deliveries, which remember."""

    def __init__(self, settings: SlackSettings) -> None:
        self._timeout = math.ceil(settings.timeout)
        self._silent_hosts: set[str] = set()
        # The library logs addresses, which are secrets, and what goes wrong is said in our own words.
        self._log = logging.getLogger("alerts.slack.sdk")
        self._log.setLevel(logging.CRITICAL + 1)

    interval = timedelta(seconds=1)  # docs.slack.dev/apis/web-api/rate-limits

    def send(self, delivery: Delivery) -> Taken:
        """Post a message. Raises ChannelError, whose text names no address."""
        if not self.reachable(delivery.address):
            raise ChannelError("Slack could not be reached", permanent=False)
        client = WebhookClient(
            delivery.address,
            timeout=self._timeout,
            logger=self._log,
            retry_handlers=[],  # its own would send again what may have arrived
        )
        if proxy_bypass(urlsplit(delivery.address).hostname or ""):
            client.proxy = None  # it reads HTTPS_PROXY, and not NO_PROXY
        message = delivery.message
        blocks = json.loads(message.blocks)
        if blocks:
            blocks[0]["block_id"] = delivery.message_id
        try:
            answer = client.send(text=message.text, blocks=blocks, unfurl_links=False, unfurl_media=False)
        except (TimeoutError, URLError) as exc:
            self._silent_hosts.add(_host(delivery.address))
            why = without_addresses(str(getattr(exc, "reason", exc)))
            raise ChannelError(f"Slack could not be reached: {why}", permanent=False) from exc
        except (OSError, HTTPException, UnicodeDecodeError) as exc:
            what = f"{type(exc).__name__} {without_addresses(str(exc))}".strip()
            raise ChannelError(f"Slack broke off: {what}", permanent=False) from exc
        _judge(answer.status_code, answer.body, answer.headers)
        return Taken()

    def reachable(self, address: str) -> bool:
        """Whether the webhook's host has answered so far."""
        return _host(address) not in self._silent_hosts

    def close(self) -> None:
        """Nothing is kept open."""


def _judge(status: int, body: str, headers: Mapping[str, str]) -> None:
    """Raises ChannelError unless Slack took the message."""
    said = body.strip()
    if status == HTTPStatus.OK:
        if said.startswith("<"):
            # A proxy's log-in page, say: Slack answers "ok".
            raise ChannelError("a web page answered instead of Slack", permanent=False)
        return
    word = _word(said)
    what = f"Slack answered {status}" + (f" {word}" if word else "")
    if word in _MEANS:
        what += f": {_MEANS[word]}"
    temporary = status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise ChannelError(what, permanent=not temporary, retry_after=_retry_after(headers))


def _word(said: str) -> str:
    """The word that tells what is wrong: the body itself, or `error` in it; "" where it is something else."""
    with suppress(ValueError, TypeError, LookupError):
        said = str(json.loads(said)["error"])
    return said if len(said) <= 60 and said.replace("_", "").isalnum() and said.isascii() else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Slack asks to wait (docs.slack.dev/apis/web-api/rate-limits)."""
    for name, value in headers.items():
        if name.lower() == "retry-after" and value.strip().isdecimal():
            return float(value)
    return None


def _host(address: str) -> str:
    return urlsplit(address).netloc
