"""What visitors ask for by a form: stored as it is, and worked off later.

Whoever asks gets the same answer after the same work, whoever the address belongs to: what follows from a request is
found out here, by `run` or `check`, and said to the address alone. The only SQL about requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from alerts.keys import new_token, open_keys
from alerts.links import Scope, open_links
from alerts.messages.posting import cached_renderer, posting
from alerts.model import ChannelName, Departures, Message, Schedule, Subscriber, Wants
from alerts.storage.routed import Alerts, NewDelivery, open_alerts
from monitor.model import Kind
from monitor.storage.database import moment, stamp

if TYPE_CHECKING:
    from alerts.messages.render import Renderer
    from monitor.settings import Settings

_DAY = timedelta(days=1)


class Asked(StrEnum):
    """What a visitor can ask for."""

    SUBSCRIBE = "subscribe"
    MANAGE = "manage"  # the link that manages what an address is told


@dataclass(frozen=True, slots=True)
class Wish:
    """The watch that a visitor asks for: what it is to hear, how often, and where its hours are counted."""

    wants: Wants
    schedule: Schedule | None
    time_zone: str

    def to_json(self) -> str:
        wants, schedule = self.wants, self.schedule
        return json.dumps(
            {
                "states": None if wants.states is None else sorted(wants.states),
                "kinds": sorted(wants.kinds),
                "departures": wants.departures,
                "minute": schedule.minute if schedule else None,
                "weekday": schedule.weekday if schedule else None,
                "time_zone": self.time_zone,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        kept: dict[str, Any] = json.loads(text)
        states, minute = kept["states"], kept["minute"]
        return cls(
            Wants(
                states=None if states is None else frozenset(states),
                kinds=frozenset(map(Kind, kept["kinds"])),
                departures=Departures(kept["departures"]),
            ),
            None if minute is None else Schedule(minute, kept["weekday"]),
            kept["time_zone"],
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What a visitor asked for, at an address that may be anybody's."""

    number: int
    asked: Asked
    channel: ChannelName
    address: str = field(repr=False)
    wish: str = ""  # JSON


def file_request(
    settings: Settings, asked: Asked, channel: ChannelName, address: str, wish: Wish | None, at: datetime
) -> None:
    """Store a request: one row in one commit, the same work whoever it is about."""
    with open_alerts(settings.state) as alerts, alerts.write():
        alerts.state.run(
            "INSERT INTO requests (what, channel, address, wish, at) VALUES (?, ?, ?, ?, ?)",
            asked,
            channel,
            address,
            wish.to_json() if wish else "",
            stamp(at),
        )


def work_off(alerts: Alerts, settings: Settings, now: datetime) -> int:
    """Do what visitors asked for, and forget who asked for what they did not confirm; how many requests there were.

    In one commit with the deliveries that come of it, so that a request is neither lost nor answered twice.
    """
    if not alerts.state.value("SELECT EXISTS (SELECT 1 FROM requests) OR EXISTS (SELECT 1 FROM confirmations)"):
        return 0
    with alerts.write():
        alerts.state.run("PRAGMA secure_delete = ON")
        # Nobody remembers by then that they asked.
        too_old = now - timedelta(hours=settings.delivery.confirm_within_hours)
        alerts.state.run("DELETE FROM requests WHERE at <= ?", stamp(too_old))
        requests = [
            Request(r["id"], Asked(r["what"]), ChannelName(r["channel"]), r["address"], r["wish"])
            for r in alerts.state.rows("SELECT * FROM requests ORDER BY id")
        ]
        desk = _Desk(alerts, settings, now, cached_renderer(alerts, settings))
        for request in requests:
            if request.asked is Asked.SUBSCRIBE:
                desk.asks_to_confirm(request)
            else:
                desk.sends_link(request)
        alerts.state.run("DELETE FROM requests WHERE id <= ?", requests[-1].number if requests else 0)
        _forget_unanswered(alerts, now)
    return len(requests)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Works requests off, in one transaction."""

    alerts: Alerts
    settings: Settings
    now: datetime
    renderer: Callable[[], Renderer]

    def asks_to_confirm(self, request: Request) -> None:
        """Send the link that begins the watch.

        Who left may come back; who was erased, or cannot be reached, is left alone.
        """
        keys = open_keys(self.settings)
        suppression = self.alerts.suppression(keys.of_address(request.channel, request.address))
        known = self.alerts.find(request.channel, request.address)
        if (suppression and suppression.why != "unsubscribed") or (known and known.disabled_at):
            return
        subscriber = self.alerts.subscriber(request.channel, request.address, confirmed_by=None, at=self.now)
        if not self._may_send_another(subscriber):
            return
        token = new_token()
        token_hash = keys.of_token(token)
        until = self.now + timedelta(hours=self.settings.delivery.confirm_within_hours)
        self.alerts.state.run(
            "INSERT INTO confirmations (token_hash, subscriber, wish, until) VALUES (?, ?, ?, ?)",
            token_hash,
            subscriber.number,
            request.wish,
            stamp(until),
        )
        self._send(subscriber, token_hash.hex(), self.renderer().confirmation(token, until, request.channel))

    def sends_link(self, request: Request) -> None:
        """Send the link that manages what an address is told, if it is told anything."""
        known = self.alerts.find(request.channel, request.address)
        if known is None or known.confirmed_at is None or known.disabled_at:
            return
        subscriber = known.subscriber
        if next(self.alerts.watches(subscriber), None) is None or not self._may_send_another(subscriber):
            return
        token = open_links(self.settings).token(Scope.MANAGE, subscriber.number, self.now)
        until = self.now + timedelta(days=self.settings.forms.manage_days)
        self._send(subscriber, f"manage {request.number}", self.renderer().manage_link(token, until, request.channel))

    def _may_send_another(self, subscriber: Subscriber) -> bool:
        """Anybody can type anybody's address: nobody gets more than a few messages a day for that."""
        sent = self.alerts.state.value(
            "SELECT count(*) FROM deliveries WHERE subscriber = ? AND purpose = 'confirmation' AND created_at > ?",
            subscriber.number,
            stamp(self.now - _DAY),
        )
        return int(sent) < self.settings.forms.mails_per_address

    def _send(self, subscriber: Subscriber, name: str, message: Message) -> None:
        new = NewDelivery(subscriber, "confirmation", (name,), message)
        self.alerts.add_deliveries([new], posting(self.settings, self.now))


def _forget_unanswered(alerts: Alerts, now: datetime) -> None:
    """Who never confirmed, and has no link that is still good, is forgotten; so is what a link was for, a day later."""
    for r in alerts.state.rows(
        "SELECT c.subscriber, max(c.until) AS until FROM confirmations c JOIN subscribers s ON s.id = c.subscriber"
        " WHERE s.confirmed_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM watches w WHERE w.subscriber = s.id)"
        " GROUP BY c.subscriber HAVING max(c.until) <= ?",
        stamp(now - _DAY),
    ):
        alerts.erase(Subscriber(r["subscriber"], ChannelName.EMAIL, ""), moment(r["until"]), f"erased-{new_token()}")
    alerts.state.run("DELETE FROM confirmations WHERE until <= ?", stamp(now - _DAY))
