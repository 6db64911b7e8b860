"""Routes the log, makes digests and sends what is due.

Each step is a commit, so that a process killed anywhere between two of them leaves a state from which the next run goes
on: deliveries and how far the log is routed; digests and their turns; then the outcome of one message with the lease of
the next. What was sent and not yet recorded is sent once more, under the same Message-ID: at least once, as nobody can
promise better over SMTP or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from alerts.channels.registry import open_channel
from alerts.delivery.digests import make_digests
from alerts.delivery.operator import report
from alerts.delivery.sender import Clock, Sender, Tally
from alerts.keys import open_keys
from alerts.model import Channel, ChannelName
from alerts.routing import instant
from alerts.signup.requests import work_off
from alerts.storage.messages import delivery_terms
from alerts.storage.store import AlertStore, open_alerts

if TYPE_CHECKING:
    from monitor.settings import Settings


def tell(settings: Settings, now: datetime, running_since: datetime | None = None, stop: Event | None = None) -> bool:
    """Tell subscribers what is new in the log, and the operator what they must hear.

    Whether something has just come up that needs a person. `running_since`: since when a service calls this. `stop`:
    once it is set, no further message is begun; what waits is for the next time.
    """
    with open_alerts(settings.state) as alerts:
        work_off(alerts, settings, now)
        route(alerts, settings, now)
        make_digests(alerts, settings, now)
        try:
            needs_a_person = report(alerts, settings, now, running_since)
        finally:
            # Whatever is wrong with the operator's address: subscribers are told.
            tally = send(alerts, settings, now, stop)
        if tally.died and report(alerts, settings, now, running_since):
            tally += send(alerts, settings, now, stop)
    return needs_a_person or tally.died > 0


def send(alerts: AlertStore, settings: Settings, now: datetime, stop: Event | None = None) -> Tally:
    """Send what is due on the channels of the settings."""
    return deliver(alerts, partial(open_channel, settings=settings), settings, now, Clock(now, stop=stop))


def route(alerts: AlertStore, settings: Settings, now: datetime) -> int:
    """Make deliveries of what the log has had since the last time, in one commit; how many.

    Safe to repeat: the position moves on in the same commit.
    """
    if alerts.routed.position() == alerts.log.position():
        return 0  # as after most checks: without waiting for the write lock
    from alerts.messages.render import renderer_of  # 25 ms, and most checks have nothing to say

    with alerts.write():
        entries = list(alerts.log.entries(after=alerts.routed.position()))
        if not entries:
            return 0
        watches = list(alerts.watches.confirmed())
        about = instant.subjects(entries)
        earlier = {e.id: e for e in alerts.log.entries(ids=sorted(about))} if about else {}
        notices = instant.route(
            entries, watches, alerts.routed.recipients(about), earlier, alerts.watches.agencies(watches)
        )
        renderer = renderer_of(settings, alerts.log)
        return alerts.routed.record(
            entries[-1].seq,
            ((notice, renderer.message(notice)) for notice in notices),
            delivery_terms(settings, now),
        )


def deliver(
    alerts: AlertStore,
    open_channel: Callable[[ChannelName], Channel],
    settings: Settings,
    now: datetime,
    clock: Clock | None = None,
) -> Tally:
    """Send what is due, and what soon will be; unless everything is paused.

    Channels do not wait for each other: each has a thread and a connection to state.db of its own, where there is more
    than one with something to send.
    """
    ticking = clock or Clock(now)

    def address_hash(channel: ChannelName, address: str) -> bytes:
        return open_keys(settings).of_address(channel, address)

    def run(alerts: AlertStore, name: ChannelName) -> Tally:
        return Sender(alerts, name, open_channel, settings.delivery, ticking, address_hash).run()

    def run_aside(name: ChannelName) -> Tally:
        with open_alerts(alerts.state.path) as own:
            return run(own, name)

    names = alerts.outbox.waiting_channels()
    if len(names) <= 1:
        return sum((run(alerts, name) for name in names), Tally())
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(names), thread_name_prefix="deliver") as threads:
        return sum(threads.map(run_aside, names), Tally())
