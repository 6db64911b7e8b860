"""Which change each entry of the log speaks of, and where that belongs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.normalize import state
from monitor.storage.changelog import Log, older
from monitor.storage.database import moment


@dataclass(frozen=True, slots=True)
class Event:
    """One entry. `change`: itself, or for a note the change that it is about, however many notes lie between.

    `states` and `agreement` are the change's: both states where it moved from one to the other.
    """

    seq: int
    change: str
    recorded_at: datetime
    agreement: str
    states: frozenset[str | None]


def events(log: Log, agreement: str | None = None) -> tuple[Event, ...]:
    """The whole log, or what it has of one agreement, oldest first and without the words of its entries."""
    known = (
        "SELECT a.id FROM agreements a LEFT JOIN aliases x ON x.agreement = a.id"
        " LEFT JOIN agreements s ON s.id = x.same_as WHERE ? IN (a.public_id, s.public_id)"
    )
    of_one = f"WHERE e.agreement IN ({known}) OR e.about IN (SELECT id FROM entries WHERE agreement IN ({known}))"
    spelt: dict[str, str | None] = {}
    changes: dict[str, Event] = {}
    found = []
    for r in log.state.rows(
        f"""
        SELECT e.seq, e.id, e.about, e.recorded_at, e.state, o.public_id AS agreement, b.state AS before
        FROM entries e JOIN agreements o ON o.id = {older("e.agreement")}
        LEFT JOIN contents b ON b.id = e.before_content {of_one if agreement else ""} ORDER BY e.seq
        """,
        *([agreement] * 2 if agreement else []),
    ):
        about = changes.get(r["about"] or "")
        if about is None and r["about"]:
            continue  # a note that another agreement hears of
        if about is None:
            states = {r["state"]}
            if r["before"] is not None:
                if r["before"] not in spelt:
                    spelt[r["before"]] = state(r["before"])
                # One whose state nobody could tell has moved nowhere by being read.
                states |= {spelt[r["before"]]} - {None}
            about = Event(r["seq"], r["id"], moment(r["recorded_at"]), r["agreement"], frozenset(states))
        event = Event(r["seq"], about.change, moment(r["recorded_at"]), about.agreement, about.states)
        changes[r["id"]] = event
        found.append(event)
    return tuple(event for event in found if agreement in (None, event.agreement))
