"""How deliveries stand, for whoever may only read: how many, never whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerts.storage.outbox import Ledger
from monitor.storage.database import State


@dataclass(frozen=True, slots=True)
class Overview:
    """How many deliveries there are in each state; and since when nothing is sent, where all is paused."""

    counts: Mapping[str, int]
    paused_at: datetime | None


def overview(state: State) -> Overview:
    """Reads a state.db in which nobody was ever to be told anything, too: one without the tables of `alerts`."""
    tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('deliveries', 'paused')"
    if state.value(tables) != 2:
        return Overview({}, None)
    ledger = Ledger(state)
    counts: Counter[str] = Counter()
    for states in ledger.ledger().values():
        counts.update(states)
    return Overview(dict(counts), ledger.paused_at())
