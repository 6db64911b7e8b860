"""200 Slack webhooks: the channel beside a bare keep-alive loop and slack-sdk's client, counted at the sink.

The sink is a process of its own that answers "ok", over plain HTTP; the three post the same messages in turn, and the
median of the rounds counts. At the sink no message may be missing. A connection a message, as of slack-sdk's client,
costs next to nothing here; to Slack itself each one takes three journeys more, for TCP and TLS.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import requests
from slack_sdk.webhook import WebhookClient

from alerts.channels.slack_webhook import SlackChannel
from alerts.messages.slack_parts import SlackPart, marked, packed, parts_of
from alerts.model import ChannelName, Delivery
from bench.measure import Figure, medians
from demo.loopback import LoopbackSite, Reply, Request
from monitor.settings import SlackSettings

WEBHOOKS = 200
_ROUNDS = 7
_NOW = datetime(2026, 3, 3, 17, tzinfo=UTC)


class _Sink(LoopbackSite):
    """Answers "ok" to each post, and to a GET how many there were."""

    def __init__(self) -> None:
        super().__init__()
        self._posts = count()
        self._posted = 0

    def reply(self, request: Request) -> Reply:
        self.requests.clear()
        if request.method == "POST":
            self._posted = next(self._posts) + 1
            return Reply(200, b"ok", {"Content-Type": "text/html"})
        return Reply(200, str(self._posted).encode())


def figures() -> Iterator[Figure]:
    """Messages a second, and the ratios."""
    with _sink() as url:
        addresses = [f"{url}services/T{number}/B/x" for number in range(WEBHOOKS)]
        deliveries = [_delivery(address) for address in addresses]
        bodies = [_body(delivery) for delivery in deliveries]

        def ours() -> None:
            with closing(SlackChannel(SlackSettings())) as channel:
                for delivery in deliveries:
                    channel.send(delivery)

        def bare() -> None:
            with requests.Session() as session:
                for address, body in zip(addresses, bodies, strict=True):
                    headers = {"Content-Type": "application/json"}
                    session.post(address, data=body, headers=headers, timeout=30).raise_for_status()

        def sdk() -> None:
            for address, body in zip(addresses, bodies, strict=True):
                WebhookClient(address, retry_handlers=[]).send_dict(json.loads(body))

        taken = medians(_ROUNDS, ours, bare, sdk)
        expected = _ROUNDS * 3 * WEBHOOKS
        arrived = int(requests.get(url, timeout=30).text)
    channel_rate, bare_rate, sdk_rate = (WEBHOOKS / seconds for seconds in taken)
    size = sum(map(len, bodies)) / len(bodies)
    yield Figure(
        f"one message of {size:,.0f} bytes to each of {WEBHOOKS} webhooks, by the channel", _rate(channel_rate)
    )
    yield Figure("the same bodies, by a bare loop over requests.Session", _rate(bare_rate))
    yield Figure("the same bodies, by slack-sdk's WebhookClient", _rate(sdk_rate))
    yield Figure("channel : bare loop", f"{channel_rate / bare_rate:.2f}", ">= 0.70")
    yield Figure("channel : WebhookClient", f"{channel_rate / sdk_rate:.2f}")
    yield Figure("messages at the sink, of those sent", f"{arrived:,} of {expected:,}", "all")


def _delivery(address: str) -> Delivery:
    line = "• *<https://monitor.example.org/agreements/a-bhknzgd62xeh|Larkmere County Sheriff’s Office>* – Task Force"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": line, "verbatim": True}} for _ in range(10)]
    message = packed([SlackPart("287(g) in Texas: 10 new", blocks)])
    until = _NOW + timedelta(hours=72)
    return Delivery("d-1", ChannelName.SLACK, address, message, "d-1", _NOW, until, 1, "bench")


def _body(delivery: Delivery) -> bytes:
    """What the channel posts."""
    [part] = parts_of(delivery.message)
    payload = {"text": part.text, "unfurl_links": False, "unfurl_media": False}
    return json.dumps(payload | {"blocks": marked(part.blocks, delivery.message_id, 0)}).encode()


def _rate(messages: float) -> str:
    return f"{messages:,.0f} / s"


@contextmanager
def _sink() -> Iterator[str]:
    """The address of a sink in a process of its own."""
    command = [sys.executable, "-m", "bench.slack"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


if __name__ == "__main__":
    with _Sink() as sink:
        print(f"http://{sink.netloc}/", flush=True)
        sys.stdin.read()
