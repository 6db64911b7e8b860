"""Pure: when each list was last checked, and what is wrong with the checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import ListName, Outcome
from monitor.storage.changelog import LastCheck


class Trouble(StrEnum):
    """Why a list may have changed without this log knowing; pages show it as a banner."""

    NEVER = "never"  # never read
    FAILED = "failed"  # the last check failed
    HELD = "held"  # the newest publication is held
    MISSING = "missing"  # ICE's page does not link the list
    STALE = "stale"  # no successful check for too long


# Six missed checks, at one every half hour.
STALE_AFTER = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a list was last checked, and what is wrong, if anything."""

    list: ListName
    at: datetime
    succeeded_at: datetime | None
    linked: bool
    trouble: Trouble | None


def freshness(checks: Iterable[LastCheck], now: datetime, stale_after: timedelta) -> tuple[Freshness, ...]:
    """For each list that was ever checked, the participating one first."""
    ordered = sorted(checks, key=lambda check: list(ListName).index(check.list))
    return tuple(
        Freshness(
            check.list,
            check.at,
            check.succeeded_at,
            check.outcome is not Outcome.NOT_LINKED,
            _trouble(check, now, stale_after),
        )
        for check in ordered
    )


def _trouble(check: LastCheck, now: datetime, stale_after: timedelta) -> Trouble | None:
    if check.outcome is Outcome.FAILED:
        return Trouble.FAILED
    if check.outcome is Outcome.HELD:
        return Trouble.HELD
    if check.outcome is Outcome.NOT_LINKED and now - check.at <= stale_after:
        # The pending list has been unlinked for months at a time: no trouble.
        return Trouble.MISSING if check.list is ListName.PARTICIPATING else None
    if check.succeeded_at is None:
        return Trouble.NEVER
    newest = check.at if check.outcome is Outcome.NOT_LINKED else check.succeeded_at
    return Trouble.STALE if now - newest > stale_after else None
