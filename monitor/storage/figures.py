"""The log in figures, for the page that says how it is made: the only SQL that counts over all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.model import TAKEN_BACK, Kind, ListName, Significance
from monitor.storage.changelog import Log
from monitor.storage.database import marks, moment


@dataclass(frozen=True, slots=True)
class Figures:
    """What the log amounts to. `rewritten`: how often a cell that names an agreement changed, and it was followed.

    `kinds` counts the changes that stand; `withdrawn` those departures that do not,
    `changed` the changes of fields by how much they matter.
    """

    since: datetime | None
    checks: int
    publications: Mapping[ListName, int]
    held: int
    agreements: int
    kinds: Mapping[Kind, int]
    changed: Mapping[Significance, int]
    rewritten: int
    withdrawn: Mapping[Kind, int]
    retracted: int
    merged: int


def figures(log: Log) -> Figures:
    """Count over the whole log. Some 20 ms for a year of it."""
    state = log.state
    since = state.value("SELECT min(at) FROM checks WHERE outcome IN ('unchanged', 'changed')")
    standing = f"coalesce(status, '') NOT IN ({marks(TAKEN_BACK)})"
    taken_back = sorted(TAKEN_BACK)
    return Figures(
        moment(since) if since else None,
        state.value("SELECT count(*) FROM checks"),
        {
            ListName(r["list"]): r["n"]
            for r in state.rows(
                "SELECT list, count(*) AS n FROM standing_publications WHERE verdict = 'accepted' GROUP BY list"
                " ORDER BY list"
            )
        },
        state.value("SELECT count(DISTINCT publication) FROM decisions WHERE verdict = 'held'"),
        state.value("SELECT count(*) FROM agreements WHERE id NOT IN (SELECT agreement FROM aliases)"),
        {
            Kind(r["kind"]): r["n"]
            for r in state.rows(f"SELECT kind, count(*) AS n FROM log WHERE {standing} GROUP BY kind", *taken_back)
        },
        {
            Significance(r["significance"]): r["n"]
            for r in state.rows(
                f"SELECT significance, count(*) AS n FROM log WHERE kind = 'changed' AND {standing} GROUP BY 1",
                *taken_back,
            )
        },
        state.value(
            f"SELECT count(*) FROM log WHERE kind = 'changed' AND {standing}"
            " AND EXISTS (SELECT 1 FROM json_each(fields)"
            " WHERE json_extract(value, '$.name') IN ('state', 'agency', 'support_type'))",
            *taken_back,
        ),
        {
            Kind(r["kind"]): r["n"]
            for r in state.rows("SELECT kind, count(*) AS n FROM log WHERE status = 'withdrawn' GROUP BY kind")
        },
        state.value("SELECT count(*) FROM log WHERE status = 'retracted'"),
        state.value("SELECT count(*) FROM log WHERE status = 'merged'"),
    )
