"""Pure: what else an agency has on the participating list when one of its agreements comes, leaves or changes.

A row is one agreement; a reader thinks of the agency. In 2025, 17 of 48 agreements that left were of an agency that
was still listed under another support type, and 138 of 1,167 new ones were of an agency that was listed already.
The words for that (added, switched, renewed) are those of deportationdata/ice-287g, which researchers know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeAlias

from monitor.geography import county_in
from monitor.matching.evidence import same_county
from monitor.matching.similarity import bare_name, is_named_in
from monitor.model import AgencyStanding, Change, Kind, Listing, Relation, Standing, Values
from monitor.normalize import document_name, shown

Agency: TypeAlias = tuple[str | None, str]  # state, and comparable name less the words that tell nothing

_COMES = frozenset({Kind.NEW, Kind.RETURNED, Kind.APPLIED})
_LEAVES = frozenset({Kind.TERMINATED, Kind.DROPPED})


def with_standing(
    changes: Sequence[Change], before: Iterable[Standing], after: Iterable[Listing]
) -> tuple[Change, ...]:
    """The same changes, each with what else its agency has, and how it relates to that.

    `before` and `after`: the participating list before and now, without second rows of an agreement. Where one name
    stands in two counties, nothing is said: there may be two agencies (Pennsylvania alone has twenty Washington
    Townships), and "still listed" would be said of the wrong one.
    """
    was, now = _by_agency(s.listing for s in before), _by_agency(after)
    moved: dict[Agency, set[Kind]] = defaultdict(set)
    for change in changes:
        if change.kind in (Kind.NEW, Kind.TERMINATED):
            for agency in _agencies(change):
                moved[agency].add(change.kind)
    return tuple(
        change if _in_two_counties(change, was, now) else _placed(change, was, now, moved) for change in changes
    )


def _in_two_counties(change: Change, was: dict[Agency, list[Listing]], now: dict[Agency, list[Listing]]) -> bool:
    """Whether the rows of a change's agency, before and now, stand in two counties that exist, and its name in none."""
    if change.kind not in (*_COMES, *_LEAVES) or any(county_in(name) for _, name in _agencies(change)):
        return False
    rows = [row for agency in _agencies(change) for listed in (was, now) for row in listed.get(agency, ())]
    rows += [row for row in (change.before, change.after) if row]
    one_of_each = {row.values.county: row.values for row in rows}
    return any(same_county(a, b) is False for a, b in combinations(one_of_each.values(), 2))


def _placed(
    change: Change,
    was: dict[Agency, list[Listing]],
    now: dict[Agency, list[Listing]],
    moved: dict[Agency, set[Kind]],
) -> Change:
    if change.kind not in (*_COMES, *_LEAVES, Kind.CHANGED):
        return change
    agencies = _agencies(change)
    # Rows, not models: two agreements may have one model, and an unreadable model is one all the same.
    # The row of what comes was not there before; that of an application is on the other list.
    own_before = change.before if change.kind in (Kind.TERMINATED, Kind.CHANGED) else None
    own_after = change.after if change.kind is not Kind.APPLIED else None
    others = AgencyStanding(_models(was, agencies, own_before), _models(now, agencies, own_after))
    both = all(kind in moved[agency] for agency in agencies for kind in (Kind.NEW, Kind.TERMINATED))
    relation = change.relation
    if change.kind in (Kind.NEW, Kind.TERMINATED) and both and agencies:
        relation = Relation.SWITCHED
    elif change.kind is Kind.NEW and others.before:
        relation = Relation.ADDED
    if change.kind is Kind.CHANGED and relation is None:
        return change
    return replace(change, relation=relation, agency_standing=others)


def signed_anew(before: Listing, after: Listing) -> bool:
    """Whether an agreement was signed again: a later date, and another document that names the agency.

    A later date alone may be a corrected one, and a new document alone the old one scanned again.
    """
    documents = document_name(before.values.moa), document_name(after.values.moa)
    dates = before.values.signed, after.values.signed
    if not all(documents) or documents[0] == documents[1] or dates[0] is None or dates[1] is None:
        return False
    return dates[0] < dates[1] and is_named_in(after.values.agency, documents[1])


def _by_agency(listings: Iterable[Listing]) -> dict[Agency, list[Listing]]:
    found: dict[Agency, list[Listing]] = defaultdict(list)
    for listing in listings:
        if listing.values.agency:
            found[_agency(listing.values)].append(listing)
    return found


def _agencies(change: Change) -> tuple[Agency, ...]:
    """The agency as it was called before and as it is called now."""
    sides = [side.values for side in (change.before, change.after) if side and side.values.agency]
    return tuple(dict.fromkeys(map(_agency, sides)))


def _agency(values: Values) -> Agency:
    return values.state, bare_name(values.agency)


def _models(
    listed: dict[Agency, list[Listing]], agencies: Iterable[Agency], without: Listing | None
) -> tuple[str, ...]:
    """The support types of an agency's rows but one, in the order of their names; "" where a cell is blank."""
    rows = {listing.row: listing for agency in agencies for listing in listed.get(agency, ())}
    if without is not None:
        rows.pop(without.row, None)
    return tuple(sorted(row.values.support_type or shown(row.cells.support_type) for row in rows.values()))
