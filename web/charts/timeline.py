"""Pure: the history of one agreement → a small timeline: when each list showed it, and when something changed.

It depends on the agreement's history alone, so that its page stays the same until it has news: what is still listed
runs to the right edge, which means "now".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import TAKEN_BACK, Entry, ListName
from monitor.storage.statistics import Span

WIDTH = 600
_LEFT, _TAIL, _LANE, _TOP = 96, 76, 26, 8
# The least width of a bar, so that it can be seen.
_NARROWEST = 3


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time on a list, as a bar. `until`: None where it has not ended."""

    list: ListName
    since: datetime
    until: datetime | None
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One list's bars, at `y`."""

    list: ListName
    y: int
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A change, in one of the lanes."""

    entry: Entry
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """From the first listing to now. `end`: where the last event is drawn; the rest is not to scale."""

    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    first: datetime
    last: datetime
    start: int
    end: int
    base: int
    lane: int = _LANE
    width: int = WIDTH

    @property
    def height(self) -> int:
        return self.base + 24


def timeline(spans: Sequence[Span], entries: Sequence[Entry]) -> Timeline | None:
    """`entries`: all of this agreement, in the order of the log. None for one that no accepted list shows."""
    if not spans:
        return None
    changes = [e for e in entries if e.kind.value == "changed" and e.status not in TAKEN_BACK]
    moments = [m for span in spans for m in (span.since, span.until) if m] + [e.observed_at for e in changes]
    first, last = min(moments), max(moments)
    x = _scale(first, last)
    names = [name for name in ListName if any(span.list is name for span in spans)]
    tops = {name: _TOP + i * (_LANE + 8) for i, name in enumerate(names)}
    return Timeline(
        tuple(
            Lane(name, tops[name], tuple(_stretch(span, x) for span in spans if span.list is name)) for name in names
        ),
        tuple(Mark(e, x(e.observed_at), tops[e.list]) for e in changes if e.list in tops),
        first,
        last,
        _LEFT,
        x(last),
        _TOP + len(names) * (_LANE + 8),
    )


def _stretch(span: Span, x: Callable[[datetime], int]) -> Stretch:
    start = x(span.since)
    end = x(span.until) if span.until else WIDTH
    return Stretch(span.list, span.since, span.until, start, max(end - start, _NARROWEST))


def _scale(first: datetime, last: datetime) -> Callable[[datetime], int]:
    """From times to x, from the first event to the last; a single event is at the left edge."""
    length = max(last - first, timedelta(seconds=1))
    return lambda moment: round(_LEFT + (moment - first) / length * (WIDTH - _TAIL - _LEFT))
