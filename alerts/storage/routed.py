"""Reads and writes the tables `routed`, `digests` and `operator_events`, which no other module writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from alerts.model import DAYS, Digest, Message, Notice, Schedule, Subscriber, Told
from alerts.routing.digests import Turn, Turns
from alerts.storage.messages import DeliveryTerms, NewDelivery
from alerts.storage.outbox import Outbox, batched
from alerts.storage.watches import subscriber_of
from monitor.storage.database import State, marks, moment, stamp

# The states of a delivery whose subscriber was told, is about to be, or may have been.
_TOLD = "'pending', 'leased', 'sent', 'ambiguous'"

# A watch's schedule by its name, as `Schedule.name` has it.
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

    def recipients(self, entries: Iterable[str]) -> Mapping[str, Sequence[Told]]:
        """Who was told of these entries, or is about to be, and still watches anything at all."""
        found: dict[tuple[str, Subscriber], list[int]] = {}
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
            found.setdefault(r["subscriber"], set()).add(r["entry"])
        return {subscriber: frozenset(entries) for subscriber, entries in found.items()}

    def record(self, position: int, made: Iterable[tuple[Notice, Message]], terms: DeliveryTerms) -> int:
        """The log is routed up to `position`, and these deliveries came of it; how many."""
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

    def turns(self, now: datetime, subscribers: Sequence[int] | None = None) -> Iterator[Turns]:
        """How far the digests have come; of everybody who gets any, or of these subscribers (at most 500).

        A turn that is recorded for a day which nowhere has begun was made while the clock was wrong. What it told is
        told, but it must not keep back all digests until that day.
        """
        chosen = "" if subscribers is None else f" AND w.subscriber IN ({marks(subscribers)})"
        begun = (now + timedelta(days=1)).date().isoformat()  # east of UTC it is that already
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
            yield Turns(
                subscriber_of(r),
                Schedule(r["minute"], r["weekday"]),
                moment(r["since"]),
                date.fromisoformat(r["slot"]) if r["slot"] else None,
                r["position"],
            )

    def record_digests(
        self, made: Sequence[tuple[Turn, tuple[Digest, Message] | None]], position: int, terms: DeliveryTerms
    ) -> int:
        """These turns are over, up to a position in the log, with these digests or nothing to say; how many digests."""
        said = [(turn, *digest) for turn, digest in made if digest]
        numbers = self._outbox.add(
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
            terms,
        )
        of = {id(turn): number for (turn, _, _), number in zip(said, numbers, strict=True)}
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
        return len(said)

    def operator_keys(self) -> frozenset[str]:
        """What the operator was told, or would have been if anybody were named."""
        return frozenset(r["key"] for r in self._state.rows("SELECT key FROM operator_events"))

    def record_operator_events(self, keys: Sequence[str], *, at: datetime, delivery: int | None) -> None:
        """These events are told, by this delivery if by any."""
        self._state.run_many(
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
