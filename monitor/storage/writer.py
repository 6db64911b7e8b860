"""The store: reads what a check needs to know, and records what it found.

Reads all tables of the log. Each table is written by the part of the log that is named for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from monitor.model import Application, Current, Departure, Kind, ListName, Standing
from monitor.normalize import listing
from monitor.storage.database import State, marks, moment
from monitor.storage.log import Log
from monitor.storage.rows import CELLS, cells_of, older, prefixed
from monitor.storage.schema import SCHEMA


def open_store(path: Path, *, announceable: Collection[str] | None = None) -> Store:
    """The store on the state.db at `path`, made or migrated where needed. `announceable`: see `Changelog`."""
    return Store(State(path, SCHEMA), announceable=announceable)


class Store:
    """The log as a check uses it: its parts to record to, and the facts that a check decides on.

    Reads see committed facts; writes go inside `write()`.
    """

    def __init__(self, state: State, *, announceable: Collection[str] | None = None) -> None:
        self.state = state
        self.log = log = Log(state, announceable=announceable)
        self.agreements, self.changelog, self.publications = log.agreements, log.changelog, log.publications
        self.checks, self.reviews, self.acts = log.checks, log.reviews, log.acts
        self._currents: dict[ListName, tuple[str, Current]] = {}

    def close(self) -> None:
        self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self) -> AbstractContextManager[None]:
        """One transaction; see State.write."""
        return self.state.write()

    @contextmanager
    def rehearse(self) -> Iterator[None]:
        """A transaction that is undone at the end, to see what would happen."""
        try:
            with self.write():
                yield
                raise _Undone
        except _Undone:
            pass
        finally:
            self._forget()

    def merge(self, younger: int, older: int) -> None:
        """Let the younger agreement's id lead to the older one; see Agreements.merge."""
        self.agreements.merge(younger, older)
        self._forget()

    def _forget(self) -> None:
        """Read what is kept in memory from the file again."""
        self._currents.clear()
        self.log.contents.forget()

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
        self.log.contents.remember(list_, {cells: r["content"] for r, cells in listed})
        standings = tuple(Standing(r["agreement"], listing(r["row"], cells), bool(r["spare"])) for r, cells in listed)
        current = Current(row["id"], row["meaning"], moment(row["observed_at"]), bool(row["announce"]), standings)
        self._currents[list_] = row["public_id"], current
        return current

    def departures(self, list_: ListName) -> tuple[Departure, ...]:
        """Agreements whose last change on a list was that they left it; a return to the other list does not count.

        Leaves out applications whose agreement is or was on the participating list since, and agreements that the list
        shows now. A departure whose entry an operator retracted stays one, and counts as confirmed; one that a rebuild
        retracted, because it no longer arises, does not count.
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
                      WHERE ({here}) AND NOT {_no_longer_arises("x")} GROUP BY 1) last
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
        """For each of `some` agreements, those of `others` that were ever listed in the same publication."""
        together: dict[int, set[int]] = {one: set() for one in some}
        beside = list(others)
        for r in self.state.rows(
            "SELECT DISTINCT a.agreement AS one, b.agreement AS other FROM listed a"
            " JOIN listed b ON b.publication = a.publication AND b.agreement <> a.agreement"
            f" WHERE a.agreement IN ({marks(together)}) AND b.agreement IN ({marks(beside)})",
            *together,
            *beside,
        ):
            together[r["one"]].add(r["other"])
        return {one: frozenset(with_) for one, with_ in together.items()}

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
                f" WHERE kind IN ('new', 'terminated') AND NOT {_no_longer_arises('entries')}"
                " UNION SELECT agreement FROM listed WHERE publication = ("
                "   SELECT min(id) FROM standing_publications WHERE list = 'participating' AND verdict = 'accepted')"
            )
        }
        arrivals = self._arrivals_on_the_pending_list()
        return tuple(
            Application(
                s,
                *self._stay(s.agreement, arrivals),
                dropped.get(s.agreement),
                self.agreements.first_seen(s.agreement),
            )
            for s in standings
            if s.agreement not in participated
        )

    def _arrivals_on_the_pending_list(self) -> dict[int, tuple[datetime, str]]:
        """When the last stay of each application began, and the entry that said so.

        One that was back before its departure was confirmed never left.
        """
        return {
            r["agreement"]: (moment(r["observed_at"]), r["id"])
            for r in self.state.rows(
                f"""
                SELECT {older("e.agreement")} AS agreement, e.observed_at, e.id
                FROM entries e JOIN publications p ON p.id = e.publication
                WHERE p.list = 'pending' AND NOT {_no_longer_arises("e")} AND (e.kind = 'applied' OR (
                    e.kind = 'returned' AND NOT EXISTS (
                        SELECT 1 FROM entries w JOIN entries d ON d.id = w.about
                        WHERE w.kind = 'withdrawn' AND w.agreement = e.agreement AND w.publication = e.publication)))
                ORDER BY e.seq
                """
            )
        }

    def _stay(self, agreement: int, arrivals: dict[int, tuple[datetime, str]]) -> tuple[datetime, str | None]:
        return arrivals.get(agreement) or (self.agreements.first_seen(agreement), None)

    def listed_without_application(self) -> dict[int, datetime]:
        """When each agreement that had no known application was new on the participating list."""
        return {
            r["agreement"]: moment(r["observed_at"])
            for r in self.state.rows(
                f"SELECT {older('e.agreement')} AS agreement, e.observed_at"
                " FROM entries e JOIN publications p ON p.id = e.publication"
                " WHERE e.kind = 'new' AND p.list = 'participating' AND e.pending_since IS NULL"
            )
        }


def _no_longer_arises(entries: str) -> str:
    """An SQL condition: a rebuild retracted the entry, because it no longer arises, and no operator did."""
    return (
        f"(EXISTS (SELECT 1 FROM entries n WHERE n.about = {entries}.id AND n.kind = 'retracted')"
        f" AND {entries}.id NOT IN (SELECT subject FROM acts WHERE act = 'retract'))"
    )


class _Undone(Exception):
    """Ends a rehearsal."""
