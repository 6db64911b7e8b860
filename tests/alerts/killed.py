"""Tells subscribers, and kills itself: `python -m tests.alerts.killed HOW STATE PORT API SIDE NUMBER`.

HOW is one of `WAYS`: ours, or one of the two that everybody writes first, which lose messages. The servers listen on
127.0.0.1: mail at PORT, Slack's Web API at the address API, webhooks where the subscribers' addresses say. SIDE is
`commit`, just before the NUMBER-th transaction is committed; `send` or `reply`, before the NUMBER-th message is handed
over or once its reply was read. A NUMBER of 0 is never reached: then it prints how many of both there were.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from alerts.channels.registry import open_channel
from alerts.delivery import operator
from alerts.delivery.digests import make_digests
from alerts.delivery.run import deliver, route
from alerts.delivery.sender import Clock
from alerts.model import Accepted, Channel, ChannelName, Delivery
from alerts.storage.store import AlertStore, open_alerts
from demo.slack import FakeSlack
from monitor.settings import DeliverySettings, MailSettings, OperatorSettings, Settings, SlackSettings
from tests.alerts.builders import NOON, settings

SENDER = "Agreement monitor <alerts@monitor.example.org>"
OPERATOR = "operator@example.org"

Opener = Callable[[ChannelName], Channel]
Way = Callable[[AlertStore, Opener, Settings, datetime], None]


def configured(state: Path, port: int, api_url: str = "", *, acknowledge_every: int = 1) -> Settings:
    """Settings whose mail and messages go to servers on this machine."""
    slack = {"bot_token": SecretStr(FakeSlack.bot_token), "api_url": api_url} if api_url else {}
    return settings(
        state,
        mail=MailSettings(host="127.0.0.1", port=port, sender=SENDER, timeout=5),
        delivery=DeliverySettings(acknowledge_every=acknowledge_every),
        operator=OperatorSettings(email=OPERATOR),
        slack=SlackSettings(hosts=("127.0.0.1",), timeout=5, **slack),  # type: ignore[arg-type]  # by name
    )


def ours(alerts: AlertStore, opener: Opener, settings: Settings, now: datetime) -> None:
    """As `tell` does it, but by a clock of its own: a run has the same commits each time, and waits for nothing."""
    passed = 0.0

    def ticks() -> float:
        nonlocal passed
        passed += 0.001
        return passed

    def skip(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    route(alerts, settings, now)
    make_digests(alerts, settings, now)
    operator.report(alerts, settings, now)
    deliver(alerts, opener, settings, now, Clock(now, ticks, skip))


def mark_before_send(alerts: AlertStore, opener: Opener, settings: Settings, now: datetime) -> None:
    """Never twice: what is about to be sent is marked as sent."""
    route(alerts, settings, now)
    make_digests(alerts, settings, now)
    for name in alerts.outbox.waiting_channels():
        channel = opener(name)
        for due in alerts.outbox.due(name, now):
            with alerts.write():
                delivery = alerts.outbox.lease(due, "me", now, now)
                assert delivery
                alerts.state.run(
                    "UPDATE deliveries SET state = 'sent', sent_at = '', lease_token = NULL, lease_until = NULL"
                    " WHERE id = ?",
                    due.number,
                )
            channel.send(delivery)
        channel.close()


def checkpoint_at_fetch(alerts: AlertStore, opener: Opener, settings: Settings, now: datetime) -> None:
    """The position moves on when the log is read, and what was read is sent from memory."""
    with alerts.write():
        route(_Nested(alerts), settings, now)
        make_digests(_Nested(alerts), settings, now)
        sending = []
        for name in alerts.outbox.waiting_channels():
            sending += [alerts.outbox.lease(due, "me", now, now) for due in alerts.outbox.due(name, now)]
        alerts.state.run("UPDATE digests SET delivery = NULL")
        alerts.state.run("DELETE FROM delivery_entries")
        alerts.state.run("DELETE FROM deliveries")
    for delivery in sending:
        assert delivery
        channel = opener(delivery.channel)
        channel.send(delivery)
        channel.close()


class _Nested(AlertStore):
    """Writes in the transaction that is open already."""

    def __init__(self, alerts: AlertStore) -> None:
        super().__init__(alerts.state)

    def write(self) -> Already:
        return Already()


class Already:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


WAYS: dict[str, Way] = {
    "ours": ours,
    "ours in tens": ours,
    "mark before send": mark_before_send,
    "checkpoint at fetch": checkpoint_at_fetch,
}


def settings_of(how: str, state: Path, port: int, api_url: str) -> Settings:
    return configured(state, port, api_url, acknowledge_every=10 if how == "ours in tens" else 1)


class Fatal:
    """A channel that counts the messages, and calls `die` on one side of handing over the one with this number."""

    def __init__(self, channel: Channel, counts: dict[str, int], reached: Callable[[str], None]) -> None:
        self._channel, self._counts, self._reached = channel, counts, reached
        self.interval = channel.interval

    def send(self, delivery: Delivery) -> Accepted:
        self._counts["send"] += 1
        self._reached("send")
        taken = self._channel.send(delivery)
        self._reached("reply")
        return taken

    def reachable(self, address: str) -> bool:
        return self._channel.reachable(address)

    def close(self) -> None:
        self._channel.close()


def main(how: str, state: str, port: str, api_url: str, side: str, number: str) -> None:
    given = settings_of(how, Path(state), int(port), api_url)
    counts = {"commit": 0, "send": 0}

    def reached(where: str) -> None:
        if where == side and counts["commit" if side == "commit" else "send"] == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(sql: str) -> None:
        if sql == "COMMIT":
            counts["commit"] += 1
            reached("commit")

    def opened(settings: Settings, name: ChannelName) -> Channel:
        return Fatal(open_channel(name, settings), counts, reached)

    with open_alerts(Path(state)) as alerts:
        alerts.state.db.conn.set_trace_callback(traced)
        WAYS[how](alerts, partial(opened, given), given, NOON)
    print(counts["commit"], counts["send"])


if __name__ == "__main__":
    main(*sys.argv[1:])
