"""Whose digest is due, and what is in it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.model import AGREEMENT_KINDS, PENDING_KINDS, Departures, Digest, Schedule, Subscriber, Watch
from alerts.routing.digests import DigestProgress, DigestSource, DueDigest, due, moment_of, newest_slot
from alerts.routing.instant import subjects
from monitor.model import Entry, FieldChange, Kind
from tests.alerts.builders import LARKMERE, NOON, cells, edits, entry, source, subscriber, watch, watched
from tests.alerts.histories import ZONES, History, InTwoCommits, is_told_once, replayed

SEVEN = Schedule(7 * 60)
MONDAY = Schedule(7 * 60, 0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


# --- when ------------------------------------------------------------------------------------------------------


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "clock", "day", "at"),
    [
        # On Nov. 1, 2026 the hour from one to two comes twice; on March 14, 2027 that from two to three is left out.
        ("America/New_York", "01:30", "2026-11-01", "2026-11-01T05:30"),
        ("America/New_York", "02:30", "2026-11-01", "2026-11-01T07:30"),
        ("America/New_York", "01:30", "2027-03-14", "2027-03-14T06:30"),
        ("America/New_York", "02:30", "2027-03-14", "2027-03-14T07:30"),
        ("America/Chicago", "01:30", "2026-11-01", "2026-11-01T06:30"),
        ("America/Chicago", "02:30", "2026-11-01", "2026-11-01T08:30"),
        ("America/Chicago", "01:30", "2027-03-14", "2027-03-14T07:30"),
        ("America/Chicago", "02:30", "2027-03-14", "2027-03-14T08:30"),
        ("America/Phoenix", "01:30", "2026-11-01", "2026-11-01T08:30"),
        ("America/Phoenix", "02:30", "2026-11-01", "2026-11-01T09:30"),
        ("America/Phoenix", "01:30", "2027-03-14", "2027-03-14T08:30"),
        ("America/Phoenix", "02:30", "2027-03-14", "2027-03-14T09:30"),
        ("America/Adak", "01:30", "2026-11-01", "2026-11-01T10:30"),
        ("America/Adak", "02:30", "2026-11-01", "2026-11-01T12:30"),
        ("America/Adak", "01:30", "2027-03-14", "2027-03-14T11:30"),
        ("America/Adak", "02:30", "2027-03-14", "2027-03-14T12:30"),
        ("Pacific/Guam", "01:30", "2026-11-01", "2026-10-31T15:30"),
        ("Pacific/Guam", "02:30", "2026-11-01", "2026-10-31T16:30"),
        ("Pacific/Guam", "01:30", "2027-03-14", "2027-03-13T15:30"),
        ("Pacific/Guam", "02:30", "2027-03-14", "2027-03-13T16:30"),
    ],
)
def test_a_digest_is_due_at_its_hour_on_the_nights_when_clocks_change(zone: str, clock: str, day: str, at: str) -> None:
    hour, minute = map(int, clock.split(":"))
    assert moment_of(Schedule(60 * hour + minute), date.fromisoformat(day), ZoneInfo(zone)) == utc(at)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["01:30", "02:30"])
@pytest.mark.parametrize("night", ["2026-11-01", "2027-03-14"])
def test_each_day_has_one_turn_when_clocks_change_however_often_it_is_asked(zone: str, clock: str, night: str) -> None:
    hour, minute = map(int, clock.split(":"))
    schedule, who = Schedule(60 * hour + minute), replace(subscriber(), time_zone=zone)
    at = utc(night) - 3 * DAY
    turns = DigestProgress(who, schedule, at, None, 0)
    slots: list[date] = []
    for _ in range(6 * 24 * 4):
        at += timedelta(minutes=15)
        for turn in due([turns], at):
            slots.append(turn.slot)
            turns = replace(turns, last=turn.slot)
    assert slots == [slots[0] + n * DAY for n in range(len(slots))]
    assert len(slots) == 6


def test_the_newest_slot_of_a_week_is_its_weekday() -> None:
    assert newest_slot(MONDAY, ZoneInfo("America/New_York"), utc("2026-03-04T12:00")) == date(2026, 3, 2)
    assert newest_slot(MONDAY, ZoneInfo("America/New_York"), utc("2026-03-02T11:59")) == date(2026, 2, 23)
    assert newest_slot(MONDAY, ZoneInfo("America/New_York"), utc("2026-03-02T12:00")) == date(2026, 3, 2)


def slots(turns: DigestProgress, now: datetime) -> list[date]:
    return [turn.slot for turn in due([turns], now)]


def test_a_digest_is_due_once_a_day() -> None:
    turns = DigestProgress(subscriber(), SEVEN, NOON, date(2026, 3, 3), 0)
    assert slots(turns, utc("2026-03-04T11:59")) == []
    assert slots(turns, utc("2026-03-04T12:00")) == [date(2026, 3, 4)]
    assert slots(replace(turns, last=date(2026, 3, 4)), utc("2026-03-05T11:59")) == []


def test_the_first_digest_is_the_first_that_is_due_after_the_watch_was_added() -> None:
    turns = DigestProgress(subscriber(), SEVEN, NOON, None, 0)  # noon is after seven
    assert slots(turns, NOON + HOUR) == []
    assert slots(turns, utc("2026-03-04T12:00")) == [date(2026, 3, 4)]


def test_ten_days_without_a_turn_end_in_one_digest() -> None:
    turns = DigestProgress(subscriber(), SEVEN, NOON, date(2026, 3, 3), 4)
    [turn] = due([turns], utc("2026-03-13T15:00"))
    assert (turn.slot, turn.after) == (date(2026, 3, 13), 4)


@pytest.mark.parametrize(
    ("to", "next_"),
    [
        ("America/Los_Angeles", "2026-03-04T15:00"),
        ("Pacific/Guam", "2026-03-03T21:00"),
        ("America/New_York", "2026-03-04T12:00"),
    ],
)
def test_whoever_moves_gets_one_digest_a_day_by_the_clocks_there(to: str, next_: str) -> None:
    turns = DigestProgress(replace(subscriber(), time_zone=to), SEVEN, NOON, date(2026, 3, 3), 0)
    assert slots(turns, utc(next_) - timedelta(minutes=1)) == []
    assert slots(turns, utc(next_)) == [date(2026, 3, 4)]


# --- what ------------------------------------------------------------------------------------------------------


def made(
    entries: Sequence[Entry],
    *watches: Watch,
    after: int = 0,
    told: Sequence[Entry] = (),
    earlier: Sequence[Entry] = (),
) -> list[Digest | None]:
    """The digests of one subscriber whose watches these are, each schedule's one."""
    known = {e.id: e for e in [*earlier, *entries]}
    edition = DigestSource(10**9, entries, {id: known[id] for id in subjects(entries)}, {})
    schedules = sorted({w.schedule for w in watches if w.schedule}, key=lambda schedule: schedule.name)
    turns = [DueDigest(watches[0].subscriber, schedule, date(2026, 3, 4), after) for schedule in schedules]
    return [said for _, said in edition.digests(turns, watches, frozenset(e.id for e in told))]


