"""Changes as somebody would write them who wants our messages to say or do something else.

`fuzzed` runs a test on 200 generated cases; FUZZ_CASES=10000 makes them more, in rounds that end before it may hang.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from alerts.model import CORRECTIONS, ChannelName, Digest, Notice, RoutedEntry, Schedule
from monitor.model import Cells, Entry, Kind, Significance
from tests import hostile as texts
from tests.alerts.builders import NOON, changed, edits, entry, source, subscriber, watched

CASES = int(os.environ.get("FUZZ_CASES", "200"))
_A_ROUND = 500


def fuzzed(test: Callable[..., Any]) -> Callable[..., Any]:
    """Makes as many cases of a test with `given` and a parameter `round_` as are asked for."""
    rounds = pytest.mark.parametrize("round_", range(-(-CASES // _A_ROUND)))
    cases = settings(max_examples=min(CASES, _A_ROUND), deadline=None, suppress_health_check=list(HealthCheck))
    made: Callable[..., Any] = rounds(cases(test))
    return made


HOSTILE = (
    "<!channel> <@U1> <https://evil.example|ICE>",
    "*bold* _slanted_ ~gone~ `code` :smile:",
    "> quoted",
    *texts.WRITABLE,
    *texts.UNWRITABLE,
)
hostile = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=[]), max_size=40)
hostile_cells = st.builds(
    Cells,
    state=st.sampled_from(["TEXAS", "GEORGIA"]) | hostile,
    agency=hostile,
    type=hostile,
    county=hostile,
    support_type=hostile,
    signed=hostile,
    moa=hostile,
    moa_address=hostile,
    addendum=hostile,
    addendum_address=hostile,
)


def hostile_entry(before: Cells, after: Cells, kind: Kind, state: str | None) -> Entry:
    if kind is Kind.CHANGED and edits(before, after):
        return changed(before, after, state=state)
    if kind in CORRECTIONS:
        why = (f"this was wrong: {before.agency}",)
        return entry(kind, before, state=state, before=before, after=after, about="c-about", reasons=why)
    return entry(Kind.NEW if kind is Kind.CHANGED else kind, after, state=state, publication=source(before.agency))


hostile_entries = st.lists(
    st.builds(
        hostile_entry,
        hostile_cells,
        hostile_cells,
        st.sampled_from([Kind.NEW, Kind.CHANGED, Kind.TERMINATED, Kind.RETURNED, Kind.WITHDRAWN, Kind.RETRACTED]),
        st.sampled_from(["TX", None]),
    ),
    min_size=1,
    max_size=4,
)


def as_notice(entries: Sequence[Entry], channel: ChannelName) -> Notice:
    """One publication's message."""
    return Notice(subscriber(channel=channel), source(HOSTILE[0]), _lines(entries), watched("TX"))


def as_digest(entries: Sequence[Entry], channel: ChannelName) -> Digest:
    """A day's message."""
    who, lines = subscriber(channel=channel), _lines([e for e in entries if e.kind not in CORRECTIONS])
    return Digest(who, Schedule(420), NOON.date(), 9, lines, watched("TX"))


def _lines(entries: Sequence[Entry]) -> tuple[RoutedEntry, ...]:
    return tuple(RoutedEntry(e, (1,), Significance.CLERICAL, _corrected(e)) for e in entries)


def _corrected(note: Entry) -> Entry | None:
    wrong = replace(note, kind=Kind.TERMINATED, id=f"{note.id}-about", about=None, after=None, reasons=())
    return wrong if note.kind in CORRECTIONS else None
