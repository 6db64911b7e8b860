"""Pure: which changes of agreements there are between two publications of a list.

Order does not matter: the changes of a publication come out sorted by what they say, whatever the rows' order was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta

from monitor.checks.agency_standing import signed_anew, with_standing
from monitor.geography import is_county
from monitor.matching.evidence import agree
from monitor.matching.similarity import Likeness, is_named_in, likeness
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
    Relation,
    Significance,
    Standing,
    Values,
)
from monitor.normalize import document_date, document_name, same_document
from templates import dates

# The fields that a reader is told about, as the log names them.
FIELDS = ("state", "agency", "type", "county", "support_type", "signed", "moa", "addendum")

# A signed date that moves no further was corrected: of 71 that moved in 2025, 47 moved by a day.
_CORRECTED_DAYS = timedelta(days=2)
# An application that was on the pending list so long before its present stay was applied for before.
_LONG_AGO = timedelta(days=31)
FIRST_SEEN = "first seen on the pending list in "


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
        reasons=(*match.reasons, *_of_documents(match.old.listing.values, match.new.values)),
        relation=Relation.RENEWED if signed_anew(match.old.listing, match.new) else None,
    )


def _of_documents(old: Values, new: Values) -> tuple[str, ...]:
    """What the two documents say of the change, in words."""
    day = document_date(new.moa)
    if day and _later_document(old, new):
        return (f"document of {dates.day(day)}",)
    return _one_document(old, new)


def _one_document(old: Values, new: Values) -> tuple[str, ...]:
    """That one document was described under another support type."""
    document = document_name(old.moa)
    if not document or document != document_name(new.moa) or old.support_type is new.support_type:
        return ()
    return ("the same document under another support type",) if old.support_type and new.support_type else ()


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
    if field == "moa" and _later_document(old, new):
        return Significance.SUBSTANTIVE
    if field == "type":
        return Significance.CLERICAL
    one, other = getattr(old, field), getattr(new, field)
    if field in ("moa", "addendum"):
        return Significance.CLERICAL if same_document(one, other) else Significance.DOCUMENT
    if field == "agency":
        return _agency_significance(old, new)
    if field == "county":
        return _county_significance(old, new)
    # Written otherwise, or one side is blank or unreadable, which says nothing of the agreement.
    if one is None or other is None or one == other:
        return Significance.CLERICAL
    if field == "signed":
        return _signed_significance(before, after)
    return Significance.SUBSTANTIVE


def _later_document(old: Values, new: Values) -> bool:
    """Whether the document was replaced by the agency's own of a later day, by their names: it was signed again."""
    one, other = document_date(old.moa), document_date(new.moa)
    if one is None or other is None or same_document(old.moa, new.moa):
        return False
    return one < other and is_named_in(new.agency, document_name(new.moa))


def _signed_significance(before: Listing, after: Listing) -> Significance:
    """A date is corrected if it moves to the one in the name of its document, or by two days at most with the rest of
    the agreement as it was (June 12, 2025: a whole batch moved to the day before); otherwise it is another date."""
    old, new = before.values, after.values
    if old.signed is None or new.signed is None or signed_anew(before, after) or _later_document(old, new):
        return Significance.SUBSTANTIVE
    replaced = old.moa and new.moa and not same_document(old.moa, new.moa)
    same_terms = _same_terms(old, new) and not replaced
    near = abs(new.signed - old.signed) <= _CORRECTED_DAYS and same_terms
    as_in_document = new.signed == document_date(new.moa) and is_named_in(new.agency, document_name(new.moa))
    return Significance.CLERICAL if near or as_in_document else Significance.SUBSTANTIVE


def _same_terms(old: Values, new: Values) -> bool:
    """Whether two rows name one agency under one model in one state, where both say."""
    pairs = ((old.state, new.state), (old.support_type, new.support_type))
    return all(agree(*pair) is not False for pair in pairs) and (
        _agency_significance(old, new) is Significance.CLERICAL
    )