def told_in(digest: Digest | None) -> list[str]:
    return [line.entry.id for line in digest.lines] if digest else []


def daily(*states: str, number: int = 1, who: Subscriber | None = None, **others: object) -> Watch:
    return watch(*states, number=number, who=who or subscriber(), **{"schedule": SEVEN} | others)


def test_a_digest_has_what_came_after_the_last_turn() -> None:
    old, new = entry(), entry()
    [digest] = made([old, new], daily("TX"), after=old.seq)
    assert told_in(digest) == [new.id]


def test_a_digest_has_what_came_after_its_watch_started() -> None:
    old, new = entry(), entry()
    [digest] = made([old, new], daily("TX", starts_after=old.seq))
    assert told_in(digest) == [new.id]


def test_a_digest_spans_publications() -> None:
    entries = [entry(publication=source(name)) for name in ("one", "two")]
    [digest] = made(entries, daily("TX"))
    assert told_in(digest) == [e.id for e in entries]


def test_a_digest_with_nothing_to_say_is_not_made() -> None:
    assert made([entry()], daily("GA")) == [None]


def test_an_empty_digest_is_made_for_those_who_asked() -> None:
    [digest] = made([entry()], daily("GA", empty=True), daily("FL", number=2))
    assert digest
    assert (digest.lines, digest.watched) == ((), watched("GA"))


def test_a_paused_watch_is_in_no_digest() -> None:
    assert made([entry()], daily("TX", paused=True, empty=True)) == [None]


def test_a_change_that_two_watches_of_a_digest_want_is_told_once_for_both() -> None:
    [digest] = made([entry()], daily("TX"), daily(number=2))
    assert digest
    assert [line.watches for line in digest.lines] == [(1, 2)]
    assert digest.watched == watched()


def test_what_an_instant_watch_told_is_left_out() -> None:
    first, second = entry(), entry()
    [digest] = made([first, second], daily("TX"), told=[first])
    assert told_in(digest) == [second.id]


def test_what_the_daily_digest_tells_is_left_out_of_the_weekly_one() -> None:
    texan, georgian = entry(), entry(cells_=cells(state="GEORGIA"))
    first, second = made([texan, georgian], daily("TX"), daily(number=2, schedule=MONDAY))
    assert (told_in(first), told_in(second)) == ([texan.id], [georgian.id])


def gone_and_back(status: str, note: Kind, fields: tuple[FieldChange, ...] = ()) -> tuple[Entry, Entry, Entry]:
    """A departure, what became of it, and the return."""
    left = entry(Kind.TERMINATED, status=status, publication=source("one"))
    noted = entry(note, about=left.id, publication=source("two"))
    where = source("two" if note is Kind.WITHDRAWN else "three")
    return left, noted, entry(Kind.RETURNED, before=LARKMERE, publication=where, fields=fields)


