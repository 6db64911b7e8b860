"""Pure: which new rows of a list are agreements that left earlier, or applications of the other list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from monitor.checks.facts import Facts
from monitor.matching.evidence import AS_IT_LEFT, LATER, OTHER_MODEL, MatchRules
from monitor.matching.matcher import Key, ListedBeside, by_evidence, in_two_counties, key, rejoin
from monitor.model import Application, Departure, Listing, ListName, Match, Matching

_Known = TypeVar("_Known", Departure, Application)


@dataclass(frozen=True, slots=True)
class Identified:
    """Rows that came and are known: listed again, applications that became agreements, agreements that the
    participating list has or had already, second rows of an agreement that is on this list."""

    returned: Sequence[tuple[Departure, Match]] = ()
    promoted: Sequence[tuple[Application, Match]] = ()
    already: Sequence[Match] = ()
    second: Sequence[Match] = ()

    def agreements(self) -> dict[int, int]:
        """The agreement of each of these rows, by row."""
        matches = [m for _, m in (*self.returned, *self.promoted)] + [*self.already, *self.second]
        return {m.new.row: m.old.agreement for m in matches}


def identify(facts: Facts, matching: Matching) -> Identified:
    """Which of the rows that came are agreements that left this list earlier, or that the other list knows."""
    returned = _rejoin(facts.departures, matching.came, facts.listed_beside)
    taken = {m.new.row for _, m in returned}
    rest = [n for n in matching.came if n.row not in taken]
    if facts.list is ListName.PARTICIPATING:
        return Identified(returned, _promoted(facts, rest))
    here = {m.old.agreement for m in (*matching.matches, *(m for _, m in returned))}
    departed = {d.standing.agreement: d for d in facts.departures if d.standing.agreement not in here}
    participating = known_as_participating(facts)
    by_key = {n.row: known for n in rest if (known := participating.get(key(n.values))) and not _elsewhere(known, n)}
    unknown = [n for n in rest if key(n.values) not in participating]
    respelled = {m.new.row: m for m in rejoin([m.old for m in participating.values()], unknown, facts.listed_beside)}
    already: list[Match] = []
    second: list[Match] = []
    for listing in rest:
        known = by_key.get(listing.row) or respelled.get(listing.row)
        if known is None:
            continue
        agreement = known.old.agreement
        if departure := departed.pop(agreement, None):
            returned.append((departure, Match(departure.standing, listing, known.reasons)))
        else:
            (second if agreement in here else already).append(Match(known.old, listing, known.reasons))
        here.add(agreement)
    return Identified(returned, already=already, second=second)


def _promoted(facts: Facts, came: Sequence[Listing]) -> list[tuple[Application, Match]]:
    """Which rows are applications that became agreements.

    Of an application that left the pending list just now, the name and that moment are enough (May 16, 2025: "Polce
    Department" had left the day before).
    """
    promoted = _rejoin(facts.applications, came, facts.listed_beside)
    taken = {m.new.row for _, m in promoted}
    agreements = {m.old.agreement for _, m in promoted}
    just_left = [
        a
        for a in facts.applications
        if a.dropped and not a.dropped.confirmed and a.standing.agreement not in agreements
    ]
    rest = [n for n in came if n.row not in taken]
    return [*promoted, *_rejoin(just_left, rest, facts.listed_beside, AS_IT_LEFT)]


def under_two_names(facts: Facts, matching: Matching) -> Matching:
    """Let a pending row continue the one that went, if the participating list knows both as one agreement."""
    if facts.list is ListName.PARTICIPATING or not matching.gone:
        return matching
    participating = known_as_participating(facts)
    gone = {s.agreement: s for s in matching.gone}
    continued: list[Match] = []
    for listing in matching.came:
        known = participating.get(key(listing.values))
        if known and (standing := gone.pop(known.old.agreement, None)):
            continued.append(Match(standing, listing, known.reasons))
    return _with_matches(matching, continued)


def under_another_model(facts: Facts, matching: Matching) -> Matching:
    """Let a pending row continue the application that went, under another model, if the participating list knows
    neither of them: what was approved leaves the pending list too."""
    if facts.list is ListName.PARTICIPATING or not matching.gone:
        return matching
    participating = known_as_participating(facts)
    agreements = {m.old.agreement for m in participating.values()}
    gone = [s for s in matching.gone if s.agreement not in agreements]
    came = [n for n in matching.came if key(n.values) not in participating]
    return _with_matches(matching, by_evidence(gone, came, OTHER_MODEL, beside=facts.listed_beside))


def _with_matches(matching: Matching, continued: Sequence[Match]) -> Matching:
    """The matching with more of the rows that came continuing agreements that had gone."""
    staying, taken = {m.old.agreement for m in continued}, {m.new.row for m in continued}
    return replace(
        matching,
        matches=(*matching.matches, *continued),
        gone=tuple(s for s in matching.gone if s.agreement not in staying),
        came=tuple(n for n in matching.came if n.row not in taken),
    )


def known_as_participating(facts: Facts) -> dict[Key, Match]:
    """The agreements that are or were on the participating list, by key; each as the match of its own row.

    For a check of the pending list.
    """
    known: dict[Key, Match] = {}
    for departure in facts.other_departures:
        gone = departure.standing
        known[key(gone.listing.values)] = Match(gone, gone.listing, ("participating before",))
    for standing in facts.participating.standings if facts.participating else ():
        if not standing.spare:
            known[key(standing.listing.values)] = Match(standing, standing.listing, ("participating already",))
    return known


def _elsewhere(known: Match, listing: Listing) -> bool:
    """Whether a row is an application of another agency of the same name."""
    return in_two_counties(known.old.listing.values, listing.values)


def back_under_a_key(facts: Facts, listings: Sequence[Listing]) -> tuple[dict[Key, set[int]], set[int]]:
    """The known agreements of each key that is back on the list, and those that left or leave it now.

    Where two of them were ever listed side by side, the row that came is not the one that leaves, respelled.
    """
    standings = facts.current.standings if facts.current else ()
    keys_now = {key(listing.values) for listing in listings}
    keys_back = keys_now - {key(s.listing.values) for s in standings}
    known = [d.standing for d in facts.departures]
    if facts.list is ListName.PENDING:
        known += [m.old for m in known_as_participating(facts).values()]
    departed = {s.agreement for s in standings if key(s.listing.values) not in keys_now}
    departed |= {d.standing.agreement for d in facts.departures}
    back: dict[Key, set[int]] = {}
    for standing in known:
        if (k := key(standing.listing.values)) in keys_back:
            back.setdefault(k, set()).add(standing.agreement)
    return back, departed


def _rejoin(
    known: Sequence[_Known], came: Sequence[Listing], beside: ListedBeside, rules: MatchRules = LATER
) -> list[tuple[_Known, Match]]:
    """Pair what is known with rows that came, keeping what is known of each."""
    by_agreement = {k.standing.agreement: k for k in known}
    matches = rejoin([k.standing for k in known], came, beside, rules)
    return [(by_agreement[m.old.agreement], m) for m in matches]
