"""Pure: the signals for and against two rows being one agreement, and the rules that say when they are enough.

A pair is believed only where **two independent signals** speak for it and nothing against. `match` pairs rows by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.geography import county_in, is_county
from monitor.matching.similarity import Likeness, likeness
from monitor.model import Values
from monitor.normalize import document_name


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against two rows being one agreement. None where a side says nothing."""

    document: bool | None
    signed: bool | None
    name: Likeness
    county: bool | None
    state: bool | None
    support_type: bool | None
    state_corrected: bool  # the states differ, and only one of them has such a county

    @property
    def weight(self) -> int:
        """For ranking rivals only; whether a pair is believed is for `believed` to say."""
        return (
            8 * (self.document is True)
            + 4 * (self.signed is True)
            + int(self.name)
            + 4 * (self.support_type is True)
            + 5 * (self.state is True)
            + 2 * (self.county is True)
            - 2 * (self.county is False)
            - 4 * (self.document is False)
        )


def weigh(a: Values, b: Values, shared: frozenset[str] = frozenset()) -> Evidence:
    """Lay out the evidence. Documents in `shared` identify neither row."""
    documents = document_name(a.moa), document_name(b.moa)
    telling = all(documents) and not shared & set(documents)
    state, county = agree(a.state, b.state), same_county(a, b)
    return Evidence(
        document=documents[0] == documents[1] if telling else None,
        signed=agree(a.signed, b.signed),
        name=_likeness_across_states(a, b) if state is False else _likeness(a, b, bool(county)),
        county=county,
        state=state,
        support_type=agree(a.support_type, b.support_type),
        state_corrected=state is False and is_county(a.state, named_county(a)) != is_county(b.state, named_county(b)),
    )


def _likeness(a: Values, b: Values, same_county: bool) -> Likeness:
    return likeness(a.agency, b.agency, a.state or b.state, named_county(a) if same_county else "")


def _likeness_across_states(a: Values, b: Values) -> Likeness:
    """Beyond a state's border a name that is not the same is another place's."""
    return Likeness.EQUAL if a.agency == b.agency else Likeness.DIFFERENT


def named_county(values: Values) -> str:
    return values.county or county_in(values.agency)


def agree(one: object, other: object) -> bool | None:
    return None if one is None or other is None else one == other


def same_county(a: Values, b: Values) -> bool | None:
    """True for the same county, False for two that both exist; a misspelled one (None) says nothing against."""
    one, other = named_county(a), named_county(b)
    if not one or not other:
        return None
    if one == other:
        return True
    return False if is_county(a.state, one) and is_county(b.state, other) else None


def believed(e: Evidence, rules: MatchRules) -> tuple[str, ...]:
    """The reasons why a pair is one agreement; () where two independent signals are not there.

    In each rule the first signal is what the two rows say of the agreement itself (document, signed date), the second
    what they call the agency; state, county and support type may be the misspelled one, but not all together.
    """
    if e.county is False and not e.document:
        return ()  # two real counties (Pima, Pinal) are two agencies
    if e.document is False and not _named_alike(e) and not (_same_agency_at_once in rules and _same_agency_at_once(e)):
        return ()  # two documents, and not one agency under one model: nothing left that says one agreement
    return (*speaks_for(e), *_MOMENTS.get(rules, ())) if any(rule(e) for rule in rules) else ()


def _named_alike(e: Evidence) -> bool:
    return e.name is Likeness.EQUAL and e.state is not False and e.support_type is not False


def _same_document(e: Evidence) -> bool:
    """One document, and the same day or place. Aug. 7, 2025: an agency re-listed under its parent's name."""
    return bool(e.document) and (bool(e.signed) or e.name >= Likeness.SAME_PLACE)


def _same_day_and_name(e: Evidence) -> bool:
    """One signed date, and a name that is the same but for its writing.

    March 17, 2025: "Dept." and "Department", "Office of the…" and "Texas Office of the…".
    """
    return bool(e.signed) and e.name >= Likeness.REWORDED and e.state is not False and e.support_type is not False


def _same_day_other_model(e: Evidence) -> bool:
    """One agency, one day, and another model in the same publication: one agreement described differently.

    Not later: an agency may sign for several models on one day, and one may leave and another come months later.
    """
    return bool(e.signed) and e.name >= Likeness.WORDING and e.state is not False and e.support_type is False


def _same_day_other_state(e: Evidence) -> bool:
    """All the same but the state: a Minnesota county had stood under Massachusetts (April 28, 2025)."""
    return bool(e.signed and e.name is Likeness.EQUAL and e.state is False and e.support_type is not False)


def _same_name_and_county(e: Evidence) -> bool:
    """Where there is no date, as on the pending list: the name but for its writing, and the county.

    April 8, 2025: a South Carolina county had applied under Florida, which has none of that name.
    """
    return (
        e.signed is None
        and e.name >= Likeness.WORDING
        and bool(e.county)
        and e.support_type is not False
        and (e.state is not False or (e.name is Likeness.EQUAL and e.state_corrected))
    )


