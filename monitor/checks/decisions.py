"""Carries out what an operator decides about held publications, doubtful pairs and wrong entries.

Each is one transaction that also records the act itself, since acts are what `rebuild` starts from, with the workbooks
and the checks. Nothing that the log says is edited: a decision appends to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from monitor.checks import changes
from monitor.checks.check import believe, standings
from monitor.checks.decide import Rules
from monitor.checks.record import CheckResult
from monitor.errors import LayoutChanged, NotPossible, WorkbookError
from monitor.model import (
    TAKEN_BACK,
    Act,
    Change,
    Entry,
    Fetched,
    HeldPublication,
    Kind,
    Listing,
    Publication,
    Source,
)
from monitor.normalize import listing
from monitor.storage.publications import PublicationRecord
from monitor.storage.reviews import ReviewRecord
from monitor.storage.writer import Store
from monitor.workbooks.choice import keys
from monitor.workbooks.sandbox import Reader

NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


def accept(
    store: Store,
    reader: Reader,
    id: str,
    *,
    now: datetime,
    rules: Rules,
    why: str = "",
    columns: Mapping[str, str] = NO_COLUMNS,
) -> CheckResult:
    """Believe a held publication, at the time when it was seen. Raises NotPossible where its rows are of no use.

    `columns`: what its columns are (header → ICE's name), from now on too; "" takes back what was said. Raises
    ValueError for a name that no column has.
    """
    publication = store.publications.get(id)
    read = _read(store, reader, publication, columns)
    with store.write():
        return _accept(store, read, id, now, rules, why, columns)


def rehearse(
    store: Store, reader: Reader, id: str, *, now: datetime, rules: Rules, columns: Mapping[str, str] = NO_COLUMNS
) -> tuple[Entry, ...]:
    """The entries that accepting a held publication would add to the log. Raises as `accept` does."""
    read = _read(store, reader, store.publications.get(id), columns)
    before = store.changelog.position()
    with store.rehearse():
        _accept(store, read, id, now, rules, "", columns)
        return tuple(store.changelog.entries(after=before))


def _read(store: Store, reader: Reader, publication: PublicationRecord, columns: Mapping[str, str]) -> Publication:
    kept = Fetched(
        publication.url, publication.file, store.publications.workbook(publication.sha256), publication.sha256
    )
    known = keys(s.listing for s in standings(store, publication.list))
    instead = "`publications reject` it, or wait until ICE replaces it"
    say = f'if it calls a column otherwise, say so (`publications accept {publication.id} --column "HEADER=COLUMN"`)'
    named = {header: name for header, name in (store.acts.columns(publication.list) | dict(columns)).items() if name}
    try:
        columns_of, read = reader.read(
            kept, publication.observed_at, asked=publication.list, known=known, columns=named
        )
    except LayoutChanged as exc:
        lacks = ", ".join(exc.missing)
        raise NotPossible(publication.id, f"cannot be accepted: it lacks {lacks}; {say}, or {instead}") from exc
    except WorkbookError as exc:
        raise NotPossible(publication.id, f"cannot be accepted: {exc.what or exc}; {instead}") from exc
    if columns_of is not publication.list:
        what = f"cannot be accepted as the {publication.list} list: its columns are those of the {columns_of} list"
        raise NotPossible(publication.id, f"{what}; {say}, or {instead}")
    return read


def _accept(
    store: Store, read: Publication, id: str, now: datetime, rules: Rules, why: str, columns: Mapping[str, str]
) -> CheckResult:
    held = _unbelieved(store, id)
    act = store.acts.record(now, Act.ACCEPT, id, why)
    store.acts.name_columns(act, read.list, columns)
    return believe(store, held, read, now=now, rules=rules, act=act)


def reject(store: Store, id: str, *, now: datetime, why: str = "") -> None:
    """Never believe a held publication, however long ICE serves it."""
    with store.write():
        held = _unbelieved(store, id)
        store.publications.decide(
            held.publication, now, "rejected", held.hold, act=store.acts.record(now, Act.REJECT, id, why)
        )


def _unbelieved(store: Store, id: str) -> HeldPublication:
    held = store.publications.unbelieved(id)
    if held is None:
        verdict = store.publications.get(id).verdict
        why = "a later one is believed" if verdict in ("held", "rejected") else f"it is {verdict}"
        raise NotPossible(id, f"cannot be decided on: {why}; `publications list --held` prints what waits")
    return held


def different(store: Store, id: str, *, now: datetime, why: str = "") -> None:
    """The two of a review are two: the departure is confirmed as any other."""
    with store.write():
        _unanswered(store.reviews.get(id))
        store.acts.record(now, Act.DIFFERENT, id, why)


def same(store: Store, id: str, *, now: datetime, why: str = "") -> None:
    """The two of a review are one: the departure is withdrawn, the arrival merged, one id leads to the other."""
    with store.write():
        review = store.reviews.get(id)
        _unanswered(review)
        departure, arrival = review.departure, review.arrival
        for entry in (departure, arrival):
            if entry.status in (*TAKEN_BACK, "confirmed"):
                raise NotPossible(id, f"is settled: {entry.id} ({entry.kind}) is {entry.status}")
        store.acts.record(now, Act.SAME, id, why)
        older, younger = sorted(
            store.agreements.number(store.agreements.resolve(entry.agreement)) for entry in (departure, arrival)
        )
        before, after = _before(departure), _after(arrival)
        assert before
        assert after
        fields = changes.field_changes(before, after)
        reason = f"an operator found that the two are one agreement{f': {why}' if why else ''}"
        notes = [
            Change(kind, older, before=before, after=after, fields=fields, reasons=(reason,), about=about.id)
            for kind, about in ((Kind.WITHDRAWN, departure), (Kind.MERGED, arrival))
        ]
        _append(
            store, notes, older, arrival.publication, departure.previous, now, departure.announce or arrival.announce
        )
        store.merge(younger, older)


def _unanswered(review: ReviewRecord) -> None:
    if review.answer:
        raise NotPossible(review.id, f"was answered already: {review.answer}")


def retract(store: Store, id: str, *, now: datetime, why: str) -> None:
    """Say that an entry was wrong from the start; subscribers who were told of it are told so."""
    with store.write():
        entry = store.changelog.get(id)
        if entry.kind.is_note or entry.status in TAKEN_BACK:
            what = "a note" if entry.kind.is_note else f"{entry.status} already"
            raise NotPossible(id, f"is {what}; only an entry that still stands can be retracted")
        store.acts.record(now, Act.RETRACT, id, why)
        append_retraction(store, entry, f"this was wrong: {why}", now, announce=entry.announce)


def append_retraction(store: Store, entry: Entry, reason: str, now: datetime, *, announce: bool) -> None:
    """The note that takes an entry back; inside the caller's transaction."""
    agreement = store.agreements.number(store.agreements.resolve(entry.agreement))
    note = Change(
        Kind.RETRACTED, agreement, before=_before(entry), after=_after(entry), reasons=(reason,), about=entry.id
    )
    _append(store, [note], agreement, entry.publication, entry.previous, now, announce)


def _append(
    store: Store,
    notes: Sequence[Change],
    agreement: int,
    publication: Source,
    previous: Source | None,
    now: datetime,
    announce: bool,
) -> None:
    store.changelog.append(
        [(note, agreement) for note in notes],
        publication=store.publications.number(publication.id),
        previous=store.publications.number(previous.id) if previous else None,
        observed_at=now,
        recorded_at=now,
        announce=announce,
    )


def _before(entry: Entry) -> Listing | None:
    """The row that an entry shows as it was, in the publication before."""
    row = entry.previous.row if entry.previous else entry.publication.row
    return listing(row or 0, entry.before) if entry.before else None


def _after(entry: Entry) -> Listing | None:
    return listing(entry.publication.row or 0, entry.after) if entry.after else None
