"""Confirms, unsubscribes or erases a subscriber who opened a link that was sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerts.keys import Keys, new_token
from alerts.links import InvalidLink
from alerts.model import Subscriber
from alerts.signup.requests import RequestedWatch
from alerts.storage.store import AlertStore


@dataclass(frozen=True, slots=True)
class PendingConfirmation:
    """What a link to confirm is for. `wish`: the watch that starts; None for watches that an operator added."""

    subscriber: Subscriber
    wish: RequestedWatch | None
    used: bool


def waiting(alerts: AlertStore, token_hash: bytes, now: datetime) -> PendingConfirmation | InvalidLink:
    """What the link with this token is for. Writes nothing."""
    confirmation = alerts.requests.confirmation(token_hash)
    if confirmation is None:
        added = alerts.subscribers.by_token(token_hash)
        if added is None or added.token_until is None:
            return InvalidLink.FORGED
        return (
            InvalidLink.EXPIRED if now >= added.token_until else PendingConfirmation(added.subscriber, None, used=False)
        )
    record = alerts.subscribers.by_number(confirmation.subscriber)
    if record is None:
        return InvalidLink.FORGED
    if not confirmation.used and now >= confirmation.until:
        return InvalidLink.EXPIRED
    return PendingConfirmation(record.subscriber, RequestedWatch.from_json(confirmation.watch), used=confirmation.used)


def confirm(alerts: AlertStore, keys: Keys, token: str, now: datetime) -> PendingConfirmation | InvalidLink:
    """Start the watch that the link is for. Safe to repeat."""
    token_hash = keys.of_token(token)
    pending = waiting(alerts, token_hash, now)
    if isinstance(pending, InvalidLink) or pending.used:
        return pending
    subscriber, wish = pending.subscriber, pending.wish
    # They read what is sent to the address, so they may undo their own unsubscribing.
    alerts.subscribers.lift_suppression(keys.of_address(subscriber.channel, subscriber.address), why="unsubscribed")
    if wish is None:
        alerts.subscribers.confirm(subscriber, now)
        return pending
    record = alerts.subscribers.by_number(subscriber.number)
    if record is not None and record.confirmed_at is None:
        alerts.subscribers.confirm(subscriber, now)
    alerts.subscribers.ensure(
        subscriber.channel, subscriber.address, confirmed_by=None, at=now, time_zone=wish.time_zone
    )
    alerts.watches.add(subscriber, wish.wants, schedule=wish.schedule, at=now)
    alerts.requests.mark_used(token_hash, now)
    return pending


def leave(alerts: AlertStore, keys: Keys, subscriber: Subscriber, now: datetime) -> None:
    """End every watch. After that only somebody who reads the address's mail can subscribe it again."""
    for record in list(alerts.watches.records(subscriber)):
        alerts.remove_watch(record.watch.number, now)
    alerts.subscribers.suppress(keys.of_address(subscriber.channel, subscriber.address), now, "unsubscribed")


def forget(alerts: AlertStore, keys: Keys, subscriber: Subscriber, now: datetime) -> None:
    """Erase a subscriber, and never write to them again. Call `AlertStore.erase_journal` after the transaction.

    Replaces an earlier suppression as `unsubscribed`, which a new request could lift.
    """
    address_hash = keys.of_address(subscriber.channel, subscriber.address)
    alerts.subscribers.lift_suppression(address_hash, why="unsubscribed")
    alerts.subscribers.suppress(address_hash, now, "erased")
    alerts.erase(subscriber, now, f"erased-{new_token()}")
