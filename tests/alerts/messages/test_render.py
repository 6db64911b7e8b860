"""What messages look like, and that nothing in a workbook can make them look otherwise."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.messages.render import RenderContext, Renderer
from alerts.messages.slack_parts import parts_of
from alerts.model import ChannelName, Digest, Message, Notice, RoutedEntry, Schedule, Watch, Watched, WatchedPart
from alerts.routing.instant import route
from demo.slack_limits import refusal
from monitor.checks.changes import FIRST_SEEN
from monitor.matching.review import MAY_BE, SIMILAR
from monitor.model import AgencyStanding, Cells, Entry, Kind, ListName, Relation, Significance
from tests.alerts.builders import LARKMERE, NOON, cells, changed, edits, entry, source, subscriber, told, watch, watched
from tests.alerts.hostile import as_digest, as_notice, fuzzed, hostile_entries
from tests.golden import Golden

SETTING = RenderContext(
    "https://monitor.example.org",
    ZoneInfo("America/New_York"),
    "alerts@monitor.example.org",
    {ListName.PARTICIPATING: NOON, ListName.PENDING: NOON - timedelta(hours=1)},
)
GEORGIA = {"state": "GEORGIA", "county": "Quillmarsh County"}


RENDERER = Renderer(SETTING)  # reads its templates once


def numbered(*entries: Entry) -> list[Entry]:
    """Entries whose ids do not depend on which tests ran before."""
    ids = {e.id: f"c-{n:012}" for n, e in enumerate(entries, start=1)}
    return [_numbered(e, n, ids) for n, e in enumerate(entries, start=1)]


def _numbered(e: Entry, n: int, ids: dict[str, str]) -> Entry:
    return replace(e, seq=n, id=ids[e.id], about=ids.get(e.about or ""))


def notice_of(entries: Sequence[Entry], channel: ChannelName, wants: Watch, known: Sequence[Entry] = ()) -> Notice:
    who = Watch(1, subscriber(channel=channel), wants.wants)
    # That an application left is told once it is confirmed, not before.
    recipients = {e.id: told(who) for e in known if e.kind is not Kind.DROPPED}
    [notice] = route(entries, [who], recipients, {e.id: e for e in known})
    return notice


def new() -> list[Entry]:
    earlier = (f"{FIRST_SEEN}March 2025",)
    return numbered(entry(Kind.NEW, pending_since=NOON.replace(year=2025, month=9), reasons=earlier))


def no_longer_listed() -> list[Entry]:
    return numbered(entry(Kind.TERMINATED))


def a_day() -> list[Entry]:
    """One publication with a bit of everything."""
    towns = [cells(f"Town {n:02} Police Department", "FLORIDA", county="Tidewrack County") for n in range(9)]
    departed = cells("Copperfen County Sheriff's Office", **GEORGIA, support_type="Warrant Service Officer")
    left = entry(Kind.TERMINATED, departed, observed_at=NOON - timedelta(days=1), publication=source("earlier.xlsx"))
    quillmarsh = cells("Quillmarsh County Sheriff’s Office", **GEORGIA, signed="2025-02-14")
    return numbered(
        left,
        entry(Kind.WITHDRAWN, departed, about=left.id),
        entry(Kind.RETURNED, departed, before=departed),
        entry(Kind.TERMINATED, cells("Saltbrush Police Department")),
        changed(cells("Cactus Spur Constable", moa="link pending", moa_address=""), cells("Cactus Spur Constable")),
        entry(Kind.NEW, cells("Juniper Ledge Police Department")),
        entry(Kind.NEW, cells("Nowhere Police Department", "UTOPIA", county="#N/A", signed="")),
        entry(Kind.RETURNED, cells("Pecanvale Police Department"), before=cells("Pecanvale Police Department")),
        changed(quillmarsh, cells(quillmarsh.agency, **GEORGIA, signed="2025-03-14", support_type="Jail Enforcement")),
        *(
            changed(row, cells(row.agency, row.state, county="", support_type="Warrant Service Office"))
            for row in towns
        ),
    )


def applications() -> list[Entry]:
    """One publication of the pending list."""
    return numbered(
        entry(Kind.APPLIED, cells("Willowgate County Sheriff's Office", **GEORGIA)),
        changed(LARKMERE, cells(support_type="Jail Enforcement Model"), list=ListName.PENDING),
    )


JAIL, WARRANT, TASK = "Jail Enforcement Model", "Warrant Service Officer", "Task Force Model"


def off_the_pending_list() -> list[Entry]:
    """An application that left the pending list, told once that is confirmed."""
    left = entry(
        Kind.DROPPED,
        cells("Fernhollow Police Department"),
        status="confirmed",
        publication=source("earlier.xlsx"),
        reasons=(f"{SIMILAR}Fernhollow Constable (Task Force Model)",),
    )
    return numbered(left, entry(Kind.CONFIRMED, cells("Fernhollow Police Department"), about=left.id))


def approved() -> list[Entry]:
    applied = entry(Kind.APPLIED, status="approved", publication=source("earlier.xlsx"))
    return numbered(applied, entry(Kind.APPROVED, before=LARKMERE, about=applied.id))


def approved_before_we_looked() -> list[Entry]:
    return numbered(entry(Kind.NEW, pending_since=NOON.replace(year=2025, month=9), pending_before=True))


def switched() -> list[Entry]:
    standing = AgencyStanding((JAIL,), ())
    both: dict[str, Any] = {"relation": Relation.SWITCHED}
    return numbered(
        entry(Kind.TERMINATED, cells(support_type=JAIL), agency_standing=AgencyStanding((), (WARRANT,)), **both),
        entry(Kind.NEW, cells(support_type=WARRANT), agency_standing=standing, agreement="a-other", **both),
    )


def renewed() -> list[Entry]:
    link = "https://www.ice.gov/doclib/287gMOA/Larkmere_TFM_2026.pdf"
    return numbered(changed(LARKMERE, cells(signed="2026-02-20", moa_address=link), relation=Relation.RENEWED))


def dates_corrected() -> list[Entry]:
    """June 27, 2025: dates of agreements in several states were corrected at once."""
    places = ("TEXAS", "TEXAS", "FLORIDA", "GEORGIA", "FLORIDA", "TEXAS")
    rows = [cells(f"Town {n} Police Department", state, signed="2026-02-19") for n, state in enumerate(places)]
    after = [cells(row.agency, row.state, signed=f"2026-02-{20 if n else 21}") for n, row in enumerate(rows)]
    return numbered(*(changed(*pair) for pair in zip(rows, after, strict=True)))


def added() -> list[Entry]:
    standing = AgencyStanding((JAIL, WARRANT), (JAIL, WARRANT))
    return numbered(entry(Kind.NEW, agency_standing=standing, relation=Relation.ADDED))


def several_at_once() -> list[Entry]:
    return numbered(entry(Kind.NEW, agency_standing=AgencyStanding((), (JAIL, WARRANT))))


def departure_with_siblings() -> list[Entry]:
    return numbered(entry(Kind.TERMINATED, agency_standing=AgencyStanding((JAIL, WARRANT), (JAIL, WARRANT))))


def departure_of_the_last() -> list[Entry]:
    return numbered(entry(Kind.TERMINATED, agency_standing=AgencyStanding()))


def doubtful() -> list[Entry]:
    """One that left and one that came, which may be the same."""
    left, came = cells("Tidewrack County Sheriff's Office"), cells("Tidewrack County Constable")
    return numbered(
        entry(Kind.TERMINATED, left, reasons=(f"{MAY_BE}{came.agency} (Task Force Model), a-bbb",)),
        entry(Kind.NEW, came, reasons=(f"{MAY_BE}{left.agency} (Task Force Model), a-aaa",)),
    )


def found_the_same() -> list[Entry]:
    """What the same reader hears when an operator has answered."""
    left, came = doubtful()
    left, came = (replace(e, publication=source("earlier.xlsx")) for e in (left, came))
    fields = edits(left.before, came.after)  # type: ignore[arg-type]  # both are there
    both: dict[str, Any] = {"before": left.before, "after": came.after, "fields": fields, "agreement": left.agreement}
    later = NOON + timedelta(days=2)
    return numbered(
        left,
        came,
        entry(Kind.WITHDRAWN, about=left.id, agency=came.agency, observed_at=later, **both),
        # The reader of this one was told of the arrival alone.
        entry(Kind.MERGED, about=came.id, agency=came.agency, observed_at=later, **both | {"agreement": "a-other"}),
    )


def retracted() -> list[Entry]:
    came, left = (entry(kind, publication=source("earlier.xlsx")) for kind in (Kind.NEW, Kind.TERMINATED))
    why = ("this was wrong: ICE's file was cut off",)
    return numbered(came, left, *(entry(Kind.RETRACTED, about=wrong.id, reasons=why) for wrong in (came, left)))


def many() -> list[Entry]:
    """More than anybody wants to see at once, and a correction among it."""
    departed = cells("Copperfen County Sheriff's Office", **GEORGIA)
    left = entry(Kind.TERMINATED, departed, observed_at=NOON - timedelta(days=1), publication=source("earlier.xlsx"))
    return numbered(
        left,
        entry(Kind.WITHDRAWN, departed, about=left.id),
        entry(Kind.RETURNED, departed, before=departed),
        entry(Kind.TERMINATED, cells("Saltbrush Police Department")),
        *(entry(Kind.NEW, cells(f"Town {n:02} Police Department", "FLORIDA")) for n in range(12)),
        *(entry(Kind.NEW, cells(f"Town {n:02} Police Department")) for n in range(12)),
    )


EVERYTHING = watch(kinds=frozenset(Kind), significance=Significance.CLERICAL)
TEXAS = watch("TX")
SAMPLES = {
    "new": (new, TEXAS),
    "no-longer-listed": (no_longer_listed, TEXAS),
    "a-day": (a_day, EVERYTHING),
    "applications": (applications, EVERYTHING),
    "off-the-pending-list": (off_the_pending_list, EVERYTHING),
    "approved": (approved, EVERYTHING),
    "approved-before-we-looked": (approved_before_we_looked, TEXAS),
    "switched": (switched, TEXAS),
    "renewed": (renewed, TEXAS),
    "dates-corrected": (dates_corrected, EVERYTHING),
    "added": (added, TEXAS),
    "several-at-once": (several_at_once, TEXAS),
    "departure-with-siblings": (departure_with_siblings, TEXAS),
    "departure-of-the-last": (departure_of_the_last, TEXAS),
    "doubtful": (doubtful, TEXAS),
    "found-the-same": (found_the_same, TEXAS),
    "retracted": (retracted, TEXAS),
}
MANY = {"many": (many, EVERYTHING)}


def rendered(name: str, channel: ChannelName) -> Message:
    make, wants = (SAMPLES | MANY)[name]
    entries = make()
    known = [e for e in entries if e.publication.file == "earlier.xlsx"]
    news = [e for e in entries if e not in known]
    return Renderer(SETTING).message(notice_of(news, channel, wants, known))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mail_looks_like_its_golden_file(name: str, golden: Golden) -> None:
    mail = rendered(name, ChannelName.EMAIL)
    golden(f"email/{name}.txt", f"Subject: {mail.subject}\n\n{mail.text}\n")
    golden(f"email/{name}.html", mail.html)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_slack_message_looks_like_its_golden_file(name: str, golden: Golden) -> None:
    message = rendered(name, ChannelName.SLACK)
    [part] = parts_of(message)
    assert part.text == message.text
    golden(f"slack/{name}.json", written(asdict(part)))


@pytest.mark.parametrize("channel", [ChannelName.SLACK, ChannelName.SLACK_BOT])
def test_a_slack_message_of_many_changes_looks_like_its_golden_file(channel: ChannelName, golden: Golden) -> None:
    parts = [asdict(part) for part in parts_of(rendered("many", channel))]
    golden(f"{channel}/many.json", written(parts))


def written(payload: object) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=2) + "\n"


def a_weeks_digest() -> Digest:
    """All that `a_day` has, over some days, and an application."""
    entries = [e for e in [*a_day()[2:], *applications()[:1]] if e.kind is not Kind.RETURNED]
    dated = [replace(e, observed_at=NOON - timedelta(days=n % 3)) for n, e in enumerate(numbered(*entries))]
    lines = tuple(RoutedEntry(e, (1,), Significance.CLERICAL) for e in dated)
    parts = frozenset(
        {WatchedPart("TX", county="larkmere"), WatchedPart("GA", agency="Quillmarsh County Sheriff’s Office")}
    )
    return Digest(subscriber(), Schedule(420, 0), NOON.date(), 9, lines, Watched(frozenset({"TX"}), parts))


DIGESTS: dict[str, Callable[[], Digest]] = {
    "digest-daily": lambda: Digest(
        subscriber(),
        Schedule(420),
        NOON.date(),
        9,
        tuple(RoutedEntry(e, (1,)) for e in numbered(entry(Kind.TERMINATED), entry(Kind.NEW), entry(Kind.NEW))),
        watched("TX"),
    ),
    "digest-weekly": a_weeks_digest,
    "digest-empty": lambda: Digest(subscriber(), Schedule(420), NOON.date(), 9, (), watched()),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_by_mail_looks_like_its_golden_file(name: str, golden: Golden) -> None:
    mail = Renderer(SETTING).digest(DIGESTS[name]())
    golden(f"email/{name}.txt", f"Subject: {mail.subject}\n\n{mail.text}\n")
    golden(f"email/{name}.html", mail.html)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_in_slack_looks_like_its_golden_file(name: str, golden: Golden) -> None:
    digest = replace(DIGESTS[name](), subscriber=subscriber(channel=ChannelName.SLACK))
    [part] = parts_of(Renderer(SETTING).digest(digest))
    assert refusal(asdict(part)) is None
    golden(f"slack/{name}.json", written(asdict(part)))


def test_a_mail_that_asks_for_confirmation_looks_like_its_golden_file(golden: Golden) -> None:
    mail = Renderer(SETTING).confirmation("Token-of_43-characters", NOON + timedelta(hours=72))
    golden("email/confirmation.txt", f"Subject: {mail.subject}\n\n{mail.text}\n")
    golden("email/confirmation.html", mail.html)


def test_a_mail_that_brings_the_link_to_manage_looks_like_its_golden_file(golden: Golden) -> None:
    mail = Renderer(SETTING).manage_link("not shown", NOON + timedelta(days=7), ChannelName.EMAIL)
    golden("email/manage-link.txt", f"Subject: {mail.subject}\n\n{mail.text}\n")
    golden("email/manage-link.html", mail.html)
    assert "not shown" not in mail.text + mail.html


def test_what_asks_a_slack_channel_looks_like_its_golden_files(golden: Golden) -> None:
    token, until = "Token-of_43-characters", NOON + timedelta(hours=72)
    renderer = Renderer(SETTING)
    for name, message in (
        ("confirmation", renderer.confirmation(token, until, ChannelName.SLACK)),
        ("manage-link", renderer.manage_link(token, until, ChannelName.SLACK)),
    ):
        [part] = parts_of(message)
        assert refusal(asdict(part)) is None
        golden(f"slack/{name}.json", written(asdict(part)))


def test_a_digest_before_any_check_says_that_there_was_none() -> None:
    mail = Renderer(replace(SETTING, checked_at={})).digest(DIGESTS["digest-empty"]())
    for said in (mail.text, mail.html):
        assert "ICE’s participating list has not been checked successfully yet." in said


def test_the_same_digest_is_rendered_once_for_all_who_get_it() -> None:
    renderer, digest = Renderer(SETTING), a_weeks_digest()
    messages = {id(renderer.digest(replace(digest, subscriber=subscriber(n)))) for n in range(1, 101)}
    assert len(messages) == 1


@pytest.mark.parametrize("name", SAMPLES)
def test_text_and_html_say_the_same(name: str) -> None:
    mail = rendered(name, ChannelName.EMAIL)
    words = {"html": re.sub(r"<[^>]+>", " ", mail.html.partition("<body")[2]), "text": mail.text}
    changes = {
        form: set(re.findall(r"changes/c-\d+", text)) for form, text in (("html", mail.html), ("text", mail.text))
    }
    assert changes["html"] == changes["text"]
    assert mail.subject.partition(":")[0] in words["html"]


def test_the_same_is_rendered_once_for_all_who_hear_it() -> None:
    renderer = Renderer(SETTING)
    entries = new()
    watches = [watch("TX", number=n) for n in range(1, 101)]
    messages = {id(renderer.message(notice)) for notice in route(entries, watches, {}, {})}
    assert len(messages) == 1


def test_the_days_of_the_log_are_those_of_its_time_zone() -> None:
    late = NOON.replace(hour=3)  # still the evening before in New York
    [news] = numbered(entry(Kind.NEW, observed_at=late))
    mail = Renderer(SETTING).message(notice_of([news], ChannelName.EMAIL, TEXAS))
    assert "https://monitor.example.org/days/2026-03-02" in mail.text
    assert "as of March 2, 2026" in mail.text


def test_three_hundred_changes_are_one_message_that_says_how_many_more() -> None:
    entries = numbered(*(entry(Kind.NEW, cells(f"Town {n:03} Police Department")) for n in range(300)))
    mail = Renderer(SETTING).message(notice_of(entries, ChannelName.EMAIL, TEXAS))
    assert "+250 more changes: https://monitor.example.org/days/2026-03-03" in mail.text
    assert "+250 more changes" in mail.html
    assert "300 new" in mail.subject


# --- hostile text ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@fuzzed
@given(entries=hostile_entries, in_digest=st.booleans())
def test_no_mail_carries_an_element_or_a_link_of_a_workbooks_making(
    round_: int, entries: list[Entry], in_digest: bool
) -> None:
    channel = ChannelName.EMAIL
    mail = RENDERER.digest(as_digest(entries, channel)) if in_digest else RENDERER.message(as_notice(entries, channel))
    assert mail.subject.isprintable()
    assert len(mail.subject) <= 200
    tags = set(re.findall(r"<\s*([a-zA-Z]+)", mail.html))
    assert tags <= {
        *("html", "head", "meta", "title", "style", "body", "main", "footer"),
        *("h", "ul", "li", "p", "a", "span"),
    }
    hrefs = re.findall(r'href="([^"]*)"', mail.html)
    assert all(href.startswith(("https://monitor.example.org/", "mailto:alerts@")) for href in hrefs)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", mail.html + mail.text)
    assert len(mail.html.encode()) <= 90_000


@pytest.mark.slow
def test_a_mail_of_hostile_changes_stays_below_what_mail_programs_cut_off() -> None:
    rows = [Cells("TEXAS", *[f"{n}{'&' * 500}"] * 9) for n in range(51)]
    entries = numbered(*(changed(before, after, state="TX") for before, after in itertools.pairwise(rows)))
    mail = Renderer(SETTING).message(as_notice(entries, ChannelName.EMAIL))
    shown = len(re.findall("How we know: https", mail.text))
    assert len(mail.html.encode()) <= 90_000
    assert f"+{50 - shown} more changes" in mail.text


def test_a_mails_html_says_its_language_and_works_in_the_dark() -> None:
    html = rendered("a-day", ChannelName.EMAIL).html
    assert '<html lang="en">' in html
    assert "prefers-color-scheme: dark" in html
    assert re.findall(r"<h(\d)", html)[:3] == ["1", "2", "3"]
