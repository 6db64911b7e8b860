"""All agencies, as of the newest publication: made once for each and process, for whoever asks first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import cast

from flask import current_app

from monitor.normalize import STATES
from monitor.storage.agencies import AgencyRecord, agencies
from monitor.storage.agreements import AgreementRecord
from monitor.storage.log import Log
from monitor.storage.revision import Revision, revision
from web.search.index import SearchIndex


@dataclass(frozen=True, slots=True)
class CountyRecord:
    """A county of a state and the agencies of which a row names it. `key` is its comparable name."""

    state: str
    key: str
    name: str
    agencies: tuple[AgencyRecord, ...]


class Directory:
    """Agencies by their agreements, by their counties and by their words; and the agreements of each state."""

    def __init__(self, agencies: tuple[AgencyRecord, ...], agreements: Iterable[AgreementRecord] = ()) -> None:
        self.agencies = agencies
        self._in: dict[str | None, list[AgreementRecord]] = defaultdict(list)
        for agreement in agreements:
            self._in[agreement.state].append(agreement)
        self._of = {agreement: agency for agency in agencies for agreement in agency.agreements}

    def of(self, agreement: str) -> AgencyRecord | None:
        """The agency that has an agreement."""
        return self._of.get(agreement)

    def agreements_in(self, state: str | None) -> Sequence[AgreementRecord]:
        """The agreements of a state, as they stand; None for those of which nobody could tell."""
        return self._in.get(state, ())

    @cached_property
    def counties(self) -> tuple[CountyRecord, ...]:
        """Every county that a row names, in the order of states and names."""
        found: dict[tuple[str, str], list[tuple[str, AgencyRecord]]] = defaultdict(list)
        for agency in self.agencies:
            for key, name in agency.counties:
                found[agency.state or "", key].append((name, agency))
        return tuple(
            CountyRecord(code, key, of[-1][0], tuple(agency for _, agency in of))
            for (code, key), of in sorted(found.items())
            if code
        )

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The codes of all states."""
        return tuple(STATES)

    @cached_property
    def words(self) -> SearchIndex:
        """For searching."""
        return SearchIndex(self.agencies, [(c.state, c.name) for c in self.counties], self.states)


class Shelf:
    """The newest directory of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version: Revision | None = None
        self._directory = Directory(())

    def directory(self, log: Log) -> Directory:
        """The directory as of what is in the log now."""
        newest = revision(log)
        with self._lock:
            if newest != self._version:
                self._directory, self._version = Directory(agencies(log), log.agreements.all()), newest
            return self._directory


def directory(log: Log) -> Directory:
    """The directory of the application that is answering."""
    return cast(Shelf, current_app.extensions.setdefault("directory", Shelf())).directory(log)
