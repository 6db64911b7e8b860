"""Pure: a doubtful pair as it is shown to a person: its two entries, the evidence, and whether it is decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import TAKEN_BACK, Act, Entry


class ReviewStatus(StrEnum):
    """Where the review of a doubtful pair stands."""

    OPEN = "open"
    SAME = "same"
    DIFFERENT = "different"
    LAPSED = "counted as different"  # nobody answered in time
    SETTLED = "settled"  # the departure or the arrival was taken back


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

    def status(self, now: datetime, ask_for: timedelta) -> ReviewStatus:
        """Where the review stands, by its answer, its two entries, and how long it has waited."""
        if self.answer:
            return ReviewStatus.SAME if self.answer == Act.SAME else ReviewStatus.DIFFERENT
        if self.departure.status in TAKEN_BACK or self.arrival.status in TAKEN_BACK:
            return ReviewStatus.SETTLED
        return ReviewStatus.OPEN if now - self.arrival.observed_at < ask_for else ReviewStatus.LAPSED
