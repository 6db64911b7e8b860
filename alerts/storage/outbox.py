"""Reads and writes the tables `deliveries`, `delivery_entries` and `paused`, which no other module writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from alerts.model import ChannelName, CorrectedDelivery, Dead, Delivery, DeliveryOutcome, PartSent, Retry, Sent
from alerts.storage.messages import DeliveryTerms, Messages, NewDelivery
from alerts.storage.subscribers import Subscribers
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.rows import public_id

_NOT_PAUSED = "(SELECT at FROM paused) IS NULL"

_TO_DISABLED = "subscriber IN (SELECT id FROM subscribers WHERE disabled_at IS NOT NULL)"

# The state of a delivery that is not sent any more: an attempt may have sent it, or a part of it.
_UNSENT = "CASE WHEN maybe_sent OR parts_sent THEN 'ambiguous' ELSE 'suppressed' END"

# The earlier deliveries (`earlier`) of the entries that a delivery's notes are about, for the same watches.
_CORRECTED = (
    "FROM delivery_entries mine JOIN entries note ON note.id = mine.entry"
    " JOIN delivery_entries theirs ON theirs.entry = note.about AND theirs.watch = mine.watch"
    " JOIN deliveries earlier ON earlier.id = theirs.delivery WHERE mine.delivery = deliveries.id"
)

# Whether a delivery only corrects messages that its subscriber never got.
_CORRECTS_NOTHING_SENT = (
    "(replies_to IS NOT NULL AND NOT EXISTS (SELECT 1 FROM delivery_entries mine WHERE mine.delivery = deliveries.id"
    " AND NOT EXISTS (SELECT 1 FROM entries note"
    " JOIN delivery_entries theirs ON theirs.entry = note.about AND theirs.watch = mine.watch"
    " JOIN deliveries earlier ON earlier.id = theirs.delivery"
    " WHERE note.id = mine.entry AND earlier.state IN ('dead', 'suppressed'))))"
)

# Whether the next attempt is due, and its subscriber may be sent something. Takes `now` four times. What was created
# while the clock was ahead (by more than any pause) does not wait for that time.
_MADE_AHEAD = "julianday(d.created_at) > julianday(?) + 7"
_HAS_WAITED = (
    f"(d.next_attempt_at <= ? OR (d.next_attempt_at >= d.created_at AND {_MADE_AHEAD}))"
    f" AND (coalesce(s.not_before, '') <= ? OR (s.not_before >= d.created_at AND {_MADE_AHEAD})"
    " OR julianday(s.not_before) > julianday(d.give_up_at) + 1)"
)

# Whether a delivery (`d`) goes to an address that a visitor typed (`s`). If it fails, the operator is not told.
OF_A_VISITOR = (
    "(d.purpose = 'confirmation' AND s.confirmed_at IS NULL"
    " AND EXISTS (SELECT 1 FROM confirmations c WHERE c.subscriber = d.subscriber))"
)

_BATCH = 500  # values in one `IN (…)`; SQLite's default limit is far higher, older builds take 999

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that may be leased now. `token`: of an earlier lease that has not ended by an outcome."""

    number: int
    subscriber: int
    address: str = field(repr=False)
    give_up_at: datetime
    token: str | None
    lease_until: datetime | None