def _same_name_at_once(e: Evidence) -> bool:
    """Where there is no date and no county either: the name but for its writing, replaced in the same publication.

    April 28, 2025: two cities' applications without "City of"; and three that were listed with it as they left the
    pending list.
    """
    return e.signed is None and e.name >= Likeness.WORDING and e.state is not False and e.support_type is not False


def _same_agency_at_once(e: Evidence) -> bool:
    """One agency under one model by all that names it, whatever the date and the document say.

    Two cells corrected at once, as a name and a date. Among 1,843 rows of one list, one pair of two agreements is as
    alike as this. A state may be one of the two cells, as in `_same_name_and_county`.
    """
    same_state = bool(e.state) or (e.name is Likeness.EQUAL and e.state_corrected)
    return e.name >= Likeness.WORDING and same_state and bool(e.county) and bool(e.support_type)


def _same_application_other_model(e: Evidence) -> bool:
    """One agency's application, without a date, under another model in the same publication. For the pending list.

    Nov. 25, 2025: two counties in one publication; March 13, 2025: a third.
    """
    return (
        e.signed is None and e.name >= Likeness.WORDING and bool(e.state) and bool(e.county) and e.support_type is False
    )


def _same_day_and_place(e: Evidence) -> bool:
    """Another office of the same place from one publication to the next: a county's sheriff, then its prison.

    Seen seven times in 2025, from 6 March on; most had a document that was the same, or named the later office.
    """
    return bool(e.signed) and _same_kind(e) and e.name is Likeness.SAME_PLACE


def _same_day_much_the_same_name(e: Evidence) -> bool:
    """A worse slip than a typing error: "Brookfield" for "Brookford", "Freedom County" for "Freeborn County"."""
    return bool(e.signed) and _same_kind(e) and e.name is Likeness.RESEMBLES


def _same_kind(e: Evidence) -> bool:
    return e.state is not False and e.support_type is True


def _same_day_respelled(e: Evidence) -> bool:
    """The second of two rows of one agreement, under another spelling while the first stays as it was."""
    return bool(e.signed) and _same_kind(e) and e.name >= Likeness.WORDING


def listed_twice(e: Evidence) -> bool:
    """A row beside another of one publication that lists the same agreement: all the same but the name's spelling."""
    return bool(e.document and e.signed) and _same_kind(e) and e.name >= Likeness.WORDING and e.county is not False


MatchRules = tuple[Callable[[Evidence], bool], ...]

# Rules for two rows seen apart in time; for one replaced by the other in the same publication, which is a signal of
# its own; and for the second row of an agreement whose first row stays.
LATER: MatchRules = (
    _same_document,
    _same_day_and_name,
    _same_day_other_state,
    _same_name_and_county,
)
AT_ONCE: MatchRules = (
    *LATER,
    _same_day_other_model,
    _same_name_at_once,
    _same_agency_at_once,
    _same_day_and_place,
    _same_day_much_the_same_name,
)
SECOND_ROW: MatchRules = (_same_day_respelled, _same_name_at_once)
# Rules for an application that is replaced on the pending list.
OTHER_MODEL: MatchRules = (_same_application_other_model,)
# Rules for an application that leaves the pending list within days of an agreement being listed: the same signal.
AS_IT_LEFT: MatchRules = (*LATER, _same_name_at_once)

_MOMENTS = {
    AT_ONCE: ("replaced in the same publication",),
    SECOND_ROW: ("replaced in the same publication",),
    OTHER_MODEL: ("replaced in the same publication",),
    AS_IT_LEFT: ("left the pending list as it was listed",),
}

_NAME_REASONS = {
    Likeness.EQUAL: "same name",
    Likeness.SPELLING: "same name but for typing errors",
    Likeness.WORDING: "same name in other words",
    Likeness.REWORDED: "same name in other words",
    Likeness.SAME_PLACE: "another office of the same place",
    Likeness.RESEMBLES: "much the same name",
}


def speaks_for(e: Evidence) -> tuple[str, ...]:
    """The evidence for a pair, in words."""
    reasons = []
    if e.document:
        reasons.append("same document")
    if e.signed:
        reasons.append("same signed date")
    if e.name is not Likeness.DIFFERENT:
        reasons.append(_NAME_REASONS[e.name])
    if e.county:
        reasons.append("same county")
    if e.support_type:
        reasons.append("same support type")
    return tuple(reasons)


def speaks_against(e: Evidence) -> tuple[str, ...]:
    """The evidence against a pair, in words."""
    compared = {
        "another document": e.document,
        "another signed date": e.signed,
        "another name": False if e.name is Likeness.DIFFERENT else None,
        "another county": e.county,
        "another support type": e.support_type,
        "another state": e.state,
    }
    return tuple(words for words, agree in compared.items() if agree is False)
