"""Agreements, the ids they are known under, and the rows that list them.

The only module that writes the tables `agreements`, `aliases`, `listings` and `contents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from monitor.model import Cells, ListName, Publication, Standing
from monitor.normalize import shown, state, values
from monitor.storage.database import State, marks, moment, stamp
from monitor.storage.rows import (
    CELL_NAMES,
    CELLS,
    cells_of,
    digest,
    is_one_of,
    main_cells,
    older,
    prefixed,
    public_id,
)

_texts = attrgetter(*CELL_NAMES)  # a row's cells as a tuple; dataclasses.astuple copies deeply, and takes 20×


@dataclass(frozen=True, slots=True)
class AgreementRecord:
    """An agreement with its newest listing. `listed` names the lists whose current publication shows it.

    `aliases`: ids it was known under until they proved to be this one.
    """

    id: str
    state: str | None
    agency: str
    type: str
    county: str
    support_type: str
    signed: str
    moa: str
    addendum: str
    first_list: ListName
    first_seen: datetime
    listed_before: bool  # it was on the first list that was ever read
    listed: tuple[ListName, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgreementNames:
    """The ids an agreement is or was known under, and the (state, agency) cells that listed it, newest last."""

    ids: tuple[str, ...]
    listed_as: tuple[tuple[str, str], ...]


class Contents:
    """The contents of rows, each stored once however many listings and entries show it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._recent: dict[ListName, Mapping[Cells, int]] = {}

    def remember(self, list_: ListName, numbers: Mapping[Cells, int]) -> None:
        """Keep in memory what the current rows of a list show: the next publication shows most of it again."""
        self._recent[list_] = numbers

    def forget(self) -> None:
        """Read everything from the file again."""
        self._recent.clear()

    def numbers(self, rows: Iterable[Cells]) -> dict[Cells, int]:
        """The numbers of these rows' contents, stored where they are new."""
        rows = set(rows)
        known = {cells: n for recent in self._recent.values() for cells, n in recent.items() if cells in rows}
        hashes = {cells: digest(*_texts(cells)) for cells in rows - known.keys()}
        self._state.run_many(
            f"INSERT OR IGNORE INTO contents ({CELLS}, hash) VALUES ({', '.join('?' * 11)})",
            [(*_texts(cells), hashed) for cells, hashed in hashes.items()],
        )
        numbers: dict[bytes, int] = {}
        wanted = list(hashes.values())
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            numbers |= {
                r["hash"]: r["id"]
                for r in self._state.rows(f"SELECT hash, id FROM contents WHERE hash IN ({marks(part)})", *part)
            }
        return known | {cells: numbers[hashed] for cells, hashed in hashes.items()}


