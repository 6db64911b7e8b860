"""The only SQL about subscribers, watches and deliveries."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from alerts.digest import Turn, Turns
from alerts.model import (
    DAYS,
    Again,
    Agency,
    Answers,
    Cadence,
    ChannelName,
    Dead,
    Delivery,
    Departures,
    Digest,
    Line,
    Message,
    Notice,
    Outcome,
    PartSent,
    Schedule,
    Sent,
    Subscriber,
    Told,
    Wants,
    Watch,
)
from alerts.schema import SCHEMA
from monitor.log import Log
from monitor.model import Kind, Significance, SupportType
from monitor.normalize import agency, shown, state
from monitor.schema import SCHEMA as LOG_SCHEMA
from monitor.state import State, moment, stamp
from monitor.store import public_id

_Any = TypeVar("_Any")

# The states of a delivery whose subscriber was told, is about to be, or may have been.
_TOLD = "'pending', 'leased', 'sent', 'ambiguous'"

# What becomes of a delivery that is not to be sent any more: it may have been, or a part of it.
_UNSENT = "CASE WHEN maybe_sent OR parts_sent THEN 'ambiguous' ELSE 'suppressed' END"

_NOT_PAUSED = "(SELECT at FROM paused) IS NULL"
_TO_DISABLED = "subscriber IN (SELECT id FROM subscribers WHERE disabled_at IS NOT NULL)"

# The earlier deliveries (`earlier`) of the entries that a delivery's notes are about, as its own watches were told.
_CORRECTED = (
    "FROM delivery_entries mine JOIN entries note ON note.id = mine.entry"
    " JOIN delivery_entries theirs ON theirs.entry = note.about AND theirs.watch = mine.watch"
    " JOIN deliveries earlier ON earlier.id = theirs.delivery WHERE mine.delivery = deliveries.id"
)
# Whether all that a delivery says is that something was wrong of which its subscriber never heard.
_OF_NOTHING_TOLD = (
    "(replies_to IS NOT NULL AND NOT EXISTS (SELECT 1 FROM delivery_entries mine WHERE mine.delivery = deliveries.id"
    " AND NOT EXISTS (SELECT 1 FROM entries note"
    " JOIN delivery_entries theirs ON theirs.entry = note.about AND theirs.watch = mine.watch"
    " JOIN deliveries earlier ON earlier.id = theirs.delivery"
    " WHERE note.id = mine.entry AND earlier.state IN ('dead', 'suppressed'))))"
)

# What cannot be → a query for the ids of which it is true.
_CONTRADICTIONS = {
    "tells of a publication, and of no change": "SELECT public_id FROM deliveries d WHERE purpose = 'instant'"
    " AND NOT EXISTS (SELECT 1 FROM delivery_entries e WHERE e.delivery = d.id)",
    "is a digest of another kind than its schedule": "SELECT d.public_id FROM digests g"
    " JOIN deliveries d ON d.id = g.delivery"
    " WHERE g.schedule NOT LIKE d.purpose || '%' OR d.subscriber <> g.subscriber",
    "is a digest that nobody asked for": "SELECT public_id FROM deliveries d WHERE purpose IN ('daily', 'weekly')"
    " AND NOT EXISTS (SELECT 1 FROM digests g WHERE g.delivery = d.id)",
    "tells the operator, and is none of theirs": "SELECT o.key FROM operator_events o"
    " JOIN deliveries d ON d.id = o.delivery WHERE d.purpose <> 'operator'",
    "is routed, and not in the log": "SELECT position FROM routed"
    " WHERE position > (SELECT coalesce(max(seq), 0) FROM entries)",
    "was told, and is not routed": "SELECT DISTINCT e.entry FROM delivery_entries e JOIN entries l ON l.id = e.entry"
    " WHERE l.seq > (SELECT position FROM routed)",
    "was told, and not to be announced": "SELECT DISTINCT e.entry FROM delivery_entries e"
    " JOIN entries l ON l.id = e.entry WHERE NOT l.announce",
}

_WATCHES = (
    "SELECT w.*, s.channel, s.address, s.time_zone, s.confirmed_at, s.disabled_at, s.disabled_why"
    " FROM watches w JOIN subscribers s ON s.id = w.subscriber"
)
# A watch's schedule by its name, as `Schedule.name` has it.
_SCHEDULE = (
    "CASE WHEN w.weekday IS NULL THEN 'daily' ELSE 'weekly ' || CASE w.weekday"
    f" {' '.join(f'WHEN {number} THEN {name!r}' for number, name in enumerate(DAYS))} END END"
    " || printf(' %02d:%02d', w.minute / 60, w.minute % 60)"
)

_AT_ONCE = 500  # values in one `IN (…)`; SQLite's default limit is far higher, older builds take 999


def open_alerts(path: Path) -> Alerts:
    """The log and what is told of it, on one connection to the state.db at `path`, made or migrated where needed."""
    return Alerts(State(path, LOG_SCHEMA, SCHEMA))


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """A watch as it is kept. Nothing is sent while it is paused, or its address is not confirmed, or disabled."""

    watch: Watch
    added_at: datetime
    paused_at: datetime | None
    confirmed_at: datetime | None
    disabled_at: datetime | None
    disabled_why: str


@dataclass(frozen=True, slots=True)
class SubscriberRecord:
    """A subscriber as it is kept. `token_until`: until when the address may be confirmed, if somebody was asked to."""

    subscriber: Subscriber
    confirmed_at: datetime | None
    token_until: datetime | None
    disabled_at: datetime | None
    disabled_why: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """That an address must not be written to: since when, and why."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Posting:
    """What the deliveries of one run have in common. `domain` ends the Message-IDs of mail."""

    at: datetime
    give_up_at: datetime
    domain: str


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message to be stored for sending. `names`: what tells it from the subscriber's other deliveries."""

    subscriber: Subscriber
    purpose: str
    names: tuple[str, ...]
    message: Message
    lines: tuple[Line, ...] = ()
    publication: str | None = None
    replies_to: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be sent now, unless somebody else is quicker. `token` is that of a lease that ran out."""

    number: int
    subscriber: int
    address: str = field(repr=False)
    give_up_at: datetime
    token: str | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery as it is kept."""

    id: str
    purpose: str
    channel: ChannelName
    address: str = field(repr=False)
    state: str
    publication: str | None
    message: Message
    message_id: str
    entries: tuple[str, ...]
    created_at: datetime
    attempts: int
    maybe_sent: bool
    next_attempt_at: datetime
    sent_at: datetime | None
    last_error: str
    disabled_at: datetime | None  # since when its address takes no messages


