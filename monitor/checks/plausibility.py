"""Pure: decides whether a publication is accepted, or held because it is probably wrong, with reasons.

A held publication reaches neither the log nor a subscriber. Structural holds, and doubts about very many rows, wait for
an operator. Other doubts end by themselves once ICE has published the same for long enough.

The limits come from 188 real publications of 2025: at most 6 rows (0.3 %) left at once, and at most 13 (1.4 %) changed
in substance.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from monitor.checks.changes import field_changes
from monitor.model import Cells, HeldPublication, Hold, Listing, ListName, Match, Matching, Significance, Standing


class Doubt(StrEnum):
    """Why a publication is not plausible: the first words of the reason that an operator reads."""

    GONE = "Too many rows gone"
    FAR_TOO_MANY_GONE = "Far too many rows gone"
    STATE_GONE = "Half of a state gone"
    CHANGED = "Too many rows changed"
    UNREADABLE = "Cells that were readable are not"
    EMPTIED = "A column is empty now"
    UNKNOWN_STATES = "Too many unknown states"
    REPEATED = "Too many repeated rows"
    SERVED_AGAIN = "An earlier workbook served again"
    NO_APPLICATIONS = "Every application gone"


# Doubts that only an operator ends.
FOR_AN_OPERATOR = frozenset({Doubt.FAR_TOO_MANY_GONE, Doubt.UNKNOWN_STATES})
# Doubts that do not arise where a list brings back what an earlier one lacked.
_OF_ROWS_GONE = frozenset({Doubt.GONE, Doubt.FAR_TOO_MANY_GONE, Doubt.STATE_GONE})
# A list that brings back at least this many rows for each one that it takes away repairs the one before.
_BACK_PER_ROW_GONE = 10
# A column counts as filled from this share of the rows, and as empty below the other.
_FILLED, _EMPTY = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a publication is not plausible (shares of 1; counts of rows), and how long a hold lasts."""

    gone_share: float = 0.01
    gone_rows: int = 15
    operator_gone_share: float = 0.05
    state_gone_share: float = 0.5
    state_rows: int = 6
    changed_share: float = 0.03
    changed_rows: int = 15
    unreadable_share: float = 0.01
    unreadable_rows: int = 15
    odd_share: float = 0.05
    odd_rows: int = 10
    emptied_pending_rows: int = 20
    release_after: timedelta = timedelta(hours=48)
    release_served_again_after: timedelta = timedelta(hours=24)


def structure(
    asked: ListName, columns_of: ListName, listings: Sequence[Listing], before: Sequence[Standing] = ()
) -> Hold | None:
    """Hold what cannot be the list that was linked, or lacks a column that it had. `before`: the list so far.

    Sept. 22, 2025: ICE swapped the two workbooks; a thousand agreements "left" and 42 applications "joined".
    An empty participating list would end every agreement at once; an empty pending list may be right.
    """
    if columns_of is not asked:
        return Hold(
            (f"The workbook linked as the {asked} list has the columns of the {columns_of} list.",),
            structural=True,
        )
    if asked is ListName.PARTICIPATING and not listings:
        return Hold(("The participating list is empty.",), structural=True)
    if lost := emptied([s.listing.cells for s in before], [row.cells for row in listings]):
        return Hold((f"Columns that are gone or empty, where they were not: {', '.join(lost)}.",), structural=True)
    return None


_ENOUGH = 10  # rows, for a column to be missed
_COLUMNS: dict[str, Callable[[Cells], str]] = {
    **{name.upper(): attrgetter(name) for name in ("state", "agency", "type", "county", "signed")},
    "SUPPORT TYPE": attrgetter("support_type"),
    "MOA": lambda cells: cells.moa or cells.moa_address,
    "ADDENDUM": lambda cells: cells.addendum or cells.addendum_address,
}


def emptied(before: Sequence[Cells], now: Sequence[Cells]) -> tuple[str, ...]:
    """The columns in which every fourth row or more had something that nearly none has any more.

    A column that was renamed, left out or cleared; one that fades row by row is none, and few rows say nothing.
    """
    if min(len(before), len(now)) < _ENOUGH:
        return ()
    shares = {name: (_filled(text_of, before), _filled(text_of, now)) for name, text_of in _COLUMNS.items()}
    return tuple(name for name, (was, is_now) in shares.items() if was >= 0.25 and is_now < was / 5)


