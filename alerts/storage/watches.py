"""Reads and writes the table `watches`, which no other module writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from alerts.model import Agency, Cadence, ChannelName, Departures, Schedule, Subscriber, Wants, Watch
from monitor.model import Kind, Significance, SupportType
from monitor.normalize import agency, shown, state
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.log import Log

_WATCHES = (
    "SELECT w.*, s.channel, s.address, s.time_zone, s.confirmed_at, s.disabled_at, s.disabled_why"
    " FROM watches w JOIN subscribers s ON s.id = w.subscriber"
)


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """A stored watch. Nothing is sent for it while it is paused, or its address is unconfirmed or disabled."""

    watch: Watch
    added_at: datetime
    paused_at: datetime | None
    confirmed_at: datetime | None
    disabled_at: datetime | None
    disabled_why: str


class Watches:
    """What subscribers want to be told."""

    def __init__(self, state: State, log: Log) -> None:
        self._state, self._log = state, log

    def records(self, subscriber: Subscriber | None = None, *, number: int | None = None) -> Iterator[WatchRecord]:
        """The watches in force, of everybody or of one subscriber, or the one with a number, in the order in which
        they were added. Includes watches that are paused, and those whose address is unconfirmed or disabled."""
        filters = {"w.subscriber": subscriber.number if subscriber else None, "w.id": number}
        given = {column: value for column, value in filters.items() if value is not None}
        for r in self._state.rows(
            f"{_WATCHES} WHERE w.removed_at IS NULL{''.join(f' AND {column} = ?' for column in given)} ORDER BY w.id",
            *given.values(),
        ):
            yield WatchRecord(
                _watch(r, subscriber_of(r)),
                moment(r["added_at"]),
                moment(r["paused_at"]) if r["paused_at"] else None,
                moment(r["confirmed_at"]) if r["confirmed_at"] else None,
                moment(r["disabled_at"]) if r["disabled_at"] else None,
                r["disabled_why"],
            )

    def confirmed(self, subscribers: Sequence[int] | None = None) -> Iterator[Watch]:
        """The watches of confirmed subscribers: of all, or of these (by number, at most 500)."""
        chosen = "" if subscribers is None else f" AND w.subscriber IN ({marks(subscribers)})"
        known: dict[int, Subscriber] = {}
        for r in self._state.rows(
            f"{_WATCHES} WHERE w.removed_at IS NULL AND s.confirmed_at IS NOT NULL{chosen} ORDER BY w.id",
            *(subscribers or ()),
        ):
            if r["subscriber"] not in known:
                known[r["subscriber"]] = subscriber_of(r)
            yield _watch(r, known[r["subscriber"]])

    def agencies(self, watches: Iterable[Watch]) -> dict[str, Agency]:
        """The agencies that these watches name, by the ids in the watches."""
        agencies = {}
        for id in sorted({a for w in watches for a in w.wants.agencies or ()}):
            if names := self._log.agreements.names(id):
                known_as = [(code, agency(name)) for cell, name in names.listed_as if (code := state(cell))]
                cell, name = names.listed_as[-1]
                agencies[id] = Agency(shown(name) or id, state(cell), frozenset(names.ids), frozenset(known_as))
        return agencies

    def add(
        self,
        subscriber: Subscriber,
        wants: Wants,
        *,
        schedule: Schedule | None = None,
        empty: bool = False,
        at: datetime,
    ) -> int:
        """Add a watch that starts at the log's present position; its number.

        If the subscriber has an identical watch, returns that one's number instead.
        """
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
        same = self._state.value(
            "SELECT id FROM watches WHERE subscriber = ? AND removed_at IS NULL"
            f" AND {' AND '.join(f'{name} IS ?' for name in columns)}",
            subscriber.number,
            *columns.values(),
        )
        if same is not None:
            return int(same)
        return self._state.run(
            f"INSERT INTO watches (subscriber, starts_after, added_at, {', '.join(columns)})"
            f" VALUES (?, ?, ?, {marks([*columns])})",
            subscriber.number,
            self._log.changelog.position(),
            stamp(at),
            *columns.values(),
        )

    def change(self, number: int, wants: Wants, schedule: Schedule | None) -> None:
        """Replace what a watch wants and its schedule.

        With the same schedule, digests go on where they were. With another one, the first digest begins where the last
        one of the old schedule ended, or, for a watch that was instant, where routing has come to.
        """
        old = self._state.row("SELECT subscriber, minute, weekday, starts_after FROM watches WHERE id = ?", number)
        assert old is not None
        old_schedule = None if old["minute"] is None else Schedule(old["minute"], old["weekday"])
        starts_after = old["starts_after"]
        if schedule != old_schedule:
            if old_schedule is None:
                position = self._state.value("SELECT position FROM routed")
            else:
                position = self._state.value(
                    "SELECT max(position) FROM digests WHERE subscriber = ? AND schedule = ?",
                    old["subscriber"],
                    old_schedule.name,
                )
            starts_after = max(starts_after, position or 0)
        self._state.run(
            "UPDATE watches SET states = ?, counties = ?, agencies = ?, support_types = ?, kinds = ?, significance = ?,"
            " departures = ?, cadence = ?, minute = ?, weekday = ?, empty = empty AND ?, starts_after = ? WHERE id = ?",
            *(_json(values) for values in (wants.states, wants.counties, wants.agencies, wants.support_types)),
            _json(wants.kinds),
            wants.significance,
            wants.departures,
            schedule.cadence if schedule else Cadence.INSTANT,
            schedule.minute if schedule else None,
            schedule.weekday if schedule else None,
            schedule is not None,
            starts_after,
            number,
        )

    def start(self, subscriber: int) -> None:
        """Move the start of all watches of a subscriber, who is confirmed now, to the log's present position."""
        self._state.run(
            "UPDATE watches SET starts_after = ? WHERE subscriber = ?", self._log.changelog.position(), subscriber
        )

    def pause(self, number: int, at: datetime) -> None:
        """Send no news for this watch from now on."""
        self._state.run("UPDATE watches SET paused_at = ? WHERE id = ?", stamp(at), number)

    def resume(self, number: int) -> None:
        """Send news again, from the log's present position on."""
        self._state.run(
            "UPDATE watches SET paused_at = NULL, starts_after = ? WHERE id = ?",
            self._log.changelog.position(),
            number,
        )

    def remove(self, number: int, at: datetime) -> int:
        """End a watch; the number of its subscriber. See also `AlertStore.remove_watch`."""
        self._state.run("UPDATE watches SET removed_at = ? WHERE id = ?", stamp(at), number)
        return int(self._state.value("SELECT subscriber FROM watches WHERE id = ?", number))

    def erase(self, subscriber: int, at: datetime) -> None:
        """End all watches of a subscriber, and overwrite what they wanted."""
        self._state.run(
            "UPDATE watches SET states = NULL, counties = NULL, agencies = NULL, support_types = NULL, kinds = '[]',"
            " significance = 'substantive', departures = 'at once', cadence = 'instant', minute = NULL,"
            " weekday = NULL, empty = 0, paused_at = NULL, removed_at = coalesce(removed_at, ?) WHERE subscriber = ?",
            stamp(at),
            subscriber,
        )


def subscriber_of(r: sqlite3.Row) -> Subscriber:
    """The subscriber in a row that has the columns `subscriber`, `channel`, `address` and `time_zone`."""
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


# Thousands of watches want the same, so they share one value.


@lru_cache(maxsize=4096)
def _set(text: str | None) -> frozenset[Any] | None:
    """A stored JSON array as a set; None for null."""
    return None if text is None else frozenset(tuple(e) if isinstance(e, list) else e for e in json.loads(text))


@lru_cache(maxsize=256)
def _kinds(text: str) -> frozenset[Kind]:
    return frozenset(map(Kind, json.loads(text)))


@lru_cache(maxsize=256)
def _support_types(text: str | None) -> frozenset[SupportType] | None:
    return None if text is None else frozenset(map(SupportType, json.loads(text)))


def _json(values: Collection[Any] | None) -> str | None:
    """A set as it is stored; equal sets give equal text."""
    return None if values is None else json.dumps(sorted(values))
