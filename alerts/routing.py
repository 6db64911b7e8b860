"""Pure: entries of the log × watches → who hears of what.

The rules, each held by a test:

- An entry that is not to be announced, or that was taken back before anybody heard of it, is passed over.
- A watch hears of entries after its start, of its kinds, in its states, of its significance.
- A note that takes an entry back reaches those who were told of that entry, and nobody else. Of two notes that say the
  same agreement is still listed (withdrawn, merged) one is enough. The return that goes with a withdrawn departure
  would tell them twice, and everybody else of a departure that they never heard of; only if something of substance
  changed on the way does it reach those others.
- What one publication has for one subscriber is one notice, however many changes and watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alerts.model import CORRECTIONS, PENDING_KINDS, Line, Notice, Subscriber, Told, Watch
from monitor.model import Entry, Kind, ListName, Significance, Source
from monitor.normalize import state

_WEIGHT = {significance: weight for weight, significance in enumerate(Significance)}
_NOT_NEWS = frozenset({Kind.CONFIRMED})  # about an entry; told to nobody


def route(
    entries: Iterable[Entry],
    watches: Iterable[Watch],
    told: Mapping[str, Sequence[Told]],
    earlier: Mapping[str, Entry],
) -> tuple[Notice, ...]:
    """The notices that these entries make, in the order of the log.

    `told` says who was told of the entries that notes are about, by the entry's id; `earlier` has those entries.
    """
    entries = [e for e in entries if e.announce]
    asked = _Asked(watches)
    withdrawn = {_with(e) for e in entries if e.kind is Kind.WITHDRAWN}
    corrected: set[tuple[int, tuple[str, str]]] = set()  # who hears of a return by the note that goes with it
    notices: dict[tuple[int, str], _Draft] = {}

    def add(subscriber: Subscriber, line: Line, states: Iterable[frozenset[str] | None]) -> None:
        draft = notices.setdefault(
            (subscriber.number, line.entry.publication.id),
            _Draft(subscriber, line.entry.publication),
        )
        draft.lines.append(line)
        draft.states.extend(states)

    for entry in entries:
        if entry.kind in CORRECTIONS:
            about = earlier.get(entry.about or "")
            for who in told.get(entry.about or "", ()):
                if entry.kind is Kind.MERGED and (who.subscriber.number, _with(entry)) in corrected:
                    continue  # that the departure was none says it all
                if entry.kind is Kind.WITHDRAWN:
                    corrected.add((who.subscriber.number, _with(entry)))
                states = [asked.states[w] for w in who.watches if w in asked.states]
                add(who.subscriber, Line(entry, who.watches, corrects=about), states)
        elif entry.kind not in _NOT_NEWS and not _is_moot(entry, withdrawn):
            for subscriber, matching in asked.by(entry):
                if entry.kind is Kind.RETURNED and (subscriber.number, _with(entry)) in corrected:
                    continue
                least = max((w.significance for w in matching), key=_WEIGHT.__getitem__)
                line = Line(entry, tuple(w.number for w in matching), least)
                add(subscriber, line, [w.states for w in matching])
    return tuple(draft.notice() for draft in notices.values())


def taken_back(entries: Iterable[Entry]) -> frozenset[str]:
    """The ids of the entries that these notes take back."""
    return frozenset(e.about for e in entries if e.about and e.kind in CORRECTIONS)


@dataclass
class _Draft:
    subscriber: Subscriber
    publication: Source
    lines: list[Line] = field(default_factory=list)
    states: list[frozenset[str] | None] = field(default_factory=list)

    def notice(self) -> Notice:
        named = [states for states in self.states if states is not None]
        watching = frozenset().union(*named) if len(named) == len(self.states) else None
        return Notice(self.subscriber, self.publication, tuple(self.lines), watching)


def _with(entry: Entry) -> tuple[str, str]:
    return entry.agreement, entry.publication.id


def _is_moot(entry: Entry, withdrawn: set[tuple[str, str]]) -> bool:
    """Whether an entry is no news: taken back already, or the return that a withdrawn note speaks for.

    A return that changed something of substance (it stands in another state now) is news to those who were told
    nothing: they know neither the departure nor what is new.
    """
    if entry.status in CORRECTIONS:
        return True
    as_before = all(f.significance is not Significance.SUBSTANTIVE for f in entry.fields)
    return entry.kind is Kind.RETURNED and _with(entry) in withdrawn and as_before


class _Asked:
    """The watches by state, so that an entry is held only against those that can want it."""

    def __init__(self, watches: Iterable[Watch]) -> None:
        self._everywhere: list[Watch] = []
        self._in: dict[str, list[Watch]] = {}
        self.states: dict[int, frozenset[str] | None] = {}
        for watch in watches:
            self.states[watch.number] = watch.states
            if watch.states is None:
                self._everywhere.append(watch)
            for code in watch.states or ():
                self._in.setdefault(code, []).append(watch)

    def by(self, entry: Entry) -> Iterator[tuple[Subscriber, list[Watch]]]:
        """Each subscriber who wants this entry, with the watches that say so."""
        wanting: dict[int, list[Watch]] = {}
        candidates = {w.number: w for w in self._everywhere}
        for code in states_of(entry):
            candidates |= {w.number: w for w in self._in.get(code, ())}
        for watch in sorted(candidates.values(), key=lambda w: w.number):
            if _wants(watch, entry):
                wanting.setdefault(watch.subscriber.number, []).append(watch)
        return ((matching[0].subscriber, matching) for matching in wanting.values())


def _wants(watch: Watch, entry: Entry) -> bool:
    return (
        not watch.paused
        and entry.seq > watch.starts_after
        and entry.kind in watch.kinds
        and _WEIGHT[entry.significance] <= _WEIGHT[watch.significance]
        # What happens to applications concerns those who asked for applications, whatever its kind.
        and (entry.list is ListName.PARTICIPATING or not PENDING_KINDS.isdisjoint(watch.kinds))
    )


def states_of(entry: Entry) -> frozenset[str]:
    """The states that an entry concerns: where a change moves an agreement, the old one and the new one."""
    cells = [state(side.state) for side in (entry.before, entry.after) if side]
    return frozenset(code for code in (entry.state, *cells) if code)
