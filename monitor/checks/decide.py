"""Pure: decides everything that a check records, from what is on record and what was read. No store and no clock.

Three steps: `check.gather` reads the `Facts` in one go, `decide` makes of them a `Decision`, `record.record` writes
it. All facts can be read beforehand, so that deciding needs no read in between: what depends on keys (who was listed
beside whom) is asked for by the keys of the rows, and the entries that told of agreements come as one map (about
1 ms). What has no number or id before it is written is named by the row or the change that makes it: `Opened`, and
in `Decision` the entries that a doubtful pair and a confirmation are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.checks import changes as diff
from monitor.checks import plausibility
from monitor.checks.facts import Facts, Reading
from monitor.checks.identify import Identified, identify, under_another_model, under_two_names
from monitor.matching import review
from monitor.matching.evidence import AS_IT_LEFT, LATER
from monitor.matching.matcher import match, rejoin, under_one_key
from monitor.model import (
    DEPARTURES,
    Change,
    Current,
    Departure,
    HeldPublication,
    Hold,
    Listing,
    ListName,
    Match,
    Matching,
    Outcome,
    Publication,
    Standing,
)

CONFIRM_AFTER = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator may set: when to hold a publication, and when a departure is confirmed."""

    limits: plausibility.Limits = field(default_factory=plausibility.Limits)
    confirm_after: timedelta = CONFIRM_AFTER


@dataclass(frozen=True, slots=True)
class Opened:
    """The agreement that a row of the publication opens; it gets its number when it is recorded."""

    row: int


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A row of a believed publication and its agreement. `spare`: a second row of an agreement."""

    listing: Listing
    agreement: int | Opened
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """Two agreements that proved to be one: the younger id leads to the older. `note` says so in the log."""

    younger: int
    older: int
    note: Change


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything to record.

    `publication`: the number of the one that this is about, None for one that is recorded now. `previous`: of the one
    believed before. `changes` without an agreement are of the one that their row opens. `doubtful` names entries by
    their place among `changes`, or by id. `confirmations` without `about` are of the departure of that agreement among
    `changes`.
    """

    outcome: Outcome
    announce: bool
    publication: int | None = None
    detail: str = ""
    hold: Hold | None = None  # why the publication is held from now on; None where it was held before
    moot: tuple[int, ...] = ()  # numbers of held publications that there is nothing more to decide about
    # Where the publication is believed (outcome "changed"):
    previous: int | None = None
    observed_at: datetime | None = None
    rows: tuple[ListedRow, ...] = ()
    changes: tuple[Change, ...] = ()
    doubtful: tuple[review.Pair, ...] = ()
    merges: tuple[Merge, ...] = ()
    # Where it is believed, or the list is as it was:
    confirmations: tuple[Change, ...] = ()


def decide(facts: Facts, reading: Reading | None, rules: Rules, now: datetime) -> Decision:
    """What to record of one look at a list, or of an operator's word on a held publication (`facts.accepting`).

    `reading` is None where the source said that the workbook is the one recorded last.
    """
    if reading is None:
        return _unchanged(facts, rules, now)
    publication = reading.publication
    if held := facts.accepting:
        # On an operator's word, it is no look at the source.
        return _believe(facts, publication, _matching(facts, publication), rules, now, held)
    if reading.structural:
        return _hold(facts, publication, reading.structural)
    if facts.current and facts.current.meaning == reading.meaning:
        return _unchanged(facts, rules, now)
    if facts.rejected:
        return _still_rejected(facts.rejected, facts.announce)
    matching = _matching(facts, publication)
    if facts.current is None:
        return _believe(facts, publication, matching, rules, now)
    again = _held_before(facts, publication)
    doubt = _doubt(facts, facts.current, matching, rules.limits)
    if doubt and not _released(facts, doubt, again, rules, now):
        return _hold(facts, publication, doubt)
    return _believe(facts, publication, matching, rules, now, again)


def _matching(facts: Facts, publication: Publication) -> Matching:
    """The rows of a publication beside those that are believed now."""
    return match(facts.current.standings if facts.current else (), publication.listings, facts.listed_beside)


def _doubt(facts: Facts, current: Current, matching: Matching, limits: plausibility.Limits) -> Hold | None:
    """Why the list is not plausible after the current one, unless it repairs that one."""
    before = len(current.standings)
    if facts.list is ListName.PENDING:
        return plausibility.pending(matching, before, limits)
    hold = plausibility.plausibility(matching, before, served_before=facts.served_before, limits=limits)
    if hold is None:
        return None
    returned = len(identify(facts, matching).returned)
    return plausibility.unless_repair(hold, matching, returned=returned, believed_before=facts.rows_believed_before)


# --- not believed ----------------------------------------------------------------------------------------------


