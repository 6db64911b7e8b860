"""The types of the project as frozen values (ARCHITECTURE.md says what each means). Imports nothing of ours; no IO."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from monitor.remarks import NO_REMARKS, Remarks


class ListName(StrEnum):
    """ICE publishes two lists; participating is always processed before pending."""

    PARTICIPATING = "participating"
    PENDING = "pending"


class SupportType(StrEnum):
    """What an agreement lets an agency do ("model" in ICE's prose)."""

    JAIL = "Jail Enforcement Model"
    TASK_FORCE = "Task Force Model"
    TRIBAL_TASK_FORCE = "Tribal Task Force Model"
    WARRANT = "Warrant Service Officer"


class Kind(StrEnum):
    """What an entry of the log says: a change to an agreement, or a note about an earlier entry."""

    NEW = "new"
    CHANGED = "changed"
    TERMINATED = "terminated"
    RETURNED = "returned"
    APPLIED = "applied"
    DROPPED = "dropped"
    # notes
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    RETRACTED = "retracted"
    MERGED = "merged"
    APPROVED = "approved"  # an application became the agreement that the note names

    @property
    def is_note(self) -> bool:
        return self in NOTES


NOTES = frozenset({Kind.CONFIRMED, Kind.WITHDRAWN, Kind.RETRACTED, Kind.MERGED, Kind.APPROVED})
DEPARTURES = frozenset({Kind.TERMINATED, Kind.DROPPED})
# Notes that take back what they are about.
TAKEN_BACK = frozenset({Kind.WITHDRAWN, Kind.RETRACTED, Kind.MERGED})


class Relation(StrEnum):
    """What an entry means for the agency, in the words of deportationdata/ice-287g."""

    ADDED = "added"  # a further agreement of an agency that is listed already
    SWITCHED = "switched"  # one agreement in place of another, in the same publication
    RENEWED = "renewed"  # the same support type, signed again


class Significance(StrEnum):
    """How much a changed field matters to a reader, the weightiest first."""

    SUBSTANTIVE = "substantive"
    DOCUMENT = "document"
    CLERICAL = "clerical"


class Outcome(StrEnum):
    """How one look at one list of the source went."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    HELD = "held"
    NOT_LINKED = "not linked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LastCheck:
    """How the newest check of a list went, and when one last succeeded."""

    list: ListName
    at: datetime
    outcome: Outcome
    detail: str
    succeeded_at: datetime | None


class Act(StrEnum):
    """What an operator decides: about a held publication, about a doubtful pair, about an entry that is wrong."""

    ACCEPT = "accept"
    REJECT = "reject"
    SAME = "same"
    DIFFERENT = "different"
    RETRACT = "retract"


@dataclass(frozen=True, slots=True)
class Cells:
    """One row as published: the text of each cell, "" where it is empty; dates as YYYY-MM-DD; and the two links."""

    state: str = ""
    agency: str = ""
    type: str = ""
    county: str = ""
    support_type: str = ""
    signed: str = ""
    moa: str = ""
    moa_address: str = ""
    addendum: str = ""
    addendum_address: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """What is read from a row's cells, comparable across spellings. None or "" where a cell says nothing usable."""

    state: str | None  # two-letter code
    agency: str  # comparable name
    county: str  # comparable name without the word "county"
    support_type: SupportType | None
    signed: date | None
    moa: str  # canonical address of the document
    addendum: str
    unknown_type: str = ""  # the folded text of a support type that is none of ours; "" for a blank cell


@dataclass(frozen=True, slots=True)
class Listing:
    """One row of a publication. `row` is its number in the sheet, counted from 1 as spreadsheets do."""

    row: int
    cells: Cells
    values: Values


@dataclass(frozen=True, slots=True)
class Publication:
    """One appearance of a content on one list, as it was read."""

    list: ListName
    sha256: str
    url: str
    file: str
    observed_at: datetime
    saved_at: datetime | None
    listings: tuple[Listing, ...]
    remarks: Remarks = NO_REMARKS


@dataclass(frozen=True, slots=True)
class Standing:
    """An agreement as it stood on a list: which one, and the listing that showed it last.

    `agreement` is its number in the store. `spare` marks a second listing of an agreement that is already listed.
    """

    agreement: int
    listing: Listing
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """An agreement that left a list: the last listing, when, and the entry that said so.

    `confirmed`: nothing more is to be said of it, unless it comes back.
    """

    standing: Standing
    entry: str
    observed_at: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Application:
    """An agreement that is, or was, on the pending list and has never been on the participating one.

    `since`: when its present stay on the pending list began, or its last one, as far as we saw. `entry`: the entry that
    told of it, None where it stood on the first pending list that was read. `first_seen`: when any stay began first.
    """

    standing: Standing
    since: datetime
    entry: str | None = None
    dropped: Departure | None = None
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A listing that continues an agreement, and why we believe it."""

    old: Standing
    new: Listing
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """Every listing of two publications accounted for, each exactly once.

    `spares` are second listings of an agreement that a match continues already; `twins` are second listings of one
    that `came`, as (second, first).
    """

    matches: tuple[Match, ...] = ()
    spares: tuple[Match, ...] = ()
    gone: tuple[Standing, ...] = ()
    came: tuple[Listing, ...] = ()
    twins: tuple[tuple[Listing, Listing], ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the new publication has."""
        return len(self.matches) + len(self.spares) + len(self.came) + len(self.twins)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One cell of an agreement before and after, as published."""

    name: str
    before: str
    after: str
    significance: Significance


@dataclass(frozen=True, slots=True)
class AgencyStanding:
    """The support types of the agency's other agreements on the participating list: in the publication before an
    entry, and in the entry's own; an unreadable one as it is written."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a publication says about one agreement; becomes an entry of the log once recorded.

    `agreement` is None for one that was never seen before. `about` is the id of the entry that a note is about.
    """

    kind: Kind
    agreement: int | None
    before: Listing | None = None
    after: Listing | None = None
    fields: tuple[FieldChange, ...] = ()
    significance: Significance = Significance.SUBSTANTIVE
    reasons: tuple[str, ...] = ()
    pending_since: datetime | None = None
    about: str | None = None
    relation: Relation | None = None
    agency_standing: AgencyStanding | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered line of the change log.

    `seq` orders the log; `id` is permanent. `status` is read from later notes: unconfirmed, confirmed,
    withdrawn, retracted or None. `before` and `after` are the cells as published.
    """

    seq: int
    id: str
    kind: Kind
    status: str | None
    about: str | None
    list: ListName
    observed_at: datetime
    recorded_at: datetime
    announce: bool
    agreement: str
    state: str | None
    agency: str
    county: str
    support_type: str
    signed: str
    significance: Significance
    fields: tuple[FieldChange, ...]
    before: Cells | None
    after: Cells | None
    reasons: tuple[str, ...]
    pending_since: datetime | None
    publication: Source
    previous: Source | None = None  # the publication before, and the row that "before" was read from
    relation: Relation | None = None
    agency_standing: AgencyStanding | None = None
    pending_before: bool = False  # pending on the first list that was read, so since some day before `pending_since`


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry was read: the workbook, when it was first seen, and the row that shows it (the last row before,
    for a departure)."""

    id: str
    file: str
    url: str
    sha256: str
    row: int | None
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a publication is not believed (yet). Structural reasons are never released by themselves."""

    reasons: tuple[str, ...]
    structural: bool


@dataclass(frozen=True, slots=True)
class Current:
    """What a list held when it was last believed. `publication` is its number in the store, `meaning` the hash of its
    rows."""

    publication: int
    meaning: str
    observed_at: datetime
    announce: bool
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class HeldPublication:
    """A publication that waits to be believed, or that an operator rejected."""

    publication: int
    id: str
    sha256: str
    meaning: str
    observed_at: datetime
    hold: Hold
    announce: bool


@dataclass(frozen=True, slots=True)
class Validators:
    """What the last recorded workbook of a list was, so that the source may answer "not modified"."""

    url: str = ""
    last_modified: str = ""
    etag: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A workbook's bytes and where they came from."""

    url: str
    file: str
    content: bytes = field(repr=False)
    sha256: str
    last_modified: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class NotModified:
    """The source says that the workbook is the one that was recorded last."""

    url: str


@dataclass(frozen=True, slots=True)
class NotLinked:
    """The page was read, and does not link this list. Normal for the pending list, for months at a time."""

    url: str


class SourceOfLists(Protocol):
    """Where lists come from. Raises SourceError where it did not answer."""

    def fetch(self, list_: ListName, since: Validators) -> Fetched | NotModified | NotLinked: ...
