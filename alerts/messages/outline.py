"""Pure: the content of a notice or a digest and its order, as values for the templates.

Points are grouped by state, then by what happened. The same edit on many rows of a state is one point. The number of
points is limited; the most important come first, and those left out are counted. All text is cleaned for display.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from alerts.messages.agency_note import AgencyNote, agency_note, replacements
from alerts.messages.values import Value, corrected_days, one_sided, values_of
from alerts.model import CORRECTIONS, Cadence, Digest, Notice, RoutedEntry, Watched, WatchedPart
from alerts.sanitize import clean, shortened
from monitor.checks.changes import FIRST_SEEN
from monitor.geography import county_name
from monitor.matching.review import similar, suspects
from monitor.model import Entry, Kind, ListName
from monitor.normalize import STATES, signed

_MANY = 4  # so many rows of a state with the same edit, or more, are one point; corrected dates also of several states
_NAMED = 5  # agencies that such a point names
_LONGEST_NAME = 100
SEVERAL_STATES = "Several states"
_DATES_CORRECTED = "dates corrected"  # the edit of every line in which nothing but that is told

# The most important kinds come first, and are the last to be left out.
_ORDER = (
    Kind.RETRACTED,
    Kind.WITHDRAWN,
    Kind.MERGED,
    Kind.TERMINATED,
    Kind.NEW,
    Kind.RETURNED,
    Kind.APPROVED,
    Kind.CHANGED,
    Kind.DROPPED,
    Kind.APPLIED,
)


@dataclass(frozen=True, slots=True)
class CorrectedEntry:
    """The entry that a note takes back (its kind, agency, list and time), and what is true instead.

    `how`: "again" on the list; the "same" agreement, listed as `was` before and as `now` at present; or "wrong" from
    the start, for the reasons in `why`.
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
    """One line of the message: one agreement, or the same edit on several (`agencies`, the first few of `count`), which
    may be in several `states`.

    `since` and `until`: when the first and the last of it was seen. `unknown_state`: the text of the state's cell if it
    is not recognized. `suspects`: agreements that this may be the same as, while a person is asked. `similar`: those
    that were new under a similar name when an application left.
    `is_one_of_several`: the message has more about this agreement, so that the time of each matters. `pending_before`:
    the application was pending since some day before `pending_since`.
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
    first_applied: str = ""
    suspects: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()
    corrects: CorrectedEntry | None = None
    agencies: tuple[str, ...] = ()
    more_agencies: int = 0
    states: tuple[str, ...] = ()
    count: int = 1
    is_one_of_several: bool = False
    pending_before: bool = False
    agency_note: AgencyNote | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What happened: the heading above a group of points."""

    kind: Kind
    list: ListName
    unconfirmed: bool


