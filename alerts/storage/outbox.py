"""The only SQL about how deliveries go: lease, outcome, and how they stand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.model import (
    Again,
    Answers,
    ChannelName,
    Dead,
    Delivery,
    Message,
    Outcome,
    PartSent,
    Sent,
)
from alerts.storage.subscribers import UNSENT, People
from monitor.storage.database import State, marks, moment, stamp

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

# Whether a delivery's time has come, and its subscriber's rest is over. Takes `now` four times. What was put off while
# the clock was ahead (by more than any pause) does not wait until that time comes: it was made then, or it would not be
# tried before it is long to be given up.
_MADE_AHEAD = "julianday(d.created_at) > julianday(?) + 7"
_HAS_WAITED = (
    f"(d.next_attempt_at <= ? OR (d.next_attempt_at >= d.created_at AND {_MADE_AHEAD}))"
    f" AND (coalesce(s.not_before, '') <= ? OR (s.not_before >= d.created_at AND {_MADE_AHEAD})"
    " OR julianday(s.not_before) > julianday(d.give_up_at) + 1)"
)

# Whether a delivery asks an address that a visitor typed: that it does not arrive is no news to anybody.
_OF_A_VISITOR = (
    "(d.purpose = 'confirmation' AND s.confirmed_at IS NULL"
    " AND EXISTS (SELECT 1 FROM confirmations c WHERE c.subscriber = d.subscriber))"
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


class Ledger(People):
    """Reads and writes deliveries, once they are made."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._last_message: tuple[int, Message] | None = None

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
                f" AND (d.state = 'leased' OR ({_HAS_WAITED}))"
                " ORDER BY d.parts_sent = 0, d.id",
                channel,
                *[stamp(now)] * 4,
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
            WHERE id = ? AND state IN ('pending', 'leased') AND lease_token IS ?
              AND {_NOT_PAUSED}
              AND EXISTS (SELECT 1 FROM deliveries d JOIN subscribers s ON s.id = d.subscriber
                          WHERE d.id = deliveries.id AND s.disabled_at IS NULL AND {_HAS_WAITED})
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
            *[stamp(now)] * 4,
            alone,
        )
        if not taken:
            return None
        r = self.state.row(
            f"SELECT d.*, s.channel, s.address, {_OF_A_VISITOR} AS of_a_visitor,"
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
            subscriber=r["subscriber"],
            of_a_visitor=bool(r["of_a_visitor"]),
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
            if state == "sent":
                self._forget_link("public_id = ?", delivery.id)
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
            f" WHEN 'email' THEN {UNSENT}"
            " ELSE CASE WHEN maybe_sent OR parts_sent THEN 'ambiguous' ELSE 'dead' END END,"
            " last_error = (SELECT disabled_why FROM subscribers s WHERE s.id = subscriber)"
            f" WHERE state = 'pending' AND {_TO_DISABLED}"
        )
        self.state.run(
            f"UPDATE deliveries SET state = {UNSENT}, last_error = 'what it takes back was never sent'"
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

    def put_off_giving_up(self, until: datetime) -> None:
        """Try what waits until then at least: the time in which nobody tried is not held against it."""
        self.state.run(
            "UPDATE deliveries SET give_up_at = max(give_up_at, ?) WHERE state IN ('pending', 'leased')", stamp(until)
        )

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
                WHERE (? IS NULL OR d.public_id = ?) AND ({len(states)} = 0 OR d.state IN ({marks(states)}))
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
            f"UPDATE deliveries SET state = {UNSENT}, last_error = ?"
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

    def unsent(self) -> tuple[UnsentRecord, ...]:
        """What was given up, oldest first; not what goes to the operator, or to an address that is disabled, or that a
        visitor typed."""
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
                " WHERE d.state IN ('dead', 'ambiguous') AND d.purpose <> 'operator'"
                f" AND s.disabled_at IS NULL AND NOT {_OF_A_VISITOR} ORDER BY d.id"
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


def _message(r: sqlite3.Row) -> Message:
    return Message(r["subject"], r["text"], r["html"], r["blocks"])
