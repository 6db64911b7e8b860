"""What subscribers do by themselves, with a link that only they were sent: confirm, change, leave, be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerts.keys import Keys, new_token
from alerts.links import NoGood
from alerts.model import ChannelName, Subscriber
from alerts.signup.requests import Wish
from alerts.storage.routed import Alerts
from alerts.storage.subscribers import SubscriberRecord
from monitor.storage.database import moment, stamp


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a link to confirm is for. `wish`: the watch that begins, None for those that an operator added."""

    subscriber: Subscriber
    wish: Wish | None
    used: bool


def waiting(alerts: Alerts, token_hash: bytes, now: datetime) -> Waiting | NoGood:
    """What the link with this token is for. Nothing is changed."""
    r = alerts.state.row("SELECT * FROM confirmations WHERE token_hash = ?", token_hash)
    if r is None:
        asked = alerts.asked(token_hash)
        if asked is None or asked.token_until is None:
            return NoGood.FORGED
        return NoGood.EXPIRED if now >= asked.token_until else Waiting(asked.subscriber, None, used=False)
    known = by_number(alerts, r["subscriber"])
    if known is None:
        return NoGood.FORGED
    if r["used_at"] is None and now >= moment(r["until"]):
        return NoGood.EXPIRED
    return Waiting(known.subscriber, Wish.from_json(r["wish"]), used=r["used_at"] is not None)


def confirm(alerts: Alerts, keys: Keys, token: str, now: datetime) -> Waiting | NoGood:
    """Begin what the link is for. Said twice, it is done once."""
    token_hash = keys.of_token(token)
    found = waiting(alerts, token_hash, now)
    if isinstance(found, NoGood) or found.used:
        return found
    subscriber = found.subscriber
    # They changed their mind; nobody else can, who does not read what is sent there.
    alerts.state.run(
        "DELETE FROM suppressions WHERE hash = ? AND why = 'unsubscribed'",
        keys.of_address(subscriber.channel, subscriber.address),
    )
    if found.wish is None:
        alerts.confirm(subscriber, now)
        return found
    known = by_number(alerts, subscriber.number)
    if known is not None and known.confirmed_at is None:
        alerts.confirm(subscriber, now)
    alerts.subscriber(subscriber.channel, subscriber.address, confirmed_by=None, at=now, time_zone=found.wish.time_zone)
    alerts.add_watch(subscriber, found.wish.wants, schedule=found.wish.schedule, at=now)
    alerts.state.run("UPDATE confirmations SET used_at = ? WHERE token_hash = ?", stamp(now), token_hash)
    return found


def by_number(alerts: Alerts, number: int) -> SubscriberRecord | None:
    """The subscriber whose link was opened; None once they were forgotten."""
    r = alerts.state.row("SELECT channel, address FROM subscribers WHERE id = ?", number)
    if r is None or (r["address"].startswith("erased-") and "@" not in r["address"]):
        return None
    return alerts.find(ChannelName(r["channel"]), r["address"])


def leave(alerts: Alerts, keys: Keys, subscriber: Subscriber, now: datetime) -> None:
    """End every watch. Nobody can add the address again but whoever reads what is sent there."""
    for record in list(alerts.watches(subscriber)):
        alerts.remove_watch(record.watch.number, now)
    alerts.suppress(keys.of_address(subscriber.channel, subscriber.address), now, "unsubscribed")


def forget(alerts: Alerts, keys: Keys, subscriber: Subscriber, now: datetime) -> None:
    """Overwrite what is kept about somebody, never to write to them again. `forget_for_good` outside the transaction.

    What they asked before is overruled: that they left once does not let anybody ask them again.
    """
    hash = keys.of_address(subscriber.channel, subscriber.address)
    alerts.state.run("DELETE FROM suppressions WHERE hash = ? AND why = 'unsubscribed'", hash)
    alerts.suppress(hash, now, "erased")
    alerts.erase(subscriber, now, f"erased-{new_token()}")
