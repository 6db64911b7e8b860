"""What every message says, in which words, and in which it does not; the golden files show the whole of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import templates
from alerts.messages.render import Renderer
from alerts.messages.slack_parts import parts_of, plain
from alerts.model import ChannelName, Digest, Message, RoutedEntry, Schedule, Watch
from alerts.routing.instant import route
from monitor.model import Entry, Kind
from tests.alerts.builders import LARKMERE, NOON, beside, cells, changed, entry, subscriber, watch, watched
from tests.alerts.messages.test_render import DIGESTS, EVERYTHING, SAMPLES, SETTING, notice_of, rendered

RENDERER = Renderer(SETTING)
CHANNELS = list(ChannelName)
TOLD = {
    "new": lambda: entry(Kind.NEW),
    "no longer listed": lambda: entry(Kind.TERMINATED),
    "listed again": lambda: entry(Kind.RETURNED, before=LARKMERE),
    "changed": lambda: changed(LARKMERE, cells(signed="2026-01-31")),
    "applied": lambda: entry(Kind.APPLIED),
    "approved": lambda: entry(Kind.APPROVED, about="c-applied"),
}


def shown(message: Message) -> str:
    """All that a reader sees of it, with the addresses behind its links."""
    if message.blocks:
        return "\n".join(map(plain, parts_of(message)))
    return message.text


def told(entries: Sequence[Entry], channel: ChannelName, wants: Watch = EVERYTHING) -> Message:
    return RENDERER.message(notice_of(entries, channel, wants))


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("what", TOLD)
def test_a_change_is_told_with_its_source_its_time_and_its_permanent_page(what: str, channel: ChannelName) -> None:
    one = TOLD[what]()
    message = told([one], channel)
    for said in [shown(message), message.html] if message.html else [shown(message)]:
        assert f"https://monitor.example.org/changes/{one.id}" in said
        assert f"https://monitor.example.org/agreements/{one.agreement}" in said
        assert "as of March 3, 2026" in said
        assert one.publication.file in said
        assert "first seen on March 3, 2026 at 12:00 p.m. ET" in said
        assert "last checked on March 3, 2026" in said


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_changed_is_told_as_it_was_and_as_it_is(channel: ChannelName) -> None:
    assert "Aug. 28, 2025 → Jan. 31, 2026" in shown(told([TOLD["changed"]()], channel))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_departure_is_no_longer_listed_by_ice_and_marked_unconfirmed_until_it_is_not(channel: ChannelName) -> None:
    left = entry(Kind.TERMINATED)
    assert "No longer listed by ICE as of March 3, 2026 (unconfirmed)" in shown(told([left], channel))
    confirmed = entry(Kind.TERMINATED, status="confirmed")
    assert "(unconfirmed)" not in shown(told([confirmed], channel))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_title_counts_the_agencies_that_are_still_listed_among_the_departures(channel: ChannelName) -> None:
    left = entry(Kind.TERMINATED, agency_standing=beside("Jail Enforcement Model"))
    others = [entry(Kind.TERMINATED, cells("Old Town Police Department")), entry(Kind.NEW, cells("New Town PD"))]
    said = "2 no longer listed (unconfirmed; 1 of an agency that is still listed), 1 new"
    assert said in shown(told([left, *others], channel))


@pytest.mark.parametrize("channel", [ChannelName.EMAIL, ChannelName.SLACK])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_message_says_why_an_agreement_is_not_listed_any_more(name: str, channel: ChannelName) -> None:
    said = shown(rendered(name, channel))
    assert not re.search(r"(?i)\b(terminated|cancel+ed|ended|expired|withdrew|revoked|quit|dropped out)\b", said)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_change_that_two_watches_want_is_told_once_with_both_reasons(channel: ChannelName) -> None:
    reader, one = subscriber(channel=channel), entry(Kind.NEW)
    watches = [
        watch("TX", number=1, who=reader),
        watch(number=2, who=reader, states=None, counties=frozenset({("TX", "larkmere")})),
    ]
    [notice] = route([one], watches, {}, {})
    said = shown(RENDERER.message(notice))
    assert "You get this because you watch Texas and Larkmere County (TX)." in said
    assert len(set(re.findall(r"changes/(c-\w+)", said))) == 1


# What would judge somebody, or tell a reader what to feel about it.
JUDGING = re.compile(
    r"(?i)\b(aggressive|alarming|alien|alleged(ly)?|brutal|controversial|criminals?|cruel|dangerous|draconian|extreme|"
    r"finally|harsh|heroic|illegals?|infamous|notorious|proud(ly)?|quietly|radical|rogue|sadly|secretly|shameful|"
    r"shocking|so-called|suddenly|tough|unfortunately|unlawful|welcome)\b"
)


@pytest.mark.parametrize("file", sorted(Path(templates.__file__).parent.rglob("*.*")), ids=lambda file: file.name)
def test_no_template_has_an_adjective_about_anybody(file: Path) -> None:
    if file.suffix != ".pyc":
        assert not JUDGING.search(file.read_text())


def digest_of(count: int) -> Digest:
    entries = [entry(Kind.NEW, cells(f"Town {n:03} Police Department {'of long name ' * 9}")) for n in range(count)]
    lines = tuple(RoutedEntry(e, (1,)) for e in entries)
    return Digest(subscriber(), Schedule(420), NOON.date(), 9, lines, watched("TX"))


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 49, 60, 300, 3000])
def test_a_digest_has_equal_counts_in_text_and_html_and_stays_below_100_kb(count: int) -> None:
    mail = RENDERER.digest(digest_of(count))
    assert len(mail.text.encode()) + len(mail.html.encode()) <= 100_000
    for said in (mail.text, mail.html):
        links = set(re.findall(r"monitor\.example\.org/changes/([\w-]+)", said))
        more = re.search(r"\+(\d+) more", said)
        assert len(links) + int(more[1] if more else 0) == count
        assert not more or "https://monitor.example.org/days/" in said
        assert re.search(rf"\b{count} new\b", said)
    assert {*re.findall(r"changes/([\w-]+)", mail.text)} == {*re.findall(r"changes/([\w-]+)", mail.html)}


@pytest.mark.parametrize("name", [*SAMPLES, *DIGESTS])
def test_no_mail_loads_or_reports_anything(name: str) -> None:
    mail = RENDERER.digest(DIGESTS[name]()) if name in DIGESTS else rendered(name, ChannelName.EMAIL)
    assert not re.search(r"(?i)<(img|link|script|iframe|object|form|video|audio)\b|url\(|@import|src=", mail.html)
    assert not re.search(
        r"https?://[^\s\"<]*\?", mail.html + mail.text
    )  # nothing that would tell one reader from another
