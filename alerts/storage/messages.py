"""Reads and writes the table `messages`, which no other module writes. Also the types of new deliveries."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alerts.addresses import sender_domain
from alerts.model import Message, RoutedEntry, Subscriber
from monitor.storage.database import State

if TYPE_CHECKING:
    from monitor.settings import Settings

# The text of a mail whose link was for one reader, once the link is removed.
_LINK_REMOVED = "(What this said is not kept, since it had a link for one reader.)"


@dataclass(frozen=True, slots=True)
class DeliveryTerms:
    """When deliveries are made, how long they are tried, and the `domain` that ends the Message-IDs of mails."""

    at: datetime
    give_up_at: datetime
    domain: str


def delivery_terms(settings: Settings, now: datetime) -> DeliveryTerms:
    """The terms of deliveries made now."""
    give_up_at = now + timedelta(hours=settings.delivery.give_up_after_hours)
    return DeliveryTerms(now, give_up_at, sender_domain(settings.mail.sender))


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message to be stored for sending.

    `names`: what distinguishes it from the subscriber's other deliveries; its id is made from them.
    """

    subscriber: Subscriber
    purpose: str
    names: tuple[str, ...]
    message: Message
    lines: tuple[RoutedEntry, ...] = ()
    publication: str | None = None
    replies_to: int | None = None


class Messages:
    """Rendered messages, each stored once however many deliveries have it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._last: tuple[int, Message] | None = None

    def store(self, message: Message) -> int:
        """The number of a message, stored if it is new."""
        parts = astuple(message)
        digest = hashlib.sha256(json.dumps(parts).encode()).digest()[:16]
        known = self._state.value("SELECT id FROM messages WHERE hash = ?", digest)
        if known is not None:
            return int(known)
        return self._state.run(
            "INSERT INTO messages (subject, text, html, blocks, hash) VALUES (?, ?, ?, ?, ?)",
            *parts,
            digest,
        )

    def get(self, number: int) -> Message:
        """The message with a number. Many deliveries in a row have the same one, so the last is remembered."""
        if self._last is None or self._last[0] != number:
            r = self._state.row("SELECT * FROM messages WHERE id = ?", number)
            assert r is not None
            self._last = number, message_of(r)
        return self._last[1]

    def remove_links(self, which: str, *args: object) -> None:
        """Overwrite the mails with a link to confirm in these deliveries (a condition in SQL and its arguments).

        Anyone who reads such a link could confirm the address.
        """
        self._state.run(
            f"UPDATE messages SET text = '{_LINK_REMOVED}', html = '', hash = randomblob(16) WHERE id IN"
            f" (SELECT message FROM deliveries WHERE purpose = 'confirmation' AND {which})",
            *args,
        )

    def erase(self, subscriber: int) -> None:
        """Overwrite all mails with a link that a subscriber was sent."""
        self._state.run(
            "UPDATE messages SET subject = '', text = '', html = '', hash = randomblob(16) WHERE id IN"
            " (SELECT message FROM deliveries WHERE subscriber = ? AND purpose = 'confirmation')",
            subscriber,
        )


def message_of(r: sqlite3.Row) -> Message:
    """The message in a row with its columns."""
    return Message(r["subject"], r["text"], r["html"], r["blocks"])
