"""Pure: entries of the log × watches → who is told what, at once.

The rules, each with a test:

- An entry that is not to be announced, or that was taken back before anybody was told, is skipped.
- A watch is told of entries after its start that match what it wants.
- A departure is told at once, as unconfirmed; to those who chose to wait, when a note confirms it. They are told of the
  departure itself, so that corrections reach them.
- A note that takes an entry back goes at once to those who were told of that entry, and to nobody else, whatever their
  watches' cadence. Of two notes that say the same agreement is still listed (withdrawn, merged) one is sent. The return
  that goes with a withdrawn departure is not sent to them, nor to the others, who were not told of the departure; the
  others are told of it only if something substantive changed.
- A subscriber is told of an entry once, for all watches that want it.
- All entries of one publication for one subscriber are one notice.

There are many watches and few entries, so the entries are indexed by what they concern, and equal wants are looked up
once. Digests use the same rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from alerts.model import (
    CORRECTIONS,
    PENDING_KINDS,
    Agency,
    Departures,
    Notice,
    Recipient,
    RoutedEntry,
    Subscriber,
    Wants,
    Watch,
    Watched,
    WatchedPart,
)
from alerts.routing.scope import agencies_of, counties_of, states_of, support_types_of
from monitor.model import DEPARTURES, NOTES, Entry, Kind, ListName, Significance, SupportType

_WEIGHT = {significance: weight for weight, significance in enumerate(Significance)}


@dataclass(frozen=True, slots=True)
class News:
    """An entry to tell, and the position in the log at which it became news.

    That is its own position; for those who wait for confirmation, the position of the note that confirms a departure.
    """

    at: int
    entry: Entry


_Hears: TypeAlias = Callable[[Watch, News], bool]


def route(
    entries: Iterable[Entry],
    watches: Iterable[Watch],
    told: Mapping[str, Sequence[Recipient]],
    earlier: Mapping[str, Entry],
    agencies: Mapping[str, Agency] | None = None,
) -> Iterator[Notice]:
    """The notices that these entries make: by subscriber, of each in the order of the log.

    `earlier` has the entries that notes are about, by id; `told` says who was told of them. `agencies`: those that
    watches name, by the ids of their agreements. Watches with a schedule get nothing but corrections here.
    """
    entries = list(entries)
    news = NewsIndex(entries, earlier, agencies or {})
    corrections = _corrections(entries, told)
    of = by_subscriber(watches)
    for each in corrections.values():
        of.setdefault(each.subscriber.number, [])
    for number, theirs in sorted(of.items()):
        correction = corrections.get(number)
        already = correction.told if correction else frozenset()
        wanted = [w for w in theirs if w.schedule is None and not w.paused]
        lines = news.lines(wanted, lambda watch, found: found.at > watch.starts_after, already)
        if correction:
            told_of_return = {_with(note) for note, _ in correction.notes if note.kind is Kind.WITHDRAWN}
            lines = [
                *((at, line) for at, line in lines if not _says_the_same(line.entry, told_of_return)),
                *(
                    (n.seq, RoutedEntry(n, who.watches, corrects=earlier.get(n.about or "")))
                    for n, who in correction.notes
                ),
            ]
            lines.sort(key=lambda placed: placed[0])
        if lines:
            subscriber = correction.subscriber if correction else theirs[0].subscriber
            replies = {note.id: who.delivery for note, who in correction.notes} if correction else {}
            yield from _notices(subscriber, [line for _, line in lines], theirs, news.agencies, replies)


def subjects(entries: Iterable[Entry]) -> frozenset[str]:
    """The ids of the entries that these notes are about."""
    return frozenset(e.about for e in entries if e.about and e.kind in NOTES)


class NewsIndex:
    """The news in these entries, indexed by what it concerns."""

    def __init__(self, entries: Sequence[Entry], earlier: Mapping[str, Entry], agencies: Mapping[str, Agency]) -> None:
        self.agencies = agencies
        withdrawn = {_with(e) for e in entries if e.kind is Kind.WITHDRAWN and e.announce}
        self._of = {departures: _Sorted(_news(entries, earlier, withdrawn, departures)) for departures in Departures}
        self._wanted: dict[Wants, tuple[News, ...]] = {}

    def all(self, departures: Departures) -> Iterator[News]:
        """All news for those who want departures at once, or confirmed."""
        return self._of[departures].all()

    def wanted(self, wants: Wants) -> tuple[News, ...]:
        """The news for a watch that wants this, in the order of the log."""
        if wants not in self._wanted:
            self._wanted[wants] = tuple(self._of[wants.departures].wanted(wants, self.agencies))
        return self._wanted[wants]

    def lines(
        self, watches: Sequence[Watch], hears: _Hears, already: Collection[str] = ()
    ) -> list[tuple[int, RoutedEntry]]:
        """What watches of one subscriber are told, each entry once, with its position in the log.

        `hears`: whether a watch is told of some news. `already`: the ids of entries that they were told of.
        """
        if len(watches) == 1:  # nearly always
            [watch] = watches
            numbers, least = (watch.number,), watch.wants.significance
            return [
                (news.at, RoutedEntry(news.entry, numbers, least))
                for news in self.wanted(watch.wants)
                if news.entry.id not in already and hears(watch, news)
            ]
        found: dict[str, tuple[News, list[Watch]]] = {}
        for watch in watches:
            for news in self.wanted(watch.wants):
                if news.entry.id not in already and hears(watch, news):
                    found.setdefault(news.entry.id, (news, []))[1].append(watch)
        return [_line(news, wanting) for news, wanting in sorted(found.values(), key=lambda f: f[0].at)]


def watched(watches: Iterable[Watch], agencies: Mapping[str, Agency]) -> Watched:
    """What these watches cover: of each its agencies, else its counties, else its states."""
    states: set[str] = set()
    parts: set[WatchedPart] = set()
    everywhere = False
    for watch in watches:
        wants = watch.wants
        if wants.agencies is not None:
            known = [agencies[a] for a in wants.agencies if a in agencies]
            parts |= {WatchedPart(a.state or "", agency=a.name) for a in known}
        elif wants.counties is not None:
            parts |= {WatchedPart(code, county=name) for code, name in wants.counties}
        elif wants.states is not None:
            states |= wants.states
        else:
            everywhere = True
    return Watched(None if everywhere else frozenset(states), frozenset(parts))


def by_subscriber(watches: Iterable[Watch]) -> dict[int, list[Watch]]:
    """Watches by their subscriber's number, in the order of their own numbers."""
    by_number: dict[int, list[Watch]] = {}
    for watch in watches:
        by_number.setdefault(watch.subscriber.number, []).append(watch)
    for theirs in by_number.values():
        theirs.sort(key=lambda w: w.number)
    return by_number


