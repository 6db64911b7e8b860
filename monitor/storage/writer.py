"""What a check reads to decide on, and the only SQL that writes publications, agreements and entries."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from datetime import datetime
from operator import attrgetter
from pathlib import Path

from monitor.model import (
    Act,
    Application,
    Cells,
    Change,
    Current,
    Departure,
    HeldPublication,
    Hold,
    Kind,
    ListName,
    Outcome,
    Publication,
    Standing,
    Validators,
)
from monitor.normalize import listing
from monitor.storage.changelog import CELL_NAMES, CELLS, Log, cells_of, older, prefixed
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.schema import SCHEMA

_texts = attrgetter(*CELL_NAMES)  # a row's cells as a tuple; dataclasses.astuple copies deeply, and takes 20×


def open_store(path: Path) -> Store:
    """The store on the state.db at `path`, made or migrated where needed."""
    return Store(State(path, SCHEMA))


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

    @contextmanager
    def rehearse(self) -> Iterator[None]:
        """A transaction that is undone at the end: what would happen, without its happening."""
        try:
            with self.write():
                yield
                raise _Undone
        except _Undone:
            pass
        finally:
            self._forget()

    def _forget(self) -> None:
        """What is at hand of the file is read anew."""
        self._currents.clear()
        self._known_contents.clear()

    # --- what a check needs to know ------------------------------------------------------------------------

    def validators(self, list_: ListName) -> Validators:
        """Of the workbook of this list that was recorded last."""
        row = self.state.row("SELECT url, last_modified, etag, sha256 FROM validators WHERE list = ?", list_)
        return Validators(*row) if row else Validators()

    def current(self, list_: ListName) -> Current | None:
        """The last believed publication of a list; None before its baseline."""
        row = self.state.row(
            "SELECT id, public_id, meaning, observed_at, announce FROM standing_publications"
            " WHERE list = ? AND verdict = 'accepted' ORDER BY id DESC LIMIT 1",
            list_,
        )
        if row is None:
            return None
        # An accepted publication never changes; a replay asks for each again and again.
        if (known := self._currents.get(list_)) and known[0] == row["public_id"]:
            return known[1]
        rows = self.state.rows(
            f"SELECT l.agreement, l.row, l.spare, l.content, {CELLS} FROM listed l"
            " JOIN contents c ON c.id = l.content WHERE l.publication = ? ORDER BY l.row",
            row["id"],
        )
        listed = [(r, cells_of(r)) for r in rows]
        self._known_contents[list_] = {cells: r["content"] for r, cells in listed}
        standings = tuple(Standing(r["agreement"], listing(r["row"], cells), bool(r["spare"])) for r, cells in listed)
        current = Current(row["id"], row["meaning"], moment(row["observed_at"]), bool(row["announce"]), standings)
        self._currents[list_] = row["public_id"], current
        return current

    def held(self, list_: ListName) -> tuple[HeldPublication, ...]:
        """Publications of a list that wait to be believed, oldest first."""
        return tuple(map(_held, self.state.rows(f"{_STANDING} WHERE list = ? AND verdict = 'held' ORDER BY id", list_)))

    def unbelieved(self, publication: str) -> HeldPublication | None:
        """A publication that waits or was rejected, by its public id, while nothing later of its list is believed."""
        row = self.state.row(
            f"{_STANDING} s WHERE public_id = ? AND verdict IN ('held', 'rejected') AND NOT EXISTS"
            " (SELECT 1 FROM standing_publications WHERE list = s.list AND verdict = 'accepted' AND id > s.id)",
            publication,
        )
        return _held(row) if row else None

    def rejected(self, list_: ListName, sha256: str, meaning: str) -> HeldPublication | None:
        """The publication of these bytes or rows that was rejected since the list was last believed."""
        row = self.state.row(
            f"{_STANDING} s WHERE list = ? AND verdict = 'rejected' AND (sha256 = ? OR (meaning = ? AND meaning <> ''))"
            " AND NOT EXISTS (SELECT 1 FROM standing_publications"
            "                 WHERE list = s.list AND verdict = 'accepted' AND id > s.id) ORDER BY id DESC LIMIT 1",
            list_,
            sha256,
            meaning,
        )
        return _held(row) if row else None

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

        An application whose agreement is, or was, on the participating list since has not been dropped. That an entry
        about leaving was retracted does not bring the row back: it is known, as one there is no more to say of; but
        what a rebuild only kept says nothing. What the list shows has not left it.
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
                r["status"] != "unconfirmed",
            )
            for r in self.state.rows(
                f"""
                SELECT last.agreement, e.id, e.before_row, e.observed_at, l.status, {prefixed("c")}
                FROM entries e
                JOIN (SELECT {older("x.agreement")} AS agreement, max(x.seq) AS seq FROM entries x
                      JOIN publications p ON p.id = x.publication
                      WHERE ({here}) AND NOT {_kept("x")} GROUP BY 1) last
                     ON last.seq = e.seq
                JOIN log l ON l.seq = e.seq
                JOIN contents c ON c.id = e.before_content
                WHERE e.kind = ? AND l.status IN ('unconfirmed', 'confirmed', 'retracted')
                  AND last.agreement NOT IN (SELECT agreement FROM listed WHERE publication = (
                        SELECT id FROM standing_publications WHERE list = ? AND verdict = 'accepted'
                        ORDER BY id DESC LIMIT 1))
                ORDER BY e.seq
                """,
                leaving,
                list_,
            )
        )

    def side_by_side(self, some: Iterable[int], others: Iterable[int]) -> dict[int, frozenset[int]]:
        """For each of some agreements, which of the others were ever listed in one publication with it."""
        found: dict[int, set[int]] = {one: set() for one in some}
        beside = list(others)
        for r in self.state.rows(
            "SELECT DISTINCT a.agreement AS one, b.agreement AS other FROM listed a"
            " JOIN listed b ON b.publication = a.publication AND b.agreement <> a.agreement"
            f" WHERE a.agreement IN ({marks(found)}) AND b.agreement IN ({marks(beside)})",
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
                f"SELECT {older('entries.agreement')} AS agreement FROM entries"
                f" WHERE kind IN ('new', 'terminated') AND NOT {_kept('entries')}"
                " UNION SELECT agreement FROM listed WHERE publication = ("
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

    def checks_since(self, list_: ListName, since: datetime) -> tuple[tuple[datetime, Outcome], ...]:
        """When a list was looked at from a moment on, and how each look went, in the order they were recorded."""
        return tuple(
            (moment(r["at"]), Outcome(r["outcome"]))
            for r in self.state.rows(
                "SELECT at, outcome FROM checks WHERE list = ? AND at >= ? ORDER BY id", list_, stamp(since)
            )
        )

    def last_check_at(self) -> datetime | None:
        """The newest look at any list."""
        at = self.state.value("SELECT max(at) FROM checks")
        return moment(at) if at else None

    def count_checks(self) -> int:
        """How many looks at the lists are recorded."""
        return int(self.state.value("SELECT count(*) FROM checks"))

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

    def record_publication(
        self, publication: Publication, meaning: str, content: bytes, *, announce: bool = True
    ) -> int:
        """A content that was not there at the last look, with its bytes; its number. `announce`: it is no old news."""
        self.state.run(
            "INSERT OR IGNORE INTO workbooks (sha256, bytes, saved_at) VALUES (?, ?, ?)",
            publication.sha256,
            content,
            stamp(publication.saved_at) if publication.saved_at else None,
        )
        observed = stamp(publication.observed_at)
        return self.state.run(
            "INSERT INTO publications (public_id, list, sha256, meaning, url, file, rows, observed_at, announce)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            public_id("p", publication.list, publication.sha256, observed),
            publication.list,
            publication.sha256,
            meaning,
            publication.url,
            publication.file,
            len(publication.listings),
            observed,
            int(announce),
        )

    def act(self, at: datetime, act: Act, subject: str, why: str) -> int:
        """What an operator decided, about the thing with this public id; its number."""
        return self.state.run(
            "INSERT INTO acts (at, act, subject, why, after_check)"
            " VALUES (?, ?, ?, ?, coalesce((SELECT max(id) FROM checks), 0))",
            stamp(at),
            act,
            subject,
            why,
        )

    def decide(
        self, publication: int, at: datetime, verdict: str, hold: Hold | None = None, *, act: int | None = None
    ) -> None:
        """What becomes of a publication: held, accepted, rejected or moot; `act` is the operator's, if it is theirs."""
        self.state.run(
            "INSERT INTO decisions (publication, at, verdict, structural, reasons, act) VALUES (?, ?, ?, ?, ?, ?)",
            publication,
            stamp(at),
            verdict,
            int(hold is not None and hold.structural),
            as_text(hold.reasons if hold else ()),
            act,
        )

    def record_listings(self, publication: int, standings: Sequence[Standing]) -> None:
        """The rows of an accepted publication, each under its agreement."""
        contents = self.contents(s.listing.cells for s in standings)
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

    def open_reviews(self) -> tuple[tuple[str, str], ...]:
        """The pairs (departure, arrival) that an operator is asked about and has not answered, while the arrival
        stands."""
        return tuple(
            (r["departure"], r["arrival"])
            for r in self.state.rows(
                "SELECT r.departure, r.arrival FROM reviews r JOIN log a ON a.id = r.arrival"
                " WHERE r.public_id NOT IN (SELECT subject FROM acts) AND a.status IS NULL"
            )
        )

    def agreement_id(self, agreement: int) -> str:
        """The permanent id of an agreement."""
        return str(self.state.value("SELECT public_id FROM agreements WHERE id = ?", agreement))

    def number(self, agreement: str) -> int:
        """The number of the agreement with this permanent id."""
        return int(self.state.value("SELECT id FROM agreements WHERE public_id = ?", agreement))

    def publication_number(self, publication: str) -> int:
        """The number of the publication with this permanent id."""
        return int(self.state.value("SELECT id FROM publications WHERE public_id = ?", publication))

    def agreement_of(self, entry: str) -> str:
        """The permanent id of the agreement that an entry is about."""
        return self.agreement_id(self.state.value("SELECT agreement FROM entries WHERE id = ?", entry))

    def arrivals(self, kind: Kind) -> dict[int, str]:
        """The entry of this kind that told of each agreement first; agreements without one, or whose entry was taken
        back, are left out."""
        rows = self.state.rows(
            "SELECT e.agreement, e.id FROM entries e JOIN log l ON l.seq = e.seq"
            " WHERE e.kind = ? AND l.status IS NULL ORDER BY e.seq DESC",
            kind,
        )
        return {r["agreement"]: r["id"] for r in rows}  # the first, which comes last

    def record_review(self, departure: str, arrival: str, reasons: Sequence[str]) -> None:
        """Two entries that may be about one agreement, with what speaks for it and against."""
        self.state.run(
            "INSERT INTO reviews (public_id, departure, arrival, reasons) VALUES (?, ?, ?, ?)",
            public_id("r", departure, arrival),
            departure,
            arrival,
            as_text(reasons),
        )

    def merge(self, younger: int, older: int) -> None:
        """From now on the younger agreement's id leads to the older one, as do those that led to the younger."""
        self.state.run("UPDATE aliases SET same_as = ? WHERE same_as = ?", older, younger)
        self.state.run("INSERT INTO aliases (agreement, same_as) VALUES (?, ?)", younger, older)
        self._forget()

    def may_announce(self, entry: str) -> bool:
        """Whether subscribers may be told of the entry with this id."""
        return True

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
        """Add entries to the log: each change with the number of its agreement, in the order given; their ids."""
        if not changes:
            return []
        contents = self.contents(side.cells for change, _ in changes for side in (change.before, change.after) if side)
        publication_id = self.state.value("SELECT public_id FROM publications WHERE id = ?", publication)
        ids = []
        for change, agreement in changes:
            agreement_id = self.state.value("SELECT public_id FROM agreements WHERE id = ?", agreement)
            shown_in = change.after or change.before
            ids.append(public_id("c", change.kind, agreement_id, publication_id, change.about or ""))
            self.state.run(
                f"INSERT INTO entries ({ENTRY}) VALUES ({', '.join('?' * 18)})",
                ids[-1],
                change.kind,
                change.about,
                agreement,
                publication,
                previous,
                stamp(observed_at),
                stamp(recorded_at),
                int(announce and self.may_announce(ids[-1])),
                change.significance,
                as_text([asdict(f) for f in change.fields]),
                contents[change.before.cells] if change.before else None,
                change.before.row if change.before else None,
                contents[change.after.cells] if change.after else None,
                change.after.row if change.after else None,
                shown_in.values.state if shown_in else None,
                as_text(change.reasons),
                stamp(change.pending_since) if change.pending_since else None,
            )
        return ids

    def contents(self, rows: Iterable[Cells]) -> dict[Cells, int]:
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
                for r in self.state.rows(f"SELECT hash, id FROM contents WHERE hash IN ({marks(part)})", *part)
            }
        return known | {cells: numbers[digest] for cells, digest in hashes.items()}


