"""Changes as somebody would write them who wants our messages to say or do something else."""

from __future__ import annotations

from hypothesis import strategies as st

from alerts.model import ChannelName, Line, Notice
from monitor.model import Cells, Entry, Kind, Significance
from tests import hostile as texts
from tests.alerts.builders import changed, edits, entry, source, subscriber, watched

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
    return entry(Kind.NEW if kind is Kind.CHANGED else kind, after, state=state, publication=source(before.agency))


hostile_entries = st.lists(
    st.builds(
        hostile_entry,
        hostile_cells,
        hostile_cells,
        st.sampled_from([Kind.NEW, Kind.CHANGED, Kind.TERMINATED, Kind.RETURNED]),
        st.sampled_from(["TX", None]),
    ),
    min_size=1,
    max_size=4,
)


def as_notice(entries: list[Entry], channel: ChannelName) -> Notice:
    lines = tuple(Line(e, (1,), Significance.CLERICAL) for e in entries)
    return Notice(subscriber(channel=channel), source(HOSTILE[0]), lines, watched("TX"))
