"""One check: look at one list of the source, decide what it says, record it. Gathers, asks the pure files, applies.

What is recorded is recorded in one transaction that also reads what it decides on, so that two checks at once cannot
build on the same past, and a crash leaves either all of a check or nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from monitor.checks import changes as diff
from monitor.checks import plausibility
from monitor.errors import SourceError, WorkbookError
from monitor.matching import review
from monitor.matching.evidence import AS_IT_LEFT, LATER
from monitor.matching.evidence import Rules as Evidenced
from monitor.matching.matcher import NOBODY, Apart, Key, key, match, rejoin, under_one_key
from monitor.model import (
    Application,
    Change,
    Departure,
    Fetched,
    HeldPublication,
    Hold,
    Kind,
    Listing,
    ListName,
    Match,
    Matching,
    NotLinked,
    NotModified,
    Outcome,
    Publication,
    SourceOfLists,
    Standing,
    Validators,
)
from monitor.storage.writer import Store
from monitor.workbooks.sandbox import Reader

CONFIRM_AFTER = timedelta(hours=48)

_Known = TypeVar("_Known", Departure, Application)


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator may set: when to hold a publication, when a departure is confirmed, how long a person is asked
    about a doubtful pair."""

    limits: plausibility.Limits = field(default_factory=plausibility.Limits)
    confirm_after: timedelta = CONFIRM_AFTER
    ask_for: timedelta = review.ASK_FOR


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
        seen = source.fetch(list_, store.publications.validators(list_))
    except SourceError as exc:
        with store.write():
            store.checks.record(list_, now, Outcome.FAILED, detail=str(exc))
        return CheckResult(list_, Outcome.FAILED, detail=str(exc))
    if isinstance(seen, NotLinked):
        with store.write():
            store.checks.record(list_, now, Outcome.NOT_LINKED)
        return CheckResult(list_, Outcome.NOT_LINKED)
    if isinstance(seen, NotModified):
        with store.write():
            return _Check(store, list_, now, rules, announce).unchanged()
    columns_of, publication, unreadable = _read(reader, seen, list_, now)
    with store.write():
        check = _Check(store, list_, now, rules, announce)
        if unreadable:
            return check.hold(seen, publication, Hold((unreadable,), structural=True), "")
        return check.settle(seen, publication, columns_of)


def _read(reader: Reader, seen: Fetched, list_: ListName, now: datetime) -> tuple[ListName, Publication, str]:
    """The publication and the list that its columns name; or, with an empty one, why it cannot be read."""
    try:
        columns_of, publication = reader.read(seen, now)
    except WorkbookError as exc:
        nothing = Publication(list_, seen.sha256, seen.url, seen.file, now, None, ())
        return list_, nothing, f"The workbook cannot be believed: {exc}."
    if columns_of is not list_:
        # It stands under the list that linked it; whether to believe that is for the guard.
        publication = replace(publication, list=list_)
    return columns_of, publication, ""


def meaning(listings: Sequence[Listing]) -> str:
    """What a publication says, as a hash: its rows' cells and addresses, in whatever order they stand."""
    rows = sorted(repr(listing.cells) for listing in listings)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def believe(
    store: Store, held: HeldPublication, publication: Publication, *, now: datetime, rules: Rules, act: int
) -> CheckResult:
    """Record a held publication on an operator's word, as of when it was seen; inside the caller's transaction."""
    check = _Check(store, publication.list, now, rules, held.announce)
    return check.believe(held, publication, act)


