"""Pure: the page of one entry of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from monitor.checks.changes import FIELDS
from monitor.model import Cells, Entry, FieldChange
from web.pages.calendar import day_of
from web.pages.lines import EntryLine
from web.pages.text import visible


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of an entry as published before and after, and whether that is a change."""

    name: str
    before: str
    after: str
    change: FieldChange | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One entry of the log with everything known about it. `notes`: later entries about it."""

    entry: Entry
    line: EntryLine
    fields: tuple[FieldRow, ...]
    notes: tuple[Entry, ...]
    about: Entry | None
    day: date
    agency: str | None  # the id of the agency that has the agreement

    @property
    def stray(self) -> bool:
        """Whether a cell has characters that must be made visible."""
        return any(visible(text) != text for f in self.fields for text in (f.before, f.after))


def change_page(
    entry: Entry, notes: Sequence[Entry], about: Entry | None, zone: ZoneInfo, agency: str | None = None
) -> ChangePage:
    """Every field, changed or not, so that a reader can check the row against the workbook."""
    changed = {field.name: field for field in entry.fields}
    return ChangePage(
        entry,
        EntryLine(entry, notes[-1] if notes else None, about),
        tuple(
            FieldRow(name, _published(entry.before, name), _published(entry.after, name), changed.get(name))
            for name in FIELDS
        ),
        tuple(notes),
        about,
        day_of(entry.observed_at, zone),
        agency,
    )


def _published(cells: Cells | None, name: str) -> str:
    """A cell's text; for a document its address, where the cell links one."""
    if cells is None:
        return ""
    text: str = getattr(cells, name)
    address: str = getattr(cells, f"{name}_address", "")
    return address or text
