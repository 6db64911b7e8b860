"""Checks: each look at a list, and how it went. The only module that writes the table `checks`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model import LastCheck, ListName, Outcome
from monitor.storage.database import State, moment, stamp


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """How often a list was checked in some time."""

    all: int
    succeeded: int


class Checks:
    """Reads and records checks. `last`: the newest of each list, if that was read already (see `Snapshot`)."""

    def __init__(self, state: State, *, last: tuple[LastCheck, ...] | None = None) -> None:
        self._state = state
        self._last = last

    def last(self) -> tuple[LastCheck, ...]:
        """The newest check of each list that was ever checked."""
        if self._last is not None:
            return self._last
        return tuple(
            LastCheck(
                ListName(r["list"]),
                moment(r["at"]),
                Outcome(r["outcome"]),
                r["detail"],
                moment(r["succeeded_at"]) if r["succeeded_at"] else None,
            )
            for r in self._state.rows(
                """
                SELECT c.list, c.at, c.outcome, c.detail,
                       (SELECT at FROM checks s WHERE s.list = c.list AND s.outcome IN ('unchanged', 'changed')
                        ORDER BY id DESC LIMIT 1) AS succeeded_at
                FROM checks c WHERE c.id IN (SELECT max(id) FROM checks GROUP BY list)
                ORDER BY c.list
                """
            )
        )

    def last_success(self, list_: ListName, before: datetime | None = None) -> datetime | None:
        """When a list was last checked successfully, of all or before a moment; None where it never was."""
        at = self._state.value(
            "SELECT at FROM checks WHERE list = ? AND outcome IN ('unchanged', 'changed') AND at < ?"
            " ORDER BY at DESC LIMIT 1",
            list_,
            stamp(before) if before else "~",
        )
        return moment(at) if at else None

    def first(self) -> dict[ListName, datetime]:
        """When each list that was ever checked was checked for the first time."""
        rows = self._state.rows("SELECT list, min(at) AS at FROM checks WHERE list IN (?, ?) GROUP BY list", *ListName)
        return {ListName(r["list"]): moment(r["at"]) for r in rows}

    def last_at(self) -> datetime | None:
        """When any list was last checked."""
        at = self._state.value("SELECT max(at) FROM checks")
        return moment(at) if at else None

    def count(self) -> int:
        """How many checks are recorded."""
        return int(self._state.value("SELECT count(*) FROM checks"))

    def counts(self, since: datetime, until: datetime) -> dict[ListName, CheckCounts]:
        """How often each list was checked between two moments, and how often that succeeded."""
        return {
            ListName(r["list"]): CheckCounts(r["all"], r["succeeded"])
            for r in self._state.rows(
                "SELECT list, count(*) AS \"all\", sum(outcome IN ('unchanged', 'changed')) AS succeeded"
                " FROM checks WHERE list IN (?, ?) AND at >= ? AND at < ? GROUP BY list",
                *ListName,
                stamp(since),
                stamp(until),
            )
        }

    def since(self, list_: ListName, since: datetime) -> tuple[tuple[datetime, Outcome], ...]:
        """When a list was checked from a moment on, and how each check went, in the order they were recorded."""
        return tuple(
            (moment(r["at"]), Outcome(r["outcome"]))
            for r in self._state.rows(
                "SELECT at, outcome FROM checks WHERE list = ? AND at >= ? ORDER BY id", list_, stamp(since)
            )
        )

    def includes(self, list_: ListName, at: datetime, sha256: str) -> bool:
        """Whether this very check is recorded already, as when a replay is repeated."""
        return bool(
            self._state.value("SELECT 1 FROM checks WHERE list = ? AND at = ? AND sha256 = ?", list_, stamp(at), sha256)
        )

    def record(
        self,
        list_: ListName,
        at: datetime,
        outcome: Outcome,
        *,
        publication: int | None = None,
        sha256: str | None = None,
        detail: str = "",
    ) -> None:
        """Record one check of one list, and how it went."""
        self._state.run(
            "INSERT INTO checks (list, at, outcome, publication, sha256, detail) VALUES (?, ?, ?, ?, ?, ?)",
            list_,
            stamp(at),
            outcome,
            publication,
            sha256,
            detail,
        )

    def set_last_sha256(self, sha256: str) -> None:
        """The last check saw these bytes: not those its publication is known by, but with the same rows."""
        self._state.run("UPDATE checks SET sha256 = ? WHERE id = (SELECT max(id) FROM checks)", sha256)
