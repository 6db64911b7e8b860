"""Pure: the fields that a change edited, before and after, as readers see them."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.model import CORRECTIONS, RoutedEntry
from alerts.sanitize import clean, shortened
from monitor.model import Entry, FieldChange, Significance
from monitor.normalize import STATES, county, document, document_name, signed, state, support_type
from templates import dates

_LONGEST = 80  # characters
_DOCUMENTS = frozenset({"moa", "addendum"})
_WEIGHT = {significance: weight for weight, significance in enumerate(Significance)}


@dataclass(frozen=True, slots=True)
class Value:
    """A field before and after, in a reader's words; "" for a blank cell.

    `moved_days`: by how many days at most a date was corrected, for many rows at once.
    """

    name: str
    before: str
    after: str
    moved_days: int = 0

    @property
    def move(self) -> str:
        """What happened to it, the same for many rows: filled, emptied, replaced (a document by another), corrected (a
        date) or edited."""
        if self.moved_days:
            return "corrected"
        if not self.before:
            return "filled"
        if not self.after:
            return "emptied"
        return "replaced" if self.is_document else "edited"

    @property
    def is_document(self) -> bool:
        return self.name in _DOCUMENTS

    @property
    def is_typing(self) -> bool:
        """Whether the two look the same: they differ in spaces, or in the wrapping of an address."""
        return self.before == self.after


def one_sided(value: Value) -> tuple[str, str]:
    """Only whether the cell was filled before and is filled now, for rows whose values differ."""
    return ("…" if value.before else "", "…" if value.after else "")


def values_of(line: RoutedEntry) -> tuple[Value, ...]:
    """The edited fields of enough significance."""
    if line.entry.kind in CORRECTIONS:
        return ()  # they are told in words
    fields = [f for f in line.entry.fields if _WEIGHT[f.significance] <= _WEIGHT[line.least]]
    return tuple(_value(f) for f in fields)


def corrected_days(entry: Entry) -> int:
    """By how many days a corrected date was moved; 0 where none was corrected, or not from one date to another."""
    for field in entry.fields:
        before, after = signed(field.before), signed(field.after)
        if field.name == "signed" and field.significance is Significance.CLERICAL and before and after:
            return abs((after - before).days)
    return 0


def _value(change: FieldChange) -> Value:
    before, after = (_readable(change.name, cell) for cell in (change.before, change.after))
    if before == after:
        # The values are equal in a reader's words, so the text of the cells is shown. Of a document's address only the
        # part that names the document: the rest can contain the mailbox of the person who pasted it.
        written = document if change.name in _DOCUMENTS else clean
        before, after = (shortened(clean(written(c)), _LONGEST) for c in (change.before, change.after))
    return Value(change.name, before, after)


def _readable(field: str, cell: str) -> str:
    """A cell in a reader's words; "" if it is blank."""
    text = cell
    match field:
        case "state":
            text = STATES.get(state(cell) or "", cell)
        case "support_type":
            text = support_type(cell) or cell
        case "county":
            text = cell if county(cell) else ""
        case "signed":
            day = signed(cell)
            text = dates.day(day) if day else cell
        case "moa" | "addendum":
            address = document(cell)
            text = document_name(address) or address
    return shortened(clean(text), _LONGEST)
