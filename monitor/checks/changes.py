"""Pure: what two publications of a list mean for each agreement, as changes.

Order does not matter: the changes of a publication come out sorted by what they say, whatever the rows' order was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from monitor.geography import is_county
from monitor.matching.similarity import Likeness, likeness
from monitor.model import (
    Application,
    Cells,
    Change,
    Departure,
    FieldChange,
    Kind,
    Listing,
    Match,
    Matching,
    Significance,
    Standing,
    Values,
)
from monitor.normalize import document_name, shown

# The fields that a reader is told about, as the log names them.
FIELDS = ("state", "agency", "type", "county", "support_type", "signed", "moa", "addendum")


def changed(match: Match) -> Change | None:
    """The change that a continued listing shows; None where no cell differs."""
    if match.old.listing.cells is match.new.cells or match.old.listing.cells == match.new.cells:
        return None
    fields = field_changes(match.old.listing, match.new)
    if not fields:
        return None
    return Change(
        Kind.CHANGED,
        match.old.agreement,
        before=match.old.listing,
        after=match.new,
        fields=fields,
        significance=weightiest(fields),
        reasons=(*match.reasons, *_what_it_means(match.old.listing.values, match.new.values)),
    )


def _what_it_means(old: Values, new: Values) -> tuple[str, ...]:
    """What several changed cells say together: an agreement signed again, or one document under another support type.

    A later date alone may be a corrected one, and a new document alone the old one scanned again.
    """
    documents = document_name(old.moa), document_name(new.moa)
    if not all(documents):
        return ()
    another = documents[0] != documents[1]
    meanings = []
    if another and old.signed and new.signed and old.signed < new.signed:
        meanings.append("signed again: a later date and another document")
    if not another and old.support_type and new.support_type and old.support_type is not new.support_type:
        meanings.append("the same document under another support type")
    return tuple(meanings)


def field_changes(before: Listing, after: Listing) -> tuple[FieldChange, ...]:
    """Every field whose cell or link differs, with how much that matters."""
    differing = []
    for name in FIELDS:
        old, new = _as_published(before.cells, name), _as_published(after.cells, name)
        if old != new:
            differing.append(FieldChange(name, old, new, _significance(name, before, after)))
    return tuple(differing)


def weightiest(fields: Sequence[FieldChange]) -> Significance:
    """The significance of a change as a whole: that of its weightiest field."""
    order = list(Significance)
    return min((f.significance for f in fields), key=order.index)


def _as_published(cells: Cells, field: str) -> str:
    """A cell's text; for a document its address, where the cell links one."""
    text: str = getattr(cells, field)
    address: str = getattr(cells, f"{field}_address", "")
    return address or text


def _significance(field: str, before: Listing, after: Listing) -> Significance:
    old, new = before.values, after.values
    if field in ("moa", "addendum"):
        return Significance.CLERICAL if getattr(old, field) == getattr(new, field) else Significance.DOCUMENT
    if field == "agency":
        return _agency_significance(old, new)
    if field == "county":
        return _county_significance(old, new)
    if field == "type":
        return Significance.CLERICAL
    one, other = getattr(old, field), getattr(new, field)
    # Written otherwise, or a blank or unreadable cell filled in.
    return Significance.CLERICAL if one is None or one == other else Significance.SUBSTANTIVE


def _agency_significance(old: Values, new: Values) -> Significance:
    """Once matched, it is one agreement; but to readers a county's prison is another agency than its sheriff.

    A name that much resembles the other was misspelled: "Freedom County" for "Freeborn County" (31 March 2025).
    """
    county = new.county if old.county == new.county else ""
    like = likeness(old.agency, new.agency, new.state or old.state, county)
    other = like in (Likeness.DIFFERENT, Likeness.SAME_PLACE)
    return Significance.SUBSTANTIVE if other else Significance.CLERICAL


def _county_significance(old: Values, new: Values) -> Significance:
    """Another county is substantive; a blank filled in or emptied, or a corrected misspelling, is not."""
    if not old.county or not new.county or old.county == new.county:
        return Significance.CLERICAL
    if not (is_county(old.state, old.county) and is_county(new.state, new.county)):
        return Significance.CLERICAL
    return Significance.SUBSTANTIVE


# --- the participating list ---------------------------------------------------------------------------------


def participating(
    matching: Matching,
    returned: Sequence[tuple[Departure, Match]],
    promoted: Sequence[tuple[Application, Match]],
    dropped: Mapping[int, Departure],
) -> tuple[Change, ...]:
    """The changes of a participating publication.

    `returned` and `promoted` say which of `matching.came` are agreements that left earlier, or were applications.
    `dropped`: applications that left the pending list, by the number of their agreement.
    """
    known = {match.new.row for _, match in (*returned, *promoted)}
    names = {n.values.agency for n in matching.came} | {s.listing.values.agency for s in matching.gone}
    listed = _support_types((m.new for m in (*matching.matches, *(match for _, match in returned))), names)
    changes = [*filter(None, map(changed, matching.matches))]
    changes += [_departed(Kind.TERMINATED, s, _still(s, listed)) for s in matching.gone]
    changes += _came_back(returned)
    for departure, match in returned:
        changes += _not_dropped(dropped.get(departure.standing.agreement), match.new)
    for application, match in promoted:
        changes += _promoted(application, match, listed)
    changes += [
        Change(Kind.NEW, None, after=n, reasons=_beside(n, listed)) for n in matching.came if n.row not in known
    ]
    return in_order(changes)


