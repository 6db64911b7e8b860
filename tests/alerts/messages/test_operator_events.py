"""Which events the operator is told of, and how they look."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import pytest

from alerts.messages.operator_events import (
    AddressDisabled,
    ListRecovered,
    ListStale,
    MatchDoubtful,
    MessageUnsent,
    OperatorEvent,
    OperatorFacts,
    PublicationHeld,
    TrialMessage,
    new_events,
)
from alerts.messages.slack_parts import parts_of
from alerts.model import ChannelName
from alerts.storage.reports import DisabledAddress, UnsentRecord
from demo.slack_limits import refusal
from monitor.model import Kind, LastCheck, ListName, Outcome
from monitor.remarks import NotListing, Remarks, SheetRead, UnknownColumn
from monitor.storage.publications import PublicationRecord
from monitor.storage.reviews import ReviewRecord
from tests.alerts.builders import HOUR, NOON, entry
from tests.alerts.messages.test_render import RENDERER
from tests.golden import Golden

STALE_AFTER = 6 * HOUR
PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING


def checked(
    outcome: Outcome = Outcome.UNCHANGED,
    list_: ListName = PARTICIPATING,
    at: datetime = NOON,
    good: datetime | None = NOON,
) -> LastCheck:
    return LastCheck(list_, at, outcome, "the server answered 503" if outcome is Outcome.FAILED else "", good)


def publication(verdict: str = "held") -> PublicationRecord:
    reasons = ("The workbook linked as the participating list has the columns of the pending list.",)
    return PublicationRecord("p-1", PARTICIPATING, "list.xlsx", "https://x/", "00", 9, NOON, verdict, NOON, reasons)


UNSENT = UnsentRecord("d-1", ChannelName.EMAIL, "reader@example.org", "dead", "550 5.7.1 policy", NOON)
GONE = DisabledAddress(7, ChannelName.SLACK, "https://hooks.slack.com/services/T1/B1/s3cret", NOON, "404 no_service")
REVIEW = ReviewRecord("r-1", entry(Kind.TERMINATED), entry(Kind.NEW), (), "", None, "")


def keys(affairs: OperatorFacts, now: datetime, known: Collection[str] = ()) -> list[str]:
    return [event.key.partition(" ")[0] for event in new_events(affairs, known, now, STALE_AFTER)]


@pytest.mark.parametrize(
    ("affairs", "event"),
    [
        (OperatorFacts(held=(publication(),)), PublicationHeld),
        (OperatorFacts(unsent=(UNSENT,)), MessageUnsent),
        (OperatorFacts(disabled=(GONE,)), AddressDisabled),
        (OperatorFacts(doubtful=((REVIEW, 0),)), MatchDoubtful),
    ],
)
def test_each_thing_is_told_once(affairs: OperatorFacts, event: type[OperatorEvent]) -> None:
    [told] = new_events(affairs, (), NOON, STALE_AFTER)
    assert isinstance(told, event)
    assert new_events(affairs, {told.key}, NOON, STALE_AFTER) == ()


def test_a_question_that_is_not_answered_is_asked_again_each_time_that_a_reminder_is_due() -> None:
    [first] = new_events(OperatorFacts(doubtful=((REVIEW, 0),)), (), NOON, STALE_AFTER)
    [late] = new_events(OperatorFacts(doubtful=((REVIEW, 1),)), (), NOON, STALE_AFTER)
    assert isinstance(late, MatchDoubtful)
    assert not late.reminds  # it waited, but nobody was asked
    [again] = new_events(OperatorFacts(doubtful=((REVIEW, 1),)), {first.key}, NOON, STALE_AFTER)
    assert isinstance(again, MatchDoubtful)
    assert again.reminds
    assert new_events(OperatorFacts(doubtful=((REVIEW, 1),)), {first.key, again.key}, NOON, STALE_AFTER) == ()


REMARKS = Remarks(
    (NotListing(640, "Total: 635"), NotListing(641, "* as of March 3")),
    (UnknownColumn("STATUS", 635, (("Active", 595), ("Terminated", 40))),),
    (SheetRead("Participating", PARTICIPATING, 635, True), SheetRead("Terminated", PARTICIPATING, 30, False)),
)
REMARKED = replace(publication("accepted"), remarks=REMARKS)


def test_what_else_a_workbook_holds_is_told_once_however_the_numbers_move() -> None:
    [first] = new_events(OperatorFacts(remarked=(REMARKED,)), (), NOON, STALE_AFTER)
    moved = (NotListing(642, "Total: 637"), NotListing(643, "* as of March 5"))
    later = replace(REMARKED, id="p-2", remarks=replace(REMARKS, not_listings=moved))
    assert new_events(OperatorFacts(remarked=(later,)), {first.key}, NOON, STALE_AFTER) == ()
    other = replace(REMARKED, remarks=replace(REMARKS, unknown_columns=()))
    assert len(new_events(OperatorFacts(remarked=(other,)), {first.key}, NOON, STALE_AFTER)) == 1


def test_a_workbook_of_hundreds_of_columns_fits_a_slack_message() -> None:
    texts = tuple(("x" * 100, 9) for _ in range(20))
    columns = tuple(UnknownColumn(f"COLUMN {n} {'y' * 90}", 9, texts) for n in range(300))
    sheets = tuple(SheetRead("z" * 100, PARTICIPATING, 9, False) for _ in range(200))
    facts = OperatorFacts(remarked=(replace(REMARKED, remarks=Remarks((), columns, sheets)),))
    events = new_events(facts, (), NOON, STALE_AFTER)
    (part,) = parts_of(RENDERER.for_operator(ChannelName.SLACK, events))
    assert refusal({"text": part.text, "blocks": part.blocks}) is None
    assert "490 more such columns, rows or sheets" in json.dumps(part.blocks)


def test_what_was_put_back_and_given_up_again_is_told_again() -> None:
    [told] = new_events(OperatorFacts(unsent=(UNSENT,)), (), NOON, STALE_AFTER)
    again = replace(UNSENT, give_up_at=NOON + HOUR)
    assert keys(OperatorFacts(unsent=(again,)), NOON, {told.key}) == ["unsent"]


def test_no_address_is_told_in_full() -> None:
    events = new_events(OperatorFacts(unsent=(UNSENT,), disabled=(GONE,)), (), NOON, STALE_AFTER)
    assert "reader@" not in repr(events)
    assert "s3cret" not in repr(events)


@pytest.mark.parametrize(
    ("check", "hours", "told"),
    [
        (checked(Outcome.FAILED), 6, []),
        (checked(Outcome.FAILED), 7, ["stale"]),
        (checked(Outcome.FAILED, PENDING), 7, ["stale"]),
        (checked(Outcome.UNCHANGED, at=NOON + 7 * HOUR, good=NOON + 7 * HOUR), 7, []),
        (checked(Outcome.HELD), 7, []),  # the hold was told
        (checked(Outcome.NOT_LINKED), 7, ["stale"]),
        (checked(Outcome.NOT_LINKED, PENDING), 7, []),
        (checked(Outcome.UNCHANGED), 7, []),  # a replay, or a service that has just been started
    ],
)
def test_a_list_that_fails_for_long_is_told(check: LastCheck, hours: int, told: list[str]) -> None:
    assert keys(OperatorFacts(checks=(check,)), NOON + hours * HOUR) == told


@pytest.mark.parametrize(("running_for", "told"), [(5, []), (7, ["stale"])])
def test_that_nobody_looks_is_told_by_a_service_that_runs(running_for: int, told: list[str]) -> None:
    now = NOON + 100 * HOUR
    events = new_events(OperatorFacts(checks=(checked(),)), (), now, STALE_AFTER, now - running_for * HOUR)
    assert [event.kind for event in events] == told


def test_a_list_that_never_could_be_checked_is_told_as_well() -> None:
    never = checked(Outcome.FAILED, at=NOON + 8 * HOUR, good=None)
    assert keys(OperatorFacts(checks=(never,), first_checked={PARTICIPATING: NOON + 2 * HOUR}), NOON + 8 * HOUR) == []
    assert keys(OperatorFacts(checks=(never,), first_checked={PARTICIPATING: NOON + 1 * HOUR}), NOON + 8 * HOUR) == [
        "stale"
    ]


def test_that_it_works_again_is_told_once_and_then_the_next_failure() -> None:
    known: set[str] = set()

    def told(check: LastCheck, now: datetime) -> list[str]:
        events = new_events(OperatorFacts(checks=(check,)), known, now, STALE_AFTER)
        known.update(event.key for event in events)
        return [event.kind for event in events]

    assert told(checked(Outcome.FAILED), NOON + 7 * HOUR) == ["stale"]
    assert told(checked(Outcome.FAILED), NOON + 8 * HOUR) == []
    good = checked(good=NOON + 9 * HOUR, at=NOON + 9 * HOUR)
    assert told(good, NOON + 9 * HOUR) == ["works"]
    assert told(good, NOON + 10 * HOUR) == []
    bad = checked(Outcome.FAILED, good=NOON + 9 * HOUR, at=NOON + 20 * HOUR)
    assert told(bad, NOON + 20 * HOUR) == ["stale"]


# --- what it looks like ----------------------------------------------------------------------------------------

EVENTS: tuple[OperatorEvent, ...] = (
    *new_events(OperatorFacts(held=(publication(),)), (), NOON, STALE_AFTER),
    *new_events(OperatorFacts(checks=(checked(Outcome.FAILED),)), (), NOON + 7 * HOUR, STALE_AFTER),
    ListRecovered("works", PARTICIPATING, NOON),
    *new_events(
        OperatorFacts(unsent=(UNSENT, replace(UNSENT, id="d-2", state="ambiguous")), disabled=(GONE,)),
        (),
        NOON,
        STALE_AFTER,
    ),
    AddressDisabled("disabled", "g…@example.org", True, "550 5.1.1 no such user"),
    *new_events(OperatorFacts(doubtful=((REVIEW, 0),)), (), NOON, STALE_AFTER),
    *new_events(OperatorFacts(doubtful=((REVIEW, 1),)), {"doubtful r-1"}, NOON, STALE_AFTER),
    *new_events(OperatorFacts(remarked=(REMARKED,)), (), NOON, STALE_AFTER),
    TrialMessage(),
)


def test_a_mail_to_the_operator(golden: Golden) -> None:
    message = RENDERER.for_operator(ChannelName.EMAIL, EVENTS)
    golden("operator/all.txt", f"Subject: {message.subject}\n\n{message.text}")
    golden("operator/all.html", message.html)


def test_a_slack_message_to_the_operator(golden: Golden) -> None:
    message = RENDERER.for_operator(ChannelName.SLACK, EVENTS)
    (part,) = parts_of(message)
    said = {"text": part.text, "blocks": part.blocks}
    golden("operator/all.slack.json", json.dumps(said, ensure_ascii=False, indent=2))
    assert refusal(said) is None


def test_one_thing_is_told_in_the_subject() -> None:
    message = RENDERER.for_operator(ChannelName.EMAIL, EVENTS[:1])
    assert message.subject == "agreement-monitor: The participating list that ICE published is held"


@pytest.mark.parametrize("channel", [ChannelName.EMAIL, ChannelName.SLACK])
def test_many_things_are_one_message_of_some_of_them(channel: ChannelName) -> None:
    many = [MessageUnsent(f"unsent {n}", f"d-{n}", "r…@example.org", "<b>*no*</b> " * 25, False) for n in range(500)]
    message = RENDERER.for_operator(channel, many)
    assert re.search(r"4[89]\d more", message.text + message.blocks)
    assert "<b>" not in message.html + message.blocks
    if message.blocks:
        (part,) = parts_of(message)
        assert refusal({"text": part.text, "blocks": part.blocks}) is None


def test_stale_names_what_went_wrong() -> None:
    [event] = new_events(OperatorFacts(checks=(checked(Outcome.FAILED),)), (), NOON + 7 * HOUR, STALE_AFTER)
    assert isinstance(event, ListStale)
    assert event.why == "the server answered 503"
