"""Slack's incoming webhooks, on loopback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from demo.loopback import Ending, LoopbackSite, Reply, Request
from demo.script import Script
from demo.slack_limits import read_payload, refusal

__all__ = ["FakeSlack", "SlackMessage"]


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message that Slack took: to which webhook (`path`), what, and when (UTC)."""

    path: str
    payload: dict[str, Any]
    received_at: datetime


class FakeSlack(LoopbackSite):
    """Incoming webhooks that answer as Slack's do, and refuse what Slack refuses.

    `slack.messages` holds what was taken, `slack.requests` every attempt. What goes wrong goes on
    until `accepts()`, unless `times` says how often; `to` limits it to one webhook.

    The answers: docs.slack.dev, "Handling errors" of incoming webhooks (400 invalid_payload, 403
    action_prohibited, 404 channel_not_found, 410 channel_is_archived, 500 rollup_error), and 404
    no_service for a webhook that was removed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[SlackMessage] = []
        self._script: Script[Reply] = Script()

    def webhook_url(self, name: str) -> str:
        """The address of a webhook; every name has one."""
        return f"http://{self.netloc}{_path(name)}"

    def accepts(self) -> None:
        """Take every message that Slack would take: forget what was to go wrong."""
        self._script.forget()

    def answers(self, status: int, body: str, times: int | None = None, to: str | None = None) -> None:
        """Answer the next posts so, and take none of them."""
        self._tell(_plain(status, body), times, to)

    def rate_limits(self, seconds: int, times: int | None = 1, to: str | None = None) -> None:
        """Ask the next posts to come again in so many seconds, and take none of them."""
        # prometheus/alertmanager#2111 has the body; the header is the documented part.
        body = json.dumps({"retry_after": seconds, "ok": False, "error": "rate_limited"})
        headers = {"Content-Type": "application/json", "Retry-After": str(seconds)}
        self._tell(Reply(429, body.encode(), headers), times, to)

    def breaks_after_reading(self, times: int | None = 1, to: str | None = None) -> None:
        """Take the next messages and hang up before saying so."""
        self._tell(Reply(200, ending=Ending.UNSAID), times, to)

    def reply(self, request: Request) -> Reply:
        """Decide the answer to `request`, as Slack would unless told otherwise."""
        if request.method != "POST" or not request.path.startswith("/services/"):
            return _plain(404, "no_service")
        act = self._script.next(request.path, None)
        if act is not None and act.ending is not Ending.UNSAID:
            return act
        payload = read_payload(request.headers.get("Content-Type", ""), request.body)
        if payload is None:
            return _plain(400, "invalid_payload")
        word = refusal(payload)
        if word is not None:
            return _plain(400, word)
        self.messages.append(SlackMessage(request.path, payload, datetime.now(UTC)))
        return act or _plain(200, "ok")

    def _tell(self, act: Reply, times: int | None, to: str | None) -> None:
        self._script.tell(None if to is None else _path(to), act, times=times)


def _path(name: str) -> str:
    return f"/services/{name}/B/x"


def _plain(status: int, body: str) -> Reply:
    return Reply(status, body.encode(), {"Content-Type": "text/html"})
