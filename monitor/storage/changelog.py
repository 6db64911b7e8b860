"""The change log: reads its entries, and appends to it. The only module that writes the table `entries`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol, TypedDict, Unpack

from monitor.errors import NotFound
from monitor.model import (
    AgencyStanding,
    Cells,
    Change,
    Entry,
    FieldChange,
    Kind,
    ListName,
    Relation,
    Significance,
    Source,
)
from monitor.normalize import state
from monitor.storage.agreements import Agreements, Contents
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.rows import as_text, cells_of, is_one_of, main_cells, older, prefixed, public_id

_COLUMNS = (
    "id, kind, about, agreement, publication, previous, observed_at, recorded_at, announce, significance, fields,"
    " before_content, before_row, after_content, after_row, state, reasons, pending_since,"
    " relation, agency_standing"
)


class EntryFilter(TypedDict, total=False):
    """Which entries are wanted; a filter that is empty or left out lets every entry pass."""

    after: int  # seq > after
    states: Sequence[str | None]  # None: state not recognized
    kinds: Sequence[Kind]
    lists: Sequence[ListName]
    since: datetime | None  # observed_at >= since
    until: datetime | None  # observed_at < until
    agreement: str | None  # with the entries under ids that lead to it
    publication: str | None
    ids: Sequence[str]
    about: Sequence[str]  # notes about these entries
    limit: int | None  # the first so many
    newest_first: bool  # newest first; by default oldest first


@dataclass(frozen=True, slots=True)
class Event:
    """An entry without its text. `change`: itself; for a note, the change that it or a note it is about is about.

    `states` and `agreement` are the change's: both states where it moved from one to the other.
    """

    seq: int
    change: str
    recorded_at: datetime
    agreement: str
    states: frozenset[str | None]


class EntrySource(Protocol):
    """Entries that were read into memory; see `Snapshot`."""

    def entries(self, **wanted: Unpack[EntryFilter]) -> Iterator[Entry]: ...

    def events(self, agreement: str | None = None) -> tuple[Event, ...]: ...


class Changelog:
    """Reads and appends entries.

    `memory`: answers `entries` and `events` where the log was read already. `announceable`: the only entries that
    subscribers may be told of; None for all.
    """

    def __init__(
        self,
        state: State,
        agreements: Agreements,
        contents: Contents,
        *,
        memory: EntrySource | None = None,
        announceable: Collection[str] | None = None,
    ) -> None:
        self._state = state
        self._agreements = agreements
        self._contents = contents
        self._memory = memory
        self._announceable = announceable

    def entries(self, **wanted: Unpack[EntryFilter]) -> Iterator[Entry]:
        """Entries that pass the filter, in the order of the log."""
        return self._memory.entries(**wanted) if self._memory else self._read(**wanted)

    def _read(self, **wanted: Unpack[EntryFilter]) -> Iterator[Entry]:
        where = ["l.seq > ?"]
        arguments: list[object] = [wanted.get("after", 0)]
        agreement, since, until = wanted.get("agreement"), wanted.get("since"), wanted.get("until")
        for column, values in (
            ("l.kind", wanted.get("kinds")),
            ("l.list", wanted.get("lists")),
            ("l.id", wanted.get("ids")),
            ("l.about", wanted.get("about")),
            ("l.agreement", self._agreements.known_as(agreement) if agreement is not None else ()),
        ):
            if values:
                where.append(f"{column} IN ({marks(values)})")
                arguments += values
        if states := wanted.get("states"):
            where.append(is_one_of("l.state", states, arguments))
        for clause, value in (
            ("l.observed_at >= ?", since and stamp(since)),
            ("l.observed_at < ?", until and stamp(until)),
            ("l.publication = ?", wanted.get("publication")),
        ):
            if value is not None:
                where.append(clause)
                arguments.append(value)
        sql = (
            f"SELECT l.*, b.id AS has_before, {prefixed('b', 'before_')},"
            f" a.id AS has_after, {prefixed('a', 'after_')} FROM log l"
            " LEFT JOIN contents b ON b.id = l.before_content LEFT JOIN contents a ON a.id = l.after_content"
            f" WHERE {' AND '.join(where)} ORDER BY l.seq {'DESC' if wanted.get('newest_first') else 'ASC'}"
        )
        if (limit := wanted.get("limit")) is not None:
            sql += " LIMIT ?"
            arguments.append(limit)
        return (_entry(r) for r in self._state.rows(sql, *arguments))

    def find(self, id: str) -> Entry | None:
        """The entry with this id."""
        return next(self.entries(ids=[id]), None)

    def get(self, id: str) -> Entry:
        """The entry with this id. Raises NotFound."""
        if entry := self.find(id):
            return entry
        raise NotFound(id, "`changes` prints the ids of entries")

    def position(self, before: datetime | None = None) -> int:
        """The number of the newest entry, or of the newest that was recorded before a moment; 0 for none."""
        if before is None:
            return int(self._state.value("SELECT coalesce(max(seq), 0) FROM entries"))
        return int(self._state.value("SELECT coalesce(max(seq), 0) FROM entries WHERE recorded_at < ?", stamp(before)))

    def newest_id(self) -> str | None:
        """The id of the newest entry; None for an empty log."""
        id: str | None = self._state.value("SELECT id FROM entries ORDER BY seq DESC LIMIT 1")
        return id

    def newest_change(self, before: datetime | None = None) -> datetime | None:
        """When the last entry of the log, or the last before a moment, was first seen."""
        at = self._state.value(
            "SELECT max(observed_at) FROM entries WHERE observed_at < ?", stamp(before) if before else "~"
        )
        return moment(at) if at else None

    def next_change(self, since: datetime) -> datetime | None:
        """When the first entry at or after a moment was first seen."""
        at = self._state.value("SELECT min(observed_at) FROM entries WHERE observed_at >= ?", stamp(since))
        return moment(at) if at else None

    def newest_change_by_state(self) -> dict[str | None, datetime]:
        """When the last entry of each state was first seen; None: state not recognized."""
        return {
            r["state"]: moment(r["at"])
            for r in self._state.rows("SELECT state, max(observed_at) AS at FROM entries GROUP BY state")
        }

    def events(self, agreement: str | None = None) -> tuple[Event, ...]:
        """The whole log, or what it says about one agreement, oldest first and without the text of its entries."""
        return self._memory.events(agreement) if self._memory else self._read_events(agreement)

    def _read_events(self, agreement: str | None) -> tuple[Event, ...]:
        known = (
            "SELECT a.id FROM agreements a LEFT JOIN aliases x ON x.agreement = a.id"
            " LEFT JOIN agreements s ON s.id = x.same_as WHERE ? IN (a.public_id, s.public_id)"
        )
        of_one = f"WHERE e.agreement IN ({known}) OR e.about IN (SELECT id FROM entries WHERE agreement IN ({known}))"
        codes: dict[str, str | None] = {}  # by the text of a state cell
        by_id: dict[str, Event] = {}
        events = []
        for r in self._state.rows(
            f"""
            SELECT e.seq, e.id, e.about, e.recorded_at, e.state, o.public_id AS agreement, b.state AS before
            FROM entries e JOIN agreements o ON o.id = {older("e.agreement")}
            LEFT JOIN contents b ON b.id = e.before_content {of_one if agreement else ""} ORDER BY e.seq
            """,
            *([agreement] * 2 if agreement else []),
        ):
            change = by_id.get(r["about"] or "")
            if change is None and r["about"]:
                continue  # a note about another agreement's change
            if change is None:
                states = {r["state"]}
                if r["before"] is not None:
                    if r["before"] not in codes:
                        codes[r["before"]] = state(r["before"])
                    # An agreement whose state was not recognized has not moved by being recognized.
                    states |= {codes[r["before"]]} - {None}
                change = Event(r["seq"], r["id"], moment(r["recorded_at"]), r["agreement"], frozenset(states))
            event = Event(r["seq"], change.change, moment(r["recorded_at"]), change.agreement, change.states)
            by_id[r["id"]] = event
            events.append(event)
        return tuple(event for event in events if agreement in (None, event.agreement))

    def agreement_of(self, id: str) -> str:
        """The permanent id of the agreement that an entry is about."""
        return self._agreements.id_of(self._state.value("SELECT agreement FROM entries WHERE id = ?", id))

    def arrivals(self, kind: Kind) -> dict[int, str]:
        """The first entry of this kind about each agreement, by the agreement's number.

        Agreements without one, or whose entry was taken back, are left out.
        """
        rows = self._state.rows(
            "SELECT e.agreement, e.id FROM entries e JOIN log l ON l.seq = e.seq"
            " WHERE e.kind = ? AND l.status IS NULL ORDER BY e.seq DESC",
            kind,
        )
        return {r["agreement"]: r["id"] for r in rows}  # the first, which comes last

    def append(
        self,
        changes: Sequence[tuple[Change, int]],
        *,
        publication: int,
        previous: int | None,
        observed_at: datetime,
        recorded_at: datetime,
        announce: bool,
    ) -> list[str]:
        """Append each change with the number of its agreement, in the order given; returns the entries' ids."""
        if not changes:
            return []
        contents = self._contents.numbers(
            side.cells for change, _ in changes for side in (change.before, change.after) if side
        )
        publication_id = self._state.value("SELECT public_id FROM publications WHERE id = ?", publication)
        ids = []
        for change, agreement in changes:
            shown_in = change.after or change.before
            id = public_id("c", change.kind, self._agreements.id_of(agreement), publication_id, change.about or "")
            ids.append(id)
            self._insert(
                id,
                change.kind,
                change.about,
                agreement,
                publication,
                previous,
                stamp(observed_at),
                stamp(recorded_at),
                int(announce and (self._announceable is None or id in self._announceable)),
                change.significance,
                as_text([asdict(f) for f in change.fields]),
                contents[change.before.cells] if change.before else None,
                change.before.row if change.before else None,
                contents[change.after.cells] if change.after else None,
                change.after.row if change.after else None,
                shown_in.values.state if shown_in else None,
                as_text(change.reasons),
                stamp(change.pending_since) if change.pending_since else None,
                change.relation,
                as_text(asdict(change.agency_standing)) if change.agency_standing else None,
            )
        return ids

    def copy(self, entry: Entry, publications: Mapping[str, int]) -> None:
        """Append an entry of another state.db as it was. `publications`: the numbers here of those it names."""
        contents = self._contents.numbers(cells for cells in (entry.before, entry.after) if cells)
        source, previous = entry.publication, entry.previous
        self._insert(
            entry.id,
            entry.kind,
            entry.about,
            self._agreements.number(entry.agreement),
            publications[source.id],
            publications[previous.id] if previous else None,
            stamp(entry.observed_at),
            stamp(entry.recorded_at),
            int(entry.announce),
            entry.significance,
            as_text([asdict(f) for f in entry.fields]),
            contents[entry.before] if entry.before else None,
            (previous.row if previous else source.row) if entry.before else None,
            contents[entry.after] if entry.after else None,
            source.row if entry.after else None,
            entry.state,
            as_text(entry.reasons),
            stamp(entry.pending_since) if entry.pending_since else None,
            entry.relation,
            as_text(asdict(entry.agency_standing)) if entry.agency_standing else None,
        )

    def _insert(self, *columns: object) -> None:
        self._state.run(f"INSERT INTO entries ({_COLUMNS}) VALUES ({marks(columns)})", *columns)


