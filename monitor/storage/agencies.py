"""Agencies, each with all agreements that it ever had: the only SQL that reads all names at once.

ICE lists agreements, and this log follows agreements. An agency is what whoever watches one of them hears of: the
agreements of one state under any comparable name that one of them was ever listed under.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.model import ListName
from monitor.normalize import agency, county, shown, state
from monitor.storage.changelog import Log, older


@dataclass(frozen=True, slots=True)
class Named:
    """Cells that listed an agreement. `agreement` is its number: the order in which agreements were first seen."""

    agreement: int
    state: str
    agency: str
    county: str
    seen: int


@dataclass(frozen=True, slots=True)
class AgencyRecord:
    """An agency: its newest name and those before it, newest first; where it is; its agreements, oldest first.

    `id` is that of the oldest agreement. `counties` are comparable names with the name as shown.
    """

    id: str
    state: str | None
    name: str
    formerly: tuple[str, ...]
    counties: tuple[tuple[str, str], ...]
    agreements: tuple[str, ...]
    listed: int
    pending: int


def agencies(log: Log) -> tuple[AgencyRecord, ...]:
    """Every agency, in the order in which they were first seen. Some 40 ms for the lists of 2025."""
    ids = {
        r["id"]: r["public_id"]
        for r in log.state.rows("SELECT id, public_id FROM agreements WHERE id NOT IN (SELECT agreement FROM aliases)")
    }
    now = {
        list_: {
            r["agreement"]
            for r in log.state.rows(
                "SELECT agreement FROM listed WHERE publication = (SELECT max(id) FROM standing_publications"
                " WHERE verdict = 'accepted' AND list = ?)",
                list_,
            )
        }
        for list_ in ListName
    }
    participating, pending = now[ListName.PARTICIPATING], now[ListName.PENDING]
    found = []
    for names in _apart(_names(log)):  # by their oldest agreements
        newest_first = sorted(names, key=lambda n: (-n.seen, n.agreement))
        numbers = sorted({name.agreement for name in names})
        called = _in_one_form(shown(name.agency) for name in newest_first)
        found.append(
            AgencyRecord(
                ids[numbers[0]],
                next((code for name in newest_first if (code := state(name.state))), None),
                called[0],
                tuple(called[1:]),
                tuple({county(n.county): shown(n.county) for n in reversed(newest_first) if county(n.county)}.items()),
                tuple(ids[number] for number in numbers),
                sum(number in participating for number in numbers),
                sum(number in pending and number not in participating for number in numbers),
            )
        )
    return tuple(found)


def _names(log: Log) -> list[Named]:
    """The cells that ever listed each agreement: what it was first listed as, what entries say, and second listings.

    That is what `Log.names` reads for one of them; a row that changes makes an entry, so not every listing is read.
    """
    return [
        Named(r["agreement"], r["state"], r["agency"], r["county"], r["seen"])
        for r in log.state.rows(
            f"""
            SELECT {older("x.agreement")} AS agreement, c.state, c.agency, c.county, max(x.seen) AS seen FROM (
                SELECT a.id AS agreement, l.content, l.publication AS seen FROM agreements a
                    JOIN listings l ON l.publication = a.publication AND l.row = a.row
                UNION ALL SELECT agreement, content, publication FROM listings WHERE spare
                UNION ALL SELECT agreement, after_content, publication FROM entries
                UNION ALL SELECT agreement, before_content, publication - 1 FROM entries) x
            JOIN contents c ON c.id = x.content GROUP BY 1, 2, 3, 4
            """
        )
    ]


def _apart(names: Iterable[Named]) -> list[list[Named]]:
    """Names by agency: those that a chain of agreements and of comparable names in one state holds together."""
    of: dict[object, list[Named]] = defaultdict(list)
    for name in names:
        of[name.agreement].append(name)
        if key := _key(name):
            of[key].append(name)
    seen: set[object] = set()
    apart = []
    for start in sorted(n for n in of if isinstance(n, int)):
        if start in seen:
            continue
        waiting: list[object] = [start]
        together: set[Named] = set()
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            together.update(of[node])
            waiting += [n for name in of[node] for n in (name.agreement, _key(name)) if n]
        apart.append(list(together))
    return apart


def _key(name: Named) -> tuple[str, str] | None:
    code, called = state(name.state), agency(name.agency)
    return (code, called) if code and called else None


def _in_one_form(names: Iterable[str]) -> list[str]:
    """Names without those that only write an earlier one of them otherwise."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(agency(name), name)
    return list(found.values())
