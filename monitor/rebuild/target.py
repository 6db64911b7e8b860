"""The new file that a rebuild fills, and what it copies there from the old one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from monitor.model import Entry, ListName
from monitor.storage.log import Log
from monitor.storage.writer import open_store


class Target:
    """A store on a new file at `path`. What the old log does not have is announced to nobody."""

    def __init__(self, path: Path, old: Log) -> None:
        self.store = open_store(path, announceable=frozenset(entry.id for entry in old.changelog.entries()))
        self._old = old

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def copy_validators(self) -> None:
        """Go on asking the source as the old file would, where the same workbook was recorded last."""
        publications = self.store.publications
        for list_ in ListName:
            seen = self._old.publications.validators(list_)
            if seen.sha256 and publications.validators(list_).sha256 == seen.sha256:
                publications.record_validators(list_, seen)

    def copy_ids(self) -> None:
        """Let each agreement id that did not arise here lead to the agreement that its first row lists here."""
        for r in self._old.state.rows(
            "SELECT a.public_id, a.row, p.public_id AS publication FROM agreements a"
            " JOIN publications p ON p.id = a.publication ORDER BY a.id"
        ):
            if not self.store.agreements.exists(r["public_id"]):
                self.store.agreements.copy(r["public_id"], self._publication(r["publication"]), r["row"])

    def copy_entries(self, entries: Iterable[Entry]) -> None:
        """Append entries of the old log as they were; their agreements must be known by id."""
        for entry in entries:
            sources = [source for source in (entry.publication, entry.previous) if source]
            self.store.changelog.copy(entry, {source.id: self._publication(source.id) for source in sources})

    def _publication(self, id: str) -> int:
        """The number here of a publication; copied where today's rules make none of it."""
        return self.store.publications.copy(self._old.state, id)
