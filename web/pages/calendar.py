"""Pure: which day a moment belongs to, in the time zone of the setting `log.time_zone`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# The program began in 1996.
FIRST_YEAR = 1996


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day of the log that a moment belongs to."""
    return moment.astimezone(zone).date()


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of a day and that of the next, in UTC: 23, 24 or 25 hours apart."""
    return _begin(day, zone), _begin(day + timedelta(days=1), zone)


def day_in(text: str) -> date | None:
    """The day in an address, YYYY-MM-DD; None for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year < date.max.year and day.isoformat() == text else None


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
