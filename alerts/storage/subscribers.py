"""The only SQL about subscribers and watches: who is told, and what they asked for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self

from alerts.model import (
    Cadence,
    ChannelName,
    Departures,
    Schedule,
    Subscriber,
    Wants,
    Watch,
)
from monitor.model import Kind, Significance, SupportType
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.log import Log

# What becomes of a delivery that is not to be sent any more: it may have been, or a part of it.
UNSENT = "CASE WHEN maybe_sent OR parts_sent THEN 'ambiguous' ELSE 'suppressed' END"

# What is shown of a mail whose link was for one reader.
_NOT_KEPT = "(What this said is not kept, since it had a link for one reader.)"

_WATCHES = (
    "SELECT w.*, s.channel, s.address, s.time_zone, s.confirmed_at, s.disabled_at, s.disabled_why"
    " FROM watches w JOIN subscribers s ON s.id = w.subscriber"
)


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


class People:
    """Reads and writes subscribers and watches; `log` reads what `monitor` knows, on the same connection."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.log = Log(state)

    def write(self) -> AbstractContextManager[None]:
        """One transaction; see State.write."""
        return self.state.write()

    def close(self) -> None:
        self.state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def find(self, channel: ChannelName, address: str) -> SubscriberRecord | None:
        """Who is at an address, if anybody is known there."""
        same = "lower(address) = lower(?)" if channel is ChannelName.EMAIL else "address = ?"
        r = self.state.row(
            f"SELECT *, id AS subscriber FROM subscribers WHERE channel = ? AND {same}", channel, address
        )
        if r is None:
            return None
        return SubscriberRecord(
            subscriber_of(r),
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
        self._forget_link("subscriber = ? AND state = 'suppressed'", subscriber.number)

    def _forget_link(self, which: str, *args: object) -> None:
        """Keep the link of a mail to confirm no longer than it takes to send it: whoever has it may confirm."""
        self.state.run(
            f"UPDATE messages SET text = '{_NOT_KEPT}', html = '', hash = randomblob(16) WHERE id IN"
            f" (SELECT message FROM deliveries WHERE purpose = 'confirmation' AND {which})",
            *args,
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
        self.state.run(
            "UPDATE watches SET starts_after = ? WHERE subscriber = ?", self.log.changelog.position(), number
        )

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
            f" VALUES (?, ?, ?, {marks([*columns])})",
            subscriber.number,
            self.log.changelog.position(),
            stamp(at),
            *columns.values(),
        )

    def change_watch(self, number: int, wants: Wants, schedule: Schedule | None) -> None:
        """Want something else from now on.

        Digests by the same schedule go on where they were. By another one they begin with what the last ones did not
        have; after news at once, with what comes.
        """
        was = self.state.row("SELECT subscriber, minute, weekday, starts_after FROM watches WHERE id = ?", number)
        assert was is not None
        before = None if was["minute"] is None else Schedule(was["minute"], was["weekday"])
        starts_after = was["starts_after"]
        if schedule != before:
            if before is None:
                told = self.state.value("SELECT position FROM routed")
            else:
                told = self.state.value(
                    "SELECT max(position) FROM digests WHERE subscriber = ? AND schedule = ?",
                    was["subscriber"],
                    before.name,
                )
            starts_after = max(starts_after, told or 0)
        self.state.run(
            "UPDATE watches SET states = ?, counties = ?, agencies = ?, support_types = ?, kinds = ?, significance = ?,"
            " departures = ?, cadence = ?, minute = ?, weekday = ?, empty = empty AND ?, starts_after = ? WHERE id = ?",
            *(_json(part) for part in (wants.states, wants.counties, wants.agencies, wants.support_types, wants.kinds)),
            wants.significance,
            wants.departures,
            schedule.cadence if schedule else Cadence.INSTANT,
            schedule.minute if schedule else None,
            schedule.weekday if schedule else None,
            schedule is not None,
            starts_after,
            number,
        )

    def watches(self, subscriber: Subscriber | None = None, *, number: int | None = None) -> Iterator[WatchRecord]:
        """The watches in force, of everybody or of one, or the one with a number, in the order in which they were
        added: also those that hear nothing, because they are paused, or their address is not confirmed or takes no
        messages."""
        asked = {"w.subscriber": subscriber.number if subscriber else None, "w.id": number}
        chosen = {column: value for column, value in asked.items() if value is not None}
        for r in self.state.rows(
            f"{_WATCHES} WHERE w.removed_at IS NULL{''.join(f' AND {column} = ?' for column in chosen)} ORDER BY w.id",
            *chosen.values(),
        ):
            yield WatchRecord(
                _watch(r, subscriber_of(r)),
                moment(r["added_at"]),
                moment(r["paused_at"]) if r["paused_at"] else None,
                moment(r["confirmed_at"]) if r["confirmed_at"] else None,
                moment(r["disabled_at"]) if r["disabled_at"] else None,
                r["disabled_why"],
            )

    def listening(self, subscribers: Sequence[int] | None = None) -> Iterator[Watch]:
        """The watches of those who are confirmed; of all, or of these subscribers (by number, at most 500)."""
        chosen = "" if subscribers is None else f" AND w.subscriber IN ({marks(subscribers)})"
        known: dict[int, Subscriber] = {}
        for r in self.state.rows(
            f"{_WATCHES} WHERE w.removed_at IS NULL AND s.confirmed_at IS NOT NULL{chosen} ORDER BY w.id",
            *(subscribers or ()),
        ):
            if r["subscriber"] not in known:
                known[r["subscriber"]] = subscriber_of(r)
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
                UPDATE deliveries SET state = {UNSENT}, last_error = 'the subscriber left before it was sent'
                WHERE state = 'pending' AND purpose <> 'operator' AND subscriber = {subscriber}
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
            self.log.changelog.position(),
            number,
        )

    def suppression(self, hash: bytes) -> Suppression | None:
        """Why an address must not be written to, if so; by its keyed hash."""
        r = self.state.row("SELECT at, why FROM suppressions WHERE hash = ?", hash)
        return Suppression(moment(r["at"]), r["why"]) if r else None

    def suppress(self, hash: bytes, at: datetime, why: str) -> None:
        """Never write to this address again. What was said first stays."""
        self.state.run("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?)", hash, stamp(at), why)

    def lift_suppression(self, hash: bytes) -> str:
        """Let an address be written to again; why it was not to be, "" where nothing was in the way."""
        found = self.suppression(hash)
        self.state.run("DELETE FROM suppressions WHERE hash = ?", hash)
        return found.why if found else ""

    def open_again(self, subscriber: Subscriber) -> None:
        """Take an address for one that takes messages."""
        self.state.run("UPDATE subscribers SET disabled_at = NULL, disabled_why = '' WHERE id = ?", subscriber.number)

    def erase(self, subscriber: Subscriber, at: datetime, instead: str) -> None:
        """Forget who it was and what they wanted; `instead` of the address is kept, so that deliveries still add up.

        Overwritten, not only unlinked: `forget_for_good` has the last of it out of the files.
        """
        self.state.run("PRAGMA secure_delete = ON")
        self.state.run(
            "DELETE FROM requests WHERE (channel, lower(address)) ="
            " (SELECT channel, lower(address) FROM subscribers WHERE id = ?)",
            subscriber.number,
        )
        self.state.run("DELETE FROM confirmations WHERE subscriber = ?", subscriber.number)
        self.state.run(
            "UPDATE messages SET subject = '', text = '', html = '', hash = randomblob(16) WHERE id IN"
            " (SELECT message FROM deliveries WHERE subscriber = ? AND purpose = 'confirmation')",
            subscriber.number,
        )
        self.state.run(
            f"UPDATE deliveries SET state = CASE state WHEN 'leased' THEN 'ambiguous' ELSE {UNSENT} END,"
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
            "confirmations": "SELECT * FROM confirmations WHERE subscriber = ? ORDER BY until",
            "digests": "SELECT * FROM digests WHERE subscriber = ? ORDER BY schedule, slot",
        }
        return {
            table: [{name: _plain(r[name]) for name in r.keys()} for r in self.state.rows(sql, subscriber.number)]  # noqa: SIM118
            for table, sql in asked.items()
        }


def subscriber_of(r: sqlite3.Row) -> Subscriber:
    """The subscriber in a row."""
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