def _filled(text_of: Callable[[Cells], str], rows: Sequence[Cells]) -> float:
    """The share of rows in which a column says something."""
    return sum(bool(text) and not text.isspace() for text in map(text_of, rows)) / len(rows)


def plausibility(matching: Matching, before: int, *, served_before: bool, limits: Limits) -> Hold | None:
    """Hold a participating publication that would say too much at once. `before`: rows of the one before.

    Judged after matching: what counts as gone is what continues nowhere, however many cells were rewritten.
    """
    reasons = [
        *_served_again(served_before),
        *_gone(matching, before, limits),
        *_changed(matching, limits),
        *_unreadable(matching, limits),
        *_emptied(matching, limits),
        *_odd(matching, limits),
    ]
    return Hold(tuple(reasons), structural=False) if reasons else None


def pending(matching: Matching, before: int, limits: Limits) -> Hold | None:
    """Hold a pending publication without a row after one with many. `before`: rows of the one before.

    In 2025 up to 59 of 78 applications left at once, but the lists without any row followed lists of at most 14. A
    workbook of a header alone would say that every application was dropped.
    """
    if matching.rows or before < limits.emptied_pending_rows:
        return None
    return Hold((f"{Doubt.NO_APPLICATIONS}: {before} of {before}.",), structural=False)


def _served_again(served_before: bool) -> Iterable[str]:
    if served_before:
        yield f"{Doubt.SERVED_AGAIN}: its bytes were published before, and replaced since."


def _gone(matching: Matching, before: int, limits: Limits) -> Iterable[str]:
    gone = len(matching.gone)
    if gone >= limits.gone_rows and gone > limits.operator_gone_share * before:
        yield f"{Doubt.FAR_TOO_MANY_GONE}: {gone} of {before}."
        return
    if gone >= limits.gone_rows and gone > limits.gone_share * before:
        yield f"{Doubt.GONE}: {gone} of {before} {_mark(s.listing for s in matching.gone)}."
    yield from _state_gone(matching, limits)


def _state_gone(matching: Matching, limits: Limits) -> Iterable[str]:
    gone = [s for s in matching.gone if s.listing.values.state and not s.spare]
    left = Counter(s.listing.values.state for s in gone)
    listed = left + Counter(m.old.listing.values.state for m in matching.matches)
    states = [
        state
        for state in left
        if listed[state] >= limits.state_rows and left[state] >= limits.state_gone_share * listed[state]
    ]
    if states:
        counts = ", ".join(f"{left[state]} of {listed[state]} in {state}" for state in sorted(map(str, states)))
        yield f"{Doubt.STATE_GONE}: {counts} {_mark(s.listing for s in gone if s.listing.values.state in states)}."


def _changed(matching: Matching, limits: Limits) -> Iterable[str]:
    rows = [m.new for m in matching.matches if _in_substance(m)]
    continued = len(matching.matches)
    if len(rows) >= limits.changed_rows and len(rows) > limits.changed_share * continued:
        yield f"{Doubt.CHANGED}: {len(rows)} of {continued} in substance {_mark(rows)}."


def _in_substance(match: Match) -> bool:
    if match.old.listing.cells == match.new.cells:
        return False
    fields = field_changes(match.old.listing, match.new)
    return any(field.significance is Significance.SUBSTANTIVE for field in fields)


def _unreadable(matching: Matching, limits: Limits) -> Iterable[str]:
    for field, name in (("state", "states"), ("support_type", "support types"), ("signed", "signed dates")):
        rows = [
            m.new
            for m in matching.matches
            if getattr(m.new.values, field) is None and getattr(m.old.listing.values, field) is not None
        ]
        if len(rows) >= limits.unreadable_rows and len(rows) > limits.unreadable_share * len(matching.matches):
            yield f"{Doubt.UNREADABLE}: {len(rows)} of {len(matching.matches)} {name} {_mark(rows)}."


def _emptied(matching: Matching, limits: Limits) -> Iterable[str]:
    continued = len(matching.matches)
    if continued < limits.unreadable_rows:
        return
    for field in ("county", "signed", "moa"):
        before = sum(bool(getattr(m.old.listing.values, field)) for m in matching.matches)
        now = sum(bool(getattr(m.new.values, field)) for m in matching.matches)
        if before >= _FILLED * continued and now < _EMPTY * continued:
            yield f"{Doubt.EMPTIED}: {field.upper()}, filled in {before} of {continued} rows before and in {now} now."