def _line(news: News, wanting: Sequence[Watch]) -> tuple[int, RoutedEntry]:
    least = max((w.wants.significance for w in wanting), key=_WEIGHT.__getitem__)
    return news.at, RoutedEntry(news.entry, tuple(w.number for w in wanting), least)


def _notices(
    subscriber: Subscriber,
    lines: Sequence[RoutedEntry],
    watches: Sequence[Watch],
    agencies: Mapping[str, Agency],
    replies: Mapping[str, int | None],
) -> Iterator[Notice]:
    """Lines by publication."""
    of: dict[str, list[RoutedEntry]] = {}
    for line in lines:
        of.setdefault(line.entry.publication.id, []).append(line)
    for same in of.values():
        behind = {number for line in same for number in line.watches}
        names = watched((w for w in watches if w.number in behind), agencies)
        corrected = max((replies.get(line.entry.id) or 0 for line in same), default=0)
        yield Notice(subscriber, same[0].entry.publication, tuple(same), names, corrected or None)


@dataclass
class _Corrected:
    """A subscriber who is sent corrections: the notes, and the ids of the entries that they were told of."""

    subscriber: Subscriber
    notes: list[tuple[Entry, Recipient]] = field(default_factory=list)
    told: frozenset[str] = frozenset()


def _corrections(entries: Iterable[Entry], told: Mapping[str, Sequence[Recipient]]) -> dict[int, _Corrected]:
    """Who was told of what the notes among these entries are about."""
    corrected: dict[int, _Corrected] = {}
    for entry in entries:
        if entry.kind not in NOTES or not entry.announce:
            continue
        for who in told.get(entry.about or "", ()):
            theirs = corrected.setdefault(who.subscriber.number, _Corrected(who.subscriber))
            theirs.told |= {entry.about or ""}
            same = {_with(note) for note, _ in theirs.notes if note.kind is Kind.WITHDRAWN}
            # If both a departure and an arrival are taken back, the note about the departure is enough.
            if entry.kind in CORRECTIONS and not (entry.kind is Kind.MERGED and _with(entry) in same):
                theirs.notes.append((entry, who))
    return corrected


