"""How many agreements ICE listed at each moment: the only SQL that counts over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.model import ListName, SupportType
from monitor.normalize import state, support_type
from monitor.storage.changelog import Log
from monitor.storage.database import marks, moment

# Two letters, or None for a state that nobody could tell; and so with support types.
Sort = tuple[str | None, SupportType | None]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A publication that was believed, by its number in the store."""

    number: int
    list: ListName
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agreement is, in the words of the row that lists it."""

    state: str
    county: str
    agency: str
    type: str


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a list showed an agreement: from a publication to the one that no longer did, None for still."""

    list: ListName
    since: datetime
    until: datetime | None


def accepted(log: Log) -> tuple[Accepted, ...]:
    """Every publication that was believed, in the order in which they were first seen."""
    return tuple(
        Accepted(r["id"], ListName(r["list"]), moment(r["observed_at"]))
        for r in log.state.rows(
            "SELECT id, list, observed_at FROM standing_publications WHERE verdict = 'accepted' ORDER BY id"
        )
    )


def counted(log: Log, publications: Collection[int]) -> dict[int, dict[Sort, int]]:
    """How many agreements each of these publications lists, by state and support type."""
    found: dict[int, Counter[Sort]] = {number: Counter() for number in publications}
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
        if r["publication"] in found:
            found[r["publication"]][state(r["state"]), support_type(r["support_type"])] += r["count"]
    return {number: dict(counts) for number, counts in found.items()}


def places(log: Log, publication: int) -> Mapping[Place, int]:
    """How many agreements a publication lists at each place, in its own words."""
    return {
        Place(r["state"], r["county"], r["agency"], r["type"]): r["count"]
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


def spans(log: Log, agreement: str, publications: Collection[Accepted]) -> tuple[Span, ...]:
    """When each list showed an agreement, under whichever id; the oldest first.

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
    found: list[Span] = []
    for name in ListName:
        since: datetime | None = None
        for publication in publications:
            if publication.list is not name:
                continue
            if publication.number in shown:
                since = since or publication.observed_at
            elif since is not None:
                found.append(Span(name, since, publication.observed_at))
                since = None
        if since is not None:
            found.append(Span(name, since, None))
    return tuple(sorted(found, key=lambda span: span.since))
