"""Routes the log, makes digests and sends what is due.

Each step is one commit, so that the next run can go on from wherever a process was killed: deliveries and how far the
log is routed; digests and how far they have come; then the outcome of one message with the lease of the next. A message
that was sent but not recorded is sent again under the same Message-ID: at least once, since SMTP and HTTP allow no
better promise.
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
from alerts.delivery.sender import Clock, SendCounts, Sender
from alerts.keys import open_keys
from alerts.model import Channel, ChannelName
from alerts.routing import instant
from alerts.signup.requests import work_off
from alerts.storage.messages import delivery_terms
from alerts.storage.store import AlertStore, open_alerts

if TYPE_CHECKING:
    from monitor.settings import Settings


def tell(settings: Settings, now: datetime, running_since: datetime | None = None, stop: Event | None = None) -> bool:
    """Tell subscribers what is new in the log, and the operator what they have to know.

    Returns whether something new needs a person. `running_since`: when the calling service started. `stop`: once it is
    set, no further message is sent in this run.
    """
    with open_alerts(settings.state) as alerts:
        work_off(alerts, settings, now)
        route(alerts, settings, now)
        make_digests(alerts, settings, now)
        try:
            needs_a_person = report(alerts, settings, now, running_since)
        finally:
            # Even if the operator's address is not valid.
            tally = send(alerts, settings, now, stop)
        if tally.died and report(alerts, settings, now, running_since):
            tally += send(alerts, settings, now, stop)
    return needs_a_person or tally.died > 0


def send(alerts: AlertStore, settings: Settings, now: datetime, stop: Event | None = None) -> SendCounts:
    """Send what is due on the channels of the settings."""
    return deliver(alerts, partial(open_channel, settings=settings), settings, now, Clock(now, stop=stop))


def route(alerts: AlertStore, settings: Settings, now: datetime) -> int:
    """Store deliveries for the entries since the last time, in one commit; how many.

    Safe to repeat, since the position advances in the same commit.
    """
    if alerts.routed.position() == alerts.log.changelog.position():
        return 0  # after most checks, and without waiting for the write lock
    from alerts.messages.render import renderer_of  # 25 ms, and most checks have nothing to say

    with alerts.write():
        entries = list(alerts.log.changelog.entries(after=alerts.routed.position()))
        if not entries:
            return 0
        watches = list(alerts.watches.confirmed())
        about = instant.subjects(entries)
        earlier = {e.id: e for e in alerts.log.changelog.entries(ids=sorted(about))} if about else {}
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
) -> SendCounts:
    """Send what is due, and what soon will be, unless sending is paused.

    If several channels have something to send, each has its own thread and connection to state.db.
    """
    ticking = clock or Clock(now)

    def address_hash(channel: ChannelName, address: str) -> bytes:
        return open_keys(settings).of_address(channel, address)

    def run(alerts: AlertStore, name: ChannelName) -> SendCounts:
        return Sender(alerts, name, open_channel, settings.delivery, ticking, address_hash).run()

    def run_aside(name: ChannelName) -> SendCounts:
        with open_alerts(alerts.state.path) as own:
            return run(own, name)

    names = alerts.outbox.waiting_channels()
    if len(names) <= 1:
        return sum((run(alerts, name) for name in names), SendCounts())
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(names), thread_name_prefix="deliver") as threads:
        return sum(threads.map(run_aside, names), SendCounts())
