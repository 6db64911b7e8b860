"""Hands messages to Slack's incoming webhooks.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/. A webhook says nothing but "ok": it gives no
id by which to answer, so what comes in several parts, or corrects an earlier message, is posted one after the other.
"""

from __future__ import annotations

import json
import logging
import time
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3

from alerts.masking import without_addresses
from alerts.model import Delivery, Taken
from alerts.parts import Part, marked, parts_of, plain
from alerts.slack_answers import Answer, answer, webhook_error
from monitor.errors import ChannelError

if TYPE_CHECKING:
    from monitor.config import SlackSettings

_log = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=1)  # docs.slack.dev/apis/web-api/rate-limits
REPORT = "Please report this as a fault."
# urllib3 logs what is asked of whom, and a webhook's URL is a secret: nothing of it while one is being posted to.
_posting: ContextVar[bool] = ContextVar("posting", default=False)
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda record: not _posting.get())

_LONGEST_ANSWER = 64 * 1024  # bytes; Slack's have two


class SlackChannel:
    """Posts each part once, on one kept connection a host; trying again is up to the deliveries, which remember.

    slack-sdk's own client of webhooks opens a connection a message: TLS to Slack takes longer than the message.
    """

    interval = INTERVAL

    def __init__(self, settings: SlackSettings) -> None:
        self._timeout = settings.timeout
        self._silent_hosts: set[str] = set()
        self._session = requests.Session()  # urllib3's retries are off in it
        self._session.headers["User-Agent"] = "agreement-monitor"

    def send(self, delivery: Delivery) -> Taken:
        """Post the next part of a message. Raises ChannelError, whose text names no address."""
        if not self.reachable(delivery.address):
            raise ChannelError("Slack could not be reached", permanent=False)
        parts = parts_of(delivery.message)
        number = delivery.parts_sent
        if number < len(parts):
            self._post_part(delivery, parts[number], number)
        return Taken(more=number + 1 < len(parts))

    def reachable(self, address: str) -> bool:
        """Whether the webhook's host has answered so far."""
        return _host(address) not in self._silent_hosts

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _post_part(self, delivery: Delivery, part: Part, number: int) -> None:
        refusal = self._post(delivery.address, part.text, marked(part.blocks, delivery.message_id, number))
        if refusal and refusal.is_about_form:
            _log.warning("delivery %s: Slack answered %s; trying plain text. %s", delivery.id, refusal.word, REPORT)
            refusal = self._post(delivery.address, plain(part))
        if refusal:
            raise webhook_error(refusal)

    def _post(self, address: str, text: str, blocks: list[dict[str, Any]] | None = None) -> Answer | None:
        """What Slack answered unless it took the message; None where it did."""
        payload: dict[str, Any] = {"text": text, "unfurl_links": False, "unfurl_media": False}
        if blocks:
            payload["blocks"] = blocks
        status, body, headers = self._exchange(address, json.dumps(payload).encode())
        said = answer(status, body, headers)
        return said if status != requests.codes.ok or said.is_page else None

    def _exchange(self, address: str, payload: bytes) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of the answer. Raises ChannelError where none came."""
        deadline = time.monotonic() + 2 * self._timeout
        quiet = _posting.set(True)
        try:
            with self._session.post(
                address,
                data=payload,
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,  # the address is a secret, and a redirected POST loses its body
                stream=True,
            ) as response:
                body = b""
                for piece in response.iter_content(_LONGEST_ANSWER):
                    body += piece
                    if len(body) > _LONGEST_ANSWER or time.monotonic() > deadline:
                        break
                return response.status_code, body.decode(errors="replace"), dict(response.headers)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            raise self._failure(address, exc) from exc
        finally:
            _posting.reset(quiet)

    def _failure(self, address: str, exc: Exception) -> ChannelError:
        cause = exc.args[0] if exc.args else exc
        what = without_addresses(str(getattr(cause, "reason", cause)))
        if isinstance(exc, requests.ConnectTimeout) or isinstance(cause, urllib3.exceptions.MaxRetryError):
            # No connection came about: nothing was sent.
            self._silent_hosts.add(_host(address))
            return ChannelError(f"Slack could not be reached: {what}", permanent=False)
        if isinstance(exc, requests.Timeout):
            self._silent_hosts.add(_host(address))
            return ChannelError("Slack did not answer in time", permanent=False, maybe_sent=True)
        return ChannelError(f"Slack broke off: {what}", permanent=False, maybe_sent=True)


def _host(address: str) -> str:
    return urlsplit(address).netloc
