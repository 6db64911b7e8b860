"""Dates and times as readers see them, in the style of American newspapers (AP)."""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

MONTHS = ("Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")


def day(value: date) -> str:
    """Aug. 28, 2025"""
    return f"{MONTHS[value.month - 1]} {value.day}, {value.year}"


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """4:05 p.m. ET"""
    local = moment.astimezone(zone)
    half = "a.m." if local.hour < 12 else "p.m."
    # Readers know "ET" all year; EST and EDT are the same hour on the clock.
    name = re.sub(r"^([A-Z]+)[SD]T$", r"\1T", f"{local:%Z}")
    return f"{local.hour % 12 or 12}:{local:%M} {half} {name}"
