"""Sends messages to Slack's incoming webhooks.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/. A webhook says nothing but "ok": it gives no
id by which to answer, so what comes in several parts, or corrects an earlier message, is posted one after the other.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from alerts.channels.slack_errors import SlackAnswer, answer, webhook_error
from alerts.masking import without_addresses
from alerts.messages.slack_parts import SlackPart, marked, parts_of, plain
from alerts.model import Accepted, Delivery
from monitor.errors import ChannelError

if TYPE_CHECKING:
    from monitor.settings import SlackSettings

_log = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=1)  # docs.slack.dev/apis/web-api/rate-limits
REPORT = "Please report this as a fault."
# urllib3 logs the URLs of requests, and a webhook's URL is a secret: its logs are off while we post.
_posting: ContextVar[bool] = ContextVar("posting", default=False)
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda record: not _posting.get())

_LONGEST_ANSWER = 64 * 1024  # bytes; Slack's have two
_HEADERS = {"Content-Type": "application/json", "User-Agent": "agreement-monitor"}
_NOTHING_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.LocationValueError,
)


class SlackChannel:
    """Posts each part once, on one connection for each host, and never retries; `delivery.sender` does that.

    slack-sdk's WebhookClient opens a connection for each message, and does not distinguish a message that was not sent
    from one that was not answered.
    """

    interval = INTERVAL

    def __init__(self, settings: SlackSettings) -> None:
        self._timeout = settings.timeout
        self._silent_hosts: set[str] = set()
        self._pools: dict[str, urllib3.PoolManager] = {}

    def send(self, delivery: Delivery) -> Accepted:
        """Post the next part of a message. Raises ChannelError, whose text names no address."""
        if not self.reachable(delivery.address):
            raise ChannelError("Slack could not be reached", permanent=False)
        parts = parts_of(delivery.message)
        number = delivery.parts_sent
        if number < len(parts):
            self._post_part(delivery, parts[number], number)
        return Accepted(more=number + 1 < len(parts))

    def reachable(self, address: str) -> bool:
        """False once the webhook's host has failed to answer."""
        return _host(address) not in self._silent_hosts

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.clear()

    def _post_part(self, delivery: Delivery, part: SlackPart, number: int) -> None:
        refusal = self._post(delivery.address, part.text, marked(part.blocks, delivery.message_id, number))
        if refusal and refusal.is_about_form:
            _log.warning("delivery %s: Slack answered %s; trying plain text. %s", delivery.id, refusal.word, REPORT)
            refusal = self._post(delivery.address, plain(part))
        if refusal:
            raise webhook_error(refusal)

    def _post(self, address: str, text: str, blocks: list[dict[str, Any]] | None = None) -> SlackAnswer | None:
        """Slack's answer if it did not accept the message, else None."""
        payload: dict[str, Any] = {"text": text, "unfurl_links": False, "unfurl_media": False}
        if blocks:
            payload["blocks"] = blocks
        status, body, headers = self._exchange(address, json.dumps(payload).encode())
        said = answer(status, body, headers)
        return None if said.is_taken else said

    def _exchange(self, address: str, payload: bytes) -> tuple[int, str, Mapping[str, str]]:
        """Status, body and headers of the answer. Raises ChannelError if there was none."""
        deadline = time.monotonic() + 2 * self._timeout
        quiet = _posting.set(True)
        try:
            response = self._pool(address).request(
                "POST",
                address,
                body=payload,
                headers=_HEADERS,
                timeout=self._timeout,
                retries=False,  # it would send again what may have arrived
                redirect=False,  # the URL is a secret, and a redirected POST loses its body
                preload_content=False,
            )
            body = b""
            for piece in response.stream(_LONGEST_ANSWER):
                body += piece
                if len(body) > _LONGEST_ANSWER or time.monotonic() > deadline:
                    response.close()
                    break
            return response.status, body.decode(errors="replace"), response.headers
        except urllib3.exceptions.HTTPError as exc:
            raise self._failure(address, exc) from exc
        finally:
            _posting.reset(quiet)

    def _pool(self, address: str) -> urllib3.PoolManager:
        """The connection pool for this address's host."""
        host = _host(address)
        if host not in self._pools:
            self._pools[host] = _pool_for(address)
        return self._pools[host]

    def _failure(self, address: str, exc: urllib3.exceptions.HTTPError) -> ChannelError:
        what = without_addresses(str(exc.__cause__ or exc))
        if isinstance(exc, _NOTHING_SENT):
            self._silent_hosts.add(_host(address))
            return ChannelError(f"Slack could not be reached: {what}", permanent=False)
        if isinstance(exc, urllib3.exceptions.ReadTimeoutError):
            self._silent_hosts.add(_host(address))
            return ChannelError("Slack did not answer in time", permanent=False, maybe_sent=True)
        return ChannelError(f"Slack broke off: {what}", permanent=False, maybe_sent=True)


def _pool_for(address: str) -> urllib3.PoolManager:
    """A connection pool, through the proxy that the environment names for this address's host, if any."""
    url = urlsplit(address)
    proxy = "" if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme, "")
    if not proxy:
        return urllib3.PoolManager()
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return urllib3.ProxyManager(
        parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
        proxy_headers=urllib3.make_headers(proxy_basic_auth=login),
    )


def _host(address: str) -> str:
    return urlsplit(address).netloc
