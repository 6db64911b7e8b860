"""A log on a real state.db, written through the store as a check writes it; and a reader's browser on it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from monitor.checks.changes import field_changes, weightiest
from monitor.model import (
    AgencyStanding,
    Cells,
    Change,
    Entry,
    Hold,
    Kind,
    Listing,
    ListName,
    Outcome,
    Publication,
    Relation,
    Significance,
    Standing,
)
from monitor.normalize import listing
from monitor.settings import Settings
from monitor.storage.writer import open_store
from web.app import create_app

PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING


def at(text: str) -> datetime:
    """A moment in UTC: "2025-08-11 14:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def row(agency: str = "Quillmarsh County Sheriff's Office", **others: str) -> Cells:
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


def document(name: str) -> str:
    return f"https://www.ice.gov/doclib/287gMOA/{name}"


@dataclass(frozen=True, slots=True)
class Edit:
    """What a publication does to one agreement."""

    kind: Kind
    agreement: int | None
    cells: Cells | None = None
    reasons: tuple[str, ...] = ()
    about: str | None = None
    pending_since: datetime | None = None
    # Left out of the repr, which makes up the content of the publication.
    relation: Relation | None = field(default=None, repr=False)
    standing: AgencyStanding | None = field(default=None, repr=False)


def new(cells: Cells, *, agreement: int | None = None, pending_since: datetime | None = None) -> Edit:
    return Edit(Kind.NEW, agreement, cells, pending_since=pending_since)


def applied(cells: Cells) -> Edit:
    return Edit(Kind.APPLIED, None, cells)


def changed(agreement: int, cells: Cells, *reasons: str) -> Edit:
    return Edit(Kind.CHANGED, agreement, cells, reasons)


def gone(agreement: int) -> Edit:
    return Edit(Kind.TERMINATED, agreement)


def dropped(agreement: int) -> Edit:
    return Edit(Kind.DROPPED, agreement)


def returned(agreement: int, cells: Cells) -> Edit:
    return Edit(Kind.RETURNED, agreement, cells)


def confirmed(agreement: int, about: Entry) -> Edit:
    return Edit(Kind.CONFIRMED, agreement, about=about.id)


def approved(agreement: int, about: Entry) -> Edit:
    return Edit(Kind.APPROVED, agreement, about=about.id)


def withdrawn(agreement: int, about: Entry) -> Edit:
    return Edit(Kind.WITHDRAWN, agreement, about=about.id)


def retracted(agreement: int, about: Entry) -> Edit:
    return Edit(Kind.RETRACTED, agreement, about=about.id)


