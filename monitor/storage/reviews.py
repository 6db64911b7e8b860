"""Reviews of doubtful pairs, and what operators decided.

The only module that writes `reviews`, `acts` and `column_names`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.errors import NotFound
from monitor.model import TAKEN_BACK, Act, Entry, ListName
from monitor.storage.changelog import Changelog
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.rows import as_text, public_id


class ReviewStatus(StrEnum):
    """Where the review of a doubtful pair stands."""

    OPEN = "open"
    SAME = "same"
    DIFFERENT = "different"
    SETTLED = "settled"  # the departure was confirmed or taken back, or the arrival was taken back


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """Two entries that may be about one agreement. `answer`: same, different, or "" until an operator answers."""

    id: str
    departure: Entry
    arrival: Entry
    reasons: tuple[str, ...]
    answer: str
    answered_at: datetime | None
    why: str

    @property
    def status(self) -> ReviewStatus:
        """Where the review stands, by its answer and its two entries. It stays open until an operator answers."""
        if self.answer:
            return ReviewStatus.SAME if self.answer == Act.SAME else ReviewStatus.DIFFERENT
        # Version 0.1 confirmed departures that nobody had answered about.
        if self.departure.status in (*TAKEN_BACK, "confirmed") or self.arrival.status in TAKEN_BACK:
            return ReviewStatus.SETTLED
        return ReviewStatus.OPEN


@dataclass(frozen=True, slots=True)
class ActRecord:
    """What an operator decided, after the check with this number. `columns`: header of a workbook → ICE's column of
    `list`."""

    after_check: int
    at: datetime
    act: Act
    subject: str
    why: str
    columns: Mapping[str, str] = field(default_factory=dict)
    list: ListName | None = None


class Reviews:
    """Reads and records the pairs of entries that may be about one agreement."""

    def __init__(self, state: State, changelog: Changelog) -> None:
        self._state = state
        self._changelog = changelog

    def all(self) -> tuple[ReviewRecord, ...]:
        """Every pair, oldest first."""
        return self._read()

    def get(self, id: str) -> ReviewRecord:
        """The pair with this id. Raises NotFound."""
        for review in self._read(id):
            return review
        raise NotFound(id, "`review list` prints the ids of doubtful pairs")

    def open(self) -> tuple[ReviewRecord, ...]:
        """The pairs that wait for an operator's answer."""
        return tuple(review for review in self._read() if review.status is ReviewStatus.OPEN)

    def _read(self, id: str | None = None) -> tuple[ReviewRecord, ...]:
        rows = self._state.rows(
            "SELECT r.*, a.act, a.at, a.why FROM reviews r"
            " LEFT JOIN acts a ON a.id = (SELECT max(id) FROM acts WHERE subject = r.public_id)"
            " WHERE ? IS NULL OR r.public_id = ? ORDER BY r.id",
            id,
            id,
        )
        ids = [entry for r in rows for entry in (r["departure"], r["arrival"])]
        entries = {e.id: e for e in self._changelog.entries(ids=ids)} if ids else {}
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

    def unanswered(self) -> tuple[tuple[str, str], ...]:
        """The pairs (departure, arrival) that nobody has answered, while the arrival stands; however old they are."""
        return tuple(
            (r["departure"], r["arrival"])
            for r in self._state.rows(
                "SELECT r.departure, r.arrival FROM reviews r JOIN log a ON a.id = r.arrival"
                " WHERE r.public_id NOT IN (SELECT subject FROM acts)"
                f" AND coalesce(a.status, '') NOT IN ({marks(TAKEN_BACK)})",
                *TAKEN_BACK,
            )
        )

    def record(self, departure: str, arrival: str, reasons: Sequence[str]) -> None:
        """Record two entries that may be about one agreement, with what speaks for it and against."""
        self._state.run(
            "INSERT INTO reviews (public_id, departure, arrival, reasons) VALUES (?, ?, ?, ?)",
            public_id("r", departure, arrival),
            departure,
            arrival,
            as_text(reasons),
        )


class Acts:
    """Reads and records what operators decided."""

    def __init__(self, state: State) -> None:
        self._state = state

    def all(self) -> Iterator[ActRecord]:
        """Every act, in order."""
        columns: defaultdict[int, dict[str, str]] = defaultdict(dict)
        lists: dict[int, ListName] = {}
        for r in self._state.rows("SELECT act, list, header, name FROM column_names"):
            columns[r["act"]][r["header"]] = r["name"]
            lists[r["act"]] = ListName(r["list"])
        return (
            ActRecord(
                r["after_check"],
                moment(r["at"]),
                Act(r["act"]),
                r["subject"],
                r["why"],
                columns[r["id"]],
                lists.get(r["id"]),
            )
            for r in self._state.rows("SELECT * FROM acts ORDER BY id")
        )

    def columns(self, list_: ListName) -> dict[str, str]:
        """What an operator said that columns of a list are: header → ICE's name, the newest word on each."""
        rows = self._state.rows("SELECT header, name FROM column_names WHERE list = ? ORDER BY act", list_)
        named = {r["header"]: r["name"] for r in rows}
        return {header: name for header, name in named.items() if name}

    def name_columns(self, act: int, list_: ListName, columns: Mapping[str, str]) -> None:
        """Record which columns of a list an operator named with an act; "" for a header that is no column of it."""
        for header, name in columns.items():
            self._state.run(
                "INSERT INTO column_names (act, list, header, name) VALUES (?, ?, ?, ?)", act, list_, header, name
            )

    def record(self, at: datetime, act: Act, subject: str, why: str) -> int:
        """Record what an operator decided about the thing with this public id; returns the act's number."""
        return self._state.run(
            "INSERT INTO acts (at, act, subject, why, after_check)"
            " VALUES (?, ?, ?, ?, coalesce((SELECT max(id) FROM checks), 0))",
            stamp(at),
            act,
            subject,
            why,
        )
