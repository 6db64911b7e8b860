"""Slack on loopback: incoming webhooks, and as much of the Web API as an app that posts needs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from demo.loopback import Ending, LoopbackSite, Reply, Request
from demo.script import Script
from demo.slack_limits import read_payload, refusal

__all__ = ["FakeSlack", "SlackMessage"]

_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{4,}")


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message that Slack took: from whom (`path`), what, and when (UTC).

    `to` is the webhook's name or the channel's id. `ts` is what the Web API tells; a webhook is told nothing.
    """

    path: str
    payload: dict[str, Any]
    received_at: datetime
    to: str = ""
    ts: str = ""

    @property
    def thread_ts(self) -> str:
        """The message that it replies to; "" where it stands in the channel itself."""
        return str(self.payload.get("thread_ts", ""))


class FakeSlack(LoopbackSite):
    """Webhooks and a Web API that answer as Slack's do, and refuse what Slack refuses.

    `slack.messages` holds what was taken, `slack.requests` every attempt. What goes wrong goes on
    until `accepts()`, unless `times` says how often; `to` limits it to one webhook or channel.
    Every webhook's name and every channel's id has a channel, until a verb says otherwise.

    The answers: docs.slack.dev, "Handling errors" of incoming webhooks (400 invalid_payload, 403
    action_prohibited, 404 channel_not_found, 410 channel_is_archived, 500 rollup_error), and 404
    no_service for a webhook that was removed; and the errors of chat.postMessage, which come with 200.
    """

    bot_token = "xoxb-demo"

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[SlackMessage] = []
        self._script: Script[Reply] = Script()
        self._words: dict[str | None, str] = {}  # why a webhook, a channel or (None) the token is refused
        self._ticks = 0

    @property
    def api_url(self) -> str:
        """The address of the Web API."""
        return f"http://{self.netloc}/api/"

    def webhook_url(self, name: str) -> str:
        """The address of a webhook; every name has one."""
        return f"http://{self.netloc}{_path(name)}"

    # --- what is to happen ---------------------------------------------------------------------------------

    def accepts(self) -> None:
        """Take every message that Slack would take: forget what was to go wrong."""
        self._script.forget()
        self._words.clear()

    def answers(self, status: int, body: str, times: int | None = None, to: str | None = None) -> None:
        """Answer the next posts so, and take none of them."""
        self._script.tell(to, _plain(status, body), times=times)

    def redirects(self, target: str, to: str | None = None) -> None:
        """Send the next posts on to another address, and take none of them."""
        self._script.tell(to, Reply(307, headers={"Location": target}))

    def refuses(self, word: str, times: int | None = None, to: str | None = None) -> None:
        """Refuse the next messages over the Web API with this word, and take none of them."""
        self._script.tell(to, _refused(word), times=times)

    def rate_limits(self, seconds: int, times: int | None = 1, to: str | None = None) -> None:
        """Ask the next posts to come again in so many seconds, and take none of them."""
        # prometheus/alertmanager#2111 has the body; the header is the documented part.
        body = json.dumps({"retry_after": seconds, "ok": False, "error": "rate_limited"})
        headers = {"Content-Type": "application/json", "Retry-After": str(seconds)}
        self._script.tell(to, Reply(429, body.encode(), headers), times=times)

    def answers_without_end(self, status: int, times: int | None = 1, to: str | None = None) -> None:
        """Answer the next posts with something that never ends, and take none of them."""
        self._script.tell(to, Reply(status, b"\0", ending=Ending.NEVER), times=times)

    def breaks_before_taking(self, times: int | None = 1, to: str | None = None) -> None:
        """Read the next messages and hang up, without having taken them."""
        self._script.tell(to, Reply(HTTPStatus.SERVICE_UNAVAILABLE, ending=Ending.UNSAID), times=times)

    def breaks_after_reading(self, times: int | None = 1, to: str | None = None) -> None:
        """Take the next messages and hang up before saying so."""
        self._script.tell(to, Reply(HTTPStatus.OK, ending=Ending.UNSAID), times=times)

    def breaks_while_answering(self, times: int | None = 1, to: str | None = None) -> None:
        """Take the next messages and hang up in the middle of saying so."""
        self._script.tell(to, Reply(HTTPStatus.OK, ending=Ending.BREAKS_OFF), times=times)

    def is_slow(self, seconds: float, times: int | None = 1, to: str | None = None) -> None:
        """Take the next messages, and say so only after so many seconds."""
        self._script.tell(to, Reply(HTTPStatus.OK, delay=seconds), times=times)

    def archives(self, to: str) -> None:
        """Somebody archives the channel of a webhook, or the channel with this id."""
        self._words[to] = "is_archived" if _CHANNEL_ID.fullmatch(to) else "channel_is_archived"

    def revokes(self, webhook: str) -> None:
        """Somebody removes a webhook."""
        self._words[webhook] = "no_service"

    def uninvites(self, channel: str) -> None:
        """Somebody removes the app from a channel."""
        self._words[channel] = "not_in_channel"

    def invalidates_token(self, word: str = "invalid_auth") -> None:
        """The bot's token is good no longer, whatever it is asked for."""
        self._words[None] = word

    def deletes(self, ts: str) -> None:
        """Somebody deletes a message; nobody can reply to it any more."""
        self.messages[:] = [message for message in self.messages if message.ts != ts]

    # --- what happened -------------------------------------------------------------------------------------

    def messages_to(self, to: str) -> list[SlackMessage]:
        """What a webhook or channel got, in order."""
        return [message for message in self.messages if message.to == to]

    def most_within(self, seconds: float, to: str) -> int:
        """The most messages that a webhook or channel got within any so many seconds."""
        times = [message.received_at for message in self.messages_to(to)]
        span = timedelta(seconds=seconds)
        return max((sum(at <= other < at + span for other in times) for at in times), default=0)

    # --- the answers ---------------------------------------------------------------------------------------

    def reply(self, request: Request) -> Reply:
        """Decide the answer to `request`, as Slack would unless told otherwise."""
        hook = re.fullmatch(r"/services/(.+)/B/x", request.path)
        if request.method == "POST" and hook:
            return self._webhook(request, hook[1])
        if request.method == "POST" and request.path.startswith("/api/"):
            return self._api(request, request.path.removeprefix("/api/"))
        return _plain(404, "no_service")

    def _webhook(self, request: Request, name: str) -> Reply:
        act = self._script.next(name, None)
        if act is not None and not _takes(act):
            return act
        if word := self._words.get(name):
            return _plain(410 if word == "channel_is_archived" else 404, word)
        payload = read_payload(request.headers.get("Content-Type", ""), request.body)
        if payload is None:
            return _plain(400, "invalid_payload")
        if word := refusal(payload):
            return _plain(400, word)
        self._take(request.path, name, payload)
        return _with(act, _plain(200, "ok"))

    def _api(self, request: Request, method: str) -> Reply:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not given:
            return _refused("not_authed")
        if given != self.bot_token:
            return _refused("invalid_auth")
        if None in self._words:
            return _refused(self._words[None])
        if method == "auth.test":
            return _said(ok=True, team="Demo", team_id="T0000", user="agreement-monitor", bot_id="B0000")
        payload = read_payload(request.headers.get("Content-Type", ""), request.body)
        if payload is None:
            return _refused("invalid_json")
        match method:
            case "chat.postMessage":
                return self._post(request, payload)
            case "chat.update":
                return self._update(payload)
        return _refused("unknown_method")

    def _post(self, request: Request, payload: dict[str, Any]) -> Reply:
        channel = str(payload.get("channel", ""))
        act = self._script.next(channel, None)
        if act is not None and not _takes(act):
            return act
        if not _CHANNEL_ID.fullmatch(channel):
            return _refused("channel_not_found")
        if word := self._words.get(channel) or refusal(payload):
            return _refused(word)
        thread = payload.get("thread_ts")
        if thread is not None and not self._stands(channel, str(thread)):
            return _refused("thread_not_found")
        message = self._take(request.path, channel, payload)
        shown = {"type": "message", "ts": message.ts, "text": payload["text"], "bot_id": "B0000"}
        if thread is not None:
            shown["thread_ts"] = thread
        return _with(act, _said(ok=True, channel=channel, ts=message.ts, message=shown))

    def _update(self, payload: dict[str, Any]) -> Reply:
        for number, message in enumerate(self.messages):
            if (message.to, message.ts) == (payload.get("channel"), payload.get("ts")):
                if word := refusal(payload):
                    return _refused(word)
                self.messages[number] = replace(message, payload=message.payload | payload)
                return _said(ok=True, channel=message.to, ts=message.ts, text=payload["text"])
        return _refused("message_not_found")

    def _take(self, path: str, to: str, payload: dict[str, Any]) -> SlackMessage:
        now = datetime.now(UTC)
        self._ticks += 1
        ts = f"{int(now.timestamp())}.{self._ticks:06}" if _CHANNEL_ID.fullmatch(to) else ""
        self.messages.append(SlackMessage(path, payload, now, to, ts))
        return self.messages[-1]

    def _stands(self, channel: str, ts: str) -> bool:
        """Whether this message can be replied to: it is in the channel, and no reply itself."""
        return any((m.to, m.ts, m.thread_ts) == (channel, ts, "") for m in self.messages)


def _takes(act: Reply) -> bool:
    """Whether the message is taken, and the act says only how the answer goes out."""
    return act.status == HTTPStatus.OK and not act.body


def _with(act: Reply | None, answer: Reply) -> Reply:
    """The answer, ending or delayed as an act says."""
    return answer if act is None else replace(answer, ending=act.ending, delay=act.delay)


def _path(name: str) -> str:
    return f"/services/{name}/B/x"


def _plain(status: int, body: str) -> Reply:
    return Reply(status, body.encode(), {"Content-Type": "text/html"})


def _refused(word: str) -> Reply:
    return _said(ok=False, error=word)


def _said(**content: Any) -> Reply:
    return Reply(200, json.dumps(content).encode(), {"Content-Type": "application/json; charset=utf-8"})