def _odd(matching: Matching, limits: Limits) -> Iterable[str]:
    now = matching.rows
    shown = [m.new for m in (*matching.matches, *matching.spares)]
    shown += [*matching.came, *(second for second, _ in matching.twins)]
    unknown = sum(listing.values.state is None for listing in shown)
    if unknown >= limits.odd_rows and unknown > limits.odd_share * now:
        yield f"{Doubt.UNKNOWN_STATES}: {unknown} of {now} rows."
    repeated = [*(m.new for m in matching.spares), *(second for second, _ in matching.twins)]
    if len(repeated) >= limits.odd_rows and len(repeated) > limits.odd_share * now:
        yield f"{Doubt.REPEATED}: {len(repeated)} of {now} rows list an agreement a second time {_mark(repeated)}."


def _mark(rows: Iterable[Listing]) -> str:
    """A code for these rows' cells, by which two holds can be seen to be about the same rows."""
    cells = sorted(repr(astuple(row.cells)) for row in rows)
    return f"[{hashlib.sha256(repr(cells).encode()).hexdigest()[:8]}]"


def unless_repair(hold: Hold, matching: Matching, *, returned: int, believed_before: bool) -> Hold | None:
    """What remains doubtful of a publication that may be ICE's own repair of the one before.

    `returned`: how many of its rows are agreements that had left. `believed_before`: its rows are exactly those of an
    earlier list that was believed, in any file. The whole list undoes a half that an operator accepted by mistake, even
    if it removes the few rows that came in between. An old list served again brings back few rows and removes more.
    """
    gone = len(matching.gone)
    repaired: frozenset[Doubt] = frozenset()
    if returned and returned >= _BACK_PER_ROW_GONE * gone:
        repaired |= {*_OF_ROWS_GONE, Doubt.SERVED_AGAIN}
    if believed_before and returned >= gone:
        repaired |= frozenset(Doubt) - {Doubt.SERVED_AGAIN}
    reasons = tuple(r for r in hold.reasons if not r.startswith(tuple(f"{doubt}:" for doubt in repaired)))
    return Hold(reasons, hold.structural) if reasons else None


def released(
    hold: Hold, waiting: Sequence[HeldPublication], observed_at: datetime, now: datetime, limits: Limits
) -> bool:
    """Whether ICE has stood by a doubtful publication for long enough.

    `waiting`: the held publications before this one that nothing believed has followed, oldest first; `observed_at`:
    when this one was first seen. 48 hours release it, counted from the first of the publications that raise the same
    doubts about the same rows, one after another. A publication that contradicts them starts the 48 hours anew: three
    lists of one state each, within an hour, agree on nothing. Bytes that were served before need 24 hours.
    """
    raised = doubts(hold)
    if hold.structural or raised & FOR_AN_OPERATOR:
        return False
    if raised <= {Doubt.SERVED_AGAIN}:
        return now - observed_at >= limits.release_served_again_after
    since = observed_at
    for earlier in reversed([w for w in waiting if not w.hold.structural]):
        if not _concerns(hold) <= _concerns(earlier.hold):
            break
        since = earlier.observed_at
    return now - since >= limits.release_after


def doubts(hold: Hold) -> frozenset[Doubt]:
    """Which doubts a hold's reasons speak of."""
    return frozenset(d for d in Doubt if any(r.startswith(f"{d}:") for r in hold.reasons))


def _concerns(hold: Hold) -> frozenset[tuple[str, str]]:
    """What a hold doubts, apart from bytes served again: each doubt with the rows or the column it is about.

    The counts are left out, because the number of all rows may differ between lists that lack the same ones.
    """
    concerns = set()
    for reason in hold.reasons:
        doubt, _, about = reason.partition(": ")
        if doubt == Doubt.EMPTIED:
            concerns.add((doubt, about.partition(",")[0]))
        elif doubt != Doubt.SERVED_AGAIN:
            concerns.add((doubt, about[about.find("[") :] if "[" in about else ""))
    return frozenset(concerns)
