"""The change log and what stands behind it, for readers: the only SQL that reads it for people and programs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypedDict

from monitor.errors import NotFound
from monitor.model import (
    Cells,
    Entry,
    FieldChange,
    Kind,
    ListName,
    Outcome,
    Significance,
    Source,
    SupportType,
)
from monitor.normalize import shown, state, support_type, values
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.schema import SCHEMA

CELLS = "state, agency, type, county, support_type, signed, moa, moa_address, addendum, addendum_address"
CELL_NAMES = tuple(CELLS.split(", "))


def open_reader(path: Path) -> Log:
    """The log of the state.db at `path`, through which nothing can be written."""
    log = Log(State(path, SCHEMA))
    log.state.run("PRAGMA query_only = ON")
    return log


@dataclass(frozen=True, slots=True)
class LastCheck:
    """How the newest look at a list went, and when one last succeeded."""

    list: ListName
    at: datetime
    outcome: Outcome
    detail: str
    succeeded_at: datetime | None


@dataclass(frozen=True, slots=True)
class PublicationRecord:
    """A publication as the log knows it. `verdict`: held, accepted, rejected or moot."""

    id: str
    list: ListName
    file: str
    url: str
    sha256: str
    rows: int
    observed_at: datetime
    verdict: str
    decided_at: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a publication at one moment, and why; `by`: the rules, or an operator in these words."""

    at: datetime
    verdict: str
    by: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """Two entries that may be about one agreement. `answer`: same, different, or "" as long as nobody has said."""

    id: str
    departure: Entry
    arrival: Entry
    reasons: tuple[str, ...]
    answer: str
    answered_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class AgreementRecord:
    """An agreement with its newest listing. `listed` names the lists whose current publication shows it.

    `aliases`: ids under which it was known until it proved to be this one.
    """

    id: str
    state: str | None
    agency: str
    type: str
    county: str
    support_type: str
    signed: str
    moa: str
    addendum: str
    first_list: ListName
    first_seen: datetime
    listed_before: bool  # it stood on the first list that was ever read
    listed: tuple[ListName, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """The ids under which an agreement is or was known, and the (state, agency) cells that listed it, newest last."""

    ids: tuple[str, ...]
    listed_as: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many entries of one sort were first seen at one moment."""

    observed_at: datetime
    kind: Kind
    significance: Significance
    status: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Looks:
    """How often a list was looked at in some time."""

    all: int
    succeeded: int


class Log:
    """Reads committed facts. `Store` is a log that checks write to."""

    def __init__(self, state: State) -> None:
        self.state = state

    def close(self) -> None:
        self.state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        """Entries of the log in its order, filtered. `since` ≤ observed_at < `until`; `after` is a position.

        None among `states` stands for a state that nobody could tell; `about` asks for notes about these entries.
        Of an agreement come also the entries under ids that lead to it.
        """
        where, args = ["l.seq > ?"], [after]
        arguments: list[object] = list(args)
        known_as = self._known_as(agreement) if agreement is not None else ()
        for column, wanted in (
            ("l.kind", kinds), ("l.list", lists), ("l.id", ids), ("l.about", about), ("l.agreement", known_as)
        ):  # fmt: skip
            if wanted:
                where.append(f"{column} IN ({marks(wanted)})")
                arguments += wanted
        if states:
            where.append(_is_one_of("l.state", states, arguments))
        for clause, value in (
            ("l.observed_at >= ?", since and stamp(since)),
            ("l.observed_at < ?", until and stamp(until)),
            ("l.publication = ?", publication),
        ):
            if value is not None:
                where.append(clause)
                arguments.append(value)
        sql = (
            f"SELECT l.*, b.id AS has_before, {prefixed('b', 'before_')},"
            f" a.id AS has_after, {prefixed('a', 'after_')} FROM log l"
            " LEFT JOIN contents b ON b.id = l.before_content LEFT JOIN contents a ON a.id = l.after_content"
            f" WHERE {' AND '.join(where)} ORDER BY l.seq {'DESC' if newest_first else 'ASC'}"
        )
        if limit is not None:
            sql += " LIMIT ?"
            arguments.append(limit)
        return (_entry(r) for r in self.state.rows(sql, *arguments))

    def entry(self, id: str) -> Entry:
        """The entry with this id. Raises NotFound."""
        for entry in self.entries(ids=[id]):
            return entry
        raise NotFound(id, "`changes` prints the ids of entries")

    def position(self, before: datetime | None = None) -> int:
        """The number of the newest entry, or of the newest that was recorded before a moment; 0 for none."""
        if before is None:
            return int(self.state.value("SELECT coalesce(max(seq), 0) FROM entries"))
        return int(self.state.value("SELECT coalesce(max(seq), 0) FROM entries WHERE recorded_at < ?", stamp(before)))

    def newest_id(self) -> str | None:
        """The id of the newest entry; None for an empty log."""
        found: str | None = self.state.value("SELECT id FROM entries ORDER BY seq DESC LIMIT 1")
        return found

    def publication(self, id: str) -> PublicationRecord:
        """The publication with this id. Raises NotFound."""
        for publication in self.publications():
            if publication.id == id:
                return publication
        raise NotFound(id, "`publications list` prints the ids of publications")

    def publications(self, list_: ListName | None = None) -> Iterator[PublicationRecord]:
        """Every publication that was seen, oldest first, and what became of it."""
        return (
            PublicationRecord(
                r["public_id"],
                ListName(r["list"]),
                r["file"],
                r["url"],
                r["sha256"],
                r["rows"],
                moment(r["observed_at"]),
                r["verdict"],
                moment(r["decided_at"]),
                tuple(json.loads(r["reasons"])),
            )
            for r in self.state.rows(
                "SELECT * FROM standing_publications WHERE ? IS NULL OR list = ? ORDER BY id",
                list_,
                list_,
            )
        )

    def decisions(self, publication: str) -> tuple[Decision, ...]:
        """All that became of a publication, oldest first."""
        return tuple(
            Decision(
                moment(r["at"]),
                r["verdict"],
                (f"an operator ({r['why']})" if r["why"] else "an operator") if r["act"] else "the rules",
                tuple(json.loads(r["reasons"])),
            )
            for r in self.state.rows(
                "SELECT d.*, a.why FROM decisions d JOIN publications p ON p.id = d.publication"
                " LEFT JOIN acts a ON a.id = d.act WHERE p.public_id = ? ORDER BY d.id",
                publication,
            )
        )

    def reviews(self, id: str | None = None) -> tuple[ReviewRecord, ...]:
        """Pairs of entries that may be about one agreement, oldest first; or the one with this id."""
        rows = self.state.rows(
            "SELECT r.*, a.act, a.at, a.why FROM reviews r"
            " LEFT JOIN acts a ON a.id = (SELECT max(id) FROM acts WHERE subject = r.public_id)"
            " WHERE ? IS NULL OR r.public_id = ? ORDER BY r.id",
            id,
            id,
        )
        wanted = [entry for r in rows for entry in (r["departure"], r["arrival"])]
        entries = {e.id: e for e in self.entries(ids=wanted)} if wanted else {}
        return tuple(
            ReviewRecord(
                r["public_id"],
                entries[r["departure"]],
                entries[r["arrival"]],
                tuple(json.loads(r["reasons"])),
                r["act"] or "",
                moment(r["at"]) if r["at"] else None,
                r["why"] or "",
            )
            for r in rows
        )

    def doubtful(self, now: datetime, ask_for: timedelta) -> tuple[ReviewRecord, ...]:
        """The pairs that wait for an operator's answer."""
        from monitor.matching.review import ReviewStatus, standing

        return tuple(
            r for r in self.reviews() if standing(r.answer, r.departure, r.arrival, now, ask_for) is ReviewStatus.OPEN
        )

    def review(self, id: str) -> ReviewRecord:
        """The pair under review with this id. Raises NotFound."""
        for review in self.reviews(id):
            return review
        raise NotFound(id, "`review list` prints the ids of doubtful pairs")

    def resolve(self, agreement: str) -> str:
        """The id under which an agreement is known now: another one than this where it proved to be the older one."""
        older = self.state.value(
            "SELECT o.public_id FROM aliases x JOIN agreements a ON a.id = x.agreement"
            " JOIN agreements o ON o.id = x.same_as WHERE a.public_id = ?",
            agreement,
        )
        return older or agreement

    def _known_as(self, agreement: str) -> tuple[str, ...]:
        """An agreement's id, and those that lead to it."""
        known = self.resolve(agreement)
        younger = self.state.rows(
            "SELECT a.public_id FROM aliases x JOIN agreements a ON a.id = x.agreement"
            " JOIN agreements o ON o.id = x.same_as WHERE o.public_id = ? ORDER BY a.id",
            known,
        )
        return known, *(r["public_id"] for r in younger)

    def names(self, agreement: str) -> Names | None:
        """How an agreement was ever called; None where nothing has this id."""
        ids = self._known_as(agreement)
        known = f"agreement IN (SELECT id FROM agreements WHERE public_id IN ({marks(ids)}))"
        found = self.state.rows(
            f"""
            SELECT c.state, c.agency FROM (
                SELECT content, publication AS seen FROM listings WHERE {known}
                UNION ALL SELECT after_content, publication FROM entries WHERE {known}
                UNION ALL SELECT before_content, publication - 1 FROM entries WHERE {known}) x
            JOIN contents c ON c.id = x.content GROUP BY c.state, c.agency ORDER BY max(x.seen)
            """,
            *ids * 3,
        )
        return Names(ids, tuple((r["state"], r["agency"]) for r in found)) if found else None

    def last_checks(self) -> tuple[LastCheck, ...]:
        """The newest look at each list that was ever looked at."""
        return tuple(
            LastCheck(
                ListName(r["list"]),
                moment(r["at"]),
                Outcome(r["outcome"]),
                r["detail"],
                moment(r["succeeded_at"]) if r["succeeded_at"] else None,
            )
            for r in self.state.rows(
                """
                SELECT c.list, c.at, c.outcome, c.detail,
                       (SELECT at FROM checks s WHERE s.list = c.list AND s.outcome IN ('unchanged', 'changed')
                        ORDER BY id DESC LIMIT 1) AS succeeded_at
                FROM checks c WHERE c.id IN (SELECT max(id) FROM checks GROUP BY list)
                ORDER BY c.list
                """
            )
        )

    def first_checks(self) -> dict[ListName, datetime]:
        """When each list that was ever looked at was looked at for the first time."""
        rows = self.state.rows("SELECT list, min(at) AS at FROM checks WHERE list IN (?, ?) GROUP BY list", *ListName)
        return {ListName(r["list"]): moment(r["at"]) for r in rows}

    def agreements(
        self,
        agreement: str | None = None,
        *,
        states: Sequence[str | None] = (),
        as_of: datetime | None = None,
    ) -> Iterator[AgreementRecord]:
        """All agreements ever seen, those of some states (None: not recognised), or the one with this id.

        Each comes with its newest listing: the participating list speaks for an agreement that was ever on it, the
        pending list for the others. `as_of`: as the lists stood then, by when each publication was first seen.
        """
        until = stamp(as_of) if as_of else "9"
        believed = (
            "SELECT {}(id) AS id, list FROM standing_publications"
            f" WHERE verdict = 'accepted' AND observed_at <= '{until}' GROUP BY list"
        )
        baselines = {r["id"] for r in self.state.rows(believed.format("min"))}
        listed = {
            ListName(r["list"]): {
                row["agreement"]
                for row in self.state.rows("SELECT agreement FROM listed WHERE publication = ?", r["id"])
            }
            for r in self.state.rows(believed.format("max"))
        }
        # Asked for each list in turn: one walk down an index to the newest publication that lists the agreement.
        # The few that are known under several ids are looked up under each.
        found = (
            "(SELECT l.content FROM listings l JOIN publications p ON p.id = l.publication"
            " WHERE l.agreement {} AND p.list = '{{0}}'"
            f" AND p.observed_at <= '{until}' ORDER BY l.publication DESC, l.spare, l.row LIMIT 1)"
        )
        every_id = "IN (SELECT a.id UNION ALL SELECT agreement FROM aliases WHERE same_as = a.id)"
        newest = (
            "CASE WHEN EXISTS (SELECT 1 FROM aliases WHERE same_as = a.id)"
            f" THEN {found.format(every_id)} ELSE {found.format('= a.id')} END"
        )
        # One whose rows a rebuild believes no longer is known by what was said of it.
        said = (
            "(SELECT coalesce(after_content, before_content) FROM entries WHERE agreement = a.id ORDER BY seq LIMIT 1)"
        )
        where = ["a.id NOT IN (SELECT agreement FROM aliases)"]
        arguments: list[object] = []
        if agreement is not None:
            where.append("a.public_id = ?")
            arguments.append(self.resolve(agreement))
        if states:
            where.append(self._maybe_in(states, arguments))
        for r in self.state.rows(
            f"""
            SELECT a.id AS number, a.public_id, fp.list AS first_list, fp.observed_at AS first_seen,
                   a.publication AS first_publication, {prefixed("c")},
                   EXISTS (SELECT 1 FROM aliases WHERE same_as = a.id) AS known_under_others
            FROM agreements a
            JOIN publications fp ON fp.id = a.publication
            JOIN contents c ON c.id = coalesce({newest.format("participating")}, {newest.format("pending")}
                {f", {said}" if as_of is None else ""})
            WHERE {" AND ".join(where)}
            ORDER BY a.id
            """,
            *arguments,
        ):
            cells = cells_of(r)
            if states and values(cells).state not in states:
                continue
            yield AgreementRecord(
                id=r["public_id"],
                **_as_shown(cells),
                type=shown(cells.type),
                moa=cells.moa_address or shown(cells.moa),
                addendum=cells.addendum_address or shown(cells.addendum),
                first_list=ListName(r["first_list"]),
                first_seen=moment(r["first_seen"]),
                listed_before=r["first_publication"] in baselines,
                listed=tuple(name for name in ListName if r["number"] in listed.get(name, ())),
                aliases=self._known_as(r["public_id"])[1:] if r["known_under_others"] else (),
            )

    def workbooks(self, prefix: str) -> tuple[str, ...]:
        """The hashes of the workbooks that are kept and whose hash begins so."""
        found = self.state.rows("SELECT sha256 FROM workbooks WHERE substr(sha256, 1, ?) = ?", len(prefix), prefix)
        return tuple(r["sha256"] for r in found)

    def workbook(self, sha256: str) -> bytes:
        """The bytes of a workbook, as they were fetched."""
        found: bytes = self.state.value("SELECT bytes FROM workbooks WHERE sha256 = ?", sha256)
        return found

    def _maybe_in(self, states: Sequence[str | None], arguments: list[object]) -> str:
        """A condition that leaves out most agreements of other states, so that not every one has to be looked up.

        Those listed now under a spelling of these states, and those that an entry of these states says have left.
        """
        spellings = [
            r["state"] for r in self.state.rows("SELECT DISTINCT state FROM contents") if state(r["state"]) in states
        ]
        current = [
            r["id"]
            for r in self.state.rows(
                "SELECT max(id) AS id FROM standing_publications WHERE verdict = 'accepted' GROUP BY list"
            )
        ]
        arguments += [*current, *spellings]
        return (
            "a.id IN (SELECT l.agreement FROM listed l JOIN contents c ON c.id = l.content"
            f" WHERE l.publication IN ({marks(current)}) AND c.state IN ({marks(spellings)})"
            f" UNION SELECT {older('entries.agreement')} FROM entries WHERE kind IN ('terminated', 'dropped')"
            f" AND {_is_one_of('state', states, arguments)})"
        )

    def newest_change(self, before: datetime | None = None) -> datetime | None:
        """When the last entry of the log, or the last before a moment, was first seen."""
        at = self.state.value(
            "SELECT max(observed_at) FROM entries WHERE observed_at < ?",
            stamp(before) if before else "~",
        )
        return moment(at) if at else None

    def next_change(self, since: datetime) -> datetime | None:
        """When the first entry at or after a moment was first seen."""
        at = self.state.value("SELECT min(observed_at) FROM entries WHERE observed_at >= ?", stamp(since))
        return moment(at) if at else None

    def tally(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        states: Sequence[str | None] = (),
    ) -> tuple[Tally, ...]:
        """How many entries of each sort were first seen when, oldest first. `since` ≤ observed_at < `until`."""
        arguments: list[object] = [stamp(since) if since else "", stamp(until) if until else "~"]
        in_states = f"AND {_is_one_of('state', states, arguments)}" if states else ""
        return tuple(
            Tally(
                moment(r["observed_at"]),
                Kind(r["kind"]),
                Significance(r["significance"]),
                r["status"],
                r["count"],
            )
            for r in self.state.rows(
                "SELECT observed_at, kind, significance, status, count(*) AS count FROM log"
                f" WHERE observed_at >= ? AND observed_at < ? {in_states}"
                " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
                *arguments,
            )
        )

    def newest_change_by_state(self) -> dict[str | None, datetime]:
        """When the last entry of each state was first seen; None stands for a state that nobody could tell."""
        return {
            r["state"]: moment(r["at"])
            for r in self.state.rows("SELECT state, max(observed_at) AS at FROM entries GROUP BY state")
        }

    def standing_counts(self) -> dict[tuple[ListName, str | None, SupportType | None], int]:
        """How many agreements each list shows now, by state and support type; None where a cell says neither."""
        counts: dict[tuple[ListName, str | None, SupportType | None], int] = {}
        for r in self.state.rows(
            """
            SELECT p.list, c.state, c.support_type, count(DISTINCT l.agreement) AS count
            FROM publications p JOIN listed l ON l.publication = p.id JOIN contents c ON c.id = l.content
            WHERE p.id IN (SELECT max(id) FROM standing_publications WHERE verdict = 'accepted' GROUP BY list)
                  AND NOT l.spare
            GROUP BY 1, 2, 3
            """
        ):
            key = ListName(r["list"]), state(r["state"]), support_type(r["support_type"])
            counts[key] = counts.get(key, 0) + r["count"]
        return counts

    def looks(self, since: datetime, until: datetime) -> dict[ListName, Looks]:
        """How often each list was looked at between two moments, and how often that succeeded."""
        return {
            ListName(r["list"]): Looks(r["all"], r["succeeded"])
            for r in self.state.rows(
                "SELECT list, count(*) AS \"all\", sum(outcome IN ('unchanged', 'changed')) AS succeeded"
                " FROM checks WHERE list IN (?, ?) AND at >= ? AND at < ? GROUP BY list",
                *ListName,
                stamp(since),
                stamp(until),
            )
        }


def _is_one_of(column: str, states: Sequence[str | None], arguments: list[object]) -> str:
    """A condition on a state column; None among the states stands for one that nobody could tell."""
    named = [s for s in states if s is not None]
    arguments += named
    condition = f"{column} IN ({marks(named)})"
    return f"({condition} OR {column} IS NULL)" if None in states else condition


def prefixed(table: str, prefix: str = "") -> str:
    """The cell columns of a table under names with a prefix, as a SELECT list."""
    return ", ".join(f"{table}.{name} AS {prefix}{name}" if prefix else f"{table}.{name}" for name in CELL_NAMES)


def older(column: str) -> str:
    """The number of the agreement that the one in a column proved to be, as an SQL expression.

    The column comes with the name of its table: a bare one would be that of `aliases`.
    """
    return f"coalesce((SELECT same_as FROM aliases WHERE aliases.agreement = {column}), {column})"


def cells_of(r: sqlite3.Row, prefix: str = "") -> Cells:
    return Cells(*(r[f"{prefix}{name}"] for name in CELL_NAMES))


class _Shown(TypedDict):
    state: str | None
    agency: str
    county: str
    support_type: str
    signed: str


def _as_shown(cells: Cells) -> _Shown:
    """A row's main cells as a reader wants them: spacing mended, codes and dates in one form, `#N/A` blank."""
    read = values(cells)
    return {
        "state": read.state,
        "agency": shown(cells.agency),
        "county": shown(cells.county) if read.county else "",
        "support_type": read.support_type or shown(cells.support_type),
        "signed": read.signed.isoformat() if read.signed else shown(cells.signed),
    }


def _previous(r: sqlite3.Row) -> Source:
    return Source(
        r["previous"],
        r["previous_file"],
        r["previous_url"],
        r["previous_sha256"],
        r["before_row"],
        moment(r["previous_published_at"]),
    )


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
        **_as_shown(after or before or Cells()),
        significance=Significance(r["significance"]),
        fields=tuple(
            FieldChange(f["name"], f["before"], f["after"], Significance(f["significance"]))
            for f in json.loads(r["fields"])
        ),
        before=before,
        after=after,
        reasons=tuple(json.loads(r["reasons"])),
        pending_since=moment(r["pending_since"]) if r["pending_since"] else None,
        publication=Source(r["publication"], r["file"], r["url"], r["sha256"], r["row"], moment(r["published_at"])),
        previous=_previous(r) if r["previous"] and before else None,
    )