class _Check:
    """The recording half of one check; lives inside one transaction."""

    def __init__(self, store: Store, list_: ListName, now: datetime, rules: Rules, announce: bool) -> None:
        self._store, self._list, self._now = store, list_, now
        self._rules, self._announce = rules, announce
        self._current = store.current(list_)
        self._held = store.publications.held(list_)
        self._apart: Apart = NOBODY

    def unchanged(self, seen: Fetched | None = None) -> CheckResult:
        """The rows that were believed last are still there: what was held meanwhile is moot."""
        assert self._current
        self._announce = self._current.announce
        self._make_moot(self._held)
        self._store.checks.record(
            self._list,
            self._now,
            Outcome.UNCHANGED,
            publication=self._current.publication,
            sha256=seen.sha256 if seen else None,
        )
        if seen:
            self._store.publications.record_validators(self._list, _validators(seen))
        entries = self._confirm(self._current.publication, without=frozenset())
        return CheckResult(self._list, Outcome.UNCHANGED, entries)

    def settle(self, seen: Fetched, publication: Publication, columns_of: ListName) -> CheckResult:
        """Believe or hold what was read."""
        says = meaning(publication.listings)
        structural = plausibility.structure(self._list, columns_of, publication.listings)
        if structural:
            return self.hold(seen, publication, structural, says)
        if self._current and self._current.meaning == says:
            return self.unchanged(seen)
        if rejected := self._store.publications.rejected(self._list, seen.sha256, says):
            return self._still_rejected(seen, rejected)
        if self._current is None:
            number = self._recorded(seen, publication, says)
            return self._accept(number, publication, self._match(publication), seen)
        matching = self._match(publication)
        doubtful = None
        if self._list is ListName.PARTICIPATING:
            doubtful = plausibility.plausibility(
                matching,
                len(self._current.standings),
                served_before=self._store.publications.was_accepted(self._list, seen.sha256),
                limits=self._rules.limits,
            )
        again = self._seen_before(seen)
        if doubtful and not self._released(doubtful, again):
            return self.hold(seen, publication, doubtful, says)
        if again:
            self._announce = again.announce
            return self._accept(again.publication, replace(publication, observed_at=again.observed_at), matching, seen)
        return self._accept(self._recorded(seen, publication, says), publication, matching, seen)

    def believe(self, held: HeldPublication, publication: Publication, act: int) -> CheckResult:
        """Record what was held, on an operator's word. It is no look at the source, so that no check is recorded."""
        return self._accept(held.publication, publication, self._match(publication), act=act)

    def _match(self, publication: Publication) -> Matching:
        """The rows of a publication beside those that are believed now."""
        if self._current is None:
            return match((), publication.listings)
        self._apart = self._side_by_side(self._current.standings, publication.listings)
        return match(self._current.standings, publication.listings, self._apart)

    def _recorded(self, seen: Fetched, publication: Publication, says: str) -> int:
        return self._store.publications.record(publication, says, seen.content, announce=self._announce)

    def _still_rejected(self, seen: Fetched, rejected: HeldPublication) -> CheckResult:
        detail = f"An operator rejected this workbook ({rejected.id}), and it is still what ICE serves."
        self._record_held(seen, rejected.publication, detail)
        return CheckResult(self._list, Outcome.HELD, detail=detail)

    def _side_by_side(self, standings: Sequence[Standing], listings: Sequence[Listing]) -> Apart:
        """By each key that is back: which agreements that left were ever listed beside the one that had it."""
        was, now = {key(s.listing.values) for s in standings}, {key(n.values) for n in listings}
        came = now - was
        departures = self._store.departures(self._list)
        known = [d.standing for d in departures]
        if self._list is ListName.PENDING:
            known += [m.old for m in self._participating().values()]
        left = {s.agreement for s in standings if key(s.listing.values) not in now}
        left |= {d.standing.agreement for d in departures}
        back: dict[Key, set[int]] = {}
        for standing in known:
            if (k := key(standing.listing.values)) in came:
                back.setdefault(k, set()).add(standing.agreement)
        beside = self._store.side_by_side(set().union(*back.values()), left) if back else {}
        return {k: frozenset().union(*(beside[one] for one in back[k])) for k in back}

    def _seen_before(self, seen: Fetched) -> HeldPublication | None:
        """The held publication that these bytes are, if they are the newest held one."""
        return self._held[-1] if self._held and self._held[-1].sha256 == seen.sha256 else None

    def _released(self, hold: Hold, again: HeldPublication | None) -> bool:
        waiting = [
            plausibility.Waiting(plausibility.doubts(h.hold), h.hold.structural, h.observed_at)
            for h in self._held
            if h is not again
        ]
        observed_at = again.observed_at if again else self._now
        return plausibility.released(hold, waiting, observed_at, self._now, self._rules.limits)

    def hold(self, seen: Fetched, publication: Publication, hold: Hold, says: str) -> CheckResult:
        """Keep the bytes and the reasons, and believe nothing of it."""
        if rejected := self._store.publications.rejected(self._list, seen.sha256, says):
            return self._still_rejected(seen, rejected)
        again = self._seen_before(seen)
        number = again.publication if again else None
        if number is None:
            number = self._recorded(seen, publication, says)
            self._store.publications.decide(number, self._now, "held", hold)
        detail = " ".join(hold.reasons)
        self._record_held(seen, number, detail)
        return CheckResult(self._list, Outcome.HELD, detail=detail, newly_held=again is None)

    def _record_held(self, seen: Fetched, publication: int, detail: str) -> None:
        self._store.checks.record(
            self._list, self._now, Outcome.HELD, publication=publication, sha256=seen.sha256, detail=detail
        )

    def _accept(
        self,
        number: int,
        publication: Publication,
        matching: Matching,
        seen: Fetched | None = None,
        *,
        act: int | None = None,
    ) -> CheckResult:
        """Record a believed publication: its rows, its agreements, its entries, and what it makes moot.

        `seen`: where a look at the source showed it just now; `act`: where an operator believes it.
        """
        store = self._store
        self._make_moot([h for h in self._held if h.publication < number])
        matching = self._under_two_names(matching)
        identified = self._identify(matching)
        changes = self._changes(matching, identified)
        one_key = under_one_key(matching.matches)
        numbers = {id(m.new): m.old.agreement for m in (*matching.matches, *matching.spares)}
        numbers |= {id(younger.new): older.old.agreement for older, younger in one_key}
        numbers |= identified.numbers()
        for listing in sorted(matching.came, key=lambda listing: listing.row):
            if id(listing) not in numbers:
                numbers[id(listing)] = store.agreements.create(number, publication, listing.row)
        spares = {id(m.new) for m in (*matching.spares, *identified.second, *(younger for _, younger in one_key))}
        for second, first in matching.twins:
            numbers[id(second)] = numbers[id(first)]
            spares.add(id(second))
        store.publications.decide(number, self._now, "accepted", act=act)
        store.agreements.record_listings(
            number,
            [Standing(numbers[id(n)], n, id(n) in spares) for n in publication.listings],
        )
        agreements = [c.agreement or numbers[id(c.after)] for c in changes]
        pairs = self._doubtful(changes)
        ids = self._append(
            review.said(changes, pairs, self._ids_of(pairs, agreements)), agreements, number, publication.observed_at
        )
        for pair in pairs:
            departure = pair.departure if isinstance(pair.departure, str) else ids[pair.departure]
            store.reviews.record(departure, ids[pair.arrival], pair.reasons)
        merged = self._merge(one_key, number, publication.observed_at)
        if seen:
            store.checks.record(self._list, self._now, Outcome.CHANGED, publication=number, sha256=seen.sha256)
            store.publications.record_validators(self._list, _validators(seen))
        else:
            # "Not modified" since the workbook before would not mean that this one is still there.
            store.publications.record_validators(self._list, Validators())
        settled = frozenset(c.about for c in changes if c.about)
        confirmed = self._confirm(number, without=settled)
        return CheckResult(
            self._list, Outcome.CHANGED, len(changes) + merged + confirmed, asked=len(pairs) if self._announce else 0
        )

    def _append(
        self, changes: Sequence[Change], agreements: Sequence[int], publication: int, observed_at: datetime
    ) -> list[str]:
        return self._store.changelog.append(
            list(zip(changes, agreements, strict=True)),
            publication=publication,
            previous=self._current.publication if self._current else None,
            observed_at=observed_at,
            recorded_at=self._now,
            announce=self._announce,
        )

    def _doubtful(self, changes: Sequence[Change]) -> tuple[review.Pair, ...]:
        """Pairs of these changes, or with departures of late, that a person has to look at."""
        if not any(c.kind in (Kind.NEW, Kind.APPLIED) for c in changes):
            return ()
        settled = {c.about for c in changes}
        earlier = [d for d in self._store.departures(self._list) if not d.confirmed and d.entry not in settled]
        return review.doubtful(changes, earlier)

    def _ids_of(self, pairs: Sequence[review.Pair], agreements: Sequence[int]) -> dict[int | str, str]:
        """The agreements' permanent ids, by what a pair calls its departure and its arrival."""
        ids: dict[int | str, str] = {}
        for of in (of for pair in pairs for of in (pair.departure, pair.arrival)):
            ids[of] = (
                self._store.changelog.agreement_of(of)
                if isinstance(of, str)
                else self._store.agreements.id_of(agreements[of])
            )
        return ids

    def _merge(self, one_key: Sequence[tuple[Match, Match]], publication: int, observed_at: datetime) -> int:
        """Let agreements that came to share one key be one: the younger id leads to the older."""
        kind = Kind.NEW if self._list is ListName.PARTICIPATING else Kind.APPLIED
        arrivals = self._store.changelog.arrivals(kind) if one_key else {}
        notes = [diff.merged(older, younger, arrivals.get(younger.old.agreement)) for older, younger in one_key]
        # Where nothing told of the younger, the note stands under its id: there may be several of one older agreement.
        agreements = [
            (older if note.about else younger).old.agreement
            for note, (older, younger) in zip(notes, one_key, strict=True)
        ]
        self._append(notes, agreements, publication, observed_at)
        for older, younger in one_key:
            self._store.merge(younger.old.agreement, older.old.agreement)
        return len(notes)

    def _identify(self, matching: Matching) -> _Identified:
        """Which of the rows that came are agreements that are known from elsewhere."""
        if not matching.came:
            return _Identified()
        departures = self._store.departures(self._list)
        returned = _rejoin(departures, [d.standing for d in departures], matching.came, self._apart)
        taken = {id(m.new) for _, m in returned}
        rest = [n for n in matching.came if id(n) not in taken]
        if self._list is ListName.PARTICIPATING:
            return _Identified(returned, self._promoted(rest))
        here = {m.old.agreement for m in (*matching.matches, *(m for _, m in returned))}
        left = {d.standing.agreement: d for d in departures if d.standing.agreement not in here}
        known_there = self._participating()
        unknown = [n for n in rest if key(n.values) not in known_there]
        respelt = {id(m.new): m for m in rejoin([m.old for m in known_there.values()], unknown, self._apart)}
        already: list[Match] = []
        second: list[Match] = []
        for listing in rest:
            known = known_there.get(key(listing.values)) or respelt.get(id(listing))
            if known is None:
                continue
            agreement = known.old.agreement
            if departure := left.pop(agreement, None):
                returned.append((departure, Match(departure.standing, listing, known.reasons)))
            else:
                (second if agreement in here else already).append(Match(known.old, listing, known.reasons))
            here.add(agreement)
        return _Identified(returned, already=already, second=second)

    def _promoted(self, came: Sequence[Listing]) -> list[tuple[Application, Match]]:
        """Which rows are applications that became agreements; of those that left the pending list just now the name and
        that moment say so (16 May 2025: "Polce Department" had left the day before)."""
        applications = self._store.applications()
        found = _rejoin(applications, [a.standing for a in applications], came, self._apart)
        taken = {id(m.new) for _, m in found}
        promoted = {m.old.agreement for _, m in found}
        just_left = [
            a for a in applications if a.dropped and not a.dropped.confirmed and a.standing.agreement not in promoted
        ]
        rest = [n for n in came if id(n) not in taken]
        return [*found, *_rejoin(just_left, [a.standing for a in just_left], rest, self._apart, AS_IT_LEFT)]

    def _under_two_names(self, matching: Matching) -> Matching:
        """Let a pending row continue the one that went, if the participating list knows both as one."""
        if self._list is ListName.PARTICIPATING or not matching.gone:
            return matching
        known, gone = self._participating(), {s.agreement: s for s in matching.gone}
        continued: list[Match] = []
        for listing in matching.came:
            match_ = known.get(key(listing.values))
            if match_ and (standing := gone.pop(match_.old.agreement, None)):
                continued.append(Match(standing, listing, match_.reasons))
        taken = {id(m.new) for m in continued}
        return replace(
            matching,
            matches=(*matching.matches, *continued),
            gone=tuple(gone.values()),
            came=tuple(n for n in matching.came if id(n) not in taken),
        )

    def _participating(self) -> dict[Key, Match]:
        """The agreements that are on the participating list, or were, by key; each as the match of its own row."""
        known: dict[Key, Match] = {}
        for departure in self._store.departures(ListName.PARTICIPATING):
            gone = departure.standing
            known[key(gone.listing.values)] = Match(gone, gone.listing, ("participating before",))
        current = self._store.current(ListName.PARTICIPATING)
        for standing in current.standings if current else ():
            if not standing.spare:
                k = key(standing.listing.values)
                known[k] = Match(standing, standing.listing, ("participating already",))
        return known

    def _changes(self, matching: Matching, identified: _Identified) -> tuple[Change, ...]:
        if self._current is None:
            # A baseline: everything was listed before we looked. Only what was said of an application is taken back.
            return diff.baseline(identified.promoted)
        if self._list is ListName.PARTICIPATING:
            dropped = {d.standing.agreement: d for d in self._store.departures(ListName.PENDING)}
            return diff.participating(matching, identified.returned, identified.promoted, dropped)
        current = self._store.current(ListName.PARTICIPATING)
        now_participating = frozenset(s.agreement for s in current.standings) if current else frozenset()
        gone = [s for s in matching.gone if s.agreement not in now_participating]
        new = self._store.listed_without_application(self._now - self._rules.confirm_after) if gone else ()
        rows = [s.listing for s in current.standings if s.agreement in new and not s.spare] if current else []
        listed = rejoin(gone, rows, self._apart, AS_IT_LEFT)
        return diff.pending(
            matching, identified.returned, now_participating, identified.already, identified.second, listed
        )

    def _confirm(self, publication: int, *, without: frozenset[str]) -> int:
        """Confirm the departures that have stood for long enough, but those that this publication settles."""
        asked = frozenset(departure for departure, _ in self._store.reviews.unanswered())
        due = [
            departure
            for departure in self._store.departures(self._list)
            if not departure.confirmed
            and departure.entry not in without
            and not review.waits(departure, asked, self._now, self._rules.ask_for)
            and self._time_gone(departure) >= self._rules.confirm_after
        ]
        notes = diff.in_order(diff.confirmed(departure) for departure in due)
        self._store.changelog.append(
            [(note, note.agreement) for note in notes if note.agreement],
            publication=publication,
            previous=None,
            observed_at=self._now,
            recorded_at=self._now,
            announce=self._announce,
        )
        return len(notes)

    def _time_gone(self, departure: Departure) -> timedelta:
        """For how long successful checks followed one another since a departure; other checks are gaps."""
        total, last = timedelta(), None
        for at, outcome in self._store.checks.since(self._list, departure.observed_at):
            if at > self._now:
                continue
            good = outcome in (Outcome.UNCHANGED, Outcome.CHANGED)
            if good and last is not None:
                total += at - last
            last = at if good else None
        return total

    def _make_moot(self, held: Sequence[HeldPublication]) -> None:
        for h in held:
            self._store.publications.decide(h.publication, self._now, "moot")


@dataclass(frozen=True, slots=True)
class _Identified:
    """Rows that came, recognised: back on the list, once an application, participating already (or before), or a
    second row of an agreement that stands on this list."""

    returned: Sequence[tuple[Departure, Match]] = ()
    promoted: Sequence[tuple[Application, Match]] = ()
    already: Sequence[Match] = ()
    second: Sequence[Match] = ()

    def numbers(self) -> dict[int, int]:
        """The agreement of each recognised row."""
        matches = [m for _, m in (*self.returned, *self.promoted)] + [*self.already, *self.second]
        return {id(m.new): m.old.agreement for m in matches}


def _rejoin(
    known: Sequence[_Known],
    standings: Sequence[Standing],
    came: Sequence[Listing],
    apart: Apart,
    rules: Evidenced = LATER,
) -> list[tuple[_Known, Match]]:
    """Pair what is known with rows that came, keeping what is known of each."""
    of = {id(standing): k for k, standing in zip(known, standings, strict=True)}
    return [(of[id(m.old)], m) for m in rejoin(standings, came, apart, rules)]


def _validators(seen: Fetched) -> Validators:
    return Validators(seen.url, seen.last_modified, seen.etag, seen.sha256)
