"""All agencies as of now, by their agreements, counties and words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from monitor.normalize import STATES
from monitor.storage.agencies import AgencyRecord, agencies
from monitor.storage.changelog import AgreementRecord, Log
from web.search.index import SearchIndex


@dataclass(frozen=True, slots=True)
class CountyRecord:
    """A county of a state, and the agencies with a row that names it. `key`: its comparable name."""

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

    def agency_id(self, agreement: str) -> str | None:
        """The id of that agency."""
        agency = self.of(agreement)
        return agency.id if agency else None

    def agreements_in(self, state: str | None) -> Sequence[AgreementRecord]:
        """The agreements of a state now; None for a state that was not recognized."""
        return self._in.get(state, ())

    @cached_property
    def counties(self) -> tuple[CountyRecord, ...]:
        """Every county that a row names, in the order of states and names."""
        rows: dict[tuple[str, str], list[tuple[str, AgencyRecord]]] = defaultdict(list)
        for agency in self.agencies:
            for key, name in agency.counties:
                rows[agency.state or "", key].append((name, agency))
        return tuple(
            CountyRecord(code, key, of[-1][0], tuple(agency for _, agency in of))
            for (code, key), of in sorted(rows.items())
            if code
        )

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The codes of all states."""
        return tuple(STATES)

    @cached_property
    def words(self) -> SearchIndex:
        """The index for searching."""
        return SearchIndex(self.agencies, [(c.state, c.name) for c in self.counties], self.states)


def read_directory(log: Log) -> Directory:
    """The directory as of what is in the log now."""
    return Directory(agencies(log), log.agreements())
