"""Pure: the page of one agreement: where it stands, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.model import DEPARTURES, TAKEN_BACK, Entry, Kind, ListName
from monitor.storage.changelog import AgreementRecord
from web.pages.lines import Line


class Standing(StrEnum):
    """Where an agreement stands now."""

    LISTED = "listed"
    PENDING = "pending"
    GONE = "gone"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """One agreement: where it stands, and its whole history, the newest first.

    A note that an entry was confirmed or withdrawn is told with that entry.
    """

    agreement: AgreementRecord
    standing: Standing
    departure: Entry | None
    history: tuple[Line, ...]
    agency: str | None  # the id of whose agreement it is


def agreement_page(record: AgreementRecord, entries: Sequence[Entry], agency: str | None = None) -> AgreementPage:
    """`entries`: all of this agreement, in the order of the log."""
    departed = [e for e in entries if e.kind in DEPARTURES and e.status not in TAKEN_BACK]
    standing = _standing(record, departed)
    return AgreementPage(
        record,
        standing,
        departed[-1] if departed and standing in (Standing.GONE, Standing.DROPPED) else None,
        history(entries),
        agency,
    )


def _standing(record: AgreementRecord, departed: Sequence[Entry]) -> Standing:
    if ListName.PARTICIPATING in record.listed:
        return Standing.LISTED
    if ListName.PENDING in record.listed:
        return Standing.PENDING
    if departed and departed[-1].kind is Kind.DROPPED:
        return Standing.DROPPED
    return Standing.GONE


def history(entries: Sequence[Entry]) -> tuple[Line, ...]:
    """Entries in the order of the log → lines, the newest first; a note about one of them is told with that one."""
    by_id = {entry.id: entry for entry in entries}
    notes = {entry.about: entry for entry in entries if entry.about}
    return tuple(
        Line(e, notes.get(e.id), by_id.get(e.about or ""))
        for e in reversed(entries)
        if not (e.kind.is_note and e.about in by_id)
    )
