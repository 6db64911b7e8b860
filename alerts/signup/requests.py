"""Stores the requests that visitors make in forms, and answers them later (double opt-in: asks them to confirm).

The page answers every request in the same way after the same work, so that it does not reveal who is a subscriber.
`run` and `check` do the rest here, and only the address itself is told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from alerts.keys import new_token, open_keys
from alerts.links import LinkScope, open_links
from alerts.model import ChannelName, Departures, Message, Schedule, Subscriber, Wants
from alerts.storage.messages import NewDelivery, delivery_terms
from alerts.storage.requests import FormRequest, RequestKind
from alerts.storage.store import AlertStore, open_alerts
from monitor.model import Kind

if TYPE_CHECKING:
    from alerts.messages.render import Renderer
    from monitor.settings import Settings

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RequestedWatch:
    """The watch that a visitor asks for; `time_zone` is for the hours of digests."""

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


def file_request(
    settings: Settings, kind: RequestKind, channel: ChannelName, address: str, wish: RequestedWatch | None, at: datetime
) -> None:
    """Store a request: one row in one commit, the same work for every address."""
    with open_alerts(settings.state) as alerts, alerts.write():
        alerts.requests.add(kind, channel, address, wish.to_json() if wish else "", at)


def work_off(alerts: AlertStore, settings: Settings, now: datetime) -> int:
    """Answer the requests of visitors, and erase visitors who never confirmed; how many requests there were.

    One commit with the deliveries that answer them, so that no request is lost or answered twice.
    """
    if alerts.requests.is_empty():
        return 0
    from alerts.messages.render import renderer_of  # 25 ms, and most checks have nothing to say

    with alerts.write():
        # After that long nobody remembers that they asked.
        too_old = now - timedelta(hours=settings.delivery.confirm_within_hours)
        requests = alerts.requests.take_all(after=too_old)
        if requests:
            answers = _Answers(alerts, settings, now, renderer_of(settings, alerts.log))
            for request in requests:
                answers.answer(request)
        _erase_unanswered(alerts, now)
    return len(requests)


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers requests, in one transaction."""

    alerts: AlertStore
    settings: Settings
    now: datetime
    renderer: Renderer

    def answer(self, request: FormRequest) -> None:
        if request.kind is RequestKind.SUBSCRIBE:
            self._ask_to_confirm(request)
        else:
            self._send_manage_link(request)

    def _ask_to_confirm(self, request: FormRequest) -> None:
        """Send the link that starts the watch.

        An address that unsubscribed may come back. One that was erased, or takes no messages, is sent nothing.
        """
        keys = open_keys(self.settings)
        suppression = self.alerts.subscribers.suppression(keys.of_address(request.channel, request.address))
        record = self.alerts.subscribers.find(request.channel, request.address)
        if (suppression and suppression.why != "unsubscribed") or (record and record.disabled_at):
            return
        subscriber = self.alerts.subscribers.ensure(request.channel, request.address, confirmed_by=None, at=self.now)
        if not self._may_send_another(subscriber):
            return
        token = new_token()
        token_hash = keys.of_token(token)
        until = self.now + timedelta(hours=self.settings.delivery.confirm_within_hours)
        self.alerts.requests.add_confirmation(token_hash, subscriber, request.watch, until)
        self._send(subscriber, token_hash.hex(), self.renderer.confirmation(token, until, request.channel))

    def _send_manage_link(self, request: FormRequest) -> None:
        """Send a subscriber the link with which they manage their alerts; nothing to others."""
        record = self.alerts.subscribers.find(request.channel, request.address)
        if record is None or record.confirmed_at is None or record.disabled_at:
            return
        subscriber = record.subscriber
        if next(self.alerts.watches.records(subscriber), None) is None or not self._may_send_another(subscriber):
            return
        token = open_links(self.settings).token(LinkScope.MANAGE, subscriber.number, self.now)
        until = self.now + timedelta(days=self.settings.forms.manage_days)
        self._send(subscriber, f"manage {request.number}", self.renderer.manage_link(token, until, request.channel))

    def _may_send_another(self, subscriber: Subscriber) -> bool:
        """Anyone can type anyone's address, so nobody is sent more than a few of these messages a day."""
        sent = self.alerts.outbox.confirmations_sent(subscriber.number, since=self.now - _DAY)
        return sent < self.settings.forms.mails_per_address

    def _send(self, subscriber: Subscriber, name: str, message: Message) -> None:
        new = NewDelivery(subscriber, "confirmation", (name,), message)
        self.alerts.outbox.add([new], delivery_terms(self.settings, self.now))


def _erase_unanswered(alerts: AlertStore, now: datetime) -> None:
    """Erase who never confirmed and has no link that is still good; remove confirmations a day after they expired."""
    for number, until in alerts.requests.unanswered(now - _DAY):
        alerts.erase(Subscriber(number, ChannelName.EMAIL, ""), until, f"erased-{new_token()}")
    alerts.requests.remove_expired(now - _DAY)
