"""Agencies, each with all agreements that it ever had.

ICE lists agreements, and the log follows agreements. An agency is all agreements of one state that are connected by
comparable names: a name that one of them was ever listed under connects it to every other with that name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.model import ListName
from monitor.normalize import agency, county, shown, state
from monitor.storage.log import Log
from monitor.storage.rows import older


@dataclass(frozen=True, slots=True)
class AgreementName:
    """Cells that listed an agreement, and the newest publication that did, by number. `agreement`: by number."""

    agreement: int
    state: str
    agency: str
    county: str
    seen: int


@dataclass(frozen=True, slots=True)
class AgencyRecord:
    """An agency: its newest name, its earlier names (newest first), where it is, and its agreements (oldest first).

    `id`: of its oldest agreement. `counties`: comparable name and name as shown. `listed`, `pending`: how many
    agreements each list shows now.
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
    """Every agency, in the order first seen. Takes some 40 ms for the lists of 2025."""
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
    records = []
    for names in _by_agency(_names(log)):  # by their oldest agreements
        newest_first = sorted(names, key=lambda n: (-n.seen, n.agreement))
        numbers = sorted({name.agreement for name in names})
        called = _without_spellings(shown(name.agency) for name in newest_first)
        records.append(
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
    return tuple(records)


def _names(log: Log) -> list[AgreementName]:
    """The cells that ever listed each agreement: what it was first listed as, what entries say, and second listings.

    `Agreements.names` reads the same for one agreement. A row that changes makes an entry, so that not every listing
    has to be read.
    """
    return [
        AgreementName(r["agreement"], r["state"], r["agency"], r["county"], r["seen"])
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


def _by_agency(names: Iterable[AgreementName]) -> list[list[AgreementName]]:
    """Names grouped by agency: the connected components of agreements and their comparable names."""
    of: dict[object, list[AgreementName]] = defaultdict(list)
    for name in names:
        of[name.agreement].append(name)
        if key := _key(name):
            of[key].append(name)
    seen: set[object] = set()
    agencies = []
    for start in sorted(n for n in of if isinstance(n, int)):
        if start in seen:
            continue
        waiting: list[object] = [start]
        together: set[AgreementName] = set()
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            together.update(of[node])
            waiting += [n for name in of[node] for n in (name.agreement, _key(name)) if n]
        agencies.append(list(together))
    return agencies


def _key(name: AgreementName) -> tuple[str, str] | None:
    code, called = state(name.state), agency(name.agency)
    return (code, called) if code and called else None


def _without_spellings(names: Iterable[str]) -> list[str]:
    """Names without those that are only another spelling of an earlier one."""
    newest: dict[str, str] = {}
    for name in names:
        newest.setdefault(agency(name), name)
    return list(newest.values())
