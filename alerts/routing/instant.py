"""Pure: which subscribers are told at once about which entries of the log.

The rules, each with a test:

- An entry that is not to be announced, or that was taken back before anybody was told, is skipped.
- A watch is told of entries after its start that match what it wants.
- A departure is told at once, as unconfirmed; to those who chose to wait, when a note confirms it. They are told of the
  departure itself, so that corrections reach them. That an application left the pending list is told to everybody once
  it is confirmed, and not at all if it was approved by then.
- That an application was approved is news for those who want applications, never a correction. Those who are told of
  the new agreement are not told of it separately. Of an application that was on the first pending list, no entry told
  that a note could be about, so the new agreement itself is told to them.
- Of a departure and an arrival that are one switch of an agency, both are told to those who want either.
- A note that takes an entry back goes at once to those who were told of that entry, and to nobody else, whatever their
  watches' cadence. Of two notes that say the same agreement is still listed (withdrawn, merged) one is sent. The return
  that goes with a withdrawn departure is told only if something substantive changed, such as the state: to them with
  the correction, which says nothing of that, and to the others, who were not told of the departure.
- A subscriber is told of an entry once, for all watches that want it.
- All entries of one publication for one subscriber are one notice.

Digests use the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alerts.model import (
    CORRECTIONS,
    Agency,
    Notice,
    Recipient,
    RoutedEntry,
    Subscriber,
    Watch,
    Watched,
    WatchedPart,
)
from alerts.routing.news import NewsIndex, agreement_and_publication, is_as_before
from monitor.model import NOTES, Entry, Kind


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
        lines = news.lines(wanted, lambda watch, each: each.at > watch.starts_after, already)
        if correction:
            told_of_return = {
                agreement_and_publication(note) for note, _ in correction.notes if note.kind is Kind.WITHDRAWN
            }
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
            same = {agreement_and_publication(note) for note, _ in theirs.notes if note.kind is Kind.WITHDRAWN}
            # If both a departure and an arrival are taken back, the note about the departure is enough.
            if entry.kind in CORRECTIONS and not (
                entry.kind is Kind.MERGED and agreement_and_publication(entry) in same
            ):
                theirs.notes.append((entry, who))
    return corrected


def _says_the_same(entry: Entry, corrected: set[tuple[str, str]]) -> bool:
    return entry.kind is Kind.RETURNED and agreement_and_publication(entry) in corrected and is_as_before(entry)
