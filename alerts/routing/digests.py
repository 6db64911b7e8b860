"""Pure: which digests are due, over which part of the log, and what they contain.

The clock decides only when a digest is due. Its content goes by positions in the log: everything after the schedule's
last digest. So nothing is skipped or sent twice, whatever happens to clocks, time zones and processes; ten days without
a digest end in one. A digest without news counts too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.model import CORRECTIONS, Agency, Departures, Digest, Schedule, Subscriber, Watch
from alerts.routing.instant import watched
from alerts.routing.news import News, NewsIndex, is_as_before
from monitor.model import DEPARTURES, Entry, Kind

_WEEK = 7


@dataclass(frozen=True, slots=True)
class DigestProgress:
    """How far a subscriber's digests by one schedule have come.

    `since`: when the first of its watches began. `last`: the day of the last digest, None before the first. `position`:
    how far in the log the last one went, or where the first watch starts.
    """

    subscriber: Subscriber
    schedule: Schedule
    since: datetime
    last: date | None
    position: int


@dataclass(frozen=True, slots=True)
class DueDigest:
    """A digest that is due: for the day `slot`, over the entries after position `after`."""

    subscriber: Subscriber
    schedule: Schedule
    slot: date
    after: int


def moment_of(schedule: Schedule, day: date, zone: ZoneInfo) -> datetime:
    """When the digest of a day is due, in UTC.

    When clocks change: an hour that comes twice counts the first time; one that is skipped, at the time when it would
    have come without the change (PEP 495: fold 0).
    """
    clock = time(schedule.minute // 60, schedule.minute % 60)
    return datetime.combine(day, clock, zone).astimezone(UTC)


def newest_slot(schedule: Schedule, zone: ZoneInfo, now: datetime) -> date:
    """The last day for which the digest has been due by now."""
    day = now.astimezone(zone).date()
    step = 1
    if schedule.weekday is not None:
        day -= timedelta(days=(day.weekday() - schedule.weekday) % _WEEK)
        step = _WEEK
    return day if moment_of(schedule, day, zone) <= now else day - timedelta(days=step)


def due(turns: Iterable[DigestProgress], now: datetime) -> Iterator[DueDigest]:
    """The digests that are due: one for each schedule, however many were missed.

    Each day has one digest, so that a subscriber who changes time zones never gets two for it.
    """
    slots: dict[tuple[Schedule, str], tuple[date, datetime]] = {}
    for each in turns:
        key = each.schedule, each.subscriber.time_zone
        if key not in slots:
            zone = ZoneInfo(each.subscriber.time_zone)
            newest = newest_slot(each.schedule, zone, now)
            slots[key] = newest, moment_of(each.schedule, newest, zone)
        slot, at = slots[key]
        if at > each.since and (each.last is None or slot > each.last):
            yield DueDigest(each.subscriber, each.schedule, slot, each.position)


class DigestSource:
    """The entries up to a position, from which all digests made at one time are taken."""

    def __init__(
        self,
        position: int,
        entries: Sequence[Entry],
        earlier: Mapping[str, Entry],
        agencies: Mapping[str, Agency],
    ) -> None:
        """`entries`: those up to `position`, from before the earliest digest on; the rest is as for `instant.route`."""
        self._position = position
        self._news = NewsIndex(entries, earlier, agencies)
        self._at = {d: {n.entry.id: n.at for n in self._news.all(d)} for d in Departures}
        # The return of each departure that was followed by one without any change, and the reverse.
        self._return_of: dict[str, Entry] = {}
        self._departure_of: dict[str, Entry] = {}
        self._note_with = {(e.agreement, e.publication.id): e.id for e in entries if e.kind is Kind.WITHDRAWN}
        gone = {e.id: e for e in earlier.values() if e.kind in DEPARTURES}
        away: dict[tuple[str, str], Entry] = {}
        for entry in sorted({**gone, **{e.id: e for e in entries}}.values(), key=lambda e: e.seq):
            where = entry.agreement, entry.list
            if entry.kind in DEPARTURES:
                away[where] = entry
            elif (
                entry.kind is Kind.RETURNED
                and entry.status not in CORRECTIONS  # it never came back
                and is_as_before(entry)
                and (departure := away.pop(where, None))
            ):
                self._return_of[departure.id] = entry
                self._departure_of[entry.id] = departure

    def digests(
        self, turns: Sequence[DueDigest], watches: Sequence[Watch], told: frozenset[str]
    ) -> Iterator[tuple[DueDigest, Digest | None]]:
        """The digests of one subscriber that are due; None for one without news.

        `watches` are the subscriber's; `told`: the ids of the entries (and notes) that the subscriber was told of.
        """
        for turn in sorted(turns, key=lambda turn: turn.schedule.name):
            theirs = [w for w in watches if w.schedule == turn.schedule and not w.paused]
            already = told

            def hears(watch: Watch, news: News, after: int = turn.after, already: frozenset[str] = already) -> bool:
                after = max(after, watch.starts_after)
                return news.at > after and not self._came_and_went(watch, news.entry, after, already)

            lines = tuple(line for _, line in self._news.lines(theirs, hears, already))
            told |= {line.entry.id for line in lines}
            asking = [w for w in theirs if w.empty]
            if not lines and not asking:
                yield turn, None
                continue
            behind = {number for line in lines for number in line.watches}
            names = watched([w for w in theirs if w.number in behind] or asking, self._news.agencies)
            yield (
                turn,
                Digest(turn.subscriber, turn.schedule, turn.slot, self._position, lines, names),
            )

    def _came_and_went(self, watch: Watch, entry: Entry, after: int, told: frozenset[str]) -> bool:
        """Whether an entry and its opposite are both in one digest and cancel out, or a return was told already by a
        correction."""
        if entry.id in self._return_of:
            return True
        corrected = self._note_with.get((entry.agreement, entry.publication.id)) in told
        if entry.kind is Kind.RETURNED and corrected and is_as_before(entry):
            return True
        departure = self._departure_of.get(entry.id)
        if departure is None or departure.id in told:
            return False
        return self._at[watch.wants.departures].get(departure.id, departure.seq) > after