def _entry(r: sqlite3.Row) -> Entry:
    before = cells_of(r, "before_") if r["has_before"] is not None else None
    after = cells_of(r, "after_") if r["has_after"] is not None else None
    return Entry(
        seq=r["seq"],
        id=r["id"],
        kind=Kind(r["kind"]),
        status=r["status"],
        about=r["about"],
        list=ListName(r["list"]),
        observed_at=moment(r["observed_at"]),
        recorded_at=moment(r["recorded_at"]),
        announce=bool(r["announce"]),
        agreement=r["agreement"],
        **main_cells(after or before or Cells()),
        significance=Significance(r["significance"]),
        fields=tuple(
            FieldChange(f["name"], f["before"], f["after"], Significance(f["significance"]))
            for f in json.loads(r["fields"])
        ),
        before=before,
        after=after,
        reasons=tuple(json.loads(r["reasons"])),
        pending_since=moment(r["pending_since"]) if r["pending_since"] else None,
        pending_before=bool(r["pending_before"]),
        relation=Relation(r["relation"]) if r["relation"] else None,
        agency_standing=_standing(r["agency_standing"]) if r["agency_standing"] else None,
        publication=Source(r["publication"], r["file"], r["url"], r["sha256"], r["row"], moment(r["published_at"])),
        previous=_previous(r) if r["previous"] and before else None,
    )


def _standing(text: str) -> AgencyStanding:
    stored = json.loads(text)
    return AgencyStanding(tuple(stored["before"]), tuple(stored["after"]))


def _previous(r: sqlite3.Row) -> Source:
    return Source(
        r["previous"],
        r["previous_file"],
        r["previous_url"],
        r["previous_sha256"],
        r["before_row"],
        moment(r["previous_published_at"]),
    )