@dataclass(frozen=True, slots=True)
class UnsentRecord:
    """A message that was given up: `dead`, or `ambiguous` where it may have arrived."""

    id: str
    channel: ChannelName
    address: str = field(repr=False)
    state: str
    why: str
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class DisabledAddress:
    """A confirmed address to which nothing is sent any more."""

    subscriber: int
    channel: ChannelName
    address: str = field(repr=False)
    at: datetime
    why: str


class Alerts:
    """Reads and writes what `alerts` knows; `log` reads what `monitor` knows, on the same connection."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.log = Log(state)
        self._last_message: tuple[int, Message] | None = None

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

    def find(self, channel: ChannelName, address: str) -> SubscriberRecord | None:
        """Who is at an address, if anybody is known there."""
        same = "lower(address) = lower(?)" if channel is ChannelName.EMAIL else "address = ?"
        r = self.state.row(
            f"SELECT *, id AS subscriber FROM subscribers WHERE channel = ? AND {same}", channel, address
        )
        if r is None:
            return None
        return SubscriberRecord(
            _subscriber(r),
            moment(r["confirmed_at"]) if r["confirmed_at"] else None,
            moment(r["token_until"]) if r["token_until"] else None,
            moment(r["disabled_at"]) if r["disabled_at"] else None,
            r["disabled_why"],
        )

    def subscriber(
        self,
        channel: ChannelName,
        address: str,
        *,
        confirmed_by: str | None,
        at: datetime,
        time_zone: str | None = None,
    ) -> Subscriber:
        """The subscriber at an address, made if there is none. `confirmed_by`: who vouches for it, None for nobody yet.

        One that was confirmed keeps its first confirmation; one that is confirmed now hears of what comes from now on.
        """
        known = self.find(channel, address)
        if known is None:
            number = self.state.run("INSERT INTO subscribers (channel, address) VALUES (?, ?)", channel, address)
        else:
            number = known.subscriber.number
        if time_zone is not None:
            self.state.run("UPDATE subscribers SET time_zone = ? WHERE id = ?", time_zone, number)
        if confirmed_by is not None and (known is None or known.confirmed_at is None):
            self._confirm(number, confirmed_by, at)
        found = self.find(channel, address)
        assert found
        return found.subscriber

    def ask(self, subscriber: Subscriber, token_hash: bytes, until: datetime) -> None:
        """Whoever has this token may confirm the address, and nobody with an earlier one."""
        self.state.run(
            "UPDATE subscribers SET token_hash = ?, token_until = ? WHERE id = ?",
            token_hash,
            stamp(until),
            subscriber.number,
        )
        self.state.run(
            "UPDATE deliveries SET state = 'suppressed', last_error = 'a newer link was asked for'"
            " WHERE subscriber = ? AND purpose = 'confirmation' AND state = 'pending'",
            subscriber.number,
        )

    def asked(self, token_hash: bytes) -> SubscriberRecord | None:
        """Whose token it is."""
        r = self.state.row("SELECT channel, address FROM subscribers WHERE token_hash = ?", token_hash)
        return self.find(ChannelName(r["channel"]), r["address"]) if r else None

    def confirm(self, subscriber: Subscriber, at: datetime) -> None:
        """The subscriber has answered: the watches begin, at the log's present position."""
        self._confirm(subscriber.number, "subscriber", at)

    def _confirm(self, number: int, by: str, at: datetime) -> None:
        self.state.run(
            "UPDATE subscribers SET confirmed_at = ?, confirmed_by = ?, token_hash = NULL, token_until = NULL"
            " WHERE id = ?",
            stamp(at),
            by,
            number,
        )
        self.state.run("UPDATE watches SET starts_after = ? WHERE subscriber = ?", self.log.position(), number)

    def add_watch(
        self,
        subscriber: Subscriber,
        wants: Wants,
        *,
        schedule: Schedule | None = None,
        empty: bool = False,
        at: datetime,
    ) -> int:
        """A watch that starts at the log's present position; its number. One that wants the same is kept instead."""
        columns = {
            "states": _json(wants.states),
            "counties": _json(wants.counties),
            "agencies": _json(wants.agencies),
            "support_types": _json(wants.support_types),
            "kinds": _json(wants.kinds),
            "significance": wants.significance,
            "departures": wants.departures,
            "cadence": schedule.cadence if schedule else Cadence.INSTANT,
            "minute": schedule.minute if schedule else None,
            "weekday": schedule.weekday if schedule else None,
            "empty": int(empty),
        }
        same = self.state.value(
            "SELECT id FROM watches WHERE subscriber = ? AND removed_at IS NULL"
            f" AND {' AND '.join(f'{name} IS ?' for name in columns)}",
            subscriber.number,
            *columns.values(),
        )
        if same is not None:
            return int(same)
        return self.state.run(
            f"INSERT INTO watches (subscriber, starts_after, added_at, {', '.join(columns)})"
            f" VALUES (?, ?, ?, {_marks([*columns])})",
            subscriber.number,
            self.log.position(),
            stamp(at),
            *columns.values(),
        )

    def watches(self, subscriber: Subscriber | None = None) -> Iterator[WatchRecord]:
        """The watches in force, of everybody or of one, in the order in which they were added: also those that hear
        nothing, because they are paused, or their address is not confirmed or takes no messages."""
        for r in self.state.rows(
            f"{_WATCHES} WHERE w.removed_at IS NULL AND (? IS NULL OR w.subscriber = ?) ORDER BY w.id",
            *[subscriber.number if subscriber else None] * 2,
        ):
            yield WatchRecord(
                _watch(r, _subscriber(r)),
                moment(r["added_at"]),
                moment(r["paused_at"]) if r["paused_at"] else None,
                moment(r["confirmed_at"]) if r["confirmed_at"] else None,
                moment(r["disabled_at"]) if r["disabled_at"] else None,
                r["disabled_why"],
            )

    def listening(self, subscribers: Sequence[int] | None = None) -> Iterator[Watch]:
        """The watches of those who are confirmed; of all, or of these subscribers (by number, at most 500)."""
        chosen = "" if subscribers is None else f" AND w.subscriber IN ({_marks(subscribers)})"
        known: dict[int, Subscriber] = {}
        for r in self.state.rows(
            f"{_WATCHES} WHERE w.removed_at IS NULL AND s.confirmed_at IS NOT NULL{chosen} ORDER BY w.id",
            *(subscribers or ()),
        ):
            if r["subscriber"] not in known:
                known[r["subscriber"]] = _subscriber(r)
            yield _watch(r, known[r["subscriber"]])

    def remove_watch(self, number: int, at: datetime) -> int:
        """End a watch. With a subscriber's last watch, what waits to be sent to them is suppressed; how many."""
        self.state.run("UPDATE watches SET removed_at = ? WHERE id = ?", stamp(at), number)
        return self._suppress_if_left("(SELECT subscriber FROM watches WHERE id = ?)", number)

    def _suppress_if_left(self, subscriber: str, *args: object) -> int:
        """Suppress what waits for a subscriber who watches nothing any more; how many."""
        return len(
            self.state.rows(
                f"""
                UPDATE deliveries SET state = {_UNSENT}, last_error = 'the subscriber left before it was sent'
                WHERE state = 'pending' AND purpose NOT IN ('operator', 'test') AND subscriber = {subscriber}
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

    def suppression(self, hash: bytes) -> Suppression | None:
        """Why an address must not be written to, if so; by its keyed hash."""
        r = self.state.row("SELECT at, why FROM suppressions WHERE hash = ?", hash)
        return Suppression(moment(r["at"]), r["why"]) if r else None

    def suppress(self, hash: bytes, at: datetime, why: str) -> None:
        """Never write to this address again. What was said first stays."""
        self.state.run("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?)", hash, stamp(at), why)

    def erase(self, subscriber: Subscriber, at: datetime, instead: str) -> None:
        """Forget who it was and what they wanted; `instead` of the address is kept, so that deliveries still add up.

        Overwritten, not only unlinked: `forget_for_good` has the last of it out of the files.
        """
        self.state.run("PRAGMA secure_delete = ON")
        self.state.run(
            "UPDATE messages SET subject = '', text = '', html = '', hash = randomblob(16) WHERE id IN"
            " (SELECT message FROM deliveries WHERE subscriber = ? AND purpose = 'confirmation')",
            subscriber.number,
        )
        self.state.run(
            f"UPDATE deliveries SET state = CASE state WHEN 'leased' THEN 'ambiguous' ELSE {_UNSENT} END,"
            " last_error = 'the subscriber was erased before it was sent', lease_token = NULL, lease_until = NULL"
            " WHERE subscriber = ? AND state IN ('pending', 'leased', 'dead')",
            subscriber.number,
        )
        self.state.run(
            "UPDATE watches SET states = NULL, counties = NULL, agencies = NULL, support_types = NULL, kinds = '[]',"
            " significance = 'substantive', departures = 'at once', cadence = 'instant', minute = NULL,"
            " weekday = NULL, empty = 0, paused_at = NULL, removed_at = coalesce(removed_at, ?) WHERE subscriber = ?",
            stamp(at),
            subscriber.number,
        )
        self.state.run(
            "UPDATE subscribers SET address = ?, time_zone = 'America/New_York', confirmed_at = NULL,"
            " confirmed_by = NULL, token_hash = NULL, token_until = NULL, not_before = NULL, disabled_at = NULL,"
            " disabled_why = '' WHERE id = ?",
            instead,
            subscriber.number,
        )

    def forget_for_good(self) -> None:
        """Empty the journal beside state.db, which still has what was overwritten. Outside of a transaction."""
        self.state.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def kept(self, subscriber: Subscriber) -> dict[str, list[dict[str, object]]]:
        """Every row that is kept about a subscriber, by table."""
        asked = {
            "subscribers": "SELECT * FROM subscribers WHERE id = ?",
            "watches": "SELECT * FROM watches WHERE subscriber = ? ORDER BY id",
            "deliveries": "SELECT d.*, m.subject, m.text FROM deliveries d JOIN messages m ON m.id = d.message"
            " WHERE d.subscriber = ? ORDER BY d.id",
            "delivery_entries": "SELECT e.* FROM delivery_entries e JOIN deliveries d ON d.id = e.delivery"
            " WHERE d.subscriber = ? ORDER BY e.delivery, e.entry, e.watch",
            "digests": "SELECT * FROM digests WHERE subscriber = ? ORDER BY schedule, slot",
        }
        return {
            table: [{name: _plain(r[name]) for name in r.keys()} for r in self.state.rows(sql, subscriber.number)]  # noqa: SIM118
            for table, sql in asked.items()
        }

    # --- routing -------------------------------------------------------------------------------------------

    def position(self) -> int:
        """The number of the last entry that was routed."""
        return int(self.state.value("SELECT position FROM routed"))

    def told(self, entries: Iterable[str]) -> Mapping[str, Sequence[Told]]:
        """Who was told of these entries, or is about to be, and still watches anything at all."""
        found: dict[tuple[str, Subscriber], list[int]] = {}
        last: dict[tuple[str, Subscriber], int] = {}
        for part in _parts(sorted(set(entries))):
            for r in self.state.rows(
                "SELECT e.entry, e.watch, e.delivery, d.subscriber, s.channel, s.address, s.time_zone"
                " FROM delivery_entries e"
                " JOIN deliveries d ON d.id = e.delivery JOIN subscribers s ON s.id = d.subscriber"
                f" WHERE e.entry IN ({_marks(part)}) AND d.state IN ({_TOLD})"
                " AND EXISTS (SELECT 1 FROM watches w WHERE w.subscriber = d.subscriber AND w.removed_at IS NULL)"
                " ORDER BY d.id, e.watch",
                *part,
            ):
                who = r["entry"], _subscriber(r)
                found.setdefault(who, []).append(r["watch"])
                last[who] = r["delivery"]
        told: dict[str, list[Told]] = {}
        for (entry, subscriber), watches in found.items():
            told.setdefault(entry, []).append(Told(subscriber, tuple(watches), last[entry, subscriber]))
        return told

    def told_since(self, position: int, subscribers: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """Which entries after a position each of these subscribers (at most 500) was told of, or is about to be."""
        found: dict[int, set[str]] = {}
        for r in self.state.rows(
            f"""
            SELECT w.subscriber, e.entry FROM watches w
            CROSS JOIN entries l
            CROSS JOIN delivery_entries e ON e.entry = l.id AND e.watch = w.id
            JOIN deliveries d ON d.id = e.delivery
            WHERE w.subscriber IN ({_marks(subscribers)}) AND l.seq > ? AND d.state IN ({_TOLD})
            """,
            *subscribers,
            position,
        ):
            found.setdefault(r["subscriber"], set()).add(r["entry"])
        return {subscriber: frozenset(entries) for subscriber, entries in found.items()}

    def agencies(self, watches: Iterable[Watch]) -> dict[str, Agency]:
        """The agencies that these watches name."""
        found = {}
        for id in sorted({a for w in watches for a in w.wants.agencies or ()}):
            if names := self.log.names(id):
                known_as = [(code, agency(name)) for cell, name in names.listed_as if (code := state(cell))]
                cell, name = names.listed_as[-1]
                found[id] = Agency(shown(name) or id, state(cell), frozenset(names.ids), frozenset(known_as))
        return found

    def record_routed(self, position: int, made: Iterable[tuple[Notice, Message]], posting: Posting) -> int:
        """The log is routed up to `position`, and these deliveries came of it; how many."""
        count = 0
        for part in _batches(made):
            count += len(
                self.add_deliveries(
                    [
                        NewDelivery(
                            notice.subscriber,
                            "instant",
                            (notice.publication.id, notice.lines[0].entry.id),
                            message,
                            notice.lines,
                            notice.publication.id,
                            notice.replies_to,
                        )
                        for notice, message in part
                    ],
                    posting,
                )
            )
        self.state.run("UPDATE routed SET position = ?", position)
        return count

    def turns(self, subscribers: Sequence[int] | None = None) -> Iterator[Turns]:
        """How far the digests have come; of everybody who gets any, or of these subscribers (at most 500)."""
        chosen = "" if subscribers is None else f" AND w.subscriber IN ({_marks(subscribers)})"
        for r in self.state.rows(
            f"""
            SELECT t.*, d.slot, coalesce(d.position, t.starts_after) AS position FROM (
                SELECT w.subscriber, s.channel, s.address, s.time_zone, w.minute, w.weekday, {_SCHEDULE} AS schedule,
                       max(min(w.added_at), s.confirmed_at) AS since, min(w.starts_after) AS starts_after
                FROM watches w JOIN subscribers s ON s.id = w.subscriber
                WHERE w.cadence <> 'instant' AND w.removed_at IS NULL
                      AND s.confirmed_at IS NOT NULL{chosen}
                GROUP BY w.subscriber, w.minute, w.weekday) t
            LEFT JOIN digests d ON d.subscriber = t.subscriber AND d.schedule = t.schedule
                 AND d.slot = (SELECT max(slot) FROM digests WHERE subscriber = t.subscriber AND schedule = t.schedule)
            ORDER BY t.subscriber, t.schedule
            """,
            *(subscribers or ()),
        ):
            yield Turns(
                _subscriber(r),
                Schedule(r["minute"], r["weekday"]),
                moment(r["since"]),
                date.fromisoformat(r["slot"]) if r["slot"] else None,
                r["position"],
            )

    def record_digests(
        self, made: Sequence[tuple[Turn, tuple[Digest, Message] | None]], position: int, posting: Posting
    ) -> int:
        """These turns are over, up to a position in the log, with these digests or nothing to say; how many digests."""
        said = [(turn, *digest) for turn, digest in made if digest]
        numbers = self.add_deliveries(
            [
                NewDelivery(
                    turn.subscriber,
                    turn.schedule.cadence,
                    (turn.schedule.name, turn.slot.isoformat()),
                    message,
                    digest.lines,
                )
                for turn, digest, message in said
            ],
            posting,
        )
        of = {id(turn): number for (turn, _, _), number in zip(said, numbers, strict=True)}
        self.state.run_many(
            "INSERT INTO digests (subscriber, schedule, slot, position, at, delivery) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    turn.subscriber.number,
                    turn.schedule.name,
                    turn.slot.isoformat(),
                    position,
                    stamp(posting.at),
                    of.get(id(turn)),
                )
                for turn, _ in made
            ],
        )
        return len(said)

    def add_deliveries(self, made: Sequence[NewDelivery], posting: Posting) -> list[int]:
        """Store messages that wait to be sent; their numbers."""
        last = self.state.value("SELECT max(seq) FROM sqlite_sequence WHERE name = 'deliveries'") or 0
        confirmed_at: dict[int, str] = {}
        for part in _parts(sorted({new.subscriber.number for new in made})):
            for r in self.state.rows(f"SELECT id, confirmed_at FROM subscribers WHERE id IN ({_marks(part)})", *part):
                confirmed_at[r["id"]] = r["confirmed_at"] or ""
        messages = {id(new.message): new.message for new in made}
        numbers = {key: self._message(message) for key, message in messages.items()}
        deliveries, entries = [], []
        for number, new in enumerate(made, start=last + 1):
            # Never from the address: whoever is shown the id could try addresses until one fits.
            who = str(new.subscriber.number), confirmed_at[new.subscriber.number]
            delivery_id = public_id("d", *who, *new.names)
            by_mail = new.subscriber.channel is ChannelName.EMAIL
            deliveries.append(
                (
                    number,
                    delivery_id,
                    new.subscriber.number,
                    new.purpose,
                    new.publication,
                    numbers[id(new.message)],
                    f"<{delivery_id}@{posting.domain}>" if by_mail else delivery_id,
                    new.replies_to,
                    stamp(posting.at),
                    stamp(posting.at),
                    stamp(posting.give_up_at),
                )
            )
            entries += [(number, line.entry.id, watch) for line in new.lines for watch in line.watches]
        self.state.run_many(
            "INSERT INTO deliveries (id, public_id, subscriber, purpose, publication, message, message_id, replies_to,"
            " created_at, next_attempt_at, give_up_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            deliveries,
        )
        self.state.run_many("INSERT INTO delivery_entries (delivery, entry, watch) VALUES (?, ?, ?)", entries)
        return [number for number, *_ in deliveries]

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

    def waiting_channels(self) -> tuple[ChannelName, ...]:
        """The channels on which anything waits or is being sent; none while everything is paused."""
        return tuple(
            ChannelName(r["channel"])
            for r in self.state.rows(
                "SELECT DISTINCT s.channel FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
                f" WHERE d.state IN ('pending', 'leased') AND {_NOT_PAUSED} ORDER BY s.channel"
            )
        )

    def due(self, channel: ChannelName, now: datetime) -> tuple[Due, ...]:
        """What may be sent on a channel: waiting for its turn no longer, or under a lease, which may have ended.

        In the order of the log, but that what was begun is brought to an end first.
        """
        return tuple(
            Due(
                r["id"],
                r["subscriber"],
                r["address"],
                moment(r["give_up_at"]),
                r["lease_token"],
                moment(r["lease_until"]) if r["lease_until"] else None,
            )
            for r in self.state.rows(
                "SELECT d.id, d.subscriber, d.give_up_at, d.lease_token, d.lease_until, s.address"
                " FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
                f" WHERE d.state IN ('pending', 'leased') AND s.channel = ? AND {_NOT_PAUSED}"
                " AND (d.state = 'leased' OR (d.next_attempt_at <= ? AND coalesce(s.not_before, '') <= ?))"
                " ORDER BY d.parts_sent = 0, d.id",
                channel,
                *[stamp(now)] * 2,
            )
        )

    def next_due(self, channel: ChannelName, now: datetime) -> datetime | None:
        """When something on a channel has waited for long enough, after `now`."""
        at = self.state.value(
            "SELECT min(max(d.next_attempt_at, coalesce(s.not_before, ''))) FROM deliveries d"
            " JOIN subscribers s ON s.id = d.subscriber"
            f" WHERE d.state IN ('pending', 'leased') AND s.channel = ? AND {_NOT_PAUSED}"
            " AND max(d.next_attempt_at, coalesce(s.not_before, '')) > ?",
            channel,
            stamp(now),
        )
        return moment(at) if at else None

    def lease(self, due: Due, token: str, now: datetime, until: datetime, *, alone: bool = False) -> Delivery | None:
        """Take a delivery for sending; None if somebody was quicker, or it must wait.

        A correction waits until what it corrects is out, so that nobody reads the two in the wrong order. `alone`: so
        that no other message is under way to the same subscriber.
        """
        taken = self.state.rows(
            f"""
            UPDATE deliveries SET state = 'leased', lease_token = ?, lease_until = ?, attempts = attempts + 1,
                                  maybe_sent = max(maybe_sent, lease_token IS NOT NULL)
            WHERE id = ? AND state IN ('pending', 'leased') AND lease_token IS ? AND next_attempt_at <= ?
              AND {_NOT_PAUSED}
              AND EXISTS (SELECT 1 FROM subscribers s WHERE s.id = deliveries.subscriber
                          AND coalesce(s.not_before, '') <= ? AND s.disabled_at IS NULL)
              AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE ? AND o.subscriber = deliveries.subscriber
                              AND o.state = 'leased' AND o.id <> deliveries.id)
              AND NOT EXISTS (SELECT 1 {_CORRECTED} AND earlier.state IN ('pending', 'leased'))
              AND NOT {_OF_NOTHING_TOLD}
            RETURNING id
            """,
            token,
            stamp(until),
            due.number,
            due.token,
            stamp(now),
            stamp(now),
            alone,
        )
        if not taken:
            return None
        r = self.state.row(
            "SELECT d.*, s.channel, s.address,"
            " a.message_id AS answers_message_id, a.external_id AS answers_external_id"
            " FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
            " LEFT JOIN deliveries a ON a.id = d.replies_to WHERE d.id = ?",
            due.number,
        )
        assert r is not None
        return Delivery(
            id=r["public_id"],
            channel=ChannelName(r["channel"]),
            address=r["address"],
            message=self._stored_message(r["message"]),
            message_id=r["message_id"],
            created_at=moment(r["created_at"]),
            give_up_at=moment(r["give_up_at"]),
            attempts=r["attempts"],
            token=token,
            parts_sent=r["parts_sent"],
            external_id=r["external_id"],
            answers=Answers(r["answers_message_id"], r["answers_external_id"]) if r["replies_to"] else None,
            maybe_sent=bool(r["maybe_sent"]),
        )

    def _stored_message(self, number: int) -> Message:
        """A message by its number. Many get the same, one after another: it is read once."""
        if self._last_message is None or self._last_message[0] != number:
            r = self.state.row("SELECT * FROM messages WHERE id = ?", number)
            assert r is not None
            self._last_message = number, _message(r)
        return self._last_message[1]

    def release(self, delivery: Delivery) -> None:
        """Give a lease back under which nothing was tried."""
        self.state.run(
            "UPDATE deliveries SET state = 'pending', attempts = attempts - 1, lease_token = NULL, lease_until = NULL"
            " WHERE public_id = ? AND state = 'leased' AND lease_token = ?",
            delivery.id,
            delivery.token,
        )

    def give_up_lost(self, due: Due, why: str) -> bool:
        """Give up a delivery whose last lease ended without an outcome; False if somebody was quicker."""
        return bool(
            self.state.rows(
                "UPDATE deliveries SET state = 'ambiguous', maybe_sent = 1, last_error = ?,"
                " lease_token = NULL, lease_until = NULL"
                " WHERE id = ? AND state = 'leased' AND lease_token IS ? RETURNING id",
                why,
                due.number,
                due.token,
            )
        )

    def record_outcome(
        self,
        delivery: Delivery,
        outcome: Outcome,
        at: datetime,
        *,
        rest_until: datetime | None = None,
        address_hash: bytes | None = None,
    ) -> bool:
        """How an attempt went. False, and nothing recorded, where the lease has passed to somebody else.

        `rest_until`: nothing more goes to this subscriber until then. Of an address that is gone, everything else that
        waits for it is settled in the same commit, and if it is known by a hash it is not written to any more even once
        it is forgotten.
        """
        sent_at, next_at, why, maybe_sent, parts, external_id = None, at, "", False, 0, ""
        match outcome:
            case Sent(external_id):
                state, sent_at, parts = "sent", stamp(at), 1
            case PartSent(external_id):
                state, parts = "pending", 1
            case Again(next_at, why, maybe_sent):
                state = "pending"
            case Dead(why, maybe_sent):
                state = "ambiguous" if maybe_sent else "dead"
        recorded = self.state.rows(
            "UPDATE deliveries SET state = ?, next_attempt_at = ?, sent_at = ?, last_error = ?,"
            " maybe_sent = max(maybe_sent, ?), parts_sent = parts_sent + ?,"
            " external_id = CASE external_id WHEN '' THEN ? ELSE external_id END,"
            " lease_token = NULL, lease_until = NULL"
            " WHERE public_id = ? AND state = 'leased' AND lease_token = ? RETURNING subscriber",
            state,
            stamp(next_at),
            sent_at,
            why,
            maybe_sent,
            parts,
            external_id,
            delivery.id,
            delivery.token,
        )
        for r in recorded:
            if rest_until:
                self.state.run("UPDATE subscribers SET not_before = ? WHERE id = ?", stamp(rest_until), r["subscriber"])
            if state == "pending":
                self._suppress_if_left("?", r["subscriber"])
            if isinstance(outcome, Dead) and outcome.gone:
                self._disable(r["subscriber"], why, at)
                if address_hash:
                    self.state.run(
                        "INSERT OR IGNORE INTO suppressions (hash, at, why) VALUES (?, ?, 'no such address')",
                        address_hash,
                        stamp(at),
                    )
        return bool(recorded)

    def _disable(self, subscriber: int, why: str, at: datetime) -> None:
        """An address takes no messages any more; what waits for it is settled."""
        self.state.run(
            "UPDATE subscribers SET disabled_at = ?, disabled_why = ? WHERE id = ? AND disabled_at IS NULL",
            stamp(at),
            why,
            subscriber,
        )
        self.settle()

    def enable(self, delivery: str, address_hash: bytes) -> bool:
        """Write to the address of a delivery again, since somebody has mended it; whether it was disabled."""
        self.state.run("DELETE FROM suppressions WHERE hash = ? AND why = 'no such address'", address_hash)
        return bool(
            self.state.rows(
                "UPDATE subscribers SET disabled_at = NULL, disabled_why = '' WHERE disabled_at IS NOT NULL"
                " AND id = (SELECT subscriber FROM deliveries WHERE public_id = ?) RETURNING id",
                delivery,
            )
        )

    def is_settled(self) -> bool:
        """Whether nothing waits that is not to be sent any more."""
        return not self.state.value(
            f"SELECT 1 FROM deliveries WHERE state = 'pending' AND ({_TO_DISABLED} OR {_OF_NOTHING_TOLD}) LIMIT 1"
        )

    def settle(self) -> None:
        """Put aside what waits for a disabled address, and corrections of what was never sent."""
        self.state.run(
            "UPDATE deliveries SET state = CASE (SELECT channel FROM subscribers s WHERE s.id = subscriber)"
            f" WHEN 'email' THEN {_UNSENT}"
            " ELSE CASE WHEN maybe_sent OR parts_sent THEN 'ambiguous' ELSE 'dead' END END,"
            " last_error = (SELECT disabled_why FROM subscribers s WHERE s.id = subscriber)"
            f" WHERE state = 'pending' AND {_TO_DISABLED}"
        )
        self.state.run(
            f"UPDATE deliveries SET state = {_UNSENT}, last_error = 'what it takes back was never sent'"
            f" WHERE state = 'pending' AND {_OF_NOTHING_TOLD}"
        )

    def try_writing(self) -> None:
        """Write something that changes nothing: an error where the file or its disk cannot be written."""
        self.state.run("UPDATE routed SET position = position")

    def paused_at(self) -> datetime | None:
        """Since when everything is held back; None: it is not."""
        at = self.state.value("SELECT at FROM paused")
        return moment(at) if at else None

    def pause(self, at: datetime) -> None:
        """Hold back everything, from the next message on."""
        self.state.run("UPDATE paused SET at = coalesce(at, ?)", stamp(at))

    def resume(self) -> None:
        """Send again what waits."""
        self.state.run("UPDATE paused SET at = NULL")

    # --- for people ----------------------------------------------------------------------------------------

    def deliveries(
        self, *, states: Sequence[str] = (), id: str | None = None, limit: int | None = None
    ) -> Iterator[DeliveryRecord]:
        """Deliveries, newest first."""
        return (
            DeliveryRecord(
                id=r["public_id"],
                purpose=r["purpose"],
                channel=ChannelName(r["channel"]),
                address=r["address"],
                state=r["state"],
                publication=r["publication"],
                message=_message(r),
                message_id=r["message_id"],
                entries=tuple(json.loads(r["entries"])),
                created_at=moment(r["created_at"]),
                attempts=r["attempts"],
                maybe_sent=bool(r["maybe_sent"]),
                next_attempt_at=moment(r["next_attempt_at"]),
                sent_at=moment(r["sent_at"]) if r["sent_at"] else None,
                last_error=r["last_error"],
                disabled_at=moment(r["disabled_at"]) if r["disabled_at"] else None,
            )
            for r in self.state.rows(
                f"""
                SELECT d.*, s.channel, s.address, s.disabled_at, m.subject, m.text, m.html, m.blocks,
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
            " WHERE public_id = ? AND state IN ('pending', 'dead', 'ambiguous')",
            stamp(at),
            stamp(give_up_at),
            id,
        )

    def drop(self, id: str, why: str) -> None:
        """Send a delivery that waits or was given up no more; one of which something may have arrived stays that."""
        self.state.run(
            f"UPDATE deliveries SET state = {_UNSENT}, last_error = ?"
            " WHERE public_id = ? AND state IN ('pending', 'dead')",
            why,
            id,
        )

    def ledger(self) -> Mapping[str, Mapping[str, int]]:
        """How many deliveries there are, by purpose and state."""
        counts: dict[str, dict[str, int]] = {}
        for r in self.state.rows(
            "SELECT purpose, state, count(*) AS count FROM deliveries GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            counts.setdefault(r["purpose"], {})[r["state"]] = r["count"]
        return counts

    def entries_told(self) -> Iterator[tuple[str, int, Mapping[str, int]]]:
        """Each entry that was routed to anybody: to how many watches, and how many of those by the delivery's state."""
        for r in self.state.rows(
            """
            SELECT entry, sum(n) AS routed, json_group_object(coalesce(state, 'nowhere'), n) AS states
            FROM (SELECT e.entry, d.state, count(*) AS n FROM delivery_entries e
                  LEFT JOIN deliveries d ON d.id = e.delivery GROUP BY 1, 2)
            GROUP BY entry ORDER BY entry
            """
        ):
            yield r["entry"], r["routed"], json.loads(r["states"])

    def contradictions(self) -> tuple[str, ...]:
        """What cannot be, in words; nothing where all is well. Reads the whole file."""
        found = [f"damaged: {r[0]}" for r in self.state.rows("PRAGMA integrity_check") if r[0] != "ok"]
        found += [
            f"{r['table']}: a row refers to {r['parent']} that are not there"
            for r in self.state.rows("PRAGMA foreign_key_check")
        ]
        for what, sql in _CONTRADICTIONS.items():
            found += [f"{r[0]}: {what}" for r in self.state.rows(sql)]
        return tuple(found)

    # --- for the operator ----------------------------------------------------------------------------------

    def unsent(self) -> tuple[UnsentRecord, ...]:
        """What was given up, oldest first; not what goes to the operator, nor to an address that is disabled."""
        return tuple(
            UnsentRecord(
                r["public_id"],
                ChannelName(r["channel"]),
                r["address"],
                r["state"],
                r["last_error"],
                moment(r["give_up_at"]),
            )
            for r in self.state.rows(
                "SELECT d.public_id, s.channel, s.address, d.state, d.last_error, d.give_up_at"
                " FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
                " WHERE d.state IN ('dead', 'ambiguous') AND d.purpose NOT IN ('operator', 'test')"
                " AND s.disabled_at IS NULL ORDER BY d.id"
            )
        )

    def disabled(self) -> tuple[DisabledAddress, ...]:
        """The confirmed addresses to which nothing is sent any more, in the order in which that was found."""
        return tuple(
            DisabledAddress(
                r["id"], ChannelName(r["channel"]), r["address"], moment(r["disabled_at"]), r["disabled_why"]
            )
            for r in self.state.rows(
                "SELECT * FROM subscribers WHERE disabled_at IS NOT NULL AND confirmed_at IS NOT NULL"
                " ORDER BY disabled_at, id"
            )
        )

    def operator_keys(self) -> frozenset[str]:
        """What the operator was told, or would have been if anybody were named."""
        return frozenset(r["key"] for r in self.state.rows("SELECT key FROM operator_events"))

    def record_told(self, keys: Sequence[str], *, at: datetime, delivery: int | None) -> None:
        """These events are told, by this delivery if by any."""
        self.state.run_many(
            "INSERT INTO operator_events (key, at, delivery) VALUES (?, ?, ?)",
            [(key, stamp(at), delivery) for key in keys],
        )

    def add_operator_delivery(
        self, subscriber: Subscriber, key: str, message: Message, *, at: datetime, give_up_at: datetime, domain: str
    ) -> int:
        """A message for the operator, told from their others by the key of what it says; its number."""
        delivery_id = public_id("d", str(subscriber.number), "operator", key)
        return self.state.run(
            "INSERT INTO deliveries (public_id, subscriber, purpose, message, message_id, created_at, next_attempt_at,"
            " give_up_at) VALUES (?, ?, 'operator', ?, ?, ?, ?, ?)",
            delivery_id,
            subscriber.number,
            self._message(message),
            f"<{delivery_id}@{domain}>" if subscriber.channel is ChannelName.EMAIL else delivery_id,
            stamp(at),
            stamp(at),
            stamp(give_up_at),
        )


def _subscriber(r: sqlite3.Row) -> Subscriber:
    return Subscriber(r["subscriber"], ChannelName(r["channel"]), r["address"], r["time_zone"])


def _watch(r: sqlite3.Row, subscriber: Subscriber) -> Watch:
    wants = Wants(
        _set(r["states"]),
        _kinds(r["kinds"]),
        Significance(r["significance"]),
        _set(r["counties"]),
        _set(r["agencies"]),
        _support_types(r["support_types"]),
        Departures(r["departures"]),
    )
    schedule = None if r["minute"] is None else Schedule(r["minute"], r["weekday"])
    empty, paused = bool(r["empty"]), r["paused_at"] is not None
    return Watch(r["id"], subscriber, wants, schedule, empty, r["starts_after"], paused)


# Thousands of watches want the same: they share one value.


@lru_cache(maxsize=4096)
def _set(text: str | None) -> frozenset[Any] | None:
    """A JSON array; None for none."""
    return None if text is None else frozenset(tuple(e) if isinstance(e, list) else e for e in json.loads(text))


@lru_cache(maxsize=256)
def _kinds(text: str) -> frozenset[Kind]:
    return frozenset(map(Kind, json.loads(text)))


@lru_cache(maxsize=256)
def _support_types(text: str | None) -> frozenset[SupportType] | None:
    return None if text is None else frozenset(map(SupportType, json.loads(text)))


def _json(values: Collection[Any] | None) -> str | None:
    """A set as it is stored: equal sets give equal text."""
    return None if values is None else json.dumps(sorted(values))


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _batches(made: Iterable[_Any]) -> Iterator[list[_Any]]:
    rest = iter(made)
    while part := list(islice(rest, _AT_ONCE)):
        yield part


def _message(r: sqlite3.Row) -> Message:
    return Message(r["subject"], r["text"], r["html"], r["blocks"])


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _parts(values: Sequence[_Any]) -> Iterator[Sequence[_Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
