"""The whole log as of one moment, in memory, for callers that read all of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Unpack

from monitor.model import Entry
from monitor.storage.agreements import AgreementRecord
from monitor.storage.changelog import EntryFilter, Event
from monitor.storage.database import State
from monitor.storage.log import Log
from monitor.storage.schema import SCHEMA


class Snapshot:
    """`log`: a log whose answers all come from one moment, whatever is recorded meanwhile. Close it at the end.

    Requests read `log` one after another; closing `log` itself does nothing.
    """

    def __init__(self, path: Path) -> None:
        self._state = State(path, SCHEMA)
        self._state.run("PRAGMA query_only = ON")
        self._state.run("BEGIN")
        log = Log(self._state)
        entries = tuple(log.changelog.entries())  # the first read: from here on nothing changes
        agreements = tuple(log.agreements.all())
        self.log = Log(
            self._state,
            entries=_Entries(log, entries, agreements),
            agreements=agreements,
            last_checks=log.checks.last(),
        )

    def close(self) -> None:
        self._state.close()


class _Entries:
    """All entries, by what they are asked for."""

    def __init__(self, log: Log, entries: tuple[Entry, ...], agreements: tuple[AgreementRecord, ...]) -> None:
        self._log = log
        self._all = entries
        self._by_id = {entry.id: entry for entry in entries}
        self._about: dict[str, list[Entry]] = defaultdict(list)
        self._by_agreement: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._about[entry.about or ""].append(entry)
            self._by_agreement[entry.agreement].append(entry)
        self._ids = {id: (record.id, *record.aliases) for record in agreements for id in (record.id, *record.aliases)}

    def entries(self, **wanted: Unpack[EntryFilter]) -> Iterator[Entry]:
        """As Changelog.entries."""
        states, kinds, lists = wanted.get("states"), wanted.get("kinds"), wanted.get("lists")
        ids, about, agreement = wanted.get("ids"), wanted.get("about"), wanted.get("agreement")
        since, until, publication = wanted.get("since"), wanted.get("until"), wanted.get("publication")
        after = wanted.get("after", 0)
        entries = [
            entry
            for entry in self._candidates(agreement, ids, about)
            if entry.seq > after
            and (not states or entry.state in states)
            and (not kinds or entry.kind in kinds)
            and (not lists or entry.list in lists)
            and (not ids or entry.id in ids)
            and (not about or entry.about in about)
            and (since is None or entry.observed_at >= since)
            and (until is None or entry.observed_at < until)
            and (publication is None or entry.publication.id == publication)
        ]
        entries.sort(key=lambda entry: entry.seq, reverse=wanted.get("newest_first", False))
        return iter(entries[: wanted.get("limit")])

    def _candidates(
        self, agreement: str | None, ids: Sequence[str] | None, about: Sequence[str] | None
    ) -> Sequence[Entry]:
        if agreement is not None:
            known_as = self._ids.get(agreement, (agreement,))
            return [entry for id in known_as for entry in self._by_agreement[id]]
        if ids:
            return [self._by_id[id] for id in dict.fromkeys(ids) if id in self._by_id]
        if about:
            return [entry for id in dict.fromkeys(about) for entry in self._about[id]]
        return self._all

    def events(self, agreement: str | None = None) -> tuple[Event, ...]:
        """As Changelog.events."""
        return self._events if agreement is None else tuple(self._events_by_agreement[agreement])

    @cached_property
    def _events(self) -> tuple[Event, ...]:
        return self._log.changelog.events()

    @cached_property
    def _events_by_agreement(self) -> dict[str, list[Event]]:
        by_agreement: dict[str, list[Event]] = defaultdict(list)
        for event in self._events:
            by_agreement[event.agreement].append(event)
        return by_agreement
