"""What a check reads to decide on, and the only SQL that writes publications, agreements and entries."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path

from monitor.log import CELL_NAMES, CELLS, Log, cells_of, prefixed
from monitor.model import (
    Application,
    Cells,
    Change,
    Departure,
    Hold,
    Kind,
    ListName,
    Outcome,
    Publication,
    Standing,
    Validators,
)
from monitor.normalize import listing
from monitor.schema import SCHEMA
from monitor.state import State, moment, stamp

_texts = attrgetter(*CELL_NAMES)  # a row's cells as a tuple; dataclasses.astuple copies deeply, and takes 20×


def open_store(path: Path) -> Store:
    """The store on the state.db at `path`, made or migrated where needed."""
    return Store(State(path, SCHEMA))


@dataclass(frozen=True, slots=True)
class Current:
    """What a list held when it was last believed."""

    publication: int
    meaning: str
    observed_at: datetime
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A publication that waits to be believed."""

    publication: int
    sha256: str
    meaning: str
    observed_at: datetime
    hold: Hold


class Store(Log):
    """The log, and all that `monitor` records beside it. Reads see committed facts; writes go inside `write()`."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._currents: dict[ListName, tuple[str, Current]] = {}
        # Numbers of the contents that the last believed rows show: most of the next publication's.
        self._known_contents: dict[ListName, dict[Cells, int]] = {}

    def write(self) -> AbstractContextManager[None]:
        """One transaction; see State.write."""
        return self.state.write()

    # --- what a check needs to know ------------------------------------------------------------------------

    def validators(self, list_: ListName) -> Validators:
        """Of the workbook of this list that was recorded last."""
        row = self.state.row("SELECT url, last_modified, etag, sha256 FROM validators WHERE list = ?", list_)
        return Validators(*row) if row else Validators()

    def current(self, list_: ListName) -> Current | None:
        """The last believed publication of a list; None before its baseline."""
        row = self.state.row(
            "SELECT id, public_id, meaning, observed_at FROM standing_publications"
            " WHERE list = ? AND verdict = 'accepted' ORDER BY id DESC LIMIT 1",
            list_,
        )
        if row is None:
            return None
        # An accepted publication never changes; a replay asks for each again and again.
        if (known := self._currents.get(list_)) and known[0] == row["public_id"]:
            return known[1]
        rows = self.state.rows(
            f"SELECT l.agreement, l.row, l.spare, l.content, {CELLS} FROM listings l"
            " JOIN contents c ON c.id = l.content WHERE l.publication = ? ORDER BY l.row",
            row["id"],
        )
        listed = [(r, cells_of(r)) for r in rows]
        self._known_contents[list_] = {cells: r["content"] for r, cells in listed}
        standings = tuple(Standing(r["agreement"], listing(r["row"], cells), bool(r["spare"])) for r, cells in listed)
        current = Current(row["id"], row["meaning"], moment(row["observed_at"]), standings)
        self._currents[list_] = row["public_id"], current
        return current

    def held(self, list_: ListName) -> tuple[Held, ...]:
        """Publications of a list that wait to be believed, oldest first."""
        return tuple(
            Held(
                r["id"],
                r["sha256"],
                r["meaning"],
                moment(r["observed_at"]),
                Hold(tuple(json.loads(r["reasons"])), bool(r["structural"])),
            )
            for r in self.state.rows(
                "SELECT * FROM standing_publications WHERE list = ? AND verdict = 'held' ORDER BY id",
                list_,
            )
        )

    def was_accepted(self, list_: ListName, sha256: str) -> bool:
        """Whether these very bytes were believed before."""
        return bool(
            self.state.value(
                "SELECT 1 FROM standing_publications WHERE list = ? AND sha256 = ? AND verdict = 'accepted'",
                list_,
                sha256,
            )
        )

    def departures(self, list_: ListName) -> tuple[Departure, ...]:
        """Agreements whose last change on a list was that they left it; coming back to the other list does not count.

        An application whose agreement is, or was, on the participating list since has not been dropped.
        """
        here = f"(x.kind IN ('terminated', 'dropped', 'returned', 'new', 'applied') AND p.list = '{list_}')"
        if list_ is ListName.PENDING:
            here += " OR (x.kind IN ('new', 'returned') AND p.list = 'participating')"
        leaving = Kind.TERMINATED if list_ is ListName.PARTICIPATING else Kind.DROPPED
        return tuple(
            Departure(
                Standing(r["agreement"], listing(r["before_row"], cells_of(r))),
                r["id"],
                moment(r["observed_at"]),
                r["status"] == Kind.CONFIRMED,
            )
            for r in self.state.rows(
                f"""
                SELECT e.agreement, e.id, e.before_row, e.observed_at, l.status, {prefixed("c")}
                FROM entries e
                JOIN (SELECT x.agreement, max(x.seq) AS seq FROM entries x
                      JOIN publications p ON p.id = x.publication WHERE {here} GROUP BY x.agreement) last
                     ON last.seq = e.seq
                JOIN log l ON l.seq = e.seq
                JOIN contents c ON c.id = e.before_content
                WHERE e.kind = ? AND l.status IN ('unconfirmed', 'confirmed')
                ORDER BY e.seq
                """,
                leaving,
            )
        )

    def side_by_side(self, some: Iterable[int], others: Iterable[int]) -> dict[int, frozenset[int]]:
        """For each of some agreements, which of the others were ever listed in one publication with it."""
        found: dict[int, set[int]] = {one: set() for one in some}
        beside = list(others)
        for r in self.state.rows(
            "SELECT DISTINCT a.agreement AS one, b.agreement AS other FROM listings a"
            " JOIN listings b ON b.publication = a.publication AND b.agreement <> a.agreement"
            f" WHERE a.agreement IN ({_marks(found)}) AND b.agreement IN ({_marks(beside)})",
            *found,
            *beside,
        ):
            found[r["one"]].add(r["other"])
        return {one: frozenset(with_) for one, with_ in found.items()}

    def applications(self) -> tuple[Application, ...]:
        """Agreements on the pending list, or dropped from it, that were never seen on the participating list."""
        dropped = {d.standing.agreement: d for d in self.departures(ListName.PENDING)}
        current = self.current(ListName.PENDING)
        standings = [s for s in current.standings if not s.spare] if current else []
        standings += [d.standing for d in dropped.values()]
        participated = {
            r["agreement"]
            for r in self.state.rows(
                "SELECT DISTINCT agreement FROM entries WHERE kind IN ('new', 'terminated')"
                " UNION SELECT agreement FROM listings WHERE publication = ("
                "   SELECT min(id) FROM standing_publications WHERE list = 'participating' AND verdict = 'accepted')"
            )
        }
        return tuple(
            Application(s, self._first_seen(s.agreement), dropped.get(s.agreement))
            for s in standings
            if s.agreement not in participated
        )

    def listed_without_application(self, since: datetime) -> frozenset[int]:
        """Agreements that are new on the participating list since then, of which no application was known."""
        return frozenset(
            r["agreement"]
            for r in self.state.rows(
                "SELECT e.agreement FROM entries e JOIN publications p ON p.id = e.publication"
                " WHERE e.kind = 'new' AND p.list = 'participating' AND e.pending_since IS NULL AND e.observed_at >= ?",
                stamp(since),
            )
        )

    def _first_seen(self, agreement: int) -> datetime:
        return moment(
            self.state.value(
                "SELECT p.observed_at FROM agreements a JOIN publications p ON p.id = a.publication WHERE a.id = ?",
                agreement,
            )
        )

    def time_seen(self, list_: ListName, since: datetime, until: datetime) -> timedelta:
        """For how long between two moments successful checks followed one another.

        What passes before or after a check that failed, was held or found no link is not counted: nobody saw then
        whether a departure stood.
        """
        total = timedelta()
        last: datetime | None = None
        for r in self.state.rows(
            "SELECT at, outcome FROM checks WHERE list = ? AND at >= ? AND at <= ? ORDER BY id",
            list_,
            stamp(since),
            stamp(until),
        ):
            at = moment(r["at"])
            good = r["outcome"] in (Outcome.UNCHANGED, Outcome.CHANGED)
            if good and last is not None:
                total += at - last
            last = at if good else None
        return total

    def last_check_at(self) -> datetime | None:
        """The newest look at any list."""
        at = self.state.value("SELECT max(at) FROM checks")
        return moment(at) if at else None

    def was_checked(self, list_: ListName, at: datetime, sha256: str) -> bool:
        """Whether this very look at a list is recorded already (a replay that is repeated)."""
        return bool(
            self.state.value(
                "SELECT 1 FROM checks WHERE list = ? AND at = ? AND sha256 = ?",
                list_,
                stamp(at),
                sha256,
            )
        )

    # --- recording -----------------------------------------------------------------------------------------

    def record_check(
        self,
        list_: ListName,
        at: datetime,
        outcome: Outcome,
        *,
        publication: int | None = None,
        sha256: str | None = None,
        detail: str = "",
    ) -> None:
        """One look at one list, and how it went."""
        self.state.run(
            "INSERT INTO checks (list, at, outcome, publication, sha256, detail) VALUES (?, ?, ?, ?, ?, ?)",
            list_,
            stamp(at),
            outcome,
            publication,
            sha256,
            detail,
        )

    def record_validators(self, list_: ListName, seen: Validators) -> None:
        """From now on this workbook counts as seen."""
        self.state.run(
            "INSERT OR REPLACE INTO validators (list, url, last_modified, etag, sha256) VALUES (?, ?, ?, ?, ?)",
            list_,
            seen.url,
            seen.last_modified,
            seen.etag,
            seen.sha256,
        )

    def record_publication(self, publication: Publication, meaning: str, content: bytes) -> int:
        """A content that was not there at the last look, with its bytes; its number."""
        self.state.run(
            "INSERT OR IGNORE INTO workbooks (sha256, bytes, saved_at) VALUES (?, ?, ?)",
            publication.sha256,
            content,
            stamp(publication.saved_at) if publication.saved_at else None,
        )
        observed = stamp(publication.observed_at)
        return self.state.run(
            "INSERT INTO publications (public_id, list, sha256, meaning, url, file, rows, observed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            public_id("p", publication.list, publication.sha256, observed),
            publication.list,
            publication.sha256,
            meaning,
            publication.url,
            publication.file,
            len(publication.listings),
            observed,
        )

    def decide(self, publication: int, at: datetime, verdict: str, hold: Hold | None = None) -> None:
        """What becomes of a publication: held, accepted, rejected or moot."""
        self.state.run(
            "INSERT INTO decisions (publication, at, verdict, structural, reasons) VALUES (?, ?, ?, ?, ?)",
            publication,
            stamp(at),
            verdict,
            int(hold is not None and hold.structural),
            _json(hold.reasons if hold else ()),
        )

    def record_listings(self, publication: int, standings: Sequence[Standing]) -> None:
        """The rows of an accepted publication, each under its agreement."""
        contents = self._contents(s.listing.cells for s in standings)
        self.state.run_many(
            "INSERT INTO listings (publication, row, content, agreement, spare) VALUES (?, ?, ?, ?, ?)",
            [(publication, s.listing.row, contents[s.listing.cells], s.agreement, int(s.spare)) for s in standings],
        )

    def new_agreement(self, publication: int, source: Publication, row: int) -> int:
        """An agreement that was never seen before, named after its first listing."""
        attempt = public_id("a", source.list, source.sha256, str(row))
        taken = "SELECT 1 FROM agreements WHERE public_id = ?"
        if self.state.value(taken, attempt):
            # The same bytes were believed twice, and this row continued nobody the second time.
            attempt = public_id("a", source.list, source.sha256, str(row), stamp(source.observed_at))
        return self.state.run(
            "INSERT INTO agreements (public_id, publication, row) VALUES (?, ?, ?)",
            attempt,
            publication,
            row,
        )

    def append(
        self,
        changes: Sequence[tuple[Change, int]],
        *,
        publication: int,
        previous: int | None,
        observed_at: datetime,
        recorded_at: datetime,
        announce: bool,
    ) -> None:
        """Add entries to the log: each change with the number of its agreement, in the order given."""
        if not changes:
            return
        contents = self._contents(side.cells for change, _ in changes for side in (change.before, change.after) if side)
        publication_id = self.state.value("SELECT public_id FROM publications WHERE id = ?", publication)
        for change, agreement in changes:
            agreement_id = self.state.value("SELECT public_id FROM agreements WHERE id = ?", agreement)
            shown_in = change.after or change.before
            self.state.run(
                "INSERT INTO entries (id, kind, about, agreement, publication, previous, observed_at,"
                " recorded_at, announce, significance, fields, before_content, before_row, after_content,"
                " after_row, state, reasons, pending_since)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                public_id("c", change.kind, agreement_id, publication_id, change.about or ""),
                change.kind,
                change.about,
                agreement,
                publication,
                previous,
                stamp(observed_at),
                stamp(recorded_at),
                int(announce),
                change.significance,
                _json([asdict(f) for f in change.fields]),
                contents[change.before.cells] if change.before else None,
                change.before.row if change.before else None,
                contents[change.after.cells] if change.after else None,
                change.after.row if change.after else None,
                shown_in.values.state if shown_in else None,
                _json(change.reasons),
                stamp(change.pending_since) if change.pending_since else None,
            )

    def _contents(self, rows: Iterable[Cells]) -> dict[Cells, int]:
        """The numbers of these rows' contents, stored where they are new."""
        rows = set(rows)
        known = {cells: n for of in self._known_contents.values() for cells, n in of.items() if cells in rows}
        hashes = {cells: _digest(*_texts(cells)) for cells in rows - known.keys()}
        self.state.run_many(
            f"INSERT OR IGNORE INTO contents ({CELLS}, hash) VALUES ({', '.join('?' * 11)})",
            [(*_texts(cells), digest) for cells, digest in hashes.items()],
        )
        numbers: dict[bytes, int] = {}
        wanted = list(hashes.values())
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            numbers |= {
                r["hash"]: r["id"]
                for r in self.state.rows(f"SELECT hash, id FROM contents WHERE hash IN ({_marks(part)})", *part)
            }
        return known | {cells: numbers[digest] for cells, digest in hashes.items()}


def public_id(prefix: str, *parts: str) -> str:
    """A permanent id that is derived from what it names, so that a rebuild gives the same: 60 bits, base 32."""
    return f"{prefix}-{base64.b32encode(_digest(*parts)).decode().lower()[:12]}"


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(_json(parts).encode()).digest()[:16]


def _marks(values: Collection[object]) -> str:
    """A mark for each value of an SQL list."""
    return ", ".join("?" * len(values))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
