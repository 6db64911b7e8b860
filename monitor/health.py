"""Pure: whether a list is fresh, late (stale), failed, held or missing.

Pages, the command `status` and the notices to the operator all use this one rule, so they cannot contradict each other:

- What the last check found counts at once: it failed, its publication is held, or ICE's page does not link the
  participating list.
- A list that was checked without trouble becomes stale when its next checks do not come: after three check intervals,
  and after three hours at the earliest (`stale_after`). One or two missed checks are only a restart or a slow server.
- The operator gets a message when trouble has lasted for the setting `operator.stale_after_hours`, and never before a
  list counts as stale (`operator_stale_after`). This is later on purpose: most failures at ICE end by themselves within
  hours, and until then pages and `status` already show them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import LastCheck, ListName, Outcome

_INTERVALS = 3
_AT_LEAST = timedelta(hours=3)


class Verdict(StrEnum):
    """How things stand, the worst first."""

    NEVER = "never"  # no list has been checked yet
    FAILED = "failed"  # the last check failed
    HELD = "held"  # the last check found a publication that is not believed yet
    MISSING = "missing"  # ICE's page does not link the participating list
    STALE = "stale"  # nobody has checked the list for too long
    FRESH = "fresh"  # nothing is wrong


@dataclass(frozen=True, slots=True)
class ListHealth:
    """How one list stands. `at`, `outcome` and `detail` are those of its last check.

    Where there is trouble, changes since `succeeded_at` may be missing from the log; None: no check ever succeeded.
    """

    list: ListName
    verdict: Verdict
    at: datetime
    outcome: Outcome
    detail: str
    succeeded_at: datetime | None

    @property
    def linked(self) -> bool:
        """Whether ICE's page linked the list when it was last checked."""
        return self.outcome is not Outcome.NOT_LINKED

    @property
    def trouble(self) -> Verdict | None:
        """What is wrong, if anything."""
        return None if self.verdict is Verdict.FRESH else self.verdict


def stale_after(every_minutes: float) -> timedelta:
    """How long after its last check a list counts as stale, where it is checked every so many minutes."""
    return max(_INTERVALS * timedelta(minutes=every_minutes), _AT_LEAST)


def operator_stale_after(every_minutes: float, stale_after_hours: float) -> timedelta:
    """How long trouble with a list must last before the operator is told: never before pages call a list stale."""
    return max(timedelta(hours=stale_after_hours), stale_after(every_minutes))


def list_health(checks: Iterable[LastCheck], now: datetime, stale_after: timedelta) -> tuple[ListHealth, ...]:
    """How each list that has ever been checked stands, the participating one first."""
    ordered = sorted(checks, key=lambda check: list(ListName).index(check.list))
    return tuple(
        ListHealth(
            check.list, _verdict(check, now, stale_after), check.at, check.outcome, check.detail, check.succeeded_at
        )
        for check in ordered
    )


def overall(lists: Iterable[ListHealth]) -> Verdict:
    """The worst verdict on any list; NEVER where no list has been checked yet."""
    severity = list(Verdict)
    return min((each.verdict for each in lists), key=severity.index, default=Verdict.NEVER)


def _verdict(check: LastCheck, now: datetime, stale_after: timedelta) -> Verdict:
    if check.outcome is Outcome.FAILED:
        return Verdict.FAILED
    if check.outcome is Outcome.HELD:
        return Verdict.HELD
    # The pending list is not linked for months at a time: that is no trouble.
    if check.outcome is Outcome.NOT_LINKED and check.list is ListName.PARTICIPATING:
        return Verdict.MISSING
    return Verdict.STALE if now - check.at > stale_after else Verdict.FRESH
