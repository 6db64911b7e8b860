"""Pure: what a notice or a digest says and in which order, before it is put into words.

Grouped by state, then by what happened; the same edit on many rows of a state is one line; and no more lines than
anybody reads, the weightiest first, with the number of those left out. All text in it is fit to be shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from alerts.model import CORRECTIONS, Cadence, Digest, Line, Notice, Part, Watched
from alerts.sanitize import clean, shortened
from monitor.geography import county_name
from monitor.matching.review import suspects
from monitor.model import FieldChange, Kind, ListName, Significance
from monitor.normalize import STATES, county, document, document_name, signed, state, support_type

_MANY = 4  # rows of a state with the same edit, from which on they are one line
_NAMED = 5  # agencies that such a line names
_LONGEST_NAME = 100
_LONGEST_VALUE = 80

# What a reader must not miss stands first, and is the last to be left out.
_ORDER = (
    Kind.RETRACTED,
    Kind.WITHDRAWN,
    Kind.MERGED,
    Kind.TERMINATED,
    Kind.NEW,
    Kind.RETURNED,
    Kind.CHANGED,
    Kind.DROPPED,
    Kind.APPLIED,
)
_DOCUMENTS = frozenset({"moa", "addendum"})
_WEIGHT = {significance: weight for weight, significance in enumerate(Significance)}


@dataclass(frozen=True, slots=True)
class Value:
    """A field before and after, as a reader knows it. "" where the cell says nothing; `move` says it for many rows."""

    name: str
    before: str
    after: str

    @property
    def move(self) -> str:
        """filled, emptied, replaced (a document by another) or edited."""
        if not self.before:
            return "filled"
        if not self.after:
            return "emptied"
        return "replaced" if self.is_document else "edited"

    @property
    def is_document(self) -> bool:
        return self.name in _DOCUMENTS

    @property
    def is_typing(self) -> bool:
        """Whether the two differ in nothing that is shown: stray spaces, or the wrapping of an address."""
        return self.before == self.after


@dataclass(frozen=True, slots=True)
class Correction:
    """What is taken back: an entry of this kind, agency and list, seen then; and how it stands instead.

    `how`: "again" on the list, the "same" agreement as the one that was listed as `was` and is listed as `now`, or
    "wrong" from the start, for the reasons in `why`.
    """

    kind: Kind
    agency: str
    list: ListName
    observed_at: datetime
    how: Literal["again", "same", "wrong"]
    was: str = ""
    now: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the message: one agreement, or the same edit on several (`agencies`, the first few of `count`).

    `since` and `until`: when the first and the last of it was seen. `unknown_state` is what stands in the state's cell
    where nobody could tell which state that is; `suspects` are the agreements that this may be the same as, while a
    person is asked. `is_one_of_several`: more happened to the agreement, so that it matters which came first.
    """

    entry: str
    agreement: str
    agency: str
    support_type: str
    county: str
    signed: date | None
    since: datetime
    until: datetime
    unknown_state: str = ""
    values: tuple[Value, ...] = ()
    pending_since: datetime | None = None
    suspects: tuple[str, ...] = ()
    corrects: Correction | None = None
    agencies: tuple[str, ...] = ()
    count: int = 1
    is_one_of_several: bool = False


@dataclass(frozen=True, slots=True)
class What:
    """What happened: the heading over some points."""

    kind: Kind
    list: ListName
    unconfirmed: bool


@dataclass(frozen=True, slots=True)
class Section:
    """All points of a state that say the same happened."""

    what: What
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A state and what happened there. `name` is "" where nobody could tell which state it is."""

    name: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A notice, ready to be put into words. `more` of the `total` changes are not among the points.

    `observed_at`: when it was found; `seen_at`: when the workbook was first seen, which is mostly the same. `names` are
    all the states concerned, also of changes that are left out; `watching` those that the subscriber watches, None for
    all; `parts` the counties and agencies.
    """

    list: ListName
    observed_at: datetime
    seen_at: datetime
    file: str
    sha256: str
    names: tuple[str, ...]
    counts: tuple[tuple[What, int], ...]
    places: tuple[Place, ...]
    total: int
    more: int
    watching: tuple[str, ...] | None
    parts: tuple[str, ...]
    dated = False  # all of it was found at one time, which need not be said of each point

    @property
    def unconfirmed(self) -> bool:
        """Whether it tells of a departure that is not confirmed."""
        return any(what.unconfirmed for what, _ in self.counts)

    @property
    def only(self) -> Point | None:
        """The one agreement that it is about, if it is about one."""
        points = [p for place in self.places for section in place.sections for p in section.points]
        return points[0] if self.total == len(points) == 1 else None


