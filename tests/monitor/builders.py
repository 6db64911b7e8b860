"""Lists, publications and a service on them, built in a line each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.workbooks import Linked, Row, workbook
from monitor.checks.check import run_check
from monitor.checks.decide import Rules
from monitor.checks.record import CheckResult
from monitor.model import Cells, Change, Entry, Fetched, Kind, Listing, ListName, NotLinked, NotModified, Validators
from monitor.normalize import listing
from monitor.storage.writer import Store, open_store
from monitor.workbooks.sandbox import Reader

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING


def cells(agency: str = "Quillmarsh County Sheriff's Office", **others: str) -> Cells:
    """A row's cells; a Georgia county's task force agreement unless said otherwise."""
    usual = Cells(
        state="GEORGIA",
        agency=agency,
        type="County",
        county="Quillmarsh County",
        support_type="Task Force Model",
        signed="2025-02-14",
        moa="link pending",
    )
    return replace(usual, **others)


def listings(*rows: Cells) -> tuple[Listing, ...]:
    """Rows as they stand in a sheet below its header."""
    return tuple(listing(number, row) for number, row in enumerate(rows, start=2))


@dataclass
class Scripted:
    """A source that gives what the test says next."""

    answers: dict[ListName, Fetched | NotModified | NotLinked | Exception] = field(default_factory=dict)

    def fetch(self, list_: ListName, since: Validators) -> Fetched | NotModified | NotLinked:
        answer = self.answers.get(list_, NotLinked("page"))
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Service:
    """state.db, a reader, and a source whose workbooks are written row by row."""

    store: Store
    reader: Reader
    source: Scripted = field(default_factory=Scripted)
    now: datetime = NOON
    rules: Rules = field(default_factory=Rules)
    announce: bool = True

    def publishes(self, *rows: Cells, list_: ListName = PARTICIPATING, saved: datetime | None = None) -> Fetched:
        """From now on the source gives a workbook with these rows."""
        content = workbook(list_, [as_row(row) for row in rows], saved=saved or self.now, title="SAMPLE")
        return self.gives(content, list_)

    def gives(self, content: bytes, list_: ListName = PARTICIPATING) -> Fetched:
        """From now on the source gives these bytes."""
        fetched = Fetched("https://ice.test/list.xlsx", "list.xlsx", content, hashlib.sha256(content).hexdigest())
        self.source.answers[list_] = fetched
        return fetched

    def check(self, list_: ListName = PARTICIPATING, *, after: timedelta = timedelta()) -> CheckResult:
        """Look at one list, some time after the last look."""
        self.now += after
        return run_check(
            self.source, self.reader, self.store, list_, now=self.now, rules=self.rules, announce=self.announce
        )

    def sees(self, *rows: Cells, list_: ListName = PARTICIPATING, after: timedelta = timedelta(hours=1)) -> CheckResult:
        """A publication with these rows, looked at some time after the last look."""
        self.now += after
        self.publishes(*rows, list_=list_)
        return self.check(list_)

    def log(self) -> list[Entry]:
        """All entries, oldest first."""
        return list(self.store.entries())

    def told(self) -> list[tuple[Kind, str]]:
        """All entries as (kind, agency)."""
        return [(entry.kind, entry.agency) for entry in self.log()]


@contextmanager
def service(folder: Path, reader: Reader) -> Iterator[Service]:
    """A service on a new state.db in a folder."""
    with open_store(folder / "state.db") as store:
        yield Service(store, reader)


def as_row(row: Cells) -> Row:
    """Cells as the workbook builder takes them."""
    return Row(
        state=row.state,
        agency=row.agency,
        type=row.type,
        county=row.county,
        support_type=row.support_type,
        signed=row.signed,
        moa=Linked(row.moa, row.moa_address) if row.moa_address else row.moa,
        addendum=Linked(row.addendum, row.addendum_address) if row.addendum_address else row.addendum,
    )


def kinds(entries: Sequence[Entry]) -> list[Kind]:
    """The kinds of entries in their order."""
    return [entry.kind for entry in entries]


def kinds_of(changes: Sequence[Change]) -> list[tuple[Kind, int | None]]:
    """The kinds of changes with the numbers of their agreements, in their order."""
    return [(change.kind, change.agreement) for change in changes]
