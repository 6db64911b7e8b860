"""Tells subscribers as `tell` does, and kills itself: `python -m tests.alerts.killed STATE HOST PORT WHEN`.

WHEN is `commit N`, just before the N-th transaction is committed, or `before N` or `after N`, on one side of handing
over the N-th mail.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from alerts.channels import open_channel
from alerts.deliver import deliver, route
from alerts.model import Channel, ChannelName, Delivery, Taken
from alerts.store import open_alerts
from monitor.config import MailSettings, Settings
from tests.alerts.builders import NOON, settings

SENDER = "Agreement monitor <alerts@monitor.example.org>"


class Fatal:
    """A channel that kills the process on one side of handing over the N-th message."""

    def __init__(self, channel: Channel, side: str, number: int) -> None:
        self._channel, self._side, self._number = channel, side, number
        self.interval = channel.interval

    def send(self, delivery: Delivery) -> Taken:
        self._number -= 1
        if self._number == 0 and self._side == "before":
            die()
        taken = self._channel.send(delivery)
        if self._number == 0 and self._side == "after":
            die()
        return taken

    def reachable(self, address: str) -> bool:
        return self._channel.reachable(address)

    def close(self) -> None:
        self._channel.close()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def mail_settings(state: Path, host: str, port: int) -> Settings:
    return settings(state, mail=MailSettings(host=host, port=port, sender=SENDER, timeout=5))


def main(state: str, host: str, port: str, when: str, number: str) -> None:
    configured = mail_settings(Path(state), host, int(port))
    left = int(number)

    def count(sql: str) -> None:
        nonlocal left
        if sql == "COMMIT" and when == "commit":
            left -= 1
            if left == 0:
                die()

    def opened(name: ChannelName) -> Channel:
        channel = open_channel(name, configured)
        return channel if when == "commit" else Fatal(channel, when, int(number))

    with open_alerts(Path(state)) as alerts:
        alerts.state.db.conn.set_trace_callback(count)
        route(alerts, configured, NOON)
        deliver(alerts, opened, configured, NOON)


if __name__ == "__main__":
    main(*sys.argv[1:])
