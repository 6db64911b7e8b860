"""Pure: a doubtful pair as it is shown to a person: its two entries, the evidence, and whether it is decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.model import TAKEN_BACK, Act, Entry


class ReviewStatus(StrEnum):
    """Where the review of a doubtful pair stands."""

    OPEN = "open"
    SAME = "same"
    DIFFERENT = "different"
    SETTLED = "settled"  # the departure was confirmed or taken back, or the arrival was taken back


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """Two entries that may be about one agreement. `answer`: same, different, or "" until an operator answers."""

    id: str
    departure: Entry
    arrival: Entry
    reasons: tuple[str, ...]
    answer: str
    answered_at: datetime | None
    why: str

    @property
    def status(self) -> ReviewStatus:
        """Where the review stands, by its answer and its two entries. It stays open until an operator answers."""
        if self.answer:
            return ReviewStatus.SAME if self.answer == Act.SAME else ReviewStatus.DIFFERENT
        # Version 0.1 confirmed departures that nobody had answered about.
        if self.departure.status in (*TAKEN_BACK, "confirmed") or self.arrival.status in TAKEN_BACK:
            return ReviewStatus.SETTLED
        return ReviewStatus.OPEN