@dataclass(frozen=True, slots=True)
class KindGroup:
    """All points of a state under one heading."""

    what: Heading
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class StateGroup:
    """A state and what happened there. `name` is "" if the state is unknown."""

    name: str
    sections: tuple[KindGroup, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A notice, ready for the templates. `more` of the `total` changes are left out of the points.

    `observed_at`: when the changes were found; `seen_at`: when the workbook was first seen, usually the same. `names`:
    all states concerned, including those of changes left out. `watching`: the states that the subscriber watches, None
    for all; `parts`: the counties and agencies.
    """

    list: ListName
    observed_at: datetime
    seen_at: datetime
    file: str
    sha256: str
    names: tuple[str, ...]
    counts: tuple[tuple[Heading, int], ...]
    places: tuple[StateGroup, ...]
    total: int
    more: int
    still_listed: Mapping[Heading, int]  # how many departures are of agencies that are still listed
    watching: tuple[str, ...] | None
    parts: tuple[str, ...]
    dated = False  # all points have the same time, which is not repeated for each

    @property
    def unconfirmed(self) -> bool:
        """Whether a departure in it is unconfirmed."""
        return any(what.unconfirmed for what, _ in self.counts) or replaces_unconfirmed(self.places)

    @property
    def only(self) -> Point | None:
        """The only point, if there is one."""
        points = [p for place in self.places for section in place.sections for p in section.points]
        return points[0] if self.total == len(points) == 1 else None


@dataclass(frozen=True, slots=True)
class DigestOutline:
    """A digest of a day, ready for the templates; fields as in Outline. It can be empty."""

    cadence: Cadence
    day: date
    names: tuple[str, ...]
    counts: tuple[tuple[Heading, int], ...]
    places: tuple[StateGroup, ...]
    total: int
    more: int
    still_listed: Mapping[Heading, int]  # how many departures are of agencies that are still listed
    watching: tuple[str, ...] | None
    parts: tuple[str, ...]
    dated = True  # each point has its own day

    @property
    def unconfirmed(self) -> bool:
        """Whether a departure in it is unconfirmed."""
        return any(what.unconfirmed for what, _ in self.counts) or replaces_unconfirmed(self.places)


def replaces_unconfirmed(places: Iterable[StateGroup]) -> bool:
    """Whether an agreement stands in place of one that left and is not confirmed to have left."""
    points = (point for place in places for group in place.sections for point in group.points)
    return any(point.agency_note is not None and point.agency_note.unconfirmed for point in points)


def outline(notice: Notice, *, most: int) -> Outline:
    """The outline of a notice, with at most so many points."""
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
        names=_in_order({name for _, _, point in points for name in point.states}),
        counts=_counts(points),
        places=_places(points[:most]),
        total=total,
        more=total - sum(point.count for _, _, point in points[:most]),
        still_listed=_still_listed(points),
        watching=watching,
        parts=parts,
    )


def digest_outline(digest: Digest, *, most: int) -> DigestOutline:
    """The outline of a digest, with at most so many points."""
    points = _points(_with_corrections(digest.lines))
    total = sum(point.count for _, _, point in points)
    watching, parts = named(digest.watched)
    return DigestOutline(
        cadence=digest.schedule.cadence,
        day=digest.slot,
        names=_in_order({name for _, _, point in points for name in point.states}),
        counts=_counts(points),
        places=_places(points[:most]),
        total=total,
        more=total - sum(point.count for _, _, point in points[:most]),
        still_listed=_still_listed(points),
        watching=watching,
        parts=parts,
    )


def _still_listed(points: Iterable[_Placed]) -> Mapping[Heading, int]:
    """How many of the departures under each heading are of agencies that are still listed."""
    return Counter(
        what
        for what, _, point in points
        if what.kind is Kind.TERMINATED and point.agency_note is not None and point.agency_note.others
    )


_LineAndNote = tuple[RoutedEntry, RoutedEntry | None]  # an entry, and the note that is told with it
_Placed = tuple[Heading, str, Point]


def _points(told: Sequence[_LineAndNote]) -> list[_Placed]:
    """All points, the most important first."""
    happened = Counter(line.entry.agreement for line, _ in told)
    switched = replacements(line.entry for line, _ in told)
    told_with_another = {departure.id for departures in switched.values() for departure in departures}
    told = [(line, note) for line, note in told if line.entry.id not in told_with_another]
    return sorted(
        (_point(group, happened, switched) for group in _grouped(told)),
        key=lambda p: (_rank(p[0].kind), -p[2].count, p[1], p[2].agency, p[2].since, p[2].entry),
    )


def _counts(points: Iterable[_Placed]) -> tuple[tuple[Heading, int], ...]:
    """How many changes there are under each heading, in the order of the points."""
    counts: Counter[Heading] = Counter()
    for what, _, point in points:
        counts[what] += point.count
    return tuple(counts.items())


def named(watched: Watched) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """What is watched, by names for readers: states, or None for all; and parts of states."""
    states = None if watched.states is None else _in_order(STATES[c] for c in watched.states)
    return states, tuple(sorted(map(_part_name, watched.parts)))


def _part_name(part: WatchedPart) -> str:
    if part.agency:
        return f"{_name(part.agency)} ({part.state})" if part.state else _name(part.agency)
    return _name(county_name(part.state, part.county))


def _with_corrections(lines: Sequence[RoutedEntry]) -> list[_LineAndNote]:
    """Each line, with None; but a note about an agreement that has news too is put together with the news.

    For example, an application that was reported as dropped turns out to be an agreement.
    """
    notes: dict[str, RoutedEntry] = {}
    for line in lines:
        if line.entry.kind in CORRECTIONS:
            notes.setdefault(line.entry.agreement, line)
    news = {line.entry.agreement for line in lines if line.entry.kind not in CORRECTIONS}
    return [
        (line, None if line.entry.kind in CORRECTIONS else notes.get(line.entry.agreement))
        for line in lines
        if not (line.entry.agreement in news and notes.get(line.entry.agreement) is line)
    ]


def _grouped(told: Sequence[_LineAndNote]) -> list[list[_LineAndNote]]:
    """The lines of each point: one, or those with the same edit on many rows of a state."""
    alike: dict[object, list[_LineAndNote]] = {}
    for each in told:
        alike.setdefault(_edit(each), []).append(each)
    groups: list[list[_LineAndNote]] = []
    for edit, same in alike.items():
        groups += [same] if edit and len(same) >= _MANY else [[each] for each in same]
    return groups


def _edit(told: _LineAndNote) -> object:
    """A key that is equal for lines with the same edit; None for a line that stays alone."""
    line, note = told
    values = values_of(line)
    if line.entry.kind is not Kind.CHANGED or note or not values:
        return None
    if [v.name for v in values] == ["signed"] and corrected_days(line.entry):
        return _DATES_CORRECTED, line.entry.list
    moves = tuple((v.name, v.move, v.before, v.after) if v.move == "edited" else (v.name, v.move) for v in values)
    return line.entry.state, moves


def _point(
    group: Sequence[_LineAndNote], happened: Mapping[str, int], switched: Mapping[str, tuple[Entry, ...]]
) -> _Placed:
    """The point for a group of lines. `happened`: how many lines there are, by agreement; `switched`: see there."""
    line, note = group[0]
    entry = line.entry
    replaced = switched.get(entry.id, ())
    values = values_of(line)
    # A correction is shown under the state of the entry that it corrects, even if the agreement is in another now.
    states = _in_order({STATES.get((told.corrects or told.entry).state or "", "") for told, _ in group})
    names = sorted({_name(told.entry.agency) for told, _ in group})
    if len(group) > 1 and _edit(group[0]) == (_DATES_CORRECTED, entry.list):
        values = (Value("signed", "", "", moved_days=max(corrected_days(told.entry) for told, _ in group)),)
        if len(states) > 1:
            names = sorted({f"{_name(told.entry.agency)} ({told.entry.state or '?'})" for told, _ in group})
    elif len(group) > 1:
        values = tuple(v if v.move == "edited" else Value(v.name, *one_sided(v)) for v in values)
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
        first_applied=next((r for r in entry.reasons if r.startswith(FIRST_SEEN)), ""),
        suspects=tuple(map(_name, suspects(entry.reasons))),
        similar=tuple(map(_name, similar(entry.reasons))),
        corrects=_correction(note or line),
        agencies=tuple(names[:_NAMED]) if len(group) > 1 else (),
        more_agencies=len(names[_NAMED:]),
        states=states,
        count=len(group),
        is_one_of_several=len(group) == 1 and happened[entry.agreement] > 1,
        pending_before=entry.pending_before,
        agency_note=agency_note(entry, replaced) if len(group) == 1 else None,
    )
    kind = Kind.WITHDRAWN if entry.kind in CORRECTIONS else entry.kind
    what = Heading(kind, entry.list, entry.status == "unconfirmed")
    return what, states[0] if len(states) == 1 else SEVERAL_STATES, point


def _correction(line: RoutedEntry) -> CorrectedEntry | None:
    told, note = line.corrects, line.entry
    if told is None:
        return None
    how: Literal["again", "same", "wrong"] = "again"
    if note.kind is Kind.RETRACTED:
        how = "wrong"
    elif note.kind is Kind.MERGED or note.fields:
        how = "same"
    was, now = (_name(side.agency) if side else "" for side in (note.before, note.after))
    why = _name("; ".join(note.reasons).removeprefix("this was wrong").removeprefix(": "))
    return CorrectedEntry(told.kind, _name(told.agency), told.list, told.observed_at, how, was, now, why)


def _name(text: str) -> str:
    return shortened(clean(text), _LONGEST_NAME)


def _places(points: Iterable[_Placed]) -> tuple[StateGroup, ...]:
    """Points by state, then by heading; the order within is kept."""
    by_state: dict[str, dict[Heading, list[Point]]] = {}
    for what, name, point in points:
        by_state.setdefault(name, {}).setdefault(what, []).append(point)
    return tuple(
        StateGroup(name, tuple(KindGroup(what, tuple(same)) for what, same in by_state[name].items()))
        for name in _in_order(by_state)
    )


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """By name; several states come after each of them, and "" last."""
    return tuple(sorted(names, key=lambda name: (not name, name == SEVERAL_STATES, name)))


def _rank(kind: Kind) -> int:
    return _ORDER.index(kind)