@dataclass(frozen=True, slots=True)
class DigestOutline:
    """A digest of a day, ready to be put into words; its fields as those of an Outline. It can be empty."""

    cadence: Cadence
    day: date
    names: tuple[str, ...]
    counts: tuple[tuple[What, int], ...]
    places: tuple[Place, ...]
    total: int
    more: int
    watching: tuple[str, ...] | None
    parts: tuple[str, ...]
    dated = True  # each point says its day

    @property
    def unconfirmed(self) -> bool:
        """Whether it tells of a departure that is not confirmed."""
        return any(what.unconfirmed for what, _ in self.counts)


def outline(notice: Notice, *, most: int) -> Outline:
    """What a notice says, in at most so many points."""
    told = _with_corrections(notice.lines)
    first = told[0][0].entry
    points = _points(told)
    total = sum(point.count for _, _, point in points)
    watching, parts = named(notice.watched)
    return Outline(
        list=first.list,
        observed_at=first.observed_at,
        seen_at=notice.publication.observed_at,
        file=shortened(clean(notice.publication.file), _LONGEST_NAME),
        sha256=notice.publication.sha256,
        names=_in_order({name for _, name, _ in points}),
        counts=_counts(points),
        places=_places(points[:most]),
        total=total,
        more=total - sum(point.count for _, _, point in points[:most]),
        watching=watching,
        parts=parts,
    )


def digest_outline(digest: Digest, *, most: int) -> DigestOutline:
    """What a digest says, in at most so many points."""
    points = _points(_with_corrections(digest.lines))
    total = sum(point.count for _, _, point in points)
    watching, parts = named(digest.watched)
    return DigestOutline(
        cadence=digest.schedule.cadence,
        day=digest.slot,
        names=_in_order({name for _, name, _ in points}),
        counts=_counts(points),
        places=_places(points[:most]),
        total=total,
        more=total - sum(point.count for _, _, point in points[:most]),
        watching=watching,
        parts=parts,
    )


_Told = tuple[Line, Line | None]  # what is told, and the note that goes with it
_Placed = tuple[What, str, Point]


def _points(told: Sequence[_Told]) -> list[_Placed]:
    """All points, what must not be missed first."""
    happened = Counter(line.entry.agreement for line, _ in told)
    return sorted(
        (_point(group, happened) for group in _grouped(told)),
        key=lambda p: (_rank(p[0].kind), -p[2].count, p[1], p[2].agency, p[2].entry),
    )


def _counts(points: Iterable[_Placed]) -> tuple[tuple[What, int], ...]:
    """How often each happened, in the order of the points."""
    counts: Counter[What] = Counter()
    for what, _, point in points:
        counts[what] += point.count
    return tuple(counts.items())


def named(watched: Watched) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """What is watched, as a reader knows it: states, or None for all; and parts of them."""
    states = None if watched.states is None else _in_order(STATES[c] for c in watched.states)
    return states, tuple(sorted(map(_part_name, watched.parts)))


def _part_name(part: Part) -> str:
    if part.agency:
        return f"{_name(part.agency)} ({part.state})" if part.state else _name(part.agency)
    return _name(county_name(part.state, part.county))


def _with_corrections(lines: Sequence[Line]) -> list[_Told]:
    """Each line; a note about an agreement of which there is news as well goes into one line with the news.

    An application that was reported dropped and turns out to be an agreement, for one.
    """
    notes: dict[str, Line] = {}
    for line in lines:
        if line.entry.kind in CORRECTIONS:
            notes.setdefault(line.entry.agreement, line)
    news = {line.entry.agreement for line in lines if line.entry.kind not in CORRECTIONS}
    return [
        (line, None if line.entry.kind in CORRECTIONS else notes.get(line.entry.agreement))
        for line in lines
        if not (line.entry.agreement in news and notes.get(line.entry.agreement) is line)
    ]


def _grouped(told: Sequence[_Told]) -> list[list[_Told]]:
    """Lines that say one thing: alone, but for the same edit on many rows of a state."""
    alike: dict[object, list[_Told]] = {}
    for each in told:
        alike.setdefault(_edit(each), []).append(each)
    groups: list[list[_Told]] = []
    for edit, same in alike.items():
        groups += [same] if edit and len(same) >= _MANY else [[each] for each in same]
    return groups


def _edit(told: _Told) -> object:
    """What is equal for lines that can be told as one; unlike anything else where a line has to stand alone."""
    line, note = told
    values = _values(line)
    if line.entry.kind is not Kind.CHANGED or note or not values:
        return None
    moves = tuple((v.name, v.move, v.before, v.after) if v.move == "edited" else (v.name, v.move) for v in values)
    return line.entry.state, moves