class Outbox:
    """Messages that wait to be sent, the leases under which they are sent, and how it went."""

    def __init__(self, state: State, subscribers: Subscribers, messages: Messages) -> None:
        self._state, self._subscribers, self._messages = state, subscribers, messages

    def add(self, new: Sequence[NewDelivery], terms: DeliveryTerms) -> list[int]:
        """Store messages that wait to be sent; their numbers."""
        last = self._state.value("SELECT max(seq) FROM sqlite_sequence WHERE name = 'deliveries'") or 0
        confirmed_at: dict[int, str] = {}
        for numbers in batched(sorted({each.subscriber.number for each in new})):
            confirmed = f"SELECT id, confirmed_at FROM subscribers WHERE id IN ({marks(numbers)})"
            for r in self._state.rows(confirmed, *numbers):
                confirmed_at[r["id"]] = r["confirmed_at"] or ""
        messages = {id(each.message): each.message for each in new}
        message_numbers = {key: self._messages.store(message) for key, message in messages.items()}
        deliveries, entries = [], []
        for number, each in enumerate(new, start=last + 1):
            # Never made from the address: anyone who sees the id could try addresses until one fits.
            who = str(each.subscriber.number), confirmed_at[each.subscriber.number]
            delivery_id = public_id("d", *who, *each.names)
            by_mail = each.subscriber.channel is ChannelName.EMAIL
            deliveries.append(
                (
                    number,
                    delivery_id,
                    each.subscriber.number,
                    each.purpose,
                    each.publication,
                    message_numbers[id(each.message)],
                    f"<{delivery_id}@{terms.domain}>" if by_mail else delivery_id,
                    each.replies_to,
                    stamp(terms.at),
                    stamp(terms.at),
                    stamp(terms.give_up_at),
                )
            )
            entries += [(number, line.entry.id, watch) for line in each.lines for watch in line.watches]
        self._state.run_many(
            "INSERT INTO deliveries (id, public_id, subscriber, purpose, publication, message, message_id, replies_to,"
            " created_at, next_attempt_at, give_up_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            deliveries,
        )
        self._state.run_many("INSERT INTO delivery_entries (delivery, entry, watch) VALUES (?, ?, ?)", entries)
        return [number for number, *_ in deliveries]

    def waiting_channels(self) -> tuple[ChannelName, ...]:
        """The channels on which anything waits or is being sent; none while everything is paused."""
        return tuple(
            ChannelName(r["channel"])
            for r in self._state.rows(
                "SELECT DISTINCT s.channel FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
                f" WHERE d.state IN ('pending', 'leased') AND {_NOT_PAUSED} ORDER BY s.channel"
            )
        )

    def due(self, channel: ChannelName, now: datetime) -> tuple[DueDelivery, ...]:
        """The deliveries on a channel that are due, or leased; a lease may have expired.

        In the order of the log, but those of which a part was sent come first.
        """
        return tuple(
            DueDelivery(
                r["id"],
                r["subscriber"],
                r["address"],
                moment(r["give_up_at"]),
                r["lease_token"],
                moment(r["lease_until"]) if r["lease_until"] else None,
            )
            for r in self._state.rows(
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
        """When the next delivery on a channel is due, after `now`."""
        at = self._state.value(
            "SELECT min(max(d.next_attempt_at, coalesce(s.not_before, ''))) FROM deliveries d"
            " JOIN subscribers s ON s.id = d.subscriber"
            f" WHERE d.state IN ('pending', 'leased') AND s.channel = ? AND {_NOT_PAUSED}"
            " AND max(d.next_attempt_at, coalesce(s.not_before, '')) > ?",
            channel,
            stamp(now),
        )
        return moment(at) if at else None

    def lease(
        self, due: DueDelivery, token: str, now: datetime, until: datetime, *, alone: bool = False
    ) -> Delivery | None:
        """Lease a delivery for sending; None if another process was quicker, or it must wait.

        A correction waits until what it corrects was sent, so that nobody gets the two in the wrong order. `alone`:
        not while another message to the same subscriber is leased.
        """
        taken = self._state.rows(
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
              AND NOT {_CORRECTS_NOTHING_SENT}
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
        r = self._state.row(
            f"SELECT d.*, s.channel, s.address, {OF_A_VISITOR} AS of_a_visitor,"
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
            message=self._messages.get(r["message"]),
            message_id=r["message_id"],
            created_at=moment(r["created_at"]),
            give_up_at=moment(r["give_up_at"]),
            attempts=r["attempts"],
            token=token,
            parts_sent=r["parts_sent"],
            external_id=r["external_id"],
            answers=CorrectedDelivery(r["answers_message_id"], r["answers_external_id"]) if r["replies_to"] else None,
            maybe_sent=bool(r["maybe_sent"]),
            subscriber=r["subscriber"],
            of_a_visitor=bool(r["of_a_visitor"]),
        )

    def release(self, delivery: Delivery) -> None:
        """End a lease under which nothing was tried."""
        self._state.run(
            "UPDATE deliveries SET state = 'pending', attempts = attempts - 1, lease_token = NULL, lease_until = NULL"
            " WHERE public_id = ? AND state = 'leased' AND lease_token = ?",
            delivery.id,
            delivery.token,
        )

    def give_up_lost(self, due: DueDelivery, why: str) -> bool:
        """Give up a delivery whose last lease ended without an outcome; False if another process was quicker."""
        return bool(
            self._state.rows(
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
        outcome: DeliveryOutcome,
        at: datetime,
        *,
        rest_until: datetime | None = None,
        address_hash: bytes | None = None,
    ) -> bool:
        """Record how an attempt went. False, and nothing recorded, if the lease has passed to another process.

        `rest_until`: nothing more is sent to this subscriber until then. If the address takes no messages any more, it
        is disabled, and suppressed under `address_hash` so that it stays so after it is erased.
        """
        sent_at, next_at, why, maybe_sent, parts, external_id = None, at, "", False, 0, ""
        match outcome:
            case Sent(external_id):
                state, sent_at, parts = "sent", stamp(at), 1
            case PartSent(external_id):
                state, parts = "pending", 1
            case Retry(next_at, why, maybe_sent):
                state = "pending"
            case Dead(why, maybe_sent):
                state = "ambiguous" if maybe_sent else "dead"
        recorded = self._state.rows(
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
                self._subscribers.send_nothing_until(r["subscriber"], rest_until)
            if state == "sent":
                self._messages.remove_links("public_id = ?", delivery.id)
            if state == "pending":
                self.suppress_if_unwatched(r["subscriber"])
            if isinstance(outcome, Dead) and outcome.gone:
                self._subscribers.disable(r["subscriber"], why, at)
                self.settle()
                if address_hash:
                    self._subscribers.suppress(address_hash, at, "no such address")
        return bool(recorded)

    def is_settled(self) -> bool:
        """Whether `settle` has nothing to do."""
        return not self._state.value(
            f"SELECT 1 FROM deliveries WHERE state = 'pending' AND ({_TO_DISABLED} OR {_CORRECTS_NOTHING_SENT}) LIMIT 1"
        )

    def settle(self) -> None:
        """End what waits for a disabled address, and corrections of messages that were never sent."""
        self._state.run(
            "UPDATE deliveries SET state = CASE (SELECT channel FROM subscribers s WHERE s.id = subscriber)"
            f" WHEN 'email' THEN {_UNSENT}"
            " ELSE CASE WHEN maybe_sent OR parts_sent THEN 'ambiguous' ELSE 'dead' END END,"
            " last_error = (SELECT disabled_why FROM subscribers s WHERE s.id = subscriber)"
            f" WHERE state = 'pending' AND {_TO_DISABLED}"
        )
        self._state.run(
            f"UPDATE deliveries SET state = {_UNSENT}, last_error = 'what it takes back was never sent'"
            f" WHERE state = 'pending' AND {_CORRECTS_NOTHING_SENT}"
        )

    def suppress_if_unwatched(self, subscriber: int) -> int:
        """Suppress what waits for a subscriber who has no watch any more; how many deliveries."""
        return len(
            self._state.rows(
                f"""
                UPDATE deliveries SET state = {_UNSENT}, last_error = 'the subscriber left before it was sent'
                WHERE state = 'pending' AND purpose <> 'operator' AND subscriber = ?
                  AND NOT EXISTS (SELECT 1 FROM watches w
                                  WHERE w.subscriber = deliveries.subscriber AND w.removed_at IS NULL)
                RETURNING id
                """,
                subscriber,
            )
        )

    def suppress_confirmations(self, subscriber: int) -> None:
        """Suppress the links to confirm that wait for a subscriber, since a newer one replaces them."""
        self._state.run(
            "UPDATE deliveries SET state = 'suppressed', last_error = 'a newer link was asked for'"
            " WHERE subscriber = ? AND purpose = 'confirmation' AND state = 'pending'",
            subscriber,
        )
        self._messages.remove_links("subscriber = ? AND state = 'suppressed'", subscriber)

    def confirmations_sent(self, subscriber: int, since: datetime) -> int:
        """How many mails with a link a subscriber was sent after that time."""
        return int(
            self._state.value(
                "SELECT count(*) FROM deliveries WHERE subscriber = ? AND purpose = 'confirmation' AND created_at > ?",
                subscriber,
                stamp(since),
            )
        )

    def erase(self, subscriber: int) -> None:
        """Overwrite mails with a link for a subscriber, and send them nothing that waits."""
        self._messages.erase(subscriber)
        self._state.run(
            f"UPDATE deliveries SET state = CASE state WHEN 'leased' THEN 'ambiguous' ELSE {_UNSENT} END,"
            " last_error = 'the subscriber was erased before it was sent', lease_token = NULL, lease_until = NULL"
            " WHERE subscriber = ? AND state IN ('pending', 'leased', 'dead')",
            subscriber,
        )

    def pause(self, at: datetime) -> None:
        """Send nothing, from the next message on."""
        self._state.run("UPDATE paused SET at = coalesce(at, ?)", stamp(at))

    def resume(self) -> None:
        """Send again what waits."""
        self._state.run("UPDATE paused SET at = NULL")

    def put_off_giving_up(self, until: datetime) -> None:
        """Do not give up what waits before then, since the time in which sending was paused does not count."""
        self._state.run(
            "UPDATE deliveries SET give_up_at = max(give_up_at, ?) WHERE state IN ('pending', 'leased')", stamp(until)
        )

    def retry(self, id: str, *, at: datetime, give_up_at: datetime) -> None:
        """Send a delivery that was given up or waits with the next run."""
        self._state.run(
            "UPDATE deliveries SET state = 'pending', attempts = 0, next_attempt_at = ?, give_up_at = ?"
            " WHERE public_id = ? AND state IN ('pending', 'dead', 'ambiguous')",
            stamp(at),
            stamp(give_up_at),
            id,
        )

    def drop(self, id: str, why: str) -> None:
        """Suppress a delivery that waits or was given up; it becomes `ambiguous` if it may have arrived."""
        self._state.run(
            f"UPDATE deliveries SET state = {_UNSENT}, last_error = ?"
            " WHERE public_id = ? AND state IN ('pending', 'dead')",
            why,
            id,
        )


def batched(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """The items in lists of at most 500."""
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