def _news(
    entries: Sequence[Entry],
    earlier: Mapping[str, Entry],
    withdrawn: set[tuple[str, str]],
    departures: Departures,
) -> Iterator[News]:
    """The news for those who want departures at once, or confirmed."""
    for entry in entries:
        news = entry
        if departures is Departures.CONFIRMED:
            if entry.kind is Kind.CONFIRMED and entry.about and entry.about in earlier:
                news = earlier[entry.about]
            elif entry.kind in DEPARTURES:
                continue
        if entry.announce and news.announce and news.kind not in NOTES and not _is_moot(news, withdrawn):
            yield News(entry.seq, news)


def _with(entry: Entry) -> tuple[str, str]:
    return entry.agreement, entry.publication.id


def _says_the_same(entry: Entry, corrected: set[tuple[str, str]]) -> bool:
    return entry.kind is Kind.RETURNED and _with(entry) in corrected


def _is_moot(entry: Entry, withdrawn: set[tuple[str, str]]) -> bool:
    """Whether an entry is not told: it was taken back already, or is the return that goes with a withdrawn note.

    A return with a substantive change (such as another state) is news to those who were not told of the departure.
    """
    if entry.status in CORRECTIONS:
        return True
    return entry.kind is Kind.RETURNED and _with(entry) in withdrawn and is_as_before(entry)


def is_as_before(entry: Entry) -> bool:
    """Whether the entry has no substantive change."""
    return all(f.significance is not Significance.SUBSTANTIVE for f in entry.fields)


@dataclass(frozen=True, slots=True)
class _Concerns:
    """News, and what it concerns."""

    place: int  # in the order of the log
    news: News
    states: frozenset[str]
    counties: frozenset[tuple[str, str]]
    agencies: frozenset[tuple[str, str]]
    support_types: frozenset[SupportType]

    def is_wanted(self, wants: Wants) -> bool:
        """Whether the news matches everything in `wants` except the agencies."""
        entry = self.news.entry
        return (
            entry.kind in wants.kinds
            and _WEIGHT[entry.significance] <= _WEIGHT[wants.significance]
            and (wants.states is None or not self.states.isdisjoint(wants.states))
            and (wants.counties is None or not self.counties.isdisjoint(wants.counties))
            and (wants.support_types is None or not self.support_types.isdisjoint(wants.support_types))
            # Entries about applications, of any kind, are only for watches that want applications.
            and (entry.list is ListName.PARTICIPATING or not PENDING_KINDS.isdisjoint(wants.kinds))
        )


class _Sorted:
    """News by state, county, agency and agreement."""

    def __init__(self, news: Iterable[News]) -> None:
        self._all: list[_Concerns] = []
        self._by: defaultdict[object, list[_Concerns]] = defaultdict(list)
        for place, each in enumerate(news):
            entry = each.entry
            found = _Concerns(
                place,
                each,
                states_of(entry),
                counties_of(entry),
                agencies_of(entry),
                support_types_of(entry),
            )
            self._all.append(found)
            for county in found.counties:
                self._by["county", county].append(found)
            for agency in found.agencies:
                self._by["agency", agency].append(found)
            for key in (*found.states, entry.agreement):
                self._by[key].append(found)

    def all(self) -> Iterator[News]:
        return (each.news for each in self._all)

    def wanted(self, wants: Wants, agencies: Mapping[str, Agency]) -> Iterator[News]:
        keys: Iterable[object] | None = wants.states
        if wants.agencies is not None:
            known = [agencies[a] for a in wants.agencies if a in agencies]
            keys = [key for a in known for key in (*a.ids, *(("agency", name) for name in a.known_as))]
        elif wants.counties is not None:
            keys = [("county", county) for county in wants.counties]
        found = self._all
        if keys is not None:
            at = {each.place: each for key in keys for each in self._by.get(key, ())}
            found = [at[place] for place in sorted(at)]
        return (each.news for each in found if each.is_wanted(wants))
