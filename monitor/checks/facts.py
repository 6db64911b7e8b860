"""The facts that a check decides on, as frozen values: what is on record, and what was read from a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.matching.matcher import NONE_BESIDE, ListedBeside
from monitor.model import Application, Current, Departure, HeldPublication, Hold, ListName, Outcome, Publication


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a workbook.

    `meaning`: the hash of its rows, "" where none could be read. `structural`: why it cannot be the list that it was
    linked as.
    """

    publication: Publication
    meaning: str
    structural: Hold | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is on record of a list when a check of it, or an operator, decides.

    The fields after `rejected` are read only for a workbook with other rows than the list has now.
    """

    list: ListName
    announce: bool  # whether subscribers may be told of what is new now
    current: Current | None = None  # None before the baseline
    held: tuple[HeldPublication, ...] = ()  # oldest first
    departures: tuple[Departure, ...] = ()
    # Earlier checks of the list, from the first moment that a confirmation may count from.
    earlier_checks: tuple[tuple[datetime, Outcome], ...] = ()
    other_list_seen_at: datetime | None = None  # the last successful check of the other list
    open_reviews: tuple[tuple[str, str], ...] = ()  # entries: (departure, arrival)
    accepting: HeldPublication | None = None  # the one that an operator believes now
    rejected: HeldPublication | None = None  # the one with these bytes or rows that an operator rejected

    served_before: bool = False  # whether these bytes were believed earlier
    rows_believed_before: bool = False  # whether these rows were, in these bytes or others
    listed_beside: ListedBeside = field(default_factory=lambda: NONE_BESIDE)
    arrivals: Mapping[int, str] = field(default_factory=dict)  # by agreement: the entry that told of it first
    other_departures: tuple[Departure, ...] = ()  # from the other list
    # Of a check of the participating list:
    applications: tuple[Application, ...] = ()
    # Of a check of the pending list:
    participating: Current | None = None
    # Agreements of which no application was known, by when they were new on the participating list.
    listed_without_application: Mapping[int, datetime] = field(default_factory=dict)