class Agreements:
    """Reads and records agreements. In this class an agreement's number is its row id, its id the permanent one.

    `records`: all of them as of now, if they were read already (see `Snapshot`).
    """

    def __init__(self, state: State, contents: Contents, *, records: tuple[AgreementRecord, ...] | None = None) -> None:
        self._state = state
        self._contents = contents
        self._records = records
        self._by_id = {id: record for record in records or () for id in (record.id, *record.aliases)}

    def all(self, *, states: Sequence[str | None] = (), as_of: datetime | None = None) -> Iterator[AgreementRecord]:
        """Every agreement ever seen, or those of some states (None: state not recognized), in the order first seen.

        Each comes with its newest listing: on the participating list if it was ever there, else on the pending list.
        `as_of`: as the lists stood then, by when each publication was first seen.
        """
        if self._records is None or as_of is not None:
            return self._read(states=states, as_of=as_of)
        return (record for record in self._records if not states or record.state in states)

    def find(self, id: str) -> AgreementRecord | None:
        """The agreement that is or was known under this id."""
        if self._records is not None:
            return self._by_id.get(id)
        return next(self._read(self.resolve(id)), None)

    def _read(
        self, id: str | None = None, *, states: Sequence[str | None] = (), as_of: datetime | None = None
    ) -> Iterator[AgreementRecord]:
        until = stamp(as_of) if as_of else "9"
        believed = (
            "SELECT {}(id) AS id, list FROM standing_publications"
            f" WHERE verdict = 'accepted' AND observed_at <= '{until}' GROUP BY list"
        )
        baselines = {r["id"] for r in self._state.rows(believed.format("min"))}
        listed = {
            ListName(r["list"]): {
                row["agreement"]
                for row in self._state.rows("SELECT agreement FROM listed WHERE publication = ?", r["id"])
            }
            for r in self._state.rows(believed.format("max"))
        }
        # Asked for each list in turn: one walk down an index to the newest publication that lists the agreement.
        # The few that are known under several ids are looked up under each.
        newest_listing = (
            "(SELECT l.content FROM listings l JOIN publications p ON p.id = l.publication"
            " WHERE l.agreement {} AND p.list = '{{0}}'"
            f" AND p.observed_at <= '{until}' ORDER BY l.publication DESC, l.spare, l.row LIMIT 1)"
        )
        every_id = "IN (SELECT a.id UNION ALL SELECT agreement FROM aliases WHERE same_as = a.id)"
        newest = (
            "CASE WHEN EXISTS (SELECT 1 FROM aliases WHERE same_as = a.id)"
            f" THEN {newest_listing.format(every_id)} ELSE {newest_listing.format('= a.id')} END"
        )
        # An agreement whose rows a rebuild no longer believes is shown as its first entry shows it.
        by_entry = (
            "(SELECT coalesce(after_content, before_content) FROM entries WHERE agreement = a.id ORDER BY seq LIMIT 1)"
        )
        where = ["a.id NOT IN (SELECT agreement FROM aliases)"]
        arguments: list[object] = []
        if id is not None:
            where.append("a.public_id = ?")
            arguments.append(id)
        if states:
            where.append(self._maybe_in(states, arguments))
        for r in self._state.rows(
            f"""
            SELECT a.id AS number, a.public_id, fp.list AS first_list, fp.observed_at AS first_seen,
                   a.publication AS first_publication, {prefixed("c")},
                   EXISTS (SELECT 1 FROM aliases WHERE same_as = a.id) AS known_under_others
            FROM agreements a
            JOIN publications fp ON fp.id = a.publication
            JOIN contents c ON c.id = coalesce({newest.format("participating")}, {newest.format("pending")}
                {f", {by_entry}" if as_of is None else ""})
            WHERE {" AND ".join(where)}
            ORDER BY a.id
            """,
            *arguments,
        ):
            cells = cells_of(r)
            if states and values(cells).state not in states:
                continue
            yield AgreementRecord(
                id=r["public_id"],
                **main_cells(cells),
                type=shown(cells.type),
                moa=cells.moa_address or shown(cells.moa),
                addendum=cells.addendum_address or shown(cells.addendum),
                first_list=ListName(r["first_list"]),
                first_seen=moment(r["first_seen"]),
                listed_before=r["first_publication"] in baselines,
                listed=tuple(name for name in ListName if r["number"] in listed.get(name, ())),
                aliases=self.known_as(r["public_id"])[1:] if r["known_under_others"] else (),
            )

    def _maybe_in(self, states: Sequence[str | None], arguments: list[object]) -> str:
        """A condition that leaves out most agreements of other states, so that not every one has to be looked up.

        Those listed now under a spelling of these states, and those that left by an entry of these states.
        """
        spellings = [
            r["state"] for r in self._state.rows("SELECT DISTINCT state FROM contents") if state(r["state"]) in states
        ]
        current = [
            r["id"]
            for r in self._state.rows(
                "SELECT max(id) AS id FROM standing_publications WHERE verdict = 'accepted' GROUP BY list"
            )
        ]
        arguments += [*current, *spellings]
        return (
            "a.id IN (SELECT l.agreement FROM listed l JOIN contents c ON c.id = l.content"
            f" WHERE l.publication IN ({marks(current)}) AND c.state IN ({marks(spellings)})"
            f" UNION SELECT {older('entries.agreement')} FROM entries WHERE kind IN ('terminated', 'dropped')"
            f" AND {is_one_of('state', states, arguments)})"
        )

    def resolve(self, id: str) -> str:
        """The id an agreement is known under now: that of the older one, where the two proved to be one."""
        same_as = self._state.value(
            "SELECT o.public_id FROM aliases x JOIN agreements a ON a.id = x.agreement"
            " JOIN agreements o ON o.id = x.same_as WHERE a.public_id = ?",
            id,
        )
        return same_as or id

    def known_as(self, id: str) -> tuple[str, ...]:
        """The id an agreement is known under now, and those that lead to it."""
        current = self.resolve(id)
        younger = self._state.rows(
            "SELECT a.public_id FROM aliases x JOIN agreements a ON a.id = x.agreement"
            " JOIN agreements o ON o.id = x.same_as WHERE o.public_id = ? ORDER BY a.id",
            current,
        )
        return current, *(r["public_id"] for r in younger)

    def names(self, id: str) -> AgreementNames | None:
        """Every name of an agreement; None where nothing has this id."""
        ids = self.known_as(id)
        known = f"agreement IN (SELECT id FROM agreements WHERE public_id IN ({marks(ids)}))"
        rows = self._state.rows(
            f"""
            SELECT c.state, c.agency FROM (
                SELECT content, publication AS seen FROM listings WHERE {known}
                UNION ALL SELECT after_content, publication FROM entries WHERE {known}
                UNION ALL SELECT before_content, publication - 1 FROM entries WHERE {known}) x
            JOIN contents c ON c.id = x.content GROUP BY c.state, c.agency ORDER BY max(x.seen)
            """,
            *ids * 3,
        )
        return AgreementNames(ids, tuple((r["state"], r["agency"]) for r in rows)) if rows else None

    def exists(self, id: str) -> bool:
        """Whether an agreement is or was known under this id."""
        return bool(self._state.value("SELECT 1 FROM agreements WHERE public_id = ?", id))

    def number(self, id: str) -> int:
        """The number of the agreement with this id."""
        return int(self._state.value("SELECT id FROM agreements WHERE public_id = ?", id))

    def id_of(self, number: int) -> str:
        """The id of the agreement with this number."""
        return str(self._state.value("SELECT public_id FROM agreements WHERE id = ?", number))

    def first_seen(self, number: int) -> datetime:
        """When an agreement was first listed."""
        return moment(
            self._state.value(
                "SELECT p.observed_at FROM agreements a JOIN publications p ON p.id = a.publication WHERE a.id = ?",
                number,
            )
        )

    def create(self, publication: int, source: Publication, row: int) -> int:
        """Record an agreement that was never seen before, with an id from its first listing; returns its number."""
        id = public_id("a", source.list, source.sha256, str(row))
        if self.exists(id):
            # The same bytes were believed twice, and this row continued nobody the second time.
            id = public_id("a", source.list, source.sha256, str(row), stamp(source.observed_at))
        return self._add(id, publication, row)

    def copy(self, id: str, publication: int, row: int) -> None:
        """Record an id of another state.db, leading to the agreement that its first row lists here, if any."""
        now = self._state.value("SELECT agreement FROM listed WHERE publication = ? AND row = ?", publication, row)
        number = self._add(id, publication, row)
        if now:
            self.merge(number, now)

    def _add(self, id: str, publication: int, row: int) -> int:
        return self._state.run(
            "INSERT INTO agreements (public_id, publication, row) VALUES (?, ?, ?)", id, publication, row
        )

    def merge(self, younger: int, older: int) -> None:
        """From now on the younger agreement's id leads to the older one, as do those that led to the younger."""
        self._state.run("UPDATE aliases SET same_as = ? WHERE same_as = ?", older, younger)
        self._state.run("INSERT INTO aliases (agreement, same_as) VALUES (?, ?)", younger, older)

    def record_listings(self, publication: int, standings: Sequence[Standing]) -> None:
        """Record the rows of an accepted publication, each under its agreement."""
        contents = self._contents.numbers(s.listing.cells for s in standings)
        self._state.run_many(
            "INSERT INTO listings (publication, row, content, agreement, spare) VALUES (?, ?, ?, ?, ?)",
            [(publication, s.listing.row, contents[s.listing.cells], s.agreement, int(s.spare)) for s in standings],
        )
