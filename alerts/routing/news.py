"""Pure: an index of new entries by state, county and agency, for instant notices and digests.

There are many watches and few entries, so a watch is compared only with entries that can match, and equal wants are
looked up once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from alerts.model import CORRECTIONS, PENDING_KINDS, Agency, Departures, RoutedEntry, Wants, Watch
from alerts.routing.scope import agencies_of, counties_of, newest_agency, states_of, support_types_of
from monitor.matching.similarity import bare_name
from monitor.model import DEPARTURES, NOTES, Entry, Kind, ListName, Relation, Significance, SupportType

_WEIGHT = {significance: weight for weight, significance in enumerate(Significance)}


@dataclass(frozen=True, slots=True)
class News:
    """An entry to tell, and the position in the log at which it became news.

    That is its own position; for a departure that is told once it is confirmed, the position of the note that confirms
    it.
    """

    at: int
    entry: Entry


Hears: TypeAlias = Callable[[Watch, News], bool]
SwitchKey: TypeAlias = tuple[str, str | None, str]  # a publication, and an agency: its state and comparable name


class NewsIndex:
    """The news in these entries, indexed by what it concerns."""

    def __init__(self, entries: Sequence[Entry], earlier: Mapping[str, Entry], agencies: Mapping[str, Agency]) -> None:
        self.agencies = agencies
        withdrawn = {agreement_and_publication(e) for e in entries if e.kind is Kind.WITHDRAWN and e.announce}
        # The id of the `new` that says that an application was approved, by the id of the note about it.
        new = {agreement_and_publication(e): e.id for e in entries if e.kind is Kind.NEW}
        approved = [e for e in entries if e.kind is Kind.APPROVED]
        self._said_by = {e.id: new[key] for e in approved if (key := agreement_and_publication(e)) in new}
        noted = frozenset(self._said_by.values())
        self._of = {
            departures: _Sorted(_news(entries, earlier, withdrawn, departures), noted) for departures in Departures
        }
        self._switches = _switches(entries)
        self._wanted: dict[Wants, tuple[News, ...]] = {}

    def all(self, departures: Departures) -> Iterator[News]:
        """All news for those who want departures at once, or confirmed."""
        return self._of[departures].all()

    def wanted(self, wants: Wants) -> tuple[News, ...]:
        """The news for a watch that wants this, in the order of the log; of a switch both halves."""
        if wants not in self._wanted:
            self._wanted[wants] = tuple(self._with_switches(self._of[wants.departures].wanted(wants, self.agencies)))
        return self._wanted[wants]

    def _with_switches(self, wanted: Iterable[News]) -> Iterator[News]:
        """The news, and after each half of a switch the other half: a correction of either must reach its readers."""
        known: set[str] = set()
        for news in wanted:
            key = switch_key(news.entry)
            for each in (news, *(News(news.at, half) for half in (self._switches.get(key, ()) if key else ()))):
                if each.entry.id not in known:
                    known.add(each.entry.id)
                    yield each

    def lines(
        self, watches: Sequence[Watch], hears: Hears, already: Collection[str] = ()
    ) -> list[tuple[int, RoutedEntry]]:
        """What watches of one subscriber are told, each entry once, with its position in the log.

        `hears`: whether a watch is told of some news. `already`: the ids of entries that they were told of. A note that
        an application was approved is left out for those who are told of the new agreement, which says so.
        """
        placed = self._lines(watches, hears, already)
        if not self._said_by:  # nearly always
            return placed
        told = {line.entry.id for _, line in placed}.union(already)
        return [(at, line) for at, line in placed if self._said_by.get(line.entry.id) not in told]

    def _lines(self, watches: Sequence[Watch], hears: Hears, already: Collection[str]) -> list[tuple[int, RoutedEntry]]:
        if len(watches) == 1:  # nearly always
            [watch] = watches
            numbers, least = (watch.number,), watch.wants.significance
            return [
                (news.at, RoutedEntry(news.entry, numbers, least))
                for news in self.wanted(watch.wants)
                if news.entry.id not in already and hears(watch, news)
            ]
        watches_by: dict[str, tuple[News, list[Watch]]] = {}
        for watch in watches:
            for news in self.wanted(watch.wants):
                if news.entry.id not in already and hears(watch, news):
                    watches_by.setdefault(news.entry.id, (news, []))[1].append(watch)
        return [_line(news, wanting) for news, wanting in sorted(watches_by.values(), key=lambda each: each[0].at)]


def _line(news: News, wanting: Sequence[Watch]) -> tuple[int, RoutedEntry]:
    least = max((w.wants.significance for w in wanting), key=_WEIGHT.__getitem__)
    return news.at, RoutedEntry(news.entry, tuple(w.number for w in wanting), least)


def _news(
    entries: Sequence[Entry],
    earlier: Mapping[str, Entry],
    withdrawn: set[tuple[str, str]],
    departures: Departures,
) -> Iterator[News]:
    """The news for those who want departures at once, or confirmed."""
    for entry in entries:
        news = entry
        if entry.kind is Kind.CONFIRMED and entry.about and entry.about in earlier:
            news = earlier[entry.about]
        if news.kind in DEPARTURES and (news is entry) is _waits(news, departures):
            continue
        is_told = news.kind not in NOTES or news.kind is Kind.APPROVED
        if is_told and entry.announce and news.announce and not _is_moot(news, withdrawn):
            yield News(entry.seq, news)


def _waits(departure: Entry, departures: Departures) -> bool:
    """Whether a departure is told only once it is confirmed.

    That an application left the pending list always waits: in 2025, 135 of 187 had become agreements, most of them
    within the hour.
    """
    return departures is Departures.CONFIRMED or departure.kind is Kind.DROPPED


def _switches(entries: Iterable[Entry]) -> Mapping[SwitchKey, Sequence[Entry]]:
    """The departures and arrivals that are told as one switch of an agency."""
    switches: defaultdict[SwitchKey, list[Entry]] = defaultdict(list)
    for entry in entries:
        if (key := switch_key(entry)) and entry.announce and entry.status not in CORRECTIONS:
            switches[key].append(entry)
    return switches


def switch_key(entry: Entry) -> SwitchKey | None:
    """Equal for the departures and arrivals of one agency in one publication that are one switch; None for others."""
    if entry.relation is not Relation.SWITCHED:
        return None
    state, name = newest_agency(entry)
    return entry.publication.id, state, bare_name(name)


def agreement_and_publication(entry: Entry) -> tuple[str, str]:
    """Equal for an entry and a note that one publication made about one agreement."""
    return entry.agreement, entry.publication.id


def _is_moot(entry: Entry, withdrawn: set[tuple[str, str]]) -> bool:
    """Whether an entry is not told: it was taken back already, is the return that goes with a withdrawn note, or says
    that an application left the pending list and the application was approved.

    A return with a substantive change (such as another state) is news to those who were not told of the departure.
    """
    if entry.status in CORRECTIONS or (entry.kind is Kind.DROPPED and entry.status == Kind.APPROVED):
        return True
    return entry.kind is Kind.RETURNED and agreement_and_publication(entry) in withdrawn and is_as_before(entry)


def is_as_before(entry: Entry) -> bool:
    """Whether the entry has no substantive change."""
    return all(f.significance is not Significance.SUBSTANTIVE for f in entry.fields)


def _is_about_application(entry: Entry) -> bool:
    return entry.list is ListName.PENDING or entry.kind is Kind.APPROVED


@dataclass(frozen=True, slots=True)
class _Concerns:
    """News, and what it concerns."""

    place: int  # in the order of the log
    news: News
    states: frozenset[str]
    counties: frozenset[tuple[str, str]]
    agencies: frozenset[tuple[str, str]]
    support_types: frozenset[SupportType]
    alone_says_approved: bool  # the agreement was an application, of which no entry told that a note could be about

    def is_wanted(self, wants: Wants) -> bool:
        """Whether the news matches everything in `wants` except the agencies."""
        entry = self.news.entry
        return (
            (
                entry.kind in wants.kinds
                or entry.kind is Kind.APPROVED
                or (self.alone_says_approved and not PENDING_KINDS.isdisjoint(wants.kinds))
            )
            and _WEIGHT[entry.significance] <= _WEIGHT[wants.significance]
            and (wants.states is None or not self.states.isdisjoint(wants.states))
            and (wants.counties is None or not self.counties.isdisjoint(wants.counties))
            and (wants.support_types is None or not self.support_types.isdisjoint(wants.support_types))
            # Entries about applications, of any kind, are only for watches that want applications.
            and (not _is_about_application(entry) or not PENDING_KINDS.isdisjoint(wants.kinds))
        )


class _Sorted:
    """News by state, county, agency and agreement."""

    def __init__(self, news: Iterable[News], noted: Collection[str]) -> None:
        """`noted`: the ids of new agreements beside which a note says that their application was approved."""
        self._all: list[_Concerns] = []
        self._by: defaultdict[object, list[_Concerns]] = defaultdict(list)
        for place, each in enumerate(news):
            entry = each.entry
            concerns = _Concerns(
                place,
                each,
                states_of(entry),
                counties_of(entry),
                agencies_of(entry),
                support_types_of(entry),
                entry.kind is Kind.NEW and entry.pending_since is not None and entry.id not in noted,
            )
            self._all.append(concerns)
            for county in concerns.counties:
                self._by["county", county].append(concerns)
            for agency in concerns.agencies:
                self._by["agency", agency].append(concerns)
            for key in (*concerns.states, entry.agreement):
                self._by[key].append(concerns)

    def all(self) -> Iterator[News]:
        return (each.news for each in self._all)

    def wanted(self, wants: Wants, agencies: Mapping[str, Agency]) -> Iterator[News]:
        keys: Iterable[object] | None = wants.states
        if wants.agencies is not None:
            known = [agencies[a] for a in wants.agencies if a in agencies]
            keys = [key for a in known for key in (*a.ids, *(("agency", name) for name in a.known_as))]
        elif wants.counties is not None:
            keys = [("county", county) for county in wants.counties]
        candidates = self._all
        if keys is not None:
            at = {each.place: each for key in keys for each in self._by.get(key, ())}
            candidates = [at[place] for place in sorted(at)]
        return (each.news for each in candidates if each.is_wanted(wants))
