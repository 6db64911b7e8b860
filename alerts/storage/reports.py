"""Reads figures about deliveries for operators, subscribers and the pages. Writes nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.model import ChannelName, Message, Subscriber
from alerts.storage.messages import message_of
from alerts.storage.outbox import OF_A_VISITOR
from monitor.storage.database import State, marks, moment

# What must never be so → a query for the ids for which it is.
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


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A stored delivery."""

    id: str
    subscriber: int
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


@dataclass(frozen=True, slots=True)
class Overview:
    """How many deliveries there are in each state; and since when sending is paused, if it is."""

    counts: Mapping[str, int]
    paused_at: datetime | None


class Reports:
    """Counts and lists of deliveries, and what is stored about a subscriber."""

    def __init__(self, state: State) -> None:
        self._state = state

    def deliveries(
        self, *, states: Sequence[str] = (), id: str | None = None, limit: int | None = None
    ) -> Iterator[DeliveryRecord]:
        """Deliveries, newest first."""
        return (
            DeliveryRecord(
                id=r["public_id"],
                subscriber=r["subscriber"],
                purpose=r["purpose"],
                channel=ChannelName(r["channel"]),
                address=r["address"],
                state=r["state"],
                publication=r["publication"],
                message=message_of(r),
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
            for r in self._state.rows(
                f"""
                SELECT d.*, s.channel, s.address, s.disabled_at, m.subject, m.text, m.html, m.blocks,
                       (SELECT json_group_array(DISTINCT entry) FROM delivery_entries WHERE delivery = d.id) AS entries
                FROM deliveries d JOIN subscribers s ON s.id = d.subscriber JOIN messages m ON m.id = d.message
                WHERE (? IS NULL OR d.public_id = ?) AND ({len(states)} = 0 OR d.state IN ({marks(states)}))
                ORDER BY d.id DESC LIMIT ?
                """,
                id,
                id,
                *states,
                -1 if limit is None else limit,
            )
        )

    def paused_at(self) -> datetime | None:
        """Since when sending is paused; None if it is not."""
        at = self._state.value("SELECT at FROM paused")
        return moment(at) if at else None

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """How many deliveries there are, by purpose and state."""
        by_purpose: dict[str, dict[str, int]] = {}
        for r in self._state.rows(
            "SELECT purpose, state, count(*) AS count FROM deliveries GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            by_purpose.setdefault(r["purpose"], {})[r["state"]] = r["count"]
        return by_purpose

    def entries_told(self) -> Iterator[tuple[str, int, Mapping[str, int]]]:
        """Each entry that was routed: to how many watches, and how many of those by the delivery's state."""
        for r in self._state.rows(
            """
            SELECT entry, sum(n) AS routed, json_group_object(coalesce(state, 'nowhere'), n) AS states
            FROM (SELECT e.entry, d.state, count(*) AS n FROM delivery_entries e
                  LEFT JOIN deliveries d ON d.id = e.delivery GROUP BY 1, 2)
            GROUP BY entry ORDER BY entry
            """
        ):
            yield r["entry"], r["routed"], json.loads(r["states"])

    def contradictions(self) -> tuple[str, ...]:
        """What is inconsistent in state.db, in words; empty if nothing is. Reads the whole file."""
        contradictions = [f"damaged: {r[0]}" for r in self._state.rows("PRAGMA integrity_check") if r[0] != "ok"]
        contradictions += [
            f"{r['table']}: a row refers to {r['parent']} that are not there"
            for r in self._state.rows("PRAGMA foreign_key_check")
        ]
        for what, sql in _CONTRADICTIONS.items():
            contradictions += [f"{r[0]}: {what}" for r in self._state.rows(sql)]
        return tuple(contradictions)

    def unsent(self) -> tuple[UnsentRecord, ...]:
        """What was given up, oldest first; without deliveries to the operator, to disabled addresses, and to addresses
        that a visitor typed."""
        return tuple(
            UnsentRecord(
                r["public_id"],
                ChannelName(r["channel"]),
                r["address"],
                r["state"],
                r["last_error"],
                moment(r["give_up_at"]),
            )
            for r in self._state.rows(
                "SELECT d.public_id, s.channel, s.address, d.state, d.last_error, d.give_up_at"
                " FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
                " WHERE d.state IN ('dead', 'ambiguous') AND d.purpose <> 'operator'"
                f" AND s.disabled_at IS NULL AND NOT {OF_A_VISITOR} ORDER BY d.id"
            )
        )

    def disabled(self) -> tuple[DisabledAddress, ...]:
        """The confirmed addresses that are disabled, in the order in which they were disabled."""
        return tuple(
            DisabledAddress(
                r["id"], ChannelName(r["channel"]), r["address"], moment(r["disabled_at"]), r["disabled_why"]
            )
            for r in self._state.rows(
                "SELECT * FROM subscribers WHERE disabled_at IS NOT NULL AND confirmed_at IS NOT NULL"
                " ORDER BY disabled_at, id"
            )
        )

    def stored(self, subscriber: Subscriber) -> dict[str, list[dict[str, object]]]:
        """Every row that is stored about a subscriber, by table."""
        queries = {
            "subscribers": "SELECT * FROM subscribers WHERE id = ?",
            "watches": "SELECT * FROM watches WHERE subscriber = ? ORDER BY id",
            "deliveries": "SELECT d.*, m.subject, m.text FROM deliveries d JOIN messages m ON m.id = d.message"
            " WHERE d.subscriber = ? ORDER BY d.id",
            "delivery_entries": "SELECT e.* FROM delivery_entries e JOIN deliveries d ON d.id = e.delivery"
            " WHERE d.subscriber = ? ORDER BY e.delivery, e.entry, e.watch",
            "confirmations": "SELECT * FROM confirmations WHERE subscriber = ? ORDER BY until",
            "digests": "SELECT * FROM digests WHERE subscriber = ? ORDER BY schedule, slot",
        }
        return {
            table: [{name: _plain(r[name]) for name in r.keys()} for r in self._state.rows(sql, subscriber.number)]  # noqa: SIM118
            for table, sql in queries.items()
        }


def overview(state: State) -> Overview:
    """The overview of a state.db, also of one that has no tables of `alerts`."""
    tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('deliveries', 'paused')"
    if state.value(tables) != 2:
        return Overview({}, None)
    reports = Reports(state)
    counts: Counter[str] = Counter()
    for states in reports.counts().values():
        counts.update(states)
    return Overview(dict(counts), reports.paused_at())


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
