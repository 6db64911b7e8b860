"""Tells the operator about events: by email, in Slack, and always in the log of the service."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alerts.addresses import mail_address, webhook
from alerts.messages.operator_events import (
    ListRecovered,
    OperatorEvent,
    OperatorFacts,
    WorkbookRemarked,
    log_line,
    new_events,
)
from alerts.model import ChannelName
from alerts.storage.messages import NewDelivery, delivery_terms
from alerts.storage.store import AlertStore
from monitor.errors import SettingsError
from monitor.health import operator_stale_after

if TYPE_CHECKING:
    from monitor.settings import Settings

_log = logging.getLogger(__name__)


def report(alerts: AlertStore, settings: Settings, now: datetime, running_since: datetime | None = None) -> bool:
    """Tell the operator of new events, in one commit with the deliveries; whether any of them needs a person.

    Raises SettingsError if an address of the operator is not valid.
    """

    def due_now() -> tuple[OperatorEvent, ...]:
        stale_after = operator_stale_after(settings.source.every_minutes, settings.operator.stale_after_hours)
        affairs = _gathered(alerts, now, settings.log.remind_after)
        return new_events(affairs, alerts.routed.operator_keys(), now, stale_after, running_since)

    if not due_now():
        return False
    named = addresses(settings)
    with alerts.write():
        events = due_now()  # read again inside the transaction: of two runs at the same time, one tells
        deliveries = [_deliver(alerts, settings, *address, events, now) for address in named if events]
        keys = [event.key for event in events]
        alerts.routed.record_operator_events(keys, at=now, delivery=deliveries[0] if deliveries else None)
    for event in events:
        if line := log_line(event):
            _log.warning("%s", line)
    return any(not isinstance(event, (ListRecovered, WorkbookRemarked)) for event in events)


def addresses(settings: Settings) -> list[tuple[ChannelName, str]]:
    """The operator's addresses. Raises SettingsError, naming the setting, if one is not valid."""
    operator = settings.operator
    hook = operator.slack.get_secret_value()
    valid: list[tuple[ChannelName, str]] = []
    try:
        if operator.email:
            valid.append((ChannelName.EMAIL, mail_address(operator.email)))
    except ValueError as exc:
        raise SettingsError(f"operator.email: {exc}; mend it") from exc
    try:
        if hook:
            valid.append((ChannelName.SLACK, webhook(hook, settings.slack.hosts)))
    except ValueError as exc:
        raise SettingsError(f"operator.slack: {exc}; mend it") from exc
    return valid


def _gathered(alerts: AlertStore, now: datetime, remind_after: timedelta) -> OperatorFacts:
    log = alerts.log
    publications = tuple(log.publications.all())
    newest = {p.list: p for p in publications if p.verdict == "accepted"}
    return OperatorFacts(
        held=tuple(p for p in publications if p.verdict == "held"),
        checks=log.checks.last(),
        first_checked=log.checks.first(),
        unsent=alerts.reports.unsent(),
        disabled=alerts.reports.disabled(),
        doubtful=tuple((r, max(0, (now - r.arrival.observed_at) // remind_after)) for r in log.reviews.open()),
        remarked=tuple(p for p in newest.values() if p.remarks),
    )


def _deliver(
    alerts: AlertStore,
    settings: Settings,
    channel: ChannelName,
    address: str,
    events: tuple[OperatorEvent, ...],
    now: datetime,
) -> int:
    """Store a delivery that tells these events; its number."""
    from alerts.messages.render import renderer_of  # 25 ms, and most checks have nothing to say

    subscriber = alerts.subscribers.ensure(channel, address, confirmed_by="operator", at=now)
    message = renderer_of(settings, alerts.log).for_operator(channel, events)
    new = NewDelivery(subscriber, "operator", ("operator", events[0].key), message)
    (number,) = alerts.outbox.add([new], delivery_terms(settings, now))
    return number
