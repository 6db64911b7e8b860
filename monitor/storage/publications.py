"""Publications, whether each was accepted or held, and their workbooks.

The only module that writes the tables `publications`, `decisions`, `workbooks` and `validators`.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from monitor.errors import NotFound
from monitor.model import HeldPublication, Hold, ListName, Publication, Validators
from monitor.remarks import NO_REMARKS, NotListing, Remarks, SheetRead, UnknownColumn
from monitor.storage.database import State, moment, stamp
from monitor.storage.rows import as_text, public_id

_CODE = re.compile(r" \[[0-9a-f]{8}\]")
_COLUMNS = "public_id, list, sha256, meaning, url, file, rows, observed_at, announce, remarks"
_STANDING = "SELECT * FROM standing_publications"
# That no later publication of the list `s.list` was accepted.
_NOTHING_LATER = (
    "NOT EXISTS (SELECT 1 FROM standing_publications WHERE list = s.list AND verdict = 'accepted' AND id > s.id)"
)


@dataclass(frozen=True, slots=True)
class PublicationRecord:
    """A publication, and what became of it. `verdict`: held, accepted, rejected or moot; `remarks`: what stands in the
    workbook beside its listings."""

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
    remarks: Remarks = NO_REMARKS


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """A verdict on a publication, when and why; `by`: the rules, or an operator with the reason they gave."""

    at: datetime
    verdict: str
    by: str
    reasons: tuple[str, ...]


class Publications:
    """Reads and records publications. In this class a publication's number is its row id, its id the permanent one."""

    def __init__(self, state: State) -> None:
        self._state = state

    def all(self, list_: ListName | None = None) -> Iterator[PublicationRecord]:
        """Every publication of both lists, or of one, oldest first."""
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
                _shown(r["reasons"]),
                _remarks(r["remarks"]),
            )
            for r in self._state.rows(f"{_STANDING} WHERE ? IS NULL OR list = ? ORDER BY id", list_, list_)
        )

    def get(self, id: str) -> PublicationRecord:
        """The publication with this id. Raises NotFound."""
        for publication in self.all():
            if publication.id == id:
                return publication
        raise NotFound(id, "`publications list` prints the ids of publications")

    def number(self, id: str) -> int:
        """The number of the publication with this id."""
        return int(self._state.value("SELECT id FROM publications WHERE public_id = ?", id))

    def verdicts(self, id: str) -> tuple[VerdictRecord, ...]:
        """Every verdict on a publication, oldest first."""
        return tuple(
            VerdictRecord(
                moment(r["at"]),
                r["verdict"],
                (f"an operator ({r['why']})" if r["why"] else "an operator") if r["act"] else "the rules",
                _shown(r["reasons"]),
            )
            for r in self._state.rows(
                "SELECT d.*, a.why FROM decisions d JOIN publications p ON p.id = d.publication"
                " LEFT JOIN acts a ON a.id = d.act WHERE p.public_id = ? ORDER BY d.id",
                id,
            )
        )

    def held(self, list_: ListName) -> tuple[HeldPublication, ...]:
        """Publications of a list that wait to be believed, oldest first."""
        rows = self._state.rows(f"{_STANDING} WHERE list = ? AND verdict = 'held' ORDER BY id", list_)
        return tuple(map(_held, rows))

    def unbelieved(self, id: str) -> HeldPublication | None:
        """The publication with this id, if it waits or was rejected and nothing later of its list is believed."""
        row = self._state.row(
            f"{_STANDING} s WHERE public_id = ? AND verdict IN ('held', 'rejected') AND {_NOTHING_LATER}", id
        )
        return _held(row) if row else None

    def rejected(self, list_: ListName, sha256: str, meaning: str) -> HeldPublication | None:
        """The publication with these bytes or rows that was rejected since the list was last believed."""
        row = self._state.row(
            f"{_STANDING} s WHERE list = ? AND verdict = 'rejected' AND (sha256 = ? OR (meaning = ? AND meaning <> ''))"
            f" AND {_NOTHING_LATER} ORDER BY id DESC LIMIT 1",
            list_,
            sha256,
            meaning,
        )
        return _held(row) if row else None

    def was_accepted(self, list_: ListName, sha256: str) -> bool:
        """Whether these very bytes were believed before."""
        return bool(
            self._state.value(
                "SELECT 1 FROM standing_publications WHERE list = ? AND sha256 = ? AND verdict = 'accepted'",
                list_,
                sha256,
            )
        )

    def rows_were_accepted(self, list_: ListName, meaning: str) -> bool:
        """Whether these very rows were believed before, in whatever file."""
        return bool(
            self._state.value(
                "SELECT 1 FROM standing_publications WHERE list = ? AND meaning = ? AND verdict = 'accepted'",
                list_,
                meaning,
            )
        )

    def workbooks(self, prefix: str) -> tuple[str, ...]:
        """The hashes that begin with `prefix`, of the workbooks that are kept."""
        rows = self._state.rows("SELECT sha256 FROM workbooks WHERE substr(sha256, 1, ?) = ?", len(prefix), prefix)
        return tuple(r["sha256"] for r in rows)

    def workbook(self, sha256: str) -> bytes:
        """The bytes of a workbook, as they were fetched."""
        content: bytes = self._state.value("SELECT bytes FROM workbooks WHERE sha256 = ?", sha256)
        return content

    def validators(self, list_: ListName) -> Validators:
        """The validators of the workbook of this list that was recorded last."""
        row = self._state.row("SELECT url, last_modified, etag, sha256 FROM validators WHERE list = ?", list_)
        return Validators(*row) if row else Validators()

    def record(self, publication: Publication, meaning: str, content: bytes, *, announce: bool = True) -> int:
        """Record a content that the last check did not see, with its bytes; returns the publication's number.

        `announce`: it is no old news.
        """
        saved_at = stamp(publication.saved_at) if publication.saved_at else None
        self._add_workbook(publication.sha256, content, saved_at)
        observed = stamp(publication.observed_at)
        return self._add(
            public_id("p", publication.list, publication.sha256, observed),
            publication.list,
            publication.sha256,
            meaning,
            publication.url,
            publication.file,
            len(publication.listings),
            observed,
            int(announce),
            _as_text(publication.remarks),
        )

    def read_again(self, number: int, publication: Publication, meaning: str) -> None:
        """Record what a workbook says now that an operator has named its columns."""
        self._state.run(
            "UPDATE publications SET meaning = ?, rows = ?, remarks = ? WHERE id = ?",
            meaning,
            len(publication.listings),
            _as_text(publication.remarks),
            number,
        )

    def copy(self, other: State, id: str) -> int:
        """The number of the publication with this id, copied from another state.db as moot where it is not here."""
        known = self._state.value("SELECT id FROM publications WHERE public_id = ?", id)
        if known:
            return int(known)
        r = other.row("SELECT * FROM publications JOIN workbooks USING (sha256) WHERE public_id = ?", id)
        assert r
        self._add_workbook(r["sha256"], r["bytes"], r["saved_at"])
        number = self._add(*(r[name] for name in _COLUMNS.split(", ")))
        self.decide(number, moment(r["observed_at"]), "moot")
        return number

    def _add_workbook(self, sha256: str, content: bytes, saved_at: str | None) -> None:
        self._state.run(
            "INSERT OR IGNORE INTO workbooks (sha256, bytes, saved_at) VALUES (?, ?, ?)", sha256, content, saved_at
        )

    def _add(self, *columns: object) -> int:
        return self._state.run(f"INSERT INTO publications ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *columns)

    def decide(
        self, publication: int, at: datetime, verdict: str, hold: Hold | None = None, *, act: int | None = None
    ) -> None:
        """Record a verdict: held, accepted, rejected or moot. `act`: the number of the operator's act, if any."""
        self._state.run(
            "INSERT INTO decisions (publication, at, verdict, structural, reasons, act) VALUES (?, ?, ?, ?, ?, ?)",
            publication,
            stamp(at),
            verdict,
            int(hold is not None and hold.structural),
            as_text(hold.reasons if hold else ()),
            act,
        )

    def record_validators(self, list_: ListName, seen: Validators) -> None:
        """Count this workbook as seen from now on."""
        self._state.run(
            "INSERT OR REPLACE INTO validators (list, url, last_modified, etag, sha256) VALUES (?, ?, ?, ?, ?)",
            list_,
            seen.url,
            seen.last_modified,
            seen.etag,
            seen.sha256,
        )


def _shown(reasons: str) -> tuple[str, ...]:
    """Why a publication is held, without the codes by which two holds can be seen to be about the same rows."""
    return tuple(_CODE.sub("", reason) for reason in json.loads(reasons))


def _as_text(remarks: Remarks) -> str:
    return as_text(asdict(remarks)) if remarks else "{}"


def _remarks(text: str) -> Remarks:
    kept = json.loads(text)
    if not kept:
        return NO_REMARKS
    return Remarks(
        tuple(NotListing(**each) for each in kept["not_listings"]),
        tuple(
            UnknownColumn(each["name"], each["filled"], tuple((text, count) for text, count in each["texts"]))
            for each in kept["unknown_columns"]
        ),
        tuple(SheetRead(**each) for each in kept["sheets"]),
    )


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
