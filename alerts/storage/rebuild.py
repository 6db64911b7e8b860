"""Copies subscribers, watches and deliveries into a rebuilt state.db, with the key of their hashes."""

from __future__ import annotations

from pathlib import Path

from alerts.keys import key_file
from alerts.storage.schema import SCHEMA as ALERTS
from monitor.errors import StateError
from monitor.storage.database import State
from monitor.storage.schema import SCHEMA as MONITOR

# Each table refers only to tables before it, and to entries.
_TABLES = (
    *("subscribers", "suppressions", "watches", "messages", "deliveries", "delivery_entries"),
    *("digests", "operator_events", "requests", "confirmations"),
)
_END = "(SELECT coalesce(max(seq), 0) FROM entries)"
# The position in the new log for one in the old: just before the first entry that came after it.
_HERE = (
    "coalesce((SELECT min(n.seq) - 1 FROM entries n JOIN old.entries o ON o.id = n.id"
    f" WHERE o.announce AND o.seq > {{}}), {_END})"
)


class Carrier:
    """What `rebuild` asks of this package."""

    def ready(self, old: Path) -> None:
        """Raise StateError if there are entries to route: in the new file they would count as routed."""
        with State(old, MONITOR, ALERTS) as state:
            waiting = state.value("SELECT count(*) FROM entries WHERE announce AND seq > (SELECT position FROM routed)")
        if waiting:
            raise StateError(old, f"{waiting} entries wait to be told to subscribers; run `check` once, then rebuild")

    def carry(self, old: Path, new: Path, *, named: Path) -> None:
        """Copy everything. All entries count as routed; watches and digests go on where they were."""
        with State(new, MONITOR, ALERTS) as state:
            state.run("ATTACH ? AS old", str(old))
            with state.write():
                for table in _TABLES:
                    names = ", ".join(r["name"] for r in state.rows("SELECT name FROM pragma_table_info(?)", table))
                    state.run(f"INSERT INTO {table} ({names}) SELECT {names} FROM old.{table}")
                state.run("UPDATE watches SET starts_after = " + _HERE.format("starts_after"))
                state.run("UPDATE digests SET position = " + _HERE.format("position"))
                state.run(f"UPDATE routed SET position = {_END}")
                state.run("UPDATE paused SET at = (SELECT at FROM old.paused)")
            state.run("DETACH old")
        if key_file(old).exists():
            key_file(named).touch(0o600)
            key_file(named).write_bytes(key_file(old).read_bytes())
