"""Pure: the page of one agreement: where it stands, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.model import DEPARTURES, TAKEN_BACK, Entry, Kind, ListName
from monitor.storage.changelog import AgreementRecord
from web.pages.lines import EntryLine


class AgreementStatus(StrEnum):
    """Whether an agreement is listed now."""

    LISTED = "listed"
    PENDING = "pending"
    GONE = "gone"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """One agreement: where it stands, and its whole history, the newest first.

    A note that an entry was confirmed or withdrawn is shown on that entry's line.
    """

    agreement: AgreementRecord
    status: AgreementStatus
    departure: Entry | None
    history: tuple[EntryLine, ...]
    agency: str | None  # the id of the agency that has it


def agreement_page(record: AgreementRecord, entries: Sequence[Entry], agency: str | None = None) -> AgreementPage:
    """`entries`: all of this agreement, in the order of the log."""
    departed = [e for e in entries if e.kind in DEPARTURES and e.status not in TAKEN_BACK]
    status = _status(record, departed)
    return AgreementPage(
        record,
        status,
        departed[-1] if departed and status in (AgreementStatus.GONE, AgreementStatus.DROPPED) else None,
        history(entries),
        agency,
    )


def _status(record: AgreementRecord, departed: Sequence[Entry]) -> AgreementStatus:
    if ListName.PARTICIPATING in record.listed:
        return AgreementStatus.LISTED
    if ListName.PENDING in record.listed:
        return AgreementStatus.PENDING
    if departed and departed[-1].kind is Kind.DROPPED:
        return AgreementStatus.DROPPED
    return AgreementStatus.GONE


def history(entries: Sequence[Entry]) -> tuple[EntryLine, ...]:
    """Entries in the order of the log → lines, the newest first; a note about one of them is shown on its line."""
    by_id = {entry.id: entry for entry in entries}
    notes = {entry.about: entry for entry in entries if entry.about}
    return tuple(
        EntryLine(e, notes.get(e.id), by_id.get(e.about or ""))
        for e in reversed(entries)
        if not (e.kind.is_note and e.about in by_id)
    )