@dataclass
class Log:
    """Publications and checks, each in a line. Agreements are known by their numbers: 1, 2, 3 …"""

    path: Path
    _rows: dict[ListName, dict[int, Listing]] = field(default_factory=dict)
    _last: dict[int, Listing] = field(default_factory=dict)
    _previous: dict[ListName, int] = field(default_factory=dict)

    def begins(self, moment: datetime, *rows: Cells, list_: ListName = PARTICIPATING) -> None:
        """The first list that is read: its agreements were there before."""
        self._publish(moment, [new(cells) for cells in rows], list_, moment, silent=True)

    def publishes(
        self,
        moment: datetime,
        *edits: Edit,
        list_: ListName = PARTICIPATING,
        recorded_at: datetime | None = None,
    ) -> list[Entry]:
        """A list that differs in these edits, and what it adds to the log."""
        return self._publish(moment, edits, list_, recorded_at or moment, silent=False)

    def looks(self, moment: datetime, outcome: Outcome = Outcome.UNCHANGED, list_: ListName = PARTICIPATING) -> None:
        """One more check of a list."""
        with open_store(self.path) as store, store.write():
            store.checks.record(list_, moment, outcome)

    def _publish(
        self, moment: datetime, edits: Sequence[Edit], list_: ListName, recorded_at: datetime, *, silent: bool
    ) -> list[Entry]:
        rows = dict(self._rows.get(list_, {}))
        name = f"{list_}-{moment:%Y%m%d%H%M}.xlsx"
        content = f"{name} {edits}".encode()
        publication = Publication(
            list_,
            hashlib.sha256(content).hexdigest(),
            f"https://www.ice.gov/doclib/about/offices/ero/287g/{name}",
            name,
            moment,
            None,
            (),
        )
        with open_store(self.path) as store, store.write():
            position = store.changelog.position()
            number = store.publications.record(publication, publication.sha256, content)
            if recorded_at != moment:
                store.publications.decide(
                    number, moment, "held", Hold(("Too many rows gone: 40 of 300.",), structural=False)
                )
            store.publications.decide(number, recorded_at, "accepted")
            changes: list[tuple[Change, int]] = []
            for edit in edits:
                at_row = max((r.row for r in rows.values()), default=1) + 1
                agreement = edit.agreement or store.agreements.create(number, publication, at_row)
                before = rows.get(agreement) or self._last.get(agreement)
                after = None
                if edit.cells:
                    kept = rows.get(agreement)
                    after = listing(kept.row if kept else at_row, edit.cells)
                    rows[agreement] = self._last[agreement] = after
                elif not edit.about:
                    rows.pop(agreement, None)
                changes.append((_change(edit, agreement, before, after), agreement))
            store.agreements.record_listings(number, [Standing(agreement, row) for agreement, row in rows.items()])
            if not silent:
                store.changelog.append(
                    changes,
                    publication=number,
                    previous=self._previous.get(list_),
                    observed_at=moment,
                    recorded_at=recorded_at,
                    announce=True,
                )
            store.checks.record(list_, recorded_at, Outcome.CHANGED, publication=number, sha256=publication.sha256)
            added = list(store.changelog.entries(after=position))
        self._rows[list_], self._previous[list_] = rows, number
        return added


def _change(edit: Edit, agreement: int, before: Listing | None, after: Listing | None) -> Change:
    arrives = edit.kind in (Kind.NEW, Kind.APPLIED)
    fields = field_changes(before, after) if before and after and not arrives else ()
    weight = weightiest(fields) if edit.kind is Kind.CHANGED else Significance.SUBSTANTIVE
    return Change(
        edit.kind,
        agreement,
        before=None if arrives else before,
        after=after,
        fields=fields,
        significance=weight,
        reasons=edit.reasons,
        pending_since=edit.pending_since,
        about=edit.about,
        relation=edit.relation,
        agency_standing=edit.standing,
    )


@dataclass
class Page:
    """What a browser was sent."""

    status: int
    headers: dict[str, str]
    html: str

    @property
    def text(self) -> str:
        """The words of the page, without those of its title."""
        body = LexborHTMLParser(self.html).body
        return _one_line(body.text(separator=" ")) if body else ""

    def all(self, selector: str) -> list[str]:
        """The words of each element that a CSS selector finds."""
        return [_one_line(node.text(separator=" ")) for node in LexborHTMLParser(self.html).css(selector)]

    def one(self, selector: str) -> str:
        """The words of the only such element."""
        (found,) = self.all(selector)
        return found

    def links(self, selector: str = "a") -> list[str]:
        """Where the links lead that a CSS selector finds."""
        return [str(node.attributes.get("href")) for node in LexborHTMLParser(self.html).css(selector)]


def _one_line(text: str) -> str:
    return re.sub(r" (?=[.,:;)])", "", " ".join(text.split()))


@dataclass
class Browser:
    """Reads the pages of a log at `now`."""

    client: FlaskClient

    def get(self, address: str) -> Page:
        return self.ask("GET", address)

    def ask(self, method: str, address: str) -> Page:
        with self.client.open(address, method=method) as answer:
            return Page(answer.status_code, dict(answer.headers), answer.get_data(as_text=True))


def browser(path: Path, now: datetime) -> Browser:
    """A browser on the log at `path`."""
    return Browser(create_app(Settings(state=path), lambda: now).test_client())
