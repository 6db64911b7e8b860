"""Reads and writes the tables `requests` and `confirmations`, which no other module writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from alerts.model import ChannelName, Subscriber
from monitor.storage.database import State, moment, stamp


class RequestKind(StrEnum):
    """What a visitor can ask for."""

    SUBSCRIBE = "subscribe"
    MANAGE = "manage"  # the link with which a subscriber manages their alerts


@dataclass(frozen=True, slots=True)
class FormRequest:
    """What a visitor asked for in a form, for an address that may be somebody else's.

    `watch`: the watch asked for, as JSON; "" for a request for the manage link.
    """

    number: int
    kind: RequestKind
    channel: ChannelName
    address: str = field(repr=False)
    watch: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A link that was sent to an address. `watch`: the watch that starts once it is confirmed, as JSON."""

    subscriber: int
    watch: str
    until: datetime
    used: bool


class Requests:
    """What visitors ask for in forms, and the links with which they confirm it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def is_empty(self) -> bool:
        """Whether there are neither requests nor confirmations."""
        return not self._state.value("SELECT EXISTS (SELECT 1 FROM requests) OR EXISTS (SELECT 1 FROM confirmations)")

    def add(self, kind: RequestKind, channel: ChannelName, address: str, watch: str, at: datetime) -> None:
        """Store a request."""
        self._state.run(
            "INSERT INTO requests (what, channel, address, wish, at) VALUES (?, ?, ?, ?, ?)",
            kind,
            channel,
            address,
            watch,
            stamp(at),
        )

    def take_all(self, *, after: datetime) -> list[FormRequest]:
        """The requests made after that time, oldest first; all requests are overwritten and removed."""
        taken = [
            FormRequest(r["id"], RequestKind(r["what"]), ChannelName(r["channel"]), r["address"], r["wish"])
            for r in self._state.rows("SELECT * FROM requests WHERE at > ? ORDER BY id", stamp(after))
        ]
        self._state.run("PRAGMA secure_delete = ON")
        self._state.run("DELETE FROM requests")
        return taken

    def add_confirmation(self, token_hash: bytes, subscriber: Subscriber, watch: str, until: datetime) -> None:
        """Store that the link with this token was sent."""
        self._state.run(
            "INSERT INTO confirmations (token_hash, subscriber, wish, until) VALUES (?, ?, ?, ?)",
            token_hash,
            subscriber.number,
            watch,
            stamp(until),
        )

    def confirmation(self, token_hash: bytes) -> Confirmation | None:
        """The confirmation with this token."""
        r = self._state.row("SELECT * FROM confirmations WHERE token_hash = ?", token_hash)
        return Confirmation(r["subscriber"], r["wish"], moment(r["until"]), r["used_at"] is not None) if r else None

    def mark_used(self, token_hash: bytes, at: datetime) -> None:
        """Record that a link was used."""
        self._state.run("UPDATE confirmations SET used_at = ? WHERE token_hash = ?", stamp(at), token_hash)

    def unanswered(self, before: datetime) -> list[tuple[int, datetime]]:
        """Subscribers (by number) who never confirmed and have no watch, if their last link expired by `before`; and
        when it expired."""
        return [
            (r["subscriber"], moment(r["until"]))
            for r in self._state.rows(
                "SELECT c.subscriber, max(c.until) AS until FROM confirmations c"
                " JOIN subscribers s ON s.id = c.subscriber WHERE s.confirmed_at IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM watches w WHERE w.subscriber = s.id)"
                " GROUP BY c.subscriber HAVING max(c.until) <= ?",
                stamp(before),
            )
        ]

    def remove_expired(self, before: datetime) -> None:
        """Remove confirmations that expired by `before`."""
        self._state.run("DELETE FROM confirmations WHERE until <= ?", stamp(before))

    def erase(self, subscriber: int) -> None:
        """Remove the requests and confirmations of a subscriber."""
        self._state.run(
            "DELETE FROM requests WHERE (channel, lower(address)) ="
            " (SELECT channel, lower(address) FROM subscribers WHERE id = ?)",
            subscriber,
        )
        self._state.run("DELETE FROM confirmations WHERE subscriber = ?", subscriber)
