"""Reads and writes the tables `routed`, `digests` and `operator_events`, which no other module writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from alerts.model import DAYS, Digest, Message, Notice, Recipient, Schedule, Subscriber
from alerts.routing.digests import DigestProgress, DueDigest
from alerts.storage.messages import DeliveryTerms, NewDelivery
from alerts.storage.outbox import Outbox, batched
from alerts.storage.watches import subscriber_of
from monitor.storage.database import State, marks, moment, stamp

# The states of a delivery whose subscriber was told, is about to be, or may have been.
_TOLD = "'pending', 'leased', 'sent', 'ambiguous'"

# The name of a watch's schedule; the same as `Schedule.name`.
_SCHEDULE = (
    "CASE WHEN w.weekday IS NULL THEN 'daily' ELSE 'weekly ' || CASE w.weekday"
    f" {' '.join(f'WHEN {number} THEN {name!r}' for number, name in enumerate(DAYS))} END END"
    " || printf(' %02d:%02d', w.minute / 60, w.minute % 60)"
)


class Routed:
    """How far the log is routed to subscribers, told in digests, and told to the operator."""

    def __init__(self, state: State, outbox: Outbox) -> None:
        self._state, self._outbox = state, outbox

    def try_writing(self) -> None:
        """Write without changing anything. Raises StateError where the file or its disk cannot be written."""
        self._state.run("UPDATE routed SET position = position")

    def position(self) -> int:
        """The number of the last entry that was routed."""
        return int(self._state.value("SELECT position FROM routed"))

    def recipients(self, entries: Iterable[str]) -> Mapping[str, Sequence[Recipient]]:
        """Who was told of these entries, or will be, and still has a watch."""
        watches_by: dict[tuple[str, Subscriber], list[int]] = {}
        last: dict[tuple[str, Subscriber], int] = {}
        for part in batched(sorted(set(entries))):
            for r in self._state.rows(
                "SELECT e.entry, e.watch, e.delivery, d.subscriber, s.channel, s.address, s.time_zone"
                " FROM delivery_entries e"
                " JOIN deliveries d ON d.id = e.delivery JOIN subscribers s ON s.id = d.subscriber"
                f" WHERE e.entry IN ({marks(part)}) AND d.state IN ({_TOLD})"
                " AND EXISTS (SELECT 1 FROM watches w WHERE w.subscriber = d.subscriber AND w.removed_at IS NULL)"
                " ORDER BY d.id, e.watch",
                *part,
            ):
                who = r["entry"], subscriber_of(r)
                watches_by.setdefault(who, []).append(r["watch"])
                last[who] = r["delivery"]
        recipients: dict[str, list[Recipient]] = {}
        for (entry, subscriber), watches in watches_by.items():
            recipients.setdefault(entry, []).append(Recipient(subscriber, tuple(watches), last[entry, subscriber]))
        return recipients

    def told_since(self, position: int, subscribers: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """The entries after a position that each of these subscribers (at most 500) was told of, or will be.

        Includes departures that were confirmed after it, since who was told at once is not told again.
        """
        told: dict[int, set[str]] = {}
        for r in self._state.rows(
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
            told.setdefault(r["subscriber"], set()).add(r["entry"])
        return {subscriber: frozenset(entries) for subscriber, entries in told.items()}

    def record(self, position: int, made: Iterable[tuple[Notice, Message]], terms: DeliveryTerms) -> int:
        """Record that the log is routed up to `position`, with these deliveries; how many."""
        count = 0
        for part in batched(made):
            count += len(
                self._outbox.add(
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
                    terms,
                )
            )
        self._state.run("UPDATE routed SET position = ?", position)
        return count

    def turns(self, now: datetime, subscribers: Sequence[int] | None = None) -> Iterator[DigestProgress]:
        """How far the digests of all subscribers have come, or of these (at most 500).

        A digest recorded for a day that has begun nowhere yet was made while the clock was wrong. What it told counts
        as told, but it must not hold back all digests until that day.
        """
        chosen = "" if subscribers is None else f" AND w.subscriber IN ({marks(subscribers)})"
        begun = (now + timedelta(days=1)).date().isoformat()  # east of UTC it is that day already
        for r in self._state.rows(
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
            yield DigestProgress(
                subscriber_of(r),
                Schedule(r["minute"], r["weekday"]),
                moment(r["since"]),
                date.fromisoformat(r["slot"]) if r["slot"] else None,
                r["position"],
            )

    def record_digests(
        self, made: Sequence[tuple[DueDigest, tuple[Digest, Message] | None]], position: int, terms: DeliveryTerms
    ) -> int:
        """Record that these digests are made up to a position in the log, None for those without news; how many."""
        with_news = [(turn, *digest) for turn, digest in made if digest]
        numbers = self._outbox.add(
            [
                NewDelivery(
                    turn.subscriber,
                    turn.schedule.cadence,
                    (turn.schedule.name, turn.slot.isoformat()),
                    message,
                    digest.lines,
                )
                for turn, digest, message in with_news
            ],
            terms,
        )
        of = {id(turn): number for (turn, _, _), number in zip(with_news, numbers, strict=True)}
        self._state.run_many(
            "INSERT INTO digests (subscriber, schedule, slot, position, at, delivery) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    turn.subscriber.number,
                    turn.schedule.name,
                    turn.slot.isoformat(),
                    position,
                    stamp(terms.at),
                    of.get(id(turn)),
                )
                for turn, _ in made
            ],
        )
        return len(with_news)

    def operator_keys(self) -> frozenset[str]:
        """The keys of the events that the operator was told, or would have been if the settings named one."""
        return frozenset(r["key"] for r in self._state.rows("SELECT key FROM operator_events"))

    def record_operator_events(self, keys: Sequence[str], *, at: datetime, delivery: int | None) -> None:
        """Record that the operator is told these events, by this delivery if by any."""
        self._state.run_many(
            "INSERT INTO operator_events (key, at, delivery) VALUES (?, ?, ?)",
            [(key, stamp(at), delivery) for key in keys],
        )


def _names(notice: Notice) -> tuple[str, ...]:
    """What distinguishes a notice from all others to its subscriber; a watch is told of an entry once.

    The entry alone is not enough: one watch may have been told of a departure at once, in a message that was never
    sent, and another one is told when it is confirmed.
    """
    first = notice.lines[0]
    return (notice.publication.id, first.entry.id, *map(str, first.watches))