def _hold(facts: Facts, publication: Publication, hold: Hold) -> Decision:
    """Keep the bytes and the reasons, and believe nothing of it."""
    if facts.rejected:
        return _still_rejected(facts.rejected, facts.announce)
    again = _held_before(facts, publication)
    return Decision(
        Outcome.HELD,
        facts.announce,
        publication=again.publication if again else None,
        detail=" ".join(hold.reasons),
        hold=None if again else hold,
    )


def _still_rejected(rejected: HeldPublication, announce: bool) -> Decision:
    detail = f"An operator rejected this workbook ({rejected.id}), and it is still what ICE serves."
    return Decision(Outcome.HELD, announce, publication=rejected.publication, detail=detail)


def _held_before(facts: Facts, publication: Publication) -> HeldPublication | None:
    """The held publication that has these bytes, if it is the newest held one."""
    newest = facts.held[-1] if facts.held else None
    return newest if newest and newest.sha256 == publication.sha256 else None


def _released(facts: Facts, hold: Hold, again: HeldPublication | None, rules: Rules, now: datetime) -> bool:
    waiting = [h for h in facts.held if h is not again]
    observed_at = again.observed_at if again else now
    return plausibility.released(hold, waiting, observed_at, now, rules.limits)


# --- believed --------------------------------------------------------------------------------------------------


def _unchanged(facts: Facts, rules: Rules, now: datetime) -> Decision:
    """The rows that were believed last are still there: there is nothing more to decide about what was held since."""
    assert facts.current
    return Decision(
        Outcome.UNCHANGED,
        facts.current.announce,
        publication=facts.current.publication,
        moot=tuple(h.publication for h in facts.held),
        confirmations=_confirmations(facts, facts.departures, {d for d, _ in facts.open_reviews}, rules, now),
    )


def _believe(
    facts: Facts,
    publication: Publication,
    matching: Matching,
    rules: Rules,
    now: datetime,
    held: HeldPublication | None = None,
) -> Decision:
    """Believe a publication as of when it was seen first: its rows, its agreements, its entries.

    `held`: the one that it was held as until now.
    """
    observed_at = held.observed_at if held else publication.observed_at
    matching = under_another_model(facts, under_two_names(facts, matching))
    identified = identify(facts, matching)
    one_key = under_one_key(matching.matches)
    rows = _rows(publication, matching, identified, one_key)
    listed_first = _listed_first(facts, matching, rules, now)
    changes = _changes(facts, matching, identified, listed_first, rules, now)
    merges = _merges(facts, one_key, listed_first)
    listed = {row.agreement for row in rows}
    settled = {c.about for c in changes}
    departures = [
        d for d in facts.departures if d.entry not in settled and d.standing.agreement not in listed and not d.confirmed
    ]
    doubtful = review.doubtful(changes, departures)
    merged = {m.note.about for m in merges}
    asked: set[str | int] = {departure for departure, arrival in facts.open_reviews if arrival not in merged}
    asked |= {pair.departure for pair in doubtful}
    left_now = {
        place: Departure(Standing(c.agreement, c.before), "", observed_at, confirmed=False)
        for place, c in enumerate(changes)
        if c.kind in DEPARTURES and c.agreement and c.before
    }
    return Decision(
        Outcome.CHANGED,
        held.announce if held else facts.announce,
        publication=held.publication if held else None,
        moot=tuple(h.publication for h in facts.held if not held or h.publication < held.publication),
        previous=facts.current.publication if facts.current else None,
        observed_at=observed_at,
        rows=rows,
        changes=changes,
        doubtful=doubtful,
        merges=merges,
        confirmations=_confirmations(facts, departures, asked, rules, now, left_now),
    )


def _rows(
    publication: Publication, matching: Matching, identified: Identified, one_key: Sequence[tuple[Match, Match]]
) -> tuple[ListedRow, ...]:
    """Each row with its agreement; rows that are of no known one open theirs."""
    agreements: dict[int, int | Opened] = {m.new.row: m.old.agreement for m in (*matching.matches, *matching.spares)}
    agreements |= {younger.new.row: older.old.agreement for older, younger in one_key}
    agreements |= identified.agreements()
    agreements |= {n.row: Opened(n.row) for n in matching.came if n.row not in agreements}
    agreements |= {second.row: agreements[first.row] for second, first in matching.twins}
    spares = {m.new.row for m in (*matching.spares, *identified.second, *(younger for _, younger in one_key))}
    spares |= {second.row for second, _ in matching.twins}
    return tuple(ListedRow(n, agreements[n.row], n.row in spares) for n in publication.listings)