@pytest.mark.parametrize(("status", "note"), [("withdrawn", Kind.WITHDRAWN), ("confirmed", Kind.CONFIRMED)])
@pytest.mark.parametrize("departures", Departures)
def test_a_departure_and_its_return_inside_one_digest_are_left_out(
    status: str, note: Kind, departures: Departures
) -> None:
    assert made(gone_and_back(status, note), daily("TX", departures=departures)) == [None]


def test_a_departure_that_ended_in_a_return_is_left_out_for_those_who_want_no_returns_too() -> None:
    kinds = AGREEMENT_KINDS - {Kind.RETURNED}
    assert made(gone_and_back("confirmed", Kind.CONFIRMED), daily("TX", kinds=kinds)) == [None]


def test_a_return_that_brings_something_new_is_told() -> None:
    fields = edits(LARKMERE, cells(signed="2026-01-01"))
    left, note, back = gone_and_back("withdrawn", Kind.WITHDRAWN, fields=fields)
    [digest] = made([left, note, back], daily("TX"))
    assert told_in(digest) == [back.id]


def test_a_return_from_a_departure_that_was_told_before_is_told() -> None:
    left, note, back = gone_and_back("confirmed", Kind.CONFIRMED)
    [digest] = made([left, note, back], daily("TX"), after=left.seq, told=[left])
    assert told_in(digest) == [back.id]


def test_a_return_that_was_told_by_a_correction_is_left_out() -> None:
    left, note, back = gone_and_back("withdrawn", Kind.WITHDRAWN)
    assert made([note, back], daily("TX"), after=left.seq, told=[note], earlier=[left]) == [None]


def test_what_a_return_brought_is_told_also_to_those_who_had_the_correction() -> None:
    fields = edits(LARKMERE, cells(signed="2026-01-01"))
    left, note, back = gone_and_back("withdrawn", Kind.WITHDRAWN, fields=fields)
    [digest] = made([note, back], daily("TX"), after=left.seq, told=[note], earlier=[left])
    assert told_in(digest) == [back.id]


def test_a_second_departure_after_a_return_is_told() -> None:
    left, note, back = gone_and_back("confirmed", Kind.CONFIRMED)
    again = entry(Kind.TERMINATED, publication=source("four"))
    [digest] = made([left, note, back, again], daily("TX"))
    assert told_in(digest) == [again.id]


def test_a_digest_tells_that_an_application_left_once_it_is_confirmed_and_nothing_of_it_if_it_was_approved() -> None:
    drop = entry(Kind.DROPPED, publication=source("one"))
    confirmed, approved = (entry(k, about=drop.id, publication=source("two")) for k in (Kind.CONFIRMED, Kind.APPROVED))
    who = daily("TX", kinds=PENDING_KINDS)
    assert made([drop], who) == [None]
    [digest] = made([confirmed], who, after=drop.seq, earlier=[replace(drop, status="confirmed")])
    assert told_in(digest) == [drop.id]
    [digest] = made([replace(drop, status="approved"), approved], who)
    assert told_in(digest) == [approved.id]


def test_a_digest_tells_an_approval_in_the_new_agreement() -> None:
    applied = entry(Kind.APPLIED, publication=source("pending"))
    note, new = entry(Kind.APPROVED, about=applied.id), entry(Kind.NEW)
    [digest] = made([note, new], daily("TX", kinds=PENDING_KINDS | {Kind.NEW}), earlier=[applied])
    assert told_in(digest) == [new.id]
    assert made([note, new], daily("TX", kinds=PENDING_KINDS), earlier=[applied], told=[new]) == [None]


def test_a_digest_that_waits_for_confirmation_tells_of_the_departure_when_it_comes() -> None:
    left = entry(Kind.TERMINATED, status="confirmed", publication=source("one"))
    note = entry(Kind.CONFIRMED, about=left.id, publication=source("one"))
    waits, hears = daily("TX", departures=Departures.CONFIRMED), daily("TX")
    [digest] = made([note], waits, after=left.seq, earlier=[left])
    assert told_in(digest) == [left.id]
    assert made([replace(left, status="unconfirmed")], waits) == [None]
    assert made([note], hears, after=left.seq, earlier=[left]) == [None]
    assert made([note], waits, after=left.seq, earlier=[left], told=[left]) == [None]


# --- whatever happens ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(200))
def test_each_change_is_told_once_to_each_who_wants_it_whatever_the_schedule_delays_and_restarts(seed: int) -> None:
    history = History(random.Random(seed))
    assert replayed(history) == Counter(history.expected())


def test_a_position_that_moves_on_in_a_commit_of_its_own_is_caught_losing() -> None:
    histories = (History(random.Random(seed)) for seed in range(20))
    assert not all(is_told_once(history, InTwoCommits) for history in histories)
