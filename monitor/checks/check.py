"""One check: look at one list of the source, gather what is on record, decide, record.

Facts are read and the decision is written in one transaction, so that two checks at once cannot build on the same
past, and a crash leaves either all of a check or nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.checks import plausibility
from monitor.checks.decide import Rules, decide
from monitor.checks.facts import Facts, Reading
from monitor.checks.identify import back_under_a_key
from monitor.checks.record import CheckResult, record
from monitor.errors import SourceError, WorkbookError
from monitor.model import (
    Fetched,
    HeldPublication,
    Hold,
    Kind,
    Listing,
    ListName,
    NotLinked,
    NotModified,
    Outcome,
    Publication,
    SourceOfLists,
    Standing,
)
from monitor.storage.writer import Store
from monitor.workbooks.choice import keys
from monitor.workbooks.sandbox import Reader


def run_check(
    source: SourceOfLists,
    reader: Reader,
    store: Store,
    list_: ListName,
    *,
    now: datetime,
    rules: Rules,
    announce: bool = True,
) -> CheckResult:
    """Look at one list. Whatever the source or the workbook does wrong is an outcome here, not an exception.

    Raises StateError where state.db cannot be used; nothing of the check is recorded then.
    """
    try:
        answer = source.fetch(list_, store.publications.validators(list_))
    except SourceError as exc:
        with store.write():
            store.checks.record(list_, now, Outcome.FAILED, detail=str(exc))
        return CheckResult(list_, Outcome.FAILED, detail=str(exc))
    if isinstance(answer, NotLinked):
        with store.write():
            store.checks.record(list_, now, Outcome.NOT_LINKED)
        return CheckResult(list_, Outcome.NOT_LINKED)
    fetched = None if isinstance(answer, NotModified) else answer
    reading = None
    if fetched:
        reading = _read(reader, fetched, list_, now, standings(store, list_), store.acts.columns(list_))
    with store.write():
        facts = gather(store, list_, reading, rules, now, announce=announce)
        return record(store, list_, decide(facts, reading, rules, now), reading, now, fetched=fetched)


def believe(
    store: Store, held: HeldPublication, publication: Publication, *, now: datetime, rules: Rules, act: int
) -> CheckResult:
    """Record a held publication on an operator's word, as of when it was seen; inside the caller's transaction.

    It may read otherwise now, since the operator says what its columns are.
    """
    reading = Reading(publication, meaning(publication.listings))
    store.publications.read_again(held.publication, publication, reading.meaning)
    facts = gather(store, publication.list, reading, rules, now, announce=held.announce, accepting=held)
    return record(store, publication.list, decide(facts, reading, rules, now), reading, now, act=act)


def standings(store: Store, list_: ListName) -> tuple[Standing, ...]:
    """The agreements of a list as they are believed now."""
    current = store.current(list_)
    return tuple(current.standings) if current else ()


def _read(
    reader: Reader,
    fetched: Fetched,
    list_: ListName,
    now: datetime,
    before: Sequence[Standing],
    columns: Mapping[str, str],
) -> Reading:
    """What a workbook says; or, of one that cannot be the list that it was linked as, why.

    `before`: the list now. `columns`: what an operator said that columns are.
    """
    known = keys(s.listing for s in before)
    try:
        columns_of, publication = reader.read(fetched, now, asked=list_, known=known, columns=columns)
    except WorkbookError as exc:
        nothing = Publication(list_, fetched.sha256, fetched.url, fetched.file, now, None, ())
        return Reading(nothing, "", Hold((f"The workbook cannot be believed: {exc}.",), structural=True))
    if columns_of is not list_:
        publication = replace(publication, list=list_)
    structural = plausibility.structure(list_, columns_of, publication.listings, before)
    return Reading(publication, meaning(publication.listings), structural)


def meaning(listings: Sequence[Listing]) -> str:
    """What a publication says, as a hash: its rows' cells and addresses, in whatever order they stand."""
    rows = sorted(repr(listing.cells) for listing in listings)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _seen_at(store: Store, list_: ListName) -> datetime | None:
    """When a list was last checked successfully."""
    return next((check.succeeded_at for check in store.checks.last() if check.list is list_), None)


def gather(
    store: Store,
    list_: ListName,
    reading: Reading | None,
    rules: Rules,
    now: datetime,
    *,
    announce: bool,
    accepting: HeldPublication | None = None,
) -> Facts:
    """Read what is on record; for rows that are those of the list now, only what confirmations need."""
    held = store.publications.held(list_)
    departures = store.departures(list_)
    # Confirmations count from when a departure was seen, which may have been in a publication that was held then.
    since = [d.observed_at for d in departures if not d.confirmed]
    since += [h.observed_at for h in (*held, *([accepting] if accepting else []))]
    facts = Facts(
        list_,
        announce,
        store.current(list_),
        held,
        departures,
        earlier_checks=store.checks.since(list_, min(since)) if since else (),
        open_reviews=store.reviews.unanswered(),
        other_list_seen_at=_seen_at(store, ListName.PARTICIPATING) if list_ is ListName.PENDING and since else None,
        accepting=accepting,
    )
    if reading is None:
        return facts
    publication = reading.publication
    if not accepting:
        facts = replace(facts, rejected=store.publications.rejected(list_, publication.sha256, reading.meaning))
        if reading.structural or (facts.current and facts.current.meaning == reading.meaning):
            return facts
    facts = replace(
        facts,
        served_before=store.publications.was_accepted(list_, publication.sha256),
        rows_believed_before=store.publications.rows_were_accepted(list_, reading.meaning),
    )
    if list_ is ListName.PARTICIPATING:
        facts = replace(
            facts,
            arrivals=store.changelog.arrivals(Kind.NEW),
            other_departures=store.departures(ListName.PENDING),
            applications=store.applications(),
        )
    else:
        facts = replace(
            facts,
            arrivals=store.changelog.arrivals(Kind.APPLIED),
            other_departures=store.departures(ListName.PARTICIPATING),
            participating=store.current(ListName.PARTICIPATING),
            listed_without_application=store.listed_without_application(),
        )
    if facts.current is None:
        return facts
    back, departed = back_under_a_key(facts, publication.listings)
    beside = store.side_by_side(set().union(*back.values()), departed) if back else {}
    return replace(
        facts, listed_beside={k: frozenset().union(*(beside[one] for one in ones)) for k, ones in back.items()}
    )