ENTRY = (
    "id, kind, about, agreement, publication, previous, observed_at, recorded_at, announce, significance, fields,"
    " before_content, before_row, after_content, after_row, state, reasons, pending_since"
)
_STANDING = "SELECT * FROM standing_publications"


def _kept(entries: str) -> str:
    """Whether an entry no longer arises and is kept for its readers: retracted by a rebuild, by no operator."""
    return (
        f"(EXISTS (SELECT 1 FROM entries n WHERE n.about = {entries}.id AND n.kind = 'retracted')"
        f" AND {entries}.id NOT IN (SELECT subject FROM acts WHERE act = 'retract'))"
    )


class _Undone(Exception):
    """Ends a rehearsal."""


def _held(r: sqlite3.Row) -> HeldPublication:
    return HeldPublication(
        r["id"],
        r["public_id"],
        r["sha256"],
        r["meaning"],
        moment(r["observed_at"]),
        Hold(tuple(json.loads(r["reasons"])), bool(r["structural"])),
        bool(r["announce"]),
    )


def public_id(prefix: str, *parts: str) -> str:
    """A permanent id that is derived from what it names, so that a rebuild gives the same: 60 bits, base 32."""
    return f"{prefix}-{base64.b32encode(_digest(*parts)).decode().lower()[:12]}"


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(as_text(parts).encode()).digest()[:16]


def as_text(value: object) -> str:
    """A value as JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
