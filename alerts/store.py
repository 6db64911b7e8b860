"""The only SQL about subscribers, watches and deliveries."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, field
from datetime import datetime
from pathlib import Path

from alerts.model import (
    Again,
    ChannelName,
    Dead,
    Delivery,
    Message,
    Notice,
    Outcome,
    Sent,
    Subscriber,
    Told,
    Watch,
)
from alerts.schema import SCHEMA
from monitor.log import Log
from monitor.model import Kind, Significance
from monitor.schema import SCHEMA as LOG_SCHEMA
from monitor.state import State, moment, stamp
from monitor.store import public_id

_AT_ONCE = 500  # values in one `IN (…)`; SQLite's default limit is far higher, older builds take 999


def open_alerts(path: Path) -> Alerts:
    """The log and what is told of it, on one connection to the state.db at `path`, made or migrated where needed."""
    return Alerts(State(path, LOG_SCHEMA, SCHEMA))


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """A watch as it is kept."""

    watch: Watch
    added_at: datetime
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be sent now, unless somebody else is quicker. `token` is that of a lease that ran out."""

    number: int
    address: str = field(repr=False)
    give_up_at: datetime
    token: str | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery as it is kept."""

    id: str
    channel: ChannelName
    address: str = field(repr=False)
    state: str
    publication: str
    message: Message
    message_id: str
    entries: tuple[str, ...]
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    sent_at: datetime | None
    last_error: str


class Alerts:
    """Reads and writes what `alerts` knows; `log` reads what `monitor` knows, on the same connection."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.log = Log(state)

    def write(self) -> AbstractContextManager[None]:
        """One transaction; see State.write."""
        return self.state.write()

    def close(self) -> None:
        self.state.close()

    def __enter__(self) -> Alerts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- subscribers and watches ---------------------------------------------------------------------------

    def subscriber(self, channel: ChannelName, address: str, *, confirmed_by: str, at: datetime) -> Subscriber:
        """The subscriber at an address, confirmed; the one that is there already keeps its first confirmation."""
        same = "lower(address) = lower(?)" if channel is ChannelName.EMAIL else "address = ?"
        known = self.state.row(f"SELECT id, address FROM subscribers WHERE channel = ? AND {same}", channel, address)
        if known:
            return Subscriber(known["id"], channel, known["address"])
        number = self.state.run(
            "INSERT INTO subscribers (channel, address, confirmed_at, confirmed_by) VALUES (?, ?, ?, ?)",
            channel,
            address,
            stamp(at),
            confirmed_by,
        )
        return Subscriber(number, channel, address)

    def add_watch(
        self,
        subscriber: Subscriber,
        *,
        states: Collection[str] | None,
        kinds: Collection[Kind],
        significance: Significance,
        at: datetime,
    ) -> int:
        """A watch that starts at the log's present position; its number. One that wants the same is kept instead."""
        wanted = (
            json.dumps(sorted(states)) if states is not None else None,
            json.dumps(sorted(kinds)),
            significance,
        )
        same = self.state.value(
            "SELECT id FROM watches WHERE subscriber = ? AND removed_at IS NULL"
            " AND states IS ? AND kinds = ? AND significance = ?",
            subscriber.number,
            *wanted,
        )
        if same is not None:
            return int(same)
        return self.state.run(
            "INSERT INTO watches (subscriber, states, kinds, significance, starts_after, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            subscriber.number,
            *wanted,
            self.log.position(),
            stamp(at),
        )

    def watches(self) -> Iterator[WatchRecord]:
        """The watches in force, paused ones too, in the order in which they were added."""
        for r in self.state.rows(
            "SELECT w.*, s.channel, s.address FROM watches w JOIN subscribers s ON s.id = w.subscriber"
            " WHERE w.removed_at IS NULL AND s.confirmed_at IS NOT NULL ORDER BY w.id"
        ):
            watch = Watch(
                r["id"],
                _subscriber(r),
                None if r["states"] is None else frozenset(json.loads(r["states"])),
                frozenset(Kind(k) for k in json.loads(r["kinds"])),
                Significance(r["significance"]),
                r["starts_after"],
                r["paused_at"] is not None,
            )
            paused_at = moment(r["paused_at"]) if r["paused_at"] else None
            yield WatchRecord(watch, moment(r["added_at"]), paused_at)

    def remove_watch(self, number: int, at: datetime) -> int:
        """End a watch. With a subscriber's last watch, what waits to be sent to them is suppressed; how many."""
        self.state.run("UPDATE watches SET removed_at = ? WHERE id = ?", stamp(at), number)
        return self._suppress_if_left("(SELECT subscriber FROM watches WHERE id = ?)", number)

    def _suppress_if_left(self, subscriber: str, *args: object) -> int:
        """Suppress what waits for a subscriber who watches nothing any more; how many."""
        return len(
            self.state.rows(
                f"""
                UPDATE deliveries SET state = 'suppressed', last_error = 'the subscriber left before it was sent'
                WHERE state = 'pending' AND subscriber = {subscriber}
                  AND NOT EXISTS (SELECT 1 FROM watches w
                                  WHERE w.subscriber = deliveries.subscriber AND w.removed_at IS NULL)
                RETURNING id
                """,
                *args,
            )
        )

    def pause_watch(self, number: int, at: datetime) -> None:
        """From now on this watch hears no news."""
        self.state.run("UPDATE watches SET paused_at = ? WHERE id = ?", stamp(at), number)

    def resume_watch(self, number: int) -> None:
        """Hear news again, from the log's present position."""
        self.state.run(
            "UPDATE watches SET paused_at = NULL, starts_after = ? WHERE id = ?",
            self.log.position(),
            number,
        )

    # --- routing -------------------------------------------------------------------------------------------

    def position(self) -> int:
        """The number of the last entry that was routed."""
        return int(self.state.value("SELECT position FROM routed"))

    def told(self, entries: Iterable[str]) -> Mapping[str, Sequence[Told]]:
        """Who was told of these entries, or is about to be, and still watches anything at all."""
        found: dict[tuple[str, Subscriber], list[int]] = {}
        for part in _parts(sorted(set(entries))):
            for r in self.state.rows(
                "SELECT e.entry, e.watch, d.subscriber, s.channel, s.address FROM delivery_entries e"
                " JOIN deliveries d ON d.id = e.delivery JOIN subscribers s ON s.id = d.subscriber"
                f" WHERE e.entry IN ({_marks(part)}) AND d.state IN ('pending', 'leased', 'sent')"
                " AND EXISTS (SELECT 1 FROM watches w WHERE w.subscriber = d.subscriber AND w.removed_at IS NULL)"
                " ORDER BY d.id, e.watch",
                *part,
            ):
                found.setdefault((r["entry"], _subscriber(r)), []).append(r["watch"])
        told: dict[str, list[Told]] = {}
        for (entry, subscriber), watches in found.items():
            told.setdefault(entry, []).append(Told(subscriber, tuple(watches)))
        return told

    def record_routed(
        self,
        position: int,
        made: Iterable[tuple[Notice, Message]],
        *,
        at: datetime,
        give_up_at: datetime,
        domain: str,
    ) -> int:
        """The log is routed up to `position`, and these deliveries came of it; how many.

        `domain` ends the Message-IDs of mail.
        """
        count = 0
        for notice, message in made:
            self._add_delivery(notice, message, at, give_up_at, domain)
            count += 1
        self.state.run("UPDATE routed SET position = ?", position)
        return count

    def _add_delivery(self, notice: Notice, message: Message, at: datetime, give_up_at: datetime, domain: str) -> None:
        confirmed_at = self.state.value("SELECT confirmed_at FROM subscribers WHERE id = ?", notice.subscriber.number)
        delivery_id = public_id(
            "d",
            # Never from the address: whoever is shown the id could try addresses until one fits.
            str(notice.subscriber.number),
            confirmed_at,
            notice.publication.id,
            notice.lines[0].entry.id,
        )
        message_id = delivery_id
        if notice.subscriber.channel is ChannelName.EMAIL:
            message_id = f"<{delivery_id}@{domain}>"
        number = self.state.run(
            "INSERT INTO deliveries (public_id, subscriber, publication, message, message_id, created_at,"
            " next_attempt_at, give_up_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            delivery_id,
            notice.subscriber.number,
            notice.publication.id,
            self._message(message),
            message_id,
            stamp(at),
            stamp(at),
            stamp(give_up_at),
        )
        self.state.run_many(
            "INSERT INTO delivery_entries (delivery, entry, watch) VALUES (?, ?, ?)",
            [(number, line.entry.id, watch) for line in notice.lines for watch in line.watches],
        )

    def _message(self, message: Message) -> int:
        """The number of a message, stored if it is new."""
        parts = astuple(message)
        digest = hashlib.sha256(json.dumps(parts).encode()).digest()[:16]
        known = self.state.value("SELECT id FROM messages WHERE hash = ?", digest)
        if known is not None:
            return int(known)
        return self.state.run(
            "INSERT INTO messages (subject, text, html, blocks, hash) VALUES (?, ?, ?, ?, ?)",
            *parts,
            digest,
        )

    # --- delivering ----------------------------------------------------------------------------------------

    def due(self, channel: ChannelName, now: datetime) -> tuple[Due, ...]:
        """What may be sent on a channel: waiting for its turn no longer, or under a lease, which may have ended."""
        return tuple(
            Due(
                r["id"],
                r["address"],
                moment(r["give_up_at"]),
                r["lease_token"],
                moment(r["lease_until"]) if r["lease_until"] else None,
            )
            for r in self.state.rows(
                "SELECT d.*, s.address FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
                " WHERE d.state IN ('pending', 'leased') AND s.channel = ?"
                " AND (d.state = 'leased' OR d.next_attempt_at <= ?) ORDER BY d.id",
                channel,
                stamp(now),
            )
        )

    def lease(self, due: Due, token: str, now: datetime, until: datetime) -> Delivery | None:
        """Take a delivery for sending; None if somebody was quicker, or it must wait.

        A correction waits until what it corrects is out, so that nobody reads the two in the wrong order.
        """
        taken = self.state.rows(
            """
            UPDATE deliveries SET state = 'leased', lease_token = ?, lease_until = ?, attempts = attempts + 1
            WHERE id = ? AND state IN ('pending', 'leased') AND lease_token IS ? AND next_attempt_at <= ?
              AND NOT EXISTS (
                SELECT 1 FROM delivery_entries mine
                JOIN entries note ON note.id = mine.entry
                JOIN delivery_entries theirs ON theirs.entry = note.about AND theirs.watch = mine.watch
                JOIN deliveries earlier ON earlier.id = theirs.delivery
                WHERE mine.delivery = deliveries.id AND earlier.state IN ('pending', 'leased'))
            RETURNING id
            """,
            token,
            stamp(until),
            due.number,
            due.token,
            stamp(now),
        )
        if not taken:
            return None
        r = self.state.row(
            "SELECT d.*, s.channel, s.address, m.subject, m.text, m.html, m.blocks FROM deliveries d"
            " JOIN subscribers s ON s.id = d.subscriber JOIN messages m ON m.id = d.message WHERE d.id = ?",
            due.number,
        )
        assert r is not None
        return Delivery(
            r["public_id"],
            ChannelName(r["channel"]),
            r["address"],
            _message(r),
            r["message_id"],
            moment(r["created_at"]),
            moment(r["give_up_at"]),
            r["attempts"],
            token,
        )

    def record_outcome(self, delivery: Delivery, outcome: Outcome, at: datetime) -> bool:
        """How an attempt went. False, and nothing recorded, where the lease has passed to somebody else."""
        sent_at, next_at, why = None, at, ""
        match outcome:
            case Sent():
                state, sent_at = "sent", stamp(at)
            case Again(next_at, why):
                state = "pending"
            case Dead(why):
                state = "dead"
        recorded = self.state.rows(
            "UPDATE deliveries SET state = ?, next_attempt_at = ?, sent_at = ?, last_error = ?,"
            " lease_token = NULL, lease_until = NULL"
            " WHERE public_id = ? AND state = 'leased' AND lease_token = ? RETURNING subscriber",
            state,
            stamp(next_at),
            sent_at,
            why,
            delivery.id,
            delivery.token,
        )
        for r in recorded:
            self._suppress_if_left("?", r["subscriber"])
        return bool(recorded)

    # --- for people ----------------------------------------------------------------------------------------

    def deliveries(
        self, *, states: Sequence[str] = (), id: str | None = None, limit: int | None = None
    ) -> Iterator[DeliveryRecord]:
        """Deliveries, newest first."""
        return (
            DeliveryRecord(
                r["public_id"],
                ChannelName(r["channel"]),
                r["address"],
                r["state"],
                r["publication"],
                _message(r),
                r["message_id"],
                tuple(json.loads(r["entries"])),
                moment(r["created_at"]),
                r["attempts"],
                moment(r["next_attempt_at"]),
                moment(r["sent_at"]) if r["sent_at"] else None,
                r["last_error"],
            )
            for r in self.state.rows(
                f"""
                SELECT d.*, s.channel, s.address, m.subject, m.text, m.html, m.blocks,
                       (SELECT json_group_array(DISTINCT entry) FROM delivery_entries WHERE delivery = d.id) AS entries
                FROM deliveries d JOIN subscribers s ON s.id = d.subscriber JOIN messages m ON m.id = d.message
                WHERE (? IS NULL OR d.public_id = ?) AND ({len(states)} = 0 OR d.state IN ({_marks(states)}))
                ORDER BY d.id DESC LIMIT ?
                """,
                id,
                id,
                *states,
                -1 if limit is None else limit,
            )
        )

    def retry(self, id: str, *, at: datetime, give_up_at: datetime) -> None:
        """Put a delivery that was given up, or that waits for its turn, at the head of the next run."""
        self.state.run(
            "UPDATE deliveries SET state = 'pending', attempts = 0, next_attempt_at = ?, give_up_at = ?"
            " WHERE public_id = ? AND state IN ('pending', 'dead')",
            stamp(at),
            stamp(give_up_at),
            id,
        )


def _subscriber(r: sqlite3.Row) -> Subscriber:
    return Subscriber(r["subscriber"], ChannelName(r["channel"]), r["address"])


def _message(r: sqlite3.Row) -> Message:
    return Message(r["subject"], r["text"], r["html"], r["blocks"])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
