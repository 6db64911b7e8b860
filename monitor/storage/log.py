"""Opens the log for reading, as one object with a part for each group of tables."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Self

from monitor.model import LastCheck
from monitor.storage.agreements import AgreementRecord, Agreements, Contents
from monitor.storage.changelog import Changelog, EntrySource
from monitor.storage.checks import Checks
from monitor.storage.database import State
from monitor.storage.publications import Publications
from monitor.storage.reviews import Acts, Reviews
from monitor.storage.schema import SCHEMA


def open_reader(path: Path) -> Log:
    """The log of the state.db at `path`, through which nothing can be written."""
    log = Log(State(path, SCHEMA))
    log.state.run("PRAGMA query_only = ON")
    return log


class Log:
    """What is recorded, by subject. Its parts also write, inside `State.write` (see `Store`).

    `entries`, `agreements` and `last_checks` answer what a snapshot has read already; its readers do not close it.
    `announceable`: see `Changelog`.
    """

    def __init__(
        self,
        state: State,
        *,
        entries: EntrySource | None = None,
        agreements: tuple[AgreementRecord, ...] | None = None,
        last_checks: tuple[LastCheck, ...] | None = None,
        announceable: Collection[str] | None = None,
    ) -> None:
        self.state = state
        self._shared = entries is not None
        self.contents = Contents(state)
        self.agreements = Agreements(state, self.contents, records=agreements)
        self.changelog = Changelog(state, self.agreements, self.contents, memory=entries, announceable=announceable)
        self.publications = Publications(state)
        self.checks = Checks(state, last=last_checks)
        self.reviews = Reviews(state, self.changelog)
        self.acts = Acts(state)

    def close(self) -> None:
        """Close the file; a snapshot's is closed by the snapshot."""
        if not self._shared:
            self.state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
