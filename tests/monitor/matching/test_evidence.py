"""When two rows are believed to be one agreement: each rule as the least it takes, and what makes it too little."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.matching.evidence import (
    AS_IT_LEFT,
    AT_ONCE,
    LATER,
    OTHER_MODEL,
    SECOND_ROW,
    Evidence,
    MatchRules,
    agree,
    believed,
    listed_twice,
    same_county,
    weigh,
)
from monitor.matching.similarity import Likeness
from monitor.model import Cells, Values
from monitor.normalize import document_name, values
from tests.monitor.builders import cells
from tests.monitor.matching.test_matcher import link

DIFFERENT, RESEMBLES, SAME_PLACE, REWORDED, WORDING, SPELLING, EQUAL = Likeness
NOTHING = Evidence(
    document=None, signed=None, name=DIFFERENT, county=None, state=None, support_type=None, state_corrected=False
)
Facts = dict[str, object]


def evidence(**facts: object) -> Evidence:
    """What is said, and nothing else."""
    return replace(NOTHING, **facts)  # type: ignore[arg-type]


def is_believed(rules: MatchRules, facts: Facts) -> bool:
    return bool(believed(evidence(**facts), rules))


# --- each rule: the least it takes, and what is too little -------------------------------------------------

# The rules, the facts that just suffice, and changes of one fact that make them too little.
LEAST: list[tuple[MatchRules, Facts, list[Facts]]] = [
    # one document, and the day
    (LATER, {"document": True, "signed": True}, [{"document": None}, {"signed": None}, {"signed": False}]),
    # one document, and the place, on whatever day
    (
        LATER,
        {"document": True, "signed": False, "name": SAME_PLACE},
        [{"document": None}, {"document": False}, {"name": RESEMBLES}],
    ),
    # one day, and the name but for its writing
    (
        LATER,
        {"signed": True, "name": REWORDED},
        [{"signed": None}, {"signed": False}, {"name": SAME_PLACE}, {"state": False}, {"support_type": False}],
    ),
    # one day, the same name, another state
    (
        LATER,
        {"signed": True, "name": EQUAL, "state": False},
        [{"signed": None}, {"signed": False}, {"name": SPELLING}, {"support_type": False}],
    ),
    # no date: the name but for its writing, and the county
    (
        LATER,
        {"name": WORDING, "county": True},
        [
            {"signed": False},
            {"name": REWORDED},
            {"county": None},
            {"support_type": False},
            {"state": False},
            {"state": False, "name": EQUAL},
            {"state": False, "name": SPELLING, "state_corrected": True},
        ],
    ),
    # no date, another state: the same name, and a county that only one of the states has
    (
        LATER,
        {"name": EQUAL, "county": True, "state": False, "state_corrected": True},
        [{"state_corrected": False}, {"name": SPELLING}, {"county": None}, {"signed": False}, {"support_type": False}],
    ),
    # one day, the name but for its writing, another model, at once
    (
        AT_ONCE,
        {"signed": True, "name": WORDING, "support_type": False},
        [{"signed": None}, {"signed": False}, {"name": REWORDED}, {"state": False}, {"state": False, "name": EQUAL}],
    ),
    # no date: the name but for its writing, at once
    (
        AT_ONCE,
        {"name": WORDING},
        [{"signed": False}, {"name": REWORDED}, {"state": False}, {"support_type": False}],
    ),
    # one agency under one model, on whatever day and with whatever document, at once
    (
        AT_ONCE,
        {"signed": False, "document": False, "name": WORDING, "state": True, "county": True, "support_type": True},
        [
            {"name": REWORDED},
            {"state": None},
            {"state": False, "state_corrected": True},
            {"county": None},
            {"county": False},
            {"support_type": None},
            {"support_type": False},
        ],
    ),
    # an application under another model, at once
    (
        OTHER_MODEL,
        {"name": WORDING, "state": True, "county": True, "support_type": False},
        [
            {"signed": False},
            {"signed": True},
            {"name": REWORDED},
            {"state": None},
            {"county": None},
            {"county": False},
            {"support_type": True},
            {"document": False},
        ],
    ),
    # one day, another office of the place, at once
    (
        AT_ONCE,
        {"signed": True, "name": SAME_PLACE, "support_type": True},
        [{"signed": None}, {"signed": False}, {"state": False}, {"support_type": None}, {"support_type": False}],
    ),
    # one day, much the same name, at once
    (
        AT_ONCE,
        {"signed": True, "name": RESEMBLES, "support_type": True},
        [
            {"signed": None},
            {"signed": False},
            {"name": DIFFERENT},
            {"state": False},
            {"support_type": None},
            {"support_type": False},
        ],
    ),
    # the second row of an agreement: one day, the name but for its writing
    (
        SECOND_ROW,
        {"signed": True, "name": WORDING, "support_type": True},
        [
            {"signed": False},
            {"name": REWORDED},
            {"state": False},
            {"support_type": None},
            {"support_type": False},
        ],
    ),
    # an application that leaves as an agreement is listed: the name but for its writing
    (
        AS_IT_LEFT,
        {"name": WORDING},
        [{"signed": False}, {"name": REWORDED}, {"state": False}, {"support_type": False}, {"county": False}],
    ),
    # and without a date
    (
        SECOND_ROW,
        {"name": WORDING},
        [{"signed": False}, {"signed": True}, {"name": REWORDED}, {"state": False}, {"support_type": False}],
    ),
]


@pytest.mark.parametrize(("rules", "facts"), [(rules, facts) for rules, facts, _ in LEAST])
def test_two_signals_that_nothing_speaks_against_are_believed(rules: MatchRules, facts: Facts) -> None:
    assert is_believed(rules, facts)


@pytest.mark.parametrize(
    ("rules", "facts", "but"), [(rules, facts, but) for rules, facts, changes in LEAST for but in changes]
)
def test_with_one_of_its_facts_changed_a_rule_does_not_hold(rules: MatchRules, facts: Facts, but: Facts) -> None:
    assert not is_believed(rules, facts | but)


@pytest.mark.parametrize("facts", [facts for rules, facts, _ in LEAST if rules not in (SECOND_ROW, OTHER_MODEL)])
def test_what_says_nothing_says_nothing_against(facts: Facts) -> None:
    for field in ("document", "county", "state", "support_type"):
        if field not in facts:
            assert is_believed(AT_ONCE, facts | {field: True})


@pytest.mark.parametrize("facts", [facts for rules, facts, _ in LEAST if rules is LATER])
def test_what_is_believed_later_is_believed_at_once(facts: Facts) -> None:
    assert is_believed(AT_ONCE, facts)
    assert is_believed(AS_IT_LEFT, facts)


@pytest.mark.parametrize("facts", [facts for rules, facts, _ in LEAST if rules is AT_ONCE])
def test_what_takes_the_same_moment_is_not_believed_later(facts: Facts) -> None:
    assert not is_believed(LATER, facts)


@pytest.mark.parametrize("facts", [{"document": True, "signed": True}, {"signed": True, "name": REWORDED}])
def test_a_second_row_takes_the_name(facts: Facts) -> None:
    """The document and the day of an agreement that stays speak for its other row."""
    assert not is_believed(SECOND_ROW, facts | {"support_type": True, "state": True})


@pytest.mark.parametrize("signal", ["document", "signed", "county", "state", "support_type"])
def test_no_signal_suffices_alone(signal: str) -> None:
    assert not is_believed(AT_ONCE, {signal: True})


# --- evidence against --------------------------------------------------------------------------------------

SURE: Facts = {"signed": True, "name": EQUAL, "state": True, "support_type": True}


@pytest.mark.parametrize("rules", [LATER, AT_ONCE, SECOND_ROW])
def test_two_real_counties_are_two_agencies(rules: MatchRules) -> None:
    assert is_believed(rules, SURE)
    assert not is_believed(rules, SURE | {"county": False})
    assert not is_believed(rules, SURE | {"county": False, "document": False})


@pytest.mark.parametrize("rules", [LATER, AT_ONCE])
def test_one_document_outweighs_two_counties(rules: MatchRules) -> None:
    assert is_believed(rules, SURE | {"county": False, "document": True})
    assert is_believed(rules, {"county": False, "document": True, "signed": True})


@pytest.mark.parametrize("rules", [LATER, AT_ONCE, SECOND_ROW])
def test_two_documents_are_one_agreement_only_of_one_agency_under_one_model(rules: MatchRules) -> None:
    sure = SURE | {"document": False}
    assert is_believed(rules, sure)
    assert is_believed(rules, sure | {"state": None})
    for but in ({"name": SPELLING}, {"state": False}, {"support_type": False}):
        assert not is_believed(rules, sure | but)


def test_two_documents_where_the_support_type_is_not_said_may_be_one() -> None:
    assert is_believed(LATER, SURE | {"document": False, "support_type": None})


# --- a second spelling beside the first --------------------------------------------------------------------

TWICE: Facts = {"document": True, "signed": True, "name": WORDING, "support_type": True}


def test_a_row_that_repeats_another_but_for_the_spelling_lists_it_twice() -> None:
    assert listed_twice(evidence(**TWICE))
    assert listed_twice(evidence(**TWICE | {"state": True, "county": True, "name": SPELLING}))


@pytest.mark.parametrize(
    "but",
    [
        *({"document": None}, {"document": False}, {"signed": None}, {"signed": False}, {"name": REWORDED}),
        *({"state": False}, {"support_type": None}, {"support_type": False}, {"county": False}),
    ],
)
def test_a_row_that_differs_in_anything_else_is_no_second_spelling(but: Facts) -> None:
    assert not listed_twice(evidence(**TWICE | but))


# --- what is said, and what weighs more --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"document": True, "signed": True}, ("same document", "same signed date")),
        ({"document": True, "name": SAME_PLACE}, ("same document", "another office of the same place")),
        ({"signed": True, "name": EQUAL, "county": True}, ("same signed date", "same name", "same county")),
        ({"signed": True, "name": SPELLING}, ("same signed date", "same name but for typing errors")),
        ({"signed": True, "name": WORDING}, ("same signed date", "same name in other words")),
        ({"signed": True, "name": REWORDED}, ("same signed date", "same name in other words")),
        ({"signed": True, "name": REWORDED, "support_type": True},
         ("same signed date", "same name in other words", "same support type")),
        ({"document": True, "signed": True, "name": RESEMBLES},
         ("same document", "same signed date", "much the same name")),
    ],
)  # fmt: skip
def test_the_reasons_say_what_speaks_for_a_pair(facts: Facts, said: tuple[str, ...]) -> None:
    assert believed(evidence(**facts), LATER) == said
    assert believed(evidence(**facts), AT_ONCE) == (*said, "replaced in the same publication")
    assert believed(evidence(**facts), AS_IT_LEFT) == (*said, "left the pending list as it was listed")


def test_the_reasons_for_a_second_row_say_that_it_was_replaced() -> None:
    assert believed(evidence(name=WORDING), SECOND_ROW)[-1] == "replaced in the same publication"


def test_a_pair_that_is_not_believed_has_no_reasons() -> None:
    assert believed(NOTHING, AT_ONCE) == ()


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"document": True}, {}),
        ({"signed": True}, {}),
        ({"support_type": True}, {}),
        ({"state": True}, {}),
        ({"county": True}, {}),
        ({}, {"county": False}),
        ({}, {"document": False}),
        *(({"name": more}, {"name": less}) for less, more in zip(Likeness, list(Likeness)[1:], strict=False)),
        # a document says more than the day, the state, and even the name
        ({"document": True}, {"signed": True}),
        ({"document": True}, {"state": True}),
        ({"document": True}, {"name": EQUAL}),
        # where a state and a model could each be corrected, the state stands
        ({"state": True}, {"support_type": True}),
        # the county decides only between equals
        ({"signed": True}, {"county": True}),
        ({"support_type": True}, {"county": True}),
        # another document outweighs what an agency's other models share, another county less
        ({"county": False}, {"document": False}),
        ({"signed": True, "document": False, "county": True}, {"signed": True, "document": False}),
    ],
)
def test_of_two_rivals_the_one_for_which_more_speaks_weighs_more(more: Facts, less: Facts) -> None:
    assert evidence(**more).weight > evidence(**less).weight


# --- laying it out -----------------------------------------------------------------------------------------


def laid_out(a: Cells, b: Cells, shared: frozenset[str] = frozenset()) -> Evidence:
    found = weigh(values(a), values(b), shared)
    back = weigh(values(b), values(a), shared)
    assert found == back, "it matters which row came first"
    return found


BACON = cells("Bacon County Sheriff's Office", county="Bacon County", **link("bacon"))


def test_a_row_and_itself_agree_in_everything() -> None:
    assert laid_out(BACON, BACON) == Evidence(
        document=True, signed=True, name=EQUAL, county=True, state=True, support_type=True, state_corrected=False
    )


def test_blanks_say_nothing() -> None:
    blank = cells("Bacon Sheriff", state="", county="", support_type="", signed="", moa="link pending", moa_address="")
    found = laid_out(BACON, blank)
    assert (found.document, found.signed, found.county, found.state, found.support_type) == (None,) * 5
    assert not found.state_corrected


def test_what_differs_is_said_to_differ() -> None:
    other = replace(BACON, state="TEXAS", support_type="Jail Enforcement Model", signed="2025-06-01", **link("other"))
    found = laid_out(BACON, other)
    assert (found.document, found.signed, found.state, found.support_type) == (False,) * 4


def test_a_document_is_known_by_its_file_name_in_whichever_folder() -> None:
    moved = replace(BACON, moa_address=BACON.moa_address.replace("287gMOA", "elsewhere"))
    assert laid_out(BACON, moved).document is True


@pytest.mark.parametrize("carried", ["bacon", "other"])
def test_a_document_that_several_rows_carry_says_nothing(carried: str) -> None:
    name = document_name(values(replace(BACON, **link(carried))).moa)
    assert laid_out(BACON, replace(BACON, **link("other")), frozenset({name})).document is None
    assert laid_out(BACON, BACON, frozenset({name})).document is (None if carried == "bacon" else True)


def test_beyond_a_states_border_only_the_very_name_is_the_same() -> None:
    elsewhere = replace(BACON, state="TEXAS", agency="Bacon County Sherif's Office")
    assert laid_out(BACON, elsewhere).name is DIFFERENT
    assert laid_out(BACON, replace(elsewhere, state="XXXX")).name is SPELLING
    assert laid_out(BACON, replace(BACON, state="TEXAS")).name is EQUAL


def test_the_state_that_only_one_row_names_is_whose_own_name_is_left_out() -> None:
    one = cells("Virginia Department of Corrections", state="VIRGINIA", county="")
    for other in ("VIRGINIA", "XXXX"):
        assert laid_out(one, cells("Department of Corrections", state=other, county="")).name is WORDING


def test_the_county_that_both_rows_name_tells_no_names_apart() -> None:
    one = cells("Tennessee State Constable 4th District", state="TENNESSEE", county="Polk County")
    other = replace(one, agency="Polk County Constable District 4")
    assert laid_out(one, other).name is REWORDED
    assert laid_out(replace(one, county=""), replace(other, county="Polk County")).name is DIFFERENT


@pytest.mark.parametrize(
    ("one", "other", "corrected"),
    [
        ("SOUTH CAROLINA", "FLORIDA", True),  # April 8, 2025: Florida has no such county
        ("FLORIDA", "GEORGIA", False),  # neither has
        ("SOUTH CAROLINA", "SOUTH CAROLINA", False),
        ("SOUTH CAROLINA", "XXXX", False),
    ],
)
def test_a_state_is_corrected_where_only_one_of_the_two_has_such_a_county(
    one: str, other: str, corrected: bool
) -> None:
    berkeley = cells("Chesterfield County Sheriff's Office", state=one, county="Chesterfield County")
    assert laid_out(berkeley, replace(berkeley, state=other)).state_corrected is corrected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Bacon County", "Bacon", True),
        ("Bacon County", "Appling County", False),
        ("Bacon County", "Bacn County", None),
        ("Bacn County", "Bacon County", None),
        ("Bacon County", "", None),
        ("", "", None),
    ],
)
def test_two_counties_are_two_where_both_exist(one: str, other: str, same: bool | None) -> None:
    def row(county: str) -> Values:
        return values(cells("Harl Police Department", county=county))

    assert same_county(row(one), row(other)) is same


def test_a_county_may_stand_in_the_name_alone() -> None:
    named = values(cells("Bacon County Jail", county="#N/A"))
    assert same_county(named, values(cells("Harl Police Department", county="Bacon County"))) is True
    assert same_county(named, values(cells("Harl Police Department", county="Appling County"))) is False
    assert same_county(named, values(cells("Bacon County Jail", county="Appling County"))) is False


@pytest.mark.parametrize(("one", "other", "same"), [(1, 1, True), (1, 2, False), (None, 1, None), (1, None, None)])
def test_what_one_side_does_not_say_neither_agrees_nor_differs(one: object, other: object, same: bool | None) -> None:
    assert agree(one, other) is same