def _promoted(
    application: Application, match: Match, listed: Mapping[tuple[str | None, str], list[str]]
) -> list[Change]:
    """An application became an agreement; that it left the pending list before is no departure then."""
    new = Change(
        Kind.NEW,
        application.standing.agreement,
        after=match.new,
        reasons=(*match.reasons, *_beside(match.new, listed)),
        pending_since=application.since,
    )
    return [*_not_dropped(application.dropped, match.new), new]


def _not_dropped(dropped: Departure | None, listed: Listing) -> list[Change]:
    """Take back that an application left the pending list, where that was not confirmed and its agreement is listed."""
    if dropped is None or dropped.confirmed:
        return []
    return [_withdrawn(dropped, listed, "the application is an agreement now")]


def baseline(promoted: Sequence[tuple[Application, Match]]) -> tuple[Change, ...]:
    """What the first publication of the participating list says of applications that were seen before it."""
    return in_order(c for application, match in promoted for c in _not_dropped(application.dropped, match.new))


def _support_types(listings: Iterable[Listing], names: Set[str]) -> dict[tuple[str | None, str], list[str]]:
    """The support types under which each agency of one of these names is listed."""
    types: dict[tuple[str | None, str], list[str]] = {}
    for listing in listings:
        v = listing.values
        if v.agency in names and v.support_type:
            types.setdefault((v.state, v.agency), []).append(v.support_type)
    return types


def _beside(listing: Listing, listed: Mapping[tuple[str | None, str], list[str]]) -> tuple[str, ...]:
    """What a new agreement stands beside: the agency's others, if it has any."""
    others = listed.get((listing.values.state, listing.values.agency))
    return (f"the agency is listed already: {', '.join(sorted(set(others)))}",) if others else ()


def _still(standing: Standing, listed: Mapping[tuple[str | None, str], list[str]]) -> tuple[str, ...]:
    """What of an agency remains when one of its agreements goes."""
    values = standing.listing.values
    others = listed.get((values.state, values.agency))
    return (f"the agency is still listed: {', '.join(sorted(set(others)))}",) if others else ()


# --- the pending list ---------------------------------------------------------------------------------------


def pending(
    matching: Matching,
    returned: Sequence[tuple[Departure, Match]],
    participating_now: frozenset[int],
    already: Sequence[Match],
    second: Sequence[Match],
    listed: Sequence[Match] = (),
) -> tuple[Change, ...]:
    """The changes of a pending publication.

    An application that leaves has not departed if its agreement is on the participating list by now
    (`participating_now`: numbers of agreements). `already`: rows of `matching.came` whose agreement is or was
    participating; they are recorded as applications for it. `second`: second rows of an agreement on the pending list,
    which are no news. `listed`: applications that leave while their agreement is listed under another name; both have
    ids in the log by then, so the departure says so.
    """
    as_listed = {m.old.agreement: (*m.reasons, f"participating by now: {shown(m.new.cells.agency)}") for m in listed}
    known = {match.new.row for match in (*(match for _, match in returned), *already, *second)}
    changes = [*filter(None, map(changed, matching.matches))]
    changes += [
        _departed(Kind.DROPPED, s, as_listed.get(s.agreement, ()))
        for s in matching.gone
        if s.agreement not in participating_now
    ]
    changes += _came_back(returned)
    changes += [Change(Kind.APPLIED, m.old.agreement, after=m.new, reasons=m.reasons) for m in already]
    changes += [Change(Kind.APPLIED, None, after=n) for n in matching.came if n.row not in known]
    return in_order(changes)


# --- both ---------------------------------------------------------------------------------------------------


def confirmed(departure: Departure) -> Change:
    """The note that a departure has stood for long enough."""
    return Change(
        Kind.CONFIRMED,
        departure.standing.agreement,
        before=departure.standing.listing,
        about=departure.entry,
    )


def merged(older: Match, younger: Match, about: str | None) -> Change:
    """The note that two agreements proved to be one, about the entry that told of the younger, if there is one."""
    return Change(
        Kind.MERGED,
        older.old.agreement,
        before=older.new,
        after=younger.new,
        about=about,
        reasons=("both are listed under one state, agency and support type",),
    )


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Changes in the order of the log: by state, agency and support type; a note before the entry it goes with."""
    return tuple(sorted(changes, key=_order))


def _order(change: Change) -> tuple[str, ...]:
    row = change.after or change.before
    if row is None:
        return ("",)
    v = row.values
    return (
        v.state or "~",
        v.agency,
        v.support_type or "~",
        "" if change.kind.is_note else change.kind,
        *_all_cells(row.cells),
        str(change.agreement or ""),
    )


def _all_cells(cells: Cells) -> tuple[str, ...]:
    return tuple(_as_published(cells, name) for name in FIELDS)


def _departed(kind: Kind, standing: Standing, reasons: tuple[str, ...] = ()) -> Change:
    return Change(kind, standing.agreement, before=standing.listing, reasons=reasons)


def _came_back(returned: Sequence[tuple[Departure, Match]]) -> list[Change]:
    """Listed again. A departure that was not confirmed yet is withdrawn in the same commit."""
    changes = []
    for departure, match in returned:
        if not departure.confirmed:
            changes.append(_withdrawn(departure, match.new, "listed again"))
        changes.append(
            Change(
                Kind.RETURNED,
                departure.standing.agreement,
                before=departure.standing.listing,
                after=match.new,
                fields=field_changes(departure.standing.listing, match.new),
                reasons=(*match.reasons, *_what_it_means(departure.standing.listing.values, match.new.values)),
            )
        )
    return changes


def _withdrawn(departure: Departure, after: Listing, reason: str) -> Change:
    return Change(
        Kind.WITHDRAWN,
        departure.standing.agreement,
        before=departure.standing.listing,
        after=after,
        reasons=(reason,),
        about=departure.entry,
    )
