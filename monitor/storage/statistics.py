"""Counts over the log and over time: how many agreements ICE listed when, how many entries, and the log in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import TAKEN_BACK, Kind, ListName, Significance, SupportType
from monitor.normalize import state, support_type
from monitor.storage.database import marks, moment, stamp
from monitor.storage.log import Log
from monitor.storage.rows import is_one_of

# A state's two letters and a support type; None where a cell says neither.
StateAndType = tuple[str | None, SupportType | None]


@dataclass(frozen=True, slots=True)
class EntryCount:
    """How many entries of one kind, significance and status were first seen at one moment."""

    observed_at: datetime
    kind: Kind
    significance: Significance
    status: str | None
    count: int


@dataclass(frozen=True, slots=True)
class AcceptedPublication:
    """A publication that was believed. `number`: its row id in state.db."""

    number: int
    list: ListName
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Location:
    """Where an agreement is, as the row that lists it says."""

    state: str
    county: str
    agency: str
    type: str


@dataclass(frozen=True, slots=True)
class ListedSpan:
    """A time in which a list showed an agreement. `until`: when a publication first lacked it; None while listed."""

    list: ListName
    since: datetime
    until: datetime | None


def accepted_publications(log: Log) -> tuple[AcceptedPublication, ...]:
    """Every publication that was believed, in the order in which they were first seen."""
    return tuple(
        AcceptedPublication(r["id"], ListName(r["list"]), moment(r["observed_at"]))
        for r in log.state.rows(
            "SELECT id, list, observed_at FROM standing_publications WHERE verdict = 'accepted' ORDER BY id"
        )
    )


def listed_counts(log: Log, publications: Collection[int]) -> dict[int, dict[StateAndType, int]]:
    """How many agreements each of these publications lists, by state and support type."""
    counts: dict[int, Counter[StateAndType]] = {number: Counter() for number in publications}
    if len(publications) > 100:
        chosen, numbers = f"BETWEEN {min(publications):d} AND {max(publications):d}", []
    else:
        chosen, numbers = f"IN ({marks(publications)})", list(publications)
    for r in log.state.rows(
        f"""
        SELECT l.publication, c.state, c.support_type, count(DISTINCT l.agreement) AS count
        FROM listed l JOIN contents c ON c.id = l.content
        WHERE l.publication {chosen} AND NOT l.spare GROUP BY 1, 2, 3
        """,
        *numbers,
    ):
        if r["publication"] in counts:
            counts[r["publication"]][state(r["state"]), support_type(r["support_type"])] += r["count"]
    return {number: dict(of_one) for number, of_one in counts.items()}


def locations(log: Log, publication: int) -> Mapping[Location, int]:
    """How many agreements a publication lists at each location."""
    return {
        Location(r["state"], r["county"], r["agency"], r["type"]): r["count"]
        for r in log.state.rows(
            """
            SELECT state, county, agency, type, count(*) AS count FROM (
                SELECT l.agreement, c.state, c.county, c.agency, c.type
                FROM listed l JOIN contents c ON c.id = l.content
                WHERE l.publication = ? AND NOT l.spare GROUP BY l.agreement)
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
            """,
            publication,
        )
    }


def listed_spans(log: Log, agreement: str, publications: Collection[AcceptedPublication]) -> tuple[ListedSpan, ...]:
    """When each list showed an agreement, under any of its ids; the oldest first.

    `publications`: those that were believed, in their order.
    """
    shown = {
        r["publication"]
        for r in log.state.rows(
            "SELECT DISTINCT publication FROM listings WHERE agreement IN"
            " (SELECT id FROM agreements WHERE public_id = ?1 UNION ALL"
            " SELECT agreement FROM aliases WHERE same_as = (SELECT id FROM agreements WHERE public_id = ?1))",
            agreement,
        )
    }
    spans: list[ListedSpan] = []
    for name in ListName:
        since: datetime | None = None
        for publication in publications:
            if publication.list is not name:
                continue
            if publication.number in shown:
                since = since or publication.observed_at
            elif since is not None:
                spans.append(ListedSpan(name, since, publication.observed_at))
                since = None
        if since is not None:
            spans.append(ListedSpan(name, since, None))
    return tuple(sorted(spans, key=lambda span: span.since))


def current_counts(log: Log) -> dict[tuple[ListName, str | None, SupportType | None], int]:
    """How many agreements each list shows now, by state and support type; None where a cell says neither."""
    counts: dict[tuple[ListName, str | None, SupportType | None], int] = {}
    for r in log.state.rows(
        """
        SELECT p.list, c.state, c.support_type, count(DISTINCT l.agreement) AS count
        FROM publications p JOIN listed l ON l.publication = p.id JOIN contents c ON c.id = l.content
        WHERE p.id IN (SELECT max(id) FROM standing_publications WHERE verdict = 'accepted' GROUP BY list)
              AND NOT l.spare
        GROUP BY 1, 2, 3
        """
    ):
        key = ListName(r["list"]), state(r["state"]), support_type(r["support_type"])
        counts[key] = counts.get(key, 0) + r["count"]
    return counts


def entry_counts(
    log: Log,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    states: Sequence[str | None] = (),
) -> tuple[EntryCount, ...]:
    """How many entries of each sort were first seen when, oldest first. `since` ≤ observed_at < `until`."""
    arguments: list[object] = [stamp(since) if since else "", stamp(until) if until else "~"]
    in_states = f"AND {is_one_of('state', states, arguments)}" if states else ""
    return tuple(
        EntryCount(
            moment(r["observed_at"]),
            Kind(r["kind"]),
            Significance(r["significance"]),
            r["status"],
            r["count"],
        )
        for r in log.state.rows(
            "SELECT observed_at, kind, significance, status, count(*) AS count FROM log"
            f" WHERE observed_at >= ? AND observed_at < ? {in_states}"
            " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            *arguments,
        )
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """The log in figures. `rewritten`: how often a cell that names an agreement changed, and it was followed.

    `kinds` counts the changes that stand, `withdrawn` the departures that do not, `changed` the changes of fields by
    significance.
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
