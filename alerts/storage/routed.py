"""What is told of the log: the only SQL that makes deliveries, and that knows how far the log is routed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

from alerts.model import (
    DAYS,
    Agency,
    ChannelName,
    Digest,
    Line,
    Message,
    Notice,
    Schedule,
    Subscriber,
    Told,
    Watch,
)
from alerts.routing.digests import Turn, Turns
from alerts.storage.outbox import Ledger
from alerts.storage.schema import SCHEMA
from alerts.storage.subscribers import subscriber_of
from monitor.normalize import agency, shown, state
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.rows import public_id
from monitor.storage.schema import SCHEMA as LOG_SCHEMA

# The states of a delivery whose subscriber was told, is about to be, or may have been.
_TOLD = "'pending', 'leased', 'sent', 'ambiguous'"

# A watch's schedule by its name, as `Schedule.name` has it.
_SCHEDULE = (
    "CASE WHEN w.weekday IS NULL THEN 'daily' ELSE 'weekly ' || CASE w.weekday"
    f" {' '.join(f'WHEN {number} THEN {name!r}' for number, name in enumerate(DAYS))} END END"
    " || printf(' %02d:%02d', w.minute / 60, w.minute % 60)"
)

_AT_ONCE = 500  # values in one `IN (…)`; SQLite's default limit is far higher, older builds take 999

_Any = TypeVar("_Any")


def open_alerts(path: Path) -> Alerts:
    """The log and what is told of it, on one connection to the state.db at `path`, made or migrated where needed."""
    return Alerts(State(path, LOG_SCHEMA, SCHEMA))


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


class Alerts(Ledger):
    """All that `alerts` knows: people, the deliveries to them, and which entries of the log they are about."""

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
                f" WHERE e.entry IN ({marks(part)}) AND d.state IN ({_TOLD})"
                " AND EXISTS (SELECT 1 FROM watches w WHERE w.subscriber = d.subscriber AND w.removed_at IS NULL)"
                " ORDER BY d.id, e.watch",
                *part,
            ):
                who = r["entry"], subscriber_of(r)
                found.setdefault(who, []).append(r["watch"])
                last[who] = r["delivery"]
        told: dict[str, list[Told]] = {}
        for (entry, subscriber), watches in found.items():
            told.setdefault(entry, []).append(Told(subscriber, tuple(watches), last[entry, subscriber]))
        return told

    def told_since(self, position: int, subscribers: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """Which entries after a position each of these subscribers (at most 500) was told of, or is about to be.

        Also of the departures that were confirmed after it: whoever heard of one at once need not hear of it again.
        """
        found: dict[int, set[str]] = {}
        for r in self.state.rows(
            f"""
            SELECT w.subscriber, e.entry FROM watches w
            CROSS JOIN (SELECT id FROM entries WHERE seq > ?
                        UNION SELECT about FROM entries WHERE seq > ? AND kind = 'confirmed') l
            CROSS JOIN delivery_entries e ON e.entry = l.id AND e.watch = w.id
            JOIN deliveries d ON d.id = e.delivery
            WHERE w.subscriber IN ({marks(subscribers)}) AND d.state IN ({_TOLD})
            """,
            position,
            position,
            *subscribers,
        ):
            found.setdefault(r["subscriber"], set()).add(r["entry"])
        return {subscriber: frozenset(entries) for subscriber, entries in found.items()}

    def agencies(self, watches: Iterable[Watch]) -> dict[str, Agency]:
        """The agencies that these watches name."""
        found = {}
        for id in sorted({a for w in watches for a in w.wants.agencies or ()}):
            if names := self.log.agreements.names(id):
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
                            _names(notice),
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

    def turns(self, now: datetime, subscribers: Sequence[int] | None = None) -> Iterator[Turns]:
        """How far the digests have come; of everybody who gets any, or of these subscribers (at most 500).

        A turn that is recorded for a day which nowhere has begun was made while the clock was wrong. What it told is
        told, but it must not keep back all digests until that day.
        """
        chosen = "" if subscribers is None else f" AND w.subscriber IN ({marks(subscribers)})"
        begun = (now + timedelta(days=1)).date().isoformat()  # east of UTC it is that already
        for r in self.state.rows(
            f"""
            SELECT t.*, d.slot,
                   max(coalesce(d.position, t.starts_after),
                       coalesce((SELECT max(position) FROM digests
                                 WHERE subscriber = t.subscriber AND schedule = t.schedule AND slot > ?), 0)
                   ) AS position FROM (
                SELECT w.subscriber, s.channel, s.address, s.time_zone, w.minute, w.weekday, {_SCHEDULE} AS schedule,
                       max(min(w.added_at), s.confirmed_at) AS since, min(w.starts_after) AS starts_after
                FROM watches w JOIN subscribers s ON s.id = w.subscriber
                WHERE w.cadence <> 'instant' AND w.removed_at IS NULL
                      AND s.confirmed_at IS NOT NULL{chosen}
                GROUP BY w.subscriber, w.minute, w.weekday) t
            LEFT JOIN digests d ON d.subscriber = t.subscriber AND d.schedule = t.schedule
                 AND d.slot = (SELECT max(slot) FROM digests
                               WHERE subscriber = t.subscriber AND schedule = t.schedule AND slot <= ?)
            ORDER BY t.subscriber, t.schedule
            """,
            begun,
            *(subscribers or ()),
            begun,
        ):
            yield Turns(
                subscriber_of(r),
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
            for r in self.state.rows(f"SELECT id, confirmed_at FROM subscribers WHERE id IN ({marks(part)})", *part):
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

    def operator_keys(self) -> frozenset[str]:
        """What the operator was told, or would have been if anybody were named."""
        return frozenset(r["key"] for r in self.state.rows("SELECT key FROM operator_events"))

    def record_told(self, keys: Sequence[str], *, at: datetime, delivery: int | None) -> None:
        """These events are told, by this delivery if by any."""
        self.state.run_many(
            "INSERT INTO operator_events (key, at, delivery) VALUES (?, ?, ?)",
            [(key, stamp(at), delivery) for key in keys],
        )


def _names(notice: Notice) -> tuple[str, ...]:
    """What tells a notice from all others to its subscriber: a watch hears of an entry once.

    The entry alone would not do. One watch heard of a departure at once, in a message that was never sent; another
    hears of it when it is confirmed.
    """
    first = notice.lines[0]
    return (notice.publication.id, first.entry.id, *map(str, first.watches))


def _batches(made: Iterable[_Any]) -> Iterator[list[_Any]]:
    rest = iter(made)
    while part := list(islice(rest, _AT_ONCE)):
        yield part


def _parts(values: Sequence[_Any]) -> Iterator[Sequence[_Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
