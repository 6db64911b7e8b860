"""Pure: text and times as pages show them. Text from a workbook is hostile until it has been through here."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from markupsafe import Markup

from templates import dates


def neutral(value: object) -> object:
    """A value for a page, without characters that do something instead of being shown.

    Control characters could end a line or a parser's patience; bidirectional overrides show "txt.exe" as "exe.txt";
    lone surrogates cannot be encoded. Jinja calls this for every expression of every template (`finalize`), so no
    template can forget it.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(filter(None, map(_neutral, value)))


def _neutral(char: str) -> str:
    if char.isprintable() or char in "\n\t":
        return char
    match unicodedata.category(char):
        case "Zs":  # spaces of other widths
            return char
        case "Cf":  # invisible: joiners, marks and overrides of direction, byte order marks
            return ""
        case _:
            return "\N{REPLACEMENT CHARACTER}"


# Spaces that a reader cannot see, and that a spelling fix may be about.
_STRAY_SPACE = re.compile(r"^ +| +$|(?<= ) +")
_NO_BREAK_SPACE, _TAB, _NEW_LINE = "\N{NO-BREAK SPACE}", "\t", "\n"


def visible(text: str) -> str:
    """A cell as published, with stray spaces and invisible characters made visible: "Ocala␣", "[U+202E]"."""
    text = _STRAY_SPACE.sub(lambda spaces: "␣" * len(spaces[0]), text)
    return "".join(char if char.isprintable() else _NAMED.get(char, f"[U+{ord(char):04X}]") for char in text)


_NAMED = {_NO_BREAK_SPACE: "⍽", _TAB: "⇥", _NEW_LINE: "↵"}


@lru_cache(maxsize=4096)
def day(value: date) -> str:
    """Aug. 28, 2025."""
    return dates.day(value)


def month(value: date) -> str:
    """Under a chart: Aug; of a January with its year, Jan 2026; 21 Feb where the month does not begin."""
    if value.day > 1:
        return f"{value.day} {value:%b}"
    return f"{value:%b %Y}" if value.month == 1 else f"{value:%b}"


def weekday(value: date) -> str:
    """Thursday Aug. 28, 2025."""
    return f"{value:%A} {day(value)}"


@lru_cache(maxsize=4096)
def day_in_cell(text: str) -> str:
    """The text of a SIGNED cell: the day, or the text as it is where it is no date."""
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


def on(moment: datetime, zone: ZoneInfo) -> str:
    """The day of a moment: Aug. 28, 2025."""
    return day(moment.astimezone(zone).date())


def at(moment: datetime, zone: ZoneInfo) -> str:
    """A moment with the name of its zone: Aug. 28, 2025, 10:30 a.m. ET."""
    return f"{on(moment, zone)}, {dates.clock(moment, zone)}"


def lower_first(text: str) -> str:
    """A heading inside a sentence: "No longer listed by ICE" → "no longer listed by ICE"."""
    return text[:1].lower() + text[1:]