def _point(group: Sequence[_Told], happened: Mapping[str, int]) -> _Placed:
    """The point that lines make; `happened`: how much, by agreement."""
    line, note = group[0]
    entry = line.entry
    values = _values(line)
    if len(group) > 1:
        values = tuple(v if v.move == "edited" else Value(v.name, *_one_sided(v)) for v in values)
    names = sorted({_name(told.entry.agency) for told, _ in group})
    cells = entry.after or entry.before
    point = Point(
        entry=entry.id,
        agreement=entry.agreement,
        agency=_name(entry.agency) or "(no name)",
        support_type=_name(entry.support_type),
        county=_name(entry.county),
        signed=signed(cells.signed) if cells else None,
        since=min(told.entry.observed_at for told, _ in group),
        until=max(told.entry.observed_at for told, _ in group),
        unknown_state=_name(cells.state) if cells and entry.state is None else "",
        values=values,
        pending_since=entry.pending_since,
        suspects=tuple(map(_name, suspects(entry.reasons))),
        corrects=_correction(note or line),
        agencies=tuple(names[:_NAMED]) if len(group) > 1 else (),
        count=len(group),
        is_one_of_several=len(group) == 1 and happened[entry.agreement] > 1,
    )
    kind = Kind.WITHDRAWN if entry.kind in CORRECTIONS else entry.kind
    what = What(kind, entry.list, entry.status == "unconfirmed")
    # A correction stands where the reader was told what it corrects, wherever the agreement is now.
    place = (line.corrects or entry).state
    return what, STATES.get(place or "", ""), point


def _correction(line: Line) -> Correction | None:
    told, note = line.corrects, line.entry
    if told is None:
        return None
    how: Literal["again", "same", "wrong"] = "again"
    if note.kind is Kind.RETRACTED:
        how = "wrong"
    elif note.kind is Kind.MERGED or note.fields:
        how = "same"
    was, now = (_name(side.agency) if side else "" for side in (note.before, note.after))
    why = _name("; ".join(note.reasons))
    return Correction(told.kind, _name(told.agency), told.list, told.observed_at, how, was, now, why)


def _one_sided(value: Value) -> tuple[str, str]:
    """Only whether there was something before and is something now: the values differ from row to row."""
    return ("…" if value.before else "", "…" if value.after else "")


def _values(line: Line) -> tuple[Value, ...]:
    """The fields that matter enough, as a reader knows them."""
    if line.entry.kind in CORRECTIONS:
        return ()  # what it corrects says it in words
    fields = [f for f in line.entry.fields if _WEIGHT[f.significance] <= _WEIGHT[line.least]]
    return tuple(_value(f) for f in fields)


def _value(change: FieldChange) -> Value:
    before, after = (_readable(change.name, cell) for cell in (change.before, change.after))
    if before == after:
        # What a reader calls it is the same, so that how it is written is what there is to tell. Of a document's
        # address only what names the document: the rest can carry the mailbox of whoever pasted it.
        written = document if change.name in _DOCUMENTS else clean
        before, after = (shortened(clean(written(c)), _LONGEST_VALUE) for c in (change.before, change.after))
    return Value(change.name, before, after)


def _readable(field: str, cell: str) -> str:
    """A cell in the words that a reader uses; "" where it says nothing."""
    text = cell
    match field:
        case "state":
            text = STATES.get(state(cell) or "", cell)
        case "support_type":
            text = support_type(cell) or cell
        case "county":
            text = cell if county(cell) else ""
        case "signed":
            day = signed(cell)
            text = f"{day.day} {day:%B %Y}" if day else cell
        case "moa" | "addendum":
            address = document(cell)
            text = document_name(address) or address
    return shortened(clean(text), _LONGEST_VALUE)


def _name(text: str) -> str:
    return shortened(clean(text), _LONGEST_NAME)


def _places(points: Iterable[_Placed]) -> tuple[Place, ...]:
    """Points by state, then by what happened; the order inside stays."""
    found: dict[str, dict[What, list[Point]]] = {}
    for what, name, point in points:
        found.setdefault(name, {}).setdefault(what, []).append(point)
    return tuple(
        Place(name, tuple(Section(what, tuple(same)) for what, same in found[name].items()))
        for name in _in_order(found)
    )


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """By name; what has none comes last."""
    return tuple(sorted(names, key=lambda name: (not name, name)))


def _rank(kind: Kind) -> int:
    return _ORDER.index(kind)