def _changes(
    facts: Facts,
    matching: Matching,
    identified: Identified,
    listed_first: Sequence[tuple[Standing, int, Match]],
    rules: Rules,
    now: datetime,
) -> tuple[Change, ...]:
    if facts.current is None:
        # A baseline: everything was listed before we looked. Only applications were told of.
        return diff.baseline(identified.promoted)
    if facts.list is ListName.PARTICIPATING:
        dropped = {d.standing.agreement: d for d in facts.other_departures}
        return diff.participating(matching, identified.returned, identified.promoted, dropped)
    standings = facts.participating.standings if facts.participating else ()
    approved = {s.agreement for s in standings} | {a.agreement for a, _, _ in listed_first}
    changes = diff.pending(matching, identified.returned, identified.already, identified.second, approved, standings)
    since = now - rules.confirm_after
    new = [s.listing for s in standings if (at := facts.listed_without_application.get(s.agreement)) and at >= since]
    return review.with_similar(changes, new)


def _listed_first(facts: Facts, matching: Matching, rules: Rules, now: datetime) -> list[tuple[Standing, int, Match]]:
    """Applications that leave the pending list while their agreement is listed already under another name.

    Each with the number of that agreement. The name and the moment alone are enough only for an agreement that is
    new (May 16, 2025: "Polce Department"); the others need further evidence.
    """
    if facts.list is ListName.PARTICIPATING or facts.participating is None:
        return []
    listed = {s.listing.row: s for s in facts.participating.standings if not s.spare}
    participating = {s.agreement for s in listed.values()}
    gone = [s for s in matching.gone if s.agreement not in participating]
    found: list[tuple[Standing, int, Match]] = []
    for match_rules, since in ((LATER, None), (AS_IT_LEFT, now - rules.confirm_after)):
        new = [
            s.listing
            for s in listed.values()
            if (at := facts.listed_without_application.get(s.agreement)) and (since is None or at >= since)
        ]
        taken = {s.agreement for s, _, _ in found} | {number for _, number, _ in found}
        rest = [s for s in gone if s.agreement not in taken]
        rows = [n for n in new if listed[n.row].agreement not in taken]
        found += [(m.old, listed[m.new.row].agreement, m) for m in rejoin(rest, rows, facts.listed_beside, match_rules)]
    return found


def _merges(
    facts: Facts, one_key: Iterable[tuple[Match, Match]], listed_first: Iterable[tuple[Standing, int, Match]]
) -> tuple[Merge, ...]:
    merges = [
        Merge(
            younger.old.agreement,
            older.old.agreement,
            diff.merged(older, younger, facts.arrivals.get(younger.old.agreement)),
        )
        for older, younger in one_key
    ]
    for application, number, m in listed_first:
        older, younger = sorted((application.agreement, number))
        note = diff.approved_as(application, facts.arrivals.get(application.agreement), m)
        merges.append(Merge(younger, older, note))
    return tuple(merges)


# --- confirmed -------------------------------------------------------------------------------------------------


def _confirmations(
    facts: Facts,
    departures: Iterable[Departure],
    asked: Set[str | int],
    rules: Rules,
    now: datetime,
    left_now: Mapping[int, Departure] | None = None,
) -> tuple[Change, ...]:
    """Notes that departures have stood for long enough. A person who is asked about one answers first.

    `asked` names them by entry; those of this very publication (`left_now`) by their place among its changes. They
    are due at once where the publication was held or rejected while checks went on.
    """
    checks = facts.earlier_checks if facts.accepting else (*facts.earlier_checks, (now, Outcome.CHANGED))
    named: list[tuple[str | int, Departure]] = [(d.entry, d) for d in departures]
    due = [
        replace(diff.confirmed(departure), about=departure.entry or None)
        for name, departure in (*named, *(left_now or {}).items())
        if not departure.confirmed
        and _looked_for(facts, departure)
        and name not in asked
        and time_seen(checks, departure.observed_at, now) >= rules.confirm_after
    ]
    return diff.in_order(due)


def _looked_for(facts: Facts, departure: Departure) -> bool:
    """Whether an application that left was looked for on the participating list since: it may be an agreement."""
    if facts.list is ListName.PARTICIPATING:
        return True
    return facts.other_list_seen_at is not None and facts.other_list_seen_at > departure.observed_at


def time_seen(checks: Iterable[tuple[datetime, Outcome]], since: datetime, until: datetime) -> timedelta:
    """For how long between two moments successful checks followed one another.

    What passes before or after a check that failed, was held or found no link is not counted: it is not known
    whether the agreement was missing then.
    """
    total = timedelta()
    last: datetime | None = None
    for at, outcome in checks:
        if since <= at <= until:
            good = outcome in (Outcome.UNCHANGED, Outcome.CHANGED)
            if good and last is not None:
                total += at - last
            last = at if good else None
    return total
