"""Slack messages within Slack's limits, in parts where they must be, and with nothing live in them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.messages.render import RenderContext, Renderer
from alerts.messages.slack_parts import SlackPart, marked, parts_of, plain, texts
from alerts.model import ChannelName, Message, Notice, RoutedEntry
from demo.slack_limits import refusal
from monitor.model import Cells, Entry, Kind, ListName, Significance
from monitor.normalize import STATES
from tests.alerts.builders import NOON, cells, changed, entry, source, subscriber, watched
from tests.alerts.hostile import as_digest, as_notice, fuzzed, hostile_entries

CHANNELS = (ChannelName.SLACK, ChannelName.SLACK_BOT)
RENDERER = Renderer(
    RenderContext(
        "https://monitor.example.org", ZoneInfo("America/New_York"), "a@b.example", {ListName.PARTICIPATING: NOON}
    )
)

# Of a part, over all of its blocks; people report that Slack refuses a little more than 13,000 (`demo.slack_limits`).
MOST_IN_ALL = 12_000

# A link of ours, as the template writes it; the label is hostile text made inert.
OUR_LINK = re.compile(r"<https://monitor\.example\.org/[a-z]+/[\w-]*\|[^<>|]*>")
CHANGES = re.compile(r"monitor\.example\.org/changes/([\w-]+)")


def rendered(lines: Iterable[Entry | RoutedEntry], channel: ChannelName = ChannelName.SLACK_BOT) -> Message:
    made = tuple(line if isinstance(line, RoutedEntry) else RoutedEntry(line, (1,)) for line in lines)
    return RENDERER.message(Notice(subscriber(channel=channel), source(), made, watched()))


def parts(lines: Iterable[Entry | RoutedEntry], channel: ChannelName = ChannelName.SLACK_BOT) -> tuple[SlackPart, ...]:
    return parts_of(rendered(lines, channel))


def towns(count: int, state: str = "TEXAS", kind: Kind = Kind.NEW) -> list[Entry]:
    return [entry(kind, cells(f"{state.title()} Town {n:03}", state)) for n in range(count)]


def shown(part: SlackPart) -> str:
    return "\n".join(texts(part.blocks))


def refused(message: Message) -> list[str | None]:
    """What Slack says to each part; None where it takes it."""
    made = parts_of(message)
    assert made
    return [
        refusal({"text": part.text, "blocks": marked(part.blocks, "d-" + "x" * 12, number)})
        for number, part in enumerate(made)
    ]


# --- parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_few_changes_are_a_single_message(channel: ChannelName) -> None:
    [part] = parts([*towns(10), *towns(10, "FLORIDA")], channel)
    assert len(CHANGES.findall(shown(part))) == 20


def test_many_changes_begin_with_the_counts_by_state_and_how_we_know() -> None:
    first, *_ = parts([*towns(30), *towns(12, "FLORIDA"), *towns(1, "FLORIDA", Kind.TERMINATED)])
    said = shown(first)
    assert "• Florida: 1 no longer listed (unconfirmed), 12 new" in said
    assert "• Texas: 30 new" in said
    assert "How we know: ICE’s file" in said
    assert "last checked on" in said


def test_in_a_channel_with_threads_each_state_has_a_part_of_its_own() -> None:
    first, florida, texas = parts([*towns(12), *towns(12, "FLORIDA")])
    assert "in the thread" in shown(first)
    assert (shown(florida).count("Florida Town"), shown(florida).count("Texas Town")) == (12, 0)
    assert (shown(texas).count("Florida Town"), shown(texas).count("Texas Town")) == (0, 12)


def test_over_a_webhook_the_further_messages_are_as_few_as_hold_the_details() -> None:
    states = list(STATES.values())[:30]
    made = parts([e for state in states for e in towns(1, state)], ChannelName.SLACK)
    assert len(made) <= 3
    assert "The details follow" in shown(made[0])


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_is_split_between_agreements_and_none_is_left_out(channel: ChannelName) -> None:
    entries = [*towns(45), *towns(45, "FLORIDA")]
    made = parts(entries, channel)
    assert len(made) >= 3
    told = [id for part in made for id in CHANGES.findall(shown(part))]
    assert sorted(told) == sorted(e.id for e in entries)
    for part in made[1:]:
        for text in texts(part.blocks[:-1]):
            assert len(re.findall("^• ", text, re.MULTILINE)) == len(CHANGES.findall(text))


def test_whatever_part_a_reader_sees_says_which_state_it_is_about_and_what_happened() -> None:
    made = parts(towns(90), ChannelName.SLACK)
    for number, part in enumerate(made[1:], start=2):
        *bodies, end = texts(part.blocks)
        for text in bodies:
            assert re.match(r"\*Texas\*( \(continued\))?\n_New on ICE’s list as of March 3, 2026_\n• ", text)
        assert end.startswith(f"Part {number} of {len(made)}: 287(g) in Texas: 90 new.")


@pytest.mark.parametrize("channel", CHANNELS)
def test_far_too_many_changes_end_with_how_many_more_and_where(channel: ChannelName) -> None:
    made = parts(towns(300), channel)
    assert "<https://monitor.example.org/days/2026-03-03|+200 more changes>" in shown(made[0])
    assert "• Texas: 300 new" in shown(made[0])
    assert sum(len(CHANGES.findall(shown(part))) for part in made) == 100


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_correction_stands_in_the_first_part(channel: ChannelName) -> None:
    left = entry(Kind.TERMINATED, cells("Wyoming Town", "WYOMING"), observed_at=NOON - timedelta(days=1))
    note = entry(Kind.WITHDRAWN, cells("Wyoming Town", "WYOMING"), about=left.id)
    first, *rest = parts([*towns(30), *towns(30, "FLORIDA"), RoutedEntry(note, (1,), corrects=left)], channel)
    assert "that no longer holds" in shown(first)
    assert not any("that no longer holds" in shown(part) for part in rest)


def test_corrections_that_leave_no_room_have_parts_of_their_own() -> None:
    lines = []
    for e in towns(90):
        left = replace(e, kind=Kind.TERMINATED, before=e.after, after=None)
        lines.append(RoutedEntry(entry(Kind.WITHDRAWN, e.after, about=left.id), (1,), corrects=left))  # type: ignore[arg-type]
    made = parts(lines)
    assert "that no longer holds" not in shown(made[0])
    assert sum(shown(part).count("that no longer holds") for part in made[1:]) == 90


def test_a_part_that_fits_no_correction_twice_says_nothing_twice() -> None:
    left = entry(Kind.TERMINATED, cells("Texas Town", "TEXAS"), observed_at=NOON - timedelta(days=1))
    note = entry(Kind.WITHDRAWN, cells("Texas Town", "TEXAS"), about=left.id)
    made = parts([*towns(30), RoutedEntry(note, (1,), corrects=left)])
    told = [id for part in made for id in CHANGES.findall(shown(part))]
    assert len(told) == len(set(told)) == 31


def test_changes_in_every_state_and_of_every_kind_are_within_slacks_limits() -> None:
    kinds = [Kind.NEW, Kind.TERMINATED, Kind.RETURNED, Kind.APPLIED, Kind.DROPPED]
    for channel in CHANNELS:
        message = rendered([e for state in STATES.values() for kind in kinds for e in towns(1, state, kind)], channel)
        assert set(refused(message)) == {None}
        assert re.search(r"^• and \d+ more states$", shown(parts_of(message)[0]), re.MULTILINE)


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_part_has_more_blocks_or_text_than_slack_takes(channel: ChannelName) -> None:
    made = parts([e for state in STATES.values() for e in towns(9, state)], channel)
    for part in made:
        assert len(part.blocks) <= 50
        for block in part.blocks:
            assert all(len(text) <= (150 if block["type"] == "header" else 3000) for text in texts([block]))
        assert sum(map(len, texts(part.blocks))) <= MOST_IN_ALL


def test_the_counts_of_every_state_have_room() -> None:
    kinds = (Kind.NEW, Kind.TERMINATED)
    first, *_ = parts([e for state in STATES.values() for kind in kinds for e in towns(1, state, kind)])
    lines = re.findall(r"^• .*: 1 no longer listed \(unconfirmed\), 1 new$", shown(first), re.MULTILINE)
    assert len(lines) == len(STATES)


# --- the fallback ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_part_says_in_its_fallback_what_it_is_about(channel: ChannelName) -> None:
    first, *rest = parts([*towns(12), *towns(12, "FLORIDA")], channel)
    assert first.text == "287(g) in Florida and Texas: 24 new\n• Florida: 12 new\n• Texas: 12 new"
    assert "• *Florida Town 000* – Task Force Model" in rest[0].text
    assert "http" not in "".join(part.text for part in rest)


def test_a_fallback_is_never_cut_in_two() -> None:
    made = parts(towns(90), ChannelName.SLACK)
    assert {part.text for part in made[1:]} == {"287(g) in Texas: 90 new"}


def test_what_goes_out_as_plain_text_says_all_that_the_blocks_say() -> None:
    [part] = parts(towns(3))
    assert all(text in plain(part) for text in texts(part.blocks))


# --- hostile text ----------------------------------------------------------------------------------------------


def spread(entries: Sequence[Entry], times: int) -> list[Entry]:
    """The same entries over and over, in one state after the other, as different agreements."""
    codes = itertools.cycle([*STATES, None])
    return [
        replace(e, id=f"{e.id}-{n}", agreement=f"{e.agreement}-{n}", state=next(codes) if n else e.state)
        for n in range(times)
        for e in entries
    ]


@pytest.mark.slow
@fuzzed
@given(
    entries=hostile_entries,
    times=st.sampled_from([*[1] * 8, 7, 7, 7, 30]),
    channel=st.sampled_from(CHANNELS),
    in_digest=st.booleans(),
)
def test_no_slack_message_is_refused_or_carries_a_live_mention(
    round_: int, entries: list[Entry], times: int, channel: ChannelName, in_digest: bool
) -> None:
    many = spread(entries, times)
    message = RENDERER.digest(as_digest(many, channel)) if in_digest else RENDERER.message(as_notice(many, channel))
    assert set(refused(message)) == {None}
    for part in parts_of(message):
        assert sum(len(text.encode("utf-16-le")) // 2 for text in texts(part.blocks)) <= MOST_IN_ALL
        json.dumps(asdict(part), ensure_ascii=False).encode()  # no half of a character
        for text in [*texts(part.blocks), part.text, plain(part)]:
            ours = OUR_LINK.sub("", text)
            assert not set(ours) & set("<>")
            assert not re.search(r"(?<!\w)[@#](?=[a-zA-Z])", text)
            assert not any(line.startswith(("&gt;", ">")) for line in text.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("state", ["TX", None])
@pytest.mark.parametrize("same", [True, False], ids=["one edit on many rows", "one row each"])
@pytest.mark.parametrize("stuff", ["&", "\U0001f44d\U0001f3fd", "\u0915\u094d\u0937", "e\u0301"], ids=ascii)
def test_a_slack_message_of_hostile_changes_is_within_the_limits(
    channel: ChannelName, state: str | None, same: bool, stuff: str
) -> None:
    rows = [Cells(stuff * 120, *[f"{n}{stuff * 120}"] * 9) for n in range(51)]
    pairs = [(rows[0], rows[1])] * 50 if same else itertools.pairwise(rows)
    message = RENDERER.message(as_notice([changed(a, b, state=state) for a, b in pairs], channel))
    assert set(refused(message)) == {None}


def test_a_point_that_is_too_long_in_any_words_is_a_link() -> None:
    suspects = tuple(f"may be the same as {'&' * 100} {n}, a-{n}" for n in range(40))
    rows = cells("&" * 500, county="&" * 500, support_type="&" * 500)
    message = rendered([entry(Kind.NEW, rows, reasons=suspects)])
    assert set(refused(message)) == {None}


def test_significance_does_not_change_what_is_safe() -> None:
    rows = [cells("*Town* <!here>", county=f"{n} @channel #general") for n in range(2)]
    [part] = parts([RoutedEntry(changed(*rows), (1,), Significance.CLERICAL)])
    assert not re.search(r"<!|[@#](?=[a-z])|\*Town", shown(part))
