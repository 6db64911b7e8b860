"""Random lives of the service: what the log had when, who watched what and how often, when it ran, and when it died.

`replayed` runs the pure core over one, as `deliver` and `digesting` run it over state.db: nothing counts before its
commit, and a commit may be the one that never comes.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count

from alerts.model import Departures, Recipient, RoutedEntry, Schedule, Subscriber, Wants, Watch
from alerts.routing import instant
from alerts.routing.digests import DigestProgress, DigestSource, due
from alerts.routing.instant import by_subscriber, subjects
from monitor.model import Entry, Kind
from tests.alerts.builders import NOON, cells, changed, entry, source, subscriber, wants

ZONES = ("America/New_York", "America/Chicago", "America/Phoenix", "America/Adak", "Pacific/Guam")
STATES = {"TX": "TEXAS", "GA": "GEORGIA", "FL": "FLORIDA"}
# From before a night when clocks change to well after: 2026-11-01, or 2027-03-14.
BEGINS = (NOON.replace(month=10, day=20), NOON.replace(year=2027, month=3, day=2))
HOUR = timedelta(hours=1)

Heard = tuple[int, str]  # a subscriber and an entry


@dataclass
class History:
    """What happens, drawn from a seed."""

    chance: random.Random
    days: int = 25
    entries: list[tuple[datetime, Entry]] = field(default_factory=list)
    watches: list[tuple[datetime, Watch]] = field(default_factory=list)
    moves: list[tuple[datetime, int, str]] = field(default_factory=list)
    runs: list[datetime] = field(default_factory=list)
    _read: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin = self.chance.choice(BEGINS)
        self.end = self.begin + timedelta(days=self.days)
        self._publish()
        self._watch()
        self._run()

    def expected(self) -> Counter[Heard]:
        """Who must hear of what: each change once for each who wants it. What comes and goes is another matter."""
        confirmed_at = {e.about: e.seq for _, e in self.entries if e.kind is Kind.CONFIRMED}
        came_and_went = self.came_and_went()
        heard: set[Heard] = set()
        for _, each in self.entries:
            if each.about or each.id in came_and_went:
                continue
            for _, watch in self.watches:
                waits = each.kind is Kind.TERMINATED and watch.wants.departures is Departures.CONFIRMED
                at = confirmed_at.get(each.id, 0) if waits else each.seq
                if at > watch.starts_after and (watch.wants.states is None or each.state in watch.wants.states):
                    heard.add((watch.subscriber.number, each.id))
        return Counter(heard)

    def came_and_went(self) -> set[str]:
        """The departures that ended in a return, and the returns."""
        returns = {e.agreement for _, e in self.entries if e.kind is Kind.RETURNED}
        return {e.id for _, e in self.entries if e.agreement in returns and e.kind in (Kind.TERMINATED, Kind.RETURNED)}

    def log(self, now: datetime) -> list[Entry]:
        """The log as it reads at a moment."""
        there = [e for at, e in self.entries if at <= now]
        if len(there) != len(self._read):
            notes = {e.about: e.kind.value for e in there if e.about}
            self._read = [replace(e, status=notes[e.id]) if e.id in notes else e for e in there]
        return self._read

    def _publish(self) -> None:
        names, numbers = count(1), count(1)
        due_later: list[tuple[datetime, Entry, Kind]] = []
        at = self.begin
        while (at := at + timedelta(hours=self.chance.expovariate(1 / 20))) < self.end:
            found: list[Entry] = []
            where = source(f"{at.isoformat()}.xlsx")
            for later in [each for each in due_later if each[0] <= at]:
                due_later.remove(later)
                _, left, note = later
                assert left.before
                found.append(entry(note, left.before, about=left.id, agreement=left.agreement, publication=where))
                if note is Kind.WITHDRAWN or self.chance.random() < 0.3:
                    row = left.before
                    found.append(entry(Kind.RETURNED, row, before=row, agreement=left.agreement, publication=where))
            for _ in range(self.chance.randrange(4)):
                row = cells(f"Town {next(names)} Police Department", STATES[self.chance.choice([*STATES])])
                match self.chance.randrange(3):
                    case 0:
                        found.append(entry(Kind.NEW, row, publication=where))
                    case 1:
                        found.append(changed(row, replace(row, signed="2026-01-01"), publication=where))
                    case _:
                        found.append(entry(Kind.TERMINATED, row, publication=where))
                        note = self.chance.choice((Kind.CONFIRMED, Kind.WITHDRAWN))
                        due_later.append((at + self.chance.randrange(1, 90) * HOUR, found[-1], note))
            for each in found:
                self.entries.append((at, replace(each, seq=next(numbers), observed_at=at)))

    def _watch(self) -> None:
        numbers = count(1)
        for who in range(1, self.chance.randrange(2, 5)):
            reader = replace(subscriber(who), time_zone=self.chance.choice(ZONES))
            for _ in range(self.chance.randrange(1, 4)):
                added = self.begin + self.chance.choice((0, 0, self.chance.randrange(24 * self.days // 2))) * HOUR
                starts_after = max((e.seq for at, e in self.entries if at <= added), default=0)
                made = Watch(next(numbers), reader, self._wants(), self._schedule(), starts_after=starts_after)
                self.watches.append((added, made))
            for _ in range(self.chance.randrange(3)):
                moved = self.begin + self.chance.randrange(24 * self.days) * HOUR
                self.moves.append((moved, who, self.chance.choice(ZONES)))

    def _wants(self) -> Wants:
        states = self.chance.choice(((), ("TX",), ("TX", "GA"), ("FL",)))
        return wants(*states, departures=self.chance.choice([*Departures]))

    def _schedule(self) -> Schedule | None:
        minute = self.chance.choice((90, 150, 7 * 60, self.chance.randrange(1440)))
        weekly = Schedule(minute, self.chance.randrange(7))
        return self.chance.choice((None, Schedule(minute), Schedule(minute), weekly))

    def _run(self) -> None:
        """Mostly every few hours, sometimes not for ten days."""
        at = self.begin
        while at < self.end:
            self.runs.append(at)
            at += timedelta(days=10) if self.chance.random() < 0.01 else self.chance.uniform(0.1, 9) * HOUR


def is_told_once(history: History, service: type[Service]) -> bool:
    """Whether a service tells each change once to each who wants it, and leaves nobody with the wrong belief."""
    try:
        return replayed(history, service) == history.expected()
    except AssertionError:
        return False


def replayed(history: History, service_: type[Service] | None = None) -> Counter[Heard]:
    """Who is told what, how often; of what came and went only that nobody is left with the wrong belief."""
    service = (service_ or Service)(history)
    for now in history.runs:
        service.run(now)
    service.dies = 0
    service.run(history.end)
    service.run(history.end + timedelta(days=10))  # by now every digest was due
    came_and_went = history.came_and_went()
    service.nobody_is_left_with_a_wrong_belief(came_and_went)
    return Counter({heard: times for heard, times in service.heard.items() if heard[1] not in came_and_went})


class Service:
    """What is committed, and how a run goes on from there."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._position = 0
        self._turns: dict[tuple[int, Schedule], tuple[date, int]] = {}
        self._told: dict[int, dict[str, tuple[int, ...]]] = {}
        self.dies = 0.1  # how likely the process is killed before a commit
        self.heard: Counter[Heard] = Counter()
        self.notes: Counter[Heard] = Counter()

    def run(self, now: datetime) -> None:
        """As `deliver.tell`."""
        log = self._history.log(now)
        watches = list(self._watches(now))
        self._route(log, watches)
        for theirs in by_subscriber(w for w in watches if w.schedule).values():
            self._digest([e for e in log if e.seq <= self._position], log, theirs, now)

    def nobody_is_left_with_a_wrong_belief(self, came_and_went: set[str]) -> None:
        by_agreement: dict[str, list[Entry]] = {}
        for _, each in self._history.entries:
            by_agreement.setdefault(each.agreement, []).append(each)
        for (who, id), times in self.heard.items():
            assert times == 1, (who, id)
        for story in by_agreement.values():
            if story[0].id not in came_and_went:
                continue
            left, note, back = story
            for who in self._told:
                knows = (who, left.id) in self.heard
                told_back = self.notes[who, note.id] + self.heard[who, back.id]
                assert told_back == 1 if knows else told_back <= 1, (who, left.id, note.kind)

    def _watches(self, now: datetime) -> Iterator[Watch]:
        zones = {who: zone for at, who, zone in sorted(self._history.moves) if at <= now}
        for added, watch in self._history.watches:
            if added <= now:
                reader = watch.subscriber
                yield replace(watch, subscriber=replace(reader, time_zone=zones.get(reader.number, reader.time_zone)))

    def _dies(self) -> bool:
        return self._history.chance.random() < self.dies

    def _commit(self, *writes: Callable[[], None]) -> None:
        """All of it, or nothing where the process is killed first."""
        if not self._dies():
            for write in writes:
                write()

    def _tell(self, who: Subscriber, lines: Sequence[RoutedEntry]) -> None:
        for line in lines:
            told = self._told.setdefault(who.number, {})
            told[line.entry.id] = line.watches
            (self.notes if line.corrects else self.heard)[who.number, line.entry.id] += 1

    def _route(self, log: Sequence[Entry], watches: Sequence[Watch]) -> None:
        new = [e for e in log if e.seq > self._position]
        if not new:
            return
        about = subjects(new)
        readers = {w.subscriber.number: w.subscriber for w in watches}
        told = {
            id: [Recipient(readers[who], those[id]) for who, those in self._told.items() if id in those] for id in about
        }
        notices = list(instant.route(new, watches, told, {e.id: e for e in log if e.id in about}))

        def move_on() -> None:
            self._position = new[-1].seq

        def tell() -> None:
            for notice in notices:
                self._tell(notice.subscriber, notice.lines)

        self._commit(move_on, tell)

    def _digest(self, routed: Sequence[Entry], log: Sequence[Entry], watches: Sequence[Watch], now: datetime) -> None:
        who = watches[0].subscriber
        added = {watch.number: at for at, watch in self._history.watches}
        turns = []
        for schedule in {w.schedule for w in watches if w.schedule}:
            theirs = [w for w in watches if w.schedule == schedule]
            starts = min(w.starts_after for w in theirs)
            last, position = self._turns.get((who.number, schedule), (None, starts))
            turns.append(DigestProgress(who, schedule, min(added[w.number] for w in theirs), last, position))
        waiting = list(due(turns, now))
        if not waiting:
            return
        entries = [e for e in routed if e.seq > min(turn.after for turn in waiting)]
        about = subjects(entries)
        edition = DigestSource(self._position, entries, {e.id: e for e in log if e.id in about}, {})
        said = list(edition.digests(waiting, watches, frozenset(self._told.get(who.number, {}))))

        def move_on() -> None:
            self._turns |= {(who.number, turn.schedule): (turn.slot, self._position) for turn, _ in said}

        def tell() -> None:
            for _, digest in said:
                self._tell(who, digest.lines if digest else ())

        self._commit(move_on, tell)


class InTwoCommits(Service):
    """As it is written first: that the position moved on is a commit, what there is to tell is another."""

    def _commit(self, *writes: Callable[[], None]) -> None:
        for write in writes:
            if self._dies():
                return
            write()
