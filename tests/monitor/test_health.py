"""Whether a list is fresh, stale, failed, held or missing: one rule, and everything that uses it agrees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.health import Verdict, list_health, operator_stale_after, overall, stale_after
from monitor.model import LastCheck, ListName, Outcome
from tests.monitor.builders import NOON

PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def checked(outcome: Outcome, list_: ListName = PARTICIPATING) -> LastCheck:
    good = outcome in (Outcome.UNCHANGED, Outcome.CHANGED)
    return LastCheck(list_, NOON, outcome, "503" if outcome is Outcome.FAILED else "", NOON if good else None)


@pytest.mark.parametrize(
    ("every_minutes", "hours"),
    [(1, 3), (30, 3), (60, 3), (61, 3.05), (240, 12), (24 * 60, 72)],
)
def test_a_list_is_stale_after_three_intervals_but_not_before_three_hours(every_minutes: float, hours: float) -> None:
    assert stale_after(every_minutes) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("every_minutes", "setting", "hours"),
    [(30, 6, 6), (30, 1, 3), (240, 6, 12), (240, 48, 48)],
)
def test_the_operator_is_told_after_the_setting_but_never_before_a_list_is_stale(
    every_minutes: float, setting: float, hours: float
) -> None:
    assert operator_stale_after(every_minutes, setting) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("check", "soon", "late"),
    [
        (checked(Outcome.UNCHANGED), Verdict.FRESH, Verdict.STALE),
        (checked(Outcome.CHANGED), Verdict.FRESH, Verdict.STALE),
        (checked(Outcome.FAILED), Verdict.FAILED, Verdict.FAILED),
        (checked(Outcome.HELD), Verdict.HELD, Verdict.HELD),
        (checked(Outcome.NOT_LINKED), Verdict.MISSING, Verdict.MISSING),
        # The pending list is not linked for months at a time.
        (checked(Outcome.NOT_LINKED, PENDING), Verdict.FRESH, Verdict.STALE),
        (checked(Outcome.FAILED, PENDING), Verdict.FAILED, Verdict.FAILED),
    ],
)
def test_what_the_last_check_found_counts_at_once_and_its_age_when_it_found_no_trouble(
    check: LastCheck, soon: Verdict, late: Verdict
) -> None:
    limit = stale_after(30)
    (at_the_limit,) = list_health([check], NOON + limit, limit)
    (after_it,) = list_health([check], NOON + limit + MINUTE, limit)
    assert (at_the_limit.verdict, after_it.verdict) == (soon, late)


def test_a_fresh_list_has_no_trouble_and_any_other_says_which() -> None:
    fresh, failed = list_health([checked(Outcome.FAILED, PENDING), checked(Outcome.UNCHANGED)], NOON, HOUR)
    assert (fresh.list, fresh.trouble, fresh.succeeded_at) == (PARTICIPATING, None, NOON)
    assert (failed.list, failed.trouble, failed.succeeded_at) == (PENDING, Verdict.FAILED, None)
    assert failed.detail == "503"


def test_all_in_all_it_is_as_bad_as_the_worst_list() -> None:
    checks = [checked(Outcome.UNCHANGED), checked(Outcome.HELD, PENDING)]
    assert overall(list_health(checks, NOON, HOUR)) is Verdict.HELD
    assert overall(list_health(checks[:1], NOON, HOUR)) is Verdict.FRESH
    assert overall(()) is Verdict.NEVER
