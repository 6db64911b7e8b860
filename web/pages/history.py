"""Pure: the history of one agreement or of one agency, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.model import Entry
from web.pages.lines import Line


def history(entries: Sequence[Entry]) -> tuple[Line, ...]:
    """Entries in the order of the log → lines, the newest first; a note about one of them is told with that one."""
    by_id = {entry.id: entry for entry in entries}
    notes = {entry.about: entry for entry in entries if entry.about}
    return tuple(
        Line(e, notes.get(e.id), by_id.get(e.about or ""))
        for e in reversed(entries)
        if not (e.kind.is_note and e.about in by_id)
    )