def _agency_significance(old: Values, new: Values) -> Significance:
    """Once matched, it is one agreement; but to readers a county's prison is another agency than its sheriff.

    A name that much resembles the other was misspelled: "Freedom County" for "Freeborn County" (March 31, 2025).
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
    changes = [*filter(None, map(changed, matching.matches))]
    changes += [_departed(Kind.TERMINATED, s) for s in matching.gone]
    changes += _came_back(returned)
    for departure, match in returned:
        if left := dropped.get(departure.standing.agreement):
            changes.append(_approved(left.standing, left.entry, match.new))
    for application, match in promoted:
        changes += _promoted(application, match)
    changes += [Change(Kind.NEW, None, after=n) for n in matching.came if n.row not in known]
    before = [*(m.old for m in matching.matches), *matching.gone]
    return in_order(with_standing(changes, before, [*(m.new for m in matching.matches), *matching.came]))


def _promoted(application: Application, match: Match) -> list[Change]:
    """An application became an agreement: a note about what was said of the application, and the agreement itself."""
    new = Change(
        Kind.NEW,
        application.standing.agreement,
        after=match.new,
        reasons=(*match.reasons, *_of_an_earlier_stay(application)),
        pending_since=application.since,
    )
    return [*_approvals(application, match.new), new]


def _of_an_earlier_stay(application: Application) -> tuple[str, ...]:
    """When an application was on the pending list first, if that was long before its present stay."""
    first = application.first_seen
    if first is None or application.since - first < _LONG_AGO:
        return ()
    return (f"{FIRST_SEEN}{first:%B %Y}",)


def _approvals(application: Application, listed: Listing) -> list[Change]:
    """The note that an application was approved, about the last entry that told of it, if one did."""
    about = application.dropped.entry if application.dropped else application.entry
    return [_approved(application.standing, about, listed)] if about else []


def _approved(application: Standing, about: str | None, listed: Listing) -> Change:
    return Change(
        Kind.APPROVED,
        application.agreement,
        before=application.listing,
        after=listed,
        about=about,
        reasons=("moved from the pending to the participating list",),
    )


def baseline(promoted: Sequence[tuple[Application, Match]]) -> tuple[Change, ...]:
    """What the first publication of the participating list says of applications that were seen before it."""
    return in_order(c for application, match in promoted for c in _approvals(application, match.new))


# --- the pending list ---------------------------------------------------------------------------------------


def pending(
    matching: Matching,
    returned: Sequence[tuple[Departure, Match]],
    already: Sequence[Match],
    second: Sequence[Match],
    approved: Set[int],
    participating_now: Sequence[Standing] = (),
) -> tuple[Change, ...]:
    """The changes of a pending publication.

    `already`: rows of `matching.came` whose agreement is or was participating; they are recorded as applications for
    it. `second`: second rows of an agreement on the pending list, which are no news. `approved`: numbers of
    applications whose agreement is on the participating list by now (`participating_now`); that they leave is no news.
    """
    known = {match.new.row for match in (*(match for _, match in returned), *already, *second)}
    changes = [*filter(None, map(changed, matching.matches))]
    changes += [_departed(Kind.DROPPED, s) for s in matching.gone if s.agreement not in approved]
    changes += _came_back(returned)
    changes += [Change(Kind.APPLIED, m.old.agreement, after=m.new, reasons=m.reasons) for m in already]
    changes += [Change(Kind.APPLIED, None, after=n) for n in matching.came if n.row not in known]
    listed = [s for s in participating_now if not s.spare]
    return in_order(with_standing(changes, listed, [s.listing for s in listed]))


def approved_as(application: Standing, about: str | None, match: Match) -> Change:
    """The note that an application is an agreement that was listed first, under another name; both had an id."""
    note = _approved(application, about, match.new)
    return replace(note, reasons=(*note.reasons, *match.reasons))


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
                reasons=(*match.reasons, *_of_documents(departure.standing.listing.values, match.new.values)),
                relation=Relation.RENEWED if _signed_since(departure, match.new) else None,
            )
        )
    return changes


def _signed_since(departure: Departure, listing: Listing) -> bool:
    """Whether what is listed again was signed after it had left, or signed again before."""
    before, now = departure.standing.listing, listing.values.signed
    signed_later = now is not None and now != before.values.signed and now >= departure.observed_at.date()
    return signed_later or signed_anew(before, listing)


def _withdrawn(departure: Departure, after: Listing, reason: str) -> Change:
    return Change(
        Kind.WITHDRAWN,
        departure.standing.agreement,
        before=departure.standing.listing,
        after=after,
        reasons=(reason,),
        about=departure.entry,
    )
