"""Reads and writes the tables `subscribers` and `suppressions`, which no other module writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerts.model import ChannelName, Subscriber
from alerts.storage.watches import Watches, subscriber_of
from monitor.storage.database import State, moment, stamp


@dataclass(frozen=True, slots=True)
class SubscriberRecord:
    """A stored subscriber. `token_until`: when the token that confirms the address expires, if one was sent."""

    subscriber: Subscriber
    confirmed_at: datetime | None
    token_until: datetime | None
    disabled_at: datetime | None
    disabled_why: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """Since when an address must not be written to, and why."""

    at: datetime
    why: str


class Subscribers:
    """Who is told, and which addresses must not be written to."""

    def __init__(self, state: State, watches: Watches) -> None:
        self._state, self._watches = state, watches

    def find(self, channel: ChannelName, address: str) -> SubscriberRecord | None:
        """The subscriber at an address, if there is one. Mail addresses are compared without regard to case."""
        same = "lower(address) = lower(?)" if channel is ChannelName.EMAIL else "address = ?"
        return self._one(f"channel = ? AND {same}", channel, address)

    def by_number(self, number: int) -> SubscriberRecord | None:
        """The subscriber with a number; None once they were erased."""
        record = self._one("id = ?", number)
        if record and record.subscriber.address.startswith("erased-") and "@" not in record.subscriber.address:
            return None
        return record

    def by_token(self, token_hash: bytes) -> SubscriberRecord | None:
        """The subscriber whose address this token confirms."""
        return self._one("token_hash = ?", token_hash)

    def _one(self, where: str, *args: object) -> SubscriberRecord | None:
        r = self._state.row(f"SELECT *, id AS subscriber FROM subscribers WHERE {where}", *args)
        if r is None:
            return None
        return SubscriberRecord(
            subscriber_of(r),
            moment(r["confirmed_at"]) if r["confirmed_at"] else None,
            moment(r["token_until"]) if r["token_until"] else None,
            moment(r["disabled_at"]) if r["disabled_at"] else None,
            r["disabled_why"],
        )

    def ensure(
        self,
        channel: ChannelName,
        address: str,
        *,
        confirmed_by: str | None,
        at: datetime,
        time_zone: str | None = None,
    ) -> Subscriber:
        """The subscriber at an address, added if there is none. `confirmed_by`: who vouches for it, None for nobody.

        A confirmed subscriber keeps the first confirmation. If it is confirmed now, its watches start now.
        """
        known = self.find(channel, address)
        if known is None:
            number = self._state.run("INSERT INTO subscribers (channel, address) VALUES (?, ?)", channel, address)
        else:
            number = known.subscriber.number
        if time_zone is not None:
            self._state.run("UPDATE subscribers SET time_zone = ? WHERE id = ?", time_zone, number)
        if confirmed_by is not None and (known is None or known.confirmed_at is None):
            self._confirm(number, confirmed_by, at)
        stored = self.find(channel, address)
        assert stored
        return stored.subscriber

    def set_token(self, subscriber: Subscriber, token_hash: bytes, until: datetime) -> None:
        """Let this token confirm the address until then, and no earlier one. See also `AlertStore.set_token`."""
        self._state.run(
            "UPDATE subscribers SET token_hash = ?, token_until = ? WHERE id = ?",
            token_hash,
            stamp(until),
            subscriber.number,
        )

    def confirm(self, subscriber: Subscriber, at: datetime) -> None:
        """Record that the subscriber has confirmed the address; the watches start at the log's present position."""
        self._confirm(subscriber.number, "subscriber", at)

    def _confirm(self, number: int, by: str, at: datetime) -> None:
        self._state.run(
            "UPDATE subscribers SET confirmed_at = ?, confirmed_by = ?, token_hash = NULL, token_until = NULL"
            " WHERE id = ?",
            stamp(at),
            by,
            number,
        )
        self._watches.start(number)

    def send_nothing_until(self, number: int, at: datetime) -> None:
        """Send nothing to this subscriber before `at`."""
        self._state.run("UPDATE subscribers SET not_before = ? WHERE id = ?", stamp(at), number)

    def disable(self, number: int, why: str, at: datetime) -> None:
        """Record that an address takes no messages any more."""
        self._state.run(
            "UPDATE subscribers SET disabled_at = ?, disabled_why = ? WHERE id = ? AND disabled_at IS NULL",
            stamp(at),
            why,
            number,
        )

    def enable(self, number: int) -> None:
        """Send to a disabled address again."""
        self._state.run("UPDATE subscribers SET disabled_at = NULL, disabled_why = '' WHERE id = ?", number)

    def erase(self, number: int, placeholder: str) -> None:
        """Overwrite what is stored about a subscriber; `placeholder` replaces the address."""
        self._state.run(
            "UPDATE subscribers SET address = ?, time_zone = 'America/New_York', confirmed_at = NULL,"
            " confirmed_by = NULL, token_hash = NULL, token_until = NULL, not_before = NULL, disabled_at = NULL,"
            " disabled_why = '' WHERE id = ?",
            placeholder,
            number,
        )

    def suppression(self, address_hash: bytes) -> Suppression | None:
        """Why the address with this keyed hash must not be written to; None if it may be."""
        r = self._state.row("SELECT at, why FROM suppressions WHERE hash = ?", address_hash)
        return Suppression(moment(r["at"]), r["why"]) if r else None

    def suppress(self, address_hash: bytes, at: datetime, why: str) -> None:
        """Never write to this address again. An earlier suppression stays as it is."""
        self._state.run("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?)", address_hash, stamp(at), why)

    def lift_suppression(self, address_hash: bytes, *, why: str | None = None) -> str:
        """Let an address be written to again, if it was suppressed for this reason (None: any); the reason, or ""."""
        suppression = self.suppression(address_hash)
        if suppression is None or why not in (None, suppression.why):
            return ""
        self._state.run("DELETE FROM suppressions WHERE hash = ?", address_hash)
        return suppression.why
