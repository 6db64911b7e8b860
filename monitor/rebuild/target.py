"""The store that a rebuild fills: what it takes over from the old file, beside what a check records."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from monitor.model import Entry, ListName, Validators
from monitor.storage.changelog import Log
from monitor.storage.database import State, moment, stamp
from monitor.storage.schema import SCHEMA
from monitor.storage.writer import ENTRY, Store, as_text


def open_successor(path: Path, old: Log) -> Successor:
    """The store on a new file at `path`, to be filled from what `old` was derived from."""
    return Successor(State(path, SCHEMA), old)


class Successor(Store):
    """A store on a new file. Of what `old` never said nobody is told: it is old news."""

    def __init__(self, state: State, old: Log) -> None:
        super().__init__(state)
        self._old = old
        self._said_before = frozenset(entry.id for entry in old.entries())

    def may_announce(self, entry: str) -> bool:
        """Only what was said before."""
        return entry in self._said_before

    def saw(self, sha256: str) -> None:
        """The last check saw these bytes: other ones than its publication is known by, with the same rows."""
        self.state.run("UPDATE checks SET sha256 = ? WHERE id = (SELECT max(id) FROM checks)", sha256)

    def take_validators(self) -> None:
        """Go on asking the source as the old file would, where the same workbook was recorded last."""
        for r in self._old.state.rows("SELECT * FROM validators"):
            seen = Validators(r["url"], r["last_modified"], r["etag"], r["sha256"])
            if self.validators(ListName(r["list"])).sha256 == seen.sha256:
                self.record_validators(ListName(r["list"]), seen)

    def take_ids(self) -> None:
        """Let every id of an agreement that did not arise here lead to the agreement whose first row it named."""
        for r in self._old.state.rows(
            "SELECT a.public_id, a.row, p.public_id AS publication FROM agreements a"
            " JOIN publications p ON p.id = a.publication ORDER BY a.id"
        ):
            if self.state.value("SELECT 1 FROM agreements WHERE public_id = ?", r["public_id"]):
                continue
            publication = self._taken_publication(r["publication"])
            now = self.state.value(
                "SELECT agreement FROM listed WHERE publication = ? AND row = ?", publication, r["row"]
            )
            known_as = self.state.run(
                "INSERT INTO agreements (public_id, publication, row) VALUES (?, ?, ?)",
                r["public_id"],
                publication,
                r["row"],
            )
            if now:
                self.merge(known_as, now)

    def take(self, entry: Entry) -> None:
        """An entry of the old log as it was; its agreement must be known by its id."""
        contents = self.contents(cells for cells in (entry.before, entry.after) if cells)
        source, previous = entry.publication, entry.previous
        self.state.run(
            f"INSERT INTO entries ({ENTRY}) VALUES ({', '.join('?' * 18)})",
            entry.id,
            entry.kind,
            entry.about,
            self.number(entry.agreement),
            self._taken_publication(source.id),
            self._taken_publication(previous.id) if previous else None,
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
        )

    def _taken_publication(self, id: str) -> int:
        """The number of a publication; of one that is none by today's rules, taken over as replaced."""
        known = self.state.value("SELECT id FROM publications WHERE public_id = ?", id)
        if known:
            return int(known)
        r = self._old.state.row("SELECT * FROM publications JOIN workbooks USING (sha256) WHERE public_id = ?", id)
        assert r
        self.state.run(
            "INSERT OR IGNORE INTO workbooks (sha256, bytes, saved_at) VALUES (?, ?, ?)",
            r["sha256"],
            r["bytes"],
            r["saved_at"],
        )
        columns = "public_id, list, sha256, meaning, url, file, rows, observed_at, announce"
        number = self.state.run(
            f"INSERT INTO publications ({columns}) VALUES ({', '.join('?' * 9)})",
            *(r[name] for name in columns.split(", ")),
        )
        self.decide(number, moment(r["observed_at"]), "moot")
        return number
