"""Routes the log and sends what is due; with `digesting` and the commands the only file here that sequences IO.

Each step is a commit of its own, so that a process killed anywhere between two of them leaves a state from which the
next run goes on: deliveries and how far the log is routed; digests and their turns; a lease; an outcome. What was sent
and not yet recorded is sent once more, under the same Message-ID: at least once, as nobody can promise better over SMTP
or HTTP.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from alerts import holder, routing
from alerts.channels import open_channel
from alerts.digesting import make_digests
from alerts.model import Again, Channel, ChannelName, Dead, Outcome, Sent
from alerts.posting import cached_renderer, posting
from alerts.retry import Pauses, outcome
from alerts.store import Alerts, Due, open_alerts
from monitor.errors import ChannelError

if TYPE_CHECKING:
    from monitor.config import DeliverySettings, Settings

_log = logging.getLogger(__name__)


@dataclass
class Tally:
    """How a run of deliveries went. `waiting`: left for the next run, since their server does not answer."""

    sent: int = 0
    again: int = 0
    died: int = 0
    waiting: int = 0

    def add(self, outcome: Outcome) -> None:
        match outcome:
            case Sent():
                self.sent += 1
            case Again():
                self.again += 1
            case Dead():
                self.died += 1


def tell(settings: Settings, now: datetime) -> bool:
    """Tell subscribers what is new in the log; whether a delivery has just been given up, and needs a person."""
    with open_alerts(settings.state) as alerts:
        route(alerts, settings, now)
        make_digests(alerts, settings, now)
        tally = deliver(alerts, partial(open_channel, settings=settings), settings.delivery, now)
    return tally.died > 0


def route(alerts: Alerts, settings: Settings, now: datetime) -> int:
    """Make deliveries of what the log has had since the last time, in one commit; how many.

    Safe to repeat: the position moves on in the same commit.
    """
    if alerts.position() == alerts.log.position():
        return 0  # as after most checks: without waiting for the write lock
    with alerts.write():
        entries = list(alerts.log.entries(after=alerts.position()))
        if not entries:
            return 0
        watches = list(alerts.listening())
        about = routing.subjects(entries)
        earlier = {e.id: e for e in alerts.log.entries(ids=sorted(about))} if about else {}
        notices = routing.route(entries, watches, alerts.told(about), earlier, alerts.agencies(watches))
        renderer = cached_renderer(alerts, settings)
        return alerts.record_routed(
            entries[-1].seq,
            ((notice, renderer().message(notice)) for notice in notices),
            posting(settings, now),
        )


def deliver(
    alerts: Alerts,
    open_channel: Callable[[ChannelName], Channel],
    settings: DeliverySettings,
    now: datetime,
) -> Tally:
    """Send what is due, each delivery once in this run. A failing one never holds up another."""
    run = _Run(alerts, settings, now)
    for name in ChannelName:
        if due := alerts.due(name, now):
            with closing(open_channel(name)) as channel:
                for each in due:
                    run.attempt(each, channel)
    return run.tally


class _Run:
    """One run over the deliveries that are due."""

    def __init__(self, alerts: Alerts, settings: DeliverySettings, now: datetime) -> None:
        self._alerts = alerts
        self._lease = timedelta(seconds=settings.lease)
        self._pauses = Pauses(timedelta(seconds=settings.first_pause), timedelta(seconds=settings.longest_pause))
        self._began, self._began_ticks = now, time.monotonic()
        self._token = holder.new_token()
        self.tally = Tally()

    def attempt(self, due: Due, channel: Channel) -> None:
        """Lease, send, record; nothing, where somebody else is at it or its server is known not to answer."""
        at = self._at()
        if not channel.reachable(due.address) and at < due.give_up_at:
            self.tally.waiting += 1
            return
        if due.token and not self._is_over(due, at):
            return
        with self._alerts.write():
            delivery = self._alerts.lease(due, self._token, at, at + self._lease)
        if delivery is None:
            return
        error = None
        try:
            channel.send(delivery)
        except ChannelError as exc:
            error = exc
        at = self._at()
        result = outcome(delivery, error, at, self._pauses)
        with self._alerts.write():
            recorded = self._alerts.record_outcome(delivery, result, at)
        if recorded:
            self.tally.add(result)
            _say(delivery.id, result)

    def _at(self) -> datetime:
        """The time by now: a run over a thousand mails takes minutes, and leases are counted in minutes."""
        return self._began + timedelta(seconds=time.monotonic() - self._began_ticks)

    def _is_over(self, due: Due, at: datetime) -> bool:
        """Whether nobody is sending it any more: the lease ran out, or its holder was killed."""
        assert due.token
        assert due.lease_until
        return at >= due.lease_until or holder.is_gone(due.token)


def _say(id: str, result: Outcome) -> None:
    match result:
        case Sent():
            _log.info("delivery %s: sent", id)
        case Again(at, why):
            _log.info("delivery %s: %s; it is tried again at %s", id, why, at.isoformat())
        case Dead(why):
            _log.warning(
                "delivery %s was given up: %s. See `deliveries show %s`; `deliveries retry %s` sends it again.",
                id, why, id, id,
            )  # fmt: skip
