"""Pure: the days of the log, which begin and end where the setting `log.time_zone` says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# No list of this programme is older.
FIRST_YEAR = 1996


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day of the log that a moment belongs to."""
    return moment.astimezone(zone).date()


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of a day and that of the next, in UTC: 23, 24 or 25 hours apart."""
    return _begin(day, zone), _begin(day + timedelta(days=1), zone)


def day_in(text: str) -> date | None:
    """A day in an address: YYYY-MM-DD and nothing else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year < date.max.year and found.isoformat() == text else None


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
