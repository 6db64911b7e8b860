"""The whole log as it stands at one moment, in memory, for whoever is about to read all of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

from monitor.model import Entry, Kind, LastCheck, ListName
from monitor.storage.changelog import AgreementRecord, Log
from monitor.storage.database import State
from monitor.storage.events import Event, events
from monitor.storage.schema import SCHEMA


class Snapshot(Log):
    """A log whose answers all come from one moment, whatever is recorded meanwhile; `release` it at the end."""

    def __init__(self, path: Path) -> None:
        super().__init__(State(path, SCHEMA))
        self.state.run("PRAGMA query_only = ON")
        self.state.run("BEGIN")
        self._all = tuple(super().entries())  # the first read: from here on nothing changes
        self._by_id = {entry.id: entry for entry in self._all}
        self._about: dict[str, list[Entry]] = defaultdict(list)
        self._by_agreement: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._all:
            self._about[entry.about or ""].append(entry)
            self._by_agreement[entry.agreement].append(entry)
        self.records = tuple(super().agreements())
        self._records = {id_: record for record in self.records for id_ in (record.id, *record.aliases)}

    def close(self) -> None:
        """Nothing: it outlives each of the requests that read it."""

    def release(self) -> None:
        super().close()

    @cached_property
    def events(self) -> tuple[Event, ...]:
        return events(self)

    @cached_property
    def events_by_agreement(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.agreement].append(event)
        return found

    @cached_property
    def _checks(self) -> tuple[LastCheck, ...]:
        return super().last_checks()

    def last_checks(self) -> tuple[LastCheck, ...]:
        return self._checks

    def entries(
        self,
        *,
        after: int = 0,
        states: Sequence[str | None] = (),
        kinds: Sequence[Kind] = (),
        lists: Sequence[ListName] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        agreement: str | None = None,
        publication: str | None = None,
        ids: Sequence[str] = (),
        about: Sequence[str] = (),
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Entry]:
        found = [
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
        found.sort(key=lambda entry: entry.seq, reverse=newest_first)
        return iter(found[:limit])

    def _candidates(self, agreement: str | None, ids: Sequence[str], about: Sequence[str]) -> Sequence[Entry]:
        if agreement is not None:
            record = self._records.get(agreement)
            known = (record.id, *record.aliases) if record else (agreement,)
            return [entry for id_ in known for entry in self._by_agreement[id_]]
        if ids:
            return [self._by_id[id_] for id_ in dict.fromkeys(ids) if id_ in self._by_id]
        if about:
            return [entry for id_ in dict.fromkeys(about) for entry in self._about[id_]]
        return self._all

    def agreements(
        self,
        agreement: str | None = None,
        *,
        states: Sequence[str | None] = (),
        as_of: datetime | None = None,
    ) -> Iterator[AgreementRecord]:
        if as_of is not None:
            return super().agreements(agreement, states=states, as_of=as_of)
        if agreement is not None:
            record = self._records.get(agreement)
            return iter([record] if record and (not states or record.state in states) else [])
        return (record for record in self.records if not states or record.state in states)


def events_of(log: Log, agreement: str | None = None) -> tuple[Event, ...]:
    """The events of the log, or of one agreement in it."""
    if not isinstance(log, Snapshot):
        return events(log, agreement)
    if agreement is None:
        return log.events
    return tuple(log.events_by_agreement[agreement])
