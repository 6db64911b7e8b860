"""Pure: finds pairs that may be one agreement but are too doubtful for a rule, so that a person decides (`review`).

Until an operator answers, both stay in the log as what they look like: one that left, unconfirmed, and one that is new,
each saying that it may be the other. Time alone answers nothing: such a departure is not confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.matching.evidence import Evidence, MatchRules, agree, same_county, speaks_against, speaks_for, weigh
from monitor.matching.similarity import Likeness, one_holds_the_other
from monitor.model import DEPARTURES, Change, Departure, Kind, Listing, Values
from monitor.normalize import document_name, shown

MAY_BE = "may be the same as "
SIMILAR = "new on the participating list at that time under a similar name: "


@dataclass(frozen=True, slots=True)
class Pair:
    """A departure and an arrival that may be one agreement.

    `arrival` and `departure` are places among the changes of a publication; a departure that an earlier publication
    showed is named by its entry. `reasons`: what speaks for the pair and against it.
    """

    departure: int | str
    arrival: int
    left: Listing
    came: Listing
    reasons: tuple[str, ...]


def doubtful(changes: Sequence[Change], earlier: Iterable[Departure]) -> tuple[Pair, ...]:
    """The pairs among these changes, and with `earlier` unconfirmed departures, that a person should see."""
    departed: list[tuple[int | str, Listing]] = [(d.entry, d.standing.listing) for d in earlier]
    departed += [(i, c.before) for i, c in enumerate(changes) if c.kind in DEPARTURES and c.before]
    blocks: dict[object, list[tuple[int | str, Listing]]] = defaultdict(list)
    for name, gone in departed:
        for block in _blocks(gone.values):
            blocks[block].append((name, gone))
    pairs: dict[tuple[int | str, int], Pair] = {}
    for j, change in enumerate(changes):
        if change.kind not in (Kind.NEW, Kind.APPLIED) or change.agreement is not None or change.after is None:
            continue
        for i, gone in (known for block in _blocks(change.after.values) for known in blocks[block]):
            evidence = weigh(gone.values, change.after.values)
            if any(rule(evidence) for rule in DOUBTFUL) or _relabeled(gone.values, change.after.values, evidence):
                at_once = ("replaced in the same publication",) if isinstance(i, int) else ()
                reasons = (*speaks_for(evidence), *at_once, *speaks_against(evidence))
                pairs[i, j] = Pair(i, j, gone, change.after, reasons)
    return tuple(pairs.values())


def _blocks(values: Values) -> Iterator[object]:
    """A pair is weighed only where it shares one of these: every rule asks for one."""
    yield "state", values.state
    if values.moa:
        yield "document", document_name(values.moa)


def _same_document(e: Evidence) -> bool:
    """One document and nothing else. July 15, 2025: a row took over its neighbour's document as the neighbour left."""
    return bool(e.document)


def _much_the_same(e: Evidence) -> bool:
    """One signed date, and a name or a county that would do, in a tie with others or with something against it."""
    return bool(e.signed) and _same_terms(e) and (e.name >= Likeness.RESEMBLES or bool(e.county))


def _listed_again(e: Evidence) -> bool:
    """The same name in other words under another signed date: an agreement signed again, or another agency."""
    return e.signed is False and _same_terms(e) and e.name >= Likeness.REWORDED


def _applied_again(e: Evidence) -> bool:
    """Where there is no date, the name in other words, or much the same name in the same county.

    July 15, 2025: a township's application, and one of "Constable Office" of that township.
    """
    alike = e.name >= Likeness.REWORDED or (e.name >= Likeness.RESEMBLES and bool(e.county))
    return e.signed is None and _same_terms(e) and alike


def _relabeled(left: Values, came: Values, e: Evidence) -> bool:
    """A row that never had a document, and one of the same signed date whose name holds the other's: 15 pairs in all
    lists of 2025, most of them one agreement under a corrected name."""
    return bool(e.signed) and not left.moa and _same_terms(e) and one_holds_the_other(left.agency, came.agency)


def _same_terms(e: Evidence) -> bool:
    return e.state is not False and e.support_type is not False and e.county is not False


DOUBTFUL: MatchRules = (_same_document, _much_the_same, _listed_again, _applied_again)


def with_suspects(changes: Sequence[Change], pairs: Iterable[Pair], ids: Mapping[int | str, str]) -> tuple[Change, ...]:
    """The changes, each saying which it may be the same as. `ids`: of the agreements, by `departure` and `arrival`."""
    words: dict[int | str, list[str]] = defaultdict(list)
    for pair in pairs:
        words[pair.arrival].append(_may_be(pair.left, ids[pair.departure]))
        words[pair.departure].append(_may_be(pair.came, ids[pair.arrival]))
    return tuple(replace(c, reasons=(*c.reasons, *words.get(i, ()))) for i, c in enumerate(changes))


def _may_be(listing: Listing, agreement: str) -> str:
    cells = listing.cells
    return f"{MAY_BE}{shown(cells.agency)} ({shown(cells.support_type)}), {agreement}"


def suspects(reasons: Iterable[str]) -> tuple[str, ...]:
    """The agreements that an entry with these reasons may be the same as, by name and support type."""
    return tuple(r.removeprefix(MAY_BE).rpartition(", ")[0] for r in reasons if r.startswith(MAY_BE))


def with_similar(changes: Iterable[Change], new: Sequence[Listing]) -> tuple[Change, ...]:
    """The changes; each application that left the pending list names the agreements that are `new` on the other list
    under a similar name, since it may have become one of them.

    July 24, 2025: "St. Charles Place Sheriff's Office" left as "St. Charles Parish Sheriff's Office" came.
    """
    return tuple(_with_similar(c, new) if c.kind is Kind.DROPPED and c.before else c for c in changes)


def _with_similar(change: Change, new: Sequence[Listing]) -> Change:
    assert change.before
    left = change.before.values
    names = [
        f"{SIMILAR}{shown(came.cells.agency)} ({shown(came.cells.support_type)})"
        for came in new
        if came.values.state == left.state
        and agree(came.values.support_type, left.support_type) is not False
        and same_county(came.values, left) is not False
        and one_holds_the_other(came.values.agency, left.agency)
    ]
    return replace(change, reasons=(*change.reasons, *sorted(names)))


def similar(reasons: Iterable[str]) -> tuple[str, ...]:
    """The agreements that these reasons name as new under a similar name."""
    return tuple(r.removeprefix(SIMILAR) for r in reasons if r.startswith(SIMILAR))
