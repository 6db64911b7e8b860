"""Which change each entry of the log speaks of, and where that belongs; and whether there is anything new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.log import Log, older
from monitor.normalize import state
from monitor.state import moment


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


def events(log: Log) -> tuple[Event, ...]:
    """The whole log, oldest first, without the words of its entries."""
    spelt: dict[str, str | None] = {}
    changes: dict[str, Event] = {}
    found = []
    for r in log.state.rows(
        f"""
        SELECT e.seq, e.id, e.about, e.recorded_at, e.state, o.public_id AS agreement, b.state AS before
        FROM entries e JOIN agreements o ON o.id = {older("e.agreement")}
        LEFT JOIN contents b ON b.id = e.before_content ORDER BY e.seq
        """
    ):
        about = changes.get(r["about"] or "")
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
    return tuple(found)


def mark(log: Log) -> str:
    """Differs once anything differs that the log, or an agreement in it, says; but for when the lists were checked."""
    row = log.state.rows(
        "SELECT (SELECT coalesce(max(seq), 0) FROM entries) AS entries,"
        " (SELECT coalesce(max(id), 0) FROM decisions) AS decisions,"
        " (SELECT coalesce(max(id), 0) FROM acts) AS acts"
    )[0]
    return "-".join(map(str, row))
