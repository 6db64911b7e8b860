"""Writes what a check decided to the store, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.checks.decide import Decision, Opened
from monitor.checks.facts import Reading
from monitor.matching import review
from monitor.model import DEPARTURES, Change, Fetched, ListName, Outcome, Publication, Standing, Validators
from monitor.storage.writer import Store


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check went. `entries`: how many were added to the log; `newly_held` and `asked` (doubtful pairs that are
    new): a person has something to decide."""

    list: ListName
    outcome: Outcome
    entries: int = 0
    detail: str = ""
    newly_held: bool = False
    asked: int = 0

    @property
    def needs_a_person(self) -> bool:
        return self.newly_held or self.asked > 0


def record(
    store: Store,
    list_: ListName,
    decision: Decision,
    reading: Reading | None,
    now: datetime,
    *,
    fetched: Fetched | None = None,
    act: int | None = None,
) -> CheckResult:
    """Write a decision. `fetched`: the workbook, where this look gave one; `act`: the operator's, if it is theirs,
    which is no check."""
    number = decision.publication
    if number is None:
        assert reading
        assert fetched
        number = store.publications.record(
            reading.publication, reading.meaning, fetched.content, announce=decision.announce
        )
    for held in decision.moot:
        store.publications.decide(held, now, "moot")
    if decision.hold:
        store.publications.decide(number, now, "held", decision.hold)
    entries = 0
    departed: dict[int | None, str] = {}
    if decision.outcome is Outcome.CHANGED:
        assert reading
        agreements = _record_rows(store, number, decision, reading.publication, now, act)
        departed = _record_entries(store, number, decision, agreements, now)
        entries = len(decision.changes) + len(decision.merges)
    if act is None:
        sha256 = fetched.sha256 if fetched else None
        store.checks.record(list_, now, decision.outcome, publication=number, sha256=sha256, detail=decision.detail)
        if fetched and decision.outcome is not Outcome.HELD:
            seen = Validators(fetched.url, fetched.last_modified, fetched.etag, fetched.sha256)
            store.publications.record_validators(list_, seen)
    else:
        # "Not modified" since the workbook before would not mean that this one is still there.
        store.publications.record_validators(list_, Validators())
    notes = [replace(note, about=note.about or departed[note.agreement]) for note in decision.confirmations]
    store.changelog.append(
        [(note, note.agreement) for note in notes if note.agreement],
        publication=number,
        previous=None,
        observed_at=now,
        recorded_at=now,
        announce=decision.announce,
    )
    return CheckResult(
        list_,
        decision.outcome,
        entries + len(notes),
        decision.detail,
        newly_held=decision.hold is not None,
        asked=len(decision.doubtful) if decision.announce else 0,
    )


def _record_rows(
    store: Store, number: int, decision: Decision, publication: Publication, now: datetime, act: int | None
) -> dict[int, int]:
    """Open the new agreements and write the rows; the numbers of the agreements by row."""
    assert decision.observed_at
    source = replace(publication, observed_at=decision.observed_at)
    opening = sorted({row.agreement.row for row in decision.rows if isinstance(row.agreement, Opened)})
    opened = {row: store.agreements.create(number, source, row) for row in opening}
    standings = [
        Standing(
            opened[row.agreement.row] if isinstance(row.agreement, Opened) else row.agreement, row.listing, row.spare
        )
        for row in decision.rows
    ]
    store.publications.decide(number, now, "accepted", act=act)
    store.agreements.record_listings(number, standings)
    return {standing.listing.row: standing.agreement for standing in standings}


def _record_entries(
    store: Store, number: int, decision: Decision, agreements: dict[int, int], now: datetime
) -> dict[int | None, str]:
    """Write the changes, the doubtful pairs and the merges; the entries of the departures by agreement."""
    assert decision.observed_at
    observed_at = decision.observed_at

    def append(changes: Sequence[Change], of: Sequence[int]) -> list[str]:
        return store.changelog.append(
            list(zip(changes, of, strict=True)),
            publication=number,
            previous=decision.previous,
            observed_at=observed_at,
            recorded_at=now,
            announce=decision.announce,
        )

    changed = [c.agreement or (agreements[c.after.row] if c.after else 0) for c in decision.changes]
    ids: dict[int | str, str] = {}  # of the agreements of doubtful pairs, as a pair names its entries
    for entry in (entry for pair in decision.doubtful for entry in (pair.departure, pair.arrival)):
        ids[entry] = (
            store.changelog.agreement_of(entry) if isinstance(entry, str) else store.agreements.id_of(changed[entry])
        )
    entries = append(review.with_suspects(decision.changes, decision.doubtful, ids), changed)
    for pair in decision.doubtful:
        departure = pair.departure if isinstance(pair.departure, str) else entries[pair.departure]
        store.reviews.record(departure, entries[pair.arrival], pair.reasons)
    # Where nothing told of the younger, the note stands under its id: there may be several of one older agreement.
    append([m.note for m in decision.merges], [m.older if m.note.about else m.younger for m in decision.merges])
    for merge in decision.merges:
        store.merge(merge.younger, merge.older)
    return {c.agreement: id for c, id in zip(decision.changes, entries, strict=True) if c.kind in DEPARTURES}
